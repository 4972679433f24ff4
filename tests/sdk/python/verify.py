"""What a downstream service asks about requests that botocore signed for it, a line a step.

The environment is that of main_job.py; COUNTERSIGN_VERIFY_URL says where to ask.
"""

import base64
import hashlib
import json
import os

from botocore.auth import SigV4Auth, SigV4QueryAuth

from orders import HOME, HOST, REGION, about, ask, signed
from steps import Steps, allow, client, policy, role, trust, user

steps = Steps()
equal, holds = steps.equal, steps.holds

admin_sts, admin_iam = client("sts"), client("iam")
PARTNER_ROLE = os.environ["COUNTERSIGN_PARTNER_ROLE"]
PARTNER = PARTNER_ROLE.split(":")[4]


def decides(what, question, decision):
    """The request is signed well, and this is the decision."""
    answer = ask(question)
    found = (answer["authenticated"], answer["decision"])
    holds(f"{what}: {decision}", found == (True, decision), answer)
    return answer


def refuses(what, question, code):
    """The request is nobody's, so that it is denied whatever was asked."""
    answer = ask(question)
    denied = not answer["authenticated"] and answer["decision"] == "deny"
    nobody = "principal" not in answer and answer["matched"] == []
    holds(f"{what}: {code}", denied and nobody and answer["reason"]["code"] == code, answer)


def assume(key, arn, **more):
    return client("sts", key).assume_role(RoleArn=arn, RoleSessionName="monday", **more)[
        "Credentials"
    ]


def decisions(session, administrator):
    answer = decides("identity alone", signed(session), "not_asked")
    principal = answer["principal"]
    equal("who", principal["arn"], f"arn:aws:sts::{HOME}:assumed-role/orders/monday")
    equal("of which account", principal["account"], HOME)
    holds("until when", answer["expires_at"] > principal["issued_at"], answer)
    decides("of someone who may do anything", signed(administrator), "not_asked")

    answer = decides("what a policy allows", about(signed(session)), "allow")
    found = [(m["layer"], m["policy"], m["sid"]) for m in answer["matched"]]
    equal("by which statement", found, [("identity", "own", "Orders")])
    decides("what none allows", about(signed(session), "RefundOrder"), "deny")
    answer = decides("what one denies", about(signed(session), "PurgeOrder"), "deny")
    equal("that is said", answer["reason"]["code"], "ExplicitDeny")
    decides("with any case of the action", about(signed(session), "GETORDER"), "allow")


def narrowed(arn):
    narrow = assume(None, arn, Policy=allow("orders:GetOrder"))
    decides("a narrow session may what it was left", about(signed(narrow)), "allow")
    decides("not what the role may besides", about(signed(narrow), "CancelOrder"), "deny")
    wide = assume(None, arn, Policy=allow("*"))
    decides("a wide one not more than the role", about(signed(wide), "RefundOrder"), "deny")
    decides("and all of that", about(signed(wide), "CancelOrder"), "allow")


def tenants(session):
    """B's administrator is nobody in A's account, unless A says so."""
    b = assume(None, PARTNER_ROLE)
    arn = f"arn:aws:sts::{PARTNER}:assumed-role/OrganizationAccountAccessRole/monday"
    decides("B's administrator in B's account", about(signed(b), owner=PARTNER), "allow")
    decides("in A's account", about(signed(b)), "deny")
    decides("A's in B's", about(signed(session), owner=PARTNER), "deny")
    for who in [f"arn:aws:iam::{PARTNER}:root", PARTNER, PARTNER_ROLE, arn, "*"]:
        shared = trust(who, ["orders:GetOrder"], Resource="*")
        decides(f"shared with {who}", about(signed(b), resource_policy=shared), "allow")
        other = about(signed(b), "CancelOrder", resource_policy=shared)
        decides("what is not shared", other, "deny")
    for who in [f"arn:aws:iam::{HOME}:root", f"arn:aws:iam::{PARTNER}:role/other"]:
        shared = trust(who, ["orders:GetOrder"], Resource="*")
        decides(f"shared with {who}", about(signed(b), resource_policy=shared), "deny")
    b_iam = client("iam", b)
    clerk = user(b_iam, "clerk", allow("orders:ListOrders"))
    shared = trust(f"arn:aws:iam::{PARTNER}:user/clerk", ["orders:GetOrder"], Resource="*")
    decides("B must allow it, too", about(signed(clerk), resource_policy=shared), "deny")
    in_b = about(signed(clerk), owner=PARTNER, resource_policy=shared)
    decides("within one account the resource's word is enough", in_b, "allow")
    denied = policy(
        {"Effect": "Allow", "Principal": "*", "Action": "orders:*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Principal": {"AWS": PARTNER_ROLE},
            "Action": "orders:*",
            "Resource": "*",
        },
    )
    decides("a resource's deny", about(signed(b), owner=PARTNER, resource_policy=denied), "deny")


def conditions():
    """Facts of the request come from the asker; none from the request's own headers."""
    office = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    vip = {
        "StringEquals": {"orders:Tier": "vip", "aws:ResourceTag/team": "${aws:PrincipalTag/team}"}
    }
    secure = {"Bool": {"aws:SecureTransport": "true"}}
    key = user(
        admin_iam,
        "clerk",
        policy(
            {"Effect": "Allow", "Action": "orders:GetOrder", "Resource": "*", "Condition": office},
            {"Effect": "Allow", "Action": "orders:RefundOrder", "Resource": "*", "Condition": vip},
            {"Effect": "Allow", "Action": "orders:PayOrder", "Resource": "*", "Condition": secure},
        ),
    )
    admin_iam.tag_user(UserName="clerk", Tags=[{"Key": "team", "Value": "blue"}])
    request = signed(key)
    decides("from the office", about(request, source_ip="203.0.113.9"), "allow")
    decides("from elsewhere", about(request, source_ip="198.51.100.9"), "deny")
    decides("from who knows where", about(request), "deny")
    spoofed = signed(key, headers={"X-Forwarded-For": "203.0.113.9", "X-Real-Ip": "203.0.113.9"})
    decides("from where a header says", about(spoofed, source_ip="198.51.100.9"), "deny")
    decides("or only that", about(spoofed), "deny")
    keys = {"orders:Tier": "vip", "aws:ResourceTag/team": "blue"}
    decides("with the service's own keys", about(request, "RefundOrder", context=keys), "allow")
    keys["aws:ResourceTag/team"] = "red"
    decides("of another team", about(request, "RefundOrder", context=keys), "deny")
    decides("by TLS", about(request, "PayOrder", secure_transport=True), "allow")
    decides("not by TLS", about(request, "PayOrder", secure_transport=False), "deny")
    decides("not told", about(request, "PayOrder"), "deny")


def requests_that_are_not_what_was_signed(session):
    good = signed(session)
    other = {
        **good,
        "headers": [[n, "evil.example" if n == "Host" else v] for n, v in good["headers"]],
    }
    refuses("for a host of somebody else's", {**other}, "HostNotServed")
    refuses(
        "signed for another host", {**other, "hosts": ["evil.example"]}, "SignatureDoesNotMatch"
    )
    refuses("a host that is not ours", {**good, "hosts": ["other.example"]}, "HostNotServed")
    decides("ours in capitals", {**good, "hosts": [HOST.upper(), "b.example"]}, "not_asked")
    for what, question in [
        ("for another service", {**good, "service": "billing"}),
        ("of another service", signed(session, service="billing")),
        ("for another region", {**good, "region": "us-east-1"}),
        ("another path", {**good, "uri": "/orders/43"}),
        ("another query", {**good, "uri": "/orders/42?force=1"}),
        ("another method", {**good, "method": "DELETE"}),
        ("another body", {**good, "body": base64.b64encode(b"x").decode()}),
        (
            "a header nobody signed",
            {**good, "headers": good["headers"] + [["X-Amz-Acl", "public"]]},
        ),
    ]:
        refuses(what, about(question), "SignatureDoesNotMatch")
    decides("any region", {**good, "region": None}, "not_asked")
    plain = {**good, "headers": good["headers"] + [["X-Trace", "1"], ["Cookie", "a=b"]]}
    decides("with headers that proxies add", plain, "not_asked")
    for name in ["Authorization", "X-Amz-Date", "X-Amz-Security-Token"]:
        value = next(value for found, value in good["headers"] if found == name)
        twice = {**good, "headers": good["headers"] + [[name.lower(), value]]}
        refuses(f"{name} twice", twice, "IncompleteSignature")
    twice = {**good, "headers": good["headers"] + [["host", HOST]]}
    refuses("two hosts", twice, "HostNotServed")
    none = {**good, "headers": [["Host", HOST]]}
    refuses("not signed at all", none, "MissingAuthenticationToken")


def bodies(session):
    body = json.dumps({"item": 7}).encode()
    post = signed(session, method="POST", body=body, headers={"Content-Type": "application/json"})
    equal("a body that is shown", ask(post)["body"], "verified")
    shown = {name: value for name, value in post.items() if name != "body"}
    digest = hashlib.sha256(body).hexdigest()
    equal("or its hash", ask({**shown, "body_sha256": digest})["body"], "verified")
    refuses("another hash", {**shown, "body_sha256": "0" * 64}, "SignatureDoesNotMatch")
    refuses("neither", shown, "BodyUnverified")
    headers = {"X-Amz-Content-Sha256": digest}
    said = signed(session, method="POST", body=body, headers=headers)
    decides("with the hash in a signed header", said, "not_asked")
    shown = {name: value for name, value in said.items() if name != "body"}
    equal("a body that is not shown", ask(shown)["body"], "unverified")
    refuses("another body", {**said, "body": ""}, "XAmzContentSHA256Mismatch")
    headers = {"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}
    refuses("a body left unsigned", signed(session, headers=headers), "InvalidRequest")


def presigned(session):
    good = signed(session, path="/orders/42?full=1", auth=SigV4QueryAuth, expires=60)
    decides("a presigned request", about(good), "allow")
    for what, old, new in [
        ("another path", "/42?", "/43?"),
        ("a longer life", "Expires=60", "Expires=61"),
    ]:
        refuses(what, {**good, "uri": good["uri"].replace(old, new)}, "SignatureDoesNotMatch")
    for expires in [0, -1, 604801]:
        bad = signed(session, auth=SigV4QueryAuth, expires=expires)
        refuses(f"a life of {expires} seconds", bad, "IncompleteSignature")
    header = {**good, "headers": good["headers"] + signed(session)["headers"][1:]}
    refuses("credentials in two places", header, "IncompleteSignature")


allowed = policy(
    {
        "Sid": "Orders",
        "Effect": "Allow",
        "Action": ["orders:GetOrder", "orders:CancelOrder"],
        "Resource": "*",
    },
    {"Effect": "Allow", "Action": "orders:Purge*", "Resource": "*"},
    {"Sid": "Never", "Effect": "Deny", "Action": "orders:PurgeOrder", "Resource": "*"},
)
orders = role(admin_iam, "orders", trust(f"arn:aws:iam::{HOME}:root"), allowed)
administrator = {
    "AccessKeyId": os.environ["AWS_ACCESS_KEY_ID"],
    "SecretAccessKey": os.environ["AWS_SECRET_ACCESS_KEY"],
}
session = assume(None, orders)
decisions(session, administrator)
narrowed(orders)
tenants(session)
conditions()
requests_that_are_not_what_was_signed(session)
bodies(session)
presigned(session)
print(f"{steps.count} steps")

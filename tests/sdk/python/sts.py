"""What STS gives besides roles, by boto3, a line a step: federated users, sessions of members' root
users, and what is not there.

The environment's key is the administrator's of the management account; COUNTERSIGN_PARTNER_ROLE is the
administrators' role of a second account; COUNTERSIGN_ROOT_KEY is the key of its root user, its ID and
its secret with a colon between.
"""

import os
import time

from orders import HOME, about, ask, signed
from steps import Steps, allow, client, policy, role, trust, user

steps = Steps()
refused, equal, holds = steps.refused, steps.equal, steps.holds

iam, sts, organizations = client("iam"), client("sts"), client("organizations")
PARTNER = os.environ["COUNTERSIGN_PARTNER_ROLE"].split(":")[4]
TASK = "arn:aws:iam::aws:policy/root-task/"


def decision(key, **more):
    """What a service of the home account is told about an order."""
    answer = ask(about(signed(key), **more))
    if not answer["authenticated"]:
        return answer["reason"]["code"]
    return answer["decision"]


def resource_policy(principal, effect="Allow"):
    return policy({
        "Effect": effect, "Principal": {"AWS": principal}, "Action": "orders:*", "Resource": "*",
    })


def federated_users():
    giving = ["sts:GetFederationToken", "sts:TagSession", "orders:GetOrder"]
    proxy = user(iam, "proxy", allow(giving))
    own = client("sts", proxy)
    named = {"Name": "bob"}
    bob_arn = f"arn:aws:sts::{HOME}:federated-user/bob"
    orders = allow("orders:*")

    told = own.get_federation_token(**named, Policy=orders, DurationSeconds=900)
    who = {"FederatedUserId": f"{HOME}:bob", "Arn": bob_arn}
    equal("a federated user", told["FederatedUser"], who)
    holds("the size of its policy", 0 < told["PackedPolicySize"] < 100, told["PackedPolicySize"])
    bob = told["Credentials"]
    left = bob["Expiration"].timestamp() - time.time()
    holds("for a quarter of an hour", 850 < left <= 900, left)
    told = client("sts", bob).get_caller_identity()
    found = (told["UserId"], told["Account"], told["Arn"])
    equal("by its name", found, (f"{HOME}:bob", HOME, bob_arn))
    answer = ask(about(signed(bob)))
    equal("a service is told", answer["principal"]["type"], "FederatedUser")
    equal("by its ARN", answer["principal"]["arn"], bob_arn)

    # What both its maker's and its own policy allow, and no more.
    bare = own.get_federation_token(**named)["Credentials"]
    other = own.get_federation_token(**named, Policy=allow("bills:*"))["Credentials"]
    equal("both allow", decision(bob), "allow")
    equal("its maker may not", decision(bob, action="CancelOrder"), "deny")
    equal("its policy does not", decision(other), "deny")
    equal("it has no policy", decision(bare), "deny")
    shared, closed = resource_policy(bob_arn), resource_policy(bob_arn, "Deny")
    for what, key in (("with a policy", bob), ("with another", other), ("without", bare)):
        found = decision(key, action="CancelOrder", resource_policy=shared)
        equal(f"the order names it, {what}", found, "allow")
    equal("the order bars it", decision(bob, resource_policy=closed), "deny")
    by_maker = resource_policy(f"arn:aws:iam::{HOME}:user/proxy")
    equal("the order names its maker", decision(bare, resource_policy=by_maker), "deny")
    cancel = {"action": "CancelOrder", "resource_policy": by_maker}
    equal("and its policy allows it", decision(bob, **cancel), "allow")
    by_managed = own.get_federation_token(
        **named, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}],
        Tags=[{"Key": "team", "Value": "blue"}],
    )["Credentials"]
    equal("a managed policy", decision(by_managed), "allow")
    answer = ask(about(signed(by_managed)))
    equal("its tags", answer["principal"]["tags"], {"team": "blue"})

    # It makes no credentials and manages none.
    deploy = role(iam, "deploy", trust(HOME), orders)
    everything = {"Policy": allow("*")}
    strong = sts.get_federation_token(**named, **everything)["Credentials"]
    its = client("sts", strong)
    assume = {"RoleArn": deploy, "RoleSessionName": "it"}
    for what, call, more in (
        ("AssumeRole", its.assume_role, assume),
        ("GetSessionToken", its.get_session_token, {}),
        ("GetFederationToken", its.get_federation_token, named),
    ):
        message = refused(f"it calls no {what}", "AccessDenied", call, **more)
        equal("in AWS's words", message, f"Cannot call {what} with session credentials")
    refused("it calls no IAM", "InvalidClientTokenId", client("iam", strong).list_users)
    session = sts.assume_role(**assume)["Credentials"]
    refused("a role makes none", "AccessDenied", client("sts", session).get_federation_token, **named)
    session = own.get_session_token()["Credentials"]
    refused("a session makes none", "AccessDenied", client("sts", session).get_federation_token, **named)
    clerk = client("sts", user(iam, "clerk", orders))
    message = refused("without leave", "AccessDenied", clerk.get_federation_token, **named)
    holds("on its ARN", f"sts:GetFederationToken on resource: {bob_arn}" in message, message)
    wrong = {"Policy": "{}"}
    refused("no policy", "MalformedPolicyDocument", own.get_federation_token, **named, **wrong)

    # What its maker loses, it loses.
    iam.put_user_policy(UserName="proxy", PolicyName="own", PolicyDocument=allow(giving[:2]))
    equal("its maker may no more", decision(bob), "deny")
    iam.put_user_policy(UserName="proxy", PolicyName="own", PolicyDocument=allow(giving))
    equal("its maker may again", decision(bob), "allow")
    key = {"UserName": "proxy", "AccessKeyId": proxy["AccessKeyId"]}
    iam.update_access_key(**key, Status="Inactive")
    refused("its maker's key is out of use", "InvalidClientTokenId", client("sts", bob).get_caller_identity)
    equal("for services too", decision(bob), "KeyInactive")
    iam.update_access_key(**key, Status="Active")
    equal("for good", decision(bob), "SessionRevoked")


def root_users():
    key_id, secret = os.environ["COUNTERSIGN_ROOT_KEY"].split(":")
    partner_root = {"AccessKeyId": key_id, "SecretAccessKey": secret}
    root = f"arn:aws:iam::{PARTNER}:root"
    audit = {"TaskPolicyArn": {"arn": TASK + "IAMAuditRootUserCredentials"}}
    delete = {"TaskPolicyArn": {"arn": TASK + "IAMDeleteRootUserCredentials"}}
    unlock = {"TaskPolicyArn": {"arn": TASK + "S3UnlockBucketPolicy"}}
    target = {"TargetPrincipal": PARTNER}
    operator = client("sts", user(iam, "operator", allow("sts:AssumeRoot", f"{root}")))

    refused("no organization", "AccessDenied", operator.assume_root, **target, **audit)
    organizations.create_organization()
    organizations.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    refused("nothing is enabled", "AccessDenied", operator.assume_root, **target, **audit)
    iam.enable_organizations_root_credentials_management()
    refused("another feature", "AccessDenied", operator.assume_root, **target, **unlock)
    told = operator.assume_root(**target, **audit)
    holds("no more than is in the model", set(told) <= {
        "Credentials", "SessionTokenSize", "SessionTokenUtilization", "ResponseMetadata",
    }, told.keys())
    left = told["Credentials"]["Expiration"].timestamp() - time.time()
    holds("a quarter of an hour", 850 < left <= 900, left)
    auditing = told["Credentials"]
    own = client("iam", auditing)
    equal("it is the root user", client("sts", auditing).get_caller_identity()["Arn"], root)
    keys = [it["AccessKeyId"] for it in own.list_access_keys()["AccessKeyMetadata"]]
    equal("it sees the root user's keys", keys, [key_id])
    equal("their use", own.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"]["Region"], "N/A")
    equal("a summary", own.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"], 1)
    refused("it deletes none", "AccessDenied", own.delete_access_key, AccessKeyId=key_id)
    refused("and nobody else's", "AccessDenied", own.list_access_keys, UserName="admin")
    refused("it is no administrator", "AccessDenied", own.create_user, UserName="eve")
    refused("it gets no other session", "AccessDenied", client("sts", auditing).get_session_token)

    deleting = client("iam", operator.assume_root(TargetPrincipal=root, **delete)["Credentials"])
    equal("the key works", client("sts", partner_root).get_caller_identity()["Arn"], root)
    deleting.delete_access_key(AccessKeyId=key_id)
    refused("until it is deleted", "InvalidClientTokenId", client("sts", partner_root).get_caller_identity)
    equal("there is none", deleting.list_access_keys()["AccessKeyMetadata"], [])

    iam.enable_organizations_root_sessions()
    unlocking = operator.assume_root(**target, **unlock)["Credentials"]
    bucket = {"owner": PARTNER, "resource": "arn:aws:s3:::b"}
    equal("it unlocks a bucket", decision(unlocking, **bucket, action="s3:DeleteBucketPolicy"), "allow")
    equal("and reads nothing in it", decision(unlocking, **bucket, action="s3:GetObject"), "deny")
    iam.disable_organizations_root_sessions()
    refused("it ends at once", "InvalidClientTokenId", client("sts", unlocking).get_caller_identity)
    client("sts", auditing).get_caller_identity()

    # Who, whose, and for what.
    message = refused("not oneself", "AccessDenied", operator.assume_root, TargetPrincipal=HOME, **audit)
    holds("in few words", message.endswith(f"sts:AssumeRoot on resource: arn:aws:iam::{HOME}:root"), message)
    anything = {"TaskPolicyArn": {"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}}
    refused("not for anything", "ValidationError", operator.assume_root, **target, **anything)
    assumed = sts.assume_role(
        RoleArn=os.environ["COUNTERSIGN_PARTNER_ROLE"], RoleSessionName="it"
    )["Credentials"]
    refused("not by members", "AccessDenied", client("sts", assumed).assume_root, **target, **audit)
    iam.delete_user_policy(UserName="operator", PolicyName="own")
    refused("not without leave", "AccessDenied", operator.assume_root, **target, **audit)


def what_is_not_there():
    refused("no partners", "InvalidAction", sts.get_delegated_access_token, TradeInToken="x" * 40)
    deploy = f"arn:aws:iam::{HOME}:role/deploy"
    context = [{
        "ProviderArn": "arn:aws:iam::aws:contextProvider/IdentityCenter",
        "ContextAssertion": "an assertion",
    }]
    asked = {"RoleArn": deploy, "RoleSessionName": "it", "ProvidedContexts": context}
    message = refused("a role that does not trust it", "AccessDenied", sts.assume_role, **asked)
    holds("for the context", "sts:SetContext" in message, message)
    trusting = trust(HOME, ("sts:AssumeRole", "sts:SetContext"))
    iam.update_assume_role_policy(RoleName="deploy", PolicyDocument=trusting)
    refused("no context provider", "InvalidParameterValue", sts.assume_role, **asked)


federated_users()
root_users()
what_is_not_there()
print(f"{steps.count} steps")

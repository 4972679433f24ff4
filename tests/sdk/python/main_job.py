"""The main job by boto3, a line a step.

The environment says where the broker is and who administers it (AWS_ENDPOINT_URL and its kin);
COUNTERSIGN_PARTNER_ROLE is a role of another account which that administrator may assume.
"""

import datetime
import json
import os
import urllib.error
import urllib.request
from unittest import mock

import boto3
import botocore.auth
from botocore.credentials import RefreshableCredentials

from steps import CONFIG, Failed, Steps, allow, client, policy, role, trust, user

steps = Steps()
refused, equal, holds = steps.refused, steps.equal, steps.holds

admin_sts, admin_iam = client("sts"), client("iam")
HOME = admin_sts.get_caller_identity()["Account"]
PARTNER_ROLE = os.environ["COUNTERSIGN_PARTNER_ROLE"]
PARTNER = PARTNER_ROLE.split(":")[4]


def whoami(key):
    return client("sts", key).get_caller_identity()["Arn"]


def assume(key, arn, name="monday", **more):
    return client("sts", key).assume_role(RoleArn=arn, RoleSessionName=name, **more)


def cross_account():
    """A user of one account, a role of another, an ExternalId between them."""
    partner = assume(None, PARTNER_ROLE)["Credentials"]
    iam = client("iam", partner)
    alice = user(admin_iam, "alice", allow("sts:AssumeRole", f"arn:aws:iam::{PARTNER}:role/*"))
    arn = f"arn:aws:iam::{HOME}:user/alice"
    condition = {"StringEquals": {"sts:ExternalId": "partner-7"}}
    deploy = role(iam, "deploy", trust(arn, Condition=condition), allow("orders:*"))
    equal("a user knows who it is", whoami(alice), arn)

    sts = client("sts", alice)
    name = {"RoleSessionName": "monday"}
    untrusting = refused("no ExternalId", "AccessDenied", sts.assume_role, RoleArn=deploy, **name)
    wrong = refused(
        "a wrong ExternalId",
        "AccessDenied",
        sts.assume_role,
        RoleArn=deploy,
        ExternalId="no",
        **name,
    )
    nobody = f"arn:aws:iam::{PARTNER}:role/nobody"
    absent = refused("no such role", "AccessDenied", sts.assume_role, RoleArn=nobody, **name)
    equal("a wrong ExternalId reads like none", wrong, untrusting)
    equal("a role that is not there, too", absent, untrusting.replace("role/deploy", "role/nobody"))

    granted = assume(alice, deploy, ExternalId="partner-7")
    session = granted["Credentials"]
    expected = f"arn:aws:sts::{PARTNER}:assumed-role/deploy/monday"
    equal("the role is granted", granted["AssumedRoleUser"]["Arn"], expected)
    equal("the session knows who it is", whoami(session), expected)
    left = session["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    holds("it lasts an hour", abs(left.total_seconds() - 3600) < 30, left)
    info = admin_sts.get_access_key_info(AccessKeyId=session["AccessKeyId"])
    equal("its key tells its account", info["Account"], PARTNER)
    return alice, session


def credentials_that_are_no_good(alice, session):
    ask = "get_caller_identity"
    for what, code, change in [
        ("a wrong secret", "SignatureDoesNotMatch", {"SecretAccessKey": "x" * 40}),
        ("a token of another", "InvalidClientTokenId", {"SessionToken": "CST1" + "A" * 200}),
        ("no token", "InvalidClientTokenId", {"SessionToken": None}),
        ("another session's key", "InvalidClientTokenId", {"AccessKeyId": "ASIA" + "B" * 16}),
        (
            "a key of nobody",
            "InvalidClientTokenId",
            {"AccessKeyId": "AKIA" + "B" * 16, "SessionToken": None},
        ),
        (
            "a key of no form",
            "InvalidClientTokenId",
            {"AccessKeyId": "guest", "SessionToken": None},
        ),
    ]:
        refused(what, code, getattr(client("sts", {**session, **change}), ask))
    refused(
        "a token beside a long-term key",
        "InvalidClientTokenId",
        getattr(client("sts", {**alice, "SessionToken": session["SessionToken"]}), ask),
    )
    for minutes, words in [(-16, "Signature expired"), (16, "Signature not yet current")]:
        late = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
        with mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: late):
            message = refused(
                f"a clock {minutes} minutes off",
                "SignatureDoesNotMatch",
                getattr(client("sts", alice), ask),
            )
        holds(f"it says: {words}", message.startswith(words), message)


def protocol(alice):
    """Forms of requests that clients send besides the usual one."""
    sts = client("sts", alice)
    url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    with urllib.request.urlopen(url) as answer:
        body = answer.read().decode()
    holds("a presigned URL works anywhere", "user/alice</Arn>" in body, body)
    try:
        urllib.request.urlopen(url.replace("GetCallerIdentity", "GetAccessKeyInfo"))
        raise Failed("a presigned URL is good for another action")
    except urllib.error.HTTPError as error:
        equal("it is good for what was signed only", error.code, 403)
    try:
        urllib.request.urlopen(url + "0")
        raise Failed("a changed signature is good")
    except urllib.error.HTTPError as error:
        holds("a changed one does not", error.code in (400, 403), error.code)

    # What only AWS itself can answer is never there.
    refused(
        "an action that is not there",
        "InvalidAction",
        admin_iam.generate_service_last_accessed_details,
        Arn=f"arn:aws:iam::{HOME}:user/alice",
    )
    for region in ["eu-west-1", "local-1", "aws-global"]:
        found = client("sts", alice, region_name=region).get_caller_identity()["Account"]
        equal(f"the region {region} is as good as any", found, HOME)


def sessions():
    """Session policies, tags, source identity, and what a chain hands down."""
    tagging = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
    root = f"arn:aws:iam::{HOME}:root"
    first = role(admin_iam, "first", trust(root, tagging), allow(["sts:*", "iam:GetUser"]))
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "blue", "aws:SourceIdentity": "alice@corp"}}
    second = role(
        admin_iam, "second", trust(first, tagging, Condition=tagged), allow("iam:GetUser")
    )

    granted = assume(
        None,
        first,
        SourceIdentity="alice@corp",
        Tags=[{"Key": "team", "Value": "blue"}, {"Key": "desk", "Value": "4"}],
        TransitiveTagKeys=["team"],
        Policy=allow("sts:*"),
    )
    equal("the source identity is told", granted["SourceIdentity"], "alice@corp")
    holds("so is the packed size", 0 < granted["PackedPolicySize"] < 100, granted)
    session = granted["Credentials"]
    refused(
        "a session policy narrows the role",
        "AccessDenied",
        client("iam", session).get_user,
        UserName="alice",
    )
    wide = assume(None, first)["Credentials"]
    equal(
        "without it the role may",
        client("iam", wide).get_user(UserName="alice")["User"]["UserName"],
        "alice",
    )

    chained = assume(session, second)
    equal("the source identity is handed down", chained["SourceIdentity"], "alice@corp")
    arn = f"arn:aws:sts::{HOME}:assumed-role/second/monday"
    equal("a tag that travels opens the next role", whoami(chained["Credentials"]), arn)
    sts = client("sts", session)
    ask = {"RoleArn": second, "RoleSessionName": "monday"}
    refused(
        "it cannot be set anew",
        "InvalidParameterValue",
        sts.assume_role,
        Tags=[{"Key": "TEAM", "Value": "red"}],
        **ask,
    )
    refused(
        "nor can the source identity", "AccessDenied", sts.assume_role, SourceIdentity="bob", **ask
    )
    refused(
        "without them the next role is shut", "AccessDenied", client("sts", wide).assume_role, **ask
    )
    refused(
        "a chain lasts an hour", "ValidationError", sts.assume_role, DurationSeconds=3601, **ask
    )
    return first


def durations():
    root = f"arn:aws:iam::{HOME}:root"
    short = role(admin_iam, "short", trust(root), allow("sts:*"))
    long = role(admin_iam, "long", trust(root), allow("sts:*"), MaxSessionDuration=7200)
    for arn, seconds in [(short, 900), (short, 3600), (long, 7200)]:
        session = assume(None, arn, DurationSeconds=seconds)["Credentials"]
        left = session["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
        holds(f"{seconds} seconds are granted", abs(left.total_seconds() - seconds) < 30, left)
    for arn, seconds in [(short, 3601), (long, 7201)]:
        message = refused(
            f"{seconds} seconds are too many",
            "ValidationError",
            admin_sts.assume_role,
            RoleArn=arn,
            RoleSessionName="monday",
            DurationSeconds=seconds,
        )
        holds("it says why", "MaxSessionDuration" in message, message)


def limits(first):
    """What a request may not look like, in the words that clients know."""
    good = {"RoleArn": first, "RoleSessionName": "monday"}
    for what, change, words in [
        (
            "a session name of one character",
            {"RoleSessionName": "a"},
            "'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
        ),
        ("one of 65", {"RoleSessionName": "a" * 65}, "less than or equal to 64"),
        (
            "one with a space",
            {"RoleSessionName": "a b"},
            r"regular expression pattern: [\w+=,.@-]*",
        ),
        ("one with markup", {"RoleSessionName": "</Arn>"}, "regular expression pattern"),
        (
            "899 seconds",
            {"DurationSeconds": 899},
            "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
        ),
        ("43201 seconds", {"DurationSeconds": 43201}, "less than or equal to 43200"),
        ("seconds beyond any number", {"DurationSeconds": 2**70}, "durationSeconds"),
        ("an ExternalId of one character", {"ExternalId": "x"}, "externalId"),
        (
            "51 tags",
            {"Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(51)]},
            "less than or equal to 50",
        ),
        ("a tag without a key", {"Tags": [{"Key": "", "Value": "v"}]}, "tags.1.member.key"),
        (
            "11 policies",
            {"PolicyArns": [{"arn": f"arn:aws:iam::aws:policy/p{n}"} for n in range(11)]},
            "less than or equal to 10",
        ),
        ("a policy of 2049 characters", {"Policy": "{" + " " * 2048}, "less than or equal to 2048"),
        ("no role", {"RoleArn": None}, "Value null at 'roleArn'"),
    ]:
        wanted = {name: value for name, value in {**good, **change}.items() if value is not None}
        message = refused(what, "ValidationError", admin_sts.assume_role, **wanted)
        holds("it says which and why", words in message, message)
    for what, code, change in [
        ("a session policy that is none", "MalformedPolicyDocument", {"Policy": "{}"}),
        ("one with a principal", "MalformedPolicyDocument", {"Policy": trust("*")}),
        (
            "two tags of one key",
            "InvalidParameterValue",
            {"Tags": [{"Key": k, "Value": "v"} for k in ("a", "A")]},
        ),
        (
            "more than a token holds",
            "PackedPolicyTooLarge",
            {"Tags": [{"Key": f"{n:0128}", "Value": f"{n:0256}"} for n in range(20)]},
        ),
    ]:
        refused(what, code, admin_sts.assume_role, **good, **change)


def administration():
    """Conflicts, trust that changes, managed policies."""
    root = f"arn:aws:iam::{HOME}:root"
    arn = role(admin_iam, "ops", trust(root), allow("iam:GetRole"))
    refused(
        "a role is made once",
        "EntityAlreadyExists",
        admin_iam.create_role,
        RoleName="ops",
        AssumeRolePolicyDocument=trust(root),
    )
    session = assume(None, arn)["Credentials"]
    refused(
        "its policy does not allow it",
        "AccessDenied",
        client("iam", session).create_user,
        UserName="eve",
    )
    managed = "arn:aws:iam::aws:policy/AdministratorAccess"
    admin_iam.attach_role_policy(RoleName="ops", PolicyArn=managed)
    client("iam", session).create_user(UserName="eve")
    steps.good("with AdministratorAccess it may")
    refused("a role with policies stays", "DeleteConflict", admin_iam.delete_role, RoleName="ops")
    admin_iam.detach_role_policy(RoleName="ops", PolicyArn=managed)
    refused(
        "a policy is detached once",
        "NoSuchEntity",
        admin_iam.detach_role_policy,
        RoleName="ops",
        PolicyArn=managed,
    )
    refused(
        "and then it may not", "AccessDenied", client("iam", session).delete_user, UserName="eve"
    )

    found = admin_iam.get_role(RoleName="ops")["Role"]["AssumeRolePolicyDocument"]
    equal("a trust policy is read as it was written", found, json.loads(trust(root)))
    alice = trust(f"arn:aws:iam::{HOME}:user/alice")
    admin_iam.update_assume_role_policy(RoleName="ops", PolicyDocument=alice)
    refused(
        "whom it no longer names",
        "AccessDenied",
        admin_sts.assume_role,
        RoleArn=arn,
        RoleSessionName="me",
    )
    refused(
        "a trust policy names who is there",
        "MalformedPolicyDocument",
        admin_iam.update_assume_role_policy,
        RoleName="ops",
        PolicyDocument=trust(f"arn:aws:iam::{HOME}:user/nobody"),
    )

    key = user(admin_iam, "bob", allow("sts:*"))
    refused("a user with a key stays", "DeleteConflict", admin_iam.delete_user, UserName="bob")
    admin_iam.delete_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"])
    refused("a deleted key", "InvalidClientTokenId", client("sts", key).get_caller_identity)
    admin_iam.delete_user_policy(UserName="bob", PolicyName="own")
    admin_iam.delete_user(UserName="bob")
    refused("a deleted user", "NoSuchEntity", admin_iam.get_user, UserName="bob")


def refreshing(first):
    """The credential provider that assumes a role, and does so again before the session ends."""
    config = os.path.join(os.environ["SCRATCH"], "config")
    with open(config, "w") as file:
        file.write(
            "[profile refreshing]\ncredential_source = Environment\n"
            f"role_arn = {first}\nrole_session_name = worker\nduration_seconds = 900\n"
        )
    with mock.patch.dict(os.environ, {"AWS_CONFIG_FILE": config}):
        session = boto3.Session(profile_name="refreshing")
        credentials = session.get_credentials()
        holds("credentials refresh themselves", isinstance(credentials, RefreshableCredentials))
        keys = set()
        for _ in range(2):
            # A session of 900 seconds is renewed as soon as one of them is gone.
            keys.add(credentials.get_frozen_credentials().access_key)
            arn = session.client("sts", config=CONFIG).get_caller_identity()["Arn"]
            equal("and work", arn, f"arn:aws:sts::{HOME}:assumed-role/first/worker")
        equal("with a new key each time", len(keys), 2)


alice, session = cross_account()
credentials_that_are_no_good(alice, session)
protocol(alice)
first = sessions()
durations()
limits(first)
administration()
refreshing(first)
print(f"{steps.count} steps")

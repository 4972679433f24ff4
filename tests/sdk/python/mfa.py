"""Second factors by boto3, a line a step: a person with a device, from its picture to its session.

COUNTERSIGN_PARTNER_ROLE is a role of another account which the administrator may assume.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from steps import Steps, allow, client, role, trust, user
from totp import code, two_codes

steps = Steps()
refused, equal, holds = steps.refused, steps.equal, steps.holds

iam = client("iam")
sts = client("sts")
HOME = sts.get_caller_identity()["Account"]
PRESENT = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def device(caller, name, user_name):
    """A device that is the user's: its serial number and seed. Its code of the next step is good."""
    made = caller.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    serial, seed = made["SerialNumber"], made["Base32StringSeed"]
    caller.enable_mfa_device(UserName=user_name, SerialNumber=serial, **two_codes(seed, -1))
    return serial, seed


def a_person():
    """AWS's example: a user who manages nothing but its own devices, until it shows one."""
    own = [
        {
            "Effect": "Allow",
            "Action": ["iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"],
            "Resource": "arn:aws:iam::*:mfa/*",
        },
        {
            "Effect": "Allow",
            "Action": ["iam:EnableMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice"],
            "Resource": "arn:aws:iam::*:user/${aws:username}",
        },
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": PRESENT},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": own})
    alice = user(iam, "alice", document)
    own_iam, own_sts = client("iam", alice), client("sts", alice)
    refused("before", "AccessDenied", own_iam.list_users)
    serial, seed = device(own_iam, "alice-phone", "alice")
    equal("her device", own_iam.list_mfa_devices()["MFADevices"][0]["SerialNumber"], serial)
    refused("still", "AccessDenied", own_iam.list_users)
    plain = own_sts.get_session_token()["Credentials"]
    refused("a session without", "InvalidClientTokenId", client("iam", plain).list_users)
    shown = {"SerialNumber": serial, "TokenCode": code(seed, 1)}
    wrong = {"SerialNumber": serial, "TokenCode": code(seed, 50)}
    told = refused("a wrong code", "AccessDenied", own_sts.get_session_token, **wrong)
    holds("in AWS's words", told.startswith("MultiFactorAuthentication failed with invalid"), told)
    told = refused("no code", "AccessDenied", own_sts.get_session_token, SerialNumber=serial)
    holds("in AWS's words", "must provide both MFA serial number" in told, told)
    session = own_sts.get_session_token(**shown)["Credentials"]
    equal("she is", client("sts", session).get_caller_identity()["Arn"].split("/")[-1], "alice")
    holds("a session with", client("iam", session).list_users()["Users"])
    refused("the code again", "AccessDenied", own_sts.get_session_token, **shown)
    return alice, own_iam


def a_role(alice, own_iam):
    """A role of another account that asks for a second factor."""
    partner = sts.assume_role(
        RoleArn=os.environ["COUNTERSIGN_PARTNER_ROLE"], RoleSessionName="setup"
    )["Credentials"]
    me = f"arn:aws:iam::{HOME}:user/alice"
    guarded = role(client("iam", partner), "guarded", trust(me, Condition=PRESENT), allow("*"))
    named = {"RoleArn": guarded, "RoleSessionName": "me"}
    own_sts = client("sts", alice)
    refused("without", "AccessDenied", own_sts.assume_role, **named)
    serial, seed = device(iam, "alice-tablet", "alice")
    shown = {"SerialNumber": serial, "TokenCode": code(seed, 1)}
    session = own_sts.assume_role(**named, **shown)["Credentials"]
    told = client("sts", session).get_caller_identity()["Arn"]
    holds("with", told.endswith(":assumed-role/guarded/me"), told)
    # It does not carry the factor on.
    within = role(client("iam", partner), "within", trust(guarded, Condition=PRESENT), allow("*"))
    refused(
        "a role's session has none", "AccessDenied", client("sts", session).assume_role,
        RoleArn=within, RoleSessionName="me",
    )
    refused("the code again", "AccessDenied", own_sts.assume_role, **named, **shown)


def at_once(alice):
    """100 uses of one code, at once: one is good."""
    serial, seed = device(iam, "alice-watch", "alice")
    shown = {"SerialNumber": serial, "TokenCode": code(seed, 1)}
    clients = [client("sts", alice) for _ in range(10)]

    def use(number):
        try:
            clients[number % 10].get_session_token(**shown)
            return "good"
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(max_workers=100) as pool:
        told = list(pool.map(use, range(100)))
    equal("good ones", told.count("good"), 1)
    equal("refused ones", told.count("AccessDenied"), 99)


person = a_person()
a_role(*person)
at_once(person[0])
print(f"{steps.count} steps")

"""boto3, or the AWS CLI, as a client of the broker, configured by the environment alone.

usage: client.py boto3|aws-cli STEP...

A line for each step that went as it should, then how many calls were refused, as they had to be.
The CLI runs in this process, by the entry point that its command has.
"""

import contextlib
import datetime
import io
import json
import os
import re
import sys

import awscli
import awscli.clidriver
import boto3
from botocore.exceptions import ClientError

ACCOUNT = os.environ["COUNTERSIGN_ACCOUNT"]
PARTNER = f"arn:aws:iam::{ACCOUNT}:role/partner"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}
NARROW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}],
}


class Refused(Exception):
    """An error of the service: its code, and its message."""


class Boto3:
    version = boto3.__version__

    def call(self, service, operation, key=None, **parameters):
        more = {}
        if key:
            more = {
                "aws_access_key_id": key["AccessKeyId"],
                "aws_secret_access_key": key["SecretAccessKey"],
                "aws_session_token": key.get("SessionToken"),
            }
        client = boto3.client(service, **more)
        name = re.sub("(?<=[a-z])(?=[A-Z])", "_", operation).lower()
        try:
            if client.can_paginate(name) and "PaginationConfig" in parameters:
                return client.get_paginator(name).paginate(**parameters).build_full_result()
            return getattr(client, name)(**parameters)
        except ClientError as error:
            found, meta = error.response["Error"], error.response["ResponseMetadata"]
            typed = client.exceptions.from_code(found["Code"])
            assert isinstance(error, typed) and meta["RequestId"], error
            # An error that the model knows has a class of its own.
            if found["Code"] in ("NoSuchEntity", "EntityAlreadyExists", "MalformedPolicyDocument"):
                assert typed is not ClientError, typed
            raise Refused(found["Code"], found["Message"]) from error


class AwsCli:
    version = awscli.__version__

    def call(self, service, operation, key=None, **parameters):
        """Runs `aws service operation`, its parameters as JSON."""
        kept = {name: os.environ.pop(name, None) for name in VARIABLES}
        by = {name: value for name, value in kept.items() if value}
        if key:
            by = {
                VARIABLES[0]: key["AccessKeyId"],
                VARIABLES[1]: key["SecretAccessKey"],
                VARIABLES[2]: key.get("SessionToken"),
            }
        os.environ.update({name: value for name, value in by.items() if value})
        name = re.sub("(?<=[a-z])(?=[A-Z])", "-", operation).lower()
        words = [service, name, "--output", "json"]
        paging = parameters.pop("PaginationConfig", None)
        if paging:
            words += ["--page-size", str(paging["PageSize"])]
        if parameters:
            words += ["--cli-input-json", json.dumps(parameters)]
        out, err = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = awscli.clidriver.create_clidriver().main(words)
        finally:
            for name in VARIABLES:
                os.environ.pop(name, None)
            os.environ.update({name: value for name, value in kept.items() if value})
        if status:
            complaint = r"An error occurred \((\w+)\) when calling the \w+ operation[^:]*: (.*)"
            found = re.search(complaint, err.getvalue(), re.DOTALL)
            assert found, (status, err.getvalue())
            raise Refused(found[1], found[2].strip())
        return json.loads(out.getvalue() or "null")


VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
CLIENTS = {"boto3": Boto3(), "aws-cli": AwsCli()}
call = CLIENTS[sys.argv[1]].call
refusals = 0


def equal(found, expected):
    assert found == expected, f"{found!r}, not {expected!r}"


def refused(code, service, operation, **parameters):
    global refusals
    try:
        answer = call(service, operation, **parameters)
    except Refused as error:
        equal(error.args[0], code)
        assert error.args[1], "no message"
        refusals += 1
        return
    raise AssertionError(f"{answer}, not {code}")


def moment(value):
    """boto3 has it parsed; the CLI prints it."""
    return value if isinstance(value, datetime.datetime) else datetime.datetime.fromisoformat(value)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def whoami(key=None):
    return call("sts", "GetCallerIdentity", key)["Arn"]


def keys():
    equal(whoami(), f"arn:aws:iam::{ACCOUNT}:user/sdk")


def chain():
    """The profile that the environment names: a role by a role by a user."""
    equal(whoami(), f"arn:aws:sts::{ACCOUNT}:assumed-role/second/two")


def sessions():
    granted = call(
        "sts",
        "AssumeRole",
        RoleArn=PARTNER,
        RoleSessionName="monday",
        ExternalId="x:7",
        DurationSeconds=900,
        Policy=json.dumps(NARROW),
        Tags=[{"Key": "team", "Value": "blue + green"}, {"Key": "größe", "Value": ""}],
        TransitiveTagKeys=["team"],
    )
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/partner/monday"
    equal(granted["AssumedRoleUser"]["Arn"], arn)
    key = granted["Credentials"]
    left = (moment(key["Expiration"]) - now()).total_seconds()
    assert abs(left - 900) < 60, left
    assert granted["PackedPolicySize"] > 0
    equal(whoami(key), arn)
    call("iam", "ListRoles", key)
    # The role may, the session policy says no.
    refused("AccessDenied", "iam", "GetRole", key=key, RoleName="partner")


def errors():
    ask = {"RoleArn": PARTNER, "RoleSessionName": "monday"}
    refused("AccessDenied", "sts", "AssumeRole", **ask)
    # A name that the client lets through, and the broker does not.
    refused("ValidationError", "sts", "AssumeRole", **{**ask, "RoleSessionName": "a b"})
    bad = {**ask, "ExternalId": "x:7", "Policy": "{}"}
    refused("MalformedPolicyDocument", "sts", "AssumeRole", **bad)

    key = {"AccessKeyId": os.environ[VARIABLES[0]], "SecretAccessKey": os.environ[VARIABLES[1]]}
    wrong = {**key, "SecretAccessKey": "x" * 40}
    unknown = {**key, "AccessKeyId": "AKIABBBBBBBBBBBBBBBB"}
    garbage = {**key, "AccessKeyId": "ASIABBBBBBBBBBBBBBBB", "SessionToken": "garbage"}
    refused("SignatureDoesNotMatch", "sts", "GetCallerIdentity", key=wrong)
    refused("InvalidClientTokenId", "sts", "GetCallerIdentity", key=unknown)
    refused("InvalidClientTokenId", "sts", "GetCallerIdentity", key=garbage)

    refused("InvalidAction", "iam", "GetServerCertificate", ServerCertificateName="x")
    again = {"RoleName": "partner", "AssumeRolePolicyDocument": json.dumps(TRUST)}
    refused("EntityAlreadyExists", "iam", "CreateRole", **again)
    bad = {"RoleName": "bad", "AssumeRolePolicyDocument": "{"}
    refused("MalformedPolicyDocument", "iam", "CreateRole", **bad)


def iam():
    tags = [{"Key": "team", "Value": "blue + green = @:/"}]
    made = call(
        "iam",
        "CreateRole",
        RoleName="made",
        Path="/sdk/",
        Description="naïve <b>&amp;</b>",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Tags=tags,
    )["Role"]
    role = call("iam", "GetRole", RoleName="made")["Role"]
    for name, expected in {
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/sdk/made",
        "RoleId": made["RoleId"],
        "Description": "naïve <b>&amp;</b>",
        "MaxSessionDuration": 3600,
        "Tags": tags,
        "AssumeRolePolicyDocument": TRUST,
    }.items():
        equal(role[name], expected)
    assert abs((moment(role["CreateDate"]) - now()).total_seconds()) < 60, role["CreateDate"]

    found = call("iam", "ListRoles", PaginationConfig={"PageSize": 1})["Roles"]
    names = [role["RoleName"] for role in found]
    assert len(names) >= 4 and len(set(names)) == len(names) and "made" in names, names

    call("iam", "DeleteRole", RoleName="made")
    refused("NoSuchEntity", "iam", "GetRole", RoleName="made")


def retries():
    """The first two requests of this session name come to nothing; the caller counts them."""
    named = {"RoleArn": PARTNER, "RoleSessionName": "unavailable", "ExternalId": "x:7"}
    call("sts", "AssumeRole", **named)


def skew():
    """The broker's clock is far from this one."""
    try:
        keys()
        print("clock corrected")
    except Refused as error:
        print("clock refused {}: {}".format(*error.args))


STEPS = {step.__name__: step for step in (keys, chain, sessions, errors, iam, retries, skew)}

print("version", CLIENTS[sys.argv[1]].version)
for step in sys.argv[2:]:
    STEPS[step]()
    print("ok", step)
print("refusals", refusals)

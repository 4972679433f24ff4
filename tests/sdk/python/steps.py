"""What the scripts share: clients that do not check what they send, and a line a step."""

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# What is wrong with a request is for the broker to say, and an error is to be seen at once.
CONFIG = Config(parameter_validation=False, retries={"total_max_attempts": 1})


class Failed(Exception):
    """A step did not go as it should."""


class Steps:
    """Counts the steps and prints a line for each."""

    def __init__(self):
        self.count = 0

    def good(self, what):
        self.count += 1
        print(f"ok {self.count}. {what}")

    def equal(self, what, found, expected):
        if found != expected:
            raise Failed(f"{what}: {found!r}, not {expected!r}")
        self.good(what)

    def holds(self, what, condition, detail=None):
        if not condition:
            raise Failed(f"{what}: {detail!r}")
        self.good(what)

    def refused(self, what, code, call, **parameters):
        """Calls; there must be an error of this code. Returns its message."""
        try:
            answer = call(**parameters)
        except ClientError as error:
            found = error.response["Error"]
            if found["Code"] != code:
                raise Failed(f"{what}: {found}, not {code}") from error
            if error.response["ResponseMetadata"]["RetryAttempts"] != 0:
                raise Failed(f"{what}: it was asked again") from error
            self.good(f"{what}: {code}")
            return found["Message"]
        raise Failed(f"{what}: {answer}, not {code}")


def client(service, key=None, **more):
    """A client of the environment's key, or of one that was handed out."""
    if key is None:
        return boto3.client(service, config=CONFIG, **more)
    return boto3.client(
        service,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
        config=CONFIG,
        **more,
    )


def policy(*statements):
    import json

    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resource="*", **more):
    return policy({"Effect": "Allow", "Action": actions, "Resource": resource, **more})


def trust(principal, actions=("sts:AssumeRole",), **more):
    principal = principal if isinstance(principal, dict) else {"AWS": principal}
    return policy({"Effect": "Allow", "Principal": principal, "Action": list(actions), **more})


def user(iam, name, document):
    """Makes a user with a policy and a key."""
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    return iam.create_access_key(UserName=name)["AccessKey"]


def role(iam, name, trusted, document, **more):
    """Makes a role with a policy: its ARN."""
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted, **more)
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
    return made["Role"]["Arn"]

"""Why something is denied, by boto3: simulations and encoded authorization messages."""

import json
import os

from botocore.exceptions import ClientError

from steps import Steps, allow, client, policy, user

steps = Steps()
refused, equal, holds = steps.refused, steps.equal, steps.holds

iam, sts = client("iam"), client("sts")
HOME = sts.get_caller_identity()["Account"]
MARK = ". Encoded authorization failure message: "

READ = policy(
    {
        "Effect": "Allow",
        "Action": "s3:Get*",
        "Resource": "arn:aws:s3:::b/*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}},
    }
)
TEAM = {
    "ContextKeyName": "aws:PrincipalTag/team",
    "ContextKeyValues": ["red"],
    "ContextKeyType": "string",
}


def simulations():
    """Results are in the shape of the model."""
    ask = {
        "PolicyInputList": [READ],
        "ActionNames": ["s3:GetObject", "s3:PutObject"],
        "ResourceArns": ["arn:aws:s3:::b/k", "arn:aws:s3:::c/k"],
        "ContextEntries": [TEAM],
    }
    answer = iam.simulate_custom_policy(**ask)
    equal("it is whole", answer["IsTruncated"], False)
    results = answer["EvaluationResults"]
    found = [(r["EvalActionName"], r["EvalResourceName"], r["EvalDecision"]) for r in results]
    equal(
        "each action with each resource",
        found,
        [
            ("s3:GetObject", "arn:aws:s3:::b/k", "allowed"),
            ("s3:GetObject", "arn:aws:s3:::c/k", "implicitDeny"),
            ("s3:PutObject", "arn:aws:s3:::b/k", "implicitDeny"),
            ("s3:PutObject", "arn:aws:s3:::c/k", "implicitDeny"),
        ],
    )
    matched = results[0]["MatchedStatements"][0]
    equal("the statement is named", matched["SourcePolicyId"], "PolicyInputList.1")
    start, end = matched["StartPosition"], matched["EndPosition"]
    equal("on its line", (start["Line"], end["Line"]), (1, 1))
    part = READ[start["Column"] - 1 : end["Column"] - 1]
    equal("from its first to its last character", json.loads(part)["Action"], "s3:Get*")
    equal("nothing is missing", results[0]["MissingContextValues"], [])
    equal("within an account there are no details", results[0]["EvalDecisionDetails"], {})
    specific = results[0]["ResourceSpecificResults"][0]
    equal("the resource's own result", specific["EvalResourceDecision"], "allowed")

    pages = iam.get_paginator("simulate_custom_policy").paginate(
        **ask, PaginationConfig={"PageSize": 3}
    )
    pages = [page["EvaluationResults"] for page in pages]
    equal("pages", [len(page) for page in pages], [3, 1])
    equal("hold the same", [result for page in pages for result in page], results)

    without = {**ask, "ContextEntries": []}
    result = iam.simulate_custom_policy(**without)["EvaluationResults"][0]
    equal("without the key", result["EvalDecision"], "implicitDeny")
    equal("it is missing", result["MissingContextValues"], ["aws:PrincipalTag/team"])

    bob = f"arn:aws:iam::{HOME}:user/bob"
    bucket = policy(
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": {"AWS": bob}}
    )
    result = iam.simulate_custom_policy(
        **ask,
        CallerArn=bob,
        ResourcePolicy=bucket,
        ResourceOwner="arn:aws:iam::999988887777:root",
        PermissionsBoundaryPolicyInputList=[allow("s3:*")],
        OrderedOrganizationPolicyInputList=[{"ServiceControlPolicyInputList": [allow("*")]}],
    )["EvaluationResults"][0]
    equal("across accounts", result["EvalDecision"], "allowed")
    equal(
        "both sides are told",
        result["EvalDecisionDetails"],
        {"IAM Policy": "allowed", "Resource Policy": "allowed"},
    )
    boundary = result["PermissionsBoundaryDecisionDetail"]
    equal("so is the boundary", boundary, {"AllowedByPermissionsBoundary": True})
    organization = result["OrganizationsDecisionDetail"]
    equal("and the organization", organization, {"AllowedByOrganizations": True})

    refused(
        "a scenario of EC2",
        "InvalidInput",
        iam.simulate_custom_policy,
        **ask,
        ResourceHandlingOption="EC2-VPC-EBS",
    )
    refused("no policies", "ValidationError", iam.simulate_custom_policy, ActionNames=["s3:Get"])
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[READ, bucket])
    equal("the keys that are asked for", keys["ContextKeyNames"], ["aws:PrincipalTag/team"])


def messages():
    """A refusal has a message that only the account opens."""
    bob = user(iam, "bob", allow("s3:*"))
    told = refused("a user without permission", "AccessDenied", client("iam", bob).list_users)
    words, sealed = told.split(MARK)
    equal(
        "in AWS's words",
        words,
        f"User: arn:aws:iam::{HOME}:user/bob is not authorized to perform: iam:ListUsers on "
        f"resource: arn:aws:iam::{HOME}:user/ because no identity-based policy allows the "
        "iam:ListUsers action",
    )
    holds("the message is short enough", len(sealed) <= 10240, len(sealed))
    message = sts.decode_authorization_message(EncodedMessage=sealed)["DecodedMessage"]
    message = json.loads(message)
    equal("it was not allowed", (message["allowed"], message["explicitDeny"]), (False, False))
    context = message["context"]
    equal("who", context["principal"]["arn"], f"arn:aws:iam::{HOME}:user/bob")
    equal("what", context["action"], "iam:ListUsers")
    keys = [item["key"] for item in context["conditions"]["items"]]
    holds("from where", "aws:sourceip" in keys, keys)
    refused(
        "the user itself may not open it",
        "AccessDenied",
        client("sts", bob).decode_authorization_message,
        EncodedMessage=sealed,
    )
    partner = sts.assume_role(
        RoleArn=os.environ["COUNTERSIGN_PARTNER_ROLE"], RoleSessionName="other"
    )["Credentials"]
    for what, who, text in [
        ("another account", client("sts", partner), sealed),
        ("a changed message", sts, sealed[:-4] + "AAAA"),
        ("no message", sts, "hello"),
    ]:
        refused(
            what,
            "InvalidAuthorizationMessageException",
            who.decode_authorization_message,
            EncodedMessage=text,
        )
    arn = f"arn:aws:iam::{HOME}:role/nobody"
    try:
        client("sts", bob).assume_role(RoleArn=arn, RoleSessionName="bob")
    except ClientError as error:
        told = error.response["Error"]["Message"]
        holds("a refused role has no message", MARK not in told, told)


simulations()
messages()
print(f"{steps.count} steps")

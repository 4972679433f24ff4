"""The Organizations API by boto3, a line a step.

The environment is that of main_job.py; COUNTERSIGN_VERIFY_URL says where to ask. Every answer is
held against botocore's model of its operation, and the last lines say how many were.
"""

import base64
import json
import os
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from steps import Failed, Steps, allow, client, policy, role, trust

steps = Steps()
refused, equal, holds = steps.refused, steps.equal, steps.holds

sts, iam = client("sts"), client("iam")
HOME = sts.get_caller_identity()["Account"]
PARTNER_ROLE = os.environ["COUNTERSIGN_PARTNER_ROLE"]
PARTNER = PARTNER_ROLE.split(":")[4]
SERVICE, RESOURCE = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
HOST = "orders.example"
answered = set()


def mismatches(value, shape, path):
    """Where an answer is not what its model says."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return [f"{path}: no object"]
        missing = [f"{path}.{name}: missing" for name in shape.required_members if name not in value]
        found = []
        for name, inner in value.items():
            if name not in shape.members:
                found.append(f"{path}.{name}: not in the model")
            else:
                found += mismatches(inner, shape.members[name], f"{path}.{name}")
        return missing + found
    if kind == "list":
        if not isinstance(value, list):
            return [f"{path}: no list"]
        return [wrong for item in value for wrong in mismatches(item, shape.member, f"{path}[]")]
    types = {"string": str, "boolean": bool, "integer": int, "timestamp": (int, float)}
    if not isinstance(value, types[kind]) or (kind != "boolean" and isinstance(value, bool)):
        return [f"{path}: {value!r} is no {kind}"]
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        return [f"{path}: {value!r} is not in the enum"]
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if kind == "string" and not (low or 0) <= len(value) <= (high or len(value)):
        return [f"{path}: {value!r} is too short or too long"]
    return []


def look(http_response, model, **_):
    if http_response.status_code != 200:
        body = json.loads(http_response.content)
        known = {shape.name for shape in model.error_shapes}
        known |= {"SerializationException", "UnrecognizedClientException"}
        if body["__type"] not in known or not body["Message"]:
            raise Failed(f"{model.name}: {body}")
        if http_response.status_code != 400:
            raise Failed(f"{model.name}: {http_response.status_code}")
        return
    if http_response.headers["content-type"] != "application/x-amz-json-1.1":
        raise Failed(f"{model.name}: {http_response.headers}")
    if model.output_shape is None:
        wrong = [] if http_response.content == b"" else ["an answer without an output has a body"]
    else:
        wrong = mismatches(json.loads(http_response.content), model.output_shape, model.name)
    if wrong:
        raise Failed(f"{model.name}: {wrong}")
    answered.add(model.name)


def organizations(key=None):
    made = client("organizations", key)
    made.meta.events.register("after-call.organizations", look)
    return made


orgs = organizations()


def assume(key, arn, name="monday"):
    return client("sts", key).assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]


def decision(key, owner, action="orders:GetOrder", **more):
    """What a downstream service hears about a request of this key."""
    request = AWSRequest("GET", f"https://{HOST}/orders/42", headers={"Host": HOST})
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"], key.get("SessionToken"))
    SigV4Auth(credentials, "orders", "eu-west-1").add_auth(request)
    question = {
        "method": "GET",
        "uri": "/orders/42",
        "headers": [[name, value] for name, value in request.headers.items()],
        "body": base64.b64encode(b"").decode(),
        "service": "orders",
        "hosts": [HOST],
        "action": action,
        "resource": f"arn:aws:orders::{owner}:order/42",
        "resource_account": owner,
        **more,
    }
    url = os.environ["COUNTERSIGN_VERIFY_URL"] + "/v1/verify"
    body = json.dumps(question).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=body)) as answer:
        return json.load(answer)


def organization():
    """What Terraform calls for aws_organizations_organization."""
    refused("none yet", "AWSOrganizationsNotInUseException", orgs.describe_organization)
    made = orgs.create_organization(FeatureSet="ALL")["Organization"]
    equal("who administers it", made["MasterAccountId"], HOME)
    root = orgs.list_roots()["Roots"][0]
    for kind in (SERVICE, RESOURCE):
        orgs.enable_policy_type(RootId=root["Id"], PolicyType=kind)
    # Its read.
    equal("described", orgs.describe_organization()["Organization"], made)
    accounts = orgs.get_paginator("list_accounts").paginate().build_full_result()["Accounts"]
    equal("the accounts taken in", sorted(it["Id"] for it in accounts), sorted([HOME, PARTNER]))
    types = orgs.list_roots()["Roots"][0]["PolicyTypes"]
    equal("its types of policies", sorted(it["Type"] for it in types), [RESOURCE, SERVICE])
    empty = orgs.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    equal("no trusted services", empty, [])
    equal("no administrators", orgs.list_delegated_administrators()["DelegatedAdministrators"], [])
    equal("no handshakes", orgs.list_handshakes_for_organization()["Handshakes"], [])
    equal("none of its own", orgs.list_handshakes_for_account()["Handshakes"], [])
    refused("no resource policy", "ResourcePolicyNotFoundException", orgs.describe_resource_policy)
    refused("twice", "AlreadyInOrganizationException", orgs.create_organization)
    unbuilt = refused(
        "an operation that is not there",
        "UnknownOperationException",
        client("organizations").put_resource_policy,
        Content="{}",
    )
    holds("which one", "PutResourcePolicy" in unbuilt, unbuilt)
    delegation()
    invitation()
    return root["Id"]


def delegation():
    """What Terraform calls for aws_service_access_principals and aws_organizations_delegated_administrator."""
    service = "audit.example.com"
    orgs.enable_aws_service_access(ServicePrincipal=service)
    listed = orgs.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    equal("a trusted service", [it["ServicePrincipal"] for it in listed], [service])
    partner = assume(None, PARTNER_ROLE)
    theirs = organizations(partner)
    refused("not yet", "AccessDeniedException", theirs.list_accounts)
    orgs.register_delegated_administrator(AccountId=PARTNER, ServicePrincipal=service)
    listed = orgs.list_delegated_administrators(ServicePrincipal=service)
    listed = listed["DelegatedAdministrators"]
    equal("a delegated administrator", [it["Id"] for it in listed], [PARTNER])
    of = orgs.list_delegated_services_for_account(AccountId=PARTNER)["DelegatedServices"]
    equal("of a service", [it["ServicePrincipal"] for it in of], [service])
    equal("sees the accounts", len(theirs.list_accounts()["Accounts"]), 2)
    refused(
        "and makes none",
        "AccessDeniedException",
        theirs.create_account,
        AccountName="x",
        Email="x@example.com",
    )
    orgs.deregister_delegated_administrator(AccountId=PARTNER, ServicePrincipal=service)
    refused("no more", "AccessDeniedException", theirs.list_accounts)
    orgs.disable_aws_service_access(ServicePrincipal=service)
    refused(
        "all features",
        "HandshakeConstraintViolationException",
        orgs.enable_all_features,
    )


def invitation():
    """What Terraform's acceptor and the CLI call."""
    orgs.remove_account_from_organization(AccountId=PARTNER)
    # Its sessions from before are over.
    theirs = organizations(assume(None, PARTNER_ROLE, "outside"))
    target = {"Id": PARTNER, "Type": "ACCOUNT"}
    for end in ("decline", "cancel", "accept"):
        made = orgs.invite_account_to_organization(Target=target, Notes="welcome")["Handshake"]
        equal(f"an invitation to {end}", made["State"], "REQUESTED")
        read = theirs.describe_handshake(HandshakeId=made["Id"])["Handshake"]
        equal("as the other side sees it", read, made)
        mine = theirs.list_handshakes_for_account(Filter={"ActionType": "INVITE"})["Handshakes"]
        holds("listed", made["Id"] in [it["Id"] for it in mine], mine)
        who = orgs if end == "cancel" else theirs
        ended = getattr(who, f"{end}_handshake")(HandshakeId=made["Id"])["Handshake"]
        equal("its end", ended["State"], {"decline": "DECLINED", "cancel": "CANCELED", "accept": "ACCEPTED"}[end])
    accounts = [it["Id"] for it in orgs.list_accounts()["Accounts"]]
    equal("it is back", sorted(accounts), sorted([HOME, PARTNER]))


def unit(root):
    """What Terraform calls for aws_organizations_organizational_unit."""
    tags = [{"Key": "team", "Value": "blue"}]
    made = orgs.create_organizational_unit(ParentId=root, Name="workloads", Tags=tags)
    made = made["OrganizationalUnit"]
    read = orgs.describe_organizational_unit(OrganizationalUnitId=made["Id"])
    equal("a unit", read["OrganizationalUnit"], made)
    parents = orgs.list_parents(ChildId=made["Id"])["Parents"]
    equal("stands in the root", parents, [{"Id": root, "Type": "ROOT"}])
    pages = orgs.get_paginator("list_accounts_for_parent").paginate(ParentId=made["Id"])
    equal("without accounts", pages.build_full_result()["Accounts"], [])
    equal("tagged", orgs.list_tags_for_resource(ResourceId=made["Id"])["Tags"], tags)
    orgs.update_organizational_unit(OrganizationalUnitId=made["Id"], Name="production")
    orgs.tag_resource(ResourceId=made["Id"], Tags=[{"Key": "team", "Value": "red"}])
    equal(
        "tagged again",
        orgs.list_tags_for_resource(ResourceId=made["Id"])["Tags"],
        [{"Key": "team", "Value": "red"}],
    )
    orgs.untag_resource(ResourceId=made["Id"], TagKeys=["team"])
    equal("untagged", orgs.list_tags_for_resource(ResourceId=made["Id"])["Tags"], [])
    inner = orgs.create_organizational_unit(ParentId=made["Id"], Name="inner")
    inner = inner["OrganizationalUnit"]["Id"]
    units = orgs.list_organizational_units_for_parent(ParentId=made["Id"])["OrganizationalUnits"]
    equal("one in it", [it["Id"] for it in units], [inner])
    children = orgs.list_children(ParentId=made["Id"], ChildType="ORGANIZATIONAL_UNIT")["Children"]
    equal("its child", children, [{"Id": inner, "Type": "ORGANIZATIONAL_UNIT"}])
    refused(
        "deleted while full",
        "OrganizationalUnitNotEmptyException",
        orgs.delete_organizational_unit,
        OrganizationalUnitId=made["Id"],
    )
    orgs.delete_organizational_unit(OrganizationalUnitId=inner)
    return made["Id"]


def account(root, production):
    """What Terraform calls for aws_organizations_account."""
    status = orgs.create_account(
        AccountName="dev", Email="dev@example.com", IamUserAccessToBilling="ALLOW"
    )["CreateAccountStatus"]
    read = orgs.describe_create_account_status(CreateAccountRequestId=status["Id"])
    equal("made", read["CreateAccountStatus"]["State"], "SUCCEEDED")
    made = status["AccountId"]
    statuses = orgs.list_create_account_status(States=["SUCCEEDED"])["CreateAccountStatuses"]
    equal("and listed", [it["AccountId"] for it in statuses], [made])
    equal("in the root", orgs.list_parents(ChildId=made)["Parents"][0]["Id"], root)
    orgs.move_account(AccountId=made, SourceParentId=root, DestinationParentId=production)
    equal("moved", orgs.list_parents(ChildId=made)["Parents"][0]["Id"], production)
    read = orgs.describe_account(AccountId=made)["Account"]
    equal("described", (read["Email"], read["Name"], read["Status"]), ("dev@example.com", "dev", "ACTIVE"))
    equal("no tags", orgs.list_tags_for_resource(ResourceId=made)["Tags"], [])
    refused("no such account", "AccountNotFoundException", orgs.describe_account, AccountId="999999999999")
    message = refused("no account at all", "InvalidInputException", orgs.describe_account, AccountId="12")
    holds("says why", "pattern" in message, message)
    refused("an unknown member", "SerializationException", unknown_member)
    return made


def unknown_member():
    """botocore sends only members that it knows: this one is added to the body it made."""
    one = client("organizations")

    def add(request, **_):
        request.data = b'{"AccountId": "111111111111", "accountId": "222222222222"}'
        request.headers["Content-Length"] = str(len(request.data))

    one.meta.events.register("before-sign.organizations.DescribeAccount", add)
    return one.describe_account(AccountId="111111111111")


def policies(production):
    """What Terraform calls for aws_organizations_policy and …_policy_attachment."""
    deny = policy({"Effect": "Deny", "Action": "orders:Purge*", "Resource": "*"})
    made = orgs.create_policy(Name="guard", Description="", Type=SERVICE, Content=deny)["Policy"]
    identity = made["PolicySummary"]["Id"]
    equal("a policy", orgs.describe_policy(PolicyId=identity)["Policy"], made)
    orgs.update_policy(PolicyId=identity, Description="keeps orders")
    orgs.attach_policy(PolicyId=identity, TargetId=production)
    targets = orgs.get_paginator("list_targets_for_policy").paginate(PolicyId=identity)
    found = [it["TargetId"] for it in targets.build_full_result()["Targets"]]
    equal("attached", found, [production])
    attached = orgs.list_policies_for_target(TargetId=production, Filter=SERVICE)["Policies"]
    equal("with the default", sorted(it["Id"] for it in attached), sorted([identity, "p-FullAWSAccess"]))
    refused(
        "attached twice",
        "DuplicatePolicyAttachmentException",
        orgs.attach_policy,
        PolicyId=identity,
        TargetId=production,
    )
    refused("deleted while attached", "PolicyInUseException", orgs.delete_policy, PolicyId=identity)
    names = [it["Name"] for it in orgs.list_policies(Filter=SERVICE)["Policies"]]
    equal("listed", sorted(names), ["FullAWSAccess", "guard"])
    refused(
        "no effective one",
        "EffectivePolicyNotFoundException",
        orgs.describe_effective_policy,
        PolicyType="TAG_POLICY",
    )
    return identity


def effect(made, guard, production, root):
    inside = assume(None, f"arn:aws:iam::{made}:role/OrganizationAccountAccessRole")
    team = role(client("iam", inside), "team", trust(made), allow("*"))
    session = assume(inside, team)
    may = decision(session, made)
    equal("a member may", may["decision"], "allow")
    answer = decision(session, made, "orders:PurgeOrder")
    equal("not what the unit's policy denies", answer["decision"], "deny")
    equal("by which layer", [it["layer"] for it in answer["matched"]], ["service_control"])
    # At once, for a session that is there already, through /v1/verify and here.
    deny = policy({"Effect": "Deny", "Action": ["orders:*", "iam:ListUsers"], "Resource": "*"})
    orgs.update_policy(PolicyId=guard, Content=deny)
    equal("at once", decision(session, made)["decision"], "deny")
    refused("here too", "AccessDenied", client("iam", session).list_users)
    # The management account is not limited, wherever the policy stands.
    orgs.attach_policy(PolicyId=guard, TargetId=root)
    iam.list_users()
    steps.good("the management account may")
    orgs.detach_policy(PolicyId=guard, TargetId=root)
    orgs.detach_policy(PolicyId=guard, TargetId=production)
    equal("and again when it is gone", decision(session, made)["decision"], "allow")

    # A resource control policy keeps out who is not of the organization.
    organization = orgs.describe_organization()["Organization"]["Id"]
    perimeter = policy({
        "Effect": "Deny",
        "Principal": "*",
        "Action": "orders:*",
        "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization}},
    })
    perimeter = orgs.create_policy(
        Name="perimeter", Description="", Type=RESOURCE, Content=perimeter
    )["Policy"]["PolicySummary"]["Id"]
    orgs.attach_policy(PolicyId=perimeter, TargetId=made)
    partner = assume(None, PARTNER_ROLE)
    everyone = policy({
        "Effect": "Allow", "Principal": "*", "Action": "orders:*", "Resource": "*",
    })

    def reaches(key):
        return decision(key, made, resource_policy=everyone)["decision"]

    equal("a member of another account may", reaches(partner), "allow")
    orgs.remove_account_from_organization(AccountId=PARTNER)
    refused("its session is over", "InvalidClientTokenId", client("sts", partner).get_caller_identity)
    partner = assume(None, PARTNER_ROLE)
    equal("a stranger may not", reaches(partner), "deny")
    alone = organizations(partner)
    refused("which is in none", "AWSOrganizationsNotInUseException", alone.describe_organization)
    member = organizations(session)
    equal("a member knows its own", member.describe_organization()["Organization"]["Id"], organization)
    refused("and lists nothing", "AccessDeniedException", member.list_accounts)
    refused("nor leaves", "ConstraintViolationException", member.leave_organization)
    return session


def ending(made, guard, session, root, production):
    orgs.close_account(AccountId=made)
    equal("closed", orgs.describe_account(AccountId=made)["Account"]["Status"], "SUSPENDED")
    refused("closed twice", "AccountAlreadyClosedException", orgs.close_account, AccountId=made)
    refused("its sessions", "InvalidClientTokenId", client("sts", session).get_caller_identity)
    answer = decision(session, made)
    equal("nor verified", (answer["authenticated"], answer["decision"]), (False, "deny"))
    refused(
        "nobody gets in",
        "AccessDenied",
        sts.assume_role,
        RoleArn=f"arn:aws:iam::{made}:role/team",
        RoleSessionName="monday",
    )
    forged = dict(session, SecretAccessKey="0" * 40)
    refused("a wrong secret", "InvalidSignatureException", client("organizations", forged).list_roots)
    orgs.delete_policy(PolicyId=guard)
    orgs.disable_policy_type(RootId=root, PolicyType=RESOURCE)
    refused("not empty", "OrganizationNotEmptyException", orgs.delete_organization)
    back = dict(AccountId=made, SourceParentId=production, DestinationParentId=root)
    orgs.move_account(**back)
    orgs.delete_organizational_unit(OrganizationalUnitId=production)


root = organization()
production = unit(root)
made = account(root, production)
guard = policies(production)
session = effect(made, guard, production, root)
ending(made, guard, session, root, production)
print(f"answers of {len(answered)} operations held against the model, mismatches 0")
print(f"{steps.count} steps")

"""The operations of IAM by boto3, each at least once, its answers held against the service model.

First the calls that Terraform's AWS provider makes for each of its resources, in its order:
create, read, update, read, delete, read (which must find nothing). Then what boto3's resources
call, and the rest. Every answer is compared with the output shape of the model, element by
element; every error with the operation's own and those of all services.

COUNTERSIGN_OPERATIONS names the operations that the broker has (`iam:CreateUser,…`).
"""

import json
import os
import xml.etree.ElementTree as ElementTree

import boto3
from botocore.exceptions import ClientError

from saml_metadata import metadata
from steps import CONFIG, Failed, Steps, allow, client, policy, trust
from totp import two_codes

steps = Steps()
refused, equal, holds = steps.refused, steps.equal, steps.holds

iam = client("iam")
sts = client("sts")
HOME = sts.get_caller_identity()["Account"]
MODEL = iam.meta.service_model
IMPLEMENTED = {
    name.removeprefix("iam:")
    for name in os.environ["COUNTERSIGN_OPERATIONS"].split(",")
    if name.startswith("iam:")
}
COMMON = {"AccessDenied", "ValidationError", "InvalidAction", "InvalidParameterCombination"}

# Members that no answer of this broker ever has, and why.
NEVER = {
    "PasswordLastUsed": "nobody signs in with a password",
    "AssertionEncryptionMode": "assertions are not encrypted",
    "PrivateKeyList": "assertions are not encrypted",
    "SourceRoleTemplate": "there are no templates of roles",
    "Certifications": "virtual devices have none",
}
# Operations whose answers have nothing below these members, and why.
EMPTY = {
    "SSHPublicKeys": "none can be made",
    "Certificates": "none can be made",
    "ServerCertificateMetadataList": "none can be made",
    "ServiceSpecificCredentials": "none can be made",
}
# Operations that never succeed, and why.
ALWAYS_REFUSED = {
    "GetLoginProfile": "nobody has a password",
    "DeleteLoginProfile": "nobody has a password",
}
# Members of the answer to an operation that are told by others, and why not here.
ELSEWHERE = {
    ("SimulateCustomPolicy", "OrganizationsDecisionDetail"): "explain.py asks with control policies",
    ("SimulatePrincipalPolicy", "OrganizationsDecisionDetail"): "there is no organization here",
    ("GenerateCredentialReport", "Description"): "a report is made at once",
    ("ListPoliciesGrantingServiceAccess", "Marker"): "one page holds all",
    ("ListAccountAliases", "Marker"): "there is one at most",
    ("CreateVirtualMFADevice", "User"): "a new device is nobody's",
    ("CreateVirtualMFADevice", "EnableDate"): "a new device is nobody's",
    ("ListVirtualMFADevices", "Base32StringSeed"): "a seed is told once",
    ("ListVirtualMFADevices", "QRCodePNG"): "a seed is told once",
    ("ListVirtualMFADevices", "Tags"): "ListMFADeviceTags tells them",
}

# What answers say and the model does not, and why.
KNOWN = {
    "PermissionsBoundaryType": ("Policy", "AWS answers this word, whatever its model says"),
}
# A profile is made without roles.
NOTHING_IN = {("CreateInstanceProfile", ".InstanceProfile.Roles")}

succeeded, seen = set(), set()
mismatches = []


def compare(operation, path, element, shape):
    """Holds an element of an answer against its shape, and notes the members that it has."""
    where = f"{operation}{path}"
    if shape.type_name == "structure":
        members = {s.serialization.get("name", n): (n, s) for n, s in shape.members.items()}
        found = set()
        for child in element:
            name = child.tag.split("}")[-1]
            if name not in members:
                mismatches.append(f"{where}: {name} is not in the model")
                continue
            member, inner = members[name]
            found.add(member)
            seen.add((operation, f"{path}.{member}"))
            compare(operation, f"{path}.{member}", child, inner)
        for missing in set(shape.required_members) - found:
            mismatches.append(f"{where}: {missing} is missing")
    elif shape.type_name == "list":
        for child in element:
            if child.tag.split("}")[-1] != "member":
                mismatches.append(f"{where}: {child.tag} in a list")
            compare(operation, f"{path}[]", child, shape.member)
    elif shape.type_name == "map":
        for entry in element:
            key = next(it.text for it in entry if it.tag.endswith("key"))
            words = shape.key.metadata.get("enum")
            if words and key not in words:
                mismatches.append(f"{where}: {key} is no key of the model")
    else:
        scalar(where, element.text or "", shape)


def scalar(where, text, shape):
    facts = shape.metadata
    if shape.type_name == "string":
        known = KNOWN.get(where.rsplit(".", 1)[-1], ("", ""))[0] == text
        if facts.get("enum") and text not in facts["enum"] and not known:
            mismatches.append(f"{where}: {text} is no word of the model")
        if not facts.get("min", 0) <= len(text) <= facts.get("max", len(text)):
            mismatches.append(f"{where}: {text!r} has a wrong length")
    elif shape.type_name == "boolean" and text not in ("true", "false"):
        mismatches.append(f"{where}: {text!r} is no boolean")
    elif shape.type_name in ("integer", "long"):
        int(text)


def watch(response_dict, operation_model, **_):
    """Runs for each answer, before botocore parses it."""
    name = operation_model.name
    root = ElementTree.fromstring(response_dict["body"])
    if response_dict["status_code"] >= 400:
        code = root.find(".//{*}Code").text
        known = {
            shape.metadata.get("error", {}).get("code", shape.name)
            for shape in operation_model.error_shapes
        }
        if code not in known | COMMON:
            mismatches.append(f"{name}: the error {code} is not in the model")
        return
    succeeded.add(name)
    shape = operation_model.output_shape
    result = root.find(f"{{*}}{name}Result")
    if (result is None) != (shape is None):
        mismatches.append(f"{name}: the result element")
    elif shape is not None:
        compare(name, "", result, shape)


iam.meta.events.register("before-parse.iam", watch)


def again(what, code, call, **parameters):
    refused(f"{what} is gone", code, call, **parameters)


TAG = [{"Key": "Team", "Value": "blue"}]
DOCUMENT = allow("orders:*")
OTHER = allow("orders:Get*")
TRUST = trust(f"arn:aws:iam::{HOME}:root")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def a_role():
    """aws_iam_role, with an inline policy, an attachment and a boundary."""
    role = {"RoleName": "tf-role"}
    made = iam.create_role(
        **role, AssumeRolePolicyDocument=TRUST, Path="/tf/", Description="One.",
        MaxSessionDuration=7200, Tags=TAG, PermissionsBoundary=ADMINISTRATOR,
    )["Role"]
    iam.put_role_policy(**role, PolicyName="inline", PolicyDocument=DOCUMENT)
    iam.attach_role_policy(**role, PolicyArn=ADMINISTRATOR)

    def read():
        told = iam.get_role(**role)["Role"]
        names = iam.list_role_policies(**role)["PolicyNames"]
        documents = [
            iam.get_role_policy(**role, PolicyName=name)["PolicyDocument"] for name in names
        ]
        attached = iam.list_attached_role_policies(**role)["AttachedPolicies"]
        return told, names, documents, attached

    told, names, documents, attached = read()
    equal("a role is read as it was made", told["Arn"], made["Arn"])
    equal("its tags", told["Tags"], TAG)
    equal("its inline policies", (names, documents), (["inline"], [json.loads(DOCUMENT)]))
    equal("its attachments", attached[0]["PolicyArn"], ADMINISTRATOR)
    iam.tag_role(**role, Tags=[{"Key": "Stage", "Value": "test"}])
    iam.untag_role(**role, TagKeys=["Team"])
    other = trust(f"arn:aws:iam::{HOME}:root", ["sts:AssumeRole", "sts:TagSession"])
    iam.update_assume_role_policy(**role, PolicyDocument=other)
    iam.update_role_description(**role, Description="Two.")
    iam.update_role(**role, Description="Three.", MaxSessionDuration=3600)
    iam.put_role_permissions_boundary(**role, PermissionsBoundary=ADMINISTRATOR)
    told = read()[0]
    equal("its new tags", told["Tags"], [{"Key": "Stage", "Value": "test"}])
    equal("its new trust policy", told["AssumeRolePolicyDocument"], json.loads(other))
    equal("its new description", told["Description"], "Three.")
    boundary = told["PermissionsBoundary"]["PermissionsBoundaryArn"]
    equal("its boundary", boundary, ADMINISTRATOR)
    equal("its tags, listed", iam.list_role_tags(**role)["Tags"], told["Tags"])
    iam.delete_role_permissions_boundary(**role)
    refused("a role with policies stays", "DeleteConflict", iam.delete_role, **role)
    equal("its profiles", iam.list_instance_profiles_for_role(**role)["InstanceProfiles"], [])
    iam.detach_role_policy(**role, PolicyArn=ADMINISTRATOR)
    iam.delete_role_policy(**role, PolicyName="inline")
    iam.delete_role(**role)
    again("a role", "NoSuchEntity", iam.get_role, **role)


def a_policy():
    """aws_iam_policy."""
    made = iam.create_policy(
        PolicyName="tf-policy", Path="/tf/", Description="One.", PolicyDocument=DOCUMENT, Tags=TAG,
    )["Policy"]
    named = {"PolicyArn": made["Arn"]}
    told = iam.get_policy(**named)["Policy"]
    equal("a policy is read as it was made", told["Tags"], TAG)
    version = {"VersionId": told["DefaultVersionId"]}
    document = iam.get_policy_version(**named, **version)["PolicyVersion"]["Document"]
    equal("its document", document, json.loads(DOCUMENT))
    iam.tag_policy(**named, Tags=[{"Key": "Stage", "Value": "test"}])
    iam.untag_policy(**named, TagKeys=["Team"])
    for document in (OTHER, DOCUMENT) * 3:
        versions = iam.list_policy_versions(**named)["Versions"]
        if len(versions) == 5:
            oldest = min(
                (it for it in versions if not it["IsDefaultVersion"]),
                key=lambda it: int(it["VersionId"][1:]),
            )
            iam.delete_policy_version(**named, VersionId=oldest["VersionId"])
        iam.create_policy_version(**named, PolicyDocument=document, SetAsDefault=True)
    told = iam.get_policy(**named)["Policy"]
    equal("its newest version counts", told["DefaultVersionId"], "v7")
    iam.set_default_policy_version(**named, VersionId="v6")
    tags = iam.list_policy_tags(**named)["Tags"]
    equal("its tags", tags, [{"Key": "Stage", "Value": "test"}])
    iam.create_group(GroupName="tf-holders")
    iam.create_user(UserName="tf-holder")
    iam.create_role(RoleName="tf-holder", AssumeRolePolicyDocument=TRUST)
    iam.attach_group_policy(GroupName="tf-holders", **named)
    iam.attach_user_policy(UserName="tf-holder", **named)
    iam.attach_role_policy(RoleName="tf-holder", **named)
    iam.put_user_permissions_boundary(UserName="tf-holder", PermissionsBoundary=made["Arn"])
    listed = iam.list_policies(Scope="Local", OnlyAttached=True)["Policies"]
    equal("those who have it", listed[0]["AttachmentCount"], 3)
    page = iam.list_entities_for_policy(**named, MaxItems=2)
    holds("its holders, in pages", page["IsTruncated"], page)
    rest = iam.list_entities_for_policy(**named, Marker=page["Marker"])
    found = [
        it.get("GroupName") or it.get("UserName") or it.get("RoleName")
        for answer in (page, rest)
        for kind in ("PolicyGroups", "PolicyRoles", "PolicyUsers")
        for it in answer[kind]
    ]
    equal("its holders", found, ["tf-holders", "tf-holder", "tf-holder"])
    refused("a policy in use stays", "DeleteConflict", iam.delete_policy, **named)
    iam.detach_group_policy(GroupName="tf-holders", **named)
    iam.detach_user_policy(UserName="tf-holder", **named)
    iam.detach_role_policy(RoleName="tf-holder", **named)
    iam.delete_user_permissions_boundary(UserName="tf-holder")
    iam.delete_group(GroupName="tf-holders")
    iam.delete_user(UserName="tf-holder")
    iam.delete_role(RoleName="tf-holder")
    for it in iam.list_policy_versions(**named)["Versions"]:
        if not it["IsDefaultVersion"]:
            iam.delete_policy_version(**named, VersionId=it["VersionId"])
    iam.delete_policy(**named)
    again("a policy", "NoSuchEntity", iam.get_policy, **named)


def a_user():
    """aws_iam_user with force_destroy, its key, login profile, policies and groups."""
    user = {"UserName": "tf-user"}
    iam.create_user(**user, Path="/tf/", Tags=TAG, PermissionsBoundary=ADMINISTRATOR)
    told = iam.get_user(**user)["User"]
    equal("a user is read as it was made", (told["Path"], told["Tags"]), ("/tf/", TAG))
    iam.tag_user(**user, Tags=[{"Key": "Stage", "Value": "test"}])
    iam.untag_user(**user, TagKeys=["Team"])
    iam.delete_user_permissions_boundary(**user)
    iam.update_user(**user, NewUserName="tf-renamed", NewPath="/other/")
    user = {"UserName": "tf-renamed"}
    equal("it moved", iam.get_user(**user)["User"]["Path"], "/other/")
    equal("its tags", iam.list_user_tags(**user)["Tags"][0]["Key"], "Stage")
    key = iam.create_access_key(**user)["AccessKey"]
    named = {"AccessKeyId": key["AccessKeyId"]}
    equal("its key", iam.list_access_keys(**user)["AccessKeyMetadata"][0]["Status"], "Active")
    last = iam.get_access_key_last_used(**named)["AccessKeyLastUsed"]
    equal("its key was never used", last["ServiceName"], "N/A")
    client("sts", key).get_caller_identity()
    last = iam.get_access_key_last_used(**named)["AccessKeyLastUsed"]
    holds("its key was used", "LastUsedDate" in last and last["ServiceName"] == "sts", last)
    iam.update_access_key(**user, **named, Status="Inactive")
    iam.put_user_policy(**user, PolicyName="inline", PolicyDocument=DOCUMENT)
    document = iam.get_user_policy(**user, PolicyName="inline")["PolicyDocument"]
    equal("its policy", document, json.loads(DOCUMENT))
    iam.attach_user_policy(**user, PolicyArn=ADMINISTRATOR)
    group = {"GroupName": "tf-group"}
    iam.create_group(**group, Path="/tf/")
    iam.add_user_to_group(**group, **user)
    iam.put_group_policy(**group, PolicyName="inline", PolicyDocument=DOCUMENT)
    equal("a group's members", iam.get_group(**group)["Users"][0]["UserName"], "tf-renamed")
    equal("a group's policies", iam.list_group_policies(**group)["PolicyNames"], ["inline"])
    document = iam.get_group_policy(**group, PolicyName="inline")["PolicyDocument"]
    equal("a group's policy", document, json.loads(DOCUMENT))
    iam.attach_group_policy(**group, PolicyArn=ADMINISTRATOR)
    attached = iam.list_attached_group_policies(**group)["AttachedPolicies"]
    equal("a group's attachments", attached[0]["PolicyName"], "AdministratorAccess")
    iam.update_group(**group, NewGroupName="tf-crew", NewPath="/")
    group = {"GroupName": "tf-crew"}
    equal("its groups", iam.list_groups_for_user(**user)["Groups"][0]["GroupName"], "tf-crew")
    refused("a user in a group stays", "DeleteConflict", iam.delete_user, **user)
    for it in iam.list_groups_for_user(**user)["Groups"]:
        iam.remove_user_from_group(**user, GroupName=it["GroupName"])
    for name in iam.list_user_policies(**user)["PolicyNames"]:
        iam.delete_user_policy(**user, PolicyName=name)
    for it in iam.list_attached_user_policies(**user)["AttachedPolicies"]:
        iam.detach_user_policy(**user, PolicyArn=it["PolicyArn"])
    for it in iam.list_access_keys(**user)["AccessKeyMetadata"]:
        iam.delete_access_key(**user, AccessKeyId=it["AccessKeyId"])
    equal("its SSH keys", iam.list_ssh_public_keys(**user)["SSHPublicKeys"], [])
    mine = [it for it in iam.list_virtual_mfa_devices()["VirtualMFADevices"] if "User" in it]
    equal("virtual devices", mine, [])
    equal("its devices", iam.list_mfa_devices(**user)["MFADevices"], [])
    refused("its password", "NoSuchEntity", iam.delete_login_profile, **user)
    refused("its password", "NoSuchEntity", iam.get_login_profile, **user)
    refused("a password", "InvalidAction", iam.create_login_profile, **user, Password="x" * 20)
    equal("its certificates", iam.list_signing_certificates(**user)["Certificates"], [])
    listed = iam.list_service_specific_credentials(**user)["ServiceSpecificCredentials"]
    equal("its other passwords", listed, [])
    iam.delete_user(**user)
    again("a user", "NoSuchEntity", iam.get_user, **user)
    iam.detach_group_policy(**group, PolicyArn=ADMINISTRATOR)
    iam.delete_group_policy(**group, PolicyName="inline")
    iam.delete_group(**group)
    again("a group", "NoSuchEntity", iam.get_group, **group)


def an_oidc_provider():
    """aws_iam_openid_connect_provider."""
    print_ = "0123456789abcdef0123456789abcdef01234567"
    arn = iam.create_open_id_connect_provider(
        Url="https://issuer.example/tf", ClientIDList=["sts.amazonaws.com"],
        ThumbprintList=[print_], Tags=TAG,
    )["OpenIDConnectProviderArn"]
    named = {"OpenIDConnectProviderArn": arn}
    told = iam.get_open_id_connect_provider(**named)
    equal("an OIDC provider is read as it was made", told["ClientIDList"], ["sts.amazonaws.com"])
    equal("its URL", told["Url"], "issuer.example/tf")
    iam.tag_open_id_connect_provider(**named, Tags=[{"Key": "Stage", "Value": "test"}])
    iam.untag_open_id_connect_provider(**named, TagKeys=["Team"])
    tags = iam.list_open_id_connect_provider_tags(**named)["Tags"]
    equal("its tags", tags, [{"Key": "Stage", "Value": "test"}])
    iam.update_open_id_connect_provider_thumbprint(**named, ThumbprintList=[print_[::-1]])
    iam.add_client_id_to_open_id_connect_provider(**named, ClientID="other")
    iam.remove_client_id_from_open_id_connect_provider(**named, ClientID="sts.amazonaws.com")
    told = iam.get_open_id_connect_provider(**named)
    equal("its thumbprints", told["ThumbprintList"], [print_[::-1]])
    equal("its audiences", told["ClientIDList"], ["other"])
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    equal("the providers", listed, [{"Arn": arn}])
    iam.delete_open_id_connect_provider(**named)
    again("an OIDC provider", "NoSuchEntity", iam.get_open_id_connect_provider, **named)


def a_saml_provider():
    """aws_iam_saml_provider."""
    document = metadata(attributes=' validUntil="2040-01-01T00:00:00Z"')
    arn = iam.create_saml_provider(Name="tf", SAMLMetadataDocument=document, Tags=TAG)
    named = {"SAMLProviderArn": arn["SAMLProviderArn"]}
    told = iam.get_saml_provider(**named)
    equal("a SAML provider is read as it was made", told["SAMLMetadataDocument"], document)
    later = document.replace("2040", "2041")
    iam.update_saml_provider(**named, SAMLMetadataDocument=later)
    equal("its metadata", iam.get_saml_provider(**named)["SAMLMetadataDocument"], later)
    iam.tag_saml_provider(**named, Tags=[{"Key": "Stage", "Value": "test"}])
    iam.untag_saml_provider(**named, TagKeys=["Team"])
    equal("its tags", iam.list_saml_provider_tags(**named)["Tags"][0]["Key"], "Stage")
    listed = iam.list_saml_providers()["SAMLProviderList"]
    equal("the providers", listed[0]["Arn"], named["SAMLProviderArn"])
    iam.delete_saml_provider(**named)
    again("a SAML provider", "NoSuchEntity", iam.get_saml_provider, **named)


def an_instance_profile():
    """aws_iam_instance_profile."""
    iam.create_role(RoleName="tf-web", AssumeRolePolicyDocument=TRUST)
    profile = {"InstanceProfileName": "tf-web"}
    iam.create_instance_profile(**profile, Path="/tf/", Tags=TAG)
    iam.add_role_to_instance_profile(**profile, RoleName="tf-web")
    told = iam.get_instance_profile(**profile)["InstanceProfile"]
    equal("an instance profile", told["Roles"][0]["RoleName"], "tf-web")
    listed = iam.list_instance_profiles_for_role(RoleName="tf-web")["InstanceProfiles"]
    equal("a role's profiles", listed[0]["InstanceProfileName"], "tf-web")
    listed = iam.list_instance_profiles(PathPrefix="/tf/")["InstanceProfiles"]
    equal("the profiles", len(listed), 1)
    iam.tag_instance_profile(**profile, Tags=[{"Key": "Stage", "Value": "test"}])
    iam.untag_instance_profile(**profile, TagKeys=["Team"])
    equal("its tags", iam.list_instance_profile_tags(**profile)["Tags"][0]["Key"], "Stage")
    iam.remove_role_from_instance_profile(**profile, RoleName="tf-web")
    iam.delete_instance_profile(**profile)
    iam.delete_role(RoleName="tf-web")
    again("an instance profile", "NoSuchEntity", iam.get_instance_profile, **profile)


def a_device():
    """aws_iam_virtual_mfa_device, and a user who gets it."""
    user = {"UserName": "tf-person"}
    iam.create_user(**user, Tags=TAG)
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="tf-phone", Path="/tf/", Tags=TAG)
    made = made["VirtualMFADevice"]
    named = {"SerialNumber": made["SerialNumber"]}
    equal("its serial number", made["SerialNumber"], f"arn:aws:iam::{HOME}:mfa/tf/tf-phone")
    holds("its picture", made["QRCodePNG"].startswith(b"\x89PNG"), made["QRCodePNG"])
    seed = made["Base32StringSeed"]
    told = iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"]
    equal("it is nobody's", told, [named])
    more = [{"Key": "Stage", "Value": "test"}, {"Key": "More", "Value": "1"}]
    iam.tag_mfa_device(**named, Tags=more)
    iam.untag_mfa_device(**named, TagKeys=["Team"])
    equal("its tags", iam.list_mfa_device_tags(**named)["Tags"], more)
    pages(iam.list_mfa_device_tags, **named)
    refused(
        "codes of nothing", "InvalidAuthenticationCode", iam.enable_mfa_device, **user, **named,
        AuthenticationCode1="000000", AuthenticationCode2="000000",
    )
    iam.enable_mfa_device(**user, **named, **two_codes(seed, -1))
    told = iam.get_mfa_device(**user, **named)
    equal("its user", told["UserName"], "tf-person")
    listed = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    equal("it is a user's", listed[0]["User"]["UserName"], "tf-person")
    equal("since when", listed[0]["EnableDate"], told["EnableDate"])
    other = iam.create_virtual_mfa_device(VirtualMFADeviceName="tf-tablet")["VirtualMFADevice"]
    tablet = {"SerialNumber": other["SerialNumber"]}
    iam.enable_mfa_device(**user, **tablet, **two_codes(other["Base32StringSeed"], -1))
    pages(iam.list_mfa_devices, **user)
    pages(iam.list_virtual_mfa_devices)
    iam.resync_mfa_device(**user, **named, **two_codes(seed, 1))
    refused("a user with a device stays", "DeleteConflict", iam.delete_user, **user)
    refused("a device in use stays", "DeleteConflict", iam.delete_virtual_mfa_device, **named)
    for it in iam.list_mfa_devices(**user)["MFADevices"]:
        iam.deactivate_mfa_device(**user, SerialNumber=it["SerialNumber"])
        iam.delete_virtual_mfa_device(SerialNumber=it["SerialNumber"])
    again("a device", "NoSuchEntity", iam.delete_virtual_mfa_device, **named)
    iam.delete_user(**user)


def an_account():
    """aws_iam_account_alias and aws_iam_account_password_policy."""
    iam.create_account_alias(AccountAlias="tf-home")
    equal("an alias", iam.list_account_aliases()["AccountAliases"], ["tf-home"])
    iam.delete_account_alias(AccountAlias="tf-home")
    equal("no alias", iam.list_account_aliases()["AccountAliases"], [])
    iam.update_account_password_policy(
        MinimumPasswordLength=14, RequireSymbols=True, MaxPasswordAge=90,
        PasswordReusePrevention=3, HardExpiry=True, AllowUsersToChangePassword=True,
    )
    told = iam.get_account_password_policy()["PasswordPolicy"]
    equal("a password policy", (told["MinimumPasswordLength"], told["MaxPasswordAge"]), (14, 90))
    iam.delete_account_password_policy()
    again("a password policy", "NoSuchEntity", iam.get_account_password_policy)


def by_resources():
    """boto3's resources: they call what they need by themselves."""
    resource = boto3.resource("iam", config=CONFIG)
    resource.meta.client.meta.events.register("before-parse.iam", watch)
    user = resource.create_user(UserName="res-user")
    group = resource.create_group(GroupName="res-group")
    group.add_user(UserName=user.name)
    equal("a group's users", [it.name for it in group.users.all()], ["res-user"])
    made = resource.create_policy(PolicyName="res-policy", PolicyDocument=DOCUMENT)
    group.attach_policy(PolicyArn=made.arn)
    equal("a group's policies", [it.arn for it in group.attached_policies.all()], [made.arn])
    equal("a policy's groups", [it.name for it in made.attached_groups.all()], ["res-group"])
    version = made.create_version(PolicyDocument=OTHER)
    version.set_as_default()
    made.load()
    equal("a policy's version", made.default_version_id, "v2")
    resource.PolicyVersion(made.arn, "v1").delete()
    role = resource.create_role(RoleName="res-role", AssumeRolePolicyDocument=TRUST)
    profile = resource.create_instance_profile(InstanceProfileName="res-profile")
    profile.add_role(RoleName=role.name)
    equal("a profile's roles", [it.name for it in profile.roles], ["res-role"])
    holds("a summary", resource.AccountSummary().summary_map["Users"] >= 2)
    equal("a user's groups", [it.name for it in user.groups.all()], ["res-group"])
    equal("users", "res-user" in [it.name for it in resource.users.all()], True)
    equal("groups", "res-group" in [it.name for it in resource.groups.all()], True)
    equal("roles", "res-role" in [it.name for it in resource.roles.all()], True)
    equal("certificates", list(resource.server_certificates.all()), [])
    profile.remove_role(RoleName=role.name)
    profile.delete()
    role.delete()
    group.detach_policy(PolicyArn=made.arn)
    group.remove_user(UserName=user.name)
    group.delete()
    made.delete()
    user.delete()


def pages(call, **parameters):
    """Every page of a listing, one entry each."""
    marker = {}
    while True:
        page = call(**parameters, **marker, MaxItems=1)
        if not page["IsTruncated"]:
            return
        marker = {"Marker": page["Marker"]}


def the_rest():
    """Whatever tells of an account, with something of each kind in it, listed in small pages."""
    for name in ("one", "two"):
        iam.create_user(UserName=name, Tags=TAG)
        iam.create_group(GroupName=name)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=TAG, Description="x")
        made = iam.create_policy(PolicyName=name, PolicyDocument=DOCUMENT, Description="x")
        arn = made["Policy"]["Arn"]
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=OTHER)
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName="one")
        iam.put_user_policy(UserName="one", PolicyName=name, PolicyDocument=DOCUMENT)
        iam.put_group_policy(GroupName="one", PolicyName=name, PolicyDocument=DOCUMENT)
        iam.put_role_policy(RoleName="one", PolicyName=name, PolicyDocument=DOCUMENT)
        iam.attach_user_policy(UserName="one", PolicyArn=arn)
        iam.attach_group_policy(GroupName="one", PolicyArn=arn)
        iam.attach_role_policy(RoleName="one", PolicyArn=arn)
        iam.create_access_key(UserName="one")
    for name in ("one", "two"):
        iam.add_user_to_group(GroupName="one", UserName=name)
    iam.add_user_to_group(GroupName="two", UserName="one")
    for kind, name in (("user", "UserName"), ("role", "RoleName")):
        put = getattr(iam, f"put_{kind}_permissions_boundary")
        put(**{name: "one"}, PermissionsBoundary=ADMINISTRATOR)
        getattr(iam, f"tag_{kind}")(**{name: "one"}, Tags=[{"Key": "More", "Value": "1"}])
    more = [{"Key": "One", "Value": "1"}, {"Key": "Two", "Value": "2"}]
    iam.tag_policy(PolicyArn=arn, Tags=more)
    iam.tag_instance_profile(InstanceProfileName="one", Tags=more)
    oidc = {
        "OpenIDConnectProviderArn": iam.create_open_id_connect_provider(
            Url="https://rest.example", Tags=more
        )["OpenIDConnectProviderArn"]
    }
    saml = {
        "SAMLProviderArn": iam.create_saml_provider(
            Name="rest", SAMLMetadataDocument=metadata(), Tags=more
        )["SAMLProviderArn"]
    }
    session = sts.assume_role(
        RoleArn=f"arn:aws:iam::{HOME}:role/one", RoleSessionName="rest"
    )["Credentials"]
    client("sts", session).get_caller_identity()
    holds("a role's last use", "LastUsedDate" in iam.get_role(RoleName="one")["Role"]["RoleLastUsed"])
    for call in (
        iam.list_users, iam.list_groups, iam.list_roles, iam.list_policies,
        iam.list_instance_profiles, iam.get_account_authorization_details,
    ):
        pages(call)
    user, group, role = {"UserName": "one"}, {"GroupName": "one"}, {"RoleName": "one"}
    for call in (
        iam.list_user_policies, iam.list_attached_user_policies, iam.list_user_tags,
        iam.list_access_keys, iam.list_groups_for_user,
    ):
        pages(call, **user)
    for call in (iam.get_group, iam.list_group_policies, iam.list_attached_group_policies):
        pages(call, **group)
    for call in (
        iam.list_role_policies, iam.list_attached_role_policies, iam.list_role_tags,
        iam.list_instance_profiles_for_role,
    ):
        pages(call, **role)
    for call in (iam.list_policy_versions, iam.list_policy_tags, iam.list_entities_for_policy):
        pages(call, PolicyArn=arn)
    iam.get_instance_profile(InstanceProfileName="one")
    pages(iam.list_instance_profile_tags, InstanceProfileName="one")
    pages(iam.list_open_id_connect_provider_tags, **oidc)
    pages(iam.list_saml_provider_tags, **saml)
    equal("a provider without an end", "ValidUntil" in iam.get_saml_provider(**saml), False)
    everything = iam.get_account_authorization_details()
    equal("users, told whole", [it["UserName"] for it in everything["UserDetailList"]][-2:], ["one", "two"])
    iam.get_account_authorization_details(Filter=["LocalManagedPolicy"])
    iam.get_account_summary()
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    told = iam.get_outbound_web_identity_federation_info()
    equal("an issuer", (told["IssuerIdentifier"], told["JwtVendingEnabled"]), (issuer, True))
    refused("an issuer again", "FeatureEnabled", iam.enable_outbound_web_identity_federation)
    iam.disable_outbound_web_identity_federation()
    refused("no issuer", "FeatureDisabled", iam.get_outbound_web_identity_federation_info)
    anything = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"x"}}}}'
    always = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    iam.get_context_keys_for_custom_policy(PolicyInputList=[anything])
    bucket = '{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:s3:::b"}}'
    for page in iam.get_paginator("simulate_custom_policy").paginate(
        PolicyInputList=[anything, always], ActionNames=["s3:GetObject", "s3:PutObject"],
        PermissionsBoundaryPolicyInputList=[always], ResourceArns=["arn:aws:s3:::b"],
        ResourcePolicy=bucket, ResourceOwner="arn:aws:iam::999999999999:root",
        CallerArn="arn:aws:iam::111111111111:user/x", PaginationConfig={"PageSize": 1},
    ):
        page["EvaluationResults"]
    source = f"arn:aws:iam::{HOME}:user/one"
    iam.get_context_keys_for_principal_policy(PolicySourceArn=source, PolicyInputList=[anything])
    for page in iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=source, PolicyInputList=[anything, always],
        ActionNames=["s3:GetObject", "s3:PutObject"],
        PermissionsBoundaryPolicyInputList=[always], ResourceArns=["arn:aws:s3:::b"],
        ResourcePolicy=bucket, ResourceOwner="arn:aws:iam::999999999999:root",
        PaginationConfig={"PageSize": 1},
    ):
        page["EvaluationResults"]
    root_access()
    refused("no report yet", "ReportNotPresent", iam.get_credential_report)
    equal("a report", iam.generate_credential_report()["State"], "COMPLETE")
    report = iam.get_credential_report()
    holds("a report's lines", report["Content"].decode().count("\n") >= 4, report)
    told = iam.list_policies_granting_service_access(
        Arn=f"arn:aws:iam::{HOME}:user/one", ServiceNamespaces=["orders", "s3"]
    )["PoliciesGrantingServiceAccess"]
    kinds = {it["PolicyType"] for it in told[0]["Policies"]}
    equal("policies that grant a service", kinds, {"INLINE", "MANAGED"})
    equal("no certificates", iam.list_server_certificates()["ServerCertificateMetadataList"], [])


def root_access():
    """Root users of members, in an organization's hands."""
    refused("no organization", "OrganizationNotFoundException", iam.list_organizations_features)
    organizations = client("organizations")
    made = organizations.create_organization()["Organization"]["Id"]
    refused("no root access", "ServiceAccessNotEnabledException", iam.list_organizations_features)
    organizations.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    equal("nothing yet", iam.list_organizations_features()["EnabledFeatures"], [])
    iam.enable_organizations_root_sessions()
    told = iam.enable_organizations_root_credentials_management()
    both = ["RootCredentialsManagement", "RootSessions"]
    equal("root access", (told["OrganizationId"], told["EnabledFeatures"]), (made, both))
    told = iam.disable_organizations_root_sessions()["EnabledFeatures"]
    equal("less of it", told, ["RootCredentialsManagement"])
    iam.enable_organizations_root_sessions()
    told = iam.disable_organizations_root_credentials_management()["EnabledFeatures"]
    equal("the rest", told, ["RootSessions"])
    equal("as it is listed", iam.list_organizations_features()["EnabledFeatures"], told)


def members(shape, path="", depth=0):
    """Every member of a shape, by its path."""
    if shape.type_name == "structure":
        for name, inner in shape.members.items():
            yield f"{path}.{name}"
            if depth < 6:
                yield from members(inner, f"{path}.{name}", depth + 1)
    elif shape.type_name == "list":
        yield from members(shape.member, f"{path}[]", depth + 1)


# Lists tell less of these, as AWS says: neither tags nor boundary, nor a role's last use.
LESS = {
    "User": {"PermissionsBoundary", "Tags"},
    "Role": {"PermissionsBoundary", "Tags", "RoleLastUsed"},
    "InstanceProfile": {"Tags"},
    "Policy": {"Description", "Tags"},
    "PolicyVersion": {"Document"},
}


def told_less(operation, path):
    """Whether a member is one that is not told at this place."""
    shape, parents = MODEL.operation_model(operation).output_shape, []
    for part in path.replace("[]", ".[]").split(".")[1:]:
        parents.append(shape)
        shape = shape.member if part == "[]" else shape.members[part]
    last = path.rsplit(".", 1)[-1]
    owner = parents[-1]
    in_list = "[]" in path
    nested = operation in ("CreatePolicyVersion",) or path.startswith(".InstanceProfile.Roles")
    fresh = operation in ("CreateRole", "UpdateRoleDescription") and "RoleLastUsed" in path
    return fresh or ((in_list or nested) and last in LESS.get(owner.name, ()))


def covered():
    """Every operation was called, and every member of its answer was seen."""
    for operation in sorted(IMPLEMENTED):
        if operation in ALWAYS_REFUSED:
            if operation in succeeded:
                mismatches.append(f"{operation} succeeded")
            continue
        if operation not in succeeded:
            mismatches.append(f"{operation} was never called with success")
            continue
        shape = MODEL.operation_model(operation).output_shape
        hidden = []
        for path in members(shape) if shape else ():
            last = path.rsplit(".", 1)[-1]
            if any(path.startswith(it) for it in hidden):
                continue
            if (operation, path) in seen:
                continue
            hidden.append(path + ".")
            hidden.append(path + "[]")
            excused = (
                last in NEVER
                or (operation, last) in ELSEWHERE
                or any(f".{it}[]" in path for it in EMPTY)
                or any(operation == o and path.startswith(f"{p}[]") for o, p in NOTHING_IN)
                or (last == "Marker" and any(f".{it}" in [p for p in members(shape)] for it in EMPTY))
                or told_less(operation, path)
            )
            if not excused:
                mismatches.append(f"{operation}: no answer had {path}")


for part in (
    a_role, a_policy, a_user, an_oidc_provider, a_saml_provider, an_instance_profile, an_account,
    a_device, by_resources, the_rest,
):
    part()
covered()
if mismatches:
    raise Failed("\n".join(sorted(set(mismatches))))
steps.good(f"{len(IMPLEMENTED)} operations of {len(MODEL.operation_names)}, no mismatch")
print(f"{steps.count} steps")

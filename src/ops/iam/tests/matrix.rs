//! Every operation of IAM in the catalogue: denied without permission, allowed with exactly its own
//! action, and as silent about what is missing as about what is there.

use super::{must, refused};
use crate::directory::managed::ADMINISTRATOR_ACCESS;
use crate::ops::catalog::ROWS;
use crate::ops::fault::FaultCode;
use crate::ops::testing::{Bench, Credentials, allow, trusting};
use crate::ops::{Effect, Service};

/// Metadata of a SAML identity provider.
pub(super) const METADATA: &str =
    include_str!("../../../federation/saml/tests/golden/metadata.xml");

/// Parameters that make a call succeed on the entities of [`stage`]. `KEY` stands for the key. The
/// first one names the entity that the call is about, if there is one.
pub(super) fn parameters(action: &str) -> Vec<(&'static str, &'static str)> {
    const TEXT: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    const POLICY: (&str, &str) = ("PolicyDocument", TEXT);
    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}}"#;
    const USER: (&str, &str) = ("UserName", "bob");
    const ROLE: (&str, &str) = ("RoleName", "reader");
    const GROUP: (&str, &str) = ("GroupName", "staff");
    const PROFILE: (&str, &str) = ("InstanceProfileName", "web");
    const NAME: (&str, &str) = ("PolicyName", "inline");
    const ARN: (&str, &str) = ("PolicyArn", ADMINISTRATOR_ACCESS);
    const OWN: (&str, &str) = ("PolicyArn", "arn:aws:iam::111111111111:policy/mine");
    const VERSION: (&str, &str) = ("VersionId", "v2");
    const KEY: (&str, &str) = ("AccessKeyId", "KEY");
    const BOUNDARY: (&str, &str) = ("PermissionsBoundary", ADMINISTRATOR_ACCESS);
    const OIDC: (&str, &str) =
        ("OpenIDConnectProviderArn", "arn:aws:iam::111111111111:oidc-provider/issuer.example");
    const SAML: (&str, &str) = ("SAMLProviderArn", "arn:aws:iam::111111111111:saml-provider/corp");
    const PHONE: (&str, &str) = ("SerialNumber", "arn:aws:iam::111111111111:mfa/phone");
    const SPARE: (&str, &str) = ("SerialNumber", "arn:aws:iam::111111111111:mfa/spare");
    // Of the seed of both, when the clock of a bench stands still.
    const CODES: [(&str, &str); 2] =
        [("AuthenticationCode1", "508016"), ("AuthenticationCode2", "144003")];
    const TAG: [(&str, &str); 2] = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    const SOURCE: (&str, &str) = ("PolicySourceArn", "arn:aws:iam::111111111111:user/bob");
    const UNTAG: (&str, &str) = ("TagKeys.member.1", "k");
    match action {
        "CreateUser" => vec![("UserName", "new")],
        "CreateRole" => vec![("RoleName", "new"), ("AssumeRolePolicyDocument", TRUST)],
        "CreateGroup" => vec![("GroupName", "new")],
        "CreatePolicy" => vec![("PolicyName", "new"), POLICY],
        "CreateInstanceProfile" => vec![("InstanceProfileName", "new")],
        "CreateVirtualMFADevice" => vec![("VirtualMFADeviceName", "new")],
        "DeleteVirtualMFADevice" => vec![SPARE],
        "ListMFADeviceTags" => vec![PHONE],
        "TagMFADevice" => [&[PHONE][..], &TAG].concat(),
        "UntagMFADevice" => vec![PHONE, UNTAG],
        "EnableMFADevice" => [&[USER, SPARE][..], &CODES].concat(),
        "ResyncMFADevice" => [&[USER, PHONE][..], &CODES].concat(),
        "DeactivateMFADevice" | "GetMFADevice" => vec![USER, PHONE],
        "DeleteUser" => vec![("UserName", "bare")],
        "DeleteRole" => vec![("RoleName", "bare")],
        "GetContextKeysForCustomPolicy" => vec![("PolicyInputList.member.1", POLICY.1)],
        "SimulateCustomPolicy" => {
            vec![("PolicyInputList.member.1", POLICY.1), ("ActionNames.member.1", "s3:GetObject")]
        }
        "GetContextKeysForPrincipalPolicy" => vec![SOURCE],
        "SimulatePrincipalPolicy" => vec![SOURCE, ("ActionNames.member.1", "s3:GetObject")],
        "DeleteGroup" => vec![("GroupName", "bare")],
        "DeletePolicy" => vec![("PolicyArn", "arn:aws:iam::111111111111:policy/bare")],
        "DeleteInstanceProfile" => vec![("InstanceProfileName", "bare")],
        "ListUsers"
        | "ListRoles"
        | "ListGroups"
        | "ListPolicies"
        | "ListInstanceProfiles"
        | "ListAccountAliases"
        | "UpdateAccountPasswordPolicy"
        | "GetAccountPasswordPolicy"
        | "DeleteAccountPasswordPolicy"
        | "ListOpenIDConnectProviders"
        | "ListSAMLProviders"
        | "ListVirtualMFADevices"
        | "ListServerCertificates"
        | "GetAccountAuthorizationDetails"
        | "GenerateCredentialReport"
        | "GetCredentialReport"
        | "EnableOutboundWebIdentityFederation"
        | "DisableOutboundWebIdentityFederation"
        | "GetOutboundWebIdentityFederationInfo"
        | "EnableOrganizationsRootSessions"
        | "DisableOrganizationsRootSessions"
        | "EnableOrganizationsRootCredentialsManagement"
        | "DisableOrganizationsRootCredentialsManagement"
        | "ListOrganizationsFeatures"
        | "GetAccountSummary" => vec![],
        "CreateOpenIDConnectProvider" => vec![("Url", "https://new.example")],
        "CreateSAMLProvider" => vec![("Name", "new"), ("SAMLMetadataDocument", METADATA)],
        "GetOpenIDConnectProvider"
        | "DeleteOpenIDConnectProvider"
        | "ListOpenIDConnectProviderTags" => vec![OIDC],
        "AddClientIDToOpenIDConnectProvider" | "RemoveClientIDFromOpenIDConnectProvider" => {
            vec![OIDC, ("ClientID", "a")]
        }
        "UpdateOpenIDConnectProviderThumbprint" => vec![OIDC, ("ThumbprintList", "")],
        "GetSAMLProvider"
        | "UpdateSAMLProvider"
        | "DeleteSAMLProvider"
        | "ListSAMLProviderTags" => {
            vec![SAML]
        }
        "ListPoliciesGrantingServiceAccess" => vec![
            ("Arn", "arn:aws:iam::111111111111:user/bob"),
            ("ServiceNamespaces.member.1", "s3"),
        ],
        "TagOpenIDConnectProvider" => [&[OIDC][..], &TAG].concat(),
        "TagSAMLProvider" => [&[SAML][..], &TAG].concat(),
        "UntagOpenIDConnectProvider" => vec![OIDC, UNTAG],
        "UntagSAMLProvider" => vec![SAML, UNTAG],
        "CreateAccountAlias" => vec![("AccountAlias", "fresh")],
        "DeleteAccountAlias" => vec![("AccountAlias", "staged")],
        "GetAccessKeyLastUsed" => vec![KEY],
        "GetUser"
        | "CreateAccessKey"
        | "ListAccessKeys"
        | "ListUserPolicies"
        | "ListAttachedUserPolicies"
        | "ListUserTags"
        | "ListGroupsForUser"
        | "ListMFADevices"
        | "ListSSHPublicKeys"
        | "ListSigningCertificates"
        | "ListServiceSpecificCredentials"
        | "GetLoginProfile"
        | "DeleteLoginProfile"
        | "DeleteUserPermissionsBoundary" => vec![USER],
        "GetRole"
        | "UpdateRole"
        | "ListRolePolicies"
        | "ListAttachedRolePolicies"
        | "ListRoleTags"
        | "ListInstanceProfilesForRole"
        | "DeleteRolePermissionsBoundary" => vec![ROLE],
        "GetGroup" | "ListGroupPolicies" | "ListAttachedGroupPolicies" => vec![GROUP],
        "GetPolicy" | "ListPolicyVersions" | "ListPolicyTags" | "ListEntitiesForPolicy" => {
            vec![OWN]
        }
        "GetPolicyVersion" | "DeletePolicyVersion" | "SetDefaultPolicyVersion" => {
            vec![OWN, VERSION]
        }
        "CreatePolicyVersion" => vec![OWN, POLICY],
        "GetInstanceProfile" | "ListInstanceProfileTags" => vec![PROFILE],
        "AddRoleToInstanceProfile" => vec![("InstanceProfileName", "bare"), ROLE],
        "RemoveRoleFromInstanceProfile" => vec![PROFILE, ROLE],
        "AddUserToGroup" => vec![GROUP, ("UserName", "bare")],
        "RemoveUserFromGroup" => vec![GROUP, USER],
        "UpdateUser" => vec![USER, ("NewPath", "/new/")],
        "UpdateGroup" => vec![GROUP, ("NewPath", "/new/")],
        "UpdateRoleDescription" => vec![ROLE, ("Description", "d")],
        "UpdateAssumeRolePolicy" => vec![ROLE, ("PolicyDocument", TRUST)],
        "UpdateAccessKey" => vec![USER, KEY, ("Status", "Inactive")],
        "DeleteAccessKey" => vec![USER, KEY],
        "PutUserPolicy" => vec![USER, NAME, POLICY],
        "PutRolePolicy" => vec![ROLE, NAME, POLICY],
        "PutGroupPolicy" => vec![GROUP, NAME, POLICY],
        "GetUserPolicy" | "DeleteUserPolicy" => vec![USER, NAME],
        "GetRolePolicy" | "DeleteRolePolicy" => vec![ROLE, NAME],
        "GetGroupPolicy" | "DeleteGroupPolicy" => vec![GROUP, NAME],
        "AttachUserPolicy" | "DetachUserPolicy" => vec![USER, ARN],
        "AttachRolePolicy" | "DetachRolePolicy" => vec![ROLE, ARN],
        "AttachGroupPolicy" | "DetachGroupPolicy" => vec![GROUP, ARN],
        "PutUserPermissionsBoundary" => vec![USER, BOUNDARY],
        "PutRolePermissionsBoundary" => vec![ROLE, BOUNDARY],
        "TagUser" => [&[USER][..], &TAG].concat(),
        "TagRole" => [&[ROLE][..], &TAG].concat(),
        "TagPolicy" => [&[OWN][..], &TAG].concat(),
        "TagInstanceProfile" => [&[PROFILE][..], &TAG].concat(),
        "UntagUser" => vec![USER, UNTAG],
        "UntagRole" => vec![ROLE, UNTAG],
        "UntagPolicy" => vec![OWN, UNTAG],
        "UntagInstanceProfile" => vec![PROFILE, UNTAG],
        other => panic!("{other} has no row in the matrix of permissions: add one"),
    }
}

/// What is needed besides the action itself.
fn besides(action: &str) -> &'static [&'static str] {
    match action {
        "AddRoleToInstanceProfile" => &["iam:PassRole"],
        _ => &[],
    }
}

/// Makes what the calls work on, and returns the key of `bob`.
pub(super) async fn stage(bench: &Bench) -> Credentials {
    let admin = &bench.a;
    let bob = bench.user(admin, "bob", &allow(&["sts:GetCallerIdentity"])).await;
    must(bench, admin, "CreateUser", &[("UserName", "bare")]).await;
    let trust = trusting(&["111111111111"]);
    bench.role(admin, "reader", &trust, &allow(&["s3:GetObject"])).await;
    let bare = [("RoleName", "bare"), ("AssumeRolePolicyDocument", trust.as_str())];
    must(bench, admin, "CreateRole", &bare).await;
    let document = allow(&["s3:*"]);
    for name in ["mine", "bare"] {
        let policy = [("PolicyName", name), ("PolicyDocument", document.as_str())];
        must(bench, admin, "CreatePolicy", &policy).await;
    }
    for name in ["staff", "bare"] {
        must(bench, admin, "CreateGroup", &[("GroupName", name)]).await;
    }
    for name in ["web", "bare"] {
        must(bench, admin, "CreateInstanceProfile", &[("InstanceProfileName", name)]).await;
    }
    let staff = [("GroupName", "staff"), ("UserName", "bob")];
    must(bench, admin, "AddUserToGroup", &staff).await;
    let web = [("InstanceProfileName", "web"), ("RoleName", "reader")];
    must(bench, admin, "AddRoleToInstanceProfile", &web).await;
    must(bench, admin, "CreateAccountAlias", &[("AccountAlias", "staged")]).await;
    let issuer = [("Url", "https://issuer.example"), ("ClientIDList.member.1", "a")];
    must(bench, admin, "CreateOpenIDConnectProvider", &issuer).await;
    let corp = [("Name", "corp"), ("SAMLMetadataDocument", METADATA)];
    must(bench, admin, "CreateSAMLProvider", &corp).await;
    bench.organization().await;
    bench.mfa_device("phone", Some("bob")).await;
    bench.mfa_device("spare", None).await;
    for action in [
        "PutUserPolicy",
        "PutRolePolicy",
        "PutGroupPolicy",
        "AttachUserPolicy",
        "AttachRolePolicy",
        "AttachGroupPolicy",
        "PutUserPermissionsBoundary",
        "PutRolePermissionsBoundary",
        "CreatePolicyVersion",
        "UpdateAccountPasswordPolicy",
        "GenerateCredentialReport",
        "EnableOutboundWebIdentityFederation",
    ] {
        must(bench, admin, action, &parameters(action)).await;
    }
    bob
}

pub(super) fn with_key<'p>(
    parameters: &[(&'p str, &'p str)],
    key: &'p str,
) -> Vec<(&'p str, &'p str)> {
    parameters.iter().map(|(n, v)| (*n, if *v == "KEY" { key } else { *v })).collect()
}

pub(super) fn iam_rows() -> impl Iterator<Item = &'static str> {
    ROWS.iter().filter(|row| row.service == Service::Iam).map(|row| row.name)
}

/// Those that name an entity which is to exist.
fn naming_rows() -> impl Iterator<Item = &'static str> {
    let made = |name: &str| {
        let kept = ["CreateAccessKey", "CreatePolicyVersion"];
        name.starts_with("Create") && !kept.contains(&name)
    };
    iam_rows().filter(move |name| {
        let names = parameters(name);
        let named = names.first().is_some_and(|(param, _)| *param != "AccountAlias");
        // What is asked of policies that the request itself brings names nothing.
        named && !made(name) && !name.ends_with("CustomPolicy")
    })
}

#[tokio::test]
async fn without_permission_every_operation_is_denied_and_changes_nothing() {
    let bench = Bench::new().await;
    let bob = stage(&bench).await;
    let everything_else: Vec<&str> = iam_rows().collect();
    for action in &everything_else {
        // Allowed every other action of IAM, and everything else besides.
        let denied = serde_json::json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "NotAction": format!("iam:{action}"), "Resource": "*" },
        ]});
        let name = format!("not-{action}");
        let caller = bench.user(&bench.a, &name, &denied.to_string()).await;
        let version = bench.services.directory.snapshot().version();
        let parameters = parameters(action);
        let parameters = with_key(&parameters, &bob.access_key_id);
        let result = bench.call(&caller, action, &parameters).await;
        let message = refused(result, FaultCode::AccessDenied);
        let sentence = format!(
            "User: arn:aws:iam::111111111111:user/{name} is not authorized to perform: \
             iam:{action} on resource: "
        );
        assert!(message.starts_with(&sentence), "{message}");
        let why = format!("because no identity-based policy allows the iam:{action} action");
        assert!(message.ends_with(&why), "{message}");
        assert_eq!(bench.services.directory.snapshot().version(), version, "{action}");
    }
}

#[tokio::test]
async fn with_exactly_its_own_action_every_operation_is_allowed() {
    // What only reads leaves the stage as it was for the next.
    let mut untouched = None;
    for row in ROWS.iter().filter(|row| row.service == Service::Iam) {
        let action = row.name;
        let (bench, bob) = if let Some(staged) = untouched.take() {
            staged
        } else {
            let bench = Bench::new().await;
            let bob = stage(&bench).await;
            (bench, bob)
        };
        let own = format!("iam:{action}");
        let actions = [&[own.as_str()], besides(action)].concat();
        let name = format!("only-{action}");
        let caller = bench.user(&bench.a, &name, &allow(&actions)).await;
        let parameters = parameters(action);
        let parameters = with_key(&parameters, &bob.access_key_id);
        if action == "EnableOutboundWebIdentityFederation" {
            must(&bench, &bench.a, "DisableOutboundWebIdentityFederation", &[]).await;
        }
        let result = bench.call(&caller, action, &parameters).await;
        if ["GetLoginProfile", "DeleteLoginProfile"].contains(&action) {
            // Nobody has a password: whoever may ask is told so.
            refused(result, FaultCode::NoSuchEntity);
        } else {
            result.unwrap_or_else(|fault| panic!("{action}: {fault:?}"));
        }
        if row.effect == Effect::Read {
            untouched = Some((bench, bob));
        }
    }
}

#[tokio::test]
async fn a_denied_caller_cannot_tell_what_is_there_from_what_is_not() {
    let bench = Bench::new().await;
    let bob = stage(&bench).await;
    let caller = bench.user(&bench.a, "caller", &allow(&["s3:*"])).await;
    // Somewhere else than where a missing entity's ARN would put them.
    for (action, parameters) in [
        ("CreateUser", &[("UserName", "deep"), ("Path", "/far/away/")][..]),
        ("CreateGroup", &[("GroupName", "deep"), ("Path", "/far/away/")]),
        ("CreateInstanceProfile", &[("InstanceProfileName", "deep"), ("Path", "/far/away/")]),
        ("CreatePolicy", &[("PolicyName", "deep"), ("PolicyDocument", &allow(&["s3:*"]))]),
        ("CreateOpenIDConnectProvider", &[("Url", "https://deep.example")]),
        ("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "deep")]),
        ("CreateSAMLProvider", &[("Name", "deep"), ("SAMLMetadataDocument", METADATA)]),
        (
            "CreateRole",
            &[
                ("RoleName", "deep"),
                ("Path", "/far/away/"),
                ("AssumeRolePolicyDocument", &trusting(&["111111111111"])),
            ],
        ),
    ] {
        must(&bench, &bench.a, action, parameters).await;
    }
    for action in naming_rows() {
        let parameters = parameters(action);
        let parameters = with_key(&parameters, &bob.access_key_id);
        let mut told = Vec::new();
        for name in ["deep", "gone"] {
            let of_principals = action == "ListPoliciesGrantingServiceAccess";
            let kind = if of_principals || action.ends_with("PrincipalPolicy") {
                "user"
            } else {
                "policy"
            };
            let arn = format!("arn:aws:iam::111111111111:{kind}/{name}");
            let oidc = format!("arn:aws:iam::111111111111:oidc-provider/{name}.example");
            let saml = format!("arn:aws:iam::111111111111:saml-provider/{name}");
            let mfa = format!("arn:aws:iam::111111111111:mfa/{name}");
            let mut parameters = parameters.clone();
            parameters[0].1 = match parameters[0].0 {
                "PolicyArn" | "PolicySourceArn" | "Arn" => &arn,
                "OpenIDConnectProviderArn" => &oidc,
                "SAMLProviderArn" => &saml,
                "SerialNumber" => &mfa,
                "AccessKeyId" if name == "gone" => "AKIAQAAAAAAAAAAAAAAA",
                "AccessKeyId" => &bob.access_key_id,
                _ => name,
            };
            let fault = bench.call(&caller, action, &parameters).await.unwrap_err();
            // The sealed reason is never the same twice; its length must be.
            let whole = fault.told().chars().count();
            let message = refused(Err::<(), _>(fault), FaultCode::AccessDenied);
            told.push((message.replace(parameters[0].1, "NAME"), whole));
        }
        assert_eq!(told[0], told[1], "{action}");
    }
}

#[tokio::test]
async fn a_name_never_reaches_another_account() {
    let bench = Bench::new().await;
    let bob = stage(&bench).await;
    for action in naming_rows() {
        let parameters = parameters(action);
        let parameters = with_key(&parameters, &bob.access_key_id);
        refused(bench.call(&bench.b, action, &parameters).await, FaultCode::NoSuchEntity);
    }
}

#[tokio::test]
async fn effects_are_what_the_names_say() {
    for row in ROWS.iter().filter(|row| row.service == Service::Iam) {
        let expected = match row.name {
            "CreateAccessKey" | "CreateVirtualMFADevice" => Effect::Mint,
            name if ["Get", "List", "Generate", "Simulate"]
                .iter()
                .any(|it| name.starts_with(it)) =>
            {
                Effect::Read
            }
            _ => Effect::Write,
        };
        assert_eq!(row.effect, expected, "{}", row.name);
    }
}

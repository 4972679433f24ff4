//! What trust policies ask of federated identities.

use super::fixture::*;
use crate::policy::{DocumentKind, FederatedAllow, Lack};

const GITHUB: &str = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com";

fn allows(provider: &str, condition: &str) -> Vec<FederatedAllow> {
    policy(
        DocumentKind::Trust,
        &format!(
            r#"{{"Sid":"S","Effect":"Allow","Action":"sts:*","Principal":{{"Federated":"{provider}"}},"Condition":{condition}}}"#
        ),
    )
    .federated_allows()
}

/// M29: an allow for everybody at a provider is found.
#[test]
fn museum_m29_unconditioned_federated_allows_are_found() {
    for open in [
        "{}",
        r#"{"StringLike":{"token.actions.githubusercontent.com:sub":"*"}}"#,
        r#"{"StringLike":{"token.actions.githubusercontent.com:sub":["repo:a/b:*","*"]}}"#,
        r#"{"StringLike":{"token.actions.githubusercontent.com:sub":"${token.actions.githubusercontent.com:sub}"}}"#,
        r#"{"StringEqualsIfExists":{"token.actions.githubusercontent.com:sub":"repo:a/b"}}"#,
        r#"{"ForAllValues:StringEquals":{"token.actions.githubusercontent.com:sub":"repo:a/b"}}"#,
        r#"{"StringNotEquals":{"token.actions.githubusercontent.com:sub":"repo:a/b"}}"#,
        r#"{"Null":{"token.actions.githubusercontent.com:sub":"false"}}"#,
        r#"{"StringEquals":{"other.example.com:sub":"repo:a/b"}}"#,
        r#"{"StringEquals":{"aws:RequestedRegion":"eu"}}"#,
    ] {
        let found = allows(GITHUB, open);
        assert_eq!(found.len(), 1);
        assert!(found[0].is_unconditioned(), "{open}");
        assert_eq!((found[0].statement, found[0].sid.as_deref()), (0, Some("S")));
        assert_eq!(found[0].provider, GITHUB);
    }
}

#[test]
fn subjects_audiences_and_other_claims_are_told_apart() {
    let condition = r#"{
        "StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},
        "StringLike":{"Token.Actions.GithubUserContent.com:SUB":["repo:a/b:*","repo:c/d:ref"]},
        "ForAnyValue:StringLike":{"token.actions.githubusercontent.com:amr":"auth*"}
    }"#;
    let found = &allows(GITHUB, condition)[0];
    assert!(!found.is_unconditioned());
    assert_eq!(found.subjects, ["repo:a/b:*", "repo:c/d:ref"]);
    assert_eq!(found.audiences, ["sts.amazonaws.com"]);
    assert_eq!(found.claims, ["amr"]);
    let only_audience =
        r#"{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}"#;
    let found = &allows(GITHUB, only_audience)[0];
    assert!(found.subjects.is_empty() && !found.is_unconditioned());
    let saml = "arn:aws:iam::111111111111:saml-provider/Corp";
    let found = &allows(saml, r#"{"StringEquals":{"SAML:aud":"https://sp.example.com/saml"}}"#)[0];
    assert_eq!(found.audiences, ["https://sp.example.com/saml"]);
    let google =
        &allows("accounts.google.com", r#"{"StringEquals":{"accounts.google.com:sub":"7"}}"#)[0];
    assert_eq!(google.subjects, ["7"]);
}

#[test]
fn denies_and_other_principals_are_not_listed() {
    let trust = policy(
        DocumentKind::Trust,
        &format!(
            r#"{{"Effect":"Deny","Action":"sts:*","Principal":{{"Federated":"{GITHUB}"}}}},
               {{"Effect":"Allow","Action":"sts:*","Principal":{{"AWS":"*"}}}}"#
        ),
    );
    assert_eq!(trust.federated_allows(), []);
}

/// A subject of GitHub has to name an owner in full.
#[test]
fn museum_m29_a_subject_of_github_names_an_owner() {
    for (subject, named) in [
        ("repo:acme/app:ref:refs/heads/main", true),
        ("repo:acme/*", true),
        ("repo:acme:*", true),
        ("repo:acme", true),
        ("repository_owner:acme:*", true),
        ("enterprise_id:7:*", true),
        ("repo:acme*", false),
        ("repo:acme?/app", false),
        ("repo:*/app:*", false),
        ("repo:*", false),
        ("repo:/app", false),
        ("repo:", false),
        ("repo:${aws:username}/app", false),
        ("environment:production", false),
        ("*:acme/app", false),
        ("acme", false),
    ] {
        let condition = format!(
            r#"{{"StringLike":{{"token.actions.githubusercontent.com:sub":"{subject}"}}}}"#
        );
        let found = &allows(GITHUB, &condition)[0];
        assert_eq!(found.lack(), (!named).then_some(Lack::GithubOwner), "{subject}");
    }
    let both =
        r#"{"StringLike":{"token.actions.githubusercontent.com:sub":["repo:a/b","repo:*"]}}"#;
    assert_eq!(allows(GITHUB, both)[0].lack(), Some(Lack::GithubOwner));
    assert_eq!(allows(GITHUB, "{}")[0].lack(), Some(Lack::GithubOwner));
}

/// Where many organizations share an issuer, the claim that tells them apart has to say who.
#[test]
fn museum_m29_a_shared_issuer_needs_the_claim_that_tells_its_users_apart() {
    let lack = |issuer: &str, claim: &str, value: &str| {
        let provider = format!("arn:aws:iam::111111111111:oidc-provider/{issuer}");
        let condition = format!(r#"{{"StringLike":{{"{issuer}:{claim}":"{value}"}}}}"#);
        allows(&provider, &condition)[0].lack()
    };
    let claim = |issuer: &str, claim| Some(Lack::Claim { issuer: issuer.to_owned(), claim });
    for (value, says) in [
        ("project_path:team/app:ref_type:branch", true),
        ("project_path:team/*", true),
        ("system:team:*", true),
        ("7", true),
        ("project_path:*", false),
        ("project_path:team*", false),
        ("project_path:?eam/app", false),
        ("project_path:/*", false),
        ("project_path::*", false),
        ("project_path:", false),
        ("*:team/app", false),
        ("p?:team/app", false),
        ("project_path:${aws:username}/app", false),
    ] {
        let expected = if says { None } else { claim("gitlab.com", "sub") };
        assert_eq!(lack("gitlab.com", "sub", value), expected, "{value}");
    }
    assert_eq!(lack("gitlab.com", "aud", "https://gitlab.com"), claim("gitlab.com", "sub"));
    assert_eq!(lack("gitlab.com/group", "aud", "x"), claim("gitlab.com", "sub"));
    assert_eq!(lack("gitlab.com.example.com", "aud", "x"), None);
    assert_eq!(lack("oidc.vercel.com/acme", "aud", "https://vercel.com/acme"), None);
    assert_eq!(lack("oidc.vercel.com/acme", "sub", "owner:acme"), claim("oidc.vercel.com", "aud"));
    for issuer in [
        "studio.datachain.ai/api",
        "rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7",
        "oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb",
    ] {
        assert_eq!(lack(issuer, "aud", "sts.amazonaws.com"), claim(issuer, "sub"));
        assert_eq!(lack(issuer, "sub", "credentials:team/job"), None);
    }
    assert_eq!(lack("sandboxes.cloud", "sub", "x"), claim("sandboxes.cloud", "aud"));
    assert_eq!(lack("sandboxes.cloud", "aud", "https://sandboxes.cloud/team"), None);
    // An issuer of one's own needs any limit at all.
    assert_eq!(lack("idp.example.com", "aud", "client"), None);
    assert_eq!(lack("idp.example.com", "sub", "*"), Some(Lack::Condition));
}

/// The tokens of Microsoft Sentinel are alike for all of its customers: the name of the session tells
/// whose they are.
#[test]
fn museum_m29_an_issuer_whose_tokens_are_all_alike_needs_the_name_of_the_session() {
    let issuer = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d";
    let provider = format!("arn:aws:iam::111111111111:oidc-provider/{issuer}");
    let lack = |more: &str| {
        let condition = format!(r#"{{"StringEquals":{{"{issuer}:aud":"api://1462b192"}}{more}}}"#);
        allows(&provider, &condition)[0].lack()
    };
    let named = |operator: &str, name: &str| {
        lack(&format!(r#","{operator}":{{"STS:RoleSessionName":"{name}"}}"#))
    };
    let claim = Lack::Claim { issuer: issuer.to_owned(), claim: "sts:RoleSessionName" };
    let told = claim.to_string();
    assert!(told.contains("a condition on sts:RoleSessionName with"), "{told}");
    let lacking = Some(claim);
    assert_eq!(lack(""), lacking);
    assert_eq!(named("StringLike", "MicrosoftSentinel_0f3a"), None);
    assert_eq!(named("StringLike", "MicrosoftSentinel_*"), lacking);
    assert_eq!(named("StringLike", "*"), lacking);
    assert_eq!(named("StringEqualsIfExists", "MicrosoftSentinel_0f3a"), lacking);
    assert_eq!(named("StringNotEquals", "MicrosoftSentinel_0f3a"), lacking);
    // For everybody else it is a name that the caller chooses, and says nothing.
    let own = allows(
        "arn:aws:iam::111111111111:oidc-provider/idp.example.com",
        r#"{"StringEquals":{"sts:RoleSessionName":"job"}}"#,
    );
    assert_eq!(own[0].lack(), Some(Lack::Condition));
    assert_eq!(own[0].session_names, ["job"]);
}

//! What trust policies ask of federated identities.

use super::fixture::*;
use crate::policy::{DocumentKind, FederatedAllow};

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

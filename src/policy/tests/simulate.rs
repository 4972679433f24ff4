//! Simulations: callers, bindings, and what their results say besides the decision.

use crate::id::AccountId;
use crate::policy::simulate::{
    Outcome, Policies, Question, Source, add_caller_keys, caller, simulate,
};
use crate::policy::{Caller, Context, DocumentKind, Effect, Layer, Request};

const USER: &str = "arn:aws:iam::111111111111:user/team/alice";
const ROLE: &str = "arn:aws:iam::111111111111:role/app";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/app/one";

fn source(id: &str, text: &str, kind: DocumentKind) -> Source {
    Source::parse(id, text, kind).unwrap()
}

fn ask(principal: &str, action: &str, resource: &str, mut policies: Policies) -> Outcome {
    let caller = caller(principal).unwrap();
    policies.bind(&caller);
    let mut context = Context::new();
    add_caller_keys(&mut context, &caller);
    let request = Request { caller: &caller, action, resource, context: &context };
    let resource_account = AccountId::parse("111111111111").unwrap();
    simulate(&Question { request, resource_account }, &policies)
}

#[test]
fn arns_stand_for_callers() {
    assert!(matches!(caller(USER), Some(Caller::User { .. })));
    assert!(matches!(caller("111111111111"), Some(Caller::Root { .. })));
    assert!(matches!(caller("arn:aws:iam::111111111111:root"), Some(Caller::Root { .. })));
    for arn in [ROLE, SESSION] {
        let Some(Caller::RoleSession { role_arn, .. }) = caller(arn) else { panic!("{arn}") };
        assert_eq!(role_arn, ROLE);
    }
    assert!(matches!(
        caller("arn:aws:sts::111111111111:federated-user/bob"),
        Some(Caller::FederatedUser { .. })
    ));
    assert!(matches!(
        caller("arn:aws:iam::111111111111:oidc-provider/id.example"),
        Some(Caller::WebIdentity { .. })
    ));
    assert!(matches!(
        caller("arn:aws:iam::111111111111:saml-provider/corp"),
        Some(Caller::Saml { .. })
    ));
    assert!(matches!(caller("ec2.amazonaws.com"), Some(Caller::Service { .. })));
    for nobody in ["", "bob", "*", "arn:aws:s3:::b", "arn:aws:iam::111111111111:group/g"] {
        assert!(caller(nobody).is_none(), "{nobody}");
    }
}

/// A resource policy that names the caller grants to it, and one that names another does not.
#[test]
fn principals_are_bound_to_the_caller_and_to_nobody_else() {
    for (principal, named, allowed) in [
        (USER, USER, true),
        (USER, "arn:aws:iam::111111111111:user/alice", false),
        (ROLE, ROLE, true),
        (SESSION, ROLE, true),
        (SESSION, SESSION, true),
        (SESSION, "arn:aws:sts::111111111111:assumed-role/app/two", false),
        (USER, ROLE, false),
    ] {
        let text = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{named}"}},"Action":"s3:*","Resource":"*"}}}}"#
        );
        let resource = Some(source("bucket", &text, DocumentKind::Resource));
        let policies = Policies { resource, ..Policies::default() };
        let outcome = ask(principal, "s3:GetObject", "arn:aws:s3:::b/k", policies);
        assert_eq!(outcome.decision().is_allowed(), allowed, "{principal} {named}");
    }
}

#[test]
fn a_trust_policy_is_asked_for_the_role() {
    let text = format!(
        r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{USER}"}},"Action":"sts:AssumeRole",
            "Condition":{{"StringEquals":{{"sts:ExternalId":"x"}}}}}}}}"#
    );
    let trust = Some(source("trust", &text, DocumentKind::Trust));
    let outcome = ask(USER, "sts:AssumeRole", ROLE, Policies { trust, ..Policies::default() });
    assert_eq!(outcome.decision().effect(), Effect::ImplicitDeny);
    assert_eq!(outcome.decision().layer(), Layer::Trust);
    assert_eq!(outcome.missing, ["sts:ExternalId"]);
    let hint = outcome.trace.hint().unwrap();
    assert!(hint.contains("wants StringEquals sts:ExternalId x (the request has none)"), "{hint}");
}

#[test]
fn statements_are_placed_by_line_and_column() {
    let text = "{\"Version\":\"2012-10-17\",\n \"Statement\": [\n  {\"Effect\":\"Allow\",\"Action\":\"s3:Put*\",\"Resource\":\"*\"},\n  {\"Effect\":\"Allow\",\n   \"Action\":\"s3:*\",\"Resource\":\"*\"}]}";
    let identity = vec![source("own", text, DocumentKind::Identity)];
    let policies = Policies { identity, ..Policies::default() };
    let outcome = ask(USER, "s3:GetObject", "*", policies);
    let [only] = outcome.matched.as_slice() else { panic!("{:?}", outcome.matched) };
    assert_eq!((only.start, only.end), ((4, 3), (5, 35)));
    assert_eq!((only.matched.policy.as_str(), only.matched.statement), ("own", 1));
    let single = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let identity = vec![source("own", single, DocumentKind::Identity)];
    let outcome = ask(USER, "s3:GetObject", "*", Policies { identity, ..Policies::default() });
    assert_eq!(outcome.matched[0].start, (1, 14));
}

#[test]
fn what_a_boundary_and_an_organization_allow_is_told_by_itself() {
    let all = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let none = r#"{"Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}"#;
    for (boundary, scp) in [(all, all), (all, none), (none, all), (none, none)] {
        let policies = Policies {
            identity: vec![source("own", all, DocumentKind::Identity)],
            boundary: Some(source("limit", boundary, DocumentKind::Boundary)),
            service_control: vec![
                vec![source("root", all, DocumentKind::ServiceControl)],
                vec![source("account", scp, DocumentKind::ServiceControl)],
            ],
            ..Policies::default()
        };
        let outcome = ask(USER, "s3:GetObject", "*", policies);
        assert_eq!(outcome.boundary_allows, Some(boundary == all));
        assert_eq!(outcome.organization_allows, Some(scp == all));
        assert_eq!(outcome.decision().is_allowed(), boundary == all && scp == all);
        assert_eq!(outcome.across, None);
    }
}

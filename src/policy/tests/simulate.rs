//! Simulations: callers, bindings, and what their results say besides the decision.

use crate::id::AccountId;
use crate::policy::simulate::{
    Outcome, Policies, Question, Source, add_caller_keys, caller, simulate,
};
use crate::policy::{Caller, Context, DocumentKind, Effect, Layer, Request, Value};

const USER: &str = "arn:aws:iam::111111111111:user/team/alice";
const ROLE: &str = "arn:aws:iam::111111111111:role/app";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/app/one";
const FEDERATED: &str = "arn:aws:sts::111111111111:federated-user/bob";

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
    for nobody in [
        "",
        "bob",
        "*",
        "arn:aws:s3:::b",
        "arn:aws:iam::111111111111:group/g",
        "arn:aws:iam::111111111111:rooted",
    ] {
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
        (SESSION, "arn:aws:iam::111111111111:role/other", false),
        (SESSION, USER, false),
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

#[test]
fn a_source_has_its_name_and_its_size() {
    let text = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let source = source("PolicyInputList.1", text, DocumentKind::Identity);
    assert_eq!((source.id(), source.size()), ("PolicyInputList.1", text.len()));
}

#[test]
fn who_the_caller_is_says_some_of_the_keys() {
    for (principal, arn, kind, name) in [
        ("111111111111", "arn:aws:iam::111111111111:root", "Account", None),
        (USER, USER, "User", Some("alice")),
        (SESSION, ROLE, "AssumedRole", None),
        (FEDERATED, FEDERATED, "FederatedUser", None),
    ] {
        let mut context = Context::new();
        add_caller_keys(&mut context, &caller(principal).unwrap());
        let mut expected = Context::new()
            .with("aws:PrincipalArn", arn)
            .with("aws:PrincipalType", kind)
            .with("aws:PrincipalAccount", "111111111111");
        if let Some(name) = name {
            expected = expected.with("aws:username", name);
        }
        assert_eq!(context, expected, "{principal}");
    }
    let mut given = Context::new().with("AWS:UserName", "bob");
    add_caller_keys(&mut given, &caller(USER).unwrap());
    assert_eq!(given.get("aws:username"), Some(&Value::One("bob".to_owned())));
    for nobody in ["ec2.amazonaws.com", "arn:aws:iam::111111111111:saml-provider/corp"] {
        let mut context = Context::new();
        add_caller_keys(&mut context, &caller(nobody).unwrap());
        assert_eq!(context, Context::new(), "{nobody}");
    }
}

/// Two accounts: what each side decides by itself is told, and each needs the other.
#[test]
fn both_sides_are_told_of_across_accounts() {
    use Effect::{Allow, ExplicitDeny, ImplicitDeny};

    const THERE: &str = "arn:aws:iam::222222222222:user/alice";
    let own = |effect: &str| {
        let text = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Action":"sqs:*","Resource":"*"}},
                {{"Effect":"{effect}","Action":"s3:*","Resource":"*"}}]}}"#
        );
        source("own", &text, DocumentKind::Identity)
    };
    let bucket = |principal: &str| {
        let text = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"s3:*","Resource":"*"}}}}"#
        );
        source("bucket", &text, DocumentKind::Resource)
    };
    for (identity, resource, across, decided) in [
        (vec![own("Allow")], Some(bucket(THERE)), (Allow, Allow), Allow),
        (vec![own("Allow")], Some(bucket("222222222222")), (Allow, Allow), Allow),
        (vec![own("Allow")], Some(bucket(USER)), (Allow, ImplicitDeny), ImplicitDeny),
        (vec![own("Allow")], None, (Allow, ImplicitDeny), ImplicitDeny),
        (vec![], Some(bucket(THERE)), (ImplicitDeny, Allow), ImplicitDeny),
        (vec![own("Deny")], Some(bucket(THERE)), (ExplicitDeny, Allow), ExplicitDeny),
    ] {
        let outcome =
            ask(THERE, "s3:GetObject", "*", Policies { identity, resource, ..Policies::default() });
        assert_eq!(outcome.across, Some(across));
        assert_eq!(outcome.decision().effect(), decided);
    }
    // What limits the owner of the resource is the other side's.
    let text = r#"{"Version":"2012-10-17","Statement":
        {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}"#;
    let limit = source("limit", text, DocumentKind::ResourceControl);
    let policies = Policies {
        identity: vec![own("Allow")],
        resource: Some(bucket(THERE)),
        resource_control: vec![vec![limit]],
        ..Policies::default()
    };
    let outcome = ask(THERE, "s3:GetObject", "*", policies);
    assert_eq!(outcome.across.map(|(mine, _)| mine), Some(Allow));
    assert_eq!(outcome.decision().effect(), ExplicitDeny);
}

/// Each layer's statement is placed in its own document, though others are called alike.
#[test]
fn statements_are_placed_in_the_document_of_their_layer() {
    let text = |line: usize, effect: &str, principal: &str| {
        let lines = "\n".repeat(line);
        format!(
            r#"{{"Statement":{lines}{{"Effect":"{effect}",{principal}"Action":"s3:*","Resource":"*"}}}}"#
        )
    };
    let limit = |line, effect: &str, kind| source("same", &text(line, effect, ""), kind);
    let two = |line, effect: [&str; 2], kind| {
        let second = Source::parse("second", &text(line + 1, effect[1], ""), kind).unwrap();
        vec![limit(line, effect[0], kind), second]
    };
    let policies = |denied: &str| {
        let effect = |layer: &str| if layer == denied { ["Allow", "Deny"] } else { ["Allow"; 2] };
        let anyone = text(9, effect("resource")[1], r#""Principal":"*","#);
        Policies {
            identity: two(1, effect("identity"), DocumentKind::Identity),
            boundary: Some(limit(3, effect("boundary")[1], DocumentKind::Boundary)),
            session: Some(two(4, effect("session"), DocumentKind::Session)),
            resource: Some(source("same", &anyone, DocumentKind::Resource)),
            service_control: vec![two(6, effect("scp"), DocumentKind::ServiceControl)],
            resource_control: vec![
                ["same", "second"]
                    .into_iter()
                    .zip(effect("rcp"))
                    .zip([11, 12])
                    .map(|((name, effect), line)| {
                        let text = text(line, effect, r#""Principal":"*","#);
                        source(name, &text, DocumentKind::ResourceControl)
                    })
                    .collect(),
            ],
            ..Policies::default()
        }
    };
    for (denied, layer, name, line) in [
        ("identity", Layer::Identity, "second", 3),
        ("boundary", Layer::Boundary, "same", 4),
        ("session", Layer::Session, "second", 6),
        ("resource", Layer::Resource, "same", 10),
        ("scp", Layer::ServiceControl, "second", 8),
        ("rcp", Layer::ResourceControl, "second", 13),
    ] {
        let outcome = ask(SESSION, "s3:GetObject", "*", policies(denied));
        assert_eq!(outcome.decision().effect(), Effect::ExplicitDeny);
        let [only] = outcome.matched.as_slice() else { panic!("{:?}", outcome.matched) };
        assert_eq!((only.matched.layer, only.matched.policy.as_str()), (layer, name));
        assert_eq!(only.start.0, line, "{denied}");
    }
}

//! Who is named, and by what.

use super::fixture::*;
use crate::id::UniqueId;
use crate::policy::{Caller, DocumentKind, Effect, Policy, Reason, Unresolved};

const OTHER_ROLE_ID: &str = "AROAREADER00000000002";

fn session_of(role_id: &str, session_name: &str) -> Caller {
    Caller::RoleSession {
        account: account(),
        role_id: UniqueId::parse(role_id).unwrap(),
        role_arn: ROLE_ARN.into(),
        session_name: session_name.into(),
        session_arn: format!("arn:aws:sts::111111111111:assumed-role/reader/{session_name}"),
    }
}

fn trusting(principal: &str) -> World {
    World { trust: Some(trusts("Allow", principal)), ..World::default() }
}

fn aws(name: &str) -> String {
    format!(r#"{{"AWS":"{name}"}}"#)
}

fn refusal(kind: DocumentKind, principal: &str) -> Reason {
    let resource = if kind == DocumentKind::Trust { "" } else { r#""Resource":"*","# };
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny",{resource}"Action":"sts:*",{principal}}}}}"#
    );
    let error = Policy::parse(&text, kind).expect_err(principal);
    assert!(error.path.contains("Principal") || error.path == "$.Statement", "{error}");
    error.reason
}

/// M18, M25: the ID decides; a recreated name revives nothing, the same name elsewhere is another.
#[test]
fn museum_m18_m25_a_role_is_its_unique_id() {
    for principal in [aws(ROLE_ARN), aws(SESSION_ARN), aws(role_id().as_str())] {
        let world = trusting(&principal);
        let assume = |caller: &Caller| world.assume(caller, "sts:AssumeRole").is_allowed();
        assert!(assume(&session()), "{principal}");
        assert!(!assume(&session_of(OTHER_ROLE_ID, "job-7")), "recreated: {principal}");
        let elsewhere = Caller::RoleSession {
            account: other_account(),
            role_id: UniqueId::parse(OTHER_ROLE_ID).unwrap(),
            role_arn: "arn:aws:iam::222222222222:role/app/reader".into(),
            session_name: "job-7".into(),
            session_arn: "arn:aws:sts::222222222222:assumed-role/reader/job-7".into(),
        };
        assert!(!assume(&elsewhere));
    }
    let world = trusting(&aws(SESSION_ARN));
    assert!(!world.assume(&session_of(role_id().as_str(), "job-8"), "sts:AssumeRole").is_allowed());
    let recreated = Caller::User {
        account: account(),
        id: UniqueId::parse("AIDAALICE000000000002").unwrap(),
        arn: USER_ARN.into(),
    };
    for principal in [aws(USER_ARN), aws(user_id().as_str())] {
        assert!(trusting(&principal).assume(&user(), "sts:AssumeRole").is_allowed());
        assert!(!trusting(&principal).assume(&recreated, "sts:AssumeRole").is_allowed());
    }
}

#[test]
fn an_unbound_arn_grants_nothing_and_still_denies() {
    for (arn, caller) in [(USER_ARN, user()), (ROLE_ARN, session()), (SESSION_ARN, session())] {
        for (effect, expected) in [("Allow", Effect::ImplicitDeny), ("Deny", Effect::ExplicitDeny)]
        {
            let mut trust = trusts(effect, &aws(arn));
            assert_eq!(trust.bind_known(&mut |_| None), [arn]);
            let world = World { trust: Some(trust), ..World::default() };
            assert_eq!(world.assume(&caller, "sts:AssumeRole").effect(), expected, "{arn}");
        }
    }
}

#[test]
fn binding_wants_an_id_of_the_right_kind_for_every_arn_or_changes_nothing() {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":["{USER_ARN}","{ROLE_ARN}","{USER_ARN}"]}}}},
            {{"Effect":"Deny","Action":"sts:AssumeRole","Principal":{{"AWS":["{SESSION_ARN}","{FEDERATED_ARN}","222222222222","{}"],"Service":"a.b"}}}}
        ]}}"#,
        role_id()
    );
    let mut policy = Policy::parse(&text, DocumentKind::Trust).unwrap();
    assert_eq!(policy.principals(), [USER_ARN, ROLE_ARN, SESSION_ARN]);
    let missing = policy.bind(&mut |arn| if arn == ROLE_ARN { None } else { directory(arn) });
    assert_eq!(missing, Err(Unresolved { arn: ROLE_ARN.into() }));
    let wrong = policy.bind(&mut |_| Some(user_id()));
    assert_eq!(wrong, Err(Unresolved { arn: ROLE_ARN.into() }));
    assert_eq!(
        wrong.unwrap_err().to_string(),
        "the principal arn:aws:iam::111111111111:role/app/reader does not exist"
    );
    let ask = |policy: &Policy| {
        let world = World { trust: Some(policy.clone()), ..World::default() };
        world.assume(&user(), "sts:AssumeRole").is_allowed()
    };
    assert!(!ask(&policy), "still unbound");
    assert_eq!(policy.bind(&mut directory), Ok(()));
    assert!(ask(&policy));
}

#[test]
fn an_account_is_its_number_or_its_root_arn_and_means_everybody_in_it() {
    let allowed = identity(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    for name in ["111111111111", "arn:aws:iam::111111111111:root"] {
        for caller in [user(), session(), root()] {
            let world = World { identity: vec![allowed.clone()], ..trusting(&aws(name)) };
            assert!(world.assume(&caller, "sts:AssumeRole").is_allowed(), "{caller:?}");
            let deny = World { trust: Some(trusts("Deny", &aws(name))), ..world };
            assert_eq!(deny.assume(&caller, "sts:AssumeRole").effect(), Effect::ExplicitDeny);
        }
        assert!(!trusting(&aws(name)).assume(&Caller::Anonymous, "sts:AssumeRole").is_allowed());
    }
}

#[test]
fn everyone_is_written_in_two_ways() {
    for principal in [r#""*""#, r#"{"AWS":"*"}"#, r#"{"AWS":["*"]}"#] {
        for caller in [user(), session(), root(), Caller::Anonymous] {
            assert!(trusting(principal).assume(&caller, "sts:AssumeRole").is_allowed());
        }
        // A token of any provider at all is not what the author has in mind...
        assert!(!trusting(principal).assume(&web_identity(), "sts:AssumeRole").is_allowed());
        // ... but a deny for everyone is for everyone.
        let world = World { trust: Some(trusts("Deny", principal)), ..World::default() };
        let decision = world.assume(&web_identity(), "sts:AssumeRole");
        assert_eq!(decision.effect(), Effect::ExplicitDeny);
    }
}

#[test]
fn federated_and_service_principals_match_exactly() {
    const IDP: &str = OIDC_ARN;
    const SAML: &str = "arn:aws:iam::111111111111:saml-provider/Corp";
    let oidc = |provider: &str| Caller::WebIdentity { provider: provider.into() };
    let saml = |provider: &str| Caller::Saml { provider: provider.into() };
    let service = |name: &str| Caller::Service { name: name.into() };
    let federated = |name: &str| format!(r#"{{"Federated":"{name}"}}"#);
    for (principal, caller, expected) in [
        (federated(IDP), oidc(IDP), true),
        (federated(IDP), oidc(&format!("{IDP}/tenant")), false),
        (federated(IDP), oidc(&format!("{IDP}.evil.org")), false),
        (federated(&format!("{IDP}/tenant")), oidc(IDP), false),
        (federated(IDP), oidc("idp.example.com"), false),
        (federated("accounts.google.com"), oidc("accounts.google.com"), true),
        (federated("accounts.google.com"), oidc("accounts.google.com.evil.org"), false),
        (federated("accounts.google.com"), oidc("Accounts.google.com"), false),
        (federated(SAML), saml(SAML), true),
        (federated(SAML), saml("arn:aws:iam::111111111111:saml-provider/Corp2"), false),
        (federated(SAML), saml("arn:aws:iam::222222222222:saml-provider/Corp"), false),
        (r#"{"Service":"ec2.amazonaws.com"}"#.into(), service("ec2.amazonaws.com"), true),
        (r#"{"Service":"ec2.amazonaws.com"}"#.into(), service("EC2.amazonaws.com"), false),
        (r#"{"Service":"ec2.amazonaws.com"}"#.into(), oidc("ec2.amazonaws.com"), false),
    ] {
        let allowed = trusting(&principal).assume(&caller, "sts:AssumeRole").is_allowed();
        assert_eq!(allowed, expected, "{principal} {caller:?}");
    }
}

#[test]
fn what_cannot_be_a_principal_is_refused() {
    for (principal, reason) in [
        (r#""Principal":"111111111111""#, Reason::Principal),
        (r#""Principal":{"AWS":"11111111111"}"#, Reason::Principal),
        (r#""Principal":{"AWS":"AKIAIOSFODNN7EXAMPLE"}"#, Reason::Principal),
        (r#""Principal":{"AWS":"AGPAREADER00000000001"}"#, Reason::Principal),
        (r#""Principal":{"AWS":"arn:aws:iam::111111111111:group/g"}"#, Reason::Principal),
        (r#""Principal":{"AWS":"arn:aws:iam::111111111111:user/"}"#, Reason::Principal),
        (r#""Principal":{"AWS":"arn:aws:iam::111111111111:role/a b"}"#, Reason::Principal),
        (
            r#""Principal":{"AWS":"arn:aws:iam::111111111111:role/${aws:username}"}"#,
            Reason::Principal,
        ),
        (r#""Principal":{"AWS":"arn:aws-cn:iam::111111111111:root"}"#, Reason::Principal),
        (r#""Principal":{"AWS":"arn:aws:iam::111111111111:role/a${b}/c"}"#, Reason::Principal),
        (r#""Principal":{"AWS":"arn:aws:iam::111111111111:user/a$b/c"}"#, Reason::Principal),
        (r#""Principal":{"AWS":"arn:aws:iam:eu-west-1:111111111111:root"}"#, Reason::Principal),
        (
            r#""Principal":{"Federated":"arn:aws:iam:eu:111111111111:oidc-provider/a.b"}"#,
            Reason::Principal,
        ),
        (r#""Principal":{"Federated":"arn:aws:iam:::oidc-provider/a.b"}"#, Reason::Principal),
        (
            r#""Principal":{"Federated":"arn:aws-cn:iam::111111111111:oidc-provider/a.b"}"#,
            Reason::Principal,
        ),
        (
            r#""Principal":{"Federated":"arn:aws:sts::111111111111:oidc-provider/a.b"}"#,
            Reason::Principal,
        ),
        (
            r#""Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/a b"}"#,
            Reason::Principal,
        ),
        (r#""Principal":{"Federated":"arn:aws:iam::1:saml-provider/Corp"}"#, Reason::Principal),
        (r#""Principal":{"AWS":"arn:aws:iam:::root"}"#, Reason::Principal),
        (r#""Principal":{"AWS":"arn:aws:sts::111111111111:assumed-role/r"}"#, Reason::Principal),
        (
            r#""Principal":{"AWS":"arn:aws:sts::111111111111:assumed-role/r/s/t"}"#,
            Reason::Principal,
        ),
        (r#""Principal":{"AWS":"arn:aws:s3:::bucket"}"#, Reason::Principal),
        (r#""Principal":{"AWS":""}"#, Reason::Principal),
        (r#""Principal":{"AWS":"arn:aws:iam::111111111111:role/*"}"#, Reason::PrincipalWildcard),
        (r#""Principal":{"AWS":"arn:aws:iam::*:root"}"#, Reason::PrincipalWildcard),
        (
            r#""Principal":{"AWS":"arn:aws:sts::111111111111:assumed-role/r/*"}"#,
            Reason::PrincipalWildcard,
        ),
        (r#""Principal":{"AWS":"11111111111?"}"#, Reason::PrincipalWildcard),
        (r#""Principal":{"AWS":"AROA*"}"#, Reason::PrincipalWildcard),
        (r#""Principal":{"Service":"*"}"#, Reason::PrincipalWildcard),
        (r#""Principal":{"Service":"*.amazonaws.com"}"#, Reason::PrincipalWildcard),
        (r#""Principal":{"Federated":"*"}"#, Reason::PrincipalWildcard),
        (
            r#""Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/*"}"#,
            Reason::PrincipalWildcard,
        ),
        (r#""Principal":{"Federated":"arn:aws:iam::111111111111:user/u"}"#, Reason::Principal),
        (r#""Principal":{"Federated":"https://a b"}"#, Reason::Principal),
        (r#""Principal":{"CanonicalUser":"79a5"}"#, Reason::PrincipalType),
        (r#""Principal":{"Group":"g"}"#, Reason::PrincipalType),
        (r#""Principal":{"aws":"*"}"#, Reason::WrongCase { expected: "AWS" }),
        (r#""Principal":{}"#, Reason::Empty),
        (r#""Principal":{"AWS":[]}"#, Reason::Empty),
        (
            r#""Principal":["*"]"#,
            Reason::WrongType { expected: "* or an object", found: "an array" },
        ),
        (
            r#""Principal":{"AWS":111111111111}"#,
            Reason::WrongType { expected: "a string or an array of strings", found: "a number" },
        ),
    ] {
        for kind in [DocumentKind::Trust, DocumentKind::Resource] {
            assert_eq!(refusal(kind, principal), reason, "{principal}");
        }
    }
}

#[test]
fn not_principal_stands_only_in_denies_of_resource_policies() {
    let named = r#""NotPrincipal":{"AWS":"111111111111"}"#;
    assert_eq!(
        refusal(DocumentKind::Trust, named),
        Reason::NotInThisKind { kind: DocumentKind::Trust }
    );
    assert_eq!(refusal(DocumentKind::Resource, r#""NotPrincipal":"*""#), Reason::NotPrincipal);
    let allow = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"*","Resource":"*",{named}}}}}"#
    );
    let error = Policy::parse(&allow, DocumentKind::Resource).unwrap_err();
    assert_eq!(error.reason, Reason::NotPrincipal);
}

#[test]
fn not_principal_spares_only_those_listed_with_their_account_and_without_a_boundary() {
    const ROOT: &str = "arn:aws:iam::111111111111:root";
    let service = Caller::Service { name: "ec2.amazonaws.com".into() };
    let rows: [(Caller, Vec<&str>, bool); 13] = [
        (user(), vec![USER_ARN, ROOT], true),
        (user(), vec![USER_ARN, "111111111111"], true),
        (user(), vec![USER_ARN], false),
        (user(), vec![ROOT], false),
        (user(), vec![ROLE_ARN, ROOT], false),
        (session(), vec![SESSION_ARN, ROLE_ARN, ROOT], true),
        (session(), vec![ROLE_ARN, ROOT], false),
        (session(), vec![SESSION_ARN, ROOT], false),
        (session(), vec![SESSION_ARN, ROLE_ARN], false),
        (root(), vec![ROOT], true),
        (federated(), vec![FEDERATED_ARN, ROOT], true),
        (federated(), vec![USER_ARN, ROOT], false),
        (Caller::Anonymous, vec![ROOT], false),
    ];
    let everything = || identity(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
    let deny = |element: &str| {
        policy(
            DocumentKind::Resource,
            &format!(r#"{{"Effect":"Deny","Action":"*","Resource":"*","NotPrincipal":{element}}}"#),
        )
    };
    for (caller, list, spared) in rows {
        let list = list.iter().map(|arn| format!("\"{arn}\"")).collect::<Vec<_>>().join(",");
        let mut world = World {
            identity: vec![everything()],
            session: Some(vec![everything()]),
            resource: Some(deny(&format!(r#"{{"AWS":[{list}]}}"#))),
            ..World::default()
        };
        let denied = |world: &World| world.decide(&caller).effect() == Effect::ExplicitDeny;
        assert_eq!(!denied(&world), spared, "{caller:?} {list}");
        world.boundary = Some(everything());
        assert!(denied(&world), "a boundary: {caller:?} {list}");
    }
    let world =
        World { resource: Some(deny(r#"{"Service":"ec2.amazonaws.com"}"#)), ..World::default() };
    assert_eq!(world.decide(&service).effect(), Effect::ImplicitDeny);
    assert_eq!(world.decide(&user()).effect(), Effect::ExplicitDeny);
}

#[test]
fn not_principal_with_an_unbound_arn_spares_nobody() {
    let mut resource = policy(
        DocumentKind::Resource,
        &format!(
            r#"{{"Effect":"Deny","Action":"*","Resource":"*","NotPrincipal":{{"AWS":["{USER_ARN}","111111111111"]}}}}"#
        ),
    );
    resource.bind_known(&mut |_| None);
    let world = World { resource: Some(resource), ..World::default() };
    assert_eq!(world.decide(&user()).effect(), Effect::ExplicitDeny);
}

#[test]
fn a_pattern_of_principal_arns_limits_but_does_not_name() {
    let narrow = || identity(r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"}"#);
    for (operator, operand, bypasses) in [
        ("ArnEquals", ROLE_ARN, true),
        ("StringEquals", ROLE_ARN, true),
        ("ForAnyValue:ArnEquals", ROLE_ARN, true),
        ("ArnLike", "arn:aws:iam::111111111111:role/*", false),
        ("StringLike", "*", false),
        ("ArnEqualsIfExists", ROLE_ARN, false),
        ("ForAllValues:ArnEquals", ROLE_ARN, false),
        ("ArnNotEquals", USER_ARN, false),
        ("StringEquals", "${aws:PrincipalArn}", false),
    ] {
        let condition = format!(r#"{{"{operator}":{{"aws:PrincipalArn":"{operand}"}}}}"#);
        let mut world = World {
            boundary: Some(narrow()),
            resource: Some(names("Allow", r#""*""#, &condition)),
            ..World::default()
        };
        world.context.insert("aws:PrincipalArn", crate::policy::Value::One(ROLE_ARN.into()));
        assert_eq!(world.decide(&session()).is_allowed(), bypasses, "{condition}");
        world.boundary = None;
        assert!(world.decide(&session()).is_allowed(), "{condition}");
    }
}

#[test]
fn a_document_in_the_wrong_layer_grants_nothing_and_denies() {
    let with_principal = |effect: &str| names(effect, r#""*""#, "{}");
    let without = |effect: &str| identity(&about(effect, "{}"));
    for (effect, expected) in [("Allow", Effect::ImplicitDeny), ("Deny", Effect::ExplicitDeny)] {
        let as_identity = World { identity: vec![with_principal(effect)], ..World::default() };
        assert_eq!(as_identity.decide(&user()).effect(), expected);
        let as_resource = World { resource: Some(without(effect)), ..World::default() };
        assert_eq!(as_resource.decide(&user()).effect(), expected);
        let organization = policy(
            DocumentKind::ResourceControl,
            &format!(r#"{{"Effect":"{effect}","Principal":"*","Action":"*","Resource":"*"}}"#),
        );
        let world = World { resource: Some(organization.clone()), ..World::default() };
        assert_eq!(world.decide(&user()).effect(), expected);
        let world = World { identity: vec![organization], ..World::default() };
        assert_eq!(world.decide(&user()).effect(), expected);
    }
}

#[test]
fn a_resource_control_policy_is_about_everyone() {
    let rcp = |effect: &str| {
        policy(
            DocumentKind::ResourceControl,
            &format!(r#"{{"Effect":"{effect}","Principal":"*","Action":"sts:*","Resource":"*"}}"#),
        )
    };
    let mut world = trusting(&format!(r#"{{"Federated":"{OIDC_ARN}"}}"#));
    world.resource_control = vec![vec![rcp("Allow")]];
    assert!(world.assume(&web_identity(), "sts:AssumeRoleWithWebIdentity").is_allowed());
    world.resource_control[0].push(rcp("Deny"));
    let decision = world.assume(&web_identity(), "sts:AssumeRoleWithWebIdentity");
    assert_eq!(decision.effect(), Effect::ExplicitDeny);
    for bad in [r#"{"AWS":"111111111111"}"#, r#"{"AWS":["*","*"]}"#] {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"s3:*","Resource":"*","Principal":{bad}}}}}"#
        );
        let error = Policy::parse(&text, DocumentKind::ResourceControl).unwrap_err();
        assert_eq!(error.reason, Reason::NotEveryone);
    }
}

//! Where checks begin and end: for each condition of a check documents on both of its sides.

use super::super::Code::{
    self, AnySingle, ArnAccount, ArnPartition, ArnRegion, Contradiction, DocumentTooLong,
    ForAllSingle, ForAllWithoutNull, MfaDeny, MfaIfExists, MissingQualifier, NearSize,
    OperatorType, PassRoleStar, PerimeterOperator, RedundantAction, RedundantResource,
    RedundantStatement, RolesAnywhereActions, ServicePrincipal, SizeIdentity, StarPrincipal,
    StringForTyped, TrustAction, UnknownAction, UnknownGlobalKey,
};
use super::super::{Severity, is_multivalued, lint};
use super::fixtures::{allow, cond, deny, doc, sized, trust};
use crate::policy::DocumentKind::{
    self, Identity, Resource, ResourceControl, ServiceControl, Trust,
};

fn count(code: Code, kind: DocumentKind, text: &str) -> usize {
    lint(text, Some(kind)).findings.iter().filter(|finding| finding.code == code).count()
}

#[track_caller]
fn fires(code: Code, kind: DocumentKind, text: &str) {
    assert_eq!(count(code, kind, text), 1, "{code} at {text}");
}

#[track_caller]
fn silent(code: Code, kind: DocumentKind, text: &str) {
    assert_eq!(count(code, kind, text), 0, "{code} at {text}");
}

#[test]
fn a_deny_gives_nothing_away() {
    let pass = "'Action':'iam:PassRole','Resource':'*'";
    fires(PassRoleStar, Identity, &allow(pass));
    silent(PassRoleStar, Identity, &doc(&format!("{{'Effect':'Deny',{pass}}}")));
    silent(PassRoleStar, Resource, &allow(&format!("{pass},'Principal':{{'AWS':'111122223333'}}")));
    let everyone = "'Action':'s3:*','Resource':'*','Principal':'*'";
    fires(StarPrincipal, Resource, &allow(everyone));
    silent(StarPrincipal, Resource, &doc(&format!("{{'Effect':'Deny',{everyone}}}")));
    silent(StarPrincipal, ResourceControl, &allow(everyone));
    silent(MfaDeny, Identity, &cond("{'Bool':{'aws:MultiFactorAuthPresent':'false'}}"));
    silent(MfaDeny, Identity, &deny("{'Bool':{'aws:MultiFactorAuthPresent':'true'}}"));
}

#[test]
fn everyone_is_a_star_and_a_service_acts_for_others() {
    let (account, service) = ("{'AWS':'111122223333'}", "{'Service':'sns.amazonaws.com'}");
    let on_queue = |principal: &str| {
        allow(&format!("'Action':'sqs:SendMessage','Resource':'*','Principal':{principal}"))
    };
    for principal in [account, service] {
        let trusted = trust(&format!("'Principal':{principal}"));
        silent(StarPrincipal, Trust, &trusted);
        silent(ServicePrincipal, Trust, &trusted);
        silent(StarPrincipal, Resource, &on_queue(principal));
    }
    silent(ServicePrincipal, Resource, &on_queue(account));
    fires(ServicePrincipal, Resource, &on_queue(service));
    fires(StarPrincipal, Resource, &on_queue("{'AWS':'*'}"));
}

#[test]
fn every_role_is_one_of_some_account() {
    let role = |arn: &str| allow(&format!("'Action':'iam:PassRole','Resource':'{arn}'"));
    for every in ["*", "role*", "role/*"] {
        fires(PassRoleStar, Identity, &role(&format!("arn:aws:iam::111122223333:{every}")));
    }
    for some in [
        "arn:aws:iam::111122223333:role/app*",
        "arn:aws:iam:::role/*",
        "arn:aws:s3::111122223333:*",
    ] {
        silent(PassRoleStar, Identity, &role(some));
    }
}

#[test]
fn each_type_of_principal_has_its_action() {
    let trusts = |action: &str, principal: &str| {
        allow(&format!("'Action':'{action}','Principal':{{{principal}}}"))
    };
    let aws = "'AWS':'111122223333'";
    let service = "'Service':'ec2.amazonaws.com'";
    let oidc = "'Federated':'arn:aws:iam::111122223333:oidc-provider/id.example'";
    let saml = "'Federated':'arn:aws:iam::111122223333:saml-provider/x'";
    let (plain, by_saml, by_web) =
        ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity");
    for (principal, own) in [(aws, plain), (service, plain), (oidc, by_web), (saml, by_saml)] {
        for action in [plain, by_saml, by_web] {
            let text = trusts(action, principal);
            if action == own {
                silent(TrustAction, Trust, &text);
            } else {
                fires(TrustAction, Trust, &text);
            }
        }
        silent(TrustAction, Trust, &trusts("sts:*", principal));
        silent(TrustAction, Trust, &trusts("sts:TagSession", principal));
    }
    let denied = trusts(by_saml, aws).replace("Allow", "Deny");
    silent(TrustAction, Trust, &denied);
}

/// Nobody is told to list what no provider says.
#[test]
fn actions_are_named_as_aws_spells_them() {
    let principal = "'Federated':'arn:aws:iam::111122223333:oidc-provider/id.example'";
    let text = allow(&format!("'Action':'sts:AssumeRole','Principal':{{{principal}}}"));
    let findings = lint(&text, Some(Trust)).findings;
    let finding = findings.iter().find(|finding| finding.code == TrustAction).unwrap();
    assert!(finding.message.contains(" sts:AssumeRoleWithWebIdentity,"), "{}", finding.message);
}

#[test]
fn roles_anywhere_is_to_set_tags_and_source_identity() {
    let anywhere = "rolesanywhere.amazonaws.com";
    let statement = |service: &str, actions: &str, effect: &str| {
        format!(
            "{{'Effect':'{effect}','Action':[{actions}],'Principal':{{'Service':'{service}'}}}}"
        )
    };
    let (assume, tag, name) = ("'sts:AssumeRole'", "'sts:TagSession'", "'sts:SetSourceIdentity'");
    let all = format!("{assume},{tag},{name}");
    let some = format!("{assume},{tag}");
    // One is as bad as both.
    let text = doc(&statement(anywhere, &some, "Allow"));
    fires(RolesAnywhereActions, Trust, &text);
    let findings = lint(&text, Some(Trust)).findings;
    assert!(findings[0].message.contains("allow sts:SetSourceIdentity too"), "{findings:?}");
    let with = |other: &str| doc(&format!("{},{other}", statement(anywhere, &some, "Allow")));
    // What another statement allows is allowed.
    silent(RolesAnywhereActions, Trust, &with(&statement(anywhere, name, "Allow")));
    fires(RolesAnywhereActions, Trust, &with(&statement(anywhere, name, "Deny")));
    fires(RolesAnywhereActions, Trust, &with(&statement("ec2.amazonaws.com", name, "Allow")));
    for fine in [
        statement(anywhere, &all, "Allow"),
        statement(anywhere, "'sts:*'", "Allow"),
        statement(anywhere, tag, "Allow"),
        statement(anywhere, assume, "Deny"),
        statement("ec2.amazonaws.com", assume, "Allow"),
    ] {
        silent(RolesAnywhereActions, Trust, &doc(&fine));
    }
}

#[test]
fn actions_of_the_brokers_services_are_known_and_others_taken() {
    let action = |name: &str| allow(&format!("'Action':'{name}','Resource':'*'"));
    for unknown in [
        "iam:GetRoles",
        "IAM:PassRoles*",
        "sts:AssumeRoles",
        "countersign:RevokeSession",
        "organizations:DescribeOrganisation",
        "rolesanywhere:CreateTrustAnchors",
        "eks:CreatePodIdentity",
        "eks-auth:AssumeRole",
    ] {
        fires(UnknownAction, Identity, &action(unknown));
    }
    for known in [
        "iam:GetRole",
        "iam:get*",
        "sts:assumerole",
        "s3:Nothing",
        "*",
        "countersign:RevokeSessions",
        "Organizations:Describe*",
        "rolesanywhere:CreateSession",
        "eks:accesskubernetesapi",
        "eks-auth:*",
        "*:*",
    ] {
        silent(UnknownAction, Identity, &action(known));
    }
}

#[test]
fn qualifiers_are_for_keys_with_many_values() {
    let orgs = "'aws:PrincipalOrgID':'o-1'";
    let many = "'ForAllValues:StringEquals':{'aws:TagKeys':'a'}";
    silent(MissingQualifier, Identity, &cond("{'Null':{'aws:TagKeys':'true'}}"));
    let all = format!("{{'ForAllValues:StringEquals':{{{orgs}}}}}");
    fires(ForAllSingle, Identity, &cond(&all));
    silent(AnySingle, Identity, &cond(&all));
    fires(AnySingle, Identity, &deny(&all));
    silent(ForAllSingle, Identity, &deny(&all));
    silent(ForAllWithoutNull, Identity, &deny(&format!("{{{many}}}")));
    // What asks whether the key is there.
    silent(
        ForAllWithoutNull,
        Identity,
        &cond(&format!("{{{many},'Null':{{'aws:tagkeys':false}}}}")),
    );
    for other in [
        "'Null':{'aws:TagKeys':'true'}",
        "'Null':{'aws:username':'false'}",
        "'ForAnyValue:StringEquals':{'aws:TagKeys':'false'}",
    ] {
        fires(ForAllWithoutNull, Identity, &cond(&format!("{{{many},{other}}}")));
    }
}

#[test]
fn guards_that_do_not_guard() {
    let mfa = |operator: &str, value: &str| {
        format!("{{'{operator}':{{'aws:MultiFactorAuthPresent':{value}}}}}")
    };
    fires(MfaIfExists, Identity, &cond(&mfa("BoolIfExists", "true")));
    for (operator, value) in
        [("BoolIfExists", "'false'"), ("Bool", "'true'"), ("StringEqualsIfExists", "'true'")]
    {
        silent(MfaIfExists, Identity, &cond(&mfa(operator, value)));
    }
    silent(MfaIfExists, Identity, &cond("{'BoolIfExists':{'aws:SecureTransport':'true'}}"));
    fires(MfaDeny, Identity, &deny(&mfa("Bool", "false")));

    let operator = |operator: &str| cond(&format!("{{'{operator}':{{'aws:SourceVpce':'v'}}}}"));
    fires(PerimeterOperator, Identity, &operator("StringNotEquals"));
    fires(PerimeterOperator, Identity, &operator("StringLikeIfExists"));
    silent(PerimeterOperator, Identity, &operator("StringLike"));
    let paths = "{'aws:PrincipalOrgPaths':'o-1/*'}";
    silent(
        PerimeterOperator,
        Identity,
        &cond(&format!("{{'ForAllValues:StringNotLike':{paths}}}")),
    );
    fires(PerimeterOperator, Identity, &cond(&format!("{{'ForAnyValue:StringNotLike':{paths}}}")));
    silent(PerimeterOperator, Identity, &cond("{'StringNotEquals':{'aws:username':'a'}}"));
    silent(PerimeterOperator, Identity, &deny("{'StringNotEquals':{'aws:SourceVpce':'v'}}"));
}

#[test]
fn a_key_is_not_wanted_and_unwanted() {
    for (other, contradicts) in [
        ("'StringEquals':{'aws:username':'a'}", true),
        ("'StringEquals':{'AWS:UserName':'a'}", true),
        ("'StringEquals':{'aws:userid':'a'}", false),
        ("'StringEqualsIfExists':{'aws:username':'a'}", false),
        ("'StringNotEquals':{'aws:username':'a'}", false),
        ("'Bool':{'aws:SecureTransport':'true'}", false),
    ] {
        let text = cond(&format!("{{'Null':{{'aws:username':true}},{other}}}"));
        assert_eq!(count(Contradiction, Identity, &text), usize::from(contradicts), "{other}");
    }
    silent(Contradiction, Identity, &cond("{'Null':{'aws:username':'true'}}"));
}

#[test]
fn operators_fit_the_types_of_keys() {
    let keys = [
        ("aws:username", "texts"),
        ("aws:SourceArn", "ARNs"),
        ("aws:SecureTransport", "truth values"),
        ("aws:CurrentTime", "dates"),
        ("aws:EpochTime", "dates"),
        ("aws:SourceIp", "addresses"),
        ("aws:MultiFactorAuthAge", "numbers"),
    ];
    let operators = [
        ("StringLike", "a", [2, 1, 1, 0, 0, 0, 0]),
        ("ArnLike", "arn:aws:s3:::b", [0, 2, 0, 0, 0, 0, 0]),
        ("Bool", "true", [0, 0, 2, 0, 0, 0, 0]),
        ("DateLessThan", "1", [0, 0, 0, 2, 2, 0, 0]),
        ("NumericLessThan", "1", [0, 0, 0, 0, 2, 0, 2]),
        ("IpAddress", "10.0.0.0/8", [0, 0, 0, 0, 0, 2, 0]),
        ("BinaryEquals", "AA==", [0, 0, 0, 0, 0, 0, 0]),
        ("Null", "true", [2, 2, 2, 2, 2, 2, 2]),
    ];
    for (operator, value, fits) in operators {
        for ((key, of), fit) in keys.into_iter().zip(fits) {
            let text = cond(&format!("{{'{operator}':{{'{key}':'{value}'}}}}"));
            let found = lint(&text, Some(Identity)).findings;
            let told: Vec<(Code, &str)> = found
                .iter()
                .filter(|finding| matches!(finding.code, OperatorType | StringForTyped))
                .map(|finding| (finding.code, finding.message.as_str()))
                .collect();
            let never = format!("{key} holds {of}, which {operator} does not compare");
            let as_text = format!("{key} holds {of}: an operator for {of} says what is meant");
            let expected = match fit {
                0 => vec![(OperatorType, never.as_str())],
                1 => vec![(StringForTyped, as_text.as_str())],
                _ => vec![],
            };
            assert_eq!(told, expected, "{operator} {key}");
        }
    }
}

#[test]
fn keys_of_tags_name_a_tag() {
    for (key, unknown) in [
        ("aws:PrincipalTag/team", false),
        ("aws:principaltag/a/b", false),
        ("iam:ResourceTag/team", false),
        ("aws:PrincipalTag", true),
        ("aws:username/team", true),
    ] {
        let text = cond(&format!("{{'StringEquals':{{'{key}':'a'}}}}"));
        assert_eq!(count(UnknownGlobalKey, Identity, &text), usize::from(unknown), "{key}");
    }
    assert!(is_multivalued("aws:TagKeys") && is_multivalued("AWS:CALLEDVIA"));
    assert!(!is_multivalued("aws:username") && !is_multivalued("s3:prefix"));
}

#[test]
fn arns_have_fields_that_match_something() {
    let role = |arn: &str| allow(&format!("'Action':'*','Resource':'{arn}'"));
    for (code, arn) in [
        (ArnAccount, "arn:aws:iam::11112222333a:role/a"),
        (ArnAccount, "arn:aws:iam::1111:role/a"),
        (ArnAccount, "arn:aws:sqs:eu-west-1:1234:q"),
        (ArnRegion, "arn:aws:sts:eu-west-1:111122223333:assumed-role/a/b"),
    ] {
        fires(code, Identity, &role(arn));
    }
    for (code, arn) in [
        (ArnAccount, "arn:aws:iam::aws:policy/x"),
        (ArnAccount, "arn:aws:iam::*:role/a"),
        (ArnAccount, "arn:aws:s3:::b"),
        (ArnRegion, "arn:aws:iam:*:111122223333:role/a"),
        (ArnRegion, "arn:aws:sqs:eu-west-1:111122223333:q"),
        (ArnPartition, "arn:*:iam::111122223333:role/a"),
        (ArnPartition, "arn:aws-cn:iam::111122223333:role/a"),
    ] {
        silent(code, Identity, &role(arn));
    }
    // Operands are ARNs under the operators of ARNs.
    let under = |operator: &str| {
        cond(&format!("{{'{operator}':{{'aws:SourceArn':'arn:aws:iam::1:role/a'}}}}"))
    };
    fires(ArnAccount, Identity, &under("ArnEquals"));
    silent(ArnAccount, Identity, &under("StringEquals"));
}

#[test]
fn sizes_count_up_to_nine_tenths() {
    // An organization's policy has 5,120 characters.
    silent(NearSize, ServiceControl, &sized(4_608));
    fires(NearSize, ServiceControl, &sized(4_609));
    fires(NearSize, ServiceControl, &sized(5_120));
    silent(SizeIdentity, ServiceControl, &sized(5_120));
    fires(SizeIdentity, ServiceControl, &sized(5_121));
    silent(NearSize, ServiceControl, &sized(5_121));

    let good = allow("'Action':'s3:*','Resource':'*'");
    let longest = good.clone() + &" ".repeat(crate::policy::HARD_CAP_BYTES - good.len());
    silent(DocumentTooLong, Identity, &longest);
    fires(DocumentTooLong, Identity, &(longest + " "));
}

#[test]
fn of_two_that_say_the_same_the_second_is_too_many() {
    let at = |code: Code, text: String| -> Vec<String> {
        let findings = lint(&text, Some(Identity)).findings;
        findings.into_iter().filter(|found| found.code == code).map(|found| found.path).collect()
    };
    let actions = |list: &str| allow(&format!("'Action':[{list}],'Resource':'*'"));
    for (list, told) in [
        ("'s3:GetObject','S3:getobject'", &["Statement[0].Action[1]"][..]),
        ("'s3:Get*','s3:get*'", &["Statement[0].Action[1]"]),
        ("'s3:Get*','s3:GetObject'", &["Statement[0].Action[1]"]),
        ("'s3:GetObject','s3:Get*'", &["Statement[0].Action[0]"]),
        ("'s3:GetObjec?','s3:GetObject'", &["Statement[0].Action[1]"]),
        ("'s3:Get?','s3:Get*'", &["Statement[0].Action[0]"]),
        ("'s3:G?t*','s3:G?t*'", &["Statement[0].Action[1]"]),
        ("'s3:GetObject','s3:PutObject'", &[]),
    ] {
        assert_eq!(at(RedundantAction, actions(list)), told, "{list}");
    }
    let resources = |list: &str| allow(&format!("'Action':'s3:*','Resource':[{list}]"));
    for (list, told) in [
        ("'arn:aws:s3:::b/*','arn:aws:s3:::b/*'", &["Statement[0].Resource[1]"][..]),
        // The star is text, and matches no other variable.
        ("'arn:aws:s3:::b/${*}','arn:aws:s3:::b/${aws:username}'", &[]),
        ("'arn:aws:s3:::b/x','arn:aws:s3:::b/X'", &[]),
    ] {
        assert_eq!(at(RedundantResource, resources(list)), told, "{list}");
    }

    let pair = |one: &str, other: &str| doc(&format!("{{{one}}},{{{other}}}"));
    let get = "'Effect':'Allow','Action':'s3:Get*','Resource':'arn:aws:s3:::b/*'";
    let but = "'Effect':'Allow','NotAction':'iam:*','Resource':'*'";
    let user = "'Condition':{'StringEquals':{'aws:username':'a','aws:userid':'b'}}";
    let same = "'Condition':{'StringEquals':{'AWS:userid':'b','aws:username':'a'}}";
    let others = get.replace("Resource", "NotResource").replace("b/*", "c/*");
    let (first, second) = ("Statement[0]", "Statement[1]");
    let with = |statement: &str, more: &str| format!("{statement},{more}");
    for (one, other, told) in [
        (get.to_owned(), get.to_owned(), &[second][..]),
        (get.to_owned(), get.replace("Get*", "GetObject"), &[second]),
        (get.replace("b/*", "b/k"), get.to_owned(), &[first]),
        (with(get, user), with(get, same), &[second]),
        (but.to_owned(), but.to_owned(), &[second]),
        (get.to_owned(), get.replace("Allow", "Deny"), &[]),
        (get.to_owned(), get.replace("Get*", "Put*"), &[]),
        (get.to_owned(), get.replace("b/*", "c/*"), &[]),
        (get.to_owned(), with(get, user), &[]),
        (with(get, user), with(get, &user.replace("'a'", "'x'")), &[]),
        (with(get, user), with(get, &user.replace(",'aws:userid':'b'", "")), &[]),
        (but.to_owned(), but.replace("iam:*", "s3:*"), &[]),
        (get.replace("Resource", "NotResource"), others, &[]),
    ] {
        assert_eq!(at(RedundantStatement, pair(&one, &other)), told, "{one} {other}");
    }
}

/// What comes after very many comparisons is not looked for.
#[test]
fn what_is_said_twice_is_looked_for_in_bounded_work() {
    let list = |entries: usize| {
        let names: Vec<String> = (0..entries).map(|at| format!("'s3:A{at}'")).collect();
        allow(&format!("'Action':[{},'s3:A0'],'Resource':'*'", names.join(",")))
    };
    fires(RedundantAction, Identity, &list(400));
    silent(RedundantAction, Identity, &list(1_000));
}

#[test]
fn truth_values_are_texts_too() {
    fires(MfaIfExists, Identity, &cond("{'BoolIfExists':{'aws:MultiFactorAuthPresent':true}}"));
    fires(MfaDeny, Identity, &deny("{'Bool':{'aws:MultiFactorAuthPresent':false}}"));
    silent(MfaDeny, Identity, &deny("{'Bool':{'aws:MultiFactorAuthPresent':true}}"));
}

#[test]
fn the_worst_class_is_told() {
    let worst = |text: &str| lint(text, Some(Identity)).worst();
    assert_eq!(worst(&doc("")), Some(Severity::Error));
    assert_eq!(
        worst(&allow("'NotAction':'iam:*','Resource':'*'")),
        Some(Severity::SecurityWarning)
    );
    assert_eq!(worst(&allow("'Action':'s3:*','Resource':'*'")), None);
}

//! A faulty document is looked at to its end: each fault is told once, and none that is not there.

use super::super::{Code, Severity, lint};
use super::fixtures::{Row, allow, cond, doc, grammar, quotes};
use crate::policy::DocumentKind::{self, Identity, Resource, ResourceControl, Trust};

/// The errors in a document, with their paths, in the order of the text.
fn errors(kind: DocumentKind, text: &str) -> Vec<(Code, String)> {
    let findings = lint(text, Some(kind)).findings.into_iter();
    findings
        .filter(|finding| finding.severity() == Severity::Error)
        .map(|finding| (finding.code, finding.path))
        .collect()
}

#[track_caller]
fn told(kind: DocumentKind, text: &str, expected: &[(Code, &str)]) {
    let found = errors(kind, text);
    let found: Vec<_> = found.iter().map(|(code, path)| (*code, path.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

/// A statement of this kind with these members in place of its own.
fn statement(kind: DocumentKind, members: &[(&str, &str)]) -> String {
    let mut all = vec![("Effect", "'Deny'")];
    match kind {
        Trust => all.extend([("Action", "'sts:AssumeRole'"), ("Principal", "{'AWS':'*'}")]),
        Resource | ResourceControl => {
            all.extend([("Action", "'s3:*'"), ("Resource", "'*'"), ("Principal", "'*'")]);
        }
        _ => all.extend([("Action", "'s3:*'"), ("Resource", "'*'")]),
    }
    for (name, value) in members {
        let bare = name.strip_prefix("Not").unwrap_or(name);
        all.retain(|(other, _)| *other != bare);
        all.push((name, value));
    }
    let members: Vec<String> =
        all.iter().map(|(name, value)| format!("'{name}':{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// One statement with these members.
fn one(kind: DocumentKind, members: &[(&str, &str)]) -> String {
    doc(&statement(kind, members))
}

/// Whatever is wrong with a statement, what is wrong with the one after it is told too, and
/// nothing else.
#[test]
fn after_each_fault_the_next_one_is_found() {
    let mut looked = 0;
    for Row { code, kind, fires, .. } in grammar() {
        let Some(before) = fires.strip_suffix("]}").filter(|_| code != Code::EmptyStatement) else {
            continue;
        };
        if code == Code::SizeIdentity {
            continue;
        }
        let next = quotes(&statement(kind, &[("Effect", "'Maybe'")]));
        let found = errors(kind, &format!("{before},{next}]}}"));
        let codes: Vec<Code> = found.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, [code, Code::InvalidEffect], "{fires}");
        looked += 1;
    }
    assert!(looked > 40, "{looked}");
}

#[test]
fn each_faulty_entry_of_a_list_is_told() {
    let entries = |kind, element: &str, code, values: [&str; 3]| {
        let [a, b, c] = values;
        let text = one(kind, &[(element, &format!("['{a}','{b}','{c}']"))]);
        let path = |index: usize| format!("Statement[0].{element}[{index}]");
        told(kind, &text, &[(code, &path(0)), (code, &path(2))]);
    };
    for element in ["Action", "NotAction"] {
        entries(Identity, element, Code::InvalidAction, ["a", "s3:*", "b"]);
    }
    for element in ["Resource", "NotResource"] {
        entries(Identity, element, Code::ArnPrefix, ["a", "*", "b"]);
    }
    entries(Trust, "Action", Code::UnsupportedAction, ["s3:A", "sts:AssumeRole", "s3:B"]);
    for (name, good) in [("AWS", "111122223333"), ("Federated", "x.example"), ("Service", "x")] {
        let list = format!("{{'{name}':['a b','{good}','{{}}']}}");
        for (kind, element) in [(Trust, "Principal"), (Resource, "NotPrincipal")] {
            let path = |index: usize| format!("Statement[0].{element}.{name}[{index}]");
            let expected = [(Code::PrincipalFormat, path(0)), (Code::PrincipalFormat, path(2))];
            assert_eq!(errors(kind, &one(kind, &[(element, &list)])), expected, "{list}");
        }
    }
    for (operator, code, good) in [
        ("StringEquals", Code::VariableEmpty, "a"),
        ("StringEqualsIgnoreCase", Code::VariableEmpty, "a"),
        ("ForAnyValue:StringLike", Code::VariableEmpty, "a"),
        ("NumericEquals", Code::OperandNumber, "1"),
        ("DateEqualsIfExists", Code::OperandDate, "2030-01-01T00:00:00Z"),
        ("IpAddress", Code::OperandIp, "10.0.0.0/8"),
        ("BinaryEquals", Code::OperandBinary, "AA=="),
        ("ArnLike", Code::OperandArn, "arn:aws:s3:::b"),
    ] {
        let bad = if code == Code::VariableEmpty { "${}" } else { "." };
        let text = cond(&format!("{{'{operator}':{{'x:y':['{bad}','{good}','{bad}']}}}}"));
        let found = errors(Identity, &text);
        let codes: Vec<Code> = found.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, [code, code], "{operator}");
        assert!(found[0].1.ends_with("[\"x:y\"][0]") && found[1].1.ends_with("[\"x:y\"][2]"));
    }
    for operator in ["Bool", "Null"] {
        let path = format!("Statement[0].Condition.{operator}[\"x:y\"]");
        told(
            Identity,
            &cond(&format!("{{'{operator}':{{'x:y':['yes','no']}}}}")),
            &[
                (Code::MultipleBoolean, &path),
                (Code::OperandBool, &format!("{path}[0]")),
                (Code::OperandBool, &format!("{path}[1]")),
            ],
        );
    }
    let statements = format!("7,{},'x'", statement(Identity, &[("Effect", "'Maybe'")]));
    told(
        Identity,
        &doc(&statements),
        &[
            (Code::DataType, "Statement[0]"),
            (Code::InvalidEffect, "Statement[1].Effect"),
            (Code::DataType, "Statement[2]"),
        ],
    );
}

/// Nothing that stands there would be taken: the whole element goes.
#[test]
fn a_trust_policy_that_excludes_actions_is_looked_at_to_its_end() {
    let faulty = statement(Trust, &[("NotAction", "'s3:*'")]);
    let next = statement(Trust, &[("Effect", "'Maybe'")]);
    told(
        Trust,
        &doc(&format!("{faulty},{next}")),
        &[
            (Code::UnsupportedAction, "Statement[0].NotAction"),
            (Code::InvalidEffect, "Statement[1].Effect"),
        ],
    );
}

#[test]
fn what_is_no_object_lacks_no_version() {
    for text in ["[]", "7", "\"x\"", "null"] {
        let found: Vec<Code> =
            lint(text, Some(Identity)).findings.into_iter().map(|finding| finding.code).collect();
        assert_eq!(found, [Code::DataType], "{text}");
    }
}

#[test]
fn what_is_taken_out_is_not_missed() {
    let element = |name: &str| format!("Statement[0].{name}");
    for (kind, name, value, code) in [
        (Identity, "Effect", "7", Code::DataType),
        (Identity, "Action", "7", Code::DataType),
        (Identity, "Resource", "{}", Code::DataType),
        (Identity, "Sid", "7", Code::DataType),
        (Identity, "Condition", "7", Code::DataType),
        (Identity, "Owner", "7", Code::InvalidElement),
        (Identity, "Principal", "{'AWS':'*'}", Code::UnsupportedPrincipal),
        (Identity, "NotPrincipal", "{'AWS':'*'}", Code::UnsupportedPrincipal),
        (Trust, "Resource", "'*'", Code::InvalidElement),
        (Trust, "NotAction", "'s3:*'", Code::UnsupportedAction),
        (Trust, "NotPrincipal", "{'AWS':'111122223333'}", Code::UnsupportedPrincipal),
        (Trust, "Principal", "7", Code::DataType),
        (Trust, "Principal", "'bob'", Code::PrincipalFormat),
        (Trust, "Principal", "{}", Code::EmptyPrincipal),
        (Resource, "NotPrincipal", "'*'", Code::NotPrincipal),
        (ResourceControl, "Principal", "{'AWS':'111122223333'}", Code::RcpPrincipal),
    ] {
        told(kind, &one(kind, &[(name, value)]), &[(code, &element(name))]);
    }
    for (members, code, place) in [
        ("{'StringEquals':7}", Code::DataType, "Condition.StringEquals"),
        ("{'StringEquals':{}}", Code::EmptyArrayCondition, "Condition.StringEquals"),
        ("{'StringEquals':{'a':'b'}}", Code::ConditionKeyFormat, "Condition.StringEquals.a"),
    ] {
        told(Identity, &cond(members), &[(code, &element(place))]);
    }
    let people = "{'Person':'a','AWS':'bob'}";
    told(
        Trust,
        &one(Trust, &[("Principal", people)]),
        &[
            (Code::PrincipalKey, "Statement[0].Principal.Person"),
            (Code::PrincipalFormat, "Statement[0].Principal.AWS"),
        ],
    );
    let misspelt = one(Identity, &[("Action", "'x'")]).replace("Effect", "effect");
    told(
        Identity,
        &misspelt,
        &[
            (Code::InvalidElement, "Statement[0].effect"),
            (Code::InvalidAction, "Statement[0].Action"),
        ],
    );
    told(
        Identity,
        &one(Identity, &[("Action", "'s3:*'")]).replace("Action", "notaction"),
        &[(Code::InvalidElement, "Statement[0].notaction")],
    );
}

/// Of an element in both forms the plain one is looked at.
#[test]
fn an_element_in_both_forms_is_told_with_its_other_faults() {
    let both = "{'Effect':'Allow','Action':'x','NotAction':'s3:*','Resource':'*'}";
    told(
        Identity,
        &doc(both),
        &[(Code::BothForms, "Statement[0]"), (Code::InvalidAction, "Statement[0].Action")],
    );
}

#[test]
fn what_is_missing_is_told_once() {
    let missing = |code| (code, "Statement[0]");
    told(
        Resource,
        &doc("{}"),
        &[Code::MissingEffect, Code::MissingPrincipal, Code::MissingAction, Code::MissingResource]
            .map(missing),
    );
    told(Trust, &doc("{'Effect':'Deny','Principal':'*'}"), &[missing(Code::MissingAction)]);
    for (kind, text, expected) in [
        (Identity, "[]", &[(Code::DataType, "")][..]),
        (Identity, "{'Version':'2012-10-17'}", &[(Code::MissingStatement, "")]),
        (Identity, "{'Statement':7}", &[(Code::DataType, "Statement")]),
        (Identity, "{'Statement':[]}", &[(Code::EmptyStatement, "Statement")]),
        (Identity, "{'statement':[]}", &[(Code::InvalidElement, "statement")]),
    ] {
        told(kind, &quotes(text), expected);
    }
}

#[test]
fn the_document_itself_may_be_at_fault() {
    let good = |kind| one(kind, &[]);
    let with = |kind, member: &str| good(kind).replacen('{', &quotes(&format!("{{{member},")), 1);
    told(Identity, &with(Identity, "'Id':'x'"), &[(Code::InvalidElement, "Id")]);
    told(Resource, &with(Resource, "'Id':7"), &[(Code::DataType, "Id")]);
    told(Identity, &with(Identity, "'Action':'s3:*'"), &[(Code::InvalidElement, "Action")]);
    // Of an unknown version it is taken for the newest.
    let unclosed = one(Identity, &[("Resource", "'arn:aws:s3:::b/${aws:username'")]);
    for (version, code) in [("\"2013-10-17\"", Code::InvalidVersion), ("7", Code::DataType)] {
        told(
            Identity,
            &unclosed.replace("\"2012-10-17\"", version),
            &[(code, "Version"), (Code::VariableBrace, "Statement[0].Resource")],
        );
    }
}

#[test]
fn each_refusal_has_the_code_that_says_most() {
    let identity = |name: &str, value: &str| one(Identity, &[(name, value)]);
    let principal = |name: &str| one(Trust, &[("Principal", &format!("{{'AWS':'{name}'}}"))]);
    let operator = |name: &str| cond(&format!("{{'{name}':{{'aws:TagKeys':'true'}}}}"));
    let user = "arn:aws:iam::111122223333:user/";
    for (kind, text, code) in [
        (Trust, principal(&format!("{user}${{aws:username}}")), Code::VariableInElement),
        (Trust, principal(&format!("{user}${{*}}")), Code::VariableInElement),
        (Trust, principal(&format!("{user}*")), Code::PrincipalWildcard),
        (Identity, operator("Nullify"), Code::InvalidOperator),
        (Identity, operator("NullIfExists"), Code::NullIfExists),
        (Identity, operator("StringEqualsIfExist"), Code::InvalidOperator),
        (Identity, operator("ForAnyValue:NullIfExists"), Code::NullQualifier),
        (Identity, identity("Resource", "'arn:aws:s3:::${user name}'"), Code::VariableSpace),
        (Identity, identity("Resource", "'arn:aws:s3:::${aws:username }'"), Code::VariableSpace),
        (Identity, identity("Resource", "'arn:aws:s3:::${user/name}'"), Code::VariableName),
    ] {
        let found = errors(kind, &text);
        let codes: Vec<Code> = found.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, [code], "{text}");
    }
}

/// The second of two keys that case does not tell apart is told, and not looked at.
#[test]
fn twins_are_told_and_left_out() {
    let text = quotes(
        "{'Version':'2012-10-17','Statement':[{'Effect':'Allow','effect':'Maybe','Action':'a',\
         'Resource':'*','Condition':{'Bool':{'x:y':'true','X:Y':'no'}}}]}",
    );
    let findings = lint(&text, Some(Identity)).findings;
    let found: Vec<_> = findings.iter().map(|finding| (finding.code, finding.column - 1)).collect();
    let at = |part: &str| text.find(&quotes(part)).unwrap();
    assert_eq!(
        found,
        [
            (Code::DuplicateKey, at("'effect'")),
            (Code::InvalidAction, at("'a'")),
            (Code::DuplicateKey, at("'X:Y'")),
        ]
    );
}

/// What is said of whom a provider lets in is said of statements as they were written.
#[test]
fn a_statement_that_was_mended_is_not_judged() {
    let federated = |condition: &str| {
        format!(
            "{{'Effect':'Allow','Action':'sts:AssumeRoleWithWebIdentity','Principal':\
             {{'Federated':'arn:aws:iam::111122223333:oidc-provider/id.example'}}{condition}}}"
        )
    };
    let open = federated("");
    let misspelt = federated(",'Condition':{'StringEqual':{'id.example:sub':'me'}}");
    let judged = |text: &str| -> Vec<String> {
        let findings = lint(text, Some(Trust)).findings.into_iter();
        findings
            .filter(|finding| finding.code == Code::FederatedWithoutCondition)
            .map(|finding| finding.path)
            .collect()
    };
    let first = ["Statement[0].Principal.Federated"];
    assert_eq!(judged(&doc(&format!("{open},{misspelt}"))), first);
    assert_eq!(judged(&doc(&misspelt)), [""; 0]);
    let alone =
        |statement: &str| quotes(&format!("{{'Version':'2012-10-17','Statement':{statement}}}"));
    assert_eq!(judged(&alone(&misspelt)), [""; 0]);
    // A fault elsewhere in the document is none of the statement's.
    assert_eq!(judged(&doc(&open).replace("2012-10-17", "2013-10-17")), first);
}

#[test]
fn a_hundred_refusals_are_told() {
    let list = ["'a'"; 150].join(",");
    let text = allow(&format!("'Action':[{list}],'Resource':'*'"));
    assert_eq!(errors(Identity, &text).len(), 100);
}

//! Where findings are, and how far a faulty document is looked at.

use super::super::{Code, Finding, lint};
use crate::policy::DocumentKind;

fn told(findings: &[Finding]) -> Vec<(Code, &str, usize, usize)> {
    findings.iter().map(|f| (f.code, f.path.as_str(), f.line, f.column)).collect()
}

#[test]
fn every_fault_of_a_document_is_told_with_its_place() {
    let text = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Alow",
      "Action": ["s3:GetObject", "PutObject"],
      "Resource": "arn:aws:s3:::b/*",
      "Condition": {
        "StringEqual": { "aws:username": "a" },
        "IpAddress": { "aws:SourceIp": ["10.0.0.0/8", "10.0.0.300"] }
      }
    },
    { "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*" }
  ]
}"#;
    let report = lint(text, None);
    assert_eq!(report.kind, DocumentKind::Identity);
    assert_eq!(
        told(&report.findings),
        [
            (Code::InvalidEffect, "Statement[0].Effect", 5, 17),
            (Code::InvalidAction, "Statement[0].Action[1]", 6, 34),
            (Code::InvalidOperator, "Statement[0].Condition.StringEqual", 9, 9),
            (Code::OperandIp, "Statement[0].Condition.IpAddress[\"aws:SourceIp\"][1]", 10, 55),
            (Code::PassRoleStar, "Statement[1].Action", 13, 36),
        ]
    );
    assert!(report.findings.iter().all(|finding| finding.end_line == finding.line));
    let operator = &report.findings[2];
    assert_eq!(operator.end_column - operator.column, "\"StringEqual\"".len());
}

#[test]
fn columns_are_characters() {
    let report = lint("{\"Id\":\"é\u{1f600}\", \"Stätement\": 1}", None);
    let place = report.findings.iter().find(|f| f.path == "[\"Stätement\"]").unwrap();
    assert_eq!((place.line, place.column), (1, 13));
}

#[test]
fn what_is_no_json_is_told_where_it_breaks() {
    let report = lint("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [ nonsense ]\n}", None);
    assert_eq!(told(&report.findings), [(Code::JsonSyntax, "Statement[0]", 3, 18)]);
}

#[test]
fn what_was_expected_instead_is_told() {
    for (text, says, column) in [
        ("{\"a\": 1,}", "a key in double quotes is expected, not }: take the comma before it", 9),
        ("{\"a\": [1, ]}", "a value is expected, not ]: take the comma before it out", 11),
        ("{\"a\": [1 2]}", "a comma or ] is expected, not 2", 10),
        ("{\"a\": \"}\\\",{\" \"b\": 1}", "a comma or } is expected, not \"", 15),
        ("{\"a\" 1}", "a colon is expected, not 1", 6),
        ("{'a': 1}", "a key in double quotes or } is expected, not '", 2),
        ("[}", "a value or ] is expected, not }", 2),
        ("{\"a\": {\"b\": [{}, 1]}, \"c\": yes}", "a value is expected, not y", 28),
        ("{\"a\": 1.x}", "a digit is expected, not x", 9),
        ("{\"a\": -x}", "a digit is expected, not x", 8),
        ("Version: 1", "a value is expected, not V", 1),
        ("{\"a\": [1}", "a comma or ] is expected, not }", 9),
        ("{\"a\": 1, 2}", "a key in double quotes is expected, not 2", 10),
        ("[12 3]", "a comma or ] is expected, not 3", 5),
        ("[12x]", "a comma or ] is expected, not x", 4),
        ("[\"e\" 3]", "a comma or ] is expected, not 3", 6),
        ("{\"a\": 1", "the JSON ends too early", 8),
    ] {
        let report = lint(text, None);
        let [finding] = report.findings.as_slice() else { panic!("{text}: {report:?}") };
        assert_eq!((finding.code, finding.line), (Code::JsonSyntax, 1), "{text}");
        assert!(finding.message.contains(says), "{text}: {}", finding.message);
        assert_eq!(finding.column, column, "{text}: {}", finding.message);
        let advised = |text: &str| text.contains("take the comma");
        assert_eq!(advised(&finding.message), advised(says), "{text}: {}", finding.message);
    }
}

/// One stray Resource does not make a resource policy: what is wrong with the trust is told.
#[test]
fn a_trust_policy_with_a_stray_resource_is_one() {
    let text = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":
         "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Resource":"*"},
        {"Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity"],
         "Principal":{"AWS":"111122223333"},"Resource":"*"}]}"#;
    let report = lint(text, None);
    assert_eq!(report.kind, DocumentKind::Trust);
    let codes: Vec<Code> = report.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::GithubSubject, Code::InvalidElement, Code::InvalidElement]);
}

#[test]
fn kinds_are_guessed_by_principals_actions_and_resources() {
    let statement = |rest: &str| format!("{{\"Statement\":{{\"Effect\":\"Allow\",{rest}}}}}");
    for (rest, kind) in [
        ("\"Action\":\"sts:AssumeRole\",\"Resource\":\"*\"", DocumentKind::Identity),
        ("\"Action\":\"sts:AssumeRole\",\"Principal\":\"*\"", DocumentKind::Trust),
        ("\"Action\":\"s3:*\",\"Principal\":\"*\"", DocumentKind::Resource),
        // Roles are assumed by nothing else, whatever else stands there.
        (
            "\"Action\":[\"sts:AssumeRoleWithSAML\",\"sts:tagsession\"],\"Resource\":\"*\",\
             \"Principal\":\"*\"",
            DocumentKind::Trust,
        ),
        ("\"Action\":\"sts:*\",\"Principal\":\"*\"", DocumentKind::Trust),
        ("\"Action\":\"sts:*\",\"Resource\":\"*\",\"Principal\":\"*\"", DocumentKind::Resource),
    ] {
        assert_eq!(lint(&statement(rest), None).kind, kind, "{rest}");
    }
    assert_eq!(lint("[]", None).kind, DocumentKind::Identity);
}

/// Whatever is done to a document, it is looked at without end or panic, and what the parser
/// refuses is told.
#[test]
fn mutilated_documents_are_told_of_too() {
    use crate::policy::Policy;
    use crate::policy::lint::Severity;

    let text = r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"A","Effect":"Allow",
        "NotPrincipal":{"AWS":["*"]},"Principal":{"AWS":["111122223333"],"Federated":"x.example"},
        "NotAction":["sts:AssumeRole"],"Resource":["*","arn:aws:s3:::b/${aws:username}"],
        "Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:s3:::b"]},"Bool":{"x:y":[true]},
        "Null":{"aws:username":"false"},"DateLessThan":{"aws:CurrentTime":[]}}}]}"#;
    let kinds = [
        DocumentKind::Identity,
        DocumentKind::Trust,
        DocumentKind::Resource,
        DocumentKind::Session,
        DocumentKind::Boundary,
        DocumentKind::ServiceControl,
        DocumentKind::ResourceControl,
    ];
    let words: Vec<&str> = text.split_inclusive(['"', ',', ':', '{', '}', '[', ']']).collect();
    let mut faults = 0;
    for at in 0..words.len() {
        for with in ["", "\"x\"", "[]", "{}", "null", "\"Effect\"", "x"] {
            let mut words = words.clone();
            words[at] = with;
            let text = words.concat();
            for kind in kinds {
                let report = lint(&text, Some(kind));
                if let Err(error) = Policy::parse(&text, kind) {
                    faults += 1;
                    assert_eq!(report.worst(), Some(Severity::Error), "{error} in {text}");
                }
            }
        }
    }
    assert!(faults > 1_000, "{faults}");
}

#[test]
fn large_documents_take_bounded_work() {
    let one = r#"{"Effect":"Allow","Action":"s3:a*a*a*a*","Resource":"*"},"#;
    let text = format!("{{\"Statement\":[{}]}}", one.repeat(1_000).trim_end_matches(','));
    assert!(text.len() < crate::policy::HARD_CAP_BYTES);
    assert!(lint(&text, None).findings.len() <= 1_000);
    let deep = "[".repeat(60_000);
    assert_eq!(lint(&deep, None).findings[0].code, Code::JsonSyntax);
    // A fault in each of very many entries.
    let text = format!("{{\"Statement\":{{\"Action\":[{}0]}}}}", "7,".repeat(20_000));
    assert!(lint(&text, None).findings.len() <= 1_000);
}

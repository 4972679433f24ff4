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
fn kinds_are_guessed_by_principals_actions_and_resources() {
    let statement = |rest: &str| format!("{{\"Statement\":{{\"Effect\":\"Allow\",{rest}}}}}");
    for (rest, kind) in [
        ("\"Action\":\"sts:AssumeRole\",\"Resource\":\"*\"", DocumentKind::Identity),
        ("\"Action\":\"sts:AssumeRole\",\"Principal\":\"*\"", DocumentKind::Trust),
        ("\"Action\":\"s3:*\",\"Principal\":\"*\"", DocumentKind::Resource),
        (
            "\"Action\":\"sts:AssumeRole\",\"Resource\":\"*\",\"Principal\":\"*\"",
            DocumentKind::Resource,
        ),
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

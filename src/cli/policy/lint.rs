//! `countersign policy lint`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{FOUND, line, read, sarif};
use crate::cli::output;
use crate::policy::DocumentKind;
use crate::policy::lint::{Code, Finding, Report, Severity, lint};

#[derive(Args)]
pub(in crate::cli) struct Arguments {
    /// Policy documents
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What the documents are
    #[arg(long, value_enum, default_value_t = Kind::Auto)]
    kind: Kind,
    /// How findings are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// As the principals, actions and resources suggest: identity, resource or trust
    Auto,
    Identity,
    Resource,
    Trust,
    Session,
    Boundary,
    Scp,
    Rcp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    /// SARIF 2.1.0, for code scanners
    Sarif,
}

impl Kind {
    fn of_document(self) -> Option<DocumentKind> {
        match self {
            Self::Auto => None,
            Self::Identity => Some(DocumentKind::Identity),
            Self::Resource => Some(DocumentKind::Resource),
            Self::Trust => Some(DocumentKind::Trust),
            Self::Session => Some(DocumentKind::Session),
            Self::Boundary => Some(DocumentKind::Boundary),
            Self::Scp => Some(DocumentKind::ServiceControl),
            Self::Rcp => Some(DocumentKind::ResourceControl),
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut reports = Vec::new();
    for path in &arguments.files {
        let report = lint(&read(path)?, arguments.kind.of_document());
        reports.push((path.display().to_string(), report));
    }
    match arguments.format {
        Format::Text => {
            for (file, report) in &reports {
                if arguments.kind == Kind::Auto
                    && let Some(note) = guessed(file, report)
                {
                    // Not among the findings, which programs read too.
                    output::error(&note);
                }
                for finding in &report.findings {
                    line(&text(file, finding))?;
                }
            }
        }
        Format::Json => line(&format!("{:#}", Value::from(json(&reports))))?,
        Format::Sarif => line(&format!("{:#}", sarif::log(&reports)))?,
    }
    let worst = reports.iter().filter_map(|(_, report)| report.worst()).max();
    let found = worst.is_some_and(|worst| worst >= Severity::Warning);
    Ok(if found { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

/// How a document was read whose kind nobody said; `None` if it was not read at all.
fn guessed(file: &str, report: &Report) -> Option<String> {
    let unread =
        |finding: &Finding| matches!(finding.code, Code::JsonSyntax | Code::DocumentTooLong);
    let kind = match report.kind {
        DocumentKind::Identity => "an identity policy",
        DocumentKind::Trust => "a trust policy",
        DocumentKind::Resource => "a resource policy",
        DocumentKind::Session => "a session policy",
        DocumentKind::Boundary => "a permissions boundary",
        DocumentKind::ServiceControl => "a service control policy",
        DocumentKind::ResourceControl => "a resource control policy",
    };
    (!report.findings.iter().any(unread))
        .then(|| format!("{file}: read as {kind}; if it is another, say so with --kind"))
}

/// `file:line:column: CLASS CODE at path: sentence`
fn text(file: &str, finding: &Finding) -> String {
    let Finding { code, path, line, column, message, .. } = finding;
    let at = if path.is_empty() { String::new() } else { format!(" at {path}") };
    let told = format!("{} {code}{at}: {message}", finding.severity());
    format!("{file}:{line}:{column}: {}", crate::wire::printable(&told, 2_048))
}

fn json(reports: &[(String, Report)]) -> Vec<Value> {
    let each = |file: &String, finding: &Finding| {
        json!({
            "file": file,
            "severity": finding.severity().as_str(),
            "code": finding.code.as_str(),
            "path": finding.path,
            "line": finding.line,
            "column": finding.column,
            "end_line": finding.end_line,
            "end_column": finding.end_column,
            "message": finding.message,
        })
    };
    reports
        .iter()
        .flat_map(|(file, report)| report.findings.iter().map(move |finding| each(file, finding)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{guessed, lint};

    #[test]
    fn how_a_document_was_read_is_told() {
        let trust = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"111122223333"}},
            {"Effect":"Allow","Action":"sts:TagSession","Principal":{"AWS":"111122223333"},
             "Resource":"*"}]}"#;
        let note = |text: &str| guessed("t.json", &lint(text, None));
        assert_eq!(
            note(trust).as_deref(),
            Some("t.json: read as a trust policy; if it is another, say so with --kind")
        );
        // What was not read was read as nothing.
        assert_eq!(note("{,}"), None);
    }
}

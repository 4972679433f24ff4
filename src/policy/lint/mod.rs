//! What is wrong, dangerous or needless in a policy document, with its place.
//!
//! # Model
//!
//! [`lint`] looks at one document by itself. It first tells everything that the parser refuses,
//! going on after each fault where it can; then it looks for what can be stored and will not do
//! what its author had in mind. Every finding has a [`Code`] and a [`Severity`] in the classes of
//! AWS's Access Analyzer, the path of what it is about (`Statement[0].Condition.StringLike`), its
//! line and column, and a sentence.
//!
//! A document without findings may still be wrong: nothing here knows which services, accounts
//! and roles there are. The tables of condition keys are those of all services, of STS and of IAM,
//! the tables of actions those of the services that the broker answers for; keys and actions of other
//! services are taken as they are.
//!
//! ```
//! use countersign::policy::lint::{Code, lint};
//!
//! let report = lint(r#"{"Version": "2012-10-17", "Statement": {
//!     "Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}}"#, None);
//! let finding = &report.findings[0];
//! assert_eq!(finding.code, Code::PassRoleStar);
//! assert_eq!((finding.path.as_str(), finding.line), ("Statement.Action", 2));
//! ```
//!
//! Source: IAM User Guide, "IAM Access Analyzer policy check reference".

mod access;
mod actions;
mod code;
mod conditions;
mod document;
mod federation;
mod grammar;
mod keys;
mod redundancy;
mod shape;
mod syntax;
pub(super) mod tree;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use actions::names as action_names;
pub use code::{Code, Severity};

use super::ast::DocumentKind;
use super::fold::fold;
use super::limits::HARD_CAP_BYTES;
use super::parse::json::{self, Json, Located};
use document::{Document, Findings};

/// At most this many findings are kept.
const MAX_FINDINGS: usize = 1_000;

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check found it.
    pub code: Code,
    /// What it is about: `Statement[0].Action`. Empty for the document as a whole.
    pub path: String,
    /// Where that begins, counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// Where it ends.
    pub end_line: usize,
    /// The column behind its last character.
    pub end_column: usize,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl Finding {
    /// Its class.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// What was found in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The kind that the document was taken for.
    pub kind: DocumentKind,
    /// In the order of the text.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The worst class among the findings.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(Finding::severity).max()
    }
}

/// Examines a document. Without a kind it is guessed: with principals a trust policy when all its
/// actions are those by which roles are assumed, or all are of STS and it has no resources, a resource
/// policy otherwise; without principals an identity policy.
pub fn lint(text: &str, kind: Option<DocumentKind>) -> Report {
    let unread = kind.unwrap_or(DocumentKind::Identity);
    let mut found = Findings::of(text, MAX_FINDINGS);
    if text.len() > HARD_CAP_BYTES {
        let message = format!("the document is longer than {HARD_CAP_BYTES} bytes");
        found.add(Code::DocumentTooLong, String::new(), 0..0, message);
        return Report { kind: unread, findings: found.list };
    }
    let mut twins = Vec::new();
    let mut located = match json::read_leniently(text, &mut twins) {
        Ok(located) => located,
        Err((error, at)) => {
            let path = error.path.trim_start_matches(['$', '.']).to_owned();
            found.add(Code::JsonSyntax, path, at..at, syntax::message(text, at, &error.reason));
            return Report { kind: unread, findings: found.list };
        }
    };
    for twin in twins {
        let key = text.get(twin.clone()).unwrap_or_default();
        let message = format!("{key} occurs twice; case does not tell keys apart");
        found.add(Code::DuplicateKey, String::new(), twin, message);
    }
    grammar::without_twins(&mut located);
    let kind = kind.unwrap_or_else(|| guess(&located));
    let mut parsed = grammar::refusals(&located, kind);
    for refusal in std::mem::take(&mut parsed.refusals) {
        found.add(refusal.code, refusal.path, refusal.span, refusal.message);
    }
    let document = Document::of(&located, kind, parsed);
    shape::check(&document, text, &mut found);
    access::check(&document, &mut found);
    federation::check(&document, &mut found);
    conditions::check(&document, &mut found);
    redundancy::check(&document, &mut found);
    let mut findings = found.list;
    findings.sort_by_key(|finding| (finding.line, finding.column));
    Report { kind, findings }
}

/// Whether a condition key, in any case, may have more than one value.
pub fn is_multivalued(key: &str) -> bool {
    keys::find(key).is_some_and(|known| known.many)
}

fn guess(located: &Located) -> DocumentKind {
    let root = tree::Node::root(&located.json, &located.place);
    let statements = root.get("Statement").map(|node| node.items()).unwrap_or_default();
    let has = |name: &str| statements.iter().any(|statement| statement.get(name).is_some());
    let all = |holds: fn(&str) -> bool| {
        statements.iter().all(|statement| {
            let actions = statement.get("Action").map(|node| node.texts()).unwrap_or_default();
            !actions.is_empty() && actions.iter().all(|(action, _)| holds(&fold(action)))
        })
    };
    let of_trust = |action: &str| {
        ["sts:tagsession", "sts:setsourceidentity", "sts:setcontext"].contains(&action)
            || action.starts_with("sts:assumerole")
    };
    let of_sts = |action: &str| action.starts_with("sts:");
    if !matches!(located.json, Json::Map(_)) || !(has("Principal") || has("NotPrincipal")) {
        DocumentKind::Identity
    } else if all(of_trust) || (all(of_sts) && !has("Resource") && !has("NotResource")) {
        DocumentKind::Trust
    } else {
        DocumentKind::Resource
    }
}

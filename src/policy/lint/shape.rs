//! Version, size, Sids, and whether actions, resources and variables are of a shape that there is.

use super::super::ast::DocumentKind;
use super::super::limits::{MANAGED_CHARS, SESSION_CHARS, TRUST_CHARS, count_without_whitespace};
use super::code::Code;
use super::document::{Document, Findings};
use super::tree::Node;
use super::{actions, keys};

/// The limit of service and resource control policies, in characters.
///
/// Source: AWS Organizations User Guide, "Quotas for AWS Organizations".
const CONTROL_CHARS: usize = 5_120;

/// Source: AWS General Reference, "Amazon Resource Names".
const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

pub(super) fn check(document: &Document<'_>, text: &str, found: &mut Findings<'_>) {
    version(document, found);
    size(document, text, found);
    for statement in &document.statements {
        if let Some(node) = statement.node.get("Sid").filter(|node| node.text() == Some("")) {
            found.value(Code::EmptySid, &node, "an empty Sid says nothing: leave it out");
        }
        for (action, node) in [statement.texts("Action"), statement.texts("NotAction")].concat() {
            self::action(action, &node, found);
        }
        for (text, node) in [statement.texts("Resource"), statement.texts("NotResource")].concat() {
            outer_space(text, &node, found);
            arn(text, &node, found);
            variables(document, text, &node, found);
        }
        for condition in &statement.conditions {
            for (text, node) in condition.values() {
                outer_space(text, &node, found);
                if condition.operator.comparison == super::super::condition::Comparison::Arn {
                    arn(text, &node, found);
                }
                variables(document, text, &node, found);
            }
        }
    }
}

fn version(document: &Document<'_>, found: &mut Findings<'_>) {
    match document.root.get("Version") {
        None if document.root.json.kind() == "an object" => {
            let message = "add \"Version\": \"2012-10-17\": without it variables are plain text";
            let start = document.root.place.span.start;
            found.add(Code::MissingVersion, String::new(), start..start, message.to_owned());
        }
        Some(node) if node.text() == Some("2008-10-17") => {
            found.value(Code::OldVersion, &node, "write 2012-10-17");
        }
        _ => {}
    }
}

fn size(document: &Document<'_>, text: &str, found: &mut Findings<'_>) {
    let bare = count_without_whitespace(text);
    let (size, limit, of) = match document.kind {
        DocumentKind::Identity => (bare, MANAGED_CHARS, "a managed policy"),
        DocumentKind::Boundary => (bare, MANAGED_CHARS, "a permissions boundary"),
        DocumentKind::Trust => (bare, TRUST_CHARS, "a trust policy"),
        DocumentKind::Session => (text.chars().count(), SESSION_CHARS, "a session policy"),
        DocumentKind::ServiceControl | DocumentKind::ResourceControl => {
            (text.trim().chars().count(), CONTROL_CHARS, "an organization's policy")
        }
        // The service that has the resource says.
        DocumentKind::Resource => return,
    };
    let place = document.root.place.span.start;
    let message = format!("{size} characters of the {limit} that {of} may have");
    if size > limit {
        found.add(Code::SizeIdentity, String::new(), place..place, message);
    } else if size.saturating_mul(10) > limit.saturating_mul(9) {
        found.add(Code::NearSize, String::new(), place..place, message);
    }
}

fn action(action: &str, node: &Node<'_>, found: &mut Findings<'_>) {
    if action.split(':').next().is_some_and(|service| service.ends_with(".amazonaws.com")) {
        let message = "the service of an action is its short name, such as s3: this one is never \
                       asked for";
        found.value(Code::ActionService, node, message);
    }
    if actions::is_unknown(action) == Some(true) {
        found.value(Code::UnknownAction, node, format!("there is no action {action}"));
    }
}

fn outer_space(text: &str, node: &Node<'_>, found: &mut Findings<'_>) {
    if text.trim() != text {
        let message = "spaces at the beginning and end count: nothing matches this";
        found.value(Code::OuterSpace, node, message);
    }
}

/// A resource or an operand that is an ARN.
fn arn(text: &str, node: &Node<'_>, found: &mut Findings<'_>) {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, _] = fields.as_slice() else { return };
    let open = |field: &str| field.contains(['*', '?', '$']);
    if !open(partition) && !PARTITIONS.contains(partition) {
        found.value(Code::ArnPartition, node, format!("there is no partition {partition:?}"));
    }
    if service.bytes().any(|b| b.is_ascii_uppercase()) {
        let message = "the service of an ARN is in lower case: nothing matches this";
        found.value(Code::ArnServiceCase, node, message);
    }
    let ours = matches!(*service, "iam" | "sts");
    if ours && !open(region) && !region.is_empty() {
        let message = "ARNs of IAM and STS have no region: nothing matches this";
        found.value(Code::ArnRegion, node, message);
    }
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    if !open(account) && !digits && *account != "aws" && (ours || !account.is_empty()) {
        let message = "the account of an ARN is twelve digits: nothing matches this";
        found.value(Code::ArnAccount, node, message);
    }
}

/// The variables of a text.
fn variables(document: &Document<'_>, text: &str, node: &Node<'_>, found: &mut Findings<'_>) {
    if !text.contains("${") {
        return;
    }
    if !document.has_variables() {
        let message = "variables need \"Version\": \"2012-10-17\": here this is plain text";
        found.value(Code::VariableInVersion, node, message);
        return;
    }
    for name in text.split("${").skip(1).filter_map(|rest| rest.split(['}', ',']).next()) {
        if keys::is_invented(name).is_some() {
            let message = format!("there is no key {name}: this matches nothing");
            found.value(Code::UnknownVariable, node, message);
        } else if keys::find(name).is_some_and(|known| known.many) {
            let message =
                format!("{name} has many values and is never replaced: this matches nothing");
            found.value(Code::MultivaluedVariable, node, message);
        }
    }
}

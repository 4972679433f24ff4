//! What the parser refuses, all of it.
//!
//! The parser stops at the first fault. Here the fault is told, what is faulty is taken out of a copy
//! of the document or put right there, and the copy is parsed again, until nothing is refused. Only
//! faults of the document as it was written are told, not those of what was left of it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::ast::{DocumentKind, Policy};
use super::super::condition::{Comparison, Operator};
use super::super::fold::fold;
use super::super::parse::json::{Json, Located, Place};
use super::super::parse::{ParseError, Reason};
use super::super::variables::VariableProblem;
use super::code::Code;
use super::tree::Node;

/// The document is parsed at most this many times, and so this many refusals are told at most.
const MAX_REFUSALS: usize = 100;

/// Something that the parser refuses.
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) path: String,
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

/// What parsing again and again came to.
pub(super) struct Parsed {
    pub(super) refusals: Vec<Refusal>,
    /// The document, or what is left of it.
    pub(super) policy: Option<Policy>,
    /// The statements that are not as they were written.
    pub(super) mended: BTreeSet<usize>,
}

/// A step from a value to one in it.
#[derive(Clone, Copy)]
enum Step<'d> {
    Key(&'d str),
    Index(usize),
}

/// Tells every refusal.
pub(super) fn refusals(document: &Located, kind: DocumentKind) -> Parsed {
    let mut copy = document.json.clone();
    let mut parsed = Parsed { refusals: Vec::new(), policy: None, mended: BTreeSet::new() };
    for _ in 0..MAX_REFUSALS {
        let error = match Policy::of_json(&copy, kind) {
            Ok(policy) => {
                parsed.policy = Some(policy);
                break;
            }
            Err(error) => error,
        };
        let path = error.path.trim_start_matches(['$', '.']);
        let (steps, node) = locate(document, path);
        if is_as_written(&error.reason, &node) {
            parsed.refusals.push(refusal(&error, path, &node));
        }
        // Without an element that its kind does not have, a statement says what it said before.
        let same = matches!(error.reason, Reason::NotInThisKind { .. })
            && matches!(element(path), "Resource" | "NotResource");
        parsed.mended.extend(match steps.as_slice() {
            _ if same => None,
            [Step::Key("Statement"), Step::Index(index), ..] => Some(*index),
            [Step::Key("Statement"), ..] => Some(0),
            _ => None,
        });
        if mend(&mut copy, &steps, &error.reason, kind).is_none() {
            break;
        }
    }
    parsed
}

/// The node at a path, or the last one on the way to it, and the steps that lead there.
fn locate<'d>(document: &'d Located, path: &str) -> (Vec<Step<'d>>, Node<'d>) {
    let mut node = Node::root(&document.json, &document.place);
    let mut steps = Vec::new();
    loop {
        let next = children(&node).into_iter().find(|(_, child)| {
            let below = path.strip_prefix(child.path.as_str());
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        let Some((step, child)) = next else { return (steps, node) };
        steps.push(step);
        node = child;
    }
}

fn children<'d>(node: &Node<'d>) -> Vec<(Step<'d>, Node<'d>)> {
    match node.json {
        Json::Map(_) => {
            node.members().into_iter().map(|(key, node)| (Step::Key(key), node)).collect()
        }
        Json::List(_) => (node.items().into_iter().enumerate())
            .map(|(index, node)| (Step::Index(index), node))
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether a fault is one of this node as it was written: what was taken out of it is not missing.
fn is_as_written(reason: &Reason, node: &Node<'_>) -> bool {
    match (reason, node.json) {
        (Reason::MissingElement { element }, Json::Map(members)) => {
            let negated = format!("Not{element}");
            !members.iter().any(|(key, _)| {
                key.eq_ignore_ascii_case(element) || key.eq_ignore_ascii_case(&negated)
            })
        }
        (Reason::MissingElement { .. }, _) => false,
        (Reason::Empty, Json::Map(members)) => members.is_empty(),
        _ => true,
    }
}

fn refusal(error: &ParseError, path: &str, node: &Node<'_>) -> Refusal {
    let at_key = matches!(
        error.reason,
        Reason::UnknownElement
            | Reason::WrongCase { .. }
            | Reason::NotInThisKind { .. }
            | Reason::PrincipalType
            | Reason::NotPrincipal
            | Reason::Operator
            | Reason::ConditionKey
            | Reason::DuplicateKey
    );
    let span = if at_key { node.key_or_value() } else { node.place.span.clone() };
    let text = node.text().unwrap_or_default();
    Refusal {
        code: code(&error.reason, path, text),
        path: path.to_owned(),
        span,
        message: error.reason.to_string(),
    }
}

/// The code of a refusal.
fn code(reason: &Reason, path: &str, text: &str) -> Code {
    match reason {
        Reason::TooLong { .. } => Code::DocumentTooLong,
        Reason::Json { .. } => Code::JsonSyntax,
        Reason::DuplicateKey => Code::DuplicateKey,
        Reason::MissingElement { element } => match *element {
            "Statement" => Code::MissingStatement,
            "Effect" => Code::MissingEffect,
            "Principal" => Code::MissingPrincipal,
            "Action" => Code::MissingAction,
            _ => Code::MissingResource,
        },
        Reason::BothForms { .. } => Code::BothForms,
        Reason::NotInThisKind { .. } if path.ends_with("Principal") => Code::UnsupportedPrincipal,
        Reason::UnknownElement | Reason::WrongCase { .. } | Reason::NotInThisKind { .. } => {
            Code::InvalidElement
        }
        Reason::WrongType { .. } => Code::DataType,
        Reason::Empty => match element(path) {
            "Action" | "NotAction" => Code::EmptyArrayAction,
            "Resource" | "NotResource" => Code::EmptyArrayResource,
            "Principal" | "NotPrincipal" => Code::EmptyPrincipal,
            "Condition" => Code::EmptyArrayCondition,
            _ => Code::EmptyStatement,
        },
        Reason::Version => Code::InvalidVersion,
        Reason::Effect => Code::InvalidEffect,
        Reason::Sid => Code::UnsupportedSid,
        Reason::DuplicateSid => Code::DuplicateSid,
        Reason::Action if text.contains("${") => Code::VariableInElement,
        Reason::Action => Code::InvalidAction,
        Reason::TrustAction => Code::UnsupportedAction,
        Reason::Resource => match text {
            text if !text.starts_with("arn:") => Code::ArnPrefix,
            text if text.split(':').count() < 6 => Code::ArnField,
            _ => Code::ArnResource,
        },
        Reason::ResourceVariable => Code::VariableInElement,
        Reason::Variable(problem) => match problem {
            VariableProblem::Unterminated => Code::VariableBrace,
            VariableProblem::Empty => Code::VariableEmpty,
            VariableProblem::Default => Code::VariableQuote,
            VariableProblem::Name if spaces_in_variable(text) => Code::VariableSpace,
            VariableProblem::Name => Code::VariableName,
        },
        Reason::Principal | Reason::PrincipalWildcard if text.contains("${") => {
            Code::VariableInElement
        }
        Reason::Principal => Code::PrincipalFormat,
        Reason::PrincipalWildcard => Code::PrincipalWildcard,
        Reason::PrincipalType => Code::PrincipalKey,
        Reason::NotPrincipal => Code::NotPrincipal,
        Reason::NotEveryone => Code::RcpPrincipal,
        Reason::Operator => match path.rsplit(['.', '"']).find(|part| part.contains("Null")) {
            Some(name) if name.contains(':') => Code::NullQualifier,
            Some(name) if name.contains("Exists") => Code::NullIfExists,
            _ => Code::InvalidOperator,
        },
        Reason::ConditionKey => Code::ConditionKeyFormat,
        Reason::Operand { .. } if text.contains("${") => Code::VariableForOperator,
        Reason::Operand { expected } => match *expected {
            "an ARN" => Code::OperandArn,
            "a decimal number" => Code::OperandNumber,
            "standard base64" => Code::OperandBinary,
            "true or false" => Code::OperandBool,
            expected if expected.starts_with("an IP") => Code::OperandIp,
            _ => Code::OperandDate,
        },
        Reason::OneOperand => Code::MultipleBoolean,
    }
}

/// Whether spaces are what is wrong with the name of a variable.
fn spaces_in_variable(text: &str) -> bool {
    text.split("${").skip(1).any(|rest| {
        let name = rest.split(['}', ',']).next();
        name.is_some_and(|name| name.contains(char::is_whitespace))
    })
}

/// The element of a statement, or of the document, that a path leads into.
fn element(path: &str) -> &str {
    let below = match path.strip_prefix("Statement") {
        Some(rest) => rest.split_once('.').map_or("", |(_, below)| below),
        None => path,
    };
    below.split(['.', '[']).next().unwrap_or_default()
}

/// Puts what was refused right, or takes it out. `None` when there is no way.
fn mend(copy: &mut Json, steps: &[Step<'_>], reason: &Reason, kind: DocumentKind) -> Option<()> {
    match reason {
        // Nothing could be put in its place.
        Reason::MissingElement { element: "Statement" } => None,
        Reason::MissingElement { element } => {
            let value = match *element {
                "Effect" => "Deny",
                "Action" => "sts:AssumeRole",
                _ => "*",
            };
            let member = ((*element).to_owned(), Json::Text(value.to_owned()));
            members(copy, steps)?.push(member);
            Some(())
        }
        Reason::BothForms { element } => {
            let negated = format!("Not{element}");
            members(copy, steps)?.retain(|(key, _)| *key != negated);
            Some(())
        }
        // The key is at fault, whatever stands there.
        Reason::UnknownElement
        | Reason::WrongCase { .. }
        | Reason::NotInThisKind { .. }
        | Reason::PrincipalType
        | Reason::ConditionKey => remove(copy, steps),
        _ => match accepted(steps, kind) {
            Some(json) => value(copy, steps).map(|faulty| *faulty = json),
            None => remove(copy, steps),
        },
    }
}

/// A value that is not refused where one was; `None` where it is better to have none.
fn accepted(steps: &[Step<'_>], kind: DocumentKind) -> Option<Json> {
    use Step::{Index, Key};

    let ([Key("Statement"), Index(_), within @ ..] | [Key("Statement"), within @ ..] | within) =
        steps;
    let text = match within {
        // Of a statement what is missing is put in next.
        [] => return Some(Json::Map(Vec::new())),
        [Key("Version")] => "2012-10-17",
        [Key("Action"), ..] => "sts:AssumeRole",
        [Key("NotAction"), ..] if kind != DocumentKind::Trust => "sts:AssumeRole",
        [Key("Resource" | "NotResource"), ..] => "*",
        // An account, a provider and a service.
        [Key("Principal" | "NotPrincipal"), Key(_), ..] => "000000000000",
        [Key("Condition"), Key(operator), Key(_), ..] => {
            operand(Operator::parse(operator)?.comparison)
        }
        _ => return None,
    };
    Some(Json::Text(text.to_owned()))
}

fn operand(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::StringEquals | Comparison::StringEqualsIgnoreCase | Comparison::StringLike => {
            "x"
        }
        Comparison::Numeric(_) => "1",
        Comparison::Date(_) => "2020-01-01T00:00:00Z",
        Comparison::IpAddress => "192.0.2.0/24",
        Comparison::Binary => "AA==",
        Comparison::Bool | Comparison::Null => "true",
        Comparison::Arn => "arn:aws:iam::000000000000:role/x",
    }
}

/// The value at the end of the steps.
fn value<'j>(json: &'j mut Json, steps: &[Step<'_>]) -> Option<&'j mut Json> {
    steps.iter().try_fold(json, |json, step| match (json, step) {
        (Json::Map(members), Step::Key(wanted)) => {
            members.iter_mut().find(|(key, _)| key == wanted).map(|(_, value)| value)
        }
        (Json::List(list), Step::Index(index)) => list.get_mut(*index),
        _ => None,
    })
}

/// The members of the object at the end of the steps.
fn members<'j>(json: &'j mut Json, steps: &[Step<'_>]) -> Option<&'j mut Vec<(String, Json)>> {
    match value(json, steps)? {
        Json::Map(members) => Some(members),
        _ => None,
    }
}

/// Takes the member of an object at the end of the steps out.
fn remove(json: &mut Json, steps: &[Step<'_>]) -> Option<()> {
    let (Step::Key(wanted), above) = steps.split_last()? else { return None };
    members(json, above)?.retain(|(key, _)| key != wanted);
    Some(())
}

/// Takes the later ones of keys that occur twice out of a document.
pub(super) fn without_twins(document: &mut Located) {
    fn below(json: &mut Json, place: &mut Place) {
        match json {
            Json::Map(members) => {
                let mut seen = BTreeSet::new();
                let mut keep = members.iter().map(|(key, _)| seen.insert(fold(key).into_owned()));
                let kept: Vec<bool> = keep.by_ref().collect();
                let mut flags = kept.iter();
                members.retain(|_| flags.next().copied().unwrap_or(true));
                let mut flags = kept.iter();
                place.children.retain(|_| flags.next().copied().unwrap_or(true));
                for ((_, json), place) in members.iter_mut().zip(&mut place.children) {
                    below(json, place);
                }
            }
            Json::List(list) => {
                for (json, place) in list.iter_mut().zip(&mut place.children) {
                    below(json, place);
                }
            }
            _ => {}
        }
    }
    below(&mut document.json, &mut document.place);
}

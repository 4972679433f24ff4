//! What the parser refuses, all of it.
//!
//! The parser stops at the first fault. Here the fault is told, what is faulty is put right or
//! taken out of a copy of the document, and the copy is parsed again, until nothing is refused.

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

/// At most this many refusals are told.
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

/// Tells every refusal.
pub(super) fn refusals(document: &Located, kind: DocumentKind) -> Parsed {
    let mut copy = document.clone();
    let mut parsed = Parsed { refusals: Vec::new(), policy: None, mended: BTreeSet::new() };
    while parsed.refusals.len() < MAX_REFUSALS {
        let error = match Policy::of_json(&copy.json, kind) {
            Ok(policy) => {
                parsed.policy = Some(policy);
                break;
            }
            Err(error) => error,
        };
        let path = error.path.strip_prefix('$').unwrap_or(&error.path);
        let path = path.strip_prefix('.').unwrap_or(path).to_owned();
        let (steps, node) = locate(&copy, &path);
        parsed.refusals.push(refusal(&error, &path, &node));
        if path.starts_with("Statement") {
            // The document's member, then the statement's place in the list.
            let index = if path.starts_with("Statement[") { steps.get(1) } else { None };
            parsed.mended.insert(index.copied().unwrap_or_default());
        }
        if mend(&mut copy, &steps, &error.reason, &path, kind).is_none() {
            break;
        }
    }
    parsed
}

/// The node at a path, or the last one on the way to it, and the indexes that lead there.
fn locate<'d>(document: &'d Located, path: &str) -> (Vec<usize>, Node<'d>) {
    let mut node = Node::root(&document.json, &document.place);
    let mut steps = Vec::new();
    'down: while node.path != path {
        let children: Vec<Node<'d>> = match node.json {
            Json::Map(_) => node.members().into_iter().map(|(_, node)| node).collect(),
            Json::List(_) => node.items(),
            _ => break,
        };
        for (index, child) in children.into_iter().enumerate() {
            let below = path.strip_prefix(child.path.as_str());
            if below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])) {
                steps.push(index);
                node = child;
                continue 'down;
            }
        }
        break;
    }
    (steps, node)
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
            Some(name) if name.contains("Null") && name.contains("Exists") => Code::NullIfExists,
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
        rest.split(['}', ',']).next().is_some_and(|name| name.trim() != name || name.contains(' '))
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
fn mend(
    document: &mut Located,
    steps: &[usize],
    reason: &Reason,
    path: &str,
    kind: DocumentKind,
) -> Option<()> {
    let text = |text: &str| Json::Text(text.to_owned());
    let (&last, above) = match steps.split_last() {
        Some((last, above)) => (last, above),
        // The document itself.
        None => (&0, steps),
    };
    match reason {
        // Nothing could be put in its place.
        Reason::MissingElement { element: "Statement" }
        | Reason::TooLong { .. }
        | Reason::Json { .. }
        | Reason::DuplicateKey => None,
        Reason::MissingElement { element } => {
            let value = match *element {
                "Effect" => "Deny",
                "Action" => "sts:AssumeRole",
                _ => "*",
            };
            let (json, place) = at(document, steps)?;
            let Json::Map(members) = json else { return None };
            members.push(((*element).to_owned(), text(value)));
            place.children.push(Place::default());
            Some(())
        }
        Reason::BothForms { element } => {
            let negated = format!("Not{element}");
            let (json, place) = at(document, steps)?;
            let Json::Map(members) = json else { return None };
            let index = members.iter().position(|(key, _)| *key == negated)?;
            members.remove(index);
            (index < place.children.len()).then(|| place.children.remove(index)).map(drop)
        }
        Reason::WrongCase { expected } => {
            let (json, place) = at(document, above)?;
            let Json::Map(members) = json else { return None };
            if members.iter().any(|(key, _)| key == expected) {
                members.remove(last);
                place.children.remove(last);
            } else {
                (*expected).clone_into(&mut members.get_mut(last)?.0);
            }
            Some(())
        }
        Reason::NotPrincipal | Reason::NotInThisKind { .. }
            if element(path) == "NotPrincipal" && kind.has_principals() =>
        {
            *member(document, above, last)? = ("Principal".to_owned(), text("*"));
            Some(())
        }
        Reason::TrustAction if element(path) == "NotAction" => {
            *member(document, above, last)? = ("Action".to_owned(), text("sts:AssumeRole"));
            Some(())
        }
        Reason::UnknownElement
        | Reason::NotInThisKind { .. }
        | Reason::Sid
        | Reason::DuplicateSid
        | Reason::Operator
        | Reason::ConditionKey => remove(document, above, last),
        Reason::PrincipalType => {
            *member(document, above, last)? = ("AWS".to_owned(), text("000000000000"));
            let (json, place) = at(document, above)?;
            let Json::Map(members) = json else { return None };
            // Only one of that name.
            let twice = members.iter().filter(|(key, _)| key == "AWS").count() > 1;
            if twice {
                members.remove(last);
                place.children.remove(last);
            }
            Some(())
        }
        Reason::Empty | Reason::WrongType { .. } | Reason::OneOperand | Reason::Operand { .. }
            if element(path) == "Condition" =>
        {
            match condition_default(path) {
                Some(value) => replace(document, steps, text(value)),
                None if path.ends_with("Condition") => {
                    replace(document, steps, Json::Map(Vec::new()))
                }
                None => remove(document, above, last),
            }
        }
        _ => replace(document, steps, default(path, kind)?),
    }
}

/// A value that is never refused where one was.
fn default(path: &str, kind: DocumentKind) -> Option<Json> {
    let deeper = path.rsplit("Principal").next().unwrap_or_default();
    let value = match element(path) {
        "Version" => "2012-10-17",
        "Effect" => "Deny",
        "Action" | "NotAction" => "sts:AssumeRole",
        "NotPrincipal" if deeper.is_empty() => return Some(principals()),
        "Principal" if deeper.is_empty() => "*",
        "Principal" | "NotPrincipal" if deeper.starts_with(".AWS") => "000000000000",
        "Principal" | "NotPrincipal" => "x.example",
        "Condition" | "Id" | "Sid" => "x",
        "Statement" | "" if !path.is_empty() => {
            let principal = kind.has_principals().then_some(("Principal", "*"));
            let resource = (kind != DocumentKind::Trust).then_some(("Resource", "*"));
            let members = [("Effect", "Deny"), ("Action", "sts:AssumeRole")];
            let members = members.into_iter().chain(principal).chain(resource);
            return Some(Json::Map(
                members
                    .map(|(key, value)| (key.to_owned(), Json::Text(value.to_owned())))
                    .collect(),
            ));
        }
        "" => return None,
        _ => "*",
    };
    Some(Json::Text(value.to_owned()))
}

fn principals() -> Json {
    Json::Map(vec![("AWS".to_owned(), Json::Text("000000000000".to_owned()))])
}

/// An operand of the type of the operator in the path, when the path leads into operands.
fn condition_default(path: &str) -> Option<&'static str> {
    let (_, below) = path.split_once("Condition")?;
    let name = below.trim_start_matches(['.', '[', '"']);
    let end = name.find(['.', '[', '"'])?;
    let (name, operands) = name.split_at(end);
    let below_key = operands.trim_start_matches(['"', ']']);
    if below_key.is_empty() {
        return None;
    }
    Some(match Operator::parse(name)?.comparison {
        Comparison::StringEquals | Comparison::StringEqualsIgnoreCase | Comparison::StringLike => {
            "x"
        }
        Comparison::Numeric(_) => "1",
        Comparison::Date(_) => "2020-01-01T00:00:00Z",
        Comparison::IpAddress => "192.0.2.0/24",
        Comparison::Binary => "AA==",
        Comparison::Bool | Comparison::Null => "true",
        Comparison::Arn => "arn:aws:iam::000000000000:role/x",
    })
}

/// The value at the end of the steps, with its place.
fn at<'d>(document: &'d mut Located, steps: &[usize]) -> Option<(&'d mut Json, &'d mut Place)> {
    let (mut json, mut place) = (&mut document.json, &mut document.place);
    for step in steps {
        json = match json {
            Json::Map(members) => &mut members.get_mut(*step)?.1,
            Json::List(list) => list.get_mut(*step)?,
            _ => return None,
        };
        if place.children.len() <= *step {
            place.children.resize(*step + 1, Place::default());
        }
        place = place.children.get_mut(*step)?;
    }
    Some((json, place))
}

fn member<'d>(
    document: &'d mut Located,
    above: &[usize],
    index: usize,
) -> Option<&'d mut (String, Json)> {
    match at(document, above)?.0 {
        Json::Map(members) => members.get_mut(index),
        _ => None,
    }
}

/// Takes a member of an object out; its place too.
fn remove(document: &mut Located, above: &[usize], index: usize) -> Option<()> {
    let (json, place) = at(document, above)?;
    let Json::Map(members) = json else { return None };
    (index < members.len()).then(|| members.remove(index))?;
    if index < place.children.len() {
        place.children.remove(index);
    }
    Some(())
}

fn replace(document: &mut Located, steps: &[usize], value: Json) -> Option<()> {
    let (json, _) = at(document, steps)?;
    *json = value;
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

//! A document as checks look at it: whatever of it can be understood.

use super::super::ast::{DocumentKind, Policy};
use super::super::condition::{Operator, Quantifier};
use super::super::fold::fold;
use super::super::parse::json::{Json, Located};
use super::code::Code;
use super::tree::{Lines, Node};
use super::{Finding, grammar};

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

/// A document under examination.
pub(super) struct Document<'d> {
    pub(super) kind: DocumentKind,
    pub(super) root: Node<'d>,
    pub(super) statements: Vec<Statement<'d>>,
    /// The parsed document, or what is left of it without its faults.
    pub(super) policy: Option<Policy>,
    /// The statements that are not in `policy` as they were written.
    pub(super) mended: BTreeSet<usize>,
}

/// A statement.
pub(super) struct Statement<'d> {
    pub(super) index: usize,
    pub(super) node: Node<'d>,
    pub(super) conditions: Vec<Condition<'d>>,
}

/// One key under one operator that there is.
pub(super) struct Condition<'d> {
    pub(super) operator: Operator,
    /// The operator's name.
    pub(super) name: &'d str,
    pub(super) key: &'d str,
    /// What it is compared with.
    pub(super) node: Node<'d>,
}

impl<'d> Document<'d> {
    pub(super) fn of(located: &'d Located, kind: DocumentKind, parsed: grammar::Parsed) -> Self {
        let root = Node::root(&located.json, &located.place);
        let statements = root.get("Statement").map(|node| node.items()).unwrap_or_default();
        let statements = statements.into_iter().enumerate();
        Self {
            kind,
            root,
            statements: statements.map(|(index, node)| Statement::of(index, node)).collect(),
            policy: parsed.policy,
            mended: parsed.mended,
        }
    }

    /// The version that it says it has.
    pub(super) fn version(&self) -> Option<&'d str> {
        self.root.get("Version").and_then(|node| node.text())
    }

    /// Whether `${…}` is a variable in it.
    pub(super) fn has_variables(&self) -> bool {
        self.version() == Some("2012-10-17")
    }
}

impl<'d> Statement<'d> {
    fn of(index: usize, node: Node<'d>) -> Self {
        let mut conditions = Vec::new();
        for (name, keys) in node.get("Condition").map(|node| node.members()).unwrap_or_default() {
            let Some(operator) = Operator::parse(name) else { continue };
            conditions.extend((keys.members().into_iter()).map(|(key, node)| Condition {
                operator,
                name,
                key,
                node,
            }));
        }
        Self { index, node, conditions }
    }

    fn effect(&self) -> Option<&'d str> {
        self.node.get("Effect").and_then(|node| node.text())
    }

    pub(super) fn allows(&self) -> bool {
        self.effect() == Some("Allow")
    }

    pub(super) fn denies(&self) -> bool {
        self.effect() == Some("Deny")
    }

    /// The texts of an element, each with its place.
    pub(super) fn texts(&self, element: &str) -> Vec<(&'d str, Node<'d>)> {
        self.node.get(element).map(|node| node.texts()).unwrap_or_default()
    }

    pub(super) fn has(&self, element: &str) -> bool {
        self.node.get(element).is_some()
    }

    /// The principals that `Principal` names: their type (`AWS` for a bare `*`), and they.
    pub(super) fn principals(&self) -> Vec<(&'d str, &'d str, Node<'d>)> {
        let Some(node) = self.node.get("Principal") else { return Vec::new() };
        if let Json::Map(_) = node.json {
            let named = node.members().into_iter();
            named
                .flat_map(|(kind, node)| {
                    node.texts().into_iter().map(move |(text, node)| (kind, text, node))
                })
                .collect()
        } else {
            node.text().map(|text| vec![("AWS", text, node)]).unwrap_or_default()
        }
    }
}

impl<'d> Condition<'d> {
    /// The key, lower-cased.
    pub(super) fn folded(&self) -> Cow<'d, str> {
        fold(self.key)
    }

    pub(super) fn values(&self) -> Vec<(&'d str, Node<'d>)> {
        self.node.texts()
    }

    pub(super) fn is_for_all(&self) -> bool {
        self.operator.quantifier == Some(Quantifier::AllValues)
    }
}

/// Collects what is found.
pub(super) struct Findings<'t> {
    lines: Lines<'t>,
    /// At most this many are kept.
    room: usize,
    pub(super) list: Vec<Finding>,
}

impl<'t> Findings<'t> {
    pub(super) fn of(text: &'t str, room: usize) -> Self {
        Self { lines: Lines::of(text), room, list: Vec::new() }
    }

    /// Something about a value.
    pub(super) fn value(&mut self, code: Code, node: &Node<'_>, message: impl Into<String>) {
        self.add(code, node.path.clone(), node.place.span.clone(), message.into());
    }

    /// Something about a member itself: its key is pointed at.
    pub(super) fn key(&mut self, code: Code, node: &Node<'_>, message: impl Into<String>) {
        self.add(code, node.path.clone(), node.key_or_value(), message.into());
    }

    pub(super) fn add(&mut self, code: Code, path: String, span: Range<usize>, message: String) {
        if self.list.len() >= self.room {
            return;
        }
        let (line, column) = self.lines.position(span.start);
        let (end_line, end_column) = self.lines.position(span.end.max(span.start));
        let finding = Finding { code, path, line, column, end_line, end_column, message };
        if !self.list.contains(&finding) {
            self.list.push(finding);
        }
    }
}

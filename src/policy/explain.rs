//! Why a decision is what it is: every statement of every layer, element by element.
//!
//! A trace holds the request's condition keys in the clear. It is for the operators of the
//! account, not for the caller.

use std::fmt;

use super::ast::Statement;
use super::context::Value;
use super::decide::{Decision, Layer, Layers, Named, Request, decide, decide_trust};
use super::evaluate::{Facts, Whom};
use super::message::access_denied;
use super::truth::Truth;

/// A decision and how each statement took part in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The decision, as [`decide`] or [`decide_trust`] makes it.
    pub decision: Decision,
    /// The statements, layer by layer, in the order of their documents.
    pub statements: Vec<StatementTrace>,
}

/// How one statement took part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementTrace {
    /// The layer.
    pub layer: Layer,
    /// The level of an organization's policy, counted from its root.
    pub level: Option<usize>,
    /// The policy's name.
    pub policy: String,
    /// The statement's place in the policy, counted from 0.
    pub statement: usize,
    /// Its Sid.
    pub sid: Option<String>,
    /// Whether it allows; otherwise it denies.
    pub allows: bool,
    /// Whether all of its elements match.
    pub matches: Truth,
    /// Whether it takes effect: an undecided deny does, an undecided allow does not.
    pub applies: bool,
    /// Its elements.
    pub elements: Vec<ElementTrace>,
}

/// How one element of a statement compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementTrace {
    /// Which one.
    pub element: Element,
    /// What the statement holds: patterns, principals with the IDs they are bound to, operands.
    pub expected: Vec<String>,
    /// What the request holds; `None` for an absent condition key.
    pub actual: Option<Vec<String>>,
    /// How they compare.
    pub matches: Truth,
}

/// An element of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// `Principal`, or `NotPrincipal` when negated.
    Principal {
        /// Whether it is the negated form.
        negated: bool,
    },
    /// `Action` or `NotAction`.
    Action {
        /// Whether it is the negated form.
        negated: bool,
    },
    /// `Resource` or `NotResource`.
    Resource {
        /// Whether it is the negated form.
        negated: bool,
    },
    /// One key under one operator of `Condition`.
    Condition {
        /// The operator with its quantifier and `IfExists`; `ArnEquals` shows as `ArnLike`.
        operator: String,
        /// The key, as the statement has it.
        key: String,
    },
}

/// Decides like [`decide`], and says how.
pub fn explain(request: &Request<'_>, layers: &Layers<'_>) -> Trace {
    let statements = trace(request, layers, layers.resource.as_ref(), Layer::Resource);
    Trace { decision: decide(request, layers), statements }
}

/// Decides like [`decide_trust`], and says how.
pub fn explain_trust(request: &Request<'_>, trust: Named<'_>, layers: &Layers<'_>) -> Trace {
    let statements = trace(request, layers, Some(&trust), Layer::Trust);
    Trace { decision: decide_trust(request, trust, layers), statements }
}

fn trace(
    request: &Request<'_>,
    layers: &Layers<'_>,
    owner: Option<&Named<'_>>,
    owner_layer: Layer,
) -> Vec<StatementTrace> {
    let Request { caller, action, resource, context } = *request;
    let facts = Facts::new(caller, action, resource, context, layers.boundary.is_some());
    let mut statements = Vec::new();
    let mut add = |layer: Layer, level: Option<usize>, policies: &[Named<'_>]| {
        for named in policies {
            let whom = layer.whom(named.policy);
            for (index, statement) in named.policy.statements.iter().enumerate() {
                let elements = statement.trace(&facts, whom);
                let matches = Truth::all(elements.iter().map(|element| element.matches));
                statements.push(StatementTrace {
                    layer,
                    level,
                    policy: named.name.to_owned(),
                    statement: index,
                    sid: statement.sid.clone(),
                    allows: statement.allows,
                    matches,
                    applies: match matches {
                        Truth::True => true,
                        Truth::False => false,
                        Truth::Unknown => !statement.allows,
                    },
                    elements,
                });
            }
        }
    };
    for (level, policies) in layers.service_control.iter().enumerate() {
        add(Layer::ServiceControl, Some(level), policies);
    }
    for (level, policies) in layers.resource_control.iter().enumerate() {
        add(Layer::ResourceControl, Some(level), policies);
    }
    add(owner_layer, None, owner.map(std::slice::from_ref).unwrap_or_default());
    add(Layer::Identity, None, layers.identity);
    add(Layer::Boundary, None, layers.boundary.as_slice());
    add(Layer::Session, None, layers.session.unwrap_or_default());
    statements
}

impl Statement {
    fn trace(&self, facts: &Facts<'_>, whom: Whom) -> Vec<ElementTrace> {
        fn all<T: ToString>(entries: &[T]) -> Vec<String> {
            entries.iter().map(ToString::to_string).collect()
        }
        let mut elements = Vec::new();
        if whom != Whom::Caller {
            elements.push(ElementTrace {
                element: Element::Principal {
                    negated: self.principal.as_ref().is_some_and(|clause| clause.negated),
                },
                expected: self.principal.as_ref().map(|c| all(&c.entries)).unwrap_or_default(),
                actual: Some(vec![facts.caller.to_string()]),
                matches: self.names(facts, whom).0,
            });
        }
        elements.push(ElementTrace {
            element: Element::Action { negated: self.action.negated },
            expected: all(&self.action.entries),
            actual: Some(vec![facts.action.to_string()]),
            matches: self.covers_action(facts),
        });
        if let Some(clause) = &self.resource {
            elements.push(ElementTrace {
                element: Element::Resource { negated: clause.negated },
                expected: all(&clause.entries),
                actual: Some(vec![facts.resource.to_owned()]),
                matches: self.covers_resource(facts),
            });
        }
        elements.extend(self.conditions.iter().map(|condition| ElementTrace {
            element: Element::Condition {
                operator: condition.operator.to_string(),
                key: condition.key.text().to_owned(),
            },
            expected: condition.operands.shown(),
            actual: facts.context.value(&condition.key).map(|value| match value {
                Value::One(value) => vec![value.clone()],
                Value::Many(values) => values.clone(),
            }),
            matches: condition.holds(facts.context),
        }));
        elements
    }
}

impl Trace {
    /// The whole trace as lines of text, for a terminal.
    pub fn to_text(&self, request: &Request<'_>) -> String {
        use fmt::Write as _;

        let mut text = String::new();
        let verdict = match self.decision.effect() {
            super::Effect::Allow => "allowed by",
            super::Effect::ExplicitDeny => "denied by",
            super::Effect::ImplicitDeny => "not allowed by",
        };
        let _ = writeln!(text, "{verdict} {}", self.decision.layer());
        if !self.decision.is_allowed() {
            let _ = writeln!(text, "{}", access_denied(request));
        }
        for statement in &self.statements {
            let _ = write!(text, "{statement}");
        }
        text
    }
}

impl fmt::Display for StatementTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, policy, statement, .. } = self;
        write!(f, "{layer} {policy}, statement {statement}")?;
        if let Some(sid) = self.sid.as_ref().filter(|sid| !sid.is_empty()) {
            write!(f, " ({sid})")?;
        }
        if let Some(level) = self.level {
            write!(f, ", level {level}")?;
        }
        let effect = if self.allows { "Allow" } else { "Deny" };
        let applies = if self.applies { "applies" } else { "does not apply" };
        writeln!(f, ": {effect} {applies}")?;
        for element in &self.elements {
            writeln!(f, "  {element}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ElementTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { element, expected, actual, matches } = self;
        write!(f, "{element} [{}] {matches}", expected.join(", "))?;
        match actual {
            Some(actual) => write!(f, ": {}", actual.join(", ")),
            None => f.write_str(": absent"),
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (negated, name) = match self {
            Self::Principal { negated } => (negated, "Principal"),
            Self::Action { negated } => (negated, "Action"),
            Self::Resource { negated } => (negated, "Resource"),
            Self::Condition { operator, key } => return write!(f, "{operator} {key}"),
        };
        write!(f, "{}{name}", if *negated { "Not" } else { "" })
    }
}

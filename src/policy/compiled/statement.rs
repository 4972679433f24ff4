//! Statements, with everything but action and resource read beforehand.

use std::sync::Arc;

use super::super::ast::{Clause, DocumentKind, Statement as Source};
use super::super::condition::Condition;
use super::super::context::Context;
use super::super::decide::{Layer, Request};
use super::super::evaluate::Whom;
use super::super::principal::{Principal, Reach};
use super::super::truth::Truth;
use super::condition::Test;
use super::resource::Spot;

/// What statements are held against.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) request: Request<'a>,
    pub(super) has_boundary: bool,
}

/// A statement, wherever its actions and resources are.
#[derive(Debug)]
pub(super) struct Statement {
    /// Which of the policies that were compiled together.
    pub(super) member: u32,
    /// Its place in the policy, counted from 0.
    pub(super) index: u32,
    pub(super) sid: Option<Box<str>>,
    kind: DocumentKind,
    allows: bool,
    principal: Option<Clause<Principal>>,
    /// Whether everyone is named, but for a condition that spells out who.
    spells_out: bool,
    tests: Box<[Test]>,
}

/// A statement and some of its resources.
#[derive(Clone, Debug)]
pub(super) struct Posting {
    pub(super) statement: Arc<Statement>,
    pub(super) spot: Arc<Spot>,
}

impl Statement {
    pub(super) fn new(member: u32, index: u32, kind: DocumentKind, source: &Source) -> Self {
        Self {
            member,
            index,
            sid: source.sid.as_deref().map(Into::into),
            kind,
            allows: source.allows,
            principal: source.principal.clone(),
            spells_out: (source.principal.iter())
                .any(|clause| clause.entries.contains(&Principal::Anyone))
                && source.conditions.iter().any(Condition::names_principal),
            tests: source.conditions.iter().map(Test::new).collect(),
        }
    }

    /// Whether that much truth is enough for it to take effect.
    ///
    /// INVARIANT (fail closed): an undecided statement denies and never allows.
    #[inline]
    fn takes(&self, truth: Truth) -> bool {
        if self.allows { truth == Truth::True } else { truth != Truth::False }
    }

    #[inline]
    fn names(&self, facts: &Facts<'_>, layer: Layer) -> (Truth, Reach) {
        let clause = match (layer.whom_of(self.kind), &self.principal) {
            (Whom::Caller, _) => return (Truth::True, Reach::Account),
            (Whom::Named, Some(clause)) => clause,
            (Whom::Named, None) | (Whom::Unclear, _) => return (Truth::Unknown, Reach::Account),
        };
        let (truth, reach) = clause.covers(facts.request.caller, facts.has_boundary);
        if truth == Truth::True && self.spells_out {
            (truth, Reach::Session)
        } else {
            (truth, reach)
        }
    }

    #[inline]
    fn meets(&self, context: &Context) -> bool {
        self.tests.iter().all(|test| self.takes(test.holds(context)))
    }
}

impl Posting {
    /// Whether the statement takes effect on the request, whose action it covers, and how far it
    /// carries.
    #[inline]
    pub(super) fn applies(&self, facts: &Facts<'_>, layer: Layer) -> Option<Reach> {
        let Request { resource, context, .. } = facts.request;
        let statement = &*self.statement;
        if !statement.takes(self.spot.covers(resource, context)) {
            return None;
        }
        let (truth, reach) = statement.names(facts, layer);
        (statement.takes(truth) && statement.meets(context)).then_some(reach)
    }
}

//! One policy against one request: which of its statements apply.

use super::ast::{Clause, Policy, Statement};
use super::caller::Caller;
use super::condition::Condition;
use super::context::Context;
use super::fold::fold;
use super::principal::{Principal, Reach};
use super::resource::ResourcePattern;
use super::truth::Truth;

use std::borrow::Cow;

/// What statements are held against.
pub(crate) struct Facts<'a> {
    pub(crate) caller: &'a Caller,
    /// Case-folded.
    pub(crate) action: Cow<'a, str>,
    pub(crate) resource: &'a str,
    pub(crate) context: &'a Context,
    /// Whether the caller has a permissions boundary.
    pub(crate) has_boundary: bool,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(
        caller: &'a Caller,
        action: &'a str,
        resource: &'a str,
        context: &'a Context,
        has_boundary: bool,
    ) -> Self {
        Self { caller, action: fold(action), resource, context, has_boundary }
    }
}

/// A statement that applies.
pub(crate) struct Applied<'p> {
    pub(crate) index: usize,
    pub(crate) statement: &'p Statement,
    /// How far it carries the caller, where it names principals.
    pub(crate) reach: Reach,
}

/// Whom the statements of a policy are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// The caller that the policy belongs to, or everyone.
    Caller,
    /// Those that the statements name.
    Named,
    /// The document is of a kind that does not belong into its layer: nobody knows.
    Unclear,
}

/// The statements of a policy that apply, the allowing and the denying ones.
pub(crate) fn apply<'p>(
    policy: &'p Policy,
    facts: &Facts<'_>,
    whom: Whom,
) -> (Vec<Applied<'p>>, Vec<Applied<'p>>) {
    let mut allows = Vec::new();
    let mut denies = Vec::new();
    for (index, statement) in policy.statements.iter().enumerate() {
        let (truth, reach) = statement.applies(facts, whom);
        let applied = Applied { index, statement, reach };
        // INVARIANT (fail closed): an undecided statement denies and never allows.
        match (statement.allows, truth) {
            (true, Truth::True) => allows.push(applied),
            (false, Truth::True | Truth::Unknown) => denies.push(applied),
            _ => {}
        }
    }
    (allows, denies)
}

impl Statement {
    fn applies(&self, facts: &Facts<'_>, whom: Whom) -> (Truth, Reach) {
        let (named, reach) = self.names(facts, whom);
        let parts: [&dyn Fn() -> Truth; 4] =
            [&|| self.covers_action(facts), &|| named, &|| self.covers_resource(facts), &|| {
                Truth::all(self.conditions.iter().map(|condition| condition.holds(facts.context)))
            }];
        (Truth::all(parts.iter().map(|part| part())), reach)
    }

    /// Whether it is about the caller, and how far it carries.
    pub(crate) fn names(&self, facts: &Facts<'_>, whom: Whom) -> (Truth, Reach) {
        let clause = match (whom, &self.principal) {
            (Whom::Caller, _) => return (Truth::True, Reach::Account),
            (Whom::Named, Some(clause)) => clause,
            (Whom::Named, None) | (Whom::Unclear, _) => return (Truth::Unknown, Reach::Account),
        };
        let (truth, reach) = clause.covers(facts.caller, facts.has_boundary);
        let everyone = truth == Truth::True && clause.entries.contains(&Principal::Anyone);
        if everyone && self.conditions.iter().any(Condition::names_principal) {
            // IAM User Guide, Principal: permissions granted by the aws:PrincipalArn key with `*`
            // as the principal are not limited by boundaries and session policies.
            return (truth, Reach::Session);
        }
        (truth, reach)
    }

    pub(crate) fn covers_action(&self, facts: &Facts<'_>) -> Truth {
        let listed = self.action.entries.iter().any(|pattern| pattern.matches(&facts.action));
        Truth::from(listed).negate_if(self.action.negated)
    }

    pub(crate) fn covers_resource(&self, facts: &Facts<'_>) -> Truth {
        let Some(Clause { negated, entries }) = &self.resource else {
            return Truth::True;
        };
        let covers = |entry: &ResourcePattern| {
            if *negated && !entry.resolves(facts.context) {
                Truth::Unknown
            } else {
                entry.matches(facts.resource, facts.context)
            }
        };
        Truth::any(entries.iter().map(covers)).negate_if(*negated)
    }
}

impl Condition {
    /// Whether it holds only for callers whose `aws:PrincipalArn` it spells out.
    ///
    /// AWS does not say what a pattern does here; only whole ARNs count as naming.
    pub(crate) fn names_principal(&self) -> bool {
        self.key.folded() == "aws:principalarn" && self.is_positive() && self.operands.are_literal()
    }
}

//! What a denied request lacked: the one fact of a trace that an operator can act on.

use super::decide::{Effect, Layer};
use super::explain::{Element, ElementTrace, StatementTrace, Trace};
use super::truth::Truth;

impl Trace {
    /// For an implicit deny: the statement that came nearest to allowing, and what it lacked. For
    /// an explicit one: the statement that denied. `None` for an allow, and when no statement is
    /// about the action at all.
    pub fn hint(&self) -> Option<String> {
        let layer = self.decision.layer();
        match self.decision.effect() {
            Effect::Allow => None,
            Effect::ExplicitDeny => {
                let denied = self.statements.iter().find(|s| !s.allows && s.applies)?;
                Some(format!("{} denies", denied.place()))
            }
            Effect::ImplicitDeny => {
                let near = self
                    .statements
                    .iter()
                    .filter(|s| s.layer == layer && s.allows && !s.applies && s.is_about_action())
                    .min_by_key(|s| s.distance())?;
                let lacks: Vec<String> = near.unmet().map(ElementTrace::lack).collect();
                Some(format!("{} {}", near.place(), lacks.join(", and ")))
            }
        }
    }
}

impl StatementTrace {
    fn is_about_action(&self) -> bool {
        self.elements.iter().any(|element| {
            matches!(element.element, Element::Action { .. }) && element.matches == Truth::True
        })
    }

    fn unmet(&self) -> impl Iterator<Item = &ElementTrace> {
        self.elements.iter().filter(|element| element.matches != Truth::True)
    }

    /// How far it is from applying: one that is about another principal or resource is farther than
    /// any whose conditions alone are not met.
    fn distance(&self) -> (usize, usize) {
        let conditions =
            self.unmet().filter(|it| matches!(it.element, Element::Condition { .. })).count();
        (self.unmet().count() - conditions, conditions)
    }

    fn place(&self) -> String {
        let sid = self.sid.as_deref().filter(|sid| !sid.is_empty());
        let sid = sid.map_or_else(String::new, |sid| format!(" ({sid})"));
        let layer = match self.layer {
            // Its name says what it is.
            Layer::Trust => String::new(),
            layer => format!("{layer} "),
        };
        format!("statement {}{sid} of {layer}{}", self.statement, self.policy)
    }
}

impl ElementTrace {
    fn lack(&self) -> String {
        let expected = self.expected.join(" or ");
        let actual = self.actual.as_ref().map_or_else(
            || "the request has none".to_owned(),
            |values| format!("the request has {}", values.join(", ")),
        );
        match &self.element {
            Element::Principal { negated } => {
                let word = if *negated { "excludes" } else { "is for" };
                format!("{word} {expected} ({actual})")
            }
            Element::Action { negated } => {
                let word = if *negated { "excludes" } else { "is for" };
                format!("{word} the actions {expected} ({actual})")
            }
            Element::Resource { negated } => {
                let word = if *negated { "excludes" } else { "is for" };
                format!("{word} the resources {expected} ({actual})")
            }
            Element::Condition { operator, key } => {
                format!("wants {operator} {key} {expected} ({actual})")
            }
        }
    }
}

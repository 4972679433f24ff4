//! The names of condition operators.

use std::cmp::Ordering;

/// A condition operator, with its quantifier and `IfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) quantifier: Option<Quantifier>,
    pub(crate) comparison: Comparison,
    pub(crate) negated: bool,
    pub(crate) if_exists: bool,
}

/// How the values of a multivalued key are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    /// `ForAllValues:`
    AllValues,
    /// `ForAnyValue:`
    AnyValue,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Relation),
    Date(Relation),
    Bool,
    Binary,
    IpAddress,
    /// `ArnEquals` and `ArnLike` are the same.
    Arn,
    Null,
}

/// How ordered things compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Relation {
    /// Whether it holds between two things that compare so.
    pub(crate) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equals => ordering.is_eq(),
            Self::LessThan => ordering.is_lt(),
            Self::LessThanEquals => ordering.is_le(),
            Self::GreaterThan => ordering.is_gt(),
            Self::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

impl Operator {
    /// Reads an operator's name, spelled as documented. `None` for everything else, also for
    /// `Null` with a quantifier or `IfExists`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (quantifier, rest) = if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (Some(Quantifier::AllValues), rest)
        } else if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (Some(Quantifier::AnyValue), rest)
        } else {
            (None, name)
        };
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (comparison, negated) = comparison(base)?;
        if comparison == Comparison::Null && (quantifier.is_some() || if_exists) {
            return None;
        }
        Some(Self { quantifier, comparison, negated, if_exists })
    }

    /// Whether a condition holds when its key is absent.
    pub(crate) fn holds_without_key(self) -> bool {
        self.if_exists
            || match self.quantifier {
                Some(Quantifier::AllValues) => true,
                Some(Quantifier::AnyValue) => false,
                None => self.negated,
            }
    }
}

fn comparison(base: &str) -> Option<(Comparison, bool)> {
    let (comparison, negated) = match base {
        "StringEquals" => (Comparison::StringEquals, false),
        "StringNotEquals" => (Comparison::StringEquals, true),
        "StringEqualsIgnoreCase" => (Comparison::StringEqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Comparison::StringEqualsIgnoreCase, true),
        "StringLike" => (Comparison::StringLike, false),
        "StringNotLike" => (Comparison::StringLike, true),
        "Bool" => (Comparison::Bool, false),
        "BinaryEquals" => (Comparison::Binary, false),
        "IpAddress" => (Comparison::IpAddress, false),
        "NotIpAddress" => (Comparison::IpAddress, true),
        "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
        "Null" => (Comparison::Null, false),
        _ => {
            if let Some(name) = base.strip_prefix("Numeric") {
                let (relation, negated) = relation(name)?;
                (Comparison::Numeric(relation), negated)
            } else {
                let (relation, negated) = relation(base.strip_prefix("Date")?)?;
                (Comparison::Date(relation), negated)
            }
        }
    };
    Some((comparison, negated))
}

fn relation(name: &str) -> Option<(Relation, bool)> {
    Some(match name {
        "Equals" => (Relation::Equals, false),
        "NotEquals" => (Relation::Equals, true),
        "LessThan" => (Relation::LessThan, false),
        "LessThanEquals" => (Relation::LessThanEquals, false),
        "GreaterThan" => (Relation::GreaterThan, false),
        "GreaterThanEquals" => (Relation::GreaterThanEquals, false),
        _ => return None,
    })
}

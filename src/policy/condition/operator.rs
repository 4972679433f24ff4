//! The names of condition operators.

use std::cmp::Ordering;
use std::fmt;

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

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.quantifier {
            Some(Quantifier::AllValues) => "ForAllValues:",
            Some(Quantifier::AnyValue) => "ForAnyValue:",
            None => "",
        })?;
        let relation = |relation: Relation| match relation {
            Relation::Equals if self.negated => "NotEquals",
            Relation::Equals => "Equals",
            Relation::LessThan => "LessThan",
            Relation::LessThanEquals => "LessThanEquals",
            Relation::GreaterThan => "GreaterThan",
            Relation::GreaterThanEquals => "GreaterThanEquals",
        };
        match (self.comparison, self.negated) {
            (Comparison::StringEquals, false) => f.write_str("StringEquals"),
            (Comparison::StringEquals, true) => f.write_str("StringNotEquals"),
            (Comparison::StringEqualsIgnoreCase, false) => f.write_str("StringEqualsIgnoreCase"),
            (Comparison::StringEqualsIgnoreCase, true) => f.write_str("StringNotEqualsIgnoreCase"),
            (Comparison::StringLike, false) => f.write_str("StringLike"),
            (Comparison::StringLike, true) => f.write_str("StringNotLike"),
            (Comparison::Numeric(with), _) => write!(f, "Numeric{}", relation(with)),
            (Comparison::Date(with), _) => write!(f, "Date{}", relation(with)),
            (Comparison::Bool, _) => f.write_str("Bool"),
            (Comparison::Binary, _) => f.write_str("BinaryEquals"),
            (Comparison::IpAddress, false) => f.write_str("IpAddress"),
            (Comparison::IpAddress, true) => f.write_str("NotIpAddress"),
            (Comparison::Arn, false) => f.write_str("ArnLike"),
            (Comparison::Arn, true) => f.write_str("ArnNotLike"),
            (Comparison::Null, _) => f.write_str("Null"),
        }?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
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

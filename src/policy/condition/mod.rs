//! The `Condition` element.
//!
//! Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Conditions with
//! multiple context keys or values", "Single-valued vs. multivalued context keys".
//!
//! Where AWS leaves a case open, or the value is not of the operator's type, the answer is
//! [`Truth::Unknown`]: an `Allow` does not apply, a `Deny` does.

mod arn;
mod date;
mod number;
mod operator;

pub(crate) use arn::ArnPattern;
pub(crate) use date::Instant;
pub(crate) use number::{Decimal, Digits};
pub(crate) use operator::{Comparison, Operator, Quantifier, Relation};

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ipnet::IpNet;

use super::context::{Context, Key, Value};
use super::fold::fold;
use super::truth::Truth;
use super::variables::Template;

/// One key under one operator.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) operator: Operator,
    pub(crate) key: Key,
    pub(crate) operands: Operands,
}

/// What the key's value is compared with, by the operator's type.
#[derive(Clone, Debug)]
pub(crate) enum Operands {
    /// Whole texts or patterns.
    Text { ignore_case: bool, list: Vec<Template> },
    /// ARNs.
    Arn(Vec<ArnPattern>),
    /// Numbers.
    Number(Relation, Vec<Decimal>),
    /// Dates.
    Date(Relation, Vec<Instant>),
    /// Networks.
    Ip(Vec<IpNet>),
    /// Bytes.
    Binary(Vec<Vec<u8>>),
    /// A truth value.
    Bool(bool),
    /// Whether the key must be absent.
    Null(bool),
}

impl Condition {
    /// Whether the request meets it.
    pub(crate) fn holds(&self, context: &Context) -> Truth {
        let value = context.value(&self.key);
        if let Operands::Null(absent) = self.operands {
            return null(value, absent);
        }
        let Some(value) = value else {
            return Truth::from(self.operator.holds_without_key());
        };
        let one = |value: &str| self.operands.hold(value, context).negate_if(self.operator.negated);
        let values = match value {
            Value::One(value) => std::slice::from_ref(value),
            Value::Many(values) => values.as_slice(),
        };
        match (self.operator.quantifier, value) {
            (None, Value::One(value)) => one(value),
            // A multivalued key needs a quantifier.
            (None, Value::Many(_)) => Truth::Unknown,
            // AWS takes an empty text for an empty set, which every quantifier has an answer to.
            // Where that answer and the comparison differ, the case is open.
            (Some(Quantifier::AllValues), _) => Truth::all(values.iter().map(|value| {
                let truth = one(value);
                if value.is_empty() { Truth::any([truth, Truth::Unknown]) } else { truth }
            })),
            (Some(Quantifier::AnyValue), _) => Truth::any(values.iter().map(|value| {
                let truth = one(value);
                if value.is_empty() { Truth::all([truth, Truth::Unknown]) } else { truth }
            })),
        }
    }

    /// Whether it requires the key to be present with a value that it lists: not negated, and
    /// never true of an absent key.
    pub(crate) fn is_positive(&self) -> bool {
        !self.operator.negated
            && !self.operator.if_exists
            && self.operator.quantifier != Some(Quantifier::AllValues)
            && matches!(self.operands, Operands::Text { .. } | Operands::Arn(_))
    }
}

fn null(value: Option<&Value>, absent: bool) -> Truth {
    match value {
        None => Truth::from(absent),
        // Whether an empty text is null is open.
        Some(Value::One(text)) if text.is_empty() => Truth::Unknown,
        Some(_) => Truth::from(!absent),
    }
}

impl Operands {
    /// The keys of the variables in them.
    pub(crate) fn keys(&self) -> Box<dyn Iterator<Item = &Key> + '_> {
        match self {
            Self::Text { list, .. } => Box::new(list.iter().flat_map(Template::keys)),
            Self::Arn(list) => Box::new(list.iter().flat_map(ArnPattern::keys)),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// Whether they are texts or ARNs without wildcards and variables.
    pub(crate) fn are_literal(&self) -> bool {
        match self {
            Self::Text { list, .. } => list.iter().all(|template| template.literal().is_some()),
            Self::Arn(list) => list.iter().all(ArnPattern::is_literal),
            _ => false,
        }
    }

    /// Each of them as text.
    pub(crate) fn shown(&self) -> Vec<String> {
        fn all<T: ToString>(list: &[T]) -> Vec<String> {
            list.iter().map(ToString::to_string).collect()
        }
        match self {
            Self::Text { list, .. } => all(list),
            Self::Arn(list) => all(list),
            Self::Number(_, list) => all(list),
            Self::Date(_, list) => all(list),
            Self::Ip(list) => all(list),
            Self::Binary(list) => list.iter().map(|bytes| BASE64.encode(bytes)).collect(),
            Self::Bool(value) | Self::Null(value) => vec![value.to_string()],
        }
    }

    /// Whether the value compares with any of them; `Unknown` when it is not of their type.
    fn hold(&self, value: &str, context: &Context) -> Truth {
        match self {
            Self::Text { ignore_case, list } => {
                let folded = if *ignore_case { fold(value) } else { value.into() };
                Truth::from(list.iter().any(|template| {
                    template.resolve(context).is_some_and(|pattern| pattern.matches(&folded))
                }))
            }
            Self::Arn(list) => ArnPattern::any_matches(list, value, context),
            Self::Number(relation, list) => {
                typed(Decimal::parse(value), list, |value, with| relation.holds(value.cmp(with)))
            }
            Self::Date(relation, list) => {
                typed(Instant::parse(value), list, |value, with| relation.holds(value.cmp(with)))
            }
            Self::Ip(list) => typed(parse_address(value), list, |value, with| with.contains(value)),
            Self::Binary(list) => {
                typed(BASE64.decode(value).ok(), list, |value, with| value == with)
            }
            Self::Bool(expected) => match parse_bool(value) {
                Some(value) => Truth::from(value == *expected),
                None => Truth::Unknown,
            },
            Self::Null(_) => Truth::Unknown,
        }
    }
}

fn typed<V, W>(value: Option<V>, list: &[W], holds: impl Fn(&V, &W) -> bool) -> Truth {
    match value {
        Some(value) => Truth::from(list.iter().any(|with| holds(&value, with))),
        None => Truth::Unknown,
    }
}

/// `true` or `false`, in any case.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Standard base64 with its padding.
pub(crate) fn parse_binary(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// An address; an IPv4 address in IPv6 clothes counts as IPv4.
pub(crate) fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A network in CIDR notation, or one address. A number with a leading zero is refused: some would
/// read it as octal.
pub(crate) fn parse_network(text: &str) -> Option<IpNet> {
    let network = match text.split_once('/') {
        Some((address, length)) => IpNet::new(address.parse().ok()?, prefix(length)?).ok()?,
        None => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    match (network, network.network().to_canonical()) {
        // A network of IPv4 addresses in IPv6 clothes, which take the first 96 bits.
        (IpNet::V6(_), IpAddr::V4(address)) => {
            IpNet::new(IpAddr::V4(address), network.prefix_len().checked_sub(96)?).ok()
        }
        _ => Some(network),
    }
}

/// The length of a prefix: digits alone.
fn prefix(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

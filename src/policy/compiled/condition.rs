//! Conditions with their operands read beforehand.

use ipnet::IpNet;

use super::super::condition::{
    ArnPattern, Condition, Decimal, Digits, Instant, Operands, Quantifier, Relation, parse_address,
    parse_bool,
};
use super::super::context::{Context, Key, Value};
use super::super::truth::Truth;
use super::super::variables::Template;
use super::glob::{Glob, folded};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// From so many literal operands on, they are searched and not walked.
const MANY: usize = 8;

/// One key under one operator.
#[derive(Debug)]
pub(super) struct Test {
    key: Key,
    quantifier: Option<Quantifier>,
    negated: bool,
    without_key: bool,
    operands: Compare,
}

/// What the key's value is compared with.
#[derive(Debug)]
enum Compare {
    /// One of these texts, in order.
    Literal(Box<[Box<str>]>),
    /// A text that matches.
    Text(Box<[Glob]>),
    /// A text that matches without regard to case.
    Folded(Box<[Glob]>),
    Arn(Box<[ArnGlob]>),
    Number(Relation, Box<[Decimal]>),
    Date(Relation, Box<[Instant]>),
    Ip(Box<[IpNet]>),
    /// In base64, of which each text of bytes has one form only.
    Binary(Box<[Box<str>]>),
    Bool(bool),
    Null(bool),
}

#[derive(Debug)]
enum ArnGlob {
    Any,
    Exact(Box<str>),
    Whole(Glob),
    Parts(Box<[Glob; 6]>),
}

impl Test {
    pub(super) fn new(condition: &Condition) -> Self {
        let Condition { operator, key, operands } = condition;
        Self {
            key: key.clone(),
            quantifier: operator.quantifier,
            negated: operator.negated,
            without_key: operator.holds_without_key(),
            operands: Compare::new(operands),
        }
    }

    /// Whether the request meets it.
    #[inline]
    pub(super) fn holds(&self, context: &Context) -> Truth {
        let value = context.value(&self.key);
        if let Compare::Null(absent) = self.operands {
            return match value {
                None => Truth::from(absent),
                Some(Value::One(text)) if text.is_empty() => Truth::Unknown,
                Some(_) => Truth::from(!absent),
            };
        }
        match (value, self.quantifier) {
            (None, _) => Truth::from(self.without_key),
            (Some(Value::One(value)), None) => self.compare(value, context),
            (Some(Value::Many(_)), None) => Truth::Unknown,
            (Some(Value::One(value)), Some(quantifier)) => {
                self.each(quantifier, std::slice::from_ref(value), context)
            }
            (Some(Value::Many(values)), Some(quantifier)) => self.each(quantifier, values, context),
        }
    }

    fn each(&self, quantifier: Quantifier, values: &[String], context: &Context) -> Truth {
        // Whether an empty text counts as a value is open.
        let truths = values.iter().map(|value| {
            let truth = self.compare(value, context);
            match (quantifier, truth) {
                (Quantifier::AllValues, Truth::False) | (Quantifier::AnyValue, Truth::True)
                    if value.is_empty() =>
                {
                    Truth::Unknown
                }
                _ => truth,
            }
        });
        match quantifier {
            Quantifier::AllValues => Truth::all(truths),
            Quantifier::AnyValue => Truth::any(truths),
        }
    }

    #[inline]
    fn compare(&self, value: &str, context: &Context) -> Truth {
        self.operands.hold(value, context).negate_if(self.negated)
    }
}

impl Compare {
    fn new(operands: &Operands) -> Self {
        match operands {
            Operands::Text { ignore_case: true, list } => {
                Self::Folded(list.iter().map(|template| folded(Glob::new(template))).collect())
            }
            Operands::Text { list, .. } => {
                match list.iter().map(Template::literal).collect::<Option<Vec<_>>>() {
                    Some(mut texts) => {
                        texts.sort_unstable();
                        texts.dedup();
                        Self::Literal(texts.into_iter().map(Into::into).collect())
                    }
                    None => Self::Text(list.iter().map(Glob::new).collect()),
                }
            }
            Operands::Arn(list) => Self::Arn(list.iter().map(ArnGlob::new).collect()),
            Operands::Number(relation, list) => Self::Number(*relation, list.as_slice().into()),
            Operands::Date(relation, list) => Self::Date(*relation, list.as_slice().into()),
            Operands::Ip(list) => Self::Ip(list.as_slice().into()),
            Operands::Binary(list) => {
                Self::Binary(list.iter().map(|bytes| BASE64.encode(bytes).into()).collect())
            }
            Operands::Bool(value) => Self::Bool(*value),
            Operands::Null(absent) => Self::Null(*absent),
        }
    }

    #[inline]
    fn hold(&self, value: &str, context: &Context) -> Truth {
        match self {
            Self::Literal(texts) if texts.len() >= MANY => {
                Truth::from(texts.binary_search_by(|text| (**text).cmp(value)).is_ok())
            }
            Self::Literal(texts) => Truth::from(texts.iter().any(|text| **text == *value)),
            Self::Text(globs) => Truth::from(globs.iter().any(|glob| glob.matches(value, context))),
            Self::Folded(globs) => {
                Truth::from(globs.iter().any(|glob| glob.matches_folded(value, context)))
            }
            Self::Arn(globs) => arn(globs, value, context),
            Self::Number(relation, list) => typed(Digits::parse(value), list, |value, with| {
                relation.holds(value.cmp(&with.digits()))
            }),
            Self::Date(relation, list) => {
                typed(Instant::parse(value), list, |value, with| relation.holds(value.cmp(with)))
            }
            Self::Ip(list) => typed(parse_address(value), list, |value, with| with.contains(value)),
            Self::Binary(list) => {
                if list.iter().any(|text| **text == *value) {
                    Truth::True
                } else if is_base64(value.as_bytes()) {
                    Truth::False
                } else {
                    Truth::Unknown
                }
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

/// Whether a text is standard base64, padded, with no bits left over.
fn is_base64(text: &[u8]) -> bool {
    let (quads, tail) = text.as_chunks::<4>();
    let Some((last, quads)) = quads.split_last() else { return tail.is_empty() };
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        // The first of them is 52.
        b'0'..=b'9' => Some(byte + 4),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let all = |bytes: &[u8]| bytes.iter().all(|byte| value(*byte).is_some());
    let ends = match last {
        [a, b, b'=', b'='] => all(&[*a]) && value(*b).is_some_and(|bits| bits.is_multiple_of(16)),
        [a, b, c, b'='] => all(&[*a, *b]) && value(*c).is_some_and(|bits| bits.is_multiple_of(4)),
        last => all(last),
    };
    tail.is_empty() && ends && all(quads.as_flattened())
}

impl ArnGlob {
    fn new(pattern: &ArnPattern) -> Self {
        match pattern {
            ArnPattern::Any => Self::Any,
            ArnPattern::Variable(whole) => Self::Whole(Glob::new(whole)),
            ArnPattern::Parts(_) if pattern.is_literal() => {
                // Its fields are cut where a value's are.
                Self::Exact(pattern.to_string().into())
            }
            ArnPattern::Parts(parts) => Self::Parts(Box::new(parts.each_ref().map(Glob::new))),
        }
    }
}

fn arn(globs: &[ArnGlob], value: &str, context: &Context) -> Truth {
    let mut fields = value.splitn(6, ':');
    if fields.next() != Some("arn") || fields.count() != 5 {
        return Truth::Unknown;
    }
    Truth::from(globs.iter().any(|glob| {
        match glob {
            ArnGlob::Any => true,
            ArnGlob::Exact(exact) => **exact == *value,
            ArnGlob::Whole(whole) => whole.matches(value, context),
            ArnGlob::Parts(parts) => (parts.iter().zip(value.splitn(6, ':')))
                .all(|(part, field)| part.matches(field, context)),
        }
    }))
}

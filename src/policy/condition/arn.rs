//! The operands of `ArnEquals`, `ArnLike` and their negations.
//!
//! Source: IAM User Guide, "Amazon Resource Name (ARN) condition operators": each of the six
//! components is matched by itself, all of them honour wildcards, and only the sixth holds colons.

use super::super::context::{Context, Key};
use super::super::truth::Truth;
use super::super::variables::Template;

/// One operand.
#[derive(Clone, Debug)]
pub(crate) enum ArnPattern {
    /// `*`: any ARN.
    Any,
    /// A single variable, whose value is the whole ARN.
    Variable(Template),
    /// Six components.
    Parts(Box<[Template; 6]>),
}

impl ArnPattern {
    /// Takes a template with six components that begins with `arn`, a single `*`, or a single
    /// variable.
    pub(crate) fn new(template: Template) -> Option<Self> {
        if template.is_star() {
            return Some(Self::Any);
        }
        if template.is_one_variable() {
            return Some(Self::Variable(template));
        }
        let parts = template.split_arn()?;
        let starts = parts.first().and_then(Template::literal) == Some("arn");
        starts.then(|| Self::Parts(Box::new(parts)))
    }

    /// The keys of its variables.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        let templates = match self {
            Self::Any => &[],
            Self::Variable(whole) => std::slice::from_ref(whole),
            Self::Parts(parts) => parts.as_slice(),
        };
        templates.iter().flat_map(Template::keys)
    }

    /// Whether it has neither wildcards nor variables.
    pub(crate) fn is_literal(&self) -> bool {
        match self {
            Self::Any | Self::Variable(_) => false,
            Self::Parts(parts) => parts.iter().all(|part| part.literal().is_some()),
        }
    }

    /// Whether any of the operands matches; `Unknown` when the value is no ARN.
    pub(crate) fn any_matches(list: &[Self], value: &str, context: &Context) -> Truth {
        let fields: Vec<&str> = value.splitn(6, ':').collect();
        let Ok(fields) = <[&str; 6]>::try_from(fields) else {
            return Truth::Unknown;
        };
        if fields.first() != Some(&"arn") {
            return Truth::Unknown;
        }
        Truth::from(list.iter().any(|pattern| match pattern {
            Self::Any => true,
            Self::Variable(whole) => {
                whole.resolve(context).is_some_and(|pattern| pattern.matches(value))
            }
            Self::Parts(parts) => parts.iter().zip(fields).all(|(part, field)| {
                part.resolve(context).is_some_and(|pattern| pattern.matches(field))
            }),
        }))
    }
}

impl std::fmt::Display for ArnPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Variable(whole) => whole.fmt(f),
            Self::Parts(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        f.write_str(":")?;
                    }
                    part.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

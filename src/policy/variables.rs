//! Policy variables: `${key}`, `${key, 'default'}`, `${*}`, `${?}`, `${$}`.
//!
//! Source: IAM User Guide, "IAM policy elements: Variables and tags". Variables exist in version
//! 2012-10-17 only. What a variable puts in is literal: a `*` in a tag's value is a star. A
//! variable whose key is absent or multivalued does not resolve, and a pattern that holds it
//! matches nothing; a multivalued key does not fall back to the default.

use std::borrow::Cow;
use std::fmt;

use super::context::{Context, Key, Value};
use super::wildcard::Pattern;

/// What the text of a template may hold besides literal characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${…}` is a variable.
    pub(crate) variables: bool,
    /// Case does not matter.
    pub(crate) ignore_case: bool,
}

/// Text with wildcards and variables.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
    ignore_case: bool,
    /// The pattern, when there are no variables in it.
    fixed: Option<Pattern>,
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Literal text.
    Text(String),
    /// `*`
    Any,
    /// `?`
    One,
    /// `${key}` or `${key, 'default'}`
    Variable {
        /// The condition key.
        key: Key,
        /// What stands in for an absent key.
        default: Option<String>,
    },
}

/// Why a text is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableProblem {
    /// `${` without `}`.
    #[error("a variable is not closed")]
    Unterminated,
    /// `${}`
    #[error("a variable is empty")]
    Empty,
    /// The name is not that of a condition key.
    #[error("a variable does not name a condition key")]
    Name,
    /// What follows the name is not `, 'default'`.
    #[error("a variable's default is not written as , 'value'")]
    Default,
}

impl Template {
    /// Reads a text.
    pub(crate) fn parse(text: &str, syntax: Syntax) -> Result<Self, VariableProblem> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let tail = rest.strip_prefix(c).unwrap_or_default();
            rest = match c {
                '*' if syntax.wildcards => {
                    parts.push(Part::Any);
                    tail
                }
                '?' if syntax.wildcards => {
                    parts.push(Part::One);
                    tail
                }
                '$' if syntax.variables && tail.starts_with('{') => {
                    let (part, tail) = variable(tail.strip_prefix('{').unwrap_or_default())?;
                    push(&mut parts, part);
                    tail
                }
                _ => {
                    push(&mut parts, Part::Text(c.to_string()));
                    tail
                }
            };
        }
        Ok(Self::new(parts, syntax.ignore_case))
    }

    fn new(mut parts: Vec<Part>, ignore_case: bool) -> Self {
        parts.shrink_to_fit();
        let mut template = Self { parts, ignore_case, fixed: None };
        if !template.has_variables() {
            template.fixed = template.build(&Context::new()).map(Pattern::shrunk);
        }
        template
    }

    /// The pattern for a request; `None` when a variable does not resolve.
    pub(crate) fn resolve(&self, context: &Context) -> Option<Cow<'_, Pattern>> {
        match &self.fixed {
            Some(pattern) => Some(Cow::Borrowed(pattern)),
            None => self.build(context).map(Cow::Owned),
        }
    }

    fn build(&self, context: &Context) -> Option<Pattern> {
        let mut pattern = Pattern::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => pattern.push_text(text),
                Part::Any => pattern.push_any(),
                Part::One => pattern.push_one(),
                Part::Variable { key, default } => match context.value(key) {
                    Some(Value::One(value)) => pattern.push_text(value),
                    Some(Value::Many(_)) => return None,
                    None => pattern.push_text(default.as_ref()?),
                },
            }
        }
        Some(if self.ignore_case { pattern.folded() } else { pattern })
    }

    /// The keys of its variables.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { key, .. } => Some(key),
            _ => None,
        })
    }

    /// Its pieces. No two texts stand side by side.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether all of its variables have values.
    pub(crate) fn resolves(&self, context: &Context) -> bool {
        self.fixed.is_some() || self.build(context).is_some()
    }

    /// Whether there is a variable in it.
    pub(crate) fn has_variables(&self) -> bool {
        self.keys().next().is_some()
    }

    /// Whether it is one variable and nothing else.
    pub(crate) fn is_one_variable(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Variable { .. }])
    }

    /// Whether there is literal text in it.
    pub(crate) fn says_something(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Text(_)))
    }

    /// Whether it is the single star.
    pub(crate) fn is_star(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Any])
    }

    /// Cuts it at its first five literal colons; `None` when there are fewer. What a variable
    /// will put in is never cut.
    pub(crate) fn split_arn(&self) -> Option<[Self; 6]> {
        let mut fields: Vec<Vec<Part>> = vec![Vec::new()];
        for part in &self.parts {
            let Part::Text(text) = part else {
                fields.last_mut()?.push(part.clone());
                continue;
            };
            let mut rest = text.as_str();
            while fields.len() < 6 {
                let Some((before, after)) = rest.split_once(':') else { break };
                push(fields.last_mut()?, Part::Text(before.to_owned()));
                fields.push(Vec::new());
                rest = after;
            }
            push(fields.last_mut()?, Part::Text(rest.to_owned()));
        }
        let fields: Vec<Self> =
            fields.into_iter().map(|parts| Self::new(parts, self.ignore_case)).collect();
        fields.try_into().ok()
    }

    /// The literal text, when it is nothing else.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The pattern, when there are no variables.
    pub(crate) fn into_pattern(self) -> Option<Pattern> {
        self.fixed
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Any => f.write_str("*")?,
                Part::One => f.write_str("?")?,
                Part::Variable { key, default: None } => write!(f, "${{{}}}", key.text())?,
                Part::Variable { key, default: Some(default) } => {
                    write!(f, "${{{}, '{default}'}}", key.text())?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a text can be a condition key: a prefix, a colon and a name, without wildcards,
/// variables, quotes or outer spaces.
pub(crate) fn is_condition_key(text: &str) -> bool {
    let plain = |c: char| {
        !c.is_control() && !matches!(c, '*' | '?' | '$' | '{' | '}' | '\'' | '"' | ',' | '\\')
    };
    text.split_once(':').is_some_and(|(prefix, name)| !prefix.is_empty() && !name.is_empty())
        && text.trim() == text
        && text.chars().all(plain)
}

/// Reads a variable after its `${`.
fn variable(text: &str) -> Result<(Part, &str), VariableProblem> {
    for special in ["*", "?", "$"] {
        if let Some(rest) = text.strip_prefix(special).and_then(|rest| rest.strip_prefix('}')) {
            return Ok((Part::Text(special.to_owned()), rest));
        }
    }
    let end = text.find(['}', ',']).ok_or(VariableProblem::Unterminated)?;
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err(VariableProblem::Empty);
    }
    if !is_condition_key(name) {
        return Err(VariableProblem::Name);
    }
    let key = Key::new(name);
    if let Some(rest) = rest.strip_prefix('}') {
        return Ok((Part::Variable { key, default: None }, rest));
    }
    let quoted = rest.strip_prefix(", '").ok_or(VariableProblem::Default)?;
    let (default, rest) = quoted.split_once('\'').ok_or(VariableProblem::Unterminated)?;
    let rest = rest.strip_prefix('}').ok_or(VariableProblem::Default)?;
    Ok((Part::Variable { key, default: Some(default.to_owned()) }, rest))
}

fn push(parts: &mut Vec<Part>, part: Part) {
    match (parts.last_mut(), part) {
        (_, Part::Text(text)) if text.is_empty() => {}
        (Some(Part::Text(last)), Part::Text(text)) => last.push_str(&text),
        (_, part) => parts.push(part),
    }
}

#[cfg(test)]
mod tests {
    use super::{Syntax, Template};

    #[test]
    fn an_arn_is_cut_into_six_with_nothing_added() {
        let syntax = Syntax { wildcards: true, variables: true, ignore_case: false };
        let template = Template::parse("arn:*:s3::?:${aws:username}", syntax).unwrap();
        let fields = template.split_arn().unwrap();
        assert_eq!(fields.each_ref().map(|field| field.parts().len()), [1, 1, 1, 0, 1, 1]);
        assert!(fields[1].is_star() && fields[5].is_one_variable());
        assert_eq!([0, 2, 3].map(|at| fields[at].literal()), [Some("arn"), Some("s3"), Some("")]);
        assert!(!fields[1].says_something() && !fields[3].says_something());
        let template = Template::parse("arn:aws:s3:::a:b:*", syntax).unwrap();
        let [.., last] = template.split_arn().unwrap();
        assert_eq!(last.to_string(), "a:b:*");
        assert!(Template::parse("arn:aws:s3::", syntax).unwrap().split_arn().is_none());
    }
}

//! Patterns of paths: `/orders/{id}/items/{item}`, `/files/{name...}`.

use super::path;

/// A pattern of paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// This segment. Empty in the last place only: the path ends in a slash.
    Literal(String),
    /// Any one segment.
    Capture(String),
    /// Whatever follows, at least one character.
    Rest(String),
}

/// A text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It does not begin with a slash, or holds an empty or dot segment.
    #[error("takes a path such as /orders/{{id}}, without empty or dot segments")]
    Path,
    /// A segment holds a character that cannot stand there.
    #[error("holds a character other than letters, digits and -._~!$&'()+,=:@")]
    Character,
    /// A brace that does not enclose a whole segment's name.
    #[error("takes names of letters, digits and underscores in braces, each a whole segment")]
    Braces,
    /// `{rest...}` before the end.
    #[error("takes {{name...}} as its last segment only")]
    RestInside,
    /// A name comes twice.
    #[error("holds a name twice")]
    Twice,
}

/// What the names of a pattern stand for in a path, in order.
pub(super) type Captures<'p> = Vec<(&'p str, String)>;

impl PathPattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let inner = text.strip_prefix('/').ok_or(PatternError::Path)?;
        let count = inner.split('/').count();
        let mut parts = Vec::with_capacity(count);
        for (at, segment) in inner.split('/').enumerate() {
            let last = at + 1 == count;
            let part = part(segment)?;
            match &part {
                Part::Literal(text) if text.is_empty() && !last => return Err(PatternError::Path),
                Part::Rest(_) if !last => return Err(PatternError::RestInside),
                _ => {}
            }
            parts.push(part);
        }
        let pattern = Self(parts);
        let names: Vec<_> = pattern.names().map(|(name, _)| name).collect();
        let twice =
            names.iter().enumerate().any(|(at, name)| names.iter().take(at).any(|n| n == name));
        if twice { Err(PatternError::Twice) } else { Ok(pattern) }
    }

    /// Its names, each with whether it stands for a rest.
    pub fn names(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Capture(name) => Some((name.as_str(), false)),
            Part::Rest(name) => Some((name.as_str(), true)),
        })
    }

    /// What its names stand for in a path, if the path matches.
    pub fn captures(&self, segments: &[String]) -> Option<Captures<'_>> {
        let mut captures = Vec::new();
        let mut rest = segments;
        for part in &self.0 {
            let (segment, after) = rest.split_first()?;
            match part {
                Part::Literal(text) if text == segment => {}
                Part::Capture(name) if !segment.is_empty() => {
                    captures.push((name.as_str(), segment.clone()));
                }
                Part::Rest(name) => {
                    let text = rest.join("/");
                    return (!text.is_empty()).then(|| {
                        captures.push((name.as_str(), text));
                        captures
                    });
                }
                Part::Literal(_) | Part::Capture(_) => return None,
            }
            rest = after;
        }
        rest.is_empty().then_some(captures)
    }

    /// Whether some path matches both.
    pub fn overlaps(&self, other: &Self) -> bool {
        overlap(&self.0, &other.0)
    }
}

fn overlap(a: &[Part], b: &[Part]) -> bool {
    match (a, b) {
        ([], []) => true,
        ([Part::Rest(_), ..], rest) | (rest, [Part::Rest(_), ..]) => match rest {
            [] => false,
            // A path that ends in a slash: a rest is never empty.
            [Part::Literal(text)] => !text.is_empty(),
            _ => true,
        },
        ([a, after_a @ ..], [b, after_b @ ..]) => {
            let same = match (a, b) {
                (Part::Literal(a), Part::Literal(b)) => a == b,
                (Part::Literal(text), _) | (_, Part::Literal(text)) => !text.is_empty(),
                _ => true,
            };
            same && overlap(after_a, after_b)
        }
        _ => false,
    }
}

fn part(segment: &str) -> Result<Part, PatternError> {
    if let Some(inner) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        let (name, rest) = inner.strip_suffix("...").map_or((inner, false), |name| (name, true));
        if !is_name(name) {
            return Err(PatternError::Braces);
        }
        return Ok(if rest { Part::Rest(name.to_owned()) } else { Part::Capture(name.to_owned()) });
    }
    if segment.contains(['{', '}']) {
        return Err(PatternError::Braces);
    }
    let stands = |byte: u8| path::stands_in_a_path(byte) && byte != b';' && byte != b'*';
    if !segment.bytes().all(stands) {
        return Err(PatternError::Character);
    }
    if matches!(segment, "." | "..") {
        return Err(PatternError::Path);
    }
    Ok(Part::Literal(segment.to_owned()))
}

/// Whether a text can be the name of a capture.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

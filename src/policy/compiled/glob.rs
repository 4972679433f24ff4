//! Patterns of resources and condition values, with `*`, `?` and variables.
//!
//! As in the interpreter, a pattern is cut at its stars, and what stands between them is looked for
//! once, leftmost. Variables are put in while matching: nothing is built. A chunk of `?`s and text
//! that is long enough to matter is looked for with one bit a character of it ([`Masks`]), so that
//! the work is the text's length times a sixty-fourth of the chunk's. What holds variables beside
//! `?`s or text is tried at each place, which costs at most the product of two short texts.

use super::super::context::{Context, Key, Value};
use super::super::fold::{fold, folded_chars};
use super::super::variables::{Part, Template};
use super::masks::Masks;

/// A pattern, ready to match.
#[derive(Debug)]
pub(super) enum Glob {
    /// `*`
    Any,
    /// A text.
    Exact(Box<str>),
    /// A text and a `*`.
    Prefix(Box<str>),
    /// What stands between stars: one chunk more than there are stars.
    Chunks(Box<[Chunk]>),
}

/// Text, `?`s and variables.
#[derive(Debug)]
pub(super) struct Chunk {
    pieces: Box<[Piece]>,
    masks: Option<Box<Masks>>,
}

#[derive(Debug)]
pub(super) enum Piece {
    Text(Box<str>),
    One,
    Variable { key: Key, default: Option<Box<str>> },
}

impl Glob {
    pub(super) fn new(template: &Template) -> Self {
        if template.is_star() {
            return Self::Any;
        }
        if let Some(text) = template.literal() {
            return Self::Exact(text.into());
        }
        if let [Part::Text(text), Part::Any] = template.parts() {
            return Self::Prefix(text.as_str().into());
        }
        let mut chunks = vec![Vec::new()];
        for part in template.parts() {
            let piece = match part {
                Part::Any => {
                    chunks.push(Vec::new());
                    continue;
                }
                Part::One => Piece::One,
                Part::Text(text) => Piece::Text(text.as_str().into()),
                Part::Variable { key, default } => {
                    let default = default.as_deref().map(Into::into);
                    Piece::Variable { key: key.clone(), default }
                }
            };
            if let Some(chunk) = chunks.last_mut() {
                chunk.push(piece);
            }
        }
        Self::Chunks(chunks.into_iter().map(Chunk::new).collect())
    }

    /// Whether the whole of `text` matches; never when a variable does not resolve.
    #[inline]
    pub(super) fn matches(&self, text: &str, context: &Context) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => **exact == *text,
            Self::Prefix(prefix) => text.starts_with(&**prefix),
            Self::Chunks(chunks) => matches(chunks, text, context),
        }
    }

    /// Whether all of its variables have values.
    pub(super) fn resolves(&self, context: &Context) -> bool {
        let Self::Chunks(chunks) = self else { return true };
        (chunks.iter().flat_map(|chunk| &chunk.pieces))
            .all(|piece| matches!(piece, Piece::One) || piece.text(context).is_some())
    }

    /// Whether the whole of `text` matches, letters of either case alike. For patterns without
    /// wildcards.
    pub(super) fn matches_folded(&self, text: &str, context: &Context) -> bool {
        let chunk = match self {
            Self::Exact(exact) => return same_folded(exact, text),
            Self::Chunks(chunks) => match &**chunks {
                [chunk] => chunk,
                _ => return false,
            },
            Self::Any | Self::Prefix(_) => return false,
        };
        let mut rest = folded_chars(text);
        for piece in &chunk.pieces {
            let Some(literal) = piece.text(context) else { return false };
            if !folded_chars(literal).all(|c| rest.next() == Some(c)) {
                return false;
            }
        }
        rest.next().is_none()
    }
}

/// Folds a literal pattern once and for all.
pub(super) fn folded(glob: Glob) -> Glob {
    match glob {
        Glob::Exact(text) => Glob::Exact(fold(&text).into()),
        other => other,
    }
}

/// `exact` is folded already.
fn same_folded(exact: &str, text: &str) -> bool {
    if text.is_ascii() {
        return exact.eq_ignore_ascii_case(text);
    }
    exact.chars().eq(folded_chars(text))
}

fn matches(chunks: &[Chunk], text: &str, context: &Context) -> bool {
    match chunks {
        [] => false,
        [only] => only.strip_prefix(text, context).is_some_and(str::is_empty),
        [first, middle @ .., last] => first
            .strip_prefix(text, context)
            .and_then(|rest| last.strip_suffix(rest, context))
            .and_then(|rest| {
                middle.iter().try_fold(rest, |rest, chunk| chunk.skip_past(rest, context))
            })
            .is_some(),
    }
}

impl Piece {
    /// The text that it stands for; `None` for a `?`, or a variable that does not resolve.
    fn text<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::One => None,
            Self::Variable { key, default } => match context.value(key) {
                Some(Value::One(value)) => Some(value),
                Some(Value::Many(_)) => None,
                None => default.as_deref(),
            },
        }
    }
}

impl Chunk {
    fn new(pieces: Vec<Piece>) -> Self {
        let masks = Masks::new(&pieces).map(Box::new);
        Self { pieces: pieces.into(), masks }
    }

    fn strip_prefix<'t>(&self, text: &'t str, context: &Context) -> Option<&'t str> {
        self.pieces.iter().try_fold(text, |rest, piece| match piece {
            Piece::One => without_first(rest),
            piece => rest.strip_prefix(piece.text(context)?),
        })
    }

    fn strip_suffix<'t>(&self, text: &'t str, context: &Context) -> Option<&'t str> {
        self.pieces.iter().rev().try_fold(text, |rest, piece| match piece {
            Piece::One => {
                let mut chars = rest.chars();
                chars.next_back().map(|_| chars.as_str())
            }
            piece => rest.strip_suffix(piece.text(context)?),
        })
    }

    /// What follows the first place in `text` where this chunk stands.
    fn skip_past<'t>(&self, text: &'t str, context: &Context) -> Option<&'t str> {
        if let Some(masks) = &self.masks {
            return masks.skip_past(text);
        }
        if let [piece @ (Piece::Text(_) | Piece::Variable { .. })] = &*self.pieces {
            return text.split_once(piece.text(context)?).map(|(_, rest)| rest);
        }
        let mut from = text;
        loop {
            if let Some(rest) = self.strip_prefix(from, context) {
                return Some(rest);
            }
            from = without_first(from)?;
        }
    }
}

pub(super) fn without_first(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().map(|_| chars.as_str())
}

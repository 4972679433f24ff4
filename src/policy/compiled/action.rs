//! Patterns of actions: ASCII, without regard to case.

use super::glob::without_first;
use super::work;

/// `s3:Get*`, after its service.
#[derive(Debug)]
pub(super) struct ActionGlob {
    /// What stands between the stars: one chunk more than there are stars.
    chunks: Box<[Box<str>]>,
}

impl ActionGlob {
    /// Everything but `*` and `?` is literal.
    pub(super) fn new(text: &str) -> Self {
        Self { chunks: text.split('*').map(Into::into).collect() }
    }

    /// Whether the whole of an action matches.
    pub(super) fn matches(&self, action: &str) -> bool {
        match &*self.chunks {
            [] => false,
            [only] => strip_prefix(only, action).is_some_and(str::is_empty),
            [first, middle @ .., last] => strip_prefix(first, action)
                .and_then(|rest| strip_suffix(last, rest))
                .and_then(|rest| middle.iter().try_fold(rest, |rest, chunk| skip_past(chunk, rest)))
                .is_some(),
        }
    }
}

fn strip_prefix<'t>(chunk: &str, text: &'t str) -> Option<&'t str> {
    let mut rest = text;
    for wanted in chunk.bytes() {
        work::takes(1);
        if wanted != b'?' && !rest.as_bytes().first()?.eq_ignore_ascii_case(&wanted) {
            return None;
        }
        rest = without_first(rest)?;
    }
    Some(rest)
}

fn strip_suffix<'t>(chunk: &str, text: &'t str) -> Option<&'t str> {
    let mut rest = text;
    for wanted in chunk.bytes().rev() {
        work::takes(1);
        if wanted != b'?' && !rest.as_bytes().last()?.eq_ignore_ascii_case(&wanted) {
            return None;
        }
        let mut chars = rest.chars();
        chars.next_back()?;
        rest = chars.as_str();
    }
    Some(rest)
}

fn skip_past<'t>(chunk: &str, text: &'t str) -> Option<&'t str> {
    let mut from = text;
    loop {
        if let Some(rest) = strip_prefix(chunk, from) {
            return Some(rest);
        }
        from = without_first(from)?;
    }
}

//! A document's JSON with the place of everything in it.

use super::super::parse::json::{Json, Place, is_plain};

/// A value, and the way to it.
#[derive(Clone)]
pub(super) struct Node<'d> {
    pub(super) json: &'d Json,
    pub(super) place: &'d Place,
    /// `Statement[0].Condition.StringLike`; empty for the document.
    pub(super) path: String,
}

impl<'d> Node<'d> {
    pub(super) fn root(json: &'d Json, place: &'d Place) -> Self {
        Self { json, place, path: String::new() }
    }

    /// The members of an object, with their keys.
    pub(super) fn members(&self) -> Vec<(&'d str, Self)> {
        let Json::Map(members) = self.json else { return Vec::new() };
        (members.iter().zip(&self.place.children))
            .map(|((key, json), place)| {
                (key.as_str(), Self { json, place, path: member_path(&self.path, key) })
            })
            .collect()
    }

    /// The member of an object with this key.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        self.members().into_iter().find(|(name, _)| *name == key).map(|(_, node)| node)
    }

    /// The elements of an array; anything else is one element.
    pub(super) fn items(&self) -> Vec<Self> {
        let Json::List(list) = self.json else { return vec![self.clone()] };
        (list.iter().zip(&self.place.children).enumerate())
            .map(|(index, (json, place))| Self {
                json,
                place,
                path: format!("{}[{index}]", self.path),
            })
            .collect()
    }

    /// Its text: a string, a number as written, or a truth value.
    pub(super) fn text(&self) -> Option<&'d str> {
        match self.json {
            Json::Text(text) | Json::Number(text) => Some(text),
            Json::Bool(true) => Some("true"),
            Json::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The texts among its elements, each with its place.
    pub(super) fn texts(&self) -> Vec<(&'d str, Self)> {
        self.items().into_iter().filter_map(|item| Some((item.text()?, item))).collect()
    }

    /// What is pointed at for a finding about a member itself: its key.
    pub(super) fn key_or_value(&self) -> std::ops::Range<usize> {
        self.place.key.clone().unwrap_or_else(|| self.place.span.clone())
    }
}

/// The path of a member, as the parser writes it.
fn member_path(parent: &str, key: &str) -> String {
    if is_plain(key) {
        let dot = if parent.is_empty() { "" } else { "." };
        return format!("{parent}{dot}{key}");
    }
    let short: String = key.chars().take(128).collect();
    format!("{parent}[{short:?}]")
}

/// Lines and columns of a text, counted from 1, columns in characters.
pub(in crate::policy) struct Lines<'t> {
    text: &'t str,
    /// Where each line begins.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(in crate::policy) fn of(text: &'t str) -> Self {
        let breaks = text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n').map(|(_, at)| at);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The line and column of a byte.
    pub(in crate::policy) fn position(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line)).copied();
        let before = self.text.get(start.unwrap_or_default()..at).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

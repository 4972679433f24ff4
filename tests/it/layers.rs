//! A module imports only from its own layer or from one below.
//!
//! The layers are those of the table in the documentation of `src/lib.rs`, so that it cannot say
//! anything else than what holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The layer of each module of the crate's root.
struct Layers(BTreeMap<String, u32>);

impl Layers {
    /// Reads the table: lines such as `//! | L1 engines | `sigv4`, `policy` | … |`.
    fn read(lib: &str) -> Self {
        let mut layers = BTreeMap::new();
        for row in lib.lines().filter_map(|line| line.strip_prefix("//! | L")) {
            let mut cells = row.split('|');
            let layer = cells.next().unwrap().split(' ').next().unwrap().parse().unwrap();
            // Names stand between backticks.
            for name in cells.next().unwrap().split('`').skip(1).step_by(2) {
                assert!(layers.insert(name.to_owned(), layer).is_none(), "{name} stands twice");
            }
        }
        Self(layers)
    }

    /// What a file imports from above, for a module given by its path from the root.
    fn upward(&self, module: &[&str], text: &str) -> Vec<String> {
        let own = module[0];
        let layer = self.0[own];
        imports(module, &plain(text))
            .into_iter()
            .filter(|name| self.0.get(name).is_some_and(|found| *found > layer))
            .map(|name| format!("{} imports {name}", module.join("::")))
            .collect()
    }
}

/// The text without comments and literals.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_string(rest, out.chars().last()) {
            length
        } else if first == '"' {
            quoted(rest, '"')
        } else if let Some(length) = character(rest) {
            length
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.push(' ');
        rest = &rest[skipped..];
    }
    out
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `r"…"`, `r#"…"#` and so on, if one begins here.
fn raw_string(text: &str, before: Option<char>) -> Option<usize> {
    let inner = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let within_a_name = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if within_a_name || !inner[hashes..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inner.len() + hashes + 1;
    text[start..].find(&end).map(|at| start + at + end.len())
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal, if one begins here and not a lifetime.
fn character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let mut chars = inner.chars();
    let literal = match chars.next()? {
        '\\' => true,
        _ => chars.next() == Some('\''),
    };
    literal.then(|| quoted(text, '\''))
}

/// The words and marks of a text, `::` being one.
fn tokens(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        out.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    out
}

/// Every module of the root that a module names, by `crate::…` or by enough `super::`.
fn imports(module: &[&str], text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    // The inline modules that are open, and the depth of braces that each began at.
    let mut inline: Vec<usize> = Vec::new();
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match *token {
            "{" => {
                depth += 1;
                if at >= 2 && tokens[at - 2] == "mod" {
                    inline.push(depth);
                }
            }
            "}" => {
                if inline.last() == Some(&depth) {
                    inline.pop();
                }
                depth -= 1;
            }
            "crate" if tokens.get(at + 1) == Some(&"::") => {
                names(&tokens[at + 2..], &mut found);
            }
            // The first of a row of them.
            "super" if at < 2 || tokens[at - 2] != "super" => {
                let mut ups = 1;
                let mut next = at + 2;
                while tokens.get(next) == Some(&"super") {
                    (ups, next) = (ups + 1, next + 2);
                }
                if ups == module.len() + inline.len() && tokens.get(next - 1) == Some(&"::") {
                    names(&tokens[next..], &mut found);
                }
            }
            _ => {}
        }
    }
    found
}

/// The first names of a path or of each path in a group.
fn names(tokens: &[&str], found: &mut Vec<String>) {
    if tokens.first() != Some(&"{") {
        found.extend(tokens.first().map(|&name| name.to_owned()));
        return;
    }
    let mut depth = 0;
    let mut first = false;
    for token in tokens {
        match *token {
            "{" => (depth, first) = (depth + 1, depth == 0),
            "}" if depth == 1 => return,
            "}" => depth -= 1,
            "," => first = depth == 1,
            name if first => {
                found.push(name.to_owned());
                first = false;
            }
            _ => {}
        }
    }
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn layers() -> Layers {
    Layers::read(&std::fs::read_to_string(source().join("lib.rs")).unwrap())
}

/// Every file below the folder, and the path of its module from the root.
fn files(folder: &Path, module: &[String], all: &mut Vec<(PathBuf, Vec<String>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let within = [module, &[name.clone()]].concat();
        if path.is_dir() {
            files(&path, &within, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = if name == "mod" { module.to_vec() } else { within };
            all.push((path, module));
        }
    }
}

#[test]
fn nothing_imports_upward() {
    let layers = layers();
    let mut all = Vec::new();
    files(&source(), &[], &mut all);
    let mut upward = Vec::new();
    let mut checked = 0;
    for (path, module) in all {
        let module: Vec<_> = module.iter().map(String::as_str).collect();
        if matches!(module[..], ["lib" | "main"]) {
            continue;
        }
        assert!(layers.0.contains_key(module[0]), "{} is in no layer", module[0]);
        upward.extend(layers.upward(&module, &std::fs::read_to_string(path).unwrap()));
        checked += 1;
    }
    assert!(checked > 100, "only {checked} files were found");
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn the_table_lists_the_modules_that_there_are() {
    let lib = std::fs::read_to_string(source().join("lib.rs")).unwrap();
    let text = plain(&lib);
    let tokens = tokens(&text);
    let mut declared: Vec<_> =
        tokens.windows(2).filter(|pair| pair[0] == "mod").map(|pair| pair[1]).collect();
    declared.sort_unstable();
    let layers = layers();
    let listed: Vec<_> = layers.0.keys().map(String::as_str).collect();
    assert_eq!(listed, declared);
}

#[test]
fn a_planted_import_is_caught() {
    let layers = layers();
    for (module, text, caught) in [
        (&["policy"][..], "use crate::directory::Role;", true),
        (&["policy"], "use crate::arn::Arn;", false),
        (&["policy", "parse", "json"], "use crate::{arn, ops::fault::Fault};", true),
        (&["policy", "parse", "json"], "use crate::{arn::{self, Arn}, id, policy};", false),
        (&["policy"], "use crate::{arn::{ops, http}, id};", false),
        (&["policy"], "fn f() -> crate::ops::Fault { todo() }", true),
        (&["policy"], "fn f() { crate :: http :: serve() }", true),
        (&["policy"], "macro_rules! m { () => { $crate::http::x() } }", true),
        (&["policy"], "pub(in crate::policy) fn f() {}", false),
        (&["arn"], "use super::id::AccountId;", false),
        (&["arn"], "use super::policy::Policy;", true),
        (&["policy", "parse"], "use super::ast::ops;", false),
        (&["policy", "parse"], "use super::super::{id, ops};", true),
        (&["policy", "parse"], "use super::super::super::ops;", false),
        (&["arn"], "mod tests { use super::*; use super::super::policy; }", true),
        (&["arn"], "mod tests { use super::policy; }", false),
        (&["arn"], "mod tests { fn f() { if x {} } } use super::policy;", true),
        (
            &["policy"],
            "// use crate::ops;\n/* crate::ops /* */ crate::ops */ //! crate::ops",
            false,
        ),
        (
            &["policy"],
            r##"const A: &str = "crate::ops \" crate::ops"; let b = r#"crate::ops"#;"##,
            false,
        ),
        (&["policy"], r#"let a = '"'; use crate::ops; let b = '"';"#, true),
        (&["policy"], r"let a = '\''; fn f<'a>(x: &'a u8) { crate::ops::x() }", true),
        (&["ops", "iam"], "use crate::http::Incoming;", true),
        (&["ops", "iam"], "use crate::directory::Role; use crate::policy;", false),
        (&["authn"], "use crate::ops::Context;", true),
        (&["http"], "use crate::cli; use crate::app;", false),
    ] {
        assert_eq!(!layers.upward(module, text).is_empty(), caught, "{module:?} {text}");
    }
}

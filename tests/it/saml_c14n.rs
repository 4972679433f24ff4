//! Exclusive canonicalization against libxml2 and Python's own implementation, on documents that are
//! drawn.

use std::io::Write as _;
use std::process::Stdio;

use countersign::federation::saml::canonical;

use crate::python::{client, script};

/// A source of numbers that says how it began.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % end
    }

    fn of(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }
}

const PREFIXES: [&str; 4] = ["", "a", "b", "c"];
/// Of plain characters: libxml2 takes no letters beyond ASCII in the name of a namespace, and writes
/// `&` in one as it is, which is no XML. Those after the first four have one prefix each.
const URIS: [&str; 12] = [
    "urn:one",
    "urn:two",
    "http://three.example/x?y=z",
    "urn:a-four",
    "urn:d:1",
    "urn:d:2",
    "urn:a:1",
    "urn:a:2",
    "urn:b:1",
    "urn:b:2",
    "urn:c:1",
    "urn:c:2",
];

/// How a document is drawn.
struct Draft {
    draw: Draw,
    /// No two prefixes have one namespace, names are ASCII, and no default namespace is taken back:
    /// Python's own implementation forgets prefixes, sorts other names otherwise, and writes
    /// `xmlns=""` where it is not used.
    plain: bool,
    ids: usize,
}

impl Draft {
    fn uri(&mut self, at: usize) -> usize {
        if self.plain { 4 + at * 2 + self.draw.below(2) } else { self.draw.below(4) }
    }

    fn local(&mut self) -> &'static str {
        let end = if self.plain { LOCAL.len() - 1 } else { LOCAL.len() };
        LOCAL[self.draw.below(end)]
    }
}

const LOCAL: [&str; 5] = ["x", "y", "Z", "_q", "\u{e4}-1"];
const VALUES: [&str; 12] = [
    "",
    "v",
    "a b",
    " \t ",
    "\n",
    "&#9;&#10;&#13;",
    "&lt;&amp;>",
    "'",
    "&quot;",
    "\u{1f600}",
    "&#x20AC;&#xA0;",
    "\u{85}\u{2028}",
];
const TEXTS: [&str; 14] = [
    "",
    "t",
    " ",
    "\n  ",
    "\r\n",
    "\r",
    "&#13;",
    "&#xD;\n",
    "&lt;>&amp;",
    "]]&gt;",
    "\"'",
    "\u{e4}\u{1f600}",
    "&#x1F600;",
    "<!-- c -->",
];

/// An element, with the declarations that are in scope: URIs by the place of their prefixes.
fn element(draft: &mut Draft, out: &mut String, scope: &[Option<usize>; 4], depth: usize) {
    let mut scope = *scope;
    let mut tag = String::new();
    for (at, prefix) in PREFIXES.iter().enumerate() {
        if draft.draw.below(3) > 0 {
            continue;
        }
        if prefix.is_empty() {
            if !draft.plain && draft.draw.below(3) == 0 {
                scope[at] = None;
                tag.push_str(" xmlns=''");
            } else {
                let uri = draft.uri(at);
                scope[at] = Some(uri);
                tag.push_str(&format!(" xmlns=\"{}\"", URIS[uri]));
            }
        } else {
            let uri = draft.uri(at);
            scope[at] = Some(uri);
            tag.push_str(&format!(" xmlns:{prefix}='{}'", URIS[uri]));
        }
    }
    let mut used = std::collections::HashSet::new();
    for _ in 0..draft.draw.below(4) {
        let at = draft.draw.below(PREFIXES.len());
        let (prefix, local) = (PREFIXES[at], draft.local());
        let uri = if prefix.is_empty() { None } else { scope[at] };
        if (!prefix.is_empty() && uri.is_none()) || !used.insert((uri, local)) {
            continue;
        }
        let quote = draft.draw.of(&["\"", "'"]);
        let value = VALUES[draft.draw.below(VALUES.len())];
        let value = if quote == "'" { value.replace('\'', "&apos;") } else { value.to_owned() };
        let colon = if prefix.is_empty() { "" } else { ":" };
        let space = draft.draw.of(&[" ", "\n", "  "]);
        tag.push_str(&format!(
            "{space}{prefix}{colon}{local}{}={quote}{value}{quote}",
            draft.draw.of(&["", " "])
        ));
    }
    if draft.draw.below(4) == 0 {
        tag.push_str(draft.draw.of(&[" xml:lang='de'", " xml:space=\"preserve\""]));
    }
    tag.push_str(&format!(" ID='i{}'", draft.ids));
    draft.ids += 1;
    let named: Vec<_> = (0..4).filter(|at| *at == 0 || scope[*at].is_some()).collect();
    let prefix = PREFIXES[named[draft.draw.below(named.len())]];
    let name = format!("{prefix}{}{}", if prefix.is_empty() { "" } else { ":" }, draft.local());
    if depth == 0 || draft.draw.below(5) == 0 {
        out.push_str(&format!("<{name}{tag}{}/>", draft.draw.of(&["", " ", "\n"])));
        return;
    }
    out.push_str(&format!("<{name}{tag}>"));
    for _ in 0..draft.draw.below(4) {
        out.push_str(draft.draw.of(&TEXTS));
        element(draft, out, &scope, depth - 1);
    }
    out.push_str(draft.draw.of(&TEXTS));
    out.push_str(&format!("</{name}{}>", draft.draw.of(&["", " "])));
}

#[test]
fn canonical_forms_are_those_of_other_implementations() {
    let count: usize =
        std::env::var("COUNTERSIGN_TEST_C14N_DOCUMENTS").map_or(500, |text| text.parse().unwrap());
    let seed = std::env::var("COUNTERSIGN_TEST_SEED").map_or_else(
        |_| u64::from(std::process::id()) << 20 | 0x9e37,
        |text| text.parse().unwrap(),
    );
    println!("COUNTERSIGN_TEST_SEED={seed}");
    let mut draft = Draft { draw: Draw(seed), plain: false, ids: 0 };
    let mut asked = Vec::new();
    let mut input = String::new();
    for _ in 0..count {
        let mut text = String::new();
        draft.ids = 0;
        draft.plain = draft.draw.below(2) == 0;
        if draft.draw.below(3) == 0 {
            text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        }
        let depth = 1 + draft.draw.below(4);
        element(&mut draft, &mut text, &[None; 4], depth);
        let id = (draft.draw.below(2) == 0).then(|| {
            format!("i{}", {
                let ids = draft.ids;
                draft.draw.below(ids)
            })
        });
        // lxml leaves out `#default`.
        let prefixes: Vec<&str> = if draft.draw.below(2) == 0 {
            Vec::new()
        } else {
            ["a", "b", "c", "d"].into_iter().filter(|_| draft.draw.below(2) == 0).collect()
        };
        input.push_str(&serde_json::json!([text, id, prefixes]).to_string());
        input.push('\n');
        asked.push((text, id, prefixes, draft.plain));
    }
    let mut command = client("http://localhost");
    let mut child = command
        .arg(script("saml_c14n.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<(String, Option<String>)> =
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), count);
    let mut second = 0;
    for ((text, id, prefixes, plain), (libxml2, python)) in asked.iter().zip(&answers) {
        let ours = canonical(text, id.as_deref(), prefixes).unwrap().unwrap();
        assert_eq!(ours, *libxml2, "{text}\n{id:?} {prefixes:?}");
        if let Some(python) = python.as_ref().filter(|_| *plain) {
            assert_eq!(ours, *python, "{text}");
            second += 1;
        }
        // It is its own canonical form, but for prefixes that are declared and not used.
        if prefixes.is_empty() {
            assert_eq!(canonical(&ours, None, &[]).unwrap().unwrap(), ours, "{text}");
        }
    }
    assert!(second * 20 > count, "{second} of {count}");
}

//! A strict JSON reader (RFC 8259) for policy documents.
//!
//! Its own, because a policy must not mean one thing here and another elsewhere: it refuses keys
//! that occur twice, in any case, keeps numbers as they are written, bounds depth, and says where
//! in the document it stopped.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use super::super::fold::fold;
use super::super::limits::MAX_DEPTH;
use super::error::{JsonProblem, ParseError, Reason};

/// A JSON value. Numbers keep their text, objects their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl Json {
    /// The name of its type.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Map(_) => "an object",
        }
    }
}

/// Where a value stands in the text, in bytes; a tree of the same shape as the [`Json`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// The value.
    pub(crate) span: Range<usize>,
    /// Its key with the quotes, in an object.
    pub(crate) key: Option<Range<usize>>,
    /// Its elements or members.
    pub(crate) children: Vec<Place>,
}

/// A document and where everything in it stands.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) json: Json,
    pub(crate) place: Place,
}

/// A place in a document: `$.Statement[0].Effect`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The document itself.
    pub(crate) const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    /// The value under a key.
    pub(crate) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    /// An element of an array.
    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    /// An error at this place.
    pub(crate) fn refuse(&self, reason: Reason) -> ParseError {
        ParseError { path: self.to_string(), reason }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => f.write_str("$"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) if is_plain(key) => write!(f, ".{key}"),
            Step::Key(key) => {
                let short: String = key.chars().take(128).collect();
                write!(f, "[{short:?}]")
            }
        }
    }
}

/// Whether a key stands in a path as it is.
pub(crate) fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.len() <= 128 && key.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Reads one JSON value that is the whole of `text`.
#[cfg(test)]
pub(crate) fn parse(text: &str) -> Result<Json, ParseError> {
    read(text).map(|located| located.json)
}

/// Reads one JSON value that is the whole of `text`, with its places.
pub(crate) fn read(text: &str) -> Result<Located, ParseError> {
    Reader::new(text, None).whole()
}

/// As [`read`], but takes keys that occur twice, in whatever case, and adds where the later ones
/// stand to `twice`. An error comes with the byte at which it was found.
pub(crate) fn read_leniently(
    text: &str,
    twice: &mut Vec<Range<usize>>,
) -> Result<Located, (ParseError, usize)> {
    let mut reader = Reader::new(text, Some(twice));
    let read = reader.whole();
    read.map_err(|error| (error, reader.offset()))
}

struct Reader<'t, 'd> {
    text: &'t str,
    rest: &'t str,
    /// The places of the values read so far, below the one that is being read.
    places: Vec<Place>,
    /// Where keys that occur twice go; without it they are refused.
    twice: Option<&'d mut Vec<Range<usize>>>,
}

impl<'t, 'd> Reader<'t, 'd> {
    fn new(text: &'t str, twice: Option<&'d mut Vec<Range<usize>>>) -> Self {
        Self { text, rest: text, places: Vec::new(), twice }
    }

    fn whole(&mut self) -> Result<Located, ParseError> {
        let json = self.value(&Path::ROOT, 0)?;
        self.skip_space();
        if !self.rest.is_empty() {
            return Err(self.problem(&Path::ROOT, JsonProblem::TrailingData));
        }
        Ok(Located { json, place: self.places.pop().unwrap_or_default() })
    }

    /// How many bytes have been read.
    fn offset(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    /// Reads a value and notes its place.
    fn value(&mut self, path: &Path<'_>, depth: usize) -> Result<Json, ParseError> {
        self.skip_space();
        let start = self.offset();
        let siblings = std::mem::take(&mut self.places);
        let json = self.bare_value(path, depth)?;
        let children = std::mem::replace(&mut self.places, siblings);
        self.places.push(Place { span: start..self.offset(), key: None, children });
        Ok(json)
    }

    fn bare_value(&mut self, path: &Path<'_>, depth: usize) -> Result<Json, ParseError> {
        if depth > MAX_DEPTH {
            return Err(self.problem(path, JsonProblem::TooDeep));
        }
        self.skip_space();
        match self.rest.bytes().next() {
            Some(b'{') => self.map(path, depth),
            Some(b'[') => self.list(path, depth),
            Some(b'"') => self.string(path).map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(path),
            Some(_) => {
                for (word, json) in
                    [("true", Json::Bool(true)), ("false", Json::Bool(false)), ("null", Json::Null)]
                {
                    if self.eat(word) {
                        return Ok(json);
                    }
                }
                Err(self.problem(path, JsonProblem::Unexpected))
            }
            None => Err(self.problem(path, JsonProblem::Truncated)),
        }
    }

    fn map(&mut self, path: &Path<'_>, depth: usize) -> Result<Json, ParseError> {
        let mut entries: Vec<(String, Json)> = Vec::new();
        let mut seen = HashSet::new();
        self.eat("{");
        self.skip_space();
        if self.eat("}") {
            return Ok(Json::Map(entries));
        }
        loop {
            self.skip_space();
            let start = self.offset();
            let key = self.string(path)?;
            let key_span = start..self.offset();
            let place = path.key(&key);
            if !seen.insert(fold(&key).into_owned()) {
                match &mut self.twice {
                    Some(twice) => twice.push(key_span.clone()),
                    None => return Err(place.refuse(Reason::DuplicateKey)),
                }
            }
            self.skip_space();
            if !self.eat(":") {
                return Err(self.unexpected(&place));
            }
            let value = self.value(&place, depth + 1)?;
            if let Some(place) = self.places.last_mut() {
                place.key = Some(key_span);
            }
            entries.push((key, value));
            self.skip_space();
            if self.eat("}") {
                return Ok(Json::Map(entries));
            }
            if !self.eat(",") {
                return Err(self.unexpected(path));
            }
        }
    }

    fn list(&mut self, path: &Path<'_>, depth: usize) -> Result<Json, ParseError> {
        let mut entries = Vec::new();
        self.eat("[");
        self.skip_space();
        if self.eat("]") {
            return Ok(Json::List(entries));
        }
        loop {
            let place = path.index(entries.len());
            let value = self.value(&place, depth + 1)?;
            entries.push(value);
            self.skip_space();
            if self.eat("]") {
                return Ok(Json::List(entries));
            }
            if !self.eat(",") {
                return Err(self.unexpected(path));
            }
        }
    }

    fn string(&mut self, path: &Path<'_>) -> Result<String, ParseError> {
        if !self.eat("\"") {
            return Err(self.unexpected(path));
        }
        let mut string = String::new();
        loop {
            let end = self.rest.find(|c: char| c == '"' || c == '\\' || c < ' ');
            let Some((plain, rest)) = end.and_then(|at| self.rest.split_at_checked(at)) else {
                return Err(self.problem(path, JsonProblem::Truncated));
            };
            string.push_str(plain);
            self.rest = rest;
            if self.eat("\"") {
                return Ok(string);
            }
            if !self.eat("\\") {
                return Err(self.problem(path, JsonProblem::ControlCharacter));
            }
            string.push(self.escape(path)?);
        }
    }

    /// What stands after a backslash.
    fn escape(&mut self, path: &Path<'_>) -> Result<char, ParseError> {
        let simple = [
            ("\"", '"'),
            ("\\", '\\'),
            ("/", '/'),
            ("b", '\u{8}'),
            ("f", '\u{c}'),
            ("n", '\n'),
            ("r", '\r'),
            ("t", '\t'),
        ];
        for (letter, c) in simple {
            if self.eat(letter) {
                return Ok(c);
            }
        }
        let unit = self.unit(path)?;
        if (0xd800..0xdc00).contains(&unit) && self.eat("\\") {
            let low = self.unit(path)?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(code).ok_or_else(|| self.problem(path, JsonProblem::Escape));
            }
        }
        char::from_u32(unit).ok_or_else(|| self.problem(path, JsonProblem::Escape))
    }

    /// `uXXXX`
    fn unit(&mut self, path: &Path<'_>) -> Result<u32, ParseError> {
        if self.eat("u")
            && let Some((digits, rest)) = self.rest.split_at_checked(4)
            && digits.bytes().all(|b| b.is_ascii_hexdigit())
            && let Ok(unit) = u32::from_str_radix(digits, 16)
        {
            self.rest = rest;
            return Ok(unit);
        }
        Err(self.problem(path, JsonProblem::Escape))
    }

    fn number(&mut self, path: &Path<'_>) -> Result<Json, ParseError> {
        let start = self.rest;
        self.eat("-");
        if !self.eat("0") {
            self.digits(path)?;
        }
        if self.eat(".") {
            self.digits(path)?;
        }
        if self.eat("e") || self.eat("E") {
            let _ = self.eat("+") || self.eat("-");
            self.digits(path)?;
        }
        let length = start.len() - self.rest.len();
        Ok(Json::Number(start.get(..length).unwrap_or_default().to_owned()))
    }

    fn digits(&mut self, path: &Path<'_>) -> Result<(), ParseError> {
        let rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() == self.rest.len() {
            return Err(self.unexpected(path));
        }
        self.rest = rest;
        Ok(())
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn unexpected(&self, path: &Path<'_>) -> ParseError {
        let problem =
            if self.rest.is_empty() { JsonProblem::Truncated } else { JsonProblem::Unexpected };
        self.problem(path, problem)
    }

    fn problem(&self, path: &Path<'_>, problem: JsonProblem) -> ParseError {
        let line = 1 + self.text.bytes().take(self.offset()).filter(|b| *b == b'\n').count();
        path.refuse(Reason::Json { problem, line })
    }
}

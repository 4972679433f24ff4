//! The canonical forms of a path and of a query.

use memchr::{memchr, memchr_iter};

use super::canonical::Sink;
use super::{Bounded, MAX_QUERY_PARAMETERS, MAX_TARGET, SigError, UriRules};

/// More parameters than a presigned request has.
const FEW_PARAMETERS: usize = 16;

/// A request target, split at its first `?` and checked: origin form, no control characters, no
/// fragment, every `%` followed by two hexadecimal digits, bounded.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) path: &'a [u8],
    pub(super) query: &'a [u8],
}

impl<'a> Target<'a> {
    pub(super) fn parse(target: &'a str) -> Result<Self, SigError> {
        let bytes = target.as_bytes();
        if bytes.len() > MAX_TARGET {
            return Err(SigError::TooLarge(Bounded::Target));
        }
        if bytes.first() != Some(&b'/') {
            return Err(SigError::MalformedTarget);
        }
        // It looks at every byte whatever it finds, so that many are looked at at once.
        let bad = bytes
            .iter()
            .fold(0, |bad, byte| bad | u8::from(byte.is_ascii_control()) | u8::from(*byte == b'#'));
        if bad != 0 {
            return Err(SigError::MalformedTarget);
        }
        let mut rest = bytes;
        while let Some(at) = memchr(b'%', rest) {
            rest = match rest.get(at + 1..) {
                Some([high, low, after @ ..])
                    if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
                {
                    after
                }
                _ => return Err(SigError::MalformedTarget),
            };
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let target = Self { path: path.as_bytes(), query: query.as_bytes() };
        if target.most_parameters() > MAX_QUERY_PARAMETERS
            && target.parameters().nth(MAX_QUERY_PARAMETERS).is_some()
        {
            return Err(SigError::TooLarge(Bounded::QueryParameters));
        }
        Ok(target)
    }

    /// The query's parameters in order, undecoded; empty ones (`&&`) are nothing.
    pub(super) fn parameters(self) -> impl Iterator<Item = Parameter<'a>> {
        let mut rest = Some(self.query);
        std::iter::from_fn(move || {
            loop {
                let (text, after) = split_once(rest?, b'&');
                rest = after;
                if !text.is_empty() {
                    let (name, value) = split_once(text, b'=');
                    return Some(Parameter { name, value: value.unwrap_or_default() });
                }
            }
        })
    }

    /// At least as many as there are parameters.
    fn most_parameters(self) -> usize {
        memchr_iter(b'&', self.query).count() + 1
    }

    /// Whether the canonical path under `rules` names the path as it was sent: no dot segments,
    /// no empty ones.
    pub(super) fn path_is_normal(self, rules: UriRules) -> bool {
        rules == UriRules::S3 || is_normal(self.path)
    }
}

/// A query parameter, undecoded.
#[derive(Clone, Copy, Default)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
}

impl Parameter<'_> {
    /// Whether the decoded name is `name`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name.as_bytes()
            || (self.name.contains(&b'%') && decode(self.name).eq(name.bytes()))
    }

    /// Whether the decoded name is `name` in any case.
    pub(super) fn is_ignoring_case(&self, name: &str) -> bool {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        self.name.eq_ignore_ascii_case(name.as_bytes())
            || (self.name.contains(&b'%')
                && decode(self.name).map(lower).eq(name.bytes().map(lower)))
    }
}

/// What stands before the first of these bytes, and after it.
fn split_once(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match memchr(at, text) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

/// Percent-decodes; `+` stays.
pub(super) fn decode(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    std::iter::from_fn(move || match rest {
        [b'%', high, low, after @ ..] => {
            rest = after;
            Some(unescaped(*high, *low))
        }
        [byte, after @ ..] => {
            rest = after;
            Some(*byte)
        }
        [] => None,
    })
}

/// Writes the canonical path.
pub(super) fn write_path(sink: &mut impl Sink, path: &[u8], rules: UriRules) {
    match rules {
        UriRules::S3 => write_escaped(sink, path, stands_in_a_uri),
        UriRules::Standard if is_normal(path) => write_escaped(sink, path, stands_in_a_path),
        UriRules::Standard => write_normalised(sink, path),
    }
}

/// Writes the canonical query: parameters sorted by their escaped names, then values. `except` is
/// the decoded name of a parameter to leave out.
pub(super) fn write_query(sink: &mut impl Sink, target: Target<'_>, except: Option<&str>) {
    if target.query.is_empty() {
        return;
    }
    // INVARIANT: `Target::parse` counted the parameters, so none is left out here. Most queries have
    // few; room for the most there may be takes longer to make than they take to write.
    let mut few;
    let mut many;
    let sorted = if target.most_parameters() <= FEW_PARAMETERS {
        few = [Parameter::default(); FEW_PARAMETERS];
        few.as_mut_slice()
    } else {
        many = [Parameter::default(); MAX_QUERY_PARAMETERS];
        many.as_mut_slice()
    };
    let mut count = 0;
    let wanted = target.parameters().filter(|p| except.is_none_or(|name| !p.is(name)));
    for (slot, parameter) in sorted.iter_mut().zip(wanted) {
        *slot = parameter;
        count += 1;
    }
    let sorted = sorted.get_mut(..count).unwrap_or_default();
    let plain = sorted.iter().all(|parameter| is_plain(parameter.name));
    sorted.sort_unstable_by(|a, b| {
        // A plain name is its own escaped form.
        let names = if plain { a.name.cmp(b.name) } else { escaped(a.name).cmp(escaped(b.name)) };
        names.then_with(|| escaped(a.value).cmp(escaped(b.value)))
    });
    for (index, parameter) in sorted.iter().enumerate() {
        if index > 0 {
            sink.put(b"&");
        }
        write_component(sink, parameter.name);
        sink.put(b"=");
        write_component(sink, parameter.value);
    }
}

/// Writes a name or value of a query in its canonical escapes.
fn write_component(sink: &mut impl Sink, text: &[u8]) {
    if is_plain(text) {
        sink.put(text);
        return;
    }
    let mut rest = text;
    loop {
        let run = rest.iter().take_while(|byte| stands_in_a_query(**byte)).count();
        let (plain, after) = rest.split_at(run);
        sink.put(plain);
        rest = match after {
            [b'%', high, low, tail @ ..] => {
                let byte = unescaped(*high, *low);
                if is_unreserved(byte) {
                    sink.put(&[byte]);
                } else {
                    sink.put(&escape(byte));
                }
                tail
            }
            [byte, tail @ ..] => {
                sink.put(&escape(*byte));
                tail
            }
            [] => return,
        };
    }
}

/// Whether a text is written as it stands. It looks at every byte whatever it finds, so that many are
/// looked at at once.
fn is_plain(text: &[u8]) -> bool {
    let plain = |byte: u8| {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit = byte.wrapping_sub(b'0') < 10;
        let mark = matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b';');
        u8::from(letter) | u8::from(digit) | u8::from(mark)
    };
    text.iter().fold(1, |all, byte| all & plain(*byte)) == 1
}

/// The bytes that [`write_component`] writes, one by one.
fn escaped(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    let mut pending: [Option<u8>; 2] = [None, None];
    std::iter::from_fn(move || {
        if let Some(byte) = pending[0].take().or_else(|| pending[1].take()) {
            return Some(byte);
        }
        let (byte, was_escaped, after) = match rest {
            [b'%', high, low, after @ ..] => (unescaped(*high, *low), true, after),
            [byte, after @ ..] => (*byte, false, after),
            [] => return None,
        };
        rest = after;
        if is_unreserved(byte) || (!was_escaped && stands_in_a_query(byte)) {
            return Some(byte);
        }
        let [percent, high, low] = escape(byte);
        pending = [Some(high), Some(low)];
        Some(percent)
    })
}

/// RFC 3986 §5.2.4, and empty segments removed.
fn write_normalised(sink: &mut impl Sink, path: &[u8]) {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut ends_in_slash = false;
    for segment in path.split(|byte| *byte == b'/') {
        ends_in_slash = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    for segment in &kept {
        sink.put(b"/");
        write_escaped(sink, segment, stands_in_a_path);
    }
    if ends_in_slash || kept.is_empty() {
        sink.put(b"/");
    }
}

fn is_normal(path: &[u8]) -> bool {
    let Some(inner) = path.strip_prefix(b"/") else { return false };
    let mut segments = inner.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if matches!(segment, b"." | b"..") || (segment.is_empty() && !last) {
            return false;
        }
    }
    true
}

/// Writes a text with all but unreserved characters escaped: a name or value to be sent.
pub(super) fn write_encoded(sink: &mut impl Sink, text: &[u8]) {
    write_escaped(sink, text, is_unreserved);
}

fn write_escaped(sink: &mut impl Sink, text: &[u8], stands: fn(u8) -> bool) {
    let mut rest = text;
    loop {
        let run = rest.iter().take_while(|byte| stands(**byte)).count();
        let (plain, after) = rest.split_at(run);
        sink.put(plain);
        let [byte, tail @ ..] = after else { return };
        sink.put(&escape(*byte));
        rest = tail;
    }
}

fn escape(byte: u8) -> [u8; 3] {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'A' + value - 10 };
    [b'%', digit(byte >> 4), digit(byte & 15)]
}

/// The byte that `%` and two digits stand for.
fn unescaped(high: u8, low: u8) -> u8 {
    hex_value(high) * 16 + hex_value(low)
}

/// The value of a hexadecimal digit; `Target::parse` let no other through.
fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn stands_in_a_path(byte: u8) -> bool {
    is_unreserved(byte) || byte == b'/'
}

/// Parsers differ on `+` and `;`, so neither is taken for its escape, nor `+` for a blank.
fn stands_in_a_query(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'+' | b';')
}

/// The characters of RFC 3986. Others cannot be sent, and are written as their escapes.
fn stands_in_a_uri(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'%' | b'/'
                | b':'
                | b'?'
                | b'['
                | b']'
                | b'@'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

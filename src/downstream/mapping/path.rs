//! Paths, read only if there is one way to read them.

/// A path may be read in several ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// It does not begin with a slash.
    #[error("the path does not begin with a slash")]
    Relative,
    /// `.` or `..`, escaped or not.
    #[error("the path holds a dot segment")]
    DotSegment,
    /// `//`
    #[error("the path holds an empty segment")]
    EmptySegment,
    /// `%2F`
    #[error("the path holds an escaped slash")]
    EscapedSlash,
    /// `\` or `%5C`
    #[error("the path holds a backslash")]
    Backslash,
    /// `;` or `%3B`, after which some servers look for parameters.
    #[error("the path holds a semicolon")]
    Semicolon,
    /// A control character, NUL among them.
    #[error("the path holds a control character")]
    Control,
    /// `%25`: whoever decodes twice sees something else.
    #[error("the path holds an escaped percent sign")]
    EscapedPercent,
    /// A letter, digit or one of `-._~` is escaped: whoever compares undecoded sees something else.
    #[error("the path escapes a character that needs no escape")]
    NeedlessEscape,
    /// `%` without two hexadecimal digits.
    #[error("the path holds a broken escape")]
    BrokenEscape,
    /// A character that has to be escaped.
    #[error("the path holds a character that has to be escaped")]
    Unescaped,
    /// Not UTF-8 when decoded.
    #[error("the path is not UTF-8")]
    NotUtf8,
}

/// Splits a path, as it was sent, into its decoded segments. Only the last may be empty.
pub fn segments(path: &str) -> Result<Vec<String>, PathProblem> {
    let inner = path.strip_prefix('/').ok_or(PathProblem::Relative)?;
    let count = inner.split('/').count();
    let mut segments = Vec::with_capacity(count);
    for (at, raw) in inner.split('/').enumerate() {
        if raw.is_empty() && at + 1 < count {
            return Err(PathProblem::EmptySegment);
        }
        segments.push(segment(raw)?);
    }
    Ok(segments)
}

fn segment(raw: &str) -> Result<String, PathProblem> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [byte, tail @ ..] = rest {
        let (byte, escaped, after) = match (byte, tail) {
            (b'%', tail) => {
                let (byte, after) = escape(tail).ok_or(PathProblem::BrokenEscape)?;
                (byte, true, after)
            }
            (byte, tail) => (*byte, false, tail),
        };
        match byte {
            b'/' => return Err(PathProblem::EscapedSlash),
            b'\\' => return Err(PathProblem::Backslash),
            b';' => return Err(PathProblem::Semicolon),
            b'%' => return Err(PathProblem::EscapedPercent),
            byte if byte.is_ascii_control() => return Err(PathProblem::Control),
            // A dot is told by what it makes of the segment.
            b'.' => {}
            byte if escaped && is_unreserved(byte) => return Err(PathProblem::NeedlessEscape),
            byte if !escaped && !stands_in_a_path(byte) => return Err(PathProblem::Unescaped),
            _ => {}
        }
        bytes.push(byte);
        rest = after;
    }
    if matches!(bytes.as_slice(), b"." | b"..") {
        return Err(PathProblem::DotSegment);
    }
    if raw.to_ascii_lowercase().contains("%2e") {
        return Err(PathProblem::NeedlessEscape);
    }
    let text = String::from_utf8(bytes).map_err(|_| PathProblem::NotUtf8)?;
    // Those beyond ASCII, such as U+0085.
    if text.chars().any(char::is_control) { Err(PathProblem::Control) } else { Ok(text) }
}

/// Percent-decodes a text; `+` stays.
pub fn decode(text: &str) -> Result<Vec<u8>, PathProblem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        if *byte == b'%' {
            let (byte, after) = escape(tail).ok_or(PathProblem::BrokenEscape)?;
            bytes.push(byte);
            rest = after;
        } else {
            bytes.push(*byte);
            rest = tail;
        }
    }
    Ok(bytes)
}

/// Reads the two digits of an escape.
fn escape(tail: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, after @ ..] = tail else { return None };
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let byte = u8::try_from(digit(high)? << 4 | digit(low)?).ok()?;
    Some((byte, after))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// `pchar` of RFC 3986, section 3.3.
pub(super) fn stands_in_a_path(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte)
}

//! What asks for another method or path than the one that was signed.
//!
//! # Trust boundary
//!
//! The request is hostile, its signer perhaps too: whoever may `POST` could ask the framework behind
//! us for a `DELETE`. So names are read as loosely as the most lenient reader reads them.

use super::Unmapped;
use crate::sigv4::{Body, RequestHead};

/// Names by which some frameworks let a client name another method or path: of headers, and of
/// parameters for some.
const OVERRIDES: &[&str] = &[
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// Refuses what asks for another method or path than the one that was signed, in headers, in the
/// query, and in a form that is shown.
pub(super) fn refuse_overrides(head: &RequestHead<'_>, body: Body<'_>) -> Result<(), Unmapped> {
    for (name, _) in head.headers {
        // CGI and its heirs do not tell the two apart.
        let name = name.to_ascii_lowercase().replace('_', "-");
        if OVERRIDES.contains(&name.as_str()) {
            return Err(Unmapped::Override(name));
        }
    }
    let query = head.target.split_once('?').map_or("", |(_, query)| query);
    refuse_parameters(query.as_bytes())?;
    match body {
        Body::Bytes(body) if head.method.eq_ignore_ascii_case("POST") => {
            refuse_form(head.headers, body)
        }
        _ => Ok(()),
    }
}

/// Reads a body as each form that its content types name. One that is not told is a form's for some.
fn refuse_form(headers: &[(&str, &[u8])], body: &[u8]) -> Result<(), Unmapped> {
    let types = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let types: Vec<Vec<u8>> = types.map(|(_, value)| value.to_ascii_lowercase()).collect();
    let names = |part: &[u8]| types.iter().any(|value| find(value, part).is_some());
    if types.iter().all(|value| value.trim_ascii().is_empty()) || names(b"urlencoded") {
        refuse_parameters(body)?;
    }
    if names(b"multipart") { refuse_parts(body) } else { Ok(()) }
}

/// Of `name=value&name=value`.
fn refuse_parameters(text: &[u8]) -> Result<(), Unmapped> {
    for parameter in text.split(|byte| matches!(byte, b'&' | b';')) {
        let name = parameter.split(|byte| *byte == b'=').next().unwrap_or_default();
        refuse_name(&decode(name))?;
    }
    Ok(())
}

/// Of a body in parts: every name behind a `Content-Disposition`, up to the blank line that ends the
/// part's head.
fn refuse_parts(body: &[u8]) -> Result<(), Unmapped> {
    const DISPOSITION: &[u8] = b"content-disposition";
    let lower = body.to_ascii_lowercase();
    let mut at = 0;
    while let Some(found) = lower.get(at..).and_then(|rest| find(rest, DISPOSITION)) {
        at += found + DISPOSITION.len();
        let head = body.get(at..).unwrap_or_default();
        // A blank line, however lines end.
        let ends = |at: &usize| {
            let rest = head.get(*at..).unwrap_or_default();
            [&b"\n\r\n"[..], b"\n\n", b"\r\r"].iter().any(|end| rest.starts_with(end))
        };
        let end = (0..head.len()).find(ends).unwrap_or(head.len());
        refuse_names_of(head.get(..end).unwrap_or_default())?;
        at += end;
    }
    Ok(())
}

/// Each `name=` of a part's head.
fn refuse_names_of(head: &[u8]) -> Result<(), Unmapped> {
    let lower = head.to_ascii_lowercase();
    let mut at = 0;
    while let Some(found) = lower.get(at..).and_then(|rest| find(rest, b"name")) {
        let before = (at + found).checked_sub(1).and_then(|before| lower.get(before));
        at += found + 4;
        // `filename`
        if before.is_some_and(u8::is_ascii_alphanumeric) {
            continue;
        }
        let rest = head.get(at..).unwrap_or_default().trim_ascii_start();
        let value = match rest {
            // Of forms, no name comes in this form (RFC 7578, section 4.2), or in pieces.
            [b'*', ..] => return Err(Unmapped::Override("name*".to_owned())),
            [b'=', value @ ..] => start_of(value.trim_ascii_start()),
            _ => continue,
        };
        let value = match value {
            [quote @ (b'"' | b'\''), value @ ..] => quoted(value, *quote),
            value => value.split(|b| matches!(b, b';' | b'\r' | b'\n')).next().unwrap_or_default(),
        };
        let plain: Vec<u8> = value.iter().copied().filter(|byte| *byte != b'\\').collect();
        refuse_name(&plain)?;
        refuse_name(&decode(&plain))?;
    }
    Ok(())
}

/// No more of a name than could matter, so that many names in one line cost no more than they should.
fn start_of(name: &[u8]) -> &[u8] {
    name.get(..128).unwrap_or(name)
}

/// What stands before the quote that ends it.
fn quoted(text: &[u8], quote: u8) -> &[u8] {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == quote && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// Refuses a parameter's name, decoded, that PHP or another reader takes for one of an override: cut
/// at NUL, without blanks around it, `.`, blanks and `[` being `_`, in any case.
fn refuse_name(name: &[u8]) -> Result<(), Unmapped> {
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let folded: Vec<u8> = (name.trim_ascii().iter())
        .map(|byte| match byte {
            b'.' | b'[' | b'_' | b'-' => b'-',
            byte if byte.is_ascii_whitespace() => b'-',
            byte => byte.to_ascii_lowercase(),
        })
        .collect();
    // As an array's name too: `_method[]`, `_method[a]`.
    let array = name.trim_ascii().split(|byte| *byte == b'[').next().map_or(0, <[u8]>::len);
    let overrides = |folded: &[u8]| {
        folded == b"-method" || OVERRIDES.iter().any(|name| name.as_bytes() == folded)
    };
    if overrides(&folded) || folded.get(..array).is_some_and(overrides) {
        let name = if folded.starts_with(b"-method") { "_method".into() } else { folded };
        return Err(Unmapped::Override(String::from_utf8_lossy(&name).into_owned()));
    }
    Ok(())
}

/// Decodes as the most lenient do: `+` is a blank, a broken escape stands for itself.
fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        bytes.push(match (byte, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                _ => b'%',
            },
            (byte, _) => *byte,
        });
    }
    bytes
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

//! A second, slow and obvious implementation: the canonical request as text, and what a request
//! means.

use std::collections::BTreeMap;

use super::*;

/// A byte of a query: escaped or unreserved bytes stand for themselves, a raw `+` or `;` for
/// something of its own.
type Unit = u16;

/// What two requests must share to be the same request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Meaning {
    method: String,
    path: Vec<u8>,
    query: Vec<(Vec<Unit>, Vec<Unit>)>,
    headers: BTreeMap<String, Vec<u8>>,
}

impl Meaning {
    /// The meaning of a request, of whose headers those in `signed` count.
    pub(super) fn of(request: &Request, signed: &[&str], uri: UriRules) -> Self {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let mut query: Vec<_> = query
            .split('&')
            .filter(|text| !text.is_empty())
            .map(|text| text.split_once('=').unwrap_or((text, "")))
            .map(|(name, value)| (units(name), units(value)))
            .collect();
        query.sort();
        let headers = signed.iter().map(|name| ((*name).to_owned(), joined(request, name)));
        Self {
            method: request.method.clone(),
            path: match uri {
                UriRules::Standard => normalised(path).into_bytes(),
                UriRules::S3 => escape_illegal(path).into_bytes(),
            },
            query,
            headers: headers.collect(),
        }
    }

    /// The canonical request, with `payload` as its last line.
    pub(super) fn canonical(&self, signed: &str, uri: UriRules, payload: &str) -> String {
        let path = match uri {
            UriRules::Standard => self
                .path
                .iter()
                .map(|b| match b {
                    b'/' => "/".to_owned(),
                    b => escape(*b),
                })
                .collect(),
            UriRules::S3 => String::from_utf8(self.path.clone()).unwrap(),
        };
        let text = |units: &[Unit]| -> String {
            units
                .iter()
                .map(|unit| match u8::try_from(*unit) {
                    Ok(byte) => escape(byte),
                    Err(_) => char::from(u8::try_from(unit - 256).unwrap()).to_string(),
                })
                .collect()
        };
        let mut query: Vec<_> = self.query.iter().map(|(n, v)| (text(n), text(v))).collect();
        query.sort();
        let query: Vec<_> = query.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", String::from_utf8_lossy(value)))
            .collect();
        let headers = headers.concat();
        format!("{}\n{path}\n{}\n{headers}\n{signed}\n{payload}", self.method, query.join("&"))
    }
}

/// A byte as it stands in a canonical query.
pub(super) fn escape(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

fn escape_illegal(path: &str) -> String {
    path.bytes()
        .map(|b| match b {
            0x21..=0x7e if !b"\"<>\\^`{|}".contains(&b) => char::from(b).to_string(),
            _ => escape(b),
        })
        .collect()
}

fn units(text: &str) -> Vec<Unit> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%' {
            out.push(u16::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
            at += 3;
        } else {
            let raw = bytes[at] == b'+' || bytes[at] == b';';
            out.push(u16::from(bytes[at]) + if raw { 256 } else { 0 });
            at += 1;
        }
    }
    out
}

fn normalised(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let directory = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let end = if directory && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

fn joined(request: &Request, name: &str) -> Vec<u8> {
    let values: Vec<Vec<u8>> = request
        .headers
        .iter()
        .filter(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| {
            let words: Vec<&[u8]> = value
                .split(|b| *b == b' ' || *b == b'\t')
                .filter(|word| !word.is_empty())
                .collect();
            words.join(&b' ')
        })
        .collect();
    values.join(&b',')
}

/// A signature for exactly these signed headers, date, scope and payload line, whatever rule that
/// breaks.
pub(super) struct Forge<'a> {
    pub(super) signed: &'a str,
    pub(super) date: &'a str,
    pub(super) scope: &'a str,
    pub(super) payload: Option<&'a str>,
    pub(super) uri: UriRules,
}

impl Default for Forge<'_> {
    fn default() -> Self {
        Self {
            signed: "host;x-amz-date",
            date: "20150830T123600Z",
            scope: "20150830/us-east-1/service",
            payload: None,
            uri: UriRules::Standard,
        }
    }
}

impl Forge<'_> {
    /// The `Authorization` header.
    pub(super) fn authorization(&self, request: &Request) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={KEY_ID}/{}/aws4_request, SignedHeaders={}, Signature={}",
            self.scope,
            self.signed,
            self.signature(request)
        )
    }

    /// The signature.
    pub(super) fn signature(&self, request: &Request) -> String {
        let names: Vec<&str> = self.signed.split(';').collect();
        let hash = sha256(&request.body);
        let payload = self.payload.unwrap_or(&hash);
        let canonical =
            Meaning::of(request, &names, self.uri).canonical(self.signed, self.uri, payload);
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256\n{}\n{}/aws4_request\n{}",
            self.date,
            self.scope,
            sha256(canonical.as_bytes())
        );
        let mut key = format!("AWS4{SECRET}").into_bytes();
        for part in self.scope.split('/').chain(["aws4_request"]) {
            key = mac(&key, part.as_bytes());
        }
        data_encoding::HEXLOWER.encode(&mac(&key, string_to_sign.as_bytes()))
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    ring::hmac::sign(&key, message).as_ref().to_vec()
}

//! S3's operations on buckets and objects, told by method, bucket, key, query and headers.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3";
//! Amazon S3 API Reference, of each operation; Amazon S3 User Guide, "Required permissions for
//! Amazon S3 API operations".
//!
//! # Model
//!
//! The path names bucket and key, or the host names the bucket (`bucket.s3.example`, where
//! `*.s3.example` is registered). One parameter of the query without which an operation would be
//! another (its subresource) and the method tell the operation; `OPERATIONS` lists them. A
//! parameter that no operation is known to have is an operation that we do not know: it means
//! nothing. What else a request does (a copy reads its source, a header sets an ACL or tags) needs
//! actions of its own, and all of them must be allowed.
//!
//! Condition keys come from the query and from `x-amz-*` headers: all of that is signed, or the
//! request was refused before. One comes from a body, that of `CreateBucket`, which has to be shown.
//!
//! Keys are opaque to S3. Dot segments, empty segments, escaped percent signs and control characters
//! in them are refused all the same: proxies and file systems behind us do not take them as opaque.

mod copy;
mod headers;
mod location;
mod table;
#[cfg(test)]
mod tests;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::path::{self, PathProblem};
use super::{BodyRule, Deed, Meaning, Unmapped, refuse_overrides};
use crate::downstream::HostPattern;
use crate::policy::Value;
use crate::sigv4::{Body, PayloadCheck, RequestHead};
use location::Location;
use table::{Level, OPERATIONS, Operation};

/// Parameters of presigned requests, and those that clients add to any request.
const ANY_OPERATION: &[&str] = &[
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-region-set",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-id",
];

/// Parameters that say nothing without a value.
const NEVER_EMPTY: &[&str] = &["partNumber", "uploadId", "versionId"];

/// What a request names.
struct Place {
    bucket: Option<String>,
    key: Option<String>,
}

/// Finds what a request to S3 means.
pub fn find(
    hosts: &[HostPattern],
    head: &RequestHead<'_>,
    body: Body<'_>,
) -> Result<Meaning, Unmapped> {
    refuse_overrides(head, body)?;
    let RequestHead { method, target, headers } = *head;
    let (raw, query) = target.split_once('?').unwrap_or((target, ""));
    let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = host.and_then(|(_, host)| std::str::from_utf8(host).ok()).unwrap_or_default();
    let place = place(hosts, host.trim(), raw)?;
    let query = Query::parse(query)?;
    let level = match (&place.bucket, &place.key) {
        (None, _) => Level::Service,
        (Some(_), None) => Level::Bucket,
        (Some(_), Some(_)) => Level::Object,
    };
    let operation = operation(level, method, &query)?;
    // INVARIANT: a condition on what is not read here would be evaluated wrong.
    if operation.keys_in_body {
        return Err(Unmapped::S3(
            "condition keys of the operation stand in its body, which is not read here",
        ));
    }
    let version = signature_version(&query, headers);
    let signed = signed_headers(&query, headers);
    let preconditions = headers::preconditions(operation, headers, &signed)?;
    let headers = headers::Amz::read(headers)?;
    let resource = match (&place.bucket, &place.key) {
        (None, _) => "*".to_owned(),
        (Some(bucket), None) => format!("arn:aws:s3:::{bucket}"),
        (Some(bucket), Some(key)) => format!("arn:aws:s3:::{bucket}/{key}"),
    };
    let action = match (operation.versioned, query.get("versionId")) {
        (Some(versioned), Some(_)) => versioned,
        _ => operation.action,
    };
    let mut meaning = Meaning {
        deeds: vec![deed(action, &resource)],
        // Nothing is read from the body of such a request.
        body: (!operation.has_body).then_some(BodyRule::Ignored),
        keys: Vec::new(),
    };
    if let Some((more, versioned)) = operation.more {
        let more = if query.get("versionId").is_some() { versioned } else { more };
        meaning.deeds.push(deed(more, &resource));
    }
    headers.add_deeds(operation, &resource, &mut meaning)?;
    let source = headers.copy_source();
    if source.is_some() && !operation.copies {
        return Err(Unmapped::S3("the operation copies nothing, and a source is named"));
    }
    // A part of an upload has no tags.
    let copies_tags = source.is_some() && operation.makes && headers.copies_tags()?;
    let tags = deed("PutObjectTagging", &resource);
    if copies_tags && !meaning.deeds.contains(&tags) {
        meaning.deeds.push(tags);
    }
    // INVARIANT: the keys of what is requested are none of the source's, and the other way round.
    let mut keys = preconditions;
    add_query_keys(&query, &mut keys);
    // Source: Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets".
    if let Some(creates) = operation.creates {
        keys.push(("s3:ObjectCreationOperation".to_owned(), Value::One(creates.to_string())));
    }
    headers.add_keys(&mut keys)?;
    if operation.located {
        let location = location::read(body)?;
        // What is read from a body must be signed.
        meaning.body = (location != Location::NoBody).then_some(BodyRule::Verified);
        if let Location::At(place) = location {
            keys.push(("s3:LocationConstraint".to_owned(), Value::One(place)));
        }
    }
    for deed in &mut meaning.deeds {
        deed.keys.clone_from(&keys);
    }
    if let Some(source) = source {
        meaning.deeds.extend(copy::deeds(source, copies_tags)?);
    }
    meaning.keys = keys_of_signature(&query, version);
    Ok(meaning)
}

/// The mode of a payload that was verified: the value of `s3:x-amz-content-sha256`. A presigned request
/// need not name it.
pub fn payload_mode(
    head: &RequestHead<'_>,
    body: Body<'_>,
    payload: PayloadCheck,
) -> Option<String> {
    let named = || {
        let mut headers = head.headers.iter();
        let named = headers.find(|(name, _)| name.eq_ignore_ascii_case("x-amz-content-sha256"));
        named.and_then(|(_, value)| std::str::from_utf8(value.trim_ascii()).ok())
    };
    match (payload, body) {
        (PayloadCheck::Unsigned, _) => Some("UNSIGNED-PAYLOAD".to_owned()),
        (PayloadCheck::Streaming(mode), _) => Some(mode.name().to_owned()),
        (PayloadCheck::SignedHash(hash), _) | (PayloadCheck::Verified, Body::Sha256(hash)) => {
            Some(HEXLOWER.encode(&hash))
        }
        // The one that was signed.
        (PayloadCheck::Verified, Body::Bytes(bytes)) => Some(match named() {
            Some(hash) => hash.to_owned(),
            None => HEXLOWER.encode(&Sha256::digest(bytes)),
        }),
        (PayloadCheck::Verified, Body::Unavailable | Body::Streamed) => None,
    }
}

/// The algorithm of the signature, as the request names it; the signature was made by it.
fn signature_version(query: &Query, headers: &[(&str, &[u8])]) -> Option<String> {
    let of_query = query.0.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amz-algorithm"));
    if let Some((_, algorithm)) = of_query {
        return Some(algorithm.clone());
    }
    let header = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let header = header.and_then(|(_, value)| std::str::from_utf8(value).ok())?;
    header.split_whitespace().next().map(str::to_owned)
}

/// The names of the headers that are signed, as the request tells them; the signature covers the list.
fn signed_headers(query: &Query, headers: &[(&str, &[u8])]) -> Vec<String> {
    let mut of_query = query.0.iter();
    let of_query = of_query.find(|(name, _)| name.eq_ignore_ascii_case("x-amz-signedheaders"));
    let list = if let Some((_, list)) = of_query {
        list.as_str()
    } else {
        let mut headers = headers.iter();
        let header = headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let header = header.and_then(|(_, value)| std::str::from_utf8(value).ok());
        let fields = header.unwrap_or_default().split([' ', ',']);
        let mut lists = fields.filter_map(|field| field.trim().strip_prefix("SignedHeaders="));
        lists.next().unwrap_or_default()
    };
    list.split(';').map(str::to_ascii_lowercase).collect()
}

fn deed(action: &str, resource: &str) -> Deed {
    Deed::new(format!("s3:{action}"), resource.to_owned())
}

/// The one operation that a request is, if we know it.
fn operation(level: Level, method: &str, query: &Query) -> Result<&'static Operation, Unmapped> {
    let own = |name: &str| !ANY_OPERATION.contains(&name.to_ascii_lowercase().as_str());
    let named: Vec<&str> = query.names().filter(|name| own(name)).collect();
    let fits = |operation: &&Operation| {
        operation.level == level
            && operation.method == method
            && operation.subresources.iter().all(|name| named.contains(name))
            && named.iter().all(|name| operation.knows(name))
    };
    let mut found = OPERATIONS.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(operation), None) => Ok(operation),
        // Two: the parameters do not tell which.
        (Some(_), Some(_)) => Err(Unmapped::S3("the query names two operations of S3 at once")),
        (None, _) => Err(Unmapped::S3("no operation of S3 that is known here looks like this")),
    }
}

/// The condition keys that stand in the query.
fn add_query_keys(query: &Query, keys: &mut Vec<(String, Value)>) {
    for (parameter, key) in [
        ("prefix", "s3:prefix"),
        ("delimiter", "s3:delimiter"),
        ("max-keys", "s3:max-keys"),
        ("versionId", "s3:VersionId"),
    ] {
        if let Some(value) = query.get(parameter) {
            keys.push((key.to_owned(), Value::One(value.to_owned())));
        }
    }
}

/// The condition keys that tell how a request is signed.
fn keys_of_signature(query: &Query, version: Option<String>) -> Vec<(String, Value)> {
    let presigned = query.names().any(|name| name.eq_ignore_ascii_case("x-amz-signature"));
    let kind = if presigned { "REST-QUERY-STRING" } else { "REST-HEADER" };
    let version = version.map(|version| ("s3:signatureversion".to_owned(), Value::One(version)));
    std::iter::once(("s3:authType".to_owned(), Value::One(kind.to_owned())))
        .chain(version)
        .collect()
}

/// Bucket and key of a request.
fn place(hosts: &[HostPattern], host: &str, raw: &str) -> Result<Place, Unmapped> {
    let text = read_path(raw)?;
    // A host that is registered by itself is none of a bucket's.
    let by_host = if hosts.iter().any(|pattern| pattern.is(host)) {
        None
    } else {
        hosts.iter().find_map(|pattern| pattern.name_below(host))
    };
    let (bucket, key) = match by_host {
        Some(bucket) => (bucket, Some(text)),
        None => match text.split_once('/') {
            Some((bucket, key)) => (bucket.to_owned(), Some(key.to_owned())),
            None => (text, None),
        },
    };
    if bucket.is_empty() {
        return Ok(Place { bucket: None, key: None });
    }
    if !is_bucket(&bucket) {
        return Err(Unmapped::S3("the bucket's name is not one that S3 allows"));
    }
    Ok(Place { bucket: Some(bucket), key: key.filter(|key| !key.is_empty()) })
}

/// A path of S3, decoded, without its first slash: bucket and key.
pub(super) fn read_path(raw: &str) -> Result<String, PathProblem> {
    let inner = raw.strip_prefix('/').ok_or(PathProblem::Relative)?;
    // Some take the one for the end of the key and the other for a blank. Clients escape both.
    if inner.contains(';') {
        return Err(PathProblem::Semicolon);
    }
    if inner.contains('+') {
        return Err(PathProblem::Unescaped);
    }
    let bytes = path::decode(inner)?;
    let text = String::from_utf8(bytes).map_err(|_| PathProblem::NotUtf8)?;
    if text.chars().any(char::is_control) {
        return Err(PathProblem::Control);
    }
    if text.contains('\\') {
        return Err(PathProblem::Backslash);
    }
    // Whoever decodes twice would see another key.
    if text.contains('%') {
        return Err(PathProblem::EscapedPercent);
    }
    let count = text.split('/').count();
    for (at, segment) in text.split('/').enumerate() {
        match segment {
            "." | ".." => return Err(PathProblem::DotSegment),
            "" if at + 1 < count => return Err(PathProblem::EmptySegment),
            _ => {}
        }
    }
    Ok(text)
}

/// Source: Amazon S3 User Guide, "General purpose bucket naming rules".
pub(super) fn is_bucket(name: &str) -> bool {
    let inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    let outer =
        |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (3..=63).contains(&name.len())
        && name.bytes().all(inner)
        && outer(name.bytes().next())
        && outer(name.bytes().next_back())
        && !name.contains("..")
}

/// A query, decoded, every name once.
struct Query(Vec<(String, String)>);

impl Query {
    fn parse(query: &str) -> Result<Self, Unmapped> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        // A plus is a blank to some servers, a semicolon ends a parameter.
        if query.contains(['+', ';']) {
            return Err(Unmapped::S3(
                "the query holds an unescaped + or ;, which have two readings",
            ));
        }
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let text = |text: &str| {
                let bytes = path::decode(text)?;
                String::from_utf8(bytes).map_err(|_| PathProblem::NotUtf8)
            };
            let (name, value) = (text(name)?, text(value)?);
            if parameters.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                return Err(Unmapped::S3("a parameter of the query comes twice"));
            }
            // Without a value it is not there for some servers, and the operation another.
            if value.is_empty() && NEVER_EMPTY.contains(&name.as_str()) {
                return Err(Unmapped::S3("a parameter of the query needs a value and has none"));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

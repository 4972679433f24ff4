//! The body of `CreateBucket`, which says where the bucket is to be: `s3:LocationConstraint`.
//!
//! Source: Amazon S3 API Reference, "CreateBucket".

use super::super::Unmapped;
use crate::sigv4::Body;

/// The SHA-256 of nothing.
const OF_NOTHING: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// What a body says of the place of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// There is no body.
    NoBody,
    /// There is one, and it names no place.
    Default,
    /// This one.
    At(String),
}

/// Reads a body.
///
/// INVARIANT: a body that is not shown, or holds anything but a place in the one form that every
/// reader reads alike, means nothing.
pub(super) fn read(body: Body<'_>) -> Result<Location, Unmapped> {
    match body {
        Body::Bytes(b"") | Body::Sha256(OF_NOTHING) => Ok(Location::NoBody),
        Body::Bytes(bytes) => std::str::from_utf8(bytes).ok().and_then(configuration).ok_or(
            Unmapped::S3("the body of CreateBucket holds more than a location, or is not XML"),
        ),
        Body::Sha256(_) | Body::Unavailable | Body::Streamed => Err(Unmapped::S3(
            "the body of CreateBucket names the bucket's location, and is not shown",
        )),
    }
}

/// `<CreateBucketConfiguration><LocationConstraint>…`, each once, without comments, entities, other
/// elements and other attributes.
fn configuration(text: &str) -> Option<Location> {
    let rest = match text.strip_prefix("<?xml") {
        Some(rest) => declaration(rest)?,
        None => text,
    };
    let rest = rest.trim_ascii_start().strip_prefix("<CreateBucketConfiguration")?;
    let (attributes, rest) = rest.split_once('>')?;
    if !is_namespace(attributes) {
        return None;
    }
    let rest = rest.trim_ascii_start();
    let (location, rest) = match rest.strip_prefix("<LocationConstraint>") {
        Some(rest) => {
            let (place, rest) = rest.split_once("</LocationConstraint>")?;
            (Location::At(is_place(place).then(|| place.to_owned())?), rest)
        }
        None => (Location::Default, rest),
    };
    let end = rest.trim_ascii_start().strip_prefix("</CreateBucketConfiguration>")?;
    end.trim_ascii().is_empty().then_some(location)
}

/// What stands behind an XML declaration. Bytes are read as UTF-8: no other encoding is named.
fn declaration(rest: &str) -> Option<&str> {
    let (inner, rest) = rest.split_once("?>")?;
    let inner = inner.replace('\'', "\"").to_ascii_lowercase();
    let words: Vec<&str> = inner.split_ascii_whitespace().collect();
    matches!(
        words.as_slice(),
        ["version=\"1.0\""]
            | ["version=\"1.0\"", "encoding=\"utf-8\""]
            | ["version=\"1.0\"", "encoding=\"utf-8\"", "standalone=\"yes\""]
    )
    .then_some(rest)
}

/// S3's namespace, or none at all.
fn is_namespace(attributes: &str) -> bool {
    let Some(value) = attributes.trim_ascii().strip_prefix("xmlns=") else {
        return attributes.trim_ascii().is_empty();
    };
    let quoted = |quote| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    attributes.starts_with(|first: char| first.is_ascii_whitespace())
        && quoted('"').or_else(|| quoted('\'')) == Some(NAMESPACE)
}

/// The name of a region. `EU` is none: to S3 it is another word for `eu-west-1`.
fn is_place(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_read_where_it_stands_in_one_form() {
        let at = |place: &str| Ok(Location::At(place.to_owned()));
        let start = format!("<CreateBucketConfiguration xmlns=\"{NAMESPACE}\">");
        let place = "<LocationConstraint>eu-west-1</LocationConstraint>";
        let end = "</CreateBucketConfiguration>";
        for (body, expected) in [
            (String::new(), Ok(Location::NoBody)),
            (format!("{start}{place}{end}"), at("eu-west-1")),
            (format!("{}{place}{end}", start.replace('"', "'")), at("eu-west-1")),
            (format!("<CreateBucketConfiguration>{place}{end}"), at("eu-west-1")),
            (
                format!("<?xml version='1.0' encoding='UTF-8'?>\n{start}{place}{end}"),
                at("eu-west-1"),
            ),
            (format!("<?xml version=\"1.0\"?>{start}\n  {place}\n{end}\n"), at("eu-west-1")),
            (format!("{start}{end}"), Ok(Location::Default)),
        ] {
            assert_eq!(read(Body::Bytes(body.as_bytes())), expected, "{body}");
        }
        for body in [
            " ".to_owned(),
            place.to_owned(),
            format!("{start}{place}{place}{end}"),
            format!("{start}<!-- -->{place}{end}"),
            format!("{start}{place}<Tags></Tags>{end}"),
            format!("{start}<Location><Name>a</Name></Location>{end}"),
            format!("{start}{place}{end}<a/>"),
            format!("<!DOCTYPE a>{start}{place}{end}"),
            format!("{}{place}{end}", start.replace("2006", "2007")),
            format!("{}{place}{end}", start.replace(" xmlns", "xmlns")),
            format!("{}{place}{end}", start.replace("xmlns", "xmlns:a")),
            format!("{}{place}{end}", start.replace('>', " a=\"b\">")),
            format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{start}{place}{end}"),
            format!("\u{feff}{start}{place}{end}"),
            start.clone(),
            format!("{start}{place}"),
        ] {
            assert!(read(Body::Bytes(body.as_bytes())).is_err(), "{body}");
        }
        for place in ["", "EU", " eu-west-1", "eu-west-1\n", "&#101;u-west-1", "<![CDATA[eu]]>"] {
            let body = format!("{start}<LocationConstraint>{place}</LocationConstraint>{end}");
            assert!(read(Body::Bytes(body.as_bytes())).is_err(), "{body}");
        }
        assert!(read(Body::Bytes(b"\xff")).is_err());
    }

    #[test]
    fn what_is_not_shown_is_not_read() {
        use sha2::{Digest as _, Sha256};
        assert_eq!(OF_NOTHING, <[u8; 32]>::from(Sha256::digest(b"")));
        assert_eq!(read(Body::Sha256(OF_NOTHING)), Ok(Location::NoBody));
        assert!(read(Body::Sha256([0; 32])).is_err());
        assert!(read(Body::Unavailable).is_err());
        assert!(read(Body::Streamed).is_err());
    }
}

//! What a request presents: everything that can be read and checked without a key.

use std::borrow::Cow;

use super::canonical::{trimmed, unhex, unhex_into};
use super::date::SignedAt;
use super::signed_set::{SignedSet, is_token};
use super::uri::Target;
use super::{
    Algorithm, Bounded, Form, MAX_HEADER_BYTES, MAX_HEADERS, MAX_SCOPE_ELEMENT, Missing,
    RequestHead, Scope, SigError, StreamingMode, chunked, header_form, query_form,
};
use crate::time::Timestamp;

#[cfg(doc)]
use super::Body;

/// The query parameters of a presigned request, in AWS's spelling.
pub(super) const QUERY_PARAMETERS: [&str; 9] = [
    "X-Amz-Algorithm",
    "X-Amz-Content-Sha256",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Region-Set",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// The longest signature by the key of a certificate, in bytes: RSA of 8192 bits.
const MAX_CERTIFICATE_SIGNATURE: usize = 1024;

/// What a request presents. Nothing in it is verified yet; it has no `Debug`, as it holds a
/// session token.
pub struct Presented<'a> {
    pub(super) head: RequestHead<'a>,
    pub(super) target: Target<'a>,
    pub(super) form: Form,
    pub(super) credential: Credential<'a>,
    pub(super) signed_headers: Cow<'a, str>,
    pub(super) signed: SignedSet,
    pub(super) algorithm: Algorithm,
    pub(super) signature: Signature,
    pub(super) signed_at: SignedAt,
    /// The life of a presigned request, in seconds.
    pub(super) expires: Option<i64>,
    pub(super) security_token: Option<Cow<'a, str>>,
    /// The set of regions, in SigV4A.
    pub(super) region_set: Option<Cow<'a, str>>,
    /// `x-amz-content-sha256`, without outer blanks; it is signed.
    pub(super) content_sha256: Option<Cow<'a, [u8]>>,
    /// `x-amz-decoded-content-length` and `x-amz-trailer`, likewise.
    pub(super) decoded_length: Option<&'a [u8]>,
    pub(super) trailer: Option<&'a [u8]>,
    /// `x-amz-x509` and `x-amz-x509-chain`, without outer blanks; they are signed.
    pub(super) certificate: Option<&'a [u8]>,
    pub(super) certificate_chain: Option<&'a [u8]>,
    /// Whether `content-type` is signed, or did not arrive.
    pub(super) signs_content_type: bool,
}

impl Presented<'_> {
    /// The access key ID: 1 to 128 visible ASCII characters, which may be no key of ours.
    pub fn access_key_id(&self) -> &str {
        &self.credential.access_key_id
    }

    /// How the request is signed, and so by which function and key it is verified.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The regions that a SigV4A request is good in: names separated by commas, `*` standing for
    /// any text.
    pub fn region_set(&self) -> Option<&str> {
        self.region_set.as_deref()
    }

    /// The scope, whose date is the day of [`Self::signed_at`].
    pub fn scope(&self) -> Scope<'_> {
        self.credential.scope()
    }

    /// The session token.
    pub fn security_token(&self) -> Option<&str> {
        self.security_token.as_deref()
    }

    /// The signed header names, joined by semicolons.
    pub fn signed_headers(&self) -> &str {
        &self.signed_headers
    }

    /// Whether the header of this lower-case name is signed.
    pub fn signs(&self, name: &str) -> bool {
        self.signed.holds(&self.signed_headers, name)
    }

    /// When the request says it was signed.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at.time
    }

    /// When the life of a presigned request ends, as it says itself.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires.map(|expires| self.signed_at.time.plus_secs(expires))
    }

    /// Where the credentials stand.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The mode in which the payload comes in chunks, if it does: by [`Body::Streamed`] alone is
    /// such a request verified.
    pub fn streaming_mode(&self) -> Option<StreamingMode> {
        StreamingMode::named(self.content_sha256.as_deref()?, self.algorithm)
    }

    /// The certificate in `x-amz-x509`, as sent; signed by the request.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.certificate
    }

    /// The certificates in `x-amz-x509-chain`, as sent; signed by the request.
    pub fn certificate_chain(&self) -> Option<&[u8]> {
        self.certificate_chain
    }

    /// Whether [`verify`](super::verify()) may need the body: the request signs no hash of it.
    pub fn needs_body(&self) -> bool {
        self.content_sha256.is_none()
    }
}

/// Reads what a request presents. `None`: no credentials at all.
///
/// Once this returns, the request is within its bounds; nothing that may come once came twice;
/// `host`, the date and every `x-amz-*` header that arrived are listed as signed, and what is
/// listed arrived; the scope's date is the day of the request's date.
pub fn parse<'a>(head: &RequestHead<'a>) -> Result<Option<Presented<'a>>, SigError> {
    if head.method.is_empty() || !head.method.bytes().all(is_token) {
        return Err(SigError::MalformedMethod);
    }
    let arrived = Arrived::scan(head.headers)?;
    let target = Target::parse(head.target)?;
    let in_query =
        target.parameters().any(|p| QUERY_PARAMETERS.iter().any(|name| p.is_ignoring_case(name)));
    match (arrived.authorization, in_query) {
        (Some(_), true) => Err(SigError::ConflictingCredentials),
        (Some(authorization), false) => {
            header_form::parse(head, target, &arrived, authorization, Algorithm::OF_KEYS).map(Some)
        }
        (None, true) => query_form::parse(head, target, &arrived).map(Some),
        // A token without a signature is not nobody: it is a broken request.
        (None, false) if arrived.security_token.is_some() => {
            let missing = Missing {
                credential: true,
                signature: true,
                signed_headers: true,
                date: arrived.amz_date.is_none() && arrived.date.is_none(),
                ..Missing::default()
            };
            Err(SigError::Incomplete { form: Form::Header, missing })
        }
        (None, false) => Ok(None),
    }
}

/// The headers with a meaning of their own, without outer blanks. Each may come once.
#[derive(Default)]
pub(super) struct Arrived<'a> {
    pub(super) authorization: Option<&'a [u8]>,
    pub(super) host: Option<&'a [u8]>,
    pub(super) date: Option<&'a [u8]>,
    pub(super) amz_date: Option<&'a [u8]>,
    pub(super) security_token: Option<&'a [u8]>,
    pub(super) content_sha256: Option<&'a [u8]>,
    pub(super) region_set: Option<&'a [u8]>,
    pub(super) decoded_length: Option<&'a [u8]>,
    pub(super) trailer: Option<&'a [u8]>,
    pub(super) content_type: Option<&'a [u8]>,
    pub(super) certificate: Option<&'a [u8]>,
    pub(super) certificate_chain: Option<&'a [u8]>,
    content_length: Option<&'a [u8]>,
    amz_target: Option<&'a [u8]>,
}

impl<'a> Arrived<'a> {
    pub(super) fn scan(headers: &'a [(&'a str, &'a [u8])]) -> Result<Self, SigError> {
        if headers.len() > MAX_HEADERS {
            return Err(SigError::TooLarge(Bounded::Headers));
        }
        let mut arrived = Self::default();
        let mut bytes = 0_usize;
        for (name, value) in headers {
            bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
            if let Some((slot, known)) = arrived.slot(name)
                && slot.replace(trimmed(value)).is_some()
            {
                return Err(SigError::Duplicate { name: known });
            }
        }
        if bytes > MAX_HEADER_BYTES {
            return Err(SigError::TooLarge(Bounded::HeaderBytes));
        }
        Ok(arrived)
    }

    fn slot(&mut self, name: &str) -> Option<(&mut Option<&'a [u8]>, &'static str)> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        Some(match name.len() {
            4 if is("host") => (&mut self.host, "host"),
            4 if is("date") => (&mut self.date, "date"),
            10 if is("x-amz-date") => (&mut self.amz_date, "x-amz-date"),
            10 if is("x-amz-x509") => (&mut self.certificate, "x-amz-x509"),
            12 if is("content-type") => (&mut self.content_type, "content-type"),
            12 if is("x-amz-target") => (&mut self.amz_target, "x-amz-target"),
            13 if is("authorization") => (&mut self.authorization, "authorization"),
            13 if is(chunked::TRAILER) => (&mut self.trailer, chunked::TRAILER),
            14 if is("content-length") => (&mut self.content_length, "content-length"),
            16 if is("x-amz-region-set") => (&mut self.region_set, "x-amz-region-set"),
            16 if is("x-amz-x509-chain") => (&mut self.certificate_chain, "x-amz-x509-chain"),
            20 if is("x-amz-security-token") => (&mut self.security_token, "x-amz-security-token"),
            20 if is("x-amz-content-sha256") => (&mut self.content_sha256, "x-amz-content-sha256"),
            28 if is(chunked::DECODED_LENGTH) => {
                (&mut self.decoded_length, chunked::DECODED_LENGTH)
            }
            _ => return None,
        })
    }
}

/// A credential: the access key ID and the scope.
pub(super) struct Credential<'a> {
    pub(super) access_key_id: Cow<'a, str>,
    pub(super) date: Cow<'a, str>,
    pub(super) region: Cow<'a, str>,
    pub(super) service: Cow<'a, str>,
}

impl<'a> Credential<'a> {
    /// Reads `keyid/date/region/service/aws4_request` of a request signed at `signed_at`; in SigV4A
    /// there is no region.
    pub(super) fn parse(
        algorithm: Algorithm,
        text: Cow<'a, str>,
        signed_at: &SignedAt,
    ) -> Result<Self, SigError> {
        Ok(match text {
            Cow::Borrowed(text) => {
                let [access_key_id, date, region, service] =
                    elements(algorithm, text, signed_at)?.map(Cow::Borrowed);
                Self { access_key_id, date, region, service }
            }
            Cow::Owned(text) => {
                let [access_key_id, date, region, service] = elements(algorithm, &text, signed_at)?
                    .map(|element| Cow::Owned(element.to_owned()));
                Self { access_key_id, date, region, service }
            }
        })
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope { date: &self.date, region: &self.region, service: &self.service }
    }
}

/// The elements of a credential: access key ID, date, region, service.
///
/// INVARIANT: every element is visible ASCII without a slash, so that the scope has one reading;
/// the region may be empty.
fn elements<'t>(
    algorithm: Algorithm,
    text: &'t str,
    signed_at: &SignedAt,
) -> Result<[&'t str; 4], SigError> {
    let split = |text| split_once(text, b'/').ok_or(SigError::MalformedCredential);
    let (access_key_id, rest) = split(text)?;
    let (date, rest) = split(rest)?;
    let (region, rest) = if algorithm.has_region() { split(rest)? } else { ("", rest) };
    let (service, term) = split(rest)?;
    if term.bytes().any(|byte| byte == b'/') {
        return Err(SigError::MalformedCredential);
    }
    if access_key_id.is_empty() || service.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic())
    {
        return Err(SigError::MalformedCredential);
    }
    if [access_key_id, region, service].iter().any(|e| e.len() > MAX_SCOPE_ELEMENT) {
        return Err(SigError::TooLarge(Bounded::ScopeElement));
    }
    if term != "aws4_request" {
        return Err(SigError::WrongTerminator);
    }
    if date != signed_at.day() {
        return Err(SigError::ScopeDateMismatch {
            scope: date.chars().take(16).collect(),
            signed_at: signed_at.time,
        });
    }
    Ok([access_key_id, date, region, service])
}

/// Splits a text at the first occurrence of an ASCII character.
pub(super) fn split_once(text: &str, at: u8) -> Option<(&str, &str)> {
    let index = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..index)?, text.get(index + 1..)?))
}

/// A value that must be visible ASCII: a session token.
pub(super) fn visible(value: &[u8]) -> Result<&str, SigError> {
    let graphic = value.iter().fold(true, |all, byte| all & byte.is_ascii_graphic());
    std::str::from_utf8(value)
        .ok()
        .filter(|text| graphic && !text.is_empty())
        .ok_or(SigError::MalformedSecurityToken)
}

/// A signature as presented, its form checked.
pub(super) enum Signature {
    Hmac([u8; 32]),
    /// An ASN.1 signature of at most 72 bytes, and its length.
    Ecdsa([u8; 72], usize),
    /// By the key of a certificate.
    Certificate(Box<[u8]>),
}

impl Signature {
    /// Reads lower-case hexadecimal digits.
    pub(super) fn parse(algorithm: Algorithm, text: &str) -> Result<Self, SigError> {
        let text = text.as_bytes();
        let signature = match algorithm {
            Algorithm::HmacSha256 => unhex(text).map(Self::Hmac),
            Algorithm::EcdsaP256Sha256 => {
                let mut der = [0; 72];
                let length = unhex_into(text, &mut der).filter(|length| *length > 0);
                length.map(|length| Self::Ecdsa(der, length))
            }
            Algorithm::X509RsaSha256 | Algorithm::X509EcdsaSha256 => {
                let mut bytes = vec![0; MAX_CERTIFICATE_SIGNATURE];
                unhex_into(text, &mut bytes).filter(|length| *length > 0).map(|length| {
                    bytes.truncate(length);
                    Self::Certificate(bytes.into_boxed_slice())
                })
            }
        };
        signature.ok_or(SigError::MalformedSignature)
    }
}

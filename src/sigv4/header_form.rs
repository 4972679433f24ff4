//! Credentials in the `Authorization` header.

use std::borrow::Cow;

use super::canonical::unhex;
use super::date::SignedAt;
use super::key::HMAC_SHA256;
use super::parse::{Arrived, Credential, Presented, visible};
use super::signed_set::SignedSet;
use super::uri::Target;
use super::{Form, Missing, RequestHead, SigError};

/// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` and what belongs to it.
pub(super) fn parse<'a>(
    head: &RequestHead<'a>,
    target: Target<'a>,
    arrived: &Arrived<'a>,
    authorization: &'a [u8],
) -> Result<Presented<'a>, SigError> {
    let authorization = Authorization::parse(authorization)?;
    let date = match (arrived.amz_date, arrived.date) {
        (Some(value), _) => Some(("x-amz-date", SignedAt::parse_amz(value))),
        (None, Some(value)) => Some(("date", SignedAt::parse_header(value))),
        (None, None) => None,
    };
    let (Some(credential), Some(signature), Some(signed_headers), Some((date_name, signed_at))) = (
        authorization.credential,
        authorization.signature,
        authorization.signed_headers,
        date.as_ref(),
    ) else {
        let missing = Missing {
            credential: authorization.credential.is_none(),
            signature: authorization.signature.is_none(),
            signed_headers: authorization.signed_headers.is_none(),
            date: date.is_none(),
            ..Missing::default()
        };
        return Err(SigError::Incomplete { form: Form::Header, missing });
    };
    let signed_at = signed_at.clone()?;
    let credential = Credential::parse(Cow::Borrowed(credential), &signed_at)?;
    let signature = unhex(signature.as_bytes()).ok_or(SigError::MalformedSignature)?;
    let signed = SignedSet::build(signed_headers, head.headers)?;
    if !signed.holds(signed_headers, "host") {
        return Err(SigError::HostNotSigned);
    }
    if !signed.holds(signed_headers, date_name) {
        return Err(SigError::DateNotSigned);
    }
    let security_token = arrived.security_token.map(visible).transpose()?;
    Ok(Presented {
        head: *head,
        target,
        form: Form::Header,
        credential,
        signed_headers: Cow::Borrowed(signed_headers),
        signed,
        signature,
        signed_at,
        expires: None,
        security_token: security_token.map(Cow::Borrowed),
        content_sha256: arrived.content_sha256.map(Cow::Borrowed),
    })
}

/// The parameters of an `Authorization` header, each at most once and none besides.
#[derive(Default)]
struct Authorization<'a> {
    credential: Option<&'a str>,
    signed_headers: Option<&'a str>,
    signature: Option<&'a str>,
}

impl<'a> Authorization<'a> {
    fn parse(value: &'a [u8]) -> Result<Self, SigError> {
        let text = std::str::from_utf8(value).map_err(|_| SigError::MalformedAuthorization)?;
        let (algorithm, parameters) = text.split_once(' ').unwrap_or((text, ""));
        if algorithm != HMAC_SHA256 {
            return Err(SigError::UnsupportedAlgorithm);
        }
        let mut read = Self::default();
        let parameters = parameters.trim_matches(' ');
        if parameters.is_empty() {
            return Ok(read);
        }
        for parameter in parameters.split(',') {
            let (name, value) = parameter
                .trim_matches(' ')
                .split_once('=')
                .ok_or(SigError::MalformedAuthorization)?;
            let (slot, name) = match name {
                "Credential" => (&mut read.credential, "Credential"),
                "SignedHeaders" => (&mut read.signed_headers, "SignedHeaders"),
                "Signature" => (&mut read.signature, "Signature"),
                _ => return Err(SigError::MalformedAuthorization),
            };
            if slot.replace(value).is_some() {
                return Err(SigError::Duplicate { name });
            }
        }
        Ok(read)
    }
}

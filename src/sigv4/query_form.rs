//! Credentials in the query: presigned requests.

use std::borrow::Cow;

use memchr::memchr;

use super::date::SignedAt;
use super::parse::{Arrived, Credential, Presented, QUERY_PARAMETERS, Signature, visible};
use super::region_set;
use super::signed_set::SignedSet;
use super::uri::{Target, decode};
use super::{Algorithm, Form, MAX_EXPIRES, Missing, RequestHead, SigError};

/// Reads the `X-Amz-*` parameters of a query and what belongs to them.
pub(super) fn parse<'a>(
    head: &RequestHead<'a>,
    target: Target<'a>,
    arrived: &Arrived<'a>,
) -> Result<Presented<'a>, SigError> {
    let read = Parameters::read(target)?;
    let algorithm = match read.algorithm.as_deref() {
        Some(name) => {
            Some(Algorithm::named(name, Algorithm::OF_KEYS).ok_or(SigError::UnsupportedAlgorithm)?)
        }
        None => None,
    };
    let lacks_region_set =
        algorithm == Some(Algorithm::EcdsaP256Sha256) && read.region_set.is_none();
    let missing = Missing {
        algorithm: algorithm.is_none(),
        credential: read.credential.is_none(),
        signature: read.signature.is_none(),
        signed_headers: read.signed_headers.is_none(),
        date: read.date.is_none(),
        expires: read.expires.is_none(),
        region_set: lacks_region_set,
    };
    let (
        Some(algorithm),
        Some(credential),
        Some(signature),
        Some(signed_headers),
        Some(date),
        Some(expires),
        false,
    ) = (
        algorithm,
        read.credential,
        read.signature,
        read.signed_headers,
        read.date,
        read.expires,
        lacks_region_set,
    )
    else {
        return Err(SigError::Incomplete { form: Form::Query, missing });
    };
    let signed_at = SignedAt::parse_amz(date.as_bytes())?;
    if arrived.amz_date.is_some() {
        return Err(SigError::Duplicate { name: "x-amz-date" });
    }
    let credential = Credential::parse(algorithm, credential, &signed_at)?;
    let signature = Signature::parse(algorithm, &signature)?;
    let expires = seconds(&expires).ok_or(SigError::MalformedExpires { maximum: MAX_EXPIRES })?;
    let signed = SignedSet::build(&signed_headers, head.headers)?;
    if !signed.holds(&signed_headers, "host") {
        return Err(SigError::HostNotSigned);
    }
    // The header of the token, or of the payload's hash, is signed, as is the whole query.
    let security_token = match (read.security_token, arrived.security_token) {
        (Some(_), Some(_)) => return Err(SigError::Duplicate { name: "x-amz-security-token" }),
        (None, Some(value)) => Some(Cow::Borrowed(visible(value)?)),
        (Some(token), None) => {
            visible(token.as_bytes())?;
            Some(token)
        }
        (None, None) => None,
    };
    let content_sha256 = match (read.content_sha256, arrived.content_sha256) {
        (Some(_), Some(_)) => return Err(SigError::Duplicate { name: "x-amz-content-sha256" }),
        (None, Some(value)) => Some(Cow::Borrowed(value)),
        (Some(Cow::Borrowed(text)), None) => Some(Cow::Borrowed(text.as_bytes())),
        (Some(Cow::Owned(text)), None) => Some(Cow::Owned(text.into_bytes())),
        (None, None) => None,
    };
    if read.region_set.is_some() && arrived.region_set.is_some() {
        return Err(SigError::Duplicate { name: "x-amz-region-set" });
    }
    let region_set = read.region_set.filter(|_| algorithm == Algorithm::EcdsaP256Sha256);
    if let Some(text) = &region_set {
        region_set::parse(text.as_bytes())?;
    }
    Ok(Presented {
        head: *head,
        target,
        form: Form::Query,
        credential,
        signed_headers,
        signed,
        algorithm,
        signature,
        signed_at,
        expires: Some(expires),
        security_token,
        region_set,
        content_sha256,
        decoded_length: arrived.decoded_length,
        trailer: arrived.trailer,
        certificate: arrived.certificate,
        certificate_chain: arrived.certificate_chain,
        signs_content_type: arrived.content_type.is_none(),
    })
}

/// The parameters of a presigned request, decoded, each at most once.
#[derive(Default)]
struct Parameters<'a> {
    algorithm: Option<Cow<'a, str>>,
    content_sha256: Option<Cow<'a, str>>,
    credential: Option<Cow<'a, str>>,
    date: Option<Cow<'a, str>>,
    expires: Option<Cow<'a, str>>,
    region_set: Option<Cow<'a, str>>,
    security_token: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
}

impl<'a> Parameters<'a> {
    fn read(target: Target<'a>) -> Result<Self, SigError> {
        let mut read = Self::default();
        for parameter in target.parameters() {
            let Some(name) = QUERY_PARAMETERS.into_iter().find(|n| parameter.is_ignoring_case(n))
            else {
                continue;
            };
            if !parameter.is(name) {
                return Err(SigError::CaseVariant { name });
            }
            let slot = match name {
                "X-Amz-Algorithm" => &mut read.algorithm,
                "X-Amz-Content-Sha256" => &mut read.content_sha256,
                "X-Amz-Credential" => &mut read.credential,
                "X-Amz-Date" => &mut read.date,
                "X-Amz-Expires" => &mut read.expires,
                "X-Amz-Region-Set" => &mut read.region_set,
                "X-Amz-Security-Token" => &mut read.security_token,
                "X-Amz-Signature" => &mut read.signature,
                _ => &mut read.signed_headers,
            };
            if slot.replace(decoded(parameter.value)?).is_some() {
                return Err(SigError::Duplicate { name });
            }
        }
        Ok(read)
    }
}

/// A decoded value. It borrows where nothing was escaped.
fn decoded(value: &[u8]) -> Result<Cow<'_, str>, SigError> {
    if memchr(b'%', value).is_some() {
        let text = String::from_utf8(decode(value).collect());
        text.map(Cow::Owned).map_err(|_| SigError::MalformedTarget)
    } else {
        std::str::from_utf8(value).map(Cow::Borrowed).map_err(|_| SigError::MalformedTarget)
    }
}

/// A number of seconds over 0: digits without a sign or a leading zero.
fn seconds(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.starts_with('0') {
        return None;
    }
    text.parse().ok()
}

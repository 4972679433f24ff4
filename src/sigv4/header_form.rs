//! Credentials in the `Authorization` header.

use std::borrow::Cow;

use super::date::SignedAt;
use super::parse::{Arrived, Credential, Presented, Signature, split_once, visible};
use super::region_set;
use super::signed_set::SignedSet;
use super::uri::Target;
use super::{Algorithm, Form, Missing, RequestHead, SigError};

/// Reads `ALGORITHM Credential=…, SignedHeaders=…, Signature=…` and what belongs to it, by one of
/// these algorithms.
pub(super) fn parse<'a>(
    head: &RequestHead<'a>,
    target: Target<'a>,
    arrived: &Arrived<'a>,
    authorization: &'a [u8],
    known: [Algorithm; 2],
) -> Result<Presented<'a>, SigError> {
    let (algorithm, authorization) = Authorization::parse(authorization, known)?;
    let lacks_region_set = algorithm == Algorithm::EcdsaP256Sha256 && arrived.region_set.is_none();
    let date = match (arrived.amz_date, arrived.date) {
        (Some(value), _) => Some(("x-amz-date", SignedAt::parse_amz(value))),
        (None, Some(value)) => Some(("date", SignedAt::parse_header(value))),
        (None, None) => None,
    };
    let (
        Some(credential),
        Some(signature),
        Some(signed_headers),
        Some((date_name, signed_at)),
        false,
    ) = (
        authorization.credential,
        authorization.signature,
        authorization.signed_headers,
        date.as_ref(),
        lacks_region_set,
    )
    else {
        let missing = Missing {
            credential: authorization.credential.is_none(),
            signature: authorization.signature.is_none(),
            signed_headers: authorization.signed_headers.is_none(),
            date: date.is_none(),
            region_set: lacks_region_set,
            ..Missing::default()
        };
        return Err(SigError::Incomplete { form: Form::Header, missing });
    };
    let signed_at = signed_at.clone()?;
    let credential = Credential::parse(algorithm, Cow::Borrowed(credential), &signed_at)?;
    let signature = Signature::parse(algorithm, signature)?;
    let signed = SignedSet::build(signed_headers, head.headers)?;
    if !signed.holds(signed_headers, "host") {
        return Err(SigError::HostNotSigned);
    }
    if !signed.holds(signed_headers, date_name) {
        return Err(SigError::DateNotSigned);
    }
    let signs_content_type =
        arrived.content_type.is_none() || signed.holds(signed_headers, "content-type");
    let security_token = arrived.security_token.map(visible).transpose()?;
    // The header is signed, as every `x-amz-*` header is.
    let region_set = match (algorithm, arrived.region_set) {
        (Algorithm::EcdsaP256Sha256, Some(value)) => Some(Cow::Borrowed(region_set::parse(value)?)),
        _ => None,
    };
    Ok(Presented {
        head: *head,
        target,
        form: Form::Header,
        credential,
        signed_headers: Cow::Borrowed(signed_headers),
        signed,
        algorithm,
        signature,
        signed_at,
        expires: None,
        security_token: security_token.map(Cow::Borrowed),
        region_set,
        content_sha256: arrived.content_sha256.map(Cow::Borrowed),
        decoded_length: arrived.decoded_length,
        trailer: arrived.trailer,
        certificate: arrived.certificate,
        certificate_chain: arrived.certificate_chain,
        signs_content_type,
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
    fn parse(value: &'a [u8], known: [Algorithm; 2]) -> Result<(Algorithm, Self), SigError> {
        let text = std::str::from_utf8(value).map_err(|_| SigError::MalformedAuthorization)?;
        let (algorithm, parameters) = split_once(text, b' ').unwrap_or((text, ""));
        let algorithm = Algorithm::named(algorithm, known).ok_or(SigError::UnsupportedAlgorithm)?;
        let mut read = Self::default();
        let mut rest = Some(parameters.trim_matches(' ')).filter(|text| !text.is_empty());
        while let Some(text) = rest {
            let (parameter, after) = match split_once(text, b',') {
                Some((parameter, after)) => (parameter, Some(after)),
                None => (text, None),
            };
            rest = after;
            let (name, value) = split_once(parameter.trim_matches(' '), b'=')
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
        Ok((algorithm, read))
    }
}

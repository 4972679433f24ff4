//! AWS's own signer for Rust as oracle: what it signs, we verify; what we sign is what it signs.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::{v4, v4a};
use proptest::prelude::*;

use super::*;

struct Case {
    request: Request,
    token: Option<String>,
    region: String,
    uri: UriRules,
    content_sha256: bool,
}

/// The headers that the oracle adds, and the query parameters.
type Added = Vec<(String, String)>;

fn oracle(case: &Case, algorithm: Algorithm, presign: bool) -> (Added, Added) {
    let identity = Credentials::new(KEY_ID, SECRET, case.token.clone(), None, "test").into();
    let mut settings = SigningSettings::default();
    if presign {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_mins(1));
    } else if case.content_sha256 {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    if case.uri == UriRules::S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    let time = UNIX_EPOCH + Duration::from_secs(u64::try_from(now().secs()).unwrap());
    let parameters = match algorithm {
        Algorithm::HmacSha256 => v4::SigningParams::builder()
            .identity(&identity)
            .region(&case.region)
            .name("service")
            .time(time)
            .settings(settings)
            .build()
            .unwrap()
            .into(),
        Algorithm::EcdsaP256Sha256 | Algorithm::X509RsaSha256 | Algorithm::X509EcdsaSha256 => {
            v4a::SigningParams::builder()
                .identity(&identity)
                .region_set(&case.region)
                .name("service")
                .time(time)
                .settings(settings)
                .build()
                .unwrap()
                .into()
        }
    };
    let headers: Vec<(&str, &str)> = case
        .request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap()))
        .collect();
    let request = SignableRequest::new(
        &case.request.method,
        format!("https://example.amazonaws.com{}", case.request.target),
        headers.into_iter(),
        if presign && case.uri == UriRules::S3 {
            SignableBody::UnsignedPayload
        } else {
            SignableBody::Bytes(&case.request.body)
        },
    )
    .unwrap();
    let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
    let headers =
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let parameters =
        instructions.params().iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
    (headers, parameters.collect())
}

/// The case's request as the oracle signs it.
fn signed(case: &Case, headers: &Added, parameters: &Added) -> Request {
    let mut request = case.request.clone();
    for (name, value) in headers {
        request.add(name, value);
    }
    for (name, value) in parameters {
        let mark = if request.target.contains('?') { '&' } else { '?' };
        let value: String = value.bytes().map(super::reference::escape).collect();
        request.target = format!("{}{mark}{name}={value}", request.target);
    }
    request
}

fn pieces(alphabet: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(alphabet), 0..most).prop_map(|p| p.concat())
}

fn cases() -> impl Strategy<Value = Case> {
    let path = pieces(
        &[
            "/", "/", ".", "..", "a", "Z9", "-_~", "%2e", "%2F", "%C3%A9", "(", "@", ":", "*", ",",
            "=",
        ],
        9,
    );
    // `+` and `;` are left out: we take neither for an escape (see the module's documentation).
    let query = pieces(
        &[
            "&", "&", "=", "a", "B", "0", "-", "_", ".", "~", "%61", "%26", "%3d", "%C3%A9", "%20",
            "/", ":", "?", "@", "*", "!",
        ],
        12,
    );
    let value = pieces(&[" ", "  ", "a", "B", ",", "\"", "=", ";"], 6);
    let header = (
        prop::sample::select(&["x-one", "X-Two", "accept", "Content-Encoding", "X-Amz-Meta-A"][..]),
        value,
    );
    (
        prop::sample::select(&["GET", "POST", "PUT", "DELETE", "HEAD"][..]),
        path,
        query,
        prop::collection::vec(header, 0..6),
        "[ -~]{0,40}",
        prop::option::of("[A-Za-z0-9+/=]{1,60}"),
        prop::sample::select(&["us-east-1", "local-1", "aws-global", "x"][..]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(method, path, query, headers, body, token, region, s3, hash)| {
            let mut headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            headers.push(("host", "example.amazonaws.com"));
            let mark = if query.is_empty() { "" } else { "?" };
            Case {
                request: Request::new(method, &format!("/{path}{mark}{query}"), &headers, &body),
                token,
                region: region.to_owned(),
                uri: if s3 { UriRules::S3 } else { UriRules::Standard },
                content_sha256: hash,
            }
        })
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} {:?} {:?}", self.request, self.token, self.region, self.uri)
    }
}

/// How many requests are generated: `COUNTERSIGN_TEST_SIGNED_REQUESTS`, or some thousands.
pub(super) fn count() -> u32 {
    let asked = std::env::var("COUNTERSIGN_TEST_SIGNED_REQUESTS").ok();
    asked.map_or(2000, |text| text.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(count()))]

    #[test]
    fn we_agree_with_awss_signer(case in cases()) {
        let (theirs, _) = oracle(&case, Algorithm::HmacSha256, false);
        let verified = signed(&case, &theirs, &vec![]).check(&Rules::new(case.uri, now()));
        prop_assert!(verified.is_ok(), "{:?}", verified.err());

        let secret = secret();
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: case.token.as_deref(),
            region: &case.region,
            service: "service",
            uri: case.uri,
            content_sha256: case.content_sha256,
        };
        let ours = case.request.with(|head| signer.sign(head, &case.request.body, now())).unwrap();
        for (name, value) in ours {
            let (_, expected) = theirs.iter().find(|(n, _)| n == name).unwrap();
            prop_assert_eq!(&value, expected);
        }
    }

    #[test]
    fn we_agree_with_awss_presigner(case in cases()) {
        let (_, theirs) = oracle(&case, Algorithm::HmacSha256, true);
        let verified = signed(&case, &vec![], &theirs).check(&Rules::new(case.uri, now()));
        prop_assert!(verified.is_ok(), "{:?}", verified.err());

        let secret = secret();
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: case.token.as_deref(),
            region: &case.region,
            service: "service",
            uri: case.uri,
            content_sha256: false,
        };
        let target = case
            .request
            .with(|head| signer.presign(head, &case.request.body, now(), 60))
            .unwrap();
        let (_, signature) = target.split_once("X-Amz-Signature=").unwrap();
        let (_, expected) = theirs.iter().find(|(name, _)| name == "X-Amz-Signature").unwrap();
        prop_assert_eq!(signature, expected);
        let ours = Request { target, ..case.request }.check(&Rules::new(case.uri, now()));
        prop_assert!(ours.is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(count() / 30))]

    #[test]
    fn we_verify_what_awss_v4a_signer_signs(case in cases(), presign in any::<bool>()) {
        let (headers, parameters) = oracle(&case, Algorithm::EcdsaP256Sha256, presign);
        let rules = Rules::new(case.uri, now());
        let mut request = signed(&case, &headers, &parameters);
        let check = |request: &Request, region| {
            request.check_in(Some(region), Body::Bytes(&case.request.body), &rules)
        };
        let verified = check(&request, &case.region);
        prop_assert!(verified.is_ok(), "{:?}", verified.err());
        prop_assert_eq!(check(&request, "elsewhere").unwrap_err(), SigError::RegionNotCovered);
        let secret = secret();
        let key = SigningKeyV4a::derive(&secret, KEY_ID).unwrap();
        let signer = SignerV4a {
            access_key_id: KEY_ID,
            key: &key,
            session_token: case.token.as_deref(),
            region_set: &case.region,
            service: "service",
            uri: case.uri,
            content_sha256: case.content_sha256,
        };
        let mut ours = case.request.clone();
        let body = case.request.body.clone();
        if presign {
            ours.target = ours.with(|head| signer.presign(head, &body, now(), 60)).unwrap();
        } else {
            let added = ours.with(|head| signer.sign(head, &body, now())).unwrap();
            // All that they add is what we add, but for the signature, which is random there.
            let unsigned = |value: &str| value.split("Signature=").next().unwrap().to_owned();
            for (name, value) in added {
                let (_, expected) = headers.iter().find(|(n, _)| n == name).unwrap();
                prop_assert_eq!(unsigned(&value), unsigned(expected));
                ours.add(name, &value);
            }
        }
        let verified = check(&ours, &case.region);
        prop_assert!(verified.is_ok(), "{:?}", verified.err());

        request.method.push('X');
        let refused =
            matches!(check(&request, &case.region), Err(SigError::SignatureDoesNotMatch { .. }));
        prop_assert!(refused);
    }
}

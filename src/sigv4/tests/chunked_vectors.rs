//! Payloads in chunks: the examples of the S3 API reference, and AWS's signer for Rust as oracle.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use proptest::prelude::*;

use super::chunked::{SMALL, Upload, begin, read};
use super::*;

/// The access key, the time and the request of the examples.
fn example(headers: &[(&str, &str)], seed: &str) -> (Verified, SigningKey) {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned();
    let secret = SecretAccessKey::parse(Zeroizing::new(secret)).unwrap();
    let mut request = Request::new("PUT", "/examplebucket/chunkObject.txt", headers, "");
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    request.add(
        "authorization",
        &format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders={}, Signature={seed}",
            names.join(";")
        ),
    );
    request.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        let key = SigningKey::derive(&secret, presented.scope());
        let now = Timestamp::parse_amz(b"20130524T000000Z").unwrap();
        let rules = Rules::new(UriRules::S3, now);
        let verified = verify(&presented, &key, Body::Streamed, &rules).unwrap();
        (verified, key)
    })
}

/// 65,536 and 1,024 times `a`, then nothing, with these signatures.
fn wire([first, second, last]: [&str; 3], end: &str) -> Vec<u8> {
    let (first_data, second_data) = ("a".repeat(65_536), "a".repeat(1024));
    format!(
        "10000;chunk-signature={first}\r\n{first_data}\r\n400;chunk-signature={second}\r\n\
         {second_data}\r\n0;chunk-signature={last}\r\n{end}\r\n"
    )
    .into_bytes()
}

#[test]
fn signed_chunks_of_the_reference() {
    let (verified, key) = example(
        &[
            ("host", "s3.amazonaws.com"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("content-length", "66824"),
        ],
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    );
    let wire = wire(
        [
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ],
        "",
    );
    assert_eq!(wire.len(), 66_824);
    let verifier = verified.chunks(&key, Limits::default()).unwrap();
    let (payload, _) = read(verifier, &wire, &[]).unwrap();
    assert_eq!(payload, "a".repeat(66_560).as_bytes());
}

#[test]
fn signed_trailers_of_the_reference() {
    let (verified, key) = example(
        &[
            ("host", "s3.amazonaws.com"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("x-amz-trailer", "x-amz-checksum-crc32c"),
        ],
        "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    );
    let chunks = [
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ];
    let end = "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:\
               d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n";
    let verifier = verified.chunks(&key, Limits::default()).unwrap();
    let (payload, finished) = read(verifier, &wire(chunks, end), &[]).unwrap();
    assert_eq!(payload.len(), 66_560);
    let crc = (ChecksumAlgorithm::Crc32c, "sOO8/Q==".to_owned());
    assert_eq!(finished.trailers(), [crc]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(super::oracle::count() / 2))]

    /// AWS's signer signs each chunk and the trailer as ours does, so we verify what it signs.
    #[test]
    fn we_agree_with_awss_signer_of_chunks(
        payload in prop::collection::vec(any::<u8>(), 0..300),
        sizes in prop::collection::vec(1_usize..100, 0..6),
        checksum in prop::sample::select(&ChecksumAlgorithm::ALL[..]),
        target in "/[a-z]{1,8}(/[a-zA-Z0-9%20]{0,0}[a-z0-9]{0,9}){0,2}",
    ) {
        let identity = Credentials::new(KEY_ID, SECRET, None, None, "test").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let parameters = |settings| {
            v4::SigningParams::builder()
                .identity(&identity)
                .region("us-east-1")
                .name("s3")
                .time(UNIX_EPOCH + Duration::from_secs(u64::try_from(now().secs()).unwrap()))
                .settings(settings)
                .build()
                .unwrap()
        };
        let head_parameters = parameters(settings).into();
        let parameters = parameters(SigningSettings::default());
        let with = Chunks::SignedWith(checksum);
        let ours = Upload::at(&target, with, Algorithm::HmacSha256, &payload, &sizes);
        let length = payload.len().to_string();
        let headers = [
            ("host", "s3.example.com"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", &length),
            ("x-amz-trailer", checksum.trailer()),
        ];
        let request = SignableRequest::new(
            "PUT",
            format!("https://s3.example.com{target}"),
            headers.into_iter(),
            SignableBody::StreamingSignedPayloadTrailer,
        )
        .unwrap();
        let (instructions, mut signature) =
            sign(request, &head_parameters).unwrap().into_parts();
        let mut head = Request::new("PUT", &target, &headers, "");
        for (name, value) in instructions.headers() {
            head.add(name, value);
        }
        prop_assert_eq!(head.get("authorization"), ours.head.get("authorization"));

        let mut wire = Vec::new();
        let mut rest = &payload[..];
        for size in sizes.iter().copied().chain([usize::MAX, 0]) {
            let (now, after) = rest.split_at(size.min(rest.len()));
            if now.is_empty() && size > 0 {
                continue;
            }
            let bytes = bytes::Bytes::copy_from_slice(now);
            signature = v4::sign_chunk(&bytes, &signature, &parameters).unwrap().into_parts().1;
            wire.extend(format!("{:X};chunk-signature={signature}\r\n", now.len()).bytes());
            wire.extend_from_slice(now);
            if size > 0 {
                wire.extend_from_slice(b"\r\n");
            }
            rest = after;
        }
        let (_, finished) = ours.receive(&ours.wire(), &[]).unwrap();
        let (_, value) = finished.trailers()[0].clone();
        let mut trailers = aws_smithy_runtime_api::http::Headers::new();
        trailers.insert(checksum.trailer(), value.clone());
        signature = v4::sign_trailer(&trailers, &signature, &parameters).unwrap().into_parts().1;
        let end = format!(
            "{}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n",
            checksum.trailer()
        );
        wire.extend(end.bytes());
        let (received, _) = read(begin(&head, SMALL).unwrap(), &wire, &[]).unwrap();
        prop_assert_eq!(received, payload);
        let (theirs, ours) = (wire.to_ascii_lowercase(), ours.wire().to_ascii_lowercase());
        prop_assert_eq!(theirs, ours);
    }
}

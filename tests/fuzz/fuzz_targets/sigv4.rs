//! Arbitrary bytes as the head of a request and as a body in chunks: nothing panics, nothing that
//! nobody signed is accepted, and how a body is cut up makes no difference.
//!
//! The input: a byte that picks a mode and how the body is cut up, then a head of lines (method and
//! target, then headers) up to an empty line, then a body. The head is parsed and verified as it is.
//! The body follows a head of the picked mode that was signed well.
#![no_main]

use std::sync::LazyLock;

use countersign::secret::SecretAccessKey;
use countersign::sigv4::{
    Algorithm, Body, ChecksumAlgorithm, ChunkError, Chunks, Limits, RequestHead, Rules, Signer,
    SigningKey, UriRules, Verified, VerifyingKey, parse, verify, verify_v4a,
};
use countersign::time::Timestamp;
use libfuzzer_sys::fuzz_target;

const KEY_ID: &str = "AKIDEXAMPLE";

struct Seeds {
    secret: SecretAccessKey,
    key: SigningKey,
    public: VerifyingKey,
    /// A verified head a mode.
    heads: Vec<Verified>,
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_440_938_160)
}

static SEEDS: LazyLock<Seeds> = LazyLock::new(|| {
    let text = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
    let secret = SecretAccessKey::parse(text.into()).unwrap();
    let headers = [("host", b"s3.example.com".as_slice())];
    let head = RequestHead { method: "PUT", target: "/b/k", headers: &headers };
    let mut heads = Vec::new();
    let mut key = None;
    for chunks in [
        Chunks::Signed,
        Chunks::SignedWith(ChecksumAlgorithm::Crc32c),
        Chunks::UnsignedWith(ChecksumAlgorithm::Crc64Nvme),
        Chunks::UnsignedWith(ChecksumAlgorithm::Sha1),
    ] {
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: None,
            region: "us-east-1",
            service: "s3",
            uri: UriRules::S3,
            content_sha256: true,
        };
        let (added, _) = signer.sign_streaming(&head, chunks, 5, now()).unwrap();
        let mut headers = headers.to_vec();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let presented = parse(&RequestHead { headers: &headers, ..head }).unwrap().unwrap();
        let derived = SigningKey::derive(&secret, presented.scope());
        let rules = Rules::new(UriRules::S3, now());
        heads.push(verify(&presented, &derived, Body::Streamed, &rules).unwrap());
        key = Some(derived);
    }
    let public = VerifyingKey::derive(&secret, KEY_ID).unwrap();
    Seeds { secret, key: key.unwrap(), public, heads }
});

fuzz_target!(|input: &[u8]| {
    let Some((&first, rest)) = input.split_first() else { return };
    let end = rest.windows(2).position(|pair| pair == b"\n\n").unwrap_or(rest.len());
    let (text, body) = rest.split_at(end);
    head(text, body);
    chunks(first, body.get(2..).unwrap_or_default());
});

fn head(text: &[u8], body: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let mut lines = text.split('\n');
    let (method, target) = lines.next().unwrap_or_default().split_once(' ').unwrap_or(("GET", "/"));
    let headers: Vec<(&str, &[u8])> = lines
        .map(|line| line.split_once(':').unwrap_or((line, "")))
        .map(|(name, value)| (name, value.as_bytes()))
        .collect();
    let Ok(Some(presented)) = parse(&RequestHead { method, target, headers: &headers }) else {
        return;
    };
    for uri in [UriRules::Standard, UriRules::S3] {
        let rules = Rules::new(uri, presented.signed_at());
        for body in [Body::Bytes(body), Body::Streamed] {
            let accepted = match presented.algorithm() {
                Algorithm::HmacSha256 => {
                    let key = SigningKey::derive(&SEEDS.secret, presented.scope());
                    verify(&presented, &key, body, &rules).is_ok()
                }
                Algorithm::EcdsaP256Sha256
                | Algorithm::X509RsaSha256
                | Algorithm::X509EcdsaSha256 => {
                    verify_v4a(&presented, &SEEDS.public, None, body, &rules).is_ok()
                }
            };
            assert!(!accepted, "nobody signed this");
        }
    }
}

fn chunks(first: u8, body: &[u8]) {
    let verified = &SEEDS.heads[usize::from(first & 3)];
    let size = usize::from(first >> 2).max(1);
    let whole = read(verified, body, body.len().max(1));
    let parts = read(verified, body, size);
    assert_eq!(whole, parts);
    if verified.streaming().is_some_and(|s| s.mode().signed_by().is_some()) {
        assert!(whole.is_err(), "nobody signed this");
    }
}

/// What comes out, and how it ends.
fn read(verified: &Verified, body: &[u8], size: usize) -> Result<Vec<u8>, ChunkError> {
    let limits = Limits { max_chunk: 1 << 20, min_chunk: 0 };
    let mut chunks = verified.chunks(&SEEDS.key, limits).unwrap();
    let mut payload = Vec::new();
    for mut part in body.chunks(size) {
        while let Some(bytes) = chunks.push(&mut part)? {
            payload.extend_from_slice(bytes);
        }
    }
    chunks.finish().map(|finished| {
        assert_eq!(finished.decoded_length(), payload.len() as u64);
        payload
    })
}

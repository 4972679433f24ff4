#![allow(clippy::print_stdout, reason = "a benchmark reports")]
//! Verification of each form against its floor: what no verifier can do without.
//!
//! The floor of a head is the SHA-256 of its canonical request, a MAC of the string to sign under a
//! prepared key (in SigV4A an ECDSA verification), and one look-up in a cache. The floor of a
//! payload in chunks is the SHA-256 of its bytes and a MAC a chunk, and the checksum if there is
//! one. The ratios are printed at the end.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::secret::SecretAccessKey;
use countersign::sigv4::{
    self, Algorithm, Body, ChecksumAlgorithm, Chunks, Limits, RequestHead, Rules, Scope, Signer,
    SignerV4a, SigningKey, SigningKeyV4a, UriRules, VerifyingKey,
};
use countersign::time::Timestamp;
use criterion::{Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use quick_cache::sync::Cache;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const KEY_ID: &str = "ASIAQDSKKNTHXPLKNWVB";
const BODY: &[u8] = b"Action=GetCallerIdentity&Version=2011-06-15";
/// A session token of usual length.
const TOKEN_LENGTH: usize = 600;
/// A payload in chunks, and the size of a chunk.
const PAYLOAD: usize = 1 << 20;
const CHUNK: usize = 128 << 10;

fn secret() -> SecretAccessKey {
    let text = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
    SecretAccessKey::parse(Zeroizing::new(text)).unwrap_or_else(|e| unreachable!("{e}"))
}

fn now() -> Timestamp {
    Timestamp::parse_amz(b"20260102T030405Z").unwrap_or(Timestamp::from_secs(0))
}

/// A request as it arrives, with what stands in its canonical form.
struct Form {
    name: &'static str,
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    uri: UriRules,
    /// The last line of the canonical request.
    payload: String,
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// The headers of a request as boto3 sends it; the first ones are signed.
fn sent(service: &str) -> Vec<(&'static str, String)> {
    [
        ("host", format!("{service}.example.com:8350")),
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned()),
        ("accept-encoding", "identity".to_owned()),
        (
            "user-agent",
            "Boto3/1.40 md/Botocore#1.40 ua/2.1 os/linux#6.8 lang/python#3.12".to_owned(),
        ),
        ("content-length", "43".to_owned()),
    ]
    .into()
}

fn borrowed<'h>(headers: &'h [(&'static str, String)]) -> Vec<(&'h str, &'h [u8])> {
    headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect()
}

impl Form {
    /// Every form of a head.
    fn all() -> Vec<Self> {
        let token = "t".repeat(TOKEN_LENGTH);
        let secret = secret();
        let signer = |service, uri| Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: Some(&token),
            region: "eu-west-1",
            service,
            uri,
            content_sha256: uri == UriRules::S3,
        };
        let Some(key) = SigningKeyV4a::derive(&secret, KEY_ID) else { unreachable!("a key") };
        let v4a = SignerV4a {
            access_key_id: KEY_ID,
            key: &key,
            session_token: Some(&token),
            region_set: "eu-*",
            service: "sts",
            uri: UriRules::Standard,
            content_sha256: false,
        };
        let mut forms = Vec::new();
        for (name, method, target, service, uri) in [
            ("header", "POST", "/", "sts", UriRules::Standard),
            ("S3 header", "PUT", "/bucket/photos/2026/image%200001.jpg", "s3", UriRules::S3),
            ("header, SigV4A", "POST", "/", "sts", UriRules::Standard),
            ("S3 streaming head", "PUT", "/bucket/photos/2026/1.jpg", "s3", UriRules::S3),
            (
                "presigned",
                "GET",
                "/?Action=GetCallerIdentity&Version=2011-06-15",
                "sts",
                UriRules::Standard,
            ),
            ("S3 presigned", "GET", "/bucket/photos/2026/image%200001.jpg", "s3", UriRules::S3),
            ("presigned, SigV4A", "GET", "/?Action=GetCallerIdentity", "sts", UriRules::Standard),
        ] {
            let headers = sent(service);
            let given = borrowed(headers.get(..2).unwrap_or_default());
            let presigned = name.contains("presigned");
            let given = if presigned { given.get(..1).unwrap_or_default() } else { &given };
            let head = RequestHead { method, target, headers: given };
            let by_v4a = name.ends_with("SigV4A");
            let body = if presigned { b"".as_slice() } else { BODY };
            let mut form = Self {
                name,
                method,
                target: target.to_owned(),
                headers: headers.clone(),
                uri,
                payload: hex(body),
            };
            let made = if presigned && by_v4a {
                v4a.presign(&head, body, now(), 900).map(|target| form.target = target)
            } else if presigned {
                if uri == UriRules::S3 {
                    "UNSIGNED-PAYLOAD".clone_into(&mut form.payload);
                }
                signer(service, uri)
                    .presign(&head, body, now(), 900)
                    .map(|target| form.target = target)
            } else if by_v4a {
                v4a.sign(&head, body, now()).map(|added| form.headers.extend(added))
            } else if name.contains("streaming") {
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".clone_into(&mut form.payload);
                signer(service, uri)
                    .sign_streaming(&head, Chunks::Signed, PAYLOAD as u64, now())
                    .map(|(added, _)| form.headers.extend(added))
            } else {
                signer(service, uri)
                    .sign(&head, body, now())
                    .map(|added| form.headers.extend(added))
            };
            made.unwrap_or_else(|e| unreachable!("{e}"));
            forms.push(form);
        }
        forms
    }

    fn body(&self) -> Body<'static> {
        if self.payload.starts_with("STREAMING") {
            return Body::Streamed;
        }
        let presigned = self.name.contains("presigned");
        Body::Sha256(Sha256::digest(if presigned { b"" } else { BODY }).into())
    }

    /// The canonical request. All of these have canonical paths and parameters already.
    fn canonical(&self) -> String {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut query: Vec<&str> = query
            .split('&')
            .filter(|p| !p.is_empty() && !p.starts_with("X-Amz-Signature="))
            .collect();
        query.sort_unstable();
        let headers = borrowed(&self.headers);
        let head = RequestHead { method: self.method, target: &self.target, headers: &headers };
        let Ok(Some(presented)) = sigv4::parse(&head) else { unreachable!("it was signed") };
        let mut text = format!("{}\n{path}\n{}\n", self.method, query.join("&"));
        for name in presented.signed_headers().split(';') {
            for (_, value) in self.headers.iter().filter(|(n, _)| *n == name) {
                text.extend([name, ":", value, "\n"]);
            }
        }
        text + "\n" + presented.signed_headers() + "\n" + &self.payload
    }
}

/// The keys of a verifier, and of the floor.
struct Keys {
    v4: Cache<String, Arc<SigningKey>>,
    v4_s3: Cache<String, Arc<SigningKey>>,
    v4a: Cache<String, Arc<VerifyingKey>>,
    macs: Cache<String, Arc<Hmac<Sha256>>>,
    public: UnparsedPublicKey<Vec<u8>>,
}

impl Keys {
    fn new(pair: &EcdsaKeyPair) -> Self {
        let scope = |service| Scope { date: "20260102", region: "eu-west-1", service };
        let keys = Self {
            v4: Cache::new(100),
            v4_s3: Cache::new(100),
            v4a: Cache::new(100),
            macs: Cache::new(100),
            public: UnparsedPublicKey::new(
                &ECDSA_P256_SHA256_ASN1,
                pair.public_key().as_ref().to_vec(),
            ),
        };
        let id = || KEY_ID.to_owned();
        keys.v4.insert(id(), Arc::new(SigningKey::derive(&secret(), scope("sts"))));
        keys.v4_s3.insert(id(), Arc::new(SigningKey::derive(&secret(), scope("s3"))));
        if let Some(key) = VerifyingKey::derive(&secret(), KEY_ID) {
            keys.v4a.insert(id(), Arc::new(key));
        }
        let mac = Hmac::new_from_slice(&[7; 32]).unwrap_or_else(|e| unreachable!("{e}"));
        keys.macs.insert(id(), Arc::new(mac));
        keys
    }

    /// What a service does with a request: parse, find the key, verify.
    fn verify(&self, form: &Form, headers: &[(&str, &[u8])], body: Body<'_>) -> bool {
        let head = RequestHead { method: form.method, target: &form.target, headers };
        let Ok(Some(presented)) = sigv4::parse(&head) else { return false };
        let rules = Rules::new(form.uri, now());
        let id = presented.access_key_id();
        match presented.algorithm() {
            Algorithm::HmacSha256 => {
                let keys = if form.uri == UriRules::S3 { &self.v4_s3 } else { &self.v4 };
                let Some(key) = keys.get(id) else { return false };
                sigv4::verify(&presented, &key, body, &rules).is_ok()
            }
            Algorithm::EcdsaP256Sha256 | Algorithm::X509RsaSha256 | Algorithm::X509EcdsaSha256 => {
                let Some(key) = self.v4a.get(id) else { return false };
                sigv4::verify_v4a(&presented, &key, Some("eu-west-1"), body, &rules).is_ok()
            }
        }
    }

    fn floor(&self, canonical: &str, string_to_sign: &str, ecdsa: Option<&[u8]>) -> bool {
        let hash: [u8; 32] = Sha256::digest(black_box(canonical)).into();
        black_box(hash);
        let Some(mac) = self.macs.get(KEY_ID) else { return false };
        if let Some(signature) = ecdsa {
            return self.public.verify(black_box(string_to_sign.as_bytes()), signature).is_ok();
        }
        let mut mac = Hmac::clone(&mac);
        mac.update(black_box(string_to_sign.as_bytes()));
        let mac: [u8; 32] = mac.finalize().into_bytes().into();
        black_box(mac);
        true
    }
}

fn pair() -> EcdsaKeyPair {
    // The key of the floor: any one.
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let scalar = p256::NonZeroScalar::from_repr([7; 32].into());
    let scalar = scalar.into_option().unwrap_or_else(|| unreachable!("in range"));
    let public = p256::PublicKey::from_secret_scalar(&scalar).to_sec1_point(false);
    EcdsaKeyPair::from_private_key_and_public_key(algorithm, &[7; 32], public.as_bytes(), &random)
        .unwrap_or_else(|e| unreachable!("{e}"))
}

fn verification(c: &mut Criterion) {
    let pair = pair();
    let keys = Keys::new(&pair);
    let mut group = c.benchmark_group("sigv4");
    let mut ratios = Vec::new();
    for form in Form::all() {
        let headers = borrowed(&form.headers);
        let body = form.body();
        assert!(keys.verify(&form, &headers, body), "{}: the request is valid", form.name);
        let canonical = form.canonical();
        let v4a = form.name.ends_with("SigV4A");
        let (algorithm, scope) = if v4a {
            ("AWS4-ECDSA-P256-SHA256", "20260102/sts")
        } else {
            ("AWS4-HMAC-SHA256", "20260102/eu-west-1/sts")
        };
        let string_to_sign = format!(
            "{algorithm}\n20260102T030405Z\n{scope}/aws4_request\n{}",
            hex(canonical.as_bytes())
        );
        let signature = pair
            .sign(&SystemRandom::new(), string_to_sign.as_bytes())
            .unwrap_or_else(|e| unreachable!("{e}"));
        let ecdsa = v4a.then(|| signature.as_ref());
        assert!(keys.floor(&canonical, &string_to_sign, ecdsa));
        group.bench_function(form.name, |b| {
            b.iter(|| keys.verify(&form, black_box(&headers), body));
        });
        let calls = if v4a { 5 } else { 100 };
        let floor = time(calls, || keys.floor(&canonical, &string_to_sign, ecdsa));
        let verify = time(calls, || keys.verify(&form, black_box(&headers), body));
        ratios.push((form.name, verify, floor));
    }
    group.bench_function("derive a signing key", |b| {
        let secret = secret();
        let scope = Scope { date: "20260102", region: "eu-west-1", service: "sts" };
        b.iter(|| SigningKey::derive(&secret, black_box(scope)));
    });
    group.bench_function("derive a SigV4A key", |b| {
        let secret = secret();
        b.iter(|| VerifyingKey::derive(&secret, black_box(KEY_ID)));
    });
    group.finish();
    ratios.extend(chunks(&keys));
    for (name, verify, floor) in ratios {
        let ratio = verify.as_secs_f64() / floor.as_secs_f64();
        println!("{name:<24} verification / floor = {ratio:.2} ({verify:?} / {floor:?})");
    }
}

/// A payload of 1 MiB in chunks of 128 KiB, as it comes off a socket in pieces of 16 KiB.
fn chunks(keys: &Keys) -> Vec<(&'static str, Duration, Duration)> {
    let payload = vec![7; PAYLOAD];
    let secret = secret();
    let host = [("host", b"s3.example.com".as_slice())];
    let head = RequestHead { method: "PUT", target: "/bucket/key", headers: &host };
    let signer = Signer {
        access_key_id: KEY_ID,
        secret: &secret,
        session_token: None,
        region: "eu-west-1",
        service: "s3",
        uri: UriRules::S3,
        content_sha256: true,
    };
    let mut ratios = Vec::new();
    for (name, how) in [
        ("signed chunks", Chunks::Signed),
        ("signed chunks, CRC-64", Chunks::SignedWith(ChecksumAlgorithm::Crc64Nvme)),
        ("unsigned chunks, CRC-32", Chunks::UnsignedWith(ChecksumAlgorithm::Crc32)),
    ] {
        let made = signer.sign_streaming(&head, how, PAYLOAD as u64, now());
        let (added, mut chunks) = made.unwrap_or_else(|e| unreachable!("{e}"));
        let mut wire = Vec::new();
        for part in payload.chunks(CHUNK) {
            chunks.chunk(part, &mut wire).unwrap_or_else(|e| unreachable!("{e}"));
        }
        chunks.finish(&mut wire).unwrap_or_else(|e| unreachable!("{e}"));
        let mut headers = host.to_vec();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let signed = RequestHead { headers: &headers, ..head };
        let Ok(Some(presented)) = sigv4::parse(&signed) else { unreachable!("it was signed") };
        let Some(key) = keys.v4_s3.get(KEY_ID) else { unreachable!("inserted") };
        let rules = Rules::new(UriRules::S3, now());
        let verified = sigv4::verify(&presented, &key, Body::Streamed, &rules)
            .unwrap_or_else(|e| unreachable!("{e}"));
        let verify = time(1, || {
            let Ok(mut chunks) = verified.chunks(&key, Limits::default()) else { return 0 };
            let mut length = 0;
            for mut part in wire.chunks(16 << 10) {
                while let Ok(Some(bytes)) = chunks.push(&mut part) {
                    length += bytes.len();
                }
            }
            assert!(chunks.finish().is_ok(), "the payload is whole");
            length
        });
        let floor = time(1, || {
            let crc = match how {
                Chunks::Signed => 0,
                Chunks::SignedWith(_) => {
                    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &payload)
                }
                Chunks::UnsignedWith(_) => {
                    return crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &payload);
                }
            };
            for part in payload.chunks(CHUNK) {
                let hash: [u8; 32] = Sha256::digest(black_box(part)).into();
                let Some(mac) = keys.macs.get(KEY_ID) else { return 0 };
                let mut mac = Hmac::clone(&mac);
                mac.update(&[7; 260]);
                mac.update(&hash);
                let mac: [u8; 32] = mac.finalize().into_bytes().into();
                black_box(mac);
            }
            crc
        });
        ratios.push((name, verify, floor));
    }
    ratios
}

/// The median time of a call over many batches, each too short to be often interrupted.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn time<T>(calls: u32, mut call: impl FnMut() -> T) -> Duration {
    let mut batches: Vec<Duration> = (0..1001)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..calls {
                black_box(call());
            }
            start.elapsed() / calls
        })
        .collect();
    batches.sort_unstable();
    batches.get(batches.len() / 2).copied().unwrap_or_default()
}

criterion_group!(benches, verification);
criterion_main!(benches);

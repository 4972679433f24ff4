#![allow(clippy::print_stdout, reason = "a benchmark reports")]
//! Verification of a typical STS request against its floor: what no verifier can do without.
//!
//! The floor is the SHA-256 of the canonical request, a MAC of the string to sign under a prepared
//! key, and one look-up in a cache. The ratio of the two is printed at the end.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::secret::SecretAccessKey;
use countersign::sigv4::{
    self, Body, RequestHead, Rules, Scope, Signer, SigningKey, UriRules, VerifyingKey,
};
use countersign::time::Timestamp;
use criterion::{Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const KEY_ID: &str = "ASIAQDSKKNTHXPLKNWVB";
const BODY: &[u8] = b"Action=GetCallerIdentity&Version=2011-06-15";
/// A session token of usual length.
const TOKEN_LENGTH: usize = 600;

/// A request as boto3 sends it, its Authorization header made by our signer.
struct Fixture {
    headers: Vec<(&'static str, String)>,
    canonical: String,
    string_to_sign: String,
    now: Timestamp,
    keys: Cache<String, Arc<SigningKey>>,
    macs: Cache<String, Arc<Hmac<Sha256>>>,
}

fn secret() -> SecretAccessKey {
    let text = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned();
    SecretAccessKey::parse(Zeroizing::new(text)).unwrap_or_else(|e| unreachable!("{e}"))
}

fn scope() -> Scope<'static> {
    Scope { date: "20260102", region: "eu-west-1", service: "sts" }
}

impl Fixture {
    fn new() -> Self {
        let now = Timestamp::parse_amz(b"20260102T030405Z").unwrap_or(Timestamp::from_secs(0));
        let token = "t".repeat(TOKEN_LENGTH);
        let mut headers: Vec<(&'static str, String)> = [
            ("host", "sts.example.com:8350"),
            ("accept-encoding", "identity"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("user-agent", "Boto3/1.40 md/Botocore#1.40 ua/2.1 os/linux#6.8 lang/python#3.12"),
            ("content-length", "43"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        let signed: Vec<(&str, &[u8])> = headers
            .iter()
            .filter(|(name, _)| matches!(*name, "host" | "content-type"))
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let head = RequestHead { method: "POST", target: "/", headers: &signed };
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret(),
            session_token: Some(&token),
            region: scope().region,
            service: scope().service,
            uri: UriRules::Standard,
            content_sha256: false,
        };
        let added = signer.sign(&head, BODY, now).unwrap_or_else(|e| unreachable!("{e}"));
        headers.extend(added);

        let canonical = format!(
            "POST\n/\n\ncontent-type:application/x-www-form-urlencoded; charset=utf-8\n\
             host:sts.example.com:8350\nx-amz-date:20260102T030405Z\nx-amz-security-token:{token}\n\n\
             content-type;host;x-amz-date;x-amz-security-token\n{}",
            data_encoding::HEXLOWER.encode(&Sha256::digest(BODY))
        );
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256\n20260102T030405Z\n20260102/eu-west-1/sts/aws4_request\n{}",
            data_encoding::HEXLOWER.encode(&Sha256::digest(&canonical))
        );
        let keys = Cache::new(100);
        keys.insert(KEY_ID.to_owned(), Arc::new(SigningKey::derive(&secret(), scope())));
        let macs = Cache::new(100);
        let mac = Hmac::new_from_slice(&[7; 32]).unwrap_or_else(|e| unreachable!("{e}"));
        macs.insert(KEY_ID.to_owned(), Arc::new(mac));
        Self { headers, canonical, string_to_sign, now, keys, macs }
    }

    fn headers(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect()
    }

    /// What a service does with a request: parse, find the key, verify.
    fn verify(&self, headers: &[(&str, &[u8])], body: Body<'_>) -> bool {
        let head = RequestHead { method: "POST", target: "/", headers };
        let Ok(Some(presented)) = sigv4::parse(&head) else { return false };
        let Some(key) = self.keys.get(presented.access_key_id()) else { return false };
        let rules = Rules::new(UriRules::Standard, self.now);
        sigv4::verify(&presented, &key, body, &rules).is_ok()
    }

    fn floor(&self) -> [u8; 32] {
        let canonical: [u8; 32] = Sha256::digest(black_box(&self.canonical)).into();
        black_box(canonical);
        let Some(mac) = self.macs.get(KEY_ID) else { return canonical };
        let mut mac = Hmac::clone(&mac);
        mac.update(black_box(self.string_to_sign.as_bytes()));
        mac.finalize().into_bytes().into()
    }
}

fn verification(c: &mut Criterion) {
    let fixture = Fixture::new();
    let headers = fixture.headers();
    let hash = Sha256::digest(BODY).into();
    assert!(fixture.verify(&headers, Body::Bytes(BODY)), "the request is valid");
    assert!(fixture.verify(&headers, Body::Sha256(hash)), "the request is valid");
    let mut group = c.benchmark_group("sigv4");
    group.bench_function("floor", |b| b.iter(|| fixture.floor()));
    group.bench_function("verify, body hashed by the caller", |b| {
        b.iter(|| fixture.verify(black_box(&headers), Body::Sha256(hash)));
    });
    group.bench_function("verify, body of 43 bytes", |b| {
        b.iter(|| fixture.verify(black_box(&headers), Body::Bytes(BODY)));
    });
    group.bench_function("parse", |b| {
        let head = RequestHead { method: "POST", target: "/", headers: &headers };
        b.iter(|| sigv4::parse(black_box(&head)).is_ok());
    });
    group.bench_function("derive a signing key", |b| {
        let secret = secret();
        b.iter(|| SigningKey::derive(&secret, black_box(scope())));
    });
    group.bench_function("derive a SigV4A key", |b| {
        let secret = secret();
        b.iter(|| VerifyingKey::derive(&secret, black_box(KEY_ID)));
    });
    group.finish();

    let floor = time(|| fixture.floor());
    let verify = time(|| fixture.verify(black_box(&headers), Body::Sha256(hash)));
    #[expect(clippy::print_stdout, reason = "the benchmark's result")]
    let () = println!(
        "verification / floor = {:.2} ({verify:?} / {floor:?} a request)",
        verify.as_secs_f64() / floor.as_secs_f64()
    );
}

/// The median time of a call over many batches.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn time<T>(mut call: impl FnMut() -> T) -> Duration {
    const CALLS: u32 = 2000;
    let mut batches: Vec<Duration> = (0..201)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                black_box(call());
            }
            start.elapsed() / CALLS
        })
        .collect();
    batches.sort_unstable();
    batches.get(batches.len() / 2).copied().unwrap_or_default()
}

criterion_group!(benches, verification);
criterion_main!(benches);

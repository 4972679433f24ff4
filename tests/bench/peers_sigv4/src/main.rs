//! One signed request, verified by us and by two other libraries, in one process and one run.
//!
//! A download from S3 with a session token of usual length, signed by our signer. Each verifier gets
//! what it needs at its best: requests already built in its own type, the signing key prepared where
//! its interface takes one, looked up in the same kind of cache, a runtime of one thread without
//! I/O. A wrong signature is shown to be refused by each, so that none is measured skipping it.
//!
//! * scratchstack-aws-signature: `sigv4_validate_request` with a prepared signing key.
//! * s3s-sigv4: the functions that s3s verifies by, put together as s3s does, but with a prepared
//!   signing key, which s3s derives for each request. They are no verifier: whoever calls them has
//!   yet to check times, duplicates and unsigned headers.
//! * s3s itself verifies only as a part of serving a request. So the whole of `S3Service::call` is
//!   measured, with `SimpleAuth` and a signed request, and without and an anonymous one; what it
//!   takes longer is its verification, the derivation of a signing key for each request included.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use countersign::secret::SecretAccessKey;
use countersign::sigv4::{self, RequestHead, Rules, Signer, SigningKey, UriRules};
use countersign::time::{Clock, SystemClock, Timestamp};
use quick_cache::sync::Cache;
use scratchstack_aws_principal::{Principal, User};
use scratchstack_aws_signature::{
    GetSigningKeyRequest, GetSigningKeyResponse, KSecretKey, KSigningKey,
    NO_ADDITIONAL_SIGNED_HEADERS, SignatureOptions, service_for_signing_key_fn,
    sigv4_validate_request,
};

const KEY_ID: &str = "ASIAQDSKKNTHXPLKNWVB";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const REGION: &str = "eu-west-1";
const HOST: &str = "s3.example.com:8350";
const TARGET: &str = "/bucket/photos/2026/01/image%200001.jpg";
/// How many calls make a batch, too short to be often interrupted, and how many are timed.
const CALLS: usize = 50;
const BATCHES: usize = 1001;

type Headers = Vec<(&'static str, String)>;

fn secret() -> SecretAccessKey {
    SecretAccessKey::parse(SECRET.to_owned().into()).unwrap()
}

fn headers(now: Timestamp) -> Headers {
    let token = "t".repeat(600);
    let mut headers: Headers = vec![
        ("host", HOST.to_owned()),
        ("accept-encoding", "identity".to_owned()),
        ("user-agent", "Boto3/1.40 md/Botocore#1.40 ua/2.1 os/linux lang/python#3.12".to_owned()),
    ];
    let signed = [("host", HOST.as_bytes())];
    let head = RequestHead { method: "GET", target: TARGET, headers: &signed };
    let signer = Signer {
        access_key_id: KEY_ID,
        secret: &secret(),
        session_token: Some(&token),
        region: REGION,
        service: "s3",
        uri: UriRules::S3,
        content_sha256: true,
    };
    headers.extend(signer.sign(&head, b"", now).unwrap());
    headers
}

fn spoilt(headers: &Headers) -> Headers {
    let mut headers = headers.clone();
    let authorization = &mut headers.last_mut().unwrap().1;
    let last = if authorization.ends_with('0') { "1" } else { "0" };
    authorization.replace_range(authorization.len() - 1.., last);
    headers
}

fn request<B>(headers: &Headers, body: B) -> http::Request<B> {
    let mut request = http::Request::get(TARGET);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(body).unwrap()
}

/// The median time of a call, its input being made before the clock starts.
fn time<I, T>(mut input: impl FnMut() -> I, mut call: impl FnMut(I) -> T) -> Duration {
    let mut batches: Vec<Duration> = (0..BATCHES)
        .map(|_| {
            let inputs: Vec<I> = (0..CALLS).map(|_| input()).collect();
            let mut outputs = Vec::with_capacity(CALLS);
            let start = Instant::now();
            for input in inputs {
                outputs.push(call(black_box(input)));
            }
            let elapsed = start.elapsed() / CALLS as u32;
            drop(outputs);
            elapsed
        })
        .collect();
    batches.sort_unstable();
    batches[BATCHES / 2]
}

fn ours(keys: &Cache<String, Arc<SigningKey>>, headers: &[(&str, &[u8])], now: Timestamp) -> bool {
    let head = RequestHead { method: "GET", target: TARGET, headers };
    let Ok(Some(presented)) = sigv4::parse(&head) else { return false };
    let Some(key) = keys.get(presented.access_key_id()) else { return false };
    let rules = Rules::new(UriRules::S3, now);
    sigv4::verify(&presented, &key, sigv4::Body::Bytes(b""), &rules).is_ok()
}

/// s3s's functions, put together as s3s does, but for the signing key, which is prepared.
fn pieces(keys: &Cache<String, Arc<[u8; 32]>>, headers: &[(&str, &str)]) -> bool {
    let header = |wanted: &str| headers.iter().find(|(name, _)| *name == wanted).map(|(_, v)| *v);
    let (Some(authorization), Some(date), Some(hash)) =
        (header("authorization"), header("x-amz-date"), header("x-amz-content-sha256"))
    else {
        return false;
    };
    let Ok(authorization) = s3s_sigv4::AuthorizationV4::parse(authorization) else { return false };
    let Ok(date) = s3s_sigv4::AmzDate::parse(date) else { return false };
    let credential = &authorization.credential;
    if credential.date != date.fmt_date().as_str() {
        return false;
    }
    let Some(key) = keys.get(credential.access_key_id) else { return false };
    let signed: Vec<(&str, &str)> = authorization
        .signed_headers
        .iter()
        .filter_map(|name| Some((*name, header(name)?)))
        .collect();
    let query: &[(String, String)] = &[];
    let canonical = s3s_sigv4::create_canonical_request_with_raw_uri_path(
        "GET",
        TARGET,
        query,
        &signed,
        s3s_sigv4::Payload::SingleChunk(hash),
    );
    let text = s3s_sigv4::create_string_to_sign(
        &canonical,
        &date,
        credential.aws_region,
        credential.aws_service,
    );
    let expected = s3s_sigv4::calculate_signature_with_key(&text, &key);
    let mut claimed = [0; 32];
    let pairs = authorization.signature.as_bytes().chunks(2);
    for (byte, pair) in claimed.iter_mut().zip(pairs) {
        let digits = std::str::from_utf8(pair).unwrap_or("");
        *byte = u8::from_str_radix(digits, 16).unwrap_or(0);
    }
    subtle::ConstantTimeEq::ct_eq(&expected[..], &claimed[..]).into()
}

/// What s3s serves: an empty object, whatever is asked for.
struct Store;

#[async_trait::async_trait]
impl s3s::S3 for Store {
    async fn get_object(
        &self,
        _: s3s::S3Request<s3s::dto::GetObjectInput>,
    ) -> s3s::S3Result<s3s::S3Response<s3s::dto::GetObjectOutput>> {
        Ok(s3s::S3Response::new(s3s::dto::GetObjectOutput::default()))
    }
}

/// The service, that verifies or takes anybody.
fn s3s_service(verifies: bool) -> s3s::service::S3Service {
    let mut builder = s3s::service::S3ServiceBuilder::new(Store);
    if verifies {
        builder.set_auth(s3s::auth::SimpleAuth::from_single(KEY_ID, SECRET));
    }
    builder.build()
}

fn main() {
    let now = SystemClock::new().now();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (good, bad) = (headers(now), spoilt(&headers(now)));
    let borrow = |headers: &Headers| -> Vec<(&'static str, Vec<u8>)> {
        headers.iter().map(|(name, value)| (*name, value.clone().into_bytes())).collect()
    };

    let keys = Cache::new(100);
    let scope = now.to_scope_date();
    let scope = sigv4::Scope { date: &scope, region: REGION, service: "s3" };
    keys.insert(KEY_ID.to_owned(), Arc::new(SigningKey::derive(&secret(), scope)));
    let (owned, owned_bad) = (borrow(&good), borrow(&bad));
    let view = |owned: &'static [(&'static str, Vec<u8>)]| -> Vec<(&'static str, &'static [u8])> {
        owned.iter().map(|(name, value)| (*name, value.as_slice())).collect()
    };
    let (view_good, view_bad) =
        (view(Box::leak(owned.into_boxed_slice())), view(Box::leak(owned_bad.into_boxed_slice())));
    assert!(ours(&keys, &view_good, now) && !ours(&keys, &view_bad, now));

    let user: Principal = User::new("aws", "123456789012", "/", "user").unwrap().into();
    let theirs: Arc<Cache<String, Arc<KSigningKey>>> = Arc::new(Cache::new(100));
    let at: DateTime<Utc> = DateTime::from_timestamp(now.secs(), 0).unwrap();
    let date: NaiveDate = at.date_naive();
    let key = SECRET.parse::<KSecretKey>().unwrap().to_ksigning(date, REGION, "s3");
    theirs.insert(KEY_ID.to_owned(), Arc::new(key));
    let look_up = move |asked: GetSigningKeyRequest| {
        let key = theirs.get(asked.access_key());
        let user = user.clone();
        async move {
            let key = key.ok_or("unknown")?;
            let response = GetSigningKeyResponse::builder()
                .principal(user)
                .signing_key(KSigningKey::clone(&key))
                .build()?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(response)
        }
    };
    let mut service = service_for_signing_key_fn(look_up);
    let mut scratchstack = |request: http::Request<Bytes>| {
        runtime
            .block_on(sigv4_validate_request(
                request,
                REGION,
                "s3",
                &mut service,
                at,
                &NO_ADDITIONAL_SIGNED_HEADERS,
                SignatureOptions::S3,
            ))
            .is_ok()
    };
    assert!(scratchstack(request(&good, Bytes::new())), "scratchstack accepts");
    assert!(!scratchstack(request(&bad, Bytes::new())), "scratchstack refuses");

    let raw = Cache::new(100);
    let amz = s3s_sigv4::AmzDate::parse(&now.to_amz()).unwrap();
    let key = s3s_sigv4::derive_signing_key(SECRET, &amz, REGION, "s3");
    raw.insert(KEY_ID.to_owned(), Arc::new(key));
    let texts = |headers: &'static Headers| -> Vec<(&'static str, &'static str)> {
        headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
    };
    let text_good = texts(Box::leak(Box::new(good.clone())));
    let text_bad = texts(Box::leak(Box::new(bad.clone())));
    assert!(pieces(&raw, &text_good) && !pieces(&raw, &text_bad), "s3s-sigv4");

    let (signed, anonymous) = (s3s_service(true), s3s_service(false));
    let serve = |service: &s3s::service::S3Service, request: http::Request<s3s::Body>| {
        runtime.block_on(service.call(request)).map_or(0, |answer| answer.status().as_u16())
    };
    let unsigned: Headers = good.iter().take(3).cloned().collect();
    let s3s_request = |headers: &Headers| request(headers, s3s::Body::empty());
    assert_eq!(serve(&signed, s3s_request(&good)), 200, "s3s accepts");
    assert_eq!(serve(&signed, s3s_request(&bad)), 403, "s3s refuses");
    assert_eq!(serve(&anonymous, s3s_request(&unsigned)), 200);

    let mine = time(|| (), |()| ours(&keys, black_box(&view_good), now));
    let scratchstack = time(|| request(&good, Bytes::new()), scratchstack);
    let pieces = time(|| (), |()| pieces(&raw, black_box(&text_good)));
    let whole = time(|| s3s_request(&good), |request| serve(&signed, request));
    let bare = time(|| s3s_request(&unsigned), |request| serve(&anonymous, request));
    let s3s = whole.saturating_sub(bare);
    let ratio = |other: Duration| other.as_secs_f64() / mine.as_secs_f64();
    println!("countersign                 {mine:>10.2?}");
    println!("scratchstack-aws-signature  {scratchstack:>10.2?}  {:.1} x", ratio(scratchstack));
    println!("s3s-sigv4, its functions     {pieces:>10.2?}  {:.1} x", ratio(pieces));
    println!("s3s, S3Service::call         {s3s:>10.2?}  {:.1} x ({whole:.2?} - {bare:.2?})", ratio(s3s));
    println!("times as fast as the faster verifier: {:.1}", ratio(scratchstack.min(s3s)));
}

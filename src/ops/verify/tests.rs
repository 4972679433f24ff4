//! Questions through the whole pipeline, and what a silent or lying ledger may do.

mod registered;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Asking, VerifyError, verify};
use crate::api::{BodyState, Decision, OneOrMany, VerifyRequest, VerifyResponse};
use crate::authn::Authenticator;
use crate::future::BoxFuture;
use crate::id::{AccessKeyId, UniqueId};
use crate::ops::testing::{A, B, Bench, Credentials, allow, trusting};
use crate::sessions::{self, Inserted, Ledger, LedgerError, Listing, Mark, NewRecord, Page};
use crate::sigv4::{RequestHead, Signer, UriRules};
use crate::time::{Clock as _, Timestamp};

const HOST: &str = "orders.example";

/// A request to the service `orders`, signed now.
fn signed(bench: &Bench, who: &Credentials, uri: &str, body: &[u8]) -> VerifyRequest {
    signed_with(bench, who, uri, body, false)
}

/// The same, perhaps with the body's hash in a signed header.
fn signed_with(
    bench: &Bench,
    who: &Credentials,
    uri: &str,
    body: &[u8],
    content_sha256: bool,
) -> VerifyRequest {
    let signer = Signer {
        access_key_id: &who.access_key_id,
        secret: &who.secret,
        session_token: who.token.as_deref(),
        region: "eu-west-1",
        service: "orders",
        uri: UriRules::Standard,
        content_sha256,
    };
    let head = RequestHead { method: "GET", target: uri, headers: &[("host", HOST.as_bytes())] };
    let added = signer.sign(&head, body, bench.clock.now()).unwrap();
    let mut headers = vec![("host".to_owned(), HOST.to_owned())];
    headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    VerifyRequest {
        method: "GET".into(),
        uri: uri.into(),
        headers,
        body: Some(data_encoding::BASE64.encode(body)),
        body_sha256: None,
        service: "orders".into(),
        hosts: vec![HOST.into()],
        region: None,
        action: None,
        resource: None,
        resource_account: None,
        resource_policy: None,
        source_ip: None,
        secure_transport: None,
        context: BTreeMap::new(),
        keep: None,
    }
}

fn asking(request: VerifyRequest, action: &str, owner: &str) -> VerifyRequest {
    VerifyRequest {
        action: Some(action.into()),
        resource: Some(format!("arn:aws:orders::{owner}:order/42")),
        resource_account: Some(owner.into()),
        ..request
    }
}

async fn answer(bench: &Bench, request: &VerifyRequest) -> Result<VerifyResponse, VerifyError> {
    let asking = Asking { local: true, ..Asking::default() };
    let (facts, now) = (bench.facts(), bench.clock.monotonic());
    verify(&bench.services, &facts, now, &asking, request).await.map(|answered| answered.response)
}

async fn ok(bench: &Bench, request: &VerifyRequest) -> VerifyResponse {
    answer(bench, request).await.unwrap()
}

async fn session(bench: &Bench) -> Credentials {
    let role = bench.role(&bench.a, "reader", &trusting(&[A]), &allow(&["orders:GetOrder"])).await;
    bench.assume(&bench.a, &role, "monday").await.unwrap()
}

#[tokio::test]
async fn identity_alone_is_never_an_allow() {
    let bench = Bench::new().await;
    let answer = ok(&bench, &signed(&bench, &bench.a, "/orders/42", b"")).await;
    assert!(answer.authenticated);
    assert_eq!(answer.decision, Decision::NotAsked);
    assert_eq!(answer.principal.unwrap().account, A);
    assert_eq!(answer.body, Some(BodyState::Verified));
}

/// A service can tell a root user for one task from one with all its rights.
#[tokio::test]
async fn a_root_users_session_tells_its_task() {
    const TASK: &str = "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy";
    let bench = Bench::new().await;
    bench.organization().await;
    bench.call(&bench.a, "EnableOrganizationsRootSessions", &[]).await.unwrap();
    let asked = [("TargetPrincipal", B), ("TaskPolicyArn.arn", TASK)];
    let session = bench.call(&bench.a, "AssumeRoot", &asked).await.unwrap();
    let root = format!("arn:aws:iam::{B}:root");
    let key = bench.key(&root).await.unwrap();
    for (who, task) in [(Credentials::of_answer(&session), Some(TASK)), (key, None)] {
        let answer = ok(&bench, &signed(&bench, &who, "/orders/42", b"")).await;
        let told = serde_json::to_value(&answer).unwrap();
        let principal = answer.principal.unwrap();
        assert_eq!((&principal.arn, principal.task_policy.as_deref()), (&root, task));
        assert_eq!(told["principal"].get("task_policy").is_some(), task.is_some(), "{told}");
    }
}

#[tokio::test]
async fn an_allow_names_its_statement_and_the_rest_is_denied() {
    let bench = Bench::new().await;
    let session = session(&bench).await;
    let request = signed(&bench, &session, "/orders/42", b"");
    let allowed = ok(&bench, &asking(request.clone(), "orders:GetOrder", A)).await;
    assert_eq!(allowed.decision, Decision::Allow);
    assert_eq!((allowed.matched[0].layer.as_str(), allowed.matched[0].statement), ("identity", 0));
    let denied = ok(&bench, &asking(request.clone(), "orders:DeleteOrder", A)).await;
    assert_eq!((denied.decision, denied.reason.code.as_str()), (Decision::Deny, "ImplicitDeny"));
    assert!(denied.matched.is_empty());
}

#[tokio::test]
async fn another_accounts_administrator_needs_the_resources_own_policy() {
    let bench = Bench::new().await;
    let request = signed(&bench, &bench.b, "/orders/42", b"");
    let question = asking(request, "orders:GetOrder", A);
    assert_eq!(ok(&bench, &question).await.decision, Decision::Deny);
    let policy = |principal: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"orders:GetOrder","Resource":"*"}}]}}"#
        )
    };
    for (principal, decision) in [
        (B, Decision::Allow),
        (&format!("arn:aws:iam::{B}:user/admin"), Decision::Allow),
        (&format!("arn:aws:iam::{B}:user/ghost"), Decision::Deny),
        (A, Decision::Deny),
    ] {
        let with = VerifyRequest { resource_policy: Some(policy(principal)), ..question.clone() };
        assert_eq!(ok(&bench, &with).await.decision, decision, "{principal}");
    }
}

#[tokio::test]
async fn what_was_not_signed_is_refused() {
    let bench = Bench::new().await;
    let good = asking(signed(&bench, &bench.a, "/orders/42", b"body"), "orders:GetOrder", A);
    assert_eq!(ok(&bench, &good).await.decision, Decision::Allow);
    let mut header = good.clone();
    header.headers.push(("x-amz-acl".into(), "public-read".into()));
    let mut twice = good.clone();
    let date = twice.headers.iter().find(|(name, _)| name == "x-amz-date").unwrap().clone();
    twice.headers.push(date);
    let mut unsigned = good.clone();
    unsigned.headers.retain(|(name, _)| name != "authorization");
    for (what, changed) in [
        ("method", VerifyRequest { method: "POST".into(), ..good.clone() }),
        ("uri", VerifyRequest { uri: "/orders/43".into(), ..good.clone() }),
        ("query", VerifyRequest { uri: "/orders/42?x=1".into(), ..good.clone() }),
        ("path", VerifyRequest { uri: "/orders/x/../42".into(), ..good.clone() }),
        ("body", VerifyRequest { body: Some("Ym9keQ==".replace("Ym", "Yn")), ..good.clone() }),
        ("no body", VerifyRequest { body: None, ..good.clone() }),
        ("service", VerifyRequest { service: "billing".into(), ..good.clone() }),
        ("region", VerifyRequest { region: Some("us-east-1".into()), ..good.clone() }),
        ("host", VerifyRequest { hosts: vec!["other.example".into()], ..good.clone() }),
        ("header", header),
        ("twice", twice),
        ("unsigned", unsigned),
    ] {
        let answer = ok(&bench, &changed).await;
        assert_eq!((answer.authenticated, answer.decision), (false, Decision::Deny), "{what}");
        assert!(answer.principal.is_none() && !answer.reason.code.is_empty(), "{what}");
    }
    let hash = VerifyRequest {
        body: None,
        body_sha256: Some(data_encoding::HEXLOWER.encode(&sha256(b"body"))),
        ..good.clone()
    };
    assert_eq!(ok(&bench, &hash).await.decision, Decision::Allow);
}

#[tokio::test]
async fn a_signed_body_that_is_not_shown_is_never_an_allow() {
    let bench = Bench::new().await;
    let mut question = signed_with(&bench, &bench.a, "/orders/42", b"body", true);
    question.body = None;
    let alone = ok(&bench, &question).await;
    assert_eq!((alone.decision, alone.body), (Decision::NotAsked, Some(BodyState::Unverified)));
    let question = asking(question, "orders:GetOrder", A);
    let answer = ok(&bench, &question).await;
    assert_eq!((answer.decision, answer.reason.code.as_str()), (Decision::Deny, "BodyUnverified"));
    let shown = VerifyRequest { body: Some(data_encoding::BASE64.encode(b"body")), ..question };
    assert_eq!(ok(&bench, &shown).await.decision, Decision::Allow);
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec()
}

#[tokio::test]
async fn questions_that_make_no_sense_are_told_which_field() {
    let bench = Bench::new().await;
    let good = asking(signed(&bench, &bench.a, "/orders/42", b""), "orders:GetOrder", A);
    let key = |key: &str| BTreeMap::from([(key.to_owned(), OneOrMany::One("x".to_owned()))]);
    for (field, question) in [
        ("action", VerifyRequest { action: None, ..good.clone() }),
        ("action", VerifyRequest { resource: None, ..good.clone() }),
        ("action", VerifyRequest { action: Some("orders:*".into()), ..good.clone() }),
        ("action", VerifyRequest { action: Some("sts:AssumeRole".into()), ..good.clone() }),
        ("action", VerifyRequest { action: Some("IAM:CreateUser".into()), ..good.clone() }),
        ("resource", VerifyRequest { resource: Some("order/42".into()), ..good.clone() }),
        ("resource_account", VerifyRequest { resource_account: Some(B.into()), ..good.clone() }),
        ("resource_account", VerifyRequest { resource_account: Some("1".into()), ..good.clone() }),
        ("resource_policy", VerifyRequest { resource_policy: Some("{}".into()), ..good.clone() }),
        ("hosts", VerifyRequest { hosts: vec![], ..good.clone() }),
        ("service", VerifyRequest { service: "a/b".into(), ..good.clone() }),
        ("body", VerifyRequest { body: Some("!".into()), ..good.clone() }),
        ("body_sha256", VerifyRequest { body_sha256: Some("00".into()), ..good.clone() }),
        ("source_ip", VerifyRequest { source_ip: Some("localhost".into()), ..good.clone() }),
        ("context", VerifyRequest { context: key("aws:PrincipalArn"), ..good.clone() }),
        ("context", VerifyRequest { context: key("AWS:username"), ..good.clone() }),
        ("context", VerifyRequest { context: key("sts:ExternalId"), ..good.clone() }),
        ("context", VerifyRequest { context: key("nokey"), ..good.clone() }),
    ] {
        let error = answer(&bench, &question).await.unwrap_err();
        let VerifyError::Malformed(malformed) = error else { panic!("{field}: {error}") };
        assert_eq!(malformed.field, field, "{malformed}");
    }
    let tagged = VerifyRequest { context: key("aws:ResourceTag/team"), ..good };
    assert!(answer(&bench, &tagged).await.is_ok());
}

/// An IPv4 address in IPv6 clothes is the IPv4 address, also to operators that compare texts.
#[tokio::test]
async fn an_address_has_one_spelling() {
    let bench = Bench::new().await;
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "orders:*", "Resource": "*" },
        { "Effect": "Deny", "Action": "orders:*", "Resource": "*",
          "Condition": { "StringLike": { "aws:SourceIp": ["203.0.113.*", "2001:db8::*"] } } },
    ]});
    let alice = bench.user(&bench.a, "alice", &policy.to_string()).await;
    for (address, decision) in [
        ("203.0.113.9", Decision::Deny),
        ("::ffff:203.0.113.9", Decision::Deny),
        ("::FFFF:CB00:7109", Decision::Deny),
        ("2001:0DB8:0::1", Decision::Deny),
        ("::ffff:203.0.114.9", Decision::Allow),
    ] {
        let question = VerifyRequest {
            source_ip: Some(address.into()),
            ..asking(signed(&bench, &alice, "/orders/42", b""), "orders:GetOrder", A)
        };
        assert_eq!(ok(&bench, &question).await.decision, decision, "{address}");
    }
}

/// A ledger that can fall silent, or say something else than it was told.
struct Flaky {
    inner: Arc<dyn Ledger>,
    silent: AtomicBool,
    forgetful: AtomicBool,
    damaged: AtomicBool,
}

impl Ledger for Flaky {
    fn insert(&self, record: NewRecord) -> BoxFuture<'_, Result<Inserted, LedgerError>> {
        if self.silent.load(Ordering::SeqCst) {
            return Box::pin(async { Err(LedgerError::Unavailable("silent".into())) });
        }
        self.inner.insert(record)
    }

    fn find(&self, id: AccessKeyId) -> BoxFuture<'_, Result<Option<Vec<u8>>, LedgerError>> {
        Box::pin(async move {
            if self.silent.load(Ordering::SeqCst) {
                return Err(LedgerError::Unavailable("silent".into()));
            }
            let mut found = self.inner.find(id).await?;
            if self.forgetful.load(Ordering::SeqCst) {
                return Ok(None);
            }
            if self.damaged.load(Ordering::SeqCst)
                && let Some(byte) = found.as_mut().and_then(|bytes| bytes.last_mut())
            {
                *byte ^= 1;
            }
            Ok(found)
        })
    }

    fn list(&self, listing: Listing) -> BoxFuture<'_, Result<Page, LedgerError>> {
        self.inner.list(listing)
    }

    fn count(
        &self,
        principal: UniqueId,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        self.inner.count(principal, now)
    }

    fn remove(&self, principal: UniqueId, place: Mark) -> BoxFuture<'_, Result<bool, LedgerError>> {
        self.inner.remove(principal, place)
    }
}

fn with_flaky(bench: &mut Bench) -> Arc<Flaky> {
    let flaky = Arc::new(Flaky {
        inner: Arc::clone(&bench.services.ledger),
        silent: AtomicBool::new(false),
        forgetful: AtomicBool::new(false),
        damaged: AtomicBool::new(false),
    });
    bench.services.authenticator = Authenticator::new(
        Arc::clone(&bench.services.directory),
        Arc::clone(&bench.services.keyring),
        Arc::clone(&flaky) as Arc<dyn Ledger>,
        sessions::Settings::default(),
    );
    flaky
}

#[tokio::test]
async fn a_silent_ledger_is_borne_for_the_staleness_and_no_longer() {
    let mut bench = Bench::new().await;
    let session = session(&bench).await;
    let flaky = with_flaky(&mut bench);
    flaky.silent.store(true, Ordering::SeqCst);
    let ask =
        |bench: &Bench| asking(signed(bench, &session, "/orders/42", b""), "orders:GetOrder", A);
    // Staleness starts expired: a ledger that never answered is believed for nothing.
    assert!(!bench.services.authenticator.is_ledger_silent());
    assert!(matches!(answer(&bench, &ask(&bench)).await, Err(VerifyError::Unavailable(_))));
    assert!(bench.services.authenticator.is_ledger_silent());
    flaky.silent.store(false, Ordering::SeqCst);
    assert_eq!(ok(&bench, &ask(&bench)).await.decision, Decision::Allow);
    assert!(!bench.services.authenticator.is_ledger_silent());
    flaky.silent.store(true, Ordering::SeqCst);
    bench.advance(299);
    assert_eq!(ok(&bench, &ask(&bench)).await.decision, Decision::Allow);
    // A revocation is the directory's: it bites all the same.
    bench.advance(1);
    assert!(matches!(answer(&bench, &ask(&bench)).await, Err(VerifyError::Unavailable(_))));
    flaky.silent.store(false, Ordering::SeqCst);
    assert_eq!(ok(&bench, &ask(&bench)).await.decision, Decision::Allow);
    flaky.silent.store(true, Ordering::SeqCst);
    let target = crate::api::RevocationTarget::Session(session.access_key_id.clone());
    bench.revoke(&bench.a, target).await.unwrap();
    let answer = ok(&bench, &ask(&bench)).await;
    assert_eq!((answer.decision, answer.reason.code.as_str()), (Decision::Deny, "SessionRevoked"));
}

#[tokio::test]
async fn what_the_ledger_does_not_hold_or_changed_is_not_accepted() {
    let mut bench = Bench::new().await;
    let session = session(&bench).await;
    let flaky = with_flaky(&mut bench);
    let ask =
        |bench: &Bench| asking(signed(bench, &session, "/orders/42", b""), "orders:GetOrder", A);
    assert_eq!(ok(&bench, &ask(&bench)).await.decision, Decision::Allow);
    for switch in [&flaky.forgetful, &flaky.damaged] {
        switch.store(true, Ordering::SeqCst);
        bench.advance(59);
        assert_eq!(
            ok(&bench, &ask(&bench)).await.decision,
            Decision::Allow,
            "confirmed a moment ago"
        );
        bench.advance(1);
        let refused = ok(&bench, &ask(&bench)).await;
        assert_eq!((refused.authenticated, refused.decision), (false, Decision::Deny));
        switch.store(false, Ordering::SeqCst);
        assert_eq!(ok(&bench, &ask(&bench)).await.decision, Decision::Allow);
    }
}

#[tokio::test]
async fn museum_m28_a_session_ends_although_the_ledger_still_holds_it() {
    let bench = Bench::new().await;
    let session = session(&bench).await;
    bench.advance(3599);
    let ask =
        |bench: &Bench| asking(signed(bench, &session, "/orders/42", b""), "orders:GetOrder", A);
    assert_eq!(ok(&bench, &ask(&bench)).await.decision, Decision::Allow);
    bench.advance(1);
    let answer = ok(&bench, &ask(&bench)).await;
    assert_eq!((answer.decision, answer.reason.code.as_str()), (Decision::Deny, "ExpiredToken"));
}

/// The same request as [`signed`] makes, without a body, by SigV4A for every region.
fn signed_v4a(bench: &Bench, who: &Credentials, uri: &str) -> VerifyRequest {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use p256::elliptic_curve::sec1::ToSec1Point as _;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
    use sha2::{Digest as _, Sha256};

    let mut bytes = [0_u8; 32];
    let scalar = (1..=254_u8).find_map(|counter| {
        let key = format!("AWS4A{}", who.secret.expose());
        let mut mac: Hmac<Sha256> = Hmac::new_from_slice(key.as_bytes()).unwrap();
        mac.update(b"\0\0\0\x01AWS4-ECDSA-P256-SHA256\0");
        mac.update(who.access_key_id.as_bytes());
        mac.update(&[counter, 0, 0, 1, 0]);
        bytes = mac.finalize().into_bytes().into();
        for byte in bytes.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        p256::NonZeroScalar::from_repr(bytes.into()).into_option()
    });
    let point = p256::PublicKey::from_secret_scalar(&scalar.unwrap()).to_sec1_point(false);
    let random = ring::rand::SystemRandom::new();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &bytes,
        point.as_bytes(),
        &random,
    )
    .unwrap();

    let date = bench.clock.now().to_amz();
    let scope = format!("{}/orders/aws4_request", bench.clock.now().to_scope_date());
    let mut headers = vec![("host", HOST), ("x-amz-date", &date), ("x-amz-region-set", "*")];
    headers.extend(who.token.as_deref().map(|token| ("x-amz-security-token", token)));
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    let hash = |text: &str| data_encoding::HEXLOWER.encode(&Sha256::digest(text));
    let canonical =
        format!("GET\n{uri}\n\n{}\n\n{}\n{}", lines.join("\n"), names.join(";"), hash(""));
    let to_sign = format!("AWS4-ECDSA-P256-SHA256\n{date}\n{scope}\n{}", hash(&canonical));
    let signature = pair.sign(&random, to_sign.as_bytes()).unwrap();
    let authorization = format!(
        "AWS4-ECDSA-P256-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={}",
        who.access_key_id,
        names.join(";"),
        data_encoding::HEXLOWER.encode(signature.as_ref()),
    );
    headers.push(("authorization", &authorization));
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    VerifyRequest { headers, ..signed(bench, who, uri, b"") }
}

#[tokio::test]
async fn a_region_that_is_denied_is_denied_by_either_algorithm() {
    let bench = Bench::new().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"orders:*","Resource":"*"},
        {"Effect":"Deny","Action":"*","Resource":"*",
         "Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}"#;
    let role = bench.role(&bench.a, "far", &trusting(&[A]), policy).await;
    let session = bench.assume(&bench.a, &role, "monday").await.unwrap();
    for request in
        [signed(&bench, &session, "/orders/42", b""), signed_v4a(&bench, &session, "/orders/42")]
    {
        let here = VerifyRequest { region: Some("eu-west-1".into()), ..request };
        let answer = ok(&bench, &asking(here, "orders:GetOrder", A)).await;
        assert!(answer.authenticated, "{:?}", answer.reason);
        assert_eq!(answer.reason.code, "ExplicitDeny");
    }
}

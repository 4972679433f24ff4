//! What is verified here against a whole deployment: the same answers, and none once they may have
//! changed.

mod agreement;
mod attacks;
mod ends;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::local::{Asking, Local, Outcome, Settings};
use super::{Applied, Connection, Deed, NewsError, Refused, Request, Verified};
use crate::api::{
    FeedHead, FeedLine, Keep, Position, RevocationTarget, VerifyGrant, VerifyRequest,
};
use crate::downstream::{
    CertificateNames, Registry, RouteSettings, Service, ServiceSettings, uri_rules,
};
use crate::ops::testing::{A, Bench, Credentials, allow, trusting};
use crate::ops::verify::{self as broker, Feeds, NotAdmitted, Reader, VerifyError};
use crate::sigv4::{Body, RequestHead, Signer, UriRules};
use crate::time::{Clock as _, Timestamp};

const HOST: &str = "orders.example";

/// A deployment and a verifier inside its service `orders`.
struct Inside {
    bench: Bench,
    local: Local,
    service: &'static str,
}

/// A signed request.
struct Signed {
    method: &'static str,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn settings() -> ServiceSettings {
    ServiceSettings {
        name: "orders".into(),
        hosts: vec![HOST.into()],
        account: A.into(),
        askers: Some(vec!["dns:orders.internal".into()]),
        signing_keys: true,
        ..ServiceSettings::default()
    }
}

fn routes() -> Vec<RouteSettings> {
    let route = |method: &str, path: &str, action: &str| RouteSettings {
        method: method.into(),
        path: path.into(),
        action: action.into(),
        resource: "arn:aws:orders:::order/{id}".into(),
        body: None,
    };
    vec![
        route("GET", "/orders/{id}", "orders:GetOrder"),
        route("PUT", "/orders/{id}", "orders:PutOrder"),
    ]
}

/// The verifier, as the broker knows it.
fn verifier() -> broker::Asking {
    let names = CertificateNames { dns: vec!["orders.internal".into()], ..Default::default() };
    broker::Asking {
        certificate: Some(Arc::new(names)),
        confidential: true,
        ..broker::Asking::default()
    }
}

impl Inside {
    async fn new(routes: &[RouteSettings]) -> Self {
        Self::of("orders", &settings(), routes).await
    }

    async fn of(
        service: &'static str,
        settings: &ServiceSettings,
        routes: &[RouteSettings],
    ) -> Self {
        let bench = Bench::new().await;
        let local = Local::new(service, Settings::default());
        let inside = Self { bench, local, service };
        inside.register(settings, routes);
        inside.sync().unwrap();
        inside
    }

    fn register(&self, settings: &ServiceSettings, routes: &[RouteSettings]) {
        let service = Service::new(settings, routes).unwrap();
        self.bench.services.downstream.replace(Registry::new(vec![service]).unwrap());
    }

    /// The lines that the verifier has not read.
    fn lines(&self) -> Vec<Vec<u8>> {
        let service = self.bench.services.downstream.now().get(self.service).cloned().unwrap();
        let at = self.local.position();
        let reader = Reader {
            after: at.as_ref().map(|at| at.version),
            epoch: at.as_ref().map(|at| at.epoch),
            deployment: at.as_ref().map(|at| at.deployment.as_str()),
        };
        let lines = Feeds::so_far(&self.bench.services, &service, &reader, self.bench.clock.now());
        lines.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    /// Reads them, and has it proven that none is missing.
    fn sync(&self) -> Result<Applied, NewsError> {
        let asked_at = self.bench.clock.monotonic();
        let lines = self.lines();
        let (head, rest) = lines.split_first().unwrap();
        let head: FeedHead = serde_json::from_slice(head).unwrap();
        let mut applied = self.local.begin(&head)?;
        let mut newest = 0;
        for line in rest {
            let line: FeedLine = serde_json::from_slice(line).unwrap();
            newest = line.version;
            if self.local.line(&line)? == Applied::Reset {
                applied = Applied::Reset;
            }
        }
        self.local.hear_time(Timestamp::from_millis(head.now.unwrap()), asked_at);
        self.local.prove(
            &Position { version: newest, ..head.at },
            asked_at,
            self.bench.clock.now(),
        );
        Ok(applied)
    }

    fn sign(&self, who: &Credentials, method: &'static str, target: &str, body: &[u8]) -> Signed {
        let signer = Signer {
            access_key_id: &who.access_key_id,
            secret: &who.secret,
            session_token: who.token.as_deref(),
            region: "eu-west-1",
            service: self.service,
            uri: uri_rules(self.service),
            content_sha256: self.service == "s3",
        };
        let head = RequestHead { method, target, headers: &[("host", HOST.as_bytes())] };
        let added = signer.sign(&head, body, self.bench.clock.now()).unwrap();
        let mut headers = vec![("host".to_owned(), HOST.to_owned())];
        headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Signed { method, target: target.to_owned(), headers, body: body.to_vec() }
    }

    /// Presigned, its body unsigned, for a minute.
    fn presign(
        &self,
        who: &Credentials,
        method: &'static str,
        target: &str,
        body: &[u8],
    ) -> Signed {
        let signer = Signer {
            access_key_id: &who.access_key_id,
            secret: &who.secret,
            session_token: who.token.as_deref(),
            region: "eu-west-1",
            service: self.service,
            uri: uri_rules(self.service),
            content_sha256: false,
        };
        let headers = [("host", HOST.as_bytes())];
        let head = RequestHead { method, target, headers: &headers };
        let target = signer.presign(&head, body, self.bench.clock.now(), 60).unwrap();
        let headers = vec![("host".to_owned(), HOST.to_owned())];
        Signed { method, target, headers, body: body.to_vec() }
    }

    fn get(&self, who: &Credentials) -> Signed {
        self.sign(who, "GET", "/orders/42", b"")
    }

    fn check_with(
        &self,
        signed: &Signed,
        deed: Option<&Deed>,
        connection: Connection,
        unconfirmed: bool,
    ) -> Outcome {
        self.check_at(self.bench.clock.now(), signed, deed, connection, unconfirmed)
    }

    /// With a clock of the service's own.
    fn check_at(
        &self,
        now: Timestamp,
        signed: &Signed,
        deed: Option<&Deed>,
        connection: Connection,
        unconfirmed: bool,
    ) -> Outcome {
        let headers: Vec<(&str, &[u8])> =
            signed.headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
        let head = RequestHead { method: signed.method, target: &signed.target, headers: &headers };
        let request = Request { head, body: Body::Bytes(&signed.body), connection, deed };
        self.local.check(&request, now, self.bench.clock.monotonic(), unconfirmed)
    }

    fn check(&self, signed: &Signed) -> Outcome {
        self.check_with(signed, None, Connection::default(), false)
    }

    /// Whether it is answered here, if need be without being confirmed.
    fn held(&self, signed: &Signed) -> bool {
        let outcome = self.check_with(signed, None, Connection::default(), true);
        matches!(outcome, Outcome::Decided(_))
    }

    /// What is answered here; `None` if the broker has to be asked.
    fn here(&self, signed: &Signed) -> Option<Result<Verified, Refused>> {
        match self.check(signed) {
            Outcome::Decided(answer) => Some(answer.map(|verified| *verified)),
            Outcome::Ask(_) => None,
        }
    }

    fn question(&self, signed: &Signed, deed: Option<&Deed>, keep: bool) -> VerifyRequest {
        VerifyRequest {
            method: signed.method.into(),
            uri: signed.target.clone(),
            headers: signed.headers.clone(),
            body: Some(data_encoding::BASE64.encode(&signed.body)),
            body_sha256: None,
            service: self.service.into(),
            hosts: Vec::new(),
            region: None,
            action: deed.map(|deed| deed.action.clone()),
            resource: deed.map(|deed| deed.resource.clone()),
            resource_account: None,
            resource_policy: None,
            source_ip: None,
            secure_transport: None,
            context: deed.map_or_else(BTreeMap::new, |deed| deed.context.clone()),
            keep: keep.then(|| Keep { prefixes: vec![self.service.into()] }),
        }
    }

    async fn ask_as(
        &self,
        asking: &broker::Asking,
        question: &VerifyRequest,
    ) -> Result<VerifyGrant, VerifyError> {
        let (facts, now) = (self.bench.facts(), self.bench.clock.monotonic());
        let answered = broker::verify(&self.bench.services, &facts, now, asking, question).await?;
        Ok(VerifyGrant { answer: answered.response, material: answered.material })
    }

    /// Asks the broker and keeps what it gives, through JSON as on the wire.
    async fn warm(&self, signed: &Signed) -> bool {
        let Outcome::Ask(asking) = self.check(signed) else { panic!("it is answered here") };
        let mut grant = self.grant(signed).await;
        self.local.keep(&asking, &mut grant, self.bench.clock.monotonic())
    }

    async fn grant(&self, signed: &Signed) -> VerifyGrant {
        let question = self.question(signed, None, true);
        let grant = self.ask_as(&verifier(), &question).await.unwrap();
        assert!(grant.answer.authenticated, "{:?}", grant.answer);
        serde_json::from_slice(&serde_json::to_vec(&grant).unwrap()).unwrap()
    }

    fn asking(&self, signed: &Signed) -> Asking {
        match self.check(signed) {
            Outcome::Ask(asking) => asking,
            Outcome::Decided(_) => panic!("it is answered here"),
        }
    }
}

async fn reader(inside: &Inside) -> Credentials {
    inside.bench.user(&inside.bench.a, "alice", &allow(&["orders:GetOrder"])).await
}

#[tokio::test]
async fn a_known_credential_is_verified_here_and_an_unknown_one_is_asked_about() {
    let inside = Inside::new(&routes()).await;
    let alice = reader(&inside).await;
    inside.sync().unwrap();
    let first = inside.get(&alice);
    assert!(inside.here(&first).is_none());
    assert!(inside.warm(&first).await);
    let verified = inside.here(&first).unwrap().unwrap();
    assert!(verified.in_process());
    assert_eq!(verified.principal().arn, format!("arn:aws:iam::{A}:user/alice"));
    assert_eq!(
        (verified.matched()[0].layer.as_str(), verified.matched()[0].statement),
        ("identity", 0)
    );
    // Another order of the same credential; another day's scope is another key.
    assert!(inside.here(&inside.sign(&alice, "GET", "/orders/7", b"")).unwrap().is_ok());
    let refused = inside.here(&inside.sign(&alice, "PUT", "/orders/7", b"")).unwrap().unwrap_err();
    assert_eq!((refused.kind().status(), refused.code()), (403, "ImplicitDeny"));
    inside.bench.advance(24 * 3600);
    inside.sync().unwrap();
    assert!(inside.here(&inside.get(&alice)).is_none());
}

#[tokio::test]
async fn a_request_that_was_tampered_with_is_refused_here() {
    let inside = Inside::new(&routes()).await;
    let alice = reader(&inside).await;
    inside.sync().unwrap();
    let good = inside.sign(&alice, "GET", "/orders/42", b"body");
    assert!(inside.warm(&good).await);
    let spoil = |change: &dyn Fn(&mut Signed)| {
        let mut bad = inside.sign(&alice, "GET", "/orders/42", b"body");
        change(&mut bad);
        let refused = inside.here(&bad).unwrap().unwrap_err();
        assert_eq!(refused.kind().status(), 401, "{refused}");
        refused.code().to_owned()
    };
    assert_eq!(spoil(&|bad| bad.body = b"other".to_vec()), "SignatureDoesNotMatch");
    assert_eq!(spoil(&|bad| bad.target = "/orders/43".into()), "SignatureDoesNotMatch");
    assert_eq!(spoil(&|bad| bad.method = "PUT"), "SignatureDoesNotMatch");
    assert_eq!(spoil(&|bad| bad.headers[0].1 = "other.example".into()), "HostNotServed");
    spoil(&|bad| bad.headers.push(("x-amz-acl".into(), "public".into())));
    spoil(&|bad| bad.headers.retain(|(name, _)| name != "authorization"));
}

#[tokio::test]
async fn keys_are_for_registered_askers_of_a_service_that_says_so() {
    let inside = Inside::new(&routes()).await;
    let alice = reader(&inside).await;
    let signed = inside.get(&alice);
    let question = inside.question(&signed, None, true);
    assert!(inside.ask_as(&verifier(), &question).await.unwrap().material.is_some());
    let not = |result: Result<VerifyGrant, VerifyError>| match result {
        Err(VerifyError::NotAdmitted(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it is answered"),
    };
    // Nobody on the network sees a key.
    let plain = broker::Asking { confidential: false, ..verifier() };
    assert_eq!(not(inside.ask_as(&plain, &question).await), NotAdmitted::Plaintext);
    // Being on the host is not enough, even where it is enough to ask.
    let local = broker::Asking { local: true, confidential: true, ..broker::Asking::default() };
    assert_eq!(not(inside.ask_as(&local, &question).await), NotAdmitted::NotListed);
    let askers = Some(vec!["local".to_owned(), "dns:orders.internal".to_owned()]);
    inside.register(&ServiceSettings { askers: askers.clone(), ..settings() }, &routes());
    assert!(inside.ask_as(&local, &inside.question(&signed, None, false)).await.is_ok());
    assert_eq!(not(inside.ask_as(&local, &question).await), NotAdmitted::NotKeeper);
    // The service has to say so.
    inside.register(&ServiceSettings { askers, signing_keys: false, ..settings() }, &routes());
    assert_eq!(not(inside.ask_as(&verifier(), &question).await), NotAdmitted::NotKeeper);
    // A service that is not registered, and the broker's own.
    for service in ["bills", "sts", "iam", "countersign", "organizations"] {
        let question =
            VerifyRequest { service: service.into(), hosts: vec![HOST.into()], ..question.clone() };
        assert_eq!(not(inside.ask_as(&local, &question).await), NotAdmitted::NotKeeper);
    }
    // Nor are policies about the broker's own actions handed out.
    inside.register(&settings(), &routes());
    let keep = Some(Keep { prefixes: vec!["iam".into()] });
    let refused = inside.ask_as(&verifier(), &VerifyRequest { keep, ..question }).await;
    assert!(matches!(refused, Err(VerifyError::Malformed(_))));
}

#[tokio::test]
async fn a_bad_signature_gets_no_key() {
    let inside = Inside::new(&routes()).await;
    let alice = reader(&inside).await;
    let mut signed = inside.get(&alice);
    signed.target = "/orders/43".into();
    let question = inside.question(&signed, None, true);
    let grant = inside.ask_as(&verifier(), &question).await.unwrap();
    assert!(!grant.answer.authenticated && grant.material.is_none());
}

#[tokio::test]
async fn the_feed_is_bounded_by_the_time_of_its_reader() {
    let inside = Inside::new(&routes()).await;
    let facts = inside.bench.facts();
    let services = Arc::new(inside.bench.services);
    let service = services.downstream.now().get("orders").cloned().unwrap();
    let reader = Reader { after: None, epoch: None, deployment: None };
    let mut feed = Feeds::open(&services, &service, &reader, verifier(), &facts).unwrap();
    assert!(feed.recv().await.is_some());
    services.feeds.close();
    let end = async { while feed.recv().await.is_some() {} };
    tokio::time::timeout(Duration::from_millis(500), end).await.expect("it ends at once");
    assert!(
        Feeds::open(&services, &service, &reader, verifier(), &facts).is_err(),
        "and no other opens"
    );
}

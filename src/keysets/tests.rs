use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;

use super::*;
use crate::federation::oidc::{PublicJwk, SigningKey};
use crate::time::{ManualClock, Timestamp};

const ISSUER: &str = "https://idp.example";

/// Answers as it is told to, and counts.
#[derive(Default)]
struct Told {
    fetches: AtomicUsize,
    down: Mutex<bool>,
    /// It answers, with this key set.
    answer: Mutex<Option<&'static str>>,
    /// Set, a fetch waits until it is let go.
    gate: Mutex<Option<Arc<Notify>>>,
}

impl Fetch for Arc<Told> {
    fn fetch<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<KeySet, FetchError>> {
        Box::pin(async move {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            let gate = self.gate.lock().unwrap().clone();
            if let Some(gate) = gate {
                gate.notified().await;
            }
            if let Some(answer) = *self.answer.lock().unwrap() {
                return Ok(KeySet::parse(answer.as_bytes())?);
            }
            if *self.down.lock().unwrap() { Err(FetchError::Status(503)) } else { Ok(some_keys()) }
        })
    }
}

fn some_keys() -> KeySet {
    let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
    let key = SigningKey::from_pkcs8(Algorithm::Es256, &pkcs8).unwrap();
    KeySet::parse(PublicJwk::set([key.public()]).to_string().as_bytes()).unwrap()
}

fn account() -> AccountId {
    AccountId::parse("111111111111").unwrap()
}

struct Bench {
    told: Arc<Told>,
    clock: Arc<ManualClock>,
    sets: Arc<KeySets>,
}

impl Bench {
    fn new() -> Self {
        let told = Arc::new(Told::default());
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_790_000_000)));
        let fetch = Box::new(Arc::clone(&told));
        let sets =
            KeySets::new(fetch, Settings::default(), Issuers::default(), Arc::clone(&clock) as _);
        Self { told, clock, sets: Arc::new(sets) }
    }

    fn fetches(&self) -> usize {
        self.told.fetches.load(Ordering::SeqCst)
    }

    fn down(&self, down: bool) {
        *self.told.down.lock().unwrap() = down;
    }

    fn pass(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    /// Lets a fetch in the background come to its end.
    async fn settled(&self, fetches: usize) {
        for _ in 0..1000 {
            let ended = self.sets.meters().count("ok") + self.sets.meters().count("failed");
            if usize::try_from(ended).unwrap() == fetches {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{} fetches, not {fetches}", self.fetches());
    }
}

#[tokio::test]
async fn keys_are_renewed_in_the_background_while_they_are_used() {
    let bench = Bench::new();
    let first = bench.sets.keys(account(), ISSUER).await.unwrap();
    bench.pass(299);
    assert!(Arc::ptr_eq(&first, &bench.sets.keys(account(), ISSUER).await.unwrap()));
    assert_eq!(bench.fetches(), 1);
    bench.pass(1);
    // Due: this one does not wait.
    assert!(Arc::ptr_eq(&first, &bench.sets.keys(account(), ISSUER).await.unwrap()));
    bench.settled(2).await;
    let second = bench.sets.keys(account(), ISSUER).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    // Long unused: this one does, so that a key that was withdrawn is not believed.
    bench.pass(601);
    assert!(!Arc::ptr_eq(&second, &bench.sets.keys(account(), ISSUER).await.unwrap()));
    assert_eq!(bench.fetches(), 3);
}

#[tokio::test]
async fn known_keys_go_on_through_an_outage_for_their_time() {
    let bench = Bench::new();
    let keys = bench.sets.keys(account(), ISSUER).await.unwrap();
    bench.down(true);
    for _ in 0..35 {
        bench.pass(600);
        assert!(Arc::ptr_eq(&keys, &bench.sets.keys(account(), ISSUER).await.unwrap()));
    }
    assert_eq!(bench.sets.meters().stale.get(), 35);
    bench.pass(600);
    let error = bench.sets.keys(account(), ISSUER).await.unwrap_err();
    assert!(matches!(error, FetchError::Status(503)), "{error}");
    bench.down(false);
    bench.pass(60);
    assert!(bench.sets.keys(account(), ISSUER).await.is_ok());
}

#[tokio::test]
async fn an_issuer_without_keys_or_with_public_private_keys_is_believed() {
    for answer in [r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#] {
        let bench = Bench::new();
        bench.sets.keys(account(), ISSUER).await.unwrap();
        *bench.told.answer.lock().unwrap() = Some(answer);
        bench.pass(300);
        // Due: this one does not wait.
        bench.sets.keys(account(), ISSUER).await.unwrap();
        bench.settled(2).await;
        let error = bench.sets.keys(account(), ISSUER).await.unwrap_err();
        assert!(matches!(error, FetchError::Keys(_)), "{answer}: {error}");
    }
}

#[tokio::test]
async fn an_issuer_that_fails_is_left_alone_for_a_while() {
    let bench = Bench::new();
    bench.down(true);
    for _ in 0..1000 {
        assert!(bench.sets.keys(account(), ISSUER).await.is_err());
    }
    assert_eq!(bench.fetches(), 1);
    bench.down(false);
    bench.pass(4);
    assert!(bench.sets.keys(account(), ISSUER).await.is_err());
    bench.pass(1);
    assert!(bench.sets.keys(account(), ISSUER).await.is_ok());
    assert_eq!(bench.fetches(), 2);
    // The wait grows, and not beyond a minute.
    bench.down(true);
    bench.pass(100_000);
    assert!(bench.sets.keys(account(), ISSUER).await.is_err());
    for wait in [5, 10, 20, 40, 60, 60, 60, 60] {
        let before = bench.fetches();
        bench.pass(wait - 1);
        assert!(bench.sets.keys(account(), ISSUER).await.is_err());
        assert_eq!(bench.fetches(), before, "{wait}");
        bench.pass(1);
        assert!(bench.sets.keys(account(), ISSUER).await.is_err());
        assert_eq!(bench.fetches(), before + 1, "{wait}");
    }
}

#[tokio::test]
async fn a_thousand_that_wait_cause_one_fetch() {
    let bench = Bench::new();
    let gate = Arc::new(Notify::new());
    *bench.told.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let ask = || {
        let sets = Arc::clone(&bench.sets);
        tokio::spawn(async move { sets.keys(account(), ISSUER).await.map(|keys| keys.len()) })
    };
    let waiting: Vec<_> = (0..1000).map(|_| ask()).collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    // Those who go away do not take the fetch with them, and their place is not taken by another.
    let mut stay = Vec::new();
    for (at, task) in waiting.into_iter().enumerate() {
        if at % 2 == 0 { task.abort() } else { stay.push(task) }
    }
    tokio::task::yield_now().await;
    let late = ask();
    tokio::task::yield_now().await;
    gate.notify_one();
    for task in stay {
        assert_eq!(task.await.unwrap().unwrap(), 1);
    }
    assert_eq!(late.await.unwrap().unwrap(), 1);
    assert_eq!(bench.fetches(), 1);
}

#[tokio::test]
async fn museum_m39_unknown_keys_cause_one_fetch_a_minute() {
    let bench = Bench::new();
    let keys = bench.sets.keys(account(), ISSUER).await.unwrap();
    for _ in 0..10_000 {
        assert!(bench.sets.newer(account(), ISSUER, &keys).await.is_none());
    }
    assert_eq!(bench.fetches(), 1);
    bench.pass(60);
    let newer = bench.sets.newer(account(), ISSUER, &keys).await.unwrap();
    for _ in 0..10_000 {
        assert!(bench.sets.newer(account(), ISSUER, &newer).await.is_none());
        // Who still holds the old ones gets the new ones, and no fetch.
        assert!(Arc::ptr_eq(&newer, &bench.sets.newer(account(), ISSUER, &keys).await.unwrap()));
    }
    assert_eq!(bench.fetches(), 2);
    // A failure counts as a fetch.
    bench.down(true);
    bench.pass(60);
    for _ in 0..1000 {
        assert!(bench.sets.newer(account(), ISSUER, &newer).await.is_none());
    }
    assert_eq!(bench.fetches(), 3);
    bench.down(false);
    bench.pass(60);
    assert!(bench.sets.newer(account(), ISSUER, &newer).await.is_some());
}

#[tokio::test]
async fn a_fetch_that_ends_badly_blocks_nothing() {
    struct Panics(AtomicUsize);
    impl Fetch for Panics {
        fn fetch<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<KeySet, FetchError>> {
            Box::pin(async move {
                assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "as asked");
                Ok(some_keys())
            })
        }
    }
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(0)));
    let sets = KeySets::new(
        Box::new(Panics(AtomicUsize::new(0))),
        Settings::default(),
        Issuers::default(),
        clock,
    );
    assert!(matches!(sets.keys(account(), ISSUER).await, Err(FetchError::TooEarly)));
    assert!(sets.keys(account(), ISSUER).await.is_ok());
}

/// Issuers that do not answer, but for one; how many of them are asked at once.
#[derive(Default)]
struct Stalling {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Fetch for Arc<Stalling> {
    fn fetch<'a>(&'a self, issuer: &'a str) -> BoxFuture<'a, Result<KeySet, FetchError>> {
        Box::pin(async move {
            if issuer == ISSUER {
                return Ok(some_keys());
            }
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            std::future::pending().await
        })
    }
}

/// An account with 200 issuers that do not answer has asked for all of them.
async fn stalled(timeout: Duration) -> (Arc<Stalling>, Arc<KeySets>) {
    let fetch = Arc::new(Stalling::default());
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_790_000_000)));
    let settings = Settings { timeout, ..Settings::default() };
    let sets = KeySets::new(Box::new(Arc::clone(&fetch)), settings, Issuers::default(), clock);
    let sets = Arc::new(sets);
    for number in 0..200 {
        let sets = Arc::clone(&sets);
        tokio::spawn(async move {
            sets.keys(account(), &format!("https://stalling-{number}.example")).await
        });
    }
    while fetch.now.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    (fetch, sets)
}

#[tokio::test(start_paused = true)]
async fn issuers_of_one_account_that_do_not_answer_keep_no_other_account_from_its_own() {
    let (fetch, sets) = stalled(Duration::from_mins(1)).await;
    let other = AccountId::parse("222222222222").unwrap();
    let keys = tokio::time::timeout(Duration::from_secs(10), sets.keys(other, ISSUER)).await;
    assert!(keys.expect("it does not wait").is_ok());
    assert_eq!(fetch.most.load(Ordering::SeqCst), FETCHES_OF_ACCOUNT);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_others_is_told_so_and_the_issuer_is_not_to_blame() {
    let (_, sets) = stalled(Duration::from_millis(100)).await;
    // Some 195 are before it.
    let error = sets.keys(account(), ISSUER).await.unwrap_err();
    assert!(matches!(error, FetchError::Busy), "{error}");
    // Of another account it can be had at once: nothing is held against the issuer.
    let other = AccountId::parse("222222222222").unwrap();
    assert!(sets.keys(other, ISSUER).await.is_ok());
}

/// The time in which an issuer has to answer begins when it is asked.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_waited_for_others_has_its_whole_time() {
    struct Slow;
    impl Fetch for Slow {
        fn fetch<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<KeySet, FetchError>> {
            Box::pin(async {
                tokio::time::sleep(Duration::from_millis(600)).await;
                Ok(some_keys())
            })
        }
    }
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_790_000_000)));
    let settings = Settings { timeout: Duration::from_secs(1), ..Settings::default() };
    let sets = Arc::new(KeySets::new(Box::new(Slow), settings, Issuers::default(), clock));
    let tasks: Vec<_> = (0..2 * FETCHES_OF_ACCOUNT)
        .map(|number| {
            let sets = Arc::clone(&sets);
            let issuer = format!("https://slow-{number}.example");
            tokio::spawn(async move { sets.keys(account(), &issuer).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[test]
fn settings_are_checked() {
    let issuer = |url: &str| IssuerSettings { url: url.to_owned(), ..IssuerSettings::default() };
    assert!(Issuers::new(vec![issuer("https://a.example"), issuer("https://b.example/")]).is_ok());
    for bad in [
        "",
        "a.example",
        "http://a.example",
        "https://",
        "https:///x",
        "https://a?x",
        "https://a#x",
        "https://u@a",
        "https://a b",
    ] {
        assert_eq!(Issuers::new(vec![issuer(bad)]).unwrap_err()[0].field, "url", "{bad}");
    }
    let twice = vec![issuer("https://a.example"), issuer("https://a.example")];
    assert_eq!(Issuers::new(twice).unwrap_err()[0].table, 1);
    // A token may spell its issuer with a slash more or less: it is the same one.
    let twice = vec![issuer("https://a.example"), issuer("https://a.example/")];
    assert_eq!(Issuers::new(twice).unwrap_err()[0].table, 1);
    let both =
        IssuerSettings { jwks: Some("a".into()), allow_private: true, ..issuer("https://a") };
    assert_eq!(Issuers::new(vec![both]).unwrap_err()[0].field, "jwks");
    let none = IssuerSettings { algorithms: Some(Vec::new()), ..issuer("https://a") };
    assert_eq!(Issuers::new(vec![none]).unwrap_err()[0].field, "algorithms");
    let narrow = serde_json::from_value(json!({ "url": "https://a", "algorithms": ["EdDSA"] }));
    let issuers = Issuers::new(vec![narrow.unwrap()]).unwrap();
    assert_eq!(issuers.algorithms("https://a"), [Algorithm::EdDsa]);
    assert_eq!(issuers.algorithms("https://a/"), [Algorithm::EdDsa]);
    assert_eq!(issuers.algorithms("https://b"), Algorithm::DEFAULT);
    for wrong in ["none", "HS256", "rs256", "ES512"] {
        let read = serde_json::from_value::<IssuerSettings>(json!({ "algorithms": [wrong] }));
        assert!(read.is_err(), "{wrong}");
    }
    let short = Settings { refresh_every: Duration::from_secs(59), ..Settings::default() };
    assert!(matches!(short.check(), Err(OpenError::Bounds("refresh_every", _))));
}

//! Second factors against the real program: a code is good once, whatever happens in between.

use std::time::Duration;

use countersign::time::{Clock as _, SystemClock};
use ring::hmac;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::broker::{Broker, stdout};
use crate::caller::{Answer, Caller, Credentials, allow, policy, question_about};
use crate::python::run_script;

/// A device of a user. What it shows is made here by other code than the broker's.
struct Device {
    serial: String,
    seed: Vec<u8>,
}

fn step() -> i64 {
    SystemClock::new().now().secs() / 30
}

impl Device {
    /// Makes one and enables it for a user: the code of the next step is good then.
    async fn of(admin: &Caller, name: &str, user: &str) -> Self {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let named = [("VirtualMFADeviceName", name)];
        let made = admin.iam("CreateVirtualMFADevice", &named).await.ok();
        let text = STANDARD.decode(made.text("Base32StringSeed").unwrap()).unwrap();
        let seed = data_encoding::BASE32_NOPAD.decode(&text).unwrap();
        let device = Self { serial: made.text("SerialNumber").unwrap(), seed };
        let now = step();
        let enable = [
            ("UserName", user),
            ("SerialNumber", device.serial.as_str()),
            ("AuthenticationCode1", &device.code(now - 1)),
            ("AuthenticationCode2", &device.code(now)),
        ];
        admin.iam("EnableMFADevice", &enable).await.ok();
        device
    }

    /// RFC 6238.
    fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.seed);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[19] & 15);
        let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    async fn session(&self, caller: &Caller, code: &str) -> Answer {
        let shown = [("SerialNumber", self.serial.as_str()), ("TokenCode", code)];
        caller.sts("GetSessionToken", &shown).await
    }
}

const INVALID: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code.";

#[tokio::test(flavor = "multi_thread")]
async fn museum_m56_one_of_100_uses_is_good_and_none_after_a_crash() {
    let mut broker = Broker::start();
    let key = broker.admin().make_user("alice", &allow("*", "*")).await;
    let began = std::time::Instant::now();
    let often = Device::of(&broker.admin(), "often", "alice").await;
    let once = Device::of(&broker.admin(), "once", "alice").await;
    let next = step() + 1;
    let (code, other) = (often.code(next), once.code(next));

    let mut uses = JoinSet::new();
    for _ in 0..100 {
        let (caller, serial, code) = (broker.caller(&key), often.serial.clone(), code.clone());
        uses.spawn(async move {
            let shown = [("SerialNumber", serial.as_str()), ("TokenCode", code.as_str())];
            caller.sts("GetSessionToken", &shown).await
        });
    }
    let answers = uses.join_all().await;
    let good: Vec<_> = answers.iter().filter(|answer| answer.status.is_success()).collect();
    assert_eq!(good.len(), 1);
    let session = good[0].credentials();
    for answer in answers.iter().filter(|answer| !answer.status.is_success()) {
        answer.clone().refused("AccessDenied");
    }
    broker.caller(&session).iam("ListUsers", &[]).await.ok();
    once.session(&broker.caller(&key), &other).await.ok();

    broker.restart();
    // Both steps and the count of failures are where they were.
    let alice = broker.caller(&key);
    let refused = often.session(&alice, &code).await.refused("AccessDenied");
    if began.elapsed() < Duration::from_secs(25) {
        assert!(refused.message().contains("after too many wrong codes"), "{refused:?}");
    }
    let refused = once.session(&alice, &other).await.refused("AccessDenied");
    assert_eq!(refused.message(), INVALID);
    // What was acknowledged is in force.
    broker.caller(&session).iam("ListUsers", &[]).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_from_before_a_restore_are_refused() {
    let broker = Broker::start();
    let key = broker.admin().make_user("alice", &allow("*", "*")).await;
    let device = Device::of(&broker.admin(), "phone", "alice").await;
    let file = broker.home.folder().join("backup.jsonl");
    let file = file.to_str().unwrap();
    assert!(broker.command(&["backup", file]).status.success());
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(r#""kind":"mfa_device""#));
    let code = device.code(step() + 1);
    device.session(&broker.caller(&key), &code).await.ok();
    assert!(broker.command(&["restore", file, "--yes"]).status.success());
    assert!(broker.command(&["keys", "confirm", "--all"]).status.success());
    let refused = device.session(&broker.caller(&key), &code).await.refused("AccessDenied");
    assert_eq!(refused.message(), INVALID);
}

/// The condition keys are told to downstream services as to the broker's own operations.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_hears_of_the_second_factor() {
    let broker = Broker::start();
    let when = |condition: Value| {
        policy(&json!({
            "Effect": "Allow", "Action": "orders:*", "Resource": "*", "Condition": condition,
        }))
    };
    let allowed = |who: Credentials| {
        let broker = &broker;
        async move {
            let caller = broker.caller(&who);
            let question = question_about(&caller.order(), "orders:Get", &broker.home.account);
            broker.ask(&question).await["decision"] == "allow"
        }
    };
    let present = when(json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }));
    let young = when(json!({ "NumericLessThan": { "aws:MultiFactorAuthAge": "300" } }));
    let absent = when(json!({ "Null": { "aws:MultiFactorAuthPresent": "true" } }));
    let without = when(json!({ "Bool": { "aws:MultiFactorAuthPresent": "false" } }));
    for (name, document, key_may, plain_may, shown_may) in [
        ("present", present, false, false, true),
        ("young", young, false, false, true),
        ("absent", absent, true, false, false),
        ("without", without, false, true, false),
    ] {
        let key = broker.admin().make_user(name, &document).await;
        let device = Device::of(&broker.admin(), name, name).await;
        let caller = broker.caller(&key);
        let plain = caller.sts("GetSessionToken", &[]).await.ok().credentials();
        let shown = device.session(&caller, &device.code(step() + 1)).await.ok().credentials();
        assert_eq!(allowed(key).await, key_may, "{name}");
        assert_eq!(allowed(plain).await, plain_may, "{name}");
        assert_eq!(allowed(shown).await, shown_may, "{name}");
    }
}

/// A person with boto3: from the picture to the session.
#[test]
fn a_person_with_a_device() {
    let broker = Broker::start();
    let made = stdout(&broker.command(&["accounts", "create", "partner"]));
    let (_, role) = made.trim_end().split_once('\t').unwrap();
    let told = run_script(&broker, "mfa.py", &[("COUNTERSIGN_PARTNER_ROLE", role)]);
    assert_eq!(told.lines().last().unwrap(), "17 steps", "{told}");
    let audit = std::fs::read_to_string(broker.home.data().join("audit.jsonl")).unwrap();
    assert!(audit.contains(r#""serialNumber":"arn:aws:iam::"#));
    assert!(!audit.contains("tokenCode") && !audit.contains("Base32"));
}

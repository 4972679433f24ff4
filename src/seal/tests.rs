use super::claims::Tag;
use super::*;
use crate::id::{AccessKeyId, AccessKeyKind, AccountId, SessionId, UniqueId, UniqueKind};
use crate::random::SystemRandom;
use crate::secret::SecretAccessKey;
use crate::time::Timestamp;

fn account() -> AccountId {
    AccountId::parse("123456789012").unwrap()
}

fn key_id() -> AccessKeyId {
    AccessKeyId::generate(AccessKeyKind::Session, account(), &SystemRandom::new()).unwrap()
}

fn claims(session_name: &str) -> Claims {
    let random = SystemRandom::new();
    let id = UniqueId::generate(UniqueKind::Role, &random).unwrap();
    Claims {
        session_id: SessionId::generate(&random).unwrap(),
        secret: SecretAccessKey::generate(&random).unwrap(),
        principal: PrincipalClaim {
            kind: PrincipalKind::Role,
            account: account(),
            id,
            arn: "arn:aws:iam::123456789012:role/app".to_owned(),
        },
        ancestors: vec![Link {
            access_key_id: key_id(),
            session_id: None,
            principal_id: id,
            arn: "arn:aws:iam::123456789012:user/alice".to_owned(),
            issued_at: Timestamp::from_secs(1_700_000_000),
            version: 7,
        }],
        issued_at: Timestamp::from_secs(1_700_000_000),
        expires_at: Timestamp::from_secs(1_700_003_600),
        version: 7,
        session_name: session_name.to_owned(),
        source_identity: Some("alice".to_owned()),
        tags: vec![Tag { key: "Team".into(), value: "blue".into(), transitive: true }],
        policies: Some(SessionPolicies {
            inline: Some("{}".into()),
            arns: vec!["a".into()],
            ids: None,
        }),
        mfa_at: None,
        federated: None,
        padding: None,
        epoch: None,
    }
}

#[test]
fn a_token_opens_with_all_it_held() {
    let keyring = Keyring::generate(&SystemRandom::new()).unwrap();
    let (id, made) = (key_id(), claims("s1"));
    let sealed = token::seal(&keyring, &id, &made, &SystemRandom::new()).unwrap();
    assert_eq!(sealed.len(), token::measure(&made).unwrap());
    let opened = token::open(&keyring, &id, &sealed).unwrap();
    assert_eq!(opened.session_id, made.session_id);
    assert_eq!(opened.secret.expose(), made.secret.expose());
    assert_eq!(opened.principal, made.principal);
    assert_eq!(opened.ancestors, made.ancestors);
    assert_eq!((opened.issued_at, opened.expires_at), (made.issued_at, made.expires_at));
    assert_eq!((opened.version, &opened.session_name), (7, &made.session_name));
    assert_eq!(opened.source_identity, made.source_identity);
    assert_eq!((opened.tags, opened.policies), (made.tags, made.policies));
    assert_eq!(opened.mfa_at, None);
}

#[test]
fn every_bit_prefix_and_suffix_of_a_token_counts() {
    let keyring = Keyring::generate(&SystemRandom::new()).unwrap();
    let id = key_id();
    let sealed = token::seal(&keyring, &id, &claims("s1"), &SystemRandom::new()).unwrap();
    for at in 0..sealed.len() {
        assert!(token::open(&keyring, &id, &sealed[..at]).is_err(), "prefix {at}");
        assert!(at == 0 || token::open(&keyring, &id, &sealed[at..]).is_err(), "suffix {at}");
        for bit in 0..8 {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            if let Ok(text) = String::from_utf8(bytes) {
                assert!(token::open(&keyring, &id, &text).is_err(), "byte {at} bit {bit}");
            }
        }
    }
    for tail in ["=", "==", "A", "\n", " "] {
        assert!(token::open(&keyring, &id, &format!("{sealed}{tail}")).is_err());
    }
}

#[test]
fn a_token_is_bound_to_its_key_id_and_deployment() {
    let random = SystemRandom::new();
    let keyring = Keyring::generate(&random).unwrap();
    let id = key_id();
    let sealed = token::seal(&keyring, &id, &claims("s1"), &random).unwrap();
    assert_eq!(token::open(&keyring, &key_id(), &sealed).err(), Some(SealError::Forged));
    let other = Keyring::generate(&random).unwrap();
    assert_eq!(token::open(&other, &id, &sealed).err(), Some(SealError::Forged));
}

#[test]
fn a_token_over_the_budget_is_refused_with_its_size() {
    let keyring = Keyring::generate(&SystemRandom::new()).unwrap();
    let sealed = token::seal(&keyring, &key_id(), &claims(&"x".repeat(4000)), &SystemRandom::new());
    assert!(matches!(sealed, Err(SealError::TooLarge(n)) if n > token::MAX_TOKEN));
}

#[test]
fn a_token_can_be_made_longer() {
    for size in [0, 100, 700, 701, 702, 703, 1500, 4000, 4094, 4095, 4096, 9999] {
        let mut padded = claims("s1");
        let bare = token::measure(&padded).unwrap();
        token::pad(&mut padded, size).unwrap();
        let length = token::measure(&padded).unwrap();
        // The last characters hold less than a byte, so that not every length can be met exactly.
        let wanted = size.clamp(bare, token::MAX_TOKEN - 2);
        assert!((wanted..=token::MAX_TOKEN).contains(&length), "{size}: {length}");
    }
}

#[test]
fn compromised_keys_open_nothing() {
    let random = SystemRandom::new();
    let keyring = Keyring::generate(&random).unwrap();
    let id = key_id();
    let sealed = token::seal(&keyring, &id, &claims("s1"), &random).unwrap();
    let text = keyring.to_file_text();
    let second = Keyring::generate(&random).unwrap().to_file_text();
    let second_secret = second.split("\"secret\": \"").nth(1).unwrap().split('"').next().unwrap();
    for (state, opens) in [("retired", true), ("compromised", false)] {
        let changed = text.replace("active", state).replace(
            "\n  ]",
            &format!(
                ",\n {{ \"number\": 2, \"state\": \"active\", \"secret\": \"{second_secret}\" }}\n ]"
            ),
        );
        let keyring = Keyring::from_file_text(&changed).unwrap();
        assert_eq!(token::open(&keyring, &id, &sealed).is_ok(), opens, "{state}");
    }
}

#[test]
fn a_keyring_file_goes_both_ways_and_refuses_damage() {
    let random = SystemRandom::new();
    let keyring = Keyring::generate(&random).unwrap();
    let text = keyring.to_file_text();
    let again = Keyring::from_file_text(&text).unwrap();
    assert_eq!(again.deployment(), keyring.deployment());
    let id = key_id();
    let sealed = token::seal(&keyring, &id, &claims("s1"), &random).unwrap();
    assert!(token::open(&again, &id, &sealed).is_ok());
    assert!(matches!(
        Keyring::from_file_text(&text.replace("\"version\": 1", "\"version\": 2")),
        Err(KeyringError::Newer(2))
    ));
    for (from, to) in [
        ("countersign-keyring", "other"),
        ("\"active\"", "\"pending\""),
        ("\"number\": 1", "\"number\": 0"),
        ("\"number\"", "\"nummer\""),
    ] {
        assert!(Keyring::from_file_text(&text.replace(from, to)).is_err(), "{from}");
    }
}

#[test]
fn stored_secrets_are_bound_to_owner_and_key() {
    let random = SystemRandom::new();
    let keyring = Keyring::generate(&random).unwrap();
    let owner = UniqueId::generate(UniqueKind::User, &random).unwrap();
    let other = UniqueId::generate(UniqueKind::User, &random).unwrap();
    let id = AccessKeyId::generate(AccessKeyKind::LongTerm, account(), &random).unwrap();
    let secret = SecretAccessKey::generate(&random).unwrap();
    let sealed = stored::seal(&keyring, &owner, &id, &secret, &random).unwrap();
    assert_eq!(stored::open(&keyring, &owner, &id, &sealed).unwrap().expose(), secret.expose());
    assert!(stored::open(&keyring, &other, &id, &sealed).is_err());
    assert!(stored::open(&keyring, &owner, &key_id(), &sealed).is_err());
    assert!(!sealed.windows(8).any(|w| secret.expose().as_bytes().windows(8).any(|s| s == w)));
}

#[test]
fn records_are_bound_to_their_place() {
    let random = SystemRandom::new();
    let keyring = Keyring::generate(&random).unwrap();
    let expiry = Timestamp::from_secs(1_700_000_000);
    let made = record::make(&keyring, b"a", expiry, b"body").unwrap();
    assert_eq!(record::open(&keyring, b"a", &made).unwrap(), (expiry, b"body".as_slice()));
    assert_eq!(record::open(&keyring, b"b", &made), Err(SealError::Forged));
    for at in 0..made.len() {
        let mut changed = made.clone();
        changed[at] ^= 1;
        assert!(record::open(&keyring, b"a", &changed).is_err(), "byte {at}");
        assert!(record::open(&keyring, b"a", &made[..at]).is_err(), "prefix {at}");
    }
    let other = Keyring::generate(&random).unwrap();
    assert_eq!(record::open(&other, b"a", &made), Err(SealError::Forged));
}

/// A token, a keyring and a record of format version 1, as released: they must open for ever.
#[test]
fn golden_files_of_version_1_open() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("golden/v1.json")).unwrap();
    let text = |name: &str| golden[name].as_str().unwrap().to_owned();
    let keyring = Keyring::from_file_text(&text("keyring")).unwrap();
    let id = AccessKeyId::parse(&text("access_key_id")).unwrap();
    let opened = token::open(&keyring, &id, &text("token")).unwrap();
    assert_eq!(opened.session_name, "golden");
    let bytes = data_encoding::HEXLOWER.decode(text("record").as_bytes()).unwrap();
    let (_, body) = record::open(&keyring, id.as_str().as_bytes(), &bytes).unwrap();
    assert_eq!(body, text("token").as_bytes());
    let bytes = data_encoding::HEXLOWER.decode(text("stored").as_bytes()).unwrap();
    let owner = UniqueId::parse(&text("owner")).unwrap();
    assert!(stored::open(&keyring, &owner, &id, &bytes).is_ok());
}

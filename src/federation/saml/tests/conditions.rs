//! One change for each condition. Each document is signed as it stands.

use super::sign::{Form, Signer};
use super::*;

fn at(from: &'static str, to: &'static str, now: i64) -> Result<TrustedAssertion, SamlError> {
    let signer = Signer::new();
    let text = signer.signed(&Form {
        document: Box::new(move |text| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        }),
        ..Form::default()
    });
    verify_at(&text, &signer.metadata(), now)
}

fn refused(from: &'static str, to: &'static str) -> SamlError {
    at(from, to, NOW).expect_err(to)
}

#[test]
fn whom_it_is_from_and_for() {
    use SamlError as E;
    const AUDIENCE: &str = "<Audience>https://signin.aws.amazon.com/saml</Audience>";
    const RESTRICTION: &str = "<AudienceRestriction><Audience>https://signin.aws.amazon.com/saml</Audience></AudienceRestriction>";
    for (from, to, why) in [
        (
            "<Issuer>https://idp.example/metadata</Issuer>",
            "<Issuer>https://idp.example/</Issuer>",
            E::Issuer,
        ),
        ("<Issuer>", "<Issuer> ", E::Issuer),
        (
            "<Issuer>",
            "<Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">",
            E::Issuer,
        ),
        (AUDIENCE, "<Audience>https://other.example/saml</Audience>", E::Audience),
        (AUDIENCE, "<Audience>https://signin.aws.amazon.com/saml/</Audience>", E::Audience),
        (AUDIENCE, "", E::Audience),
        (AUDIENCE, "<Audience><x/></Audience>", E::Malformed("Audience")),
        (AUDIENCE, "<Group/>", E::Unknown("AudienceRestriction")),
        (RESTRICTION, "", E::Audience),
        (RESTRICTION, "<Condition/>", E::Unknown("Conditions")),
        // Each restriction must be met.
        (
            "<AudienceRestriction>",
            "<AudienceRestriction><Audience>urn:other</Audience></AudienceRestriction><AudienceRestriction>",
            E::Audience,
        ),
        (
            "Recipient=\"https://signin.aws.amazon.com/saml\"",
            "Recipient=\"https://evil.example/\"",
            E::Recipient,
        ),
        ("Recipient=\"https://signin.aws.amazon.com/saml\"", "", E::Recipient),
        ("ID=\"_r\"", "ID=\"_r\" Destination=\"https://evil.example/\"", E::Recipient),
        ("ID=\"_r\"", "ID=\"_r\" InResponseTo=\"_q\"", E::InResponseTo),
        (
            "<SubjectConfirmationData",
            "<SubjectConfirmationData InResponseTo=\"_q\"",
            E::InResponseTo,
        ),
        ("cm:bearer", "cm:holder-of-key", E::Confirmation),
        ("cm:bearer", "cm:sender-vouches", E::Confirmation),
        (
            "<SubjectConfirmation ",
            "<SubjectConfirmation/><SubjectConfirmation ",
            E::Count("SubjectConfirmation"),
        ),
        (
            "<SubjectConfirmationData",
            "<SubjectConfirmationData/><SubjectConfirmationData",
            E::Count("SubjectConfirmationData"),
        ),
        (
            "<SubjectConfirmationData",
            "<NameID/><SubjectConfirmationData",
            E::Count("SubjectConfirmationData"),
        ),
        ("<SubjectConfirmationData", "<KeyInfoConfirmationData", E::Unknown("SubjectConfirmation")),
    ] {
        assert_eq!(refused(from, to), why, "{to}");
    }
    for (from, to) in [
        (
            AUDIENCE,
            "<Audience>urn:other</Audience><Audience>https://signin.aws.amazon.com/saml</Audience>",
        ),
        (
            RESTRICTION,
            "<OneTimeUse/><AudienceRestriction><Audience>https://signin.aws.amazon.com/saml</Audience></AudienceRestriction><ProxyRestriction Count=\"0\"/>",
        ),
        ("<Issuer>", "<Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">"),
        ("ID=\"_r\"", "ID=\"_r\" Destination=\"https://signin.aws.amazon.com/saml\""),
    ] {
        assert!(at(from, to, NOW).is_ok(), "{to}");
    }
}

#[test]
fn an_answer_is_taken_where_the_operator_says_so() {
    let signer = Signer::new();
    let text = signer.signed(&Form {
        document: Box::new(|text| {
            text.replace("<SubjectConfirmationData", "<SubjectConfirmationData InResponseTo=\"_q\"")
        }),
        ..Form::default()
    });
    let (metadata, ours) = (signer.metadata(), [SIGN_IN.to_owned()]);
    let now = Timestamp::from_secs(NOW);
    let mut expected =
        Expected { metadata: &metadata, audiences: &ours, recipients: &ours, answers: false, now };
    assert_eq!(verify(&encode(&text), &expected).unwrap_err(), SamlError::InResponseTo);
    expected.answers = true;
    assert!(verify(&encode(&text), &expected).is_ok());
    for (audiences, recipients, why) in
        [(&[][..], &ours[..], SamlError::Audience), (&ours[..], &[][..], SamlError::Recipient)]
    {
        let nobody = Expected { audiences, recipients, ..expected };
        assert_eq!(verify(&encode(&text), &nobody).unwrap_err(), why);
    }
}

#[test]
fn every_time_is_held_to() {
    use SamlError as E;
    let ts = Timestamp::from_secs;
    let same = ("alice", "alice");
    let now = |secs| at(same.0, same.1, NOW + secs);
    // Issued 5 s ago, confirmed for 120 s, its conditions begun 10 s ago and over in 180 s.
    for good in [0, 60, 119, -5, -65] {
        assert!(now(good).is_ok(), "{good}");
    }
    assert_eq!(now(120).unwrap_err(), E::Expired(ts(NOW + 120)));
    assert_eq!(now(-66).unwrap_err(), E::NotYet(ts(NOW - 5)));
    assert_eq!(now(295).unwrap_err(), E::TooLate(ts(NOW + 295)));
    let confirmed = "NotOnOrAfter=\"2026-09-21T14:15:20Z\"";
    let conditions = "NotOnOrAfter=\"2026-09-21T14:16:20Z\"";
    let later = "NotOnOrAfter=\"2026-09-21T15:16:20Z\"";
    assert_eq!(at(confirmed, later, NOW + 180).unwrap_err(), E::Expired(ts(NOW + 180)));
    assert_eq!(at(conditions, later, NOW + 120).unwrap_err(), E::Expired(ts(NOW + 120)));
    assert_eq!(at(confirmed, later, NOW).unwrap().good_until(), ts(NOW + 180));
    assert_eq!(at(conditions, "", NOW).unwrap().good_until(), ts(NOW + 120));
    assert_eq!(refused(confirmed, ""), E::Malformed("SubjectConfirmationData"));
    let before = "NotBefore=\"2026-09-21T14:14:20Z\" NotOnOrAfter=\"2026-09-21T14:15:20Z\"";
    assert!(at(confirmed, before, NOW).is_ok());
    assert_eq!(at(confirmed, before, NOW - 1).unwrap_err(), E::NotYet(ts(NOW + 60)));
    let begins = "NotBefore=\"2026-09-21T14:13:10Z\"";
    assert_eq!(refused(begins, "NotBefore=\"2026-09-21T14:14:21Z\""), E::NotYet(ts(NOW + 61)));
    assert!(at(begins, "", NOW).is_ok());
    for (from, to, why) in [
        (confirmed, "NotOnOrAfter=\"soon\"", E::Malformed("SubjectConfirmationData")),
        (conditions, "NotOnOrAfter=\"\"", E::Malformed("Conditions")),
        (begins, "NotBefore=\"2026-09-21\"", E::Malformed("Conditions")),
        (
            "Version=\"2.0\" IssueInstant=\"2026-09-21T14:13:15Z\">\n<Issuer>https://idp.example/metadata</Issuer>[A]",
            "Version=\"2.0\">\n<Issuer>https://idp.example/metadata</Issuer>[A]",
            E::Malformed("IssueInstant"),
        ),
        ("AuthnInstant=\"2026-09-21T14:13:15Z\"", "", E::Malformed("AuthnStatement")),
        (
            "AuthnInstant=\"2026-09-21T14:13:15Z\"",
            "AuthnInstant=\"2026-09-21T14:14:21Z\"",
            E::NotYet(ts(NOW + 61)),
        ),
        (
            "<AuthnStatement ",
            "<AuthnStatement SessionNotOnOrAfter=\"later\" ",
            E::Malformed("AuthnStatement"),
        ),
        (
            "<AuthnStatement ",
            "<AuthnStatement SessionNotOnOrAfter=\"2026-09-21T14:13:20Z\" ",
            E::Expired(ts(NOW)),
        ),
    ] {
        assert_eq!(refused(from, to), why, "{to}");
    }
    // Of several sessions at the provider, the one that ends first.
    let two = at(
        "<AuthnStatement ",
        "<AuthnStatement AuthnInstant=\"2026-09-21T14:13:15Z\" SessionNotOnOrAfter=\"2026-09-21T15:13:20Z\"/><AuthnStatement SessionNotOnOrAfter=\"2026-09-21T14:43:20Z\" ",
        NOW,
    );
    assert_eq!(two.unwrap().session_ends(), Some(ts(NOW + 1800)));
}

//! Every change of one byte.

use super::*;

/// Of how many bytes one is changed, in each document but the first: all of them take minutes.
fn stride() -> usize {
    match std::env::var("COUNTERSIGN_TEST_SAML_MUTATIONS").as_deref() {
        Ok("all") => 1,
        _ => 29,
    }
}

/// A response that is changed in one byte is refused, or says the same.
#[test]
fn a_byte_that_is_changed_is_refused_or_changes_nothing() {
    let metadata = golden::metadata();
    let (mut refused, mut same, stride) = (0, 0, stride());
    for (number, (name, text)) in golden::GOLDEN.iter().enumerate() {
        let good = verify_at(text, &metadata, NOW).unwrap();
        for at in (0..text.len()).step_by(if number == 0 { 1 } else { stride }) {
            let byte = text.as_bytes()[at];
            let others = [b'A', b'"', b'<', b' ', b'/', byte ^ 1, byte ^ 32];
            let others = if stride == 1 { &others[..] } else { &others[at % 7..][..1] };
            for other in others {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = *other;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                match verify_at(&changed, &metadata, NOW) {
                    Err(_) => refused += 1,
                    Ok(found) => {
                        assert_eq!(found, good, "{name} at {at}");
                        same += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 3_000 && same > 100, "{refused} {same}");
}

/// Cut short anywhere, or with a byte taken out, it is refused or says the same.
#[test]
fn a_response_that_is_cut_is_refused() {
    let metadata = golden::metadata();
    for (name, text) in golden::GOLDEN {
        let good = verify_at(text, &metadata, NOW).unwrap();
        for at in (0..text.len()).step_by(stride()) {
            if let Some(cut) = text.get(..at) {
                assert!(verify_at(cut, &metadata, NOW).is_err(), "{name} cut at {at}");
            }
            let (Some(head), Some(tail)) = (text.get(..at), text.get(at + 1..)) else { continue };
            if let Ok(found) = verify_at(&format!("{head}{tail}"), &metadata, NOW) {
                assert_eq!(found, good, "{name} without {at}");
            }
        }
    }
}

/// A byte of the encoding that is changed, too.
#[test]
fn a_character_of_the_encoding_that_is_changed_is_refused_or_changes_nothing() {
    let (metadata, ours) = (golden::metadata(), [SIGN_IN.to_owned()]);
    let now = Timestamp::from_secs(NOW);
    let expected =
        Expected { metadata: &metadata, audiences: &ours, recipients: &ours, answers: false, now };
    let encoded = encode(golden::GOLDEN[6].1);
    let good = verify(&encoded, &expected).unwrap();
    for at in (0..encoded.len()).step_by(stride()) {
        for byte in *b"A/= \n" {
            let mut bytes = encoded.clone().into_bytes();
            bytes[at] = byte;
            if let Ok(found) = verify(&String::from_utf8(bytes).unwrap(), &expected) {
                assert_eq!(found, good, "at {at}");
            }
        }
    }
}

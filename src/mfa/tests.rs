use zeroize::Zeroizing;

use super::*;
use crate::random::SystemRandom;
use crate::time::Timestamp;

fn rfc() -> Seed {
    Seed::from_bytes(Zeroizing::new(b"12345678901234567890".to_vec()))
}

fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

fn at(step: i64) -> Timestamp {
    Timestamp::from_secs(step * STEP_SECS + 7)
}

/// RFC 6238, appendix B, its last six digits; RFC 4226, appendix D.
#[test]
fn codes_are_those_of_the_rfcs() {
    for (secs, expected) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ] {
        let now = Timestamp::from_secs(secs);
        let step = step_at(now);
        assert_eq!(rfc().find(&code(expected), now, 0, 0), Some(step), "{secs}");
    }
    let hotp = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583"];
    for (counter, expected) in (0_i64..).zip(hotp) {
        let drift = counter - step_at(at(1000));
        assert_eq!(rfc().find(&code(expected), at(1000), drift, -1), Some(counter));
    }
}

/// Museum M56: blanks and other digits are no code.
#[test]
fn museum_m56_a_code_is_six_ascii_digits() {
    for bad in [
        "",
        "12345",
        "1234567",
        " 12345",
        "12345 ",
        "123 45",
        "12345\n",
        "+12345",
        "-12345",
        "0x1234",
        "12345a",
        "\u{661}\u{662}\u{663}",
        "１２３４５６",
        "1234\u{661}",
        "12.345",
    ] {
        assert!(Code::parse(bad).is_none(), "{bad:?}");
    }
    assert!(Code::parse("000000").is_some());
}

#[test]
fn a_step_to_either_side_is_good_and_two_are_not() {
    let seed = rfc();
    for drift in [-7, 0, 7] {
        for apart in -4..=4 {
            let shown = seed.code(1000 + drift + apart);
            let found = seed.find(&shown, at(1000), drift, 0);
            let expected = (apart.abs() <= 1).then_some(1000 + drift + apart);
            assert_eq!(found, expected, "{drift} {apart}");
        }
    }
}

#[test]
fn a_step_that_was_used_and_those_before_it_are_not_found_again() {
    let seed = rfc();
    for used in 998..=1002 {
        for step in 999..=1001 {
            let found = seed.find(&seed.code(step), at(1000), 0, used);
            assert_eq!(found, (step > used).then_some(step), "{used} {step}");
        }
    }
}

#[test]
fn a_code_of_two_steps_counts_as_that_of_the_later() {
    // Found by trying: the first two steps of this seed that show the same code.
    let (seed, step) = (rfc(), 910_737);
    let shown = seed.code(step);
    assert_eq!(seed.code(step + 1).0, shown.0);
    assert_eq!(seed.find(&shown, at(step), 0, -1), Some(step + 1));
    assert_eq!(seed.find(&shown, at(step), 0, step + 1), None);
}

#[test]
fn a_pair_is_two_codes_that_follow_one_another() {
    let seed = rfc();
    let pair =
        |a: i64, b: i64, used: i64| seed.find_pair(&seed.code(a), &seed.code(b), at(1000), used);
    for apart in [-10, -1, 0, 1, 10] {
        assert_eq!(pair(999 + apart, 1000 + apart, 0), Some(1000 + apart), "{apart}");
    }
    assert_eq!(pair(999 - 11, 1000 - 11, 0), None, "too long ago");
    assert_eq!(pair(999 + 11, 1000 + 11, 0), None, "too far ahead");
    assert_eq!(pair(1000, 1000, 0), None, "the same twice");
    assert_eq!(pair(1000, 999, 0), None, "in the wrong order");
    assert_eq!(pair(998, 1000, 0), None, "not in a row");
    assert_eq!(pair(999, 1000, 998), Some(1000));
    assert_eq!(pair(999, 1000, 999), None, "the first was used");
}

#[test]
fn guesses_wait_longer_and_longer() {
    let mut failures = Failures::default();
    let mut now = Timestamp::from_secs(1_000_000);
    let mut waits = Vec::new();
    for _ in 0..14 {
        waits.push(failures.wait(now).unwrap_or(0));
        now = now.plus_secs(failures.wait(now).unwrap_or(0));
        assert_eq!(failures.wait(now), None);
        failures = failures.and_one(now);
    }
    assert_eq!(waits, [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    assert!(failures.wait(now.plus_secs(-500)).unwrap() >= 3600, "a clock set back");
    let many = (0..5000).fold(Failures::default(), |failures, _| failures.and_one(now));
    assert_eq!(many.wait(now), Some(3600));
}

/// The picture is read by other code than ours.
#[test]
fn the_picture_holds_the_seed() {
    let random = SystemRandom::new();
    for device in ["phone", "a+b=c,d.e@f-g_h", &"x".repeat(226)] {
        let seed = Seed::generate(&random).unwrap();
        let uri = Label { device, account: "111122223333" }.uri(&seed);
        let picture = png(&uri).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(picture.as_slice()));
        reader.set_transformations(png::Transformations::EXPAND);
        let mut reader = reader.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let width = info.width as usize;
        assert_eq!((info.height as usize, pixels.len()), (width, width * width));
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(width, width, |x, y| pixels[y * width + x]);
        let grids = image.detect_grids();
        let (_, read) = grids[0].decode().unwrap();
        assert_eq!(read, *uri);
        assert!(read.contains(&format!("?secret={}&", *seed.base32())));
    }
    let uri = Label { device: "a b/c", account: "x" }.uri(&rfc());
    assert!(uri.starts_with("otpauth://totp/Countersign:a%20b%2Fc@x?secret=GEZDGNBVGY3TQOJQ"));
    assert!(png(&"x".repeat(5000)).is_none());
}

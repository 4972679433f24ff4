//! Payloads in chunks that were tampered with.

use super::chunked::{SMALL, Upload, begin, read, ways};
use super::*;

const PAYLOAD: &[u8] = b"The first chunk. A second chunk! And a third...";

/// Three chunks and the end.
fn upload(chunks: Chunks, algorithm: Algorithm) -> Upload {
    let upload = Upload::new(chunks, algorithm, PAYLOAD, &[16, 16]);
    assert_eq!(upload.pieces.len(), 4);
    upload
}

fn signed() -> Upload {
    upload(Chunks::Signed, Algorithm::HmacSha256)
}

fn with_trailer() -> Upload {
    upload(Chunks::SignedWith(ChecksumAlgorithm::Crc32c), Algorithm::HmacSha256)
}

fn unsigned() -> Upload {
    upload(Chunks::UnsignedWith(ChecksumAlgorithm::Crc32c), Algorithm::HmacSha256)
}

/// What is refused, and that nothing of the chunk concerned was given out.
#[track_caller]
fn refusal(upload: &Upload, wire: &[u8]) -> ChunkError {
    let whole = upload.receive(wire, &[]).unwrap_err();
    let bytewise = upload.receive(wire, &vec![1; wire.len()]).unwrap_err();
    assert_eq!(whole, bytewise, "however it is cut up");
    whole
}

/// The wire of an upload with a text in it replaced, once.
fn edited(upload: &Upload, from: &str, to: &str) -> ChunkError {
    let wire = String::from_utf8(upload.wire()).unwrap();
    assert!(wire.contains(from), "{from:?} in {wire:?}");
    refusal(upload, wire.replacen(from, to, 1).as_bytes())
}

/// Every byte of every chunk, line and trailer, flipped in several ways.
#[test]
fn a_flipped_byte_is_refused() {
    for (chunks, algorithm) in ways() {
        let upload = upload(chunks, algorithm);
        let wire = upload.wire();
        upload.receive(&wire, &[]).unwrap();
        let slow = algorithm == Algorithm::EcdsaP256Sha256;
        for at in (0..wire.len()).step_by(if slow { 29 } else { 1 }) {
            for mask in [0x01, 0x20, 0x80] {
                // Digits of a size and the name of a trailer may come in either case.
                let either = is_trailer_name(&wire, at) || is_size(&wire, at);
                if mask == 0x20 && either && wire[at].is_ascii_alphabetic() {
                    continue;
                }
                let mut flipped = wire.clone();
                flipped[at] ^= mask;
                let refused = upload.receive(&flipped, &[]);
                assert!(refused.is_err(), "{chunks:?} {at} {mask}");
            }
        }
    }
}

/// Whether a byte stands in the size of the third chunk, which is a letter.
fn is_size(wire: &[u8], at: usize) -> bool {
    wire[at] == b'f' && wire[..at].ends_with(b"\r\n")
}

/// Whether a byte stands in the name of a trailer.
fn is_trailer_name(wire: &[u8], at: usize) -> bool {
    let line = wire[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    wire[line..].starts_with(b"x-amz-") && !wire[line..at].contains(&b':')
}

/// And in an unsigned mode, where all is given out at once, the end is refused.
#[test]
fn nothing_of_a_bad_chunk_is_given_out() {
    for upload in [signed(), with_trailer()] {
        for (piece, before) in [(0, 0), (1, 16), (2, 32)] {
            let mut spoilt = upload.clone();
            let last = spoilt.pieces[piece].len() - 3;
            spoilt.pieces[piece][last] ^= 1;
            let mut verifier = upload.begin(SMALL).unwrap();
            let wire = spoilt.wire();
            let mut input = &wire[..];
            let mut given = Vec::new();
            let error = loop {
                match verifier.push(&mut input) {
                    Ok(Some(bytes)) => given.extend_from_slice(bytes),
                    Ok(None) => panic!("accepted"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error, ChunkError::ChunkSignature { chunk: piece as u64 });
            assert_eq!((error.code(), error.status()), ("SignatureDoesNotMatch", 403));
            assert_eq!(given, &PAYLOAD[..before]);
            // Once refused, always refused.
            assert_eq!(verifier.push(&mut input).unwrap_err(), error);
            assert_eq!(verifier.push(&mut &[][..]).unwrap_err(), error);
            assert_eq!(verifier.finish().unwrap_err(), error);
        }
    }
    let mut spoilt = unsigned();
    spoilt.pieces[1][6] ^= 1;
    let checksum = ChecksumAlgorithm::Crc32c;
    assert_eq!(refusal(&unsigned(), &spoilt.wire()), ChunkError::ChecksumMismatch(checksum));
}

/// Every order of the pieces but the right one, with pieces left out or repeated.
#[test]
fn dropped_repeated_and_reordered_chunks_are_refused() {
    let mut orders: Vec<Vec<usize>> = vec![vec![]];
    for _ in 0..5 {
        let longer: Vec<Vec<usize>> = orders
            .iter()
            .flat_map(|order| (0..4).map(move |next| [order.as_slice(), &[next]].concat()))
            .collect();
        orders.extend(longer);
    }
    orders.sort();
    orders.dedup();
    for (chunks, algorithm) in ways() {
        if algorithm == Algorithm::EcdsaP256Sha256 {
            continue;
        }
        let upload = upload(chunks, algorithm);
        for order in &orders {
            let wire: Vec<u8> =
                order.iter().flat_map(|piece| upload.pieces[*piece].clone()).collect();
            let good = upload.receive(&wire, &[]).is_ok();
            assert_eq!(good, order == &[0, 1, 2, 3], "{chunks:?} {order:?}");
        }
    }
    for order in [&[0, 2, 1, 3][..], &[1, 0, 2, 3], &[0, 1, 3], &[0, 1, 2, 2, 3], &[0, 1, 2, 3, 3]]
    {
        let upload = upload(Chunks::Signed, Algorithm::EcdsaP256Sha256);
        let wire: Vec<u8> = order.iter().flat_map(|piece| upload.pieces[*piece].clone()).collect();
        assert!(upload.receive(&wire, &[]).is_err(), "{order:?}");
    }
}

#[test]
fn museum_m09_chunks_of_another_upload_are_refused() {
    for chunks in [Chunks::Signed, Chunks::SignedWith(ChecksumAlgorithm::Sha1)] {
        for algorithm in [Algorithm::HmacSha256, Algorithm::EcdsaP256Sha256] {
            let one = upload(chunks, algorithm);
            let other = Upload::at("/bucket/other", chunks, algorithm, PAYLOAD, &[16, 16]);
            let refused = refusal(&one, &other.wire());
            assert_eq!(refused, ChunkError::ChunkSignature { chunk: 0 });
        }
    }
    // The end of a shorter one.
    let short = Upload::new(Chunks::Signed, Algorithm::HmacSha256, b"", &[]);
    assert_eq!(refusal(&signed(), &short.wire()), ChunkError::DecodedLength);
}

/// The same payload, cut up otherwise, is not what was signed.
#[test]
fn museum_m10_where_chunks_end_is_signed() {
    let upload = signed();
    let line = |piece: &[u8]| {
        let end = piece.iter().position(|byte| *byte == b'\n').unwrap() - 1;
        String::from_utf8(piece[..end].to_vec()).unwrap()
    };
    let lines: Vec<String> = upload.pieces.iter().map(|piece| line(piece)).collect();
    let signature = |index: usize| lines[index].split_once('=').unwrap().1.to_owned();
    let data = |range: std::ops::Range<usize>| std::str::from_utf8(&PAYLOAD[range]).unwrap();
    for (ends, signatures) in [
        (vec![0, 32, 47], vec![0, 2]),
        (vec![0, 32, 47], vec![1, 2]),
        (vec![0, 47], vec![2]),
        (vec![0, 15, 32, 47], vec![0, 1, 2]),
        (vec![0, 17, 32, 47], vec![0, 1, 2]),
    ] {
        let mut wire = String::new();
        for (pair, index) in ends.windows(2).zip(signatures) {
            let data = data(pair[0]..pair[1]);
            let signature = signature(index);
            wire.extend([format!("{:x};chunk-signature={signature}\r\n{data}\r\n", data.len())]);
        }
        wire.extend([format!("{}\r\n\r\n", lines[3])]);
        let refused = refusal(&upload, wire.as_bytes());
        assert_eq!(refused, ChunkError::ChunkSignature { chunk: 0 });
    }
}

#[test]
fn a_cut_end_is_refused() {
    for (chunks, algorithm) in ways() {
        let upload = upload(chunks, algorithm);
        let wire = upload.wire();
        let slow = algorithm == Algorithm::EcdsaP256Sha256;
        for end in (0..wire.len()).step_by(if slow { 31 } else { 1 }) {
            assert_eq!(upload.receive(&wire[..end], &[]), Err(ChunkError::CutOff), "{end}");
        }
        assert_eq!(ChunkError::CutOff.code(), "IncompleteBody");
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    for (chunks, algorithm) in ways() {
        let upload = upload(chunks, algorithm);
        for more in ["\r", "\n", "\r\n", "0", " ", "\0", "0\r\n\r\n"] {
            let wire = [upload.wire(), more.into()].concat();
            assert_eq!(refusal(&upload, &wire), ChunkError::AfterEnd, "{more:?}");
        }
    }
}

#[test]
fn sizes() {
    let malformed = ChunkError::Malformed { chunk: 0 };
    for to in [
        "", "010;", " 10;", "10 ;", "+10;", "-10;", "0x10;", "1 0;", "10;;", "10,", "g;", "10h;",
        "10\t;", "\u{661};",
    ] {
        let to = format!("{to}chunk-signature=");
        assert_eq!(edited(&signed(), "10;chunk-signature=", &to), malformed, "{to}");
    }
    for (from, to) in [
        (";chunk-signature=", ";chunk-signature ="),
        (";chunk-signature=", "; chunk-signature="),
        (";chunk-signature=", ";Chunk-Signature="),
        (";chunk-signature=", ";other=1;chunk-signature="),
        ("10;", "\r\n10;"),
    ] {
        assert_eq!(edited(&signed(), from, to), malformed, "{to}");
    }
    // After the signature, and a signature of another length.
    for more in [";other=1", " ", "0", "**"] {
        let wire = signed().wire();
        let end = wire.iter().position(|byte| *byte == b'\r').unwrap();
        let wire = [&wire[..end], more.as_bytes(), &wire[end..]].concat();
        assert_eq!(refusal(&signed(), &wire), ChunkError::ChunkSignature { chunk: 0 });
    }
    // Wrong sizes: more than there is, or less.
    assert_eq!(edited(&signed(), "10;", "11;"), malformed);
    assert_eq!(edited(&signed(), "10;", "f;"), malformed);
    assert_eq!(edited(&signed(), "10;", "30;"), ChunkError::DecodedLength);
    for (to, size) in [("ffff1;", 0xf_fff1), ("ffffffffffffffff;", u64::MAX)] {
        let error = edited(&signed(), "10;", to);
        let maximum = SMALL.max_chunk;
        let too_large = ChunkError::ChunkTooLarge { chunk: 0, size, maximum };
        assert_eq!(error, if size > 1 << 20 { too_large } else { ChunkError::DecodedLength });
    }
    assert_eq!(edited(&signed(), "10;", "10000000000000000;"), malformed);
    // Unsigned chunks have a size and nothing else.
    for to in ["10;a\r\n", "10 \r\n", "010\r\n", "10;chunk-signature=0\r\n", "\r\n10\r\n", "\r\n"] {
        assert_eq!(edited(&unsigned(), "10\r\n", to), malformed, "{to:?}");
    }
    assert_eq!(edited(&unsigned(), "10\r\n", "ffffffffffffffff\r\n"), ChunkError::DecodedLength);
    // Upper-case digits are those of some SDKs.
    let upload = Upload::new(
        Chunks::UnsignedWith(ChecksumAlgorithm::Crc32),
        Algorithm::HmacSha256,
        &[7; 10],
        &[],
    );
    let wire = String::from_utf8(upload.wire()).unwrap().replacen("a\r\n", "A\r\n", 1);
    upload.receive(wire.as_bytes(), &[]).unwrap();
}

#[test]
fn ends_of_lines() {
    for upload in [signed(), with_trailer(), unsigned()] {
        let wire = upload.wire();
        let ends: Vec<usize> =
            (0..wire.len()).filter(|at| wire[*at..].starts_with(b"\r\n")).collect();
        assert!(ends.len() >= 8);
        for at in ends {
            for end in
                ["\n", "\r", "\n\r", "\r\r\n", "\r\n\r\n", "", "\n\n", " \r\n", "\r \n", "\n\r\n"]
            {
                let mutant = [&wire[..at], end.as_bytes(), &wire[at + 2..]].concat();
                if mutant == wire {
                    continue;
                }
                // A blank after the value of a trailer is no part of it.
                let value = wire[..at].iter().rposition(|b| *b == b'\n').unwrap_or(0);
                let in_trailer = wire[value + 1..].starts_with(b"x-amz-");
                if end == " \r\n" && in_trailer {
                    continue;
                }
                refusal(&upload, &mutant);
            }
        }
    }
}

#[test]
fn lengths() {
    // One byte more or less than was announced, with signatures that are right.
    for (announced, wire_of) in [(46_u8, PAYLOAD), (48, PAYLOAD)] {
        let mut head = signed().head;
        head.set("x-amz-decoded-content-length", &announced.to_string());
        assert!(begin(&head, SMALL).is_err(), "the length is signed");
        let mut payload = wire_of.to_vec();
        payload.resize(usize::from(announced), b'.');
        let other = Upload::new(Chunks::Signed, Algorithm::HmacSha256, &payload, &[16, 16]);
        let refused = refusal(&other, &signed().wire());
        assert!(matches!(refused, ChunkError::ChunkSignature { chunk: 0 }));
        let checksum = Chunks::UnsignedWith(ChecksumAlgorithm::Crc32c);
        let other = Upload::new(checksum, Algorithm::HmacSha256, &payload, &[16, 16]);
        assert_eq!(refusal(&other, &unsigned().wire()), ChunkError::DecodedLength);
    }
}

#[test]
fn limits() {
    let upload = signed();
    let wire = upload.wire();
    let exact = Limits { max_chunk: 16, min_chunk: 16 };
    read(upload.begin(exact).unwrap(), &wire, &[]).unwrap();
    let under = Limits { max_chunk: 15, min_chunk: 0 };
    let refused = read(upload.begin(under).unwrap(), &wire, &[]).unwrap_err();
    assert_eq!(refused, ChunkError::ChunkTooLarge { chunk: 0, size: 16, maximum: 15 });
    let over = Limits { max_chunk: 100, min_chunk: 17 };
    let refused = read(upload.begin(over).unwrap(), &wire, &[]).unwrap_err();
    assert_eq!(refused, ChunkError::ChunkTooSmall { chunk: 1, minimum: 17 });
    assert_eq!((refused.code(), refused.status()), ("InvalidChunkSizeError", 403));
    assert_eq!(
        ChunkError::ChunkTooSmall { chunk: 1, minimum: Limits::default().min_chunk }
            .public_message(),
        "Only the last chunk is allowed to have a size less than 8192 bytes"
    );
    // The last chunk with data may be small.
    let large = Upload::new(Chunks::Signed, Algorithm::HmacSha256, &[7; 8193], &[8192]);
    read(large.begin(Limits::default()).unwrap(), &large.wire(), &[]).unwrap();

    // Lines that never end.
    let mut verifier = upload.begin(SMALL).unwrap();
    let endless = vec![b'1'; 10_000];
    let refused = verifier.push(&mut &endless[..]).unwrap_err();
    assert_eq!(refused, ChunkError::LineTooLong { chunk: 0 });
    let trailer = with_trailer();
    let end = trailer.wire();
    let at = end.windows(6).position(|window| window == b"x-amz-").unwrap();
    for endless in ["a", "a:\r\n", "\r", "x-amz-checksum-crc32c:"] {
        let wire = [&end[..at], endless.repeat(3000).as_bytes()].concat();
        refusal(&trailer, &wire);
    }
    let wire = [&end[..at], &vec![b'a'; 3000]].concat();
    assert_eq!(refusal(&trailer, &wire), ChunkError::TrailersTooLarge);
}

/// A line before a chunk is as long as its longest size and signature, and no byte longer.
#[test]
fn lines_before_chunks_have_a_longest() {
    let line = |signature: usize| {
        format!("{};chunk-signature={}\r\n", "f".repeat(16), "0".repeat(signature))
    };
    for upload in [signed(), upload(Chunks::Signed, Algorithm::EcdsaP256Sha256)] {
        let longest = refusal(&upload, line(144).as_bytes());
        assert!(matches!(longest, ChunkError::ChunkTooLarge { size: u64::MAX, .. }), "{longest}");
        let longer = refusal(&upload, line(145).as_bytes());
        assert_eq!(longer, ChunkError::LineTooLong { chunk: 0 });
    }
}

/// 2048 bytes of trailers and of the empty line after them, and no byte more.
#[test]
fn trailers_have_a_longest() {
    let upload = unsigned();
    let all = lines(&upload);
    let [zero, crc, "", ""] = &all.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        panic!("{all:?}")
    };
    // Blanks around a value are no part of it, and fill the line.
    let (name, value) = crc.split_once(':').unwrap();
    let padded = |bytes: usize| {
        let blanks = " ".repeat(bytes - name.len() - value.len() - ":\r\n\r\n".len());
        with_lines(&upload, &[zero, &format!("{name}:{blanks}{value}"), "", ""])
    };
    let (received, _) = upload.receive(&padded(2048), &[]).unwrap();
    assert_eq!(received, PAYLOAD);
    assert_eq!(refusal(&upload, &padded(2049)), ChunkError::TrailersTooLarge);
    assert_eq!(refusal(&upload, &padded(2060)), ChunkError::TrailersTooLarge);
}

/// A tab is a blank; other control characters stand in no line.
#[test]
fn trailers_hold_no_controls() {
    let upload = unsigned();
    let all = lines(&upload);
    let [zero, crc, "", ""] = &all.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        panic!("{all:?}")
    };
    let spread = crc.replace(':', ":\t");
    upload.receive(&with_lines(&upload, &[zero, &spread, "", ""]), &[]).unwrap();
    for bad in ["\0", "\u{1}", "\r", "\u{b}", "\u{1f}", "\u{7f}"] {
        let spoilt = crc.replace(':', &format!(":{bad}"));
        let refused = refusal(&upload, &with_lines(&upload, &[zero, &spoilt, "", ""]));
        assert_eq!(refused, ChunkError::MalformedTrailers, "{bad:?}");
    }
    // Nor does a line end without its CR.
    let wire = with_lines(&upload, &[zero, &format!("{crc}\n"), "", ""]);
    assert_eq!(refusal(&upload, &wire), ChunkError::MalformedTrailers);
}

/// Texts of the trailers of an upload: each line, without its end.
fn lines(upload: &Upload) -> Vec<String> {
    let end = String::from_utf8(upload.pieces[3].clone()).unwrap();
    end.split("\r\n").map(str::to_owned).collect()
}

fn with_lines(upload: &Upload, lines: &[&str]) -> Vec<u8> {
    let mut spoilt = upload.clone();
    spoilt.pieces[3] = lines.join("\r\n").into_bytes();
    spoilt.wire()
}

#[test]
fn trailers() {
    let checksum = ChecksumAlgorithm::Crc32c;
    for algorithm in [Algorithm::HmacSha256, Algorithm::EcdsaP256Sha256] {
        let upload = upload(Chunks::SignedWith(checksum), algorithm);
        let all = lines(&upload);
        let [zero, crc, signature, "", ""] =
            &all.iter().map(String::as_str).collect::<Vec<_>>()[..]
        else {
            panic!("{all:?}")
        };
        let check = |lines: &[&str]| refusal(&upload, &with_lines(&upload, lines));
        // Left out, repeated, out of order.
        assert_eq!(check(&[zero, signature, "", ""]), ChunkError::TrailerSignature);
        assert_eq!(check(&[zero, crc, "", ""]), ChunkError::UnsignedTrailers);
        assert_eq!(check(&[zero, "", ""]), ChunkError::UnsignedTrailers);
        let twice = ChunkError::DuplicateTrailer(checksum);
        assert_eq!(check(&[zero, crc, crc, signature, "", ""]), twice);
        assert_eq!(check(&[zero, signature, crc, "", ""]), ChunkError::TrailerSignature);
        for more in [signature, crc, &"x-amz-meta-a:1", &"a"] {
            let refused = check(&[zero, crc, signature, more, "", ""]);
            assert_eq!(refused, ChunkError::MalformedTrailers, "{more}");
        }
        // Not declared.
        for other in ["x-amz-checksum-crc32:AAAAAA==", "x-amz-meta-a:1", "host:a", ":", " :a"] {
            let refused = check(&[zero, crc, other, signature, "", ""]);
            assert_eq!(refused, ChunkError::UndeclaredTrailer, "{other}");
        }
        // Another value, with the right signature of the right one.
        let other = "x-amz-checksum-crc32c:AAAAAA==";
        assert_eq!(check(&[zero, other, signature, "", ""]), ChunkError::TrailerSignature);
        for bad in ["x-amz-checksum-crc32c", "", "\tx-amz-checksum-crc32c:AAAAAA=="] {
            check(&[zero, bad, signature, "", ""]);
        }
        // The signature of the last chunk is not that of the trailers.
        let (_, chunk) = zero.split_once('=').unwrap();
        let other = format!("x-amz-trailer-signature:{chunk}");
        assert_eq!(check(&[zero, crc, &other, "", ""]), ChunkError::TrailerSignature);
        assert_eq!(ChunkError::TrailerSignature.code(), "SignatureDoesNotMatch");
    }
    let upload = unsigned();
    let all = lines(&upload);
    let [zero, crc, "", ""] = &all.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        panic!("{all:?}")
    };
    let check = |lines: &[&str]| refusal(&upload, &with_lines(&upload, lines));
    let mismatch = ChunkError::ChecksumMismatch(checksum);
    assert_eq!(check(&[zero, "x-amz-checksum-crc32c:AAAAAA==", "", ""]), mismatch);
    assert_eq!(check(&[zero, "x-amz-checksum-crc32c:", "", ""]), mismatch);
    assert_eq!(check(&[zero, "", ""]), ChunkError::MissingTrailer(checksum));
    let undeclared = ChunkError::UndeclaredTrailer;
    assert_eq!(check(&[zero, crc, "x-amz-trailer-signature:0", "", ""]), undeclared);
    assert_eq!(check(&[zero, crc, crc, "", ""]), ChunkError::DuplicateTrailer(checksum));
    assert_eq!((mismatch.code(), mismatch.status()), ("BadDigest", 400));
    assert_eq!(undeclared.code(), "MalformedTrailerError");
}

/// A checksum that is signed and wrong: the signer's own mistake.
#[test]
fn a_signed_checksum_is_checked_too() {
    let checksum = Chunks::SignedWith(ChecksumAlgorithm::Crc32);
    // The head of one upload, and chunks signed in its chain but for another payload.
    let secret = secret();
    let signer = Signer {
        access_key_id: KEY_ID,
        secret: &secret,
        session_token: None,
        region: "us-east-1",
        service: "s3",
        uri: UriRules::S3,
        content_sha256: true,
    };
    let mut head = Request::new("PUT", "/k", &[("host", "s3")], "");
    let (added, mut chunks) =
        head.with(|head| signer.sign_streaming(head, checksum, 4, now()).unwrap());
    for (name, value) in added {
        head.add(name, &value);
    }
    chunks.forget_checksum();
    let mut wire = Vec::new();
    chunks.chunk(b"abcd", &mut wire).unwrap();
    chunks.finish(&mut wire).unwrap();
    let refused = read(begin(&head, SMALL).unwrap(), &wire, &[]).unwrap_err();
    assert_eq!(refused, ChunkError::ChecksumMismatch(ChecksumAlgorithm::Crc32));
}

//! Payloads in chunks: what is valid, however it is cut up, and what the head must say.

use proptest::prelude::*;

use super::reference::Forge;
use super::*;
use crate::sigv4::chunked::Finished;

/// No smallest chunk, so that tests may use small ones.
pub(super) const SMALL: Limits = Limits { max_chunk: 1 << 20, min_chunk: 0 };

/// Every way to send chunks.
pub(super) fn ways() -> Vec<(Chunks, Algorithm)> {
    let mut ways = vec![
        (Chunks::Signed, Algorithm::EcdsaP256Sha256),
        (Chunks::SignedWith(ChecksumAlgorithm::Crc64Nvme), Algorithm::EcdsaP256Sha256),
        (Chunks::UnsignedWith(ChecksumAlgorithm::Crc32), Algorithm::EcdsaP256Sha256),
        (Chunks::Signed, Algorithm::HmacSha256),
    ];
    for checksum in ChecksumAlgorithm::ALL {
        ways.push((Chunks::SignedWith(checksum), Algorithm::HmacSha256));
        ways.push((Chunks::UnsignedWith(checksum), Algorithm::HmacSha256));
    }
    ways
}

/// An upload: its head, signed, and its body in pieces: a chunk each, and the end.
#[derive(Clone)]
pub(super) struct Upload {
    pub(super) head: Request,
    pub(super) pieces: Vec<Vec<u8>>,
}

impl Upload {
    pub(super) fn new(
        chunks: Chunks,
        algorithm: Algorithm,
        payload: &[u8],
        sizes: &[usize],
    ) -> Self {
        Self::at("/bucket/key", chunks, algorithm, payload, sizes)
    }

    pub(super) fn at(
        target: &str,
        chunks: Chunks,
        algorithm: Algorithm,
        payload: &[u8],
        sizes: &[usize],
    ) -> Self {
        let mut head = Request::new("PUT", target, &[("host", "s3.example.com")], "");
        let length = payload.len() as u64;
        let secret = secret();
        let (added, mut signer) = match algorithm {
            Algorithm::HmacSha256 => head.with(|head| {
                let signer = Signer {
                    access_key_id: KEY_ID,
                    secret: &secret,
                    session_token: None,
                    region: "us-east-1",
                    service: "s3",
                    uri: UriRules::S3,
                    content_sha256: true,
                };
                signer.sign_streaming(head, chunks, length, now()).unwrap()
            }),
            Algorithm::EcdsaP256Sha256 | Algorithm::X509RsaSha256 | Algorithm::X509EcdsaSha256 => {
                head.with(|head| {
                    let key = SigningKeyV4a::derive(&secret, KEY_ID).unwrap();
                    let signer = SignerV4a {
                        access_key_id: KEY_ID,
                        key: &key,
                        session_token: None,
                        region_set: "us-*",
                        service: "s3",
                        uri: UriRules::S3,
                        content_sha256: true,
                    };
                    signer.sign_streaming(head, chunks, length, now()).unwrap()
                })
            }
        };
        for (name, value) in added {
            head.add(name, &value);
        }
        let mut pieces = Vec::new();
        let mut rest = payload;
        for size in sizes.iter().copied().chain(std::iter::repeat(usize::MAX)) {
            if rest.is_empty() {
                break;
            }
            let (now, after) = rest.split_at(size.clamp(1, rest.len()));
            let mut piece = Vec::new();
            signer.chunk(now, &mut piece).unwrap();
            pieces.push(piece);
            rest = after;
        }
        let mut end = Vec::new();
        signer.finish(&mut end).unwrap();
        pieces.push(end);
        Self { head, pieces }
    }

    pub(super) fn wire(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    /// Verifies the head, and begins with the chunks.
    pub(super) fn begin(&self, limits: Limits) -> Result<ChunkVerifier, SigError> {
        begin(&self.head, limits)
    }

    /// Verifies the head and then this body, cut at these places.
    pub(super) fn receive(
        &self,
        wire: &[u8],
        cuts: &[usize],
    ) -> Result<(Vec<u8>, Finished), ChunkError> {
        read(self.begin(SMALL).unwrap(), wire, cuts)
    }
}

pub(super) fn begin(head: &Request, limits: Limits) -> Result<ChunkVerifier, SigError> {
    head.with(|head| {
        let presented = parse(head)?.expect("credentials");
        match presented.algorithm() {
            Algorithm::HmacSha256 => {
                let key = SigningKey::derive(&secret(), presented.scope());
                verify(&presented, &key, Body::Streamed, &s3())?.chunks(&key, limits)
            }
            Algorithm::EcdsaP256Sha256 | Algorithm::X509RsaSha256 | Algorithm::X509EcdsaSha256 => {
                let key = public();
                let region = Some("us-east-1");
                verify_v4a(&presented, key, region, Body::Streamed, &s3())?.chunks_v4a(key, limits)
            }
        }
    })
}

pub(super) fn read(
    mut verifier: ChunkVerifier,
    wire: &[u8],
    cuts: &[usize],
) -> Result<(Vec<u8>, Finished), ChunkError> {
    let mut payload = Vec::new();
    let mut rest = wire;
    for cut in cuts.iter().copied().chain([usize::MAX]) {
        let (mut now, after) = rest.split_at(cut.min(rest.len()));
        while let Some(bytes) = verifier.push(&mut now)? {
            assert!(!bytes.is_empty());
            payload.extend_from_slice(bytes);
        }
        assert!(now.is_empty());
        rest = after;
    }
    verifier.finish().map(|finished| (payload, finished))
}

#[test]
fn every_way_is_good() {
    let payload: Vec<u8> = (0..100).collect();
    for (chunks, algorithm) in ways() {
        for payload in [&payload[..], b""] {
            let upload = Upload::new(chunks, algorithm, payload, &[40, 1]);
            let (received, finished) = upload.receive(&upload.wire(), &[]).unwrap();
            assert_eq!(received, payload, "{chunks:?}");
            assert_eq!(finished.decoded_length(), payload.len() as u64);
            let declared = finished.trailers().iter().map(|(algorithm, _)| *algorithm);
            let sent = match chunks {
                Chunks::Signed => None,
                Chunks::SignedWith(checksum) | Chunks::UnsignedWith(checksum) => Some(checksum),
            };
            assert_eq!(declared.collect::<Vec<_>>(), Vec::from_iter(sent));
        }
    }
}

#[test]
fn what_is_announced() {
    let checksum = ChecksumAlgorithm::Crc32c;
    let chunks = Chunks::SignedWith(checksum);
    let upload = Upload::new(chunks, Algorithm::HmacSha256, &[1; 30], &[10]);
    upload.head.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        assert_eq!(presented.streaming_mode(), Some(StreamingMode::SignedTrailer));
        let key = SigningKey::derive(&secret(), presented.scope());
        let verified = verify(&presented, &key, Body::Streamed, &s3()).unwrap();
        assert_eq!(verified.payload(), PayloadCheck::Streaming(StreamingMode::SignedTrailer));
        let streaming = verified.streaming().unwrap();
        assert_eq!(streaming.decoded_length(), 30);
        assert_eq!(streaming.trailers(), [checksum]);
        // What is told of it when debugging is what was announced, and no signature.
        let debug = format!("{verified:?}");
        assert!(debug.contains("Seed { streaming: Streaming { mode: SignedTrailer"), "{debug}");
        assert!(!debug.contains("signature"), "{debug}");
        // A key of another scope, or kind, begins nothing.
        let other = SigningKey::derive(&secret(), Scope { region: "x", ..presented.scope() });
        assert_eq!(verified.chunks(&other, SMALL).err(), Some(SigError::WrongSigningKey));
        let other = VerifyingKey::derive(&secret(), KEY_ID).unwrap();
        let refused = verified.chunks_v4a(&other, SMALL).err();
        assert_eq!(refused, Some(SigError::UnsupportedAlgorithm));
        // Whoever does not say that it reads chunks gets none.
        for body in [Body::Unavailable, Body::Bytes(b""), Body::Sha256([0; 32])] {
            let refused = verify(&presented, &key, body, &s3()).unwrap_err();
            assert_eq!(refused, SigError::StreamingPayload);
        }
    });
}

#[test]
fn a_body_that_is_no_stream_may_be_streamed_too() {
    let mut request = Request::new("PUT", "/key", &[("host", "s3")], "body");
    request.sign(UriRules::S3, None);
    let verified = request.check_body(Body::Streamed, &s3()).unwrap();
    assert!(matches!(verified.payload(), PayloadCheck::SignedHash(_)));
    assert!(verified.streaming().is_none());
    let key = SigningKey::derive(&secret(), Scope { date: "20150830", region: "", service: "s3" });
    assert_eq!(verified.chunks(&key, SMALL).err(), Some(SigError::PayloadMode));
}

/// A head that is signed whatever it says.
fn forged(headers: &[(&str, &str)], rules: &Rules) -> Result<Verified, SigError> {
    let mut request = Request::new("PUT", "/key", &[("host", "s3.example.com")], "");
    request.add("x-amz-date", "20150830T123600Z");
    for (name, value) in headers {
        request.add(name, value);
    }
    let mut names: Vec<&str> = ["host", "x-amz-date"].into();
    names.extend(headers.iter().map(|(name, _)| *name));
    names.sort_unstable();
    let signed = names.join(";");
    let payload = request.get("x-amz-content-sha256");
    let forge =
        Forge { signed: &signed, payload: Some(&payload), uri: rules.uri, ..Forge::default() };
    let authorization = forge.authorization(&request);
    request.add("authorization", &authorization);
    request.check_body(Body::Streamed, rules)
}

#[test]
fn heads() {
    const MODE: (&str, &str) = ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    const WITH: (&str, &str) =
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
    const UNSIGNED: (&str, &str) = ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    let trailer = |names| ("x-amz-trailer", names);
    let length = |text| ("x-amz-decoded-content-length", text);
    let crc = trailer("x-amz-checksum-crc32");
    forged(&[MODE, length("0")], &s3()).unwrap();
    forged(&[WITH, length("18446744073709551615"), crc], &s3()).unwrap();
    forged(&[UNSIGNED, length("7"), trailer("X-Amz-Checksum-SHA1, x-amz-checksum-crc32")], &s3())
        .unwrap();
    assert_eq!(forged(&[MODE], &s3()).unwrap_err(), SigError::DecodedLength);
    for bad in ["", "+1", "-1", "01", "1 ", "0x1", "1,1", "18446744073709551616", "1.0", "a"] {
        let refused = forged(&[MODE, length(bad)], &s3());
        // Outer blanks are no part of a value.
        if bad.trim() == bad {
            assert_eq!(refused.unwrap_err(), SigError::DecodedLength, "{bad:?}");
        }
    }
    for (mode, names) in [
        (MODE, Some("x-amz-checksum-crc32")),
        (WITH, None),
        (UNSIGNED, None),
        (WITH, Some("")),
        (WITH, Some("x-amz-checksum-md5")),
        (UNSIGNED, Some("x-amz-meta-a")),
        (UNSIGNED, Some("x-amz-trailer-signature")),
        (WITH, Some("x-amz-checksum-crc32,")),
        (WITH, Some("x-amz-checksum-crc32,x-amz-checksum-crc32")),
        (WITH, Some("x-amz-checksum-crc32;x-amz-checksum-sha1")),
    ] {
        let mut headers = vec![mode, length("1")];
        headers.extend(names.map(trailer));
        let refused = forged(&headers, &s3()).unwrap_err();
        assert_eq!(refused, SigError::UnsupportedTrailer, "{names:?}");
        assert_eq!((refused.code(), refused.status()), ("InvalidRequest", 400));
    }
    let missing = forged(&[MODE], &s3()).unwrap_err();
    assert_eq!((missing.code(), missing.status()), ("MissingContentLength", 411));
}

#[test]
fn museum_m03_modes_are_known_fit_the_signature_and_belong_to_s3() {
    let length = ("x-amz-decoded-content-length", "1");
    for mode in [
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD",
        "STREAMING-",
        "STREAMING-AWS4-HMAC-SHA256-EVENTS",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-trailer",
    ] {
        let refused = forged(&[("x-amz-content-sha256", mode), length], &s3()).unwrap_err();
        assert_eq!(refused, SigError::PayloadMode, "{mode}");
    }
    for mode in StreamingMode::ALL {
        let refused = forged(&[("x-amz-content-sha256", mode.name()), length], &standard());
        assert_eq!(refused.unwrap_err(), SigError::PayloadMode, "{mode:?}");
    }
}

/// The mode skips no check of the head: whatever the mode, a wrong signature is one.
#[test]
fn museum_m03_every_mode_has_its_head_checked() {
    for (chunks, algorithm) in ways() {
        let upload = Upload::new(chunks, algorithm, b"payload", &[]);
        upload.begin(SMALL).unwrap();
        for (name, value) in [
            ("x-amz-decoded-content-length", "6"),
            ("x-amz-date", "20150830T123601Z"),
            ("content-encoding", "identity"),
            ("host", "other"),
        ] {
            let mut head = upload.head.clone();
            head.set(name, value);
            let refused = begin(&head, SMALL).err().unwrap();
            assert!(matches!(refused, SigError::SignatureDoesNotMatch { .. }), "{refused}");
        }
        let mut head = upload.head.clone();
        let authorization = head.get("authorization");
        let (before, signature) = authorization.split_once("Signature=").unwrap();
        let random = "0".repeat(64);
        let other = match algorithm {
            Algorithm::HmacSha256 => random,
            Algorithm::EcdsaP256Sha256 | Algorithm::X509RsaSha256 | Algorithm::X509EcdsaSha256 => {
                signature.replace(&signature[20..22], "00")
            }
        };
        head.set("authorization", &format!("{before}Signature={other}"));
        assert!(begin(&head, SMALL).is_err());
        // And each of these headers is signed (M01).
        for name in ["x-amz-decoded-content-length", "x-amz-trailer", "x-amz-content-sha256"] {
            let mut head = upload.head.clone();
            let listed = authorization.replace(&format!(";{name}"), "");
            head.set("authorization", &listed);
            if listed != authorization {
                let refused = begin(&head, SMALL).err().unwrap();
                assert_eq!(refused, SigError::HeaderNotSigned { name: name.to_owned() });
            }
            head = upload.head.clone();
            head.add(name, "1");
            assert!(begin(&head, SMALL).is_err());
        }
    }
}

#[test]
fn a_presigned_request_has_no_chunks() {
    let mode = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    let headers =
        [("host", "s3"), ("x-amz-content-sha256", mode), ("x-amz-decoded-content-length", "1")];
    let mut request = Request::new("PUT", "/key", &headers, "");
    request.presign(UriRules::S3, None, 60);
    let refused = request.check_body(Body::Streamed, &s3()).unwrap_err();
    assert_eq!(refused, SigError::PayloadMode);
}

#[test]
fn a_signer_keeps_to_what_it_announced() {
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
    let head = Request::new(
        "PUT",
        "/key",
        &[("host", "s3"), ("Content-Encoding", "gzip,aws-chunked")],
        "",
    );
    head.with(|head| {
        let begin = || signer.sign_streaming(head, Chunks::Signed, 3, now()).unwrap();
        let (added, mut chunks) = begin();
        assert!(!added.iter().any(|(name, _)| *name == "content-encoding"));
        let mut out = Vec::new();
        assert_eq!(chunks.chunk(b"four", &mut out), Err(ChunkError::DecodedLength));
        let (_, chunks) = begin();
        assert_eq!(chunks.finish(&mut out), Err(ChunkError::DecodedLength));
        assert!(out.is_empty());
        let standard = Signer { uri: UriRules::Standard, ..signer };
        let refused = standard.sign_streaming(head, Chunks::Signed, 3, now()).err();
        assert_eq!(refused, Some(SigError::PayloadMode));
        let refused = standard.sign_unsigned_payload(head, now()).err();
        assert_eq!(refused, Some(SigError::PayloadMode));
    });
}

#[test]
fn memory_is_taken_as_bytes_arrive() {
    let limits = Limits { max_chunk: 8 << 20, min_chunk: 0 };
    let payload = vec![7; 8 << 20];
    let upload = Upload::new(Chunks::Signed, Algorithm::HmacSha256, &payload, &[]);
    let wire = upload.wire();
    let mut verifier = upload.begin(limits).unwrap();
    assert_eq!(verifier.buffered(), 0);
    // A size was claimed, and little came.
    assert!(verifier.push(&mut &wire[..200]).unwrap().is_none());
    assert!(verifier.buffered() <= 64 * 1024, "{}", verifier.buffered());
    assert!(verifier.push(&mut &wire[200..1 << 20]).unwrap().is_none());
    assert!(verifier.buffered() <= 2 << 20, "{}", verifier.buffered());
    let mut rest = &wire[1 << 20..];
    assert_eq!(verifier.push(&mut rest).unwrap().unwrap().len(), 8 << 20);
    assert_eq!(verifier.buffered(), 8 << 20, "the chunk, and no more");
    assert!(verifier.push(&mut rest).unwrap().is_none());
    verifier.finish().unwrap();
}

/// Room is made for as many bytes again as there are, for 64 KiB at least, and for no more than the
/// chunk has.
#[test]
fn memory_grows_with_what_arrives() {
    const KIB: usize = 1024;
    let upload = Upload::new(Chunks::Signed, Algorithm::HmacSha256, &vec![7; 1000 * KIB], &[]);
    let wire = upload.wire();
    let line = wire.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let mut verifier = upload.begin(SMALL).unwrap();
    assert!(verifier.push(&mut &wire[..line]).unwrap().is_none());
    let mut room = 0;
    for (arrived, mut bytes) in (1..).map(|n| n * 32 * KIB).zip(wire[line..].chunks(32 * KIB)) {
        let expected = match arrived / KIB {
            32 | 64 => 64,
            96..=192 => 192,
            224..=448 => 448,
            480..=960 => 960,
            _ => 1000,
        };
        let whole = verifier.push(&mut bytes).unwrap().map(<[u8]>::len);
        assert_eq!(verifier.buffered(), expected * KIB, "{arrived}");
        room = room.max(expected);
        if arrived > 1000 * KIB {
            assert_eq!(whole, Some(1000 * KIB));
            break;
        }
    }
    assert_eq!(room, 1000);
}

#[test]
fn nothing_is_held_where_nothing_is_signed() {
    let chunks = Chunks::UnsignedWith(ChecksumAlgorithm::Sha256);
    let upload = Upload::new(chunks, Algorithm::HmacSha256, &vec![7; 1 << 20], &[]);
    let mut verifier = upload.begin(Limits { max_chunk: 10, min_chunk: 0 }).unwrap();
    let mut received = 0;
    for mut packet in upload.wire().chunks(1000) {
        while let Some(bytes) = verifier.push(&mut packet).unwrap() {
            received += bytes.len();
        }
        assert_eq!(verifier.buffered(), 0);
    }
    assert_eq!(received, 1 << 20);
    verifier.finish().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// However the bytes are cut up, what comes out is what went in.
    #[test]
    fn any_cut_gives_the_payload(
        payload in prop::collection::vec(any::<u8>(), 0..600),
        sizes in prop::collection::vec(1_usize..200, 0..8),
        cuts in prop::collection::vec(0_usize..90, 0..60),
        way in 4_usize..14,
    ) {
        let (chunks, algorithm) = ways()[way];
        let upload = Upload::new(chunks, algorithm, &payload, &sizes);
        let (received, _) = upload.receive(&upload.wire(), &cuts).unwrap();
        prop_assert_eq!(received, payload);
    }

    /// Whatever bytes follow a good head, nothing panics, and only the payload's own are whole.
    #[test]
    fn any_bytes_are_refused(
        wire in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            prop::collection::vec(prop::sample::select(&[
                "0", "1", "a", "\r\n", "\n", ";", ";chunk-signature=", ":", "x-amz-checksum-crc32",
                "x-amz-trailer-signature", " ", "AAAAAA==",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ][..]), 0..20).prop_map(|pieces| pieces.concat().into_bytes()),
        ],
        way in 4_usize..14,
    ) {
        let (chunks, algorithm) = ways()[way];
        let upload = Upload::new(chunks, algorithm, b"a payload of some bytes", &[]);
        prop_assert!(upload.receive(&wire, &[]).is_err());
    }
}

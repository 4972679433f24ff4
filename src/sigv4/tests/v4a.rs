//! SigV4A: what is its own.

use super::vectors::{Vector, request};
use super::*;

fn vector(name: &str, file: &str) -> Request {
    let vectors = Vector::all("v4a");
    let vector = vectors.iter().find(|vector| vector.name == name).unwrap();
    request(&vector.text(file))
}

fn header_form() -> Request {
    vector("get-vanilla", "header-signed-request.txt")
}

fn query_form() -> Request {
    vector("get-vanilla", "query-signed-request.txt")
}

#[test]
fn regions() {
    for request in [header_form(), query_form()] {
        let check = |region| request.check_in(region, Body::Bytes(b""), &standard());
        check(None).unwrap();
        check(Some("us-east-1")).unwrap();
        for other in ["us-east-2", "us-east-11", "", "*"] {
            assert_eq!(check(Some(other)).unwrap_err(), SigError::RegionNotCovered);
        }
    }
    let mut wider = header_form();
    wider.set("x-amz-region-set", "*");
    let error = wider.check(&standard()).unwrap_err();
    assert!(matches!(error, SigError::SignatureDoesNotMatch { .. }));
    wider.set("x-amz-region-set", "");
    assert_eq!(wider.check(&standard()).unwrap_err(), SigError::MalformedRegionSet);
    let mut wider = query_form();
    wider.target = wider.target.replace("Region-Set=us-east-1", "Region-Set=*");
    let error = wider.check(&standard()).unwrap_err();
    assert!(matches!(error, SigError::SignatureDoesNotMatch { .. }));
}

#[test]
fn the_region_set_must_be_there_once_and_signed() {
    let mut request = header_form();
    request.remove("x-amz-region-set");
    let error = request.check(&standard()).unwrap_err();
    assert_eq!(
        error.public_message(),
        "Authorization header requires a 'X-Amz-Region-Set' header."
    );

    let mut request = header_form();
    let unsigned = request.get("authorization").replace(";x-amz-region-set", "");
    request.set("authorization", &unsigned);
    assert!(matches!(request.check(&standard()).unwrap_err(), SigError::HeaderNotSigned { .. }));

    let mut request = header_form();
    request.add("x-amz-region-set", "*");
    let name = "x-amz-region-set";
    assert_eq!(request.check(&standard()).unwrap_err(), SigError::Duplicate { name });

    let mut request = query_form();
    request.target = request.target.replace("&X-Amz-Region-Set=us-east-1", "");
    let error = request.check(&standard()).unwrap_err();
    assert!(matches!(error, SigError::Incomplete { form: Form::Query, .. }));
    let mut request = query_form();
    request.target.push_str("&X-Amz-Region-Set=*");
    let name = "X-Amz-Region-Set";
    assert_eq!(request.check(&standard()).unwrap_err(), SigError::Duplicate { name });
}

#[test]
fn each_algorithm_has_its_key() {
    header_form().with(|head| {
        let presented = parse(head).unwrap().unwrap();
        let key = SigningKey::derive(&secret(), presented.scope());
        let refused = verify(&presented, &key, Body::Bytes(b""), &standard());
        assert_eq!(refused.unwrap_err(), SigError::UnsupportedAlgorithm);
        let key = VerifyingKey::derive(&secret(), "AKIDOTHER").unwrap();
        let refused = verify_v4a(&presented, &key, None, Body::Bytes(b""), &standard());
        assert_eq!(refused.unwrap_err(), SigError::WrongSigningKey);
    });
    let mut request = sts_post();
    request.sign(UriRules::Standard, None);
    request.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        let key = VerifyingKey::derive(&secret(), KEY_ID).unwrap();
        let refused = verify_v4a(&presented, &key, None, Body::Bytes(&request.body), &standard());
        assert_eq!(refused.unwrap_err(), SigError::UnsupportedAlgorithm);
    });
}

#[test]
fn algorithms_are_not_exchanged() {
    // A MAC is no ECDSA signature and the other way round, nor do their credentials fit.
    let mut request = header_form();
    let other = request.get("authorization").replace("ECDSA-P256", "HMAC");
    request.set("authorization", &other);
    assert_eq!(request.check(&standard()).unwrap_err(), SigError::MalformedCredential);
    let mut request = header_form();
    let region = request.get("authorization").replace("/service/", "/us-east-1/service/");
    request.set("authorization", &region);
    assert_eq!(request.check(&standard()).unwrap_err(), SigError::MalformedCredential);
}

#[test]
fn museum_m13_m37_signatures() {
    let valid = header_form();
    valid.check(&standard()).unwrap();
    let authorization = valid.get("authorization");
    let (head, signature) = authorization.split_once("Signature=").unwrap();
    let check = |signature: &str| {
        let mut request = valid.clone();
        request.set("authorization", &format!("{head}Signature={signature}"));
        request.check(&standard()).map(|_| ())
    };
    check(signature).unwrap();
    for end in 0..signature.len() {
        check(&signature[..end]).unwrap_err();
        check(&signature[signature.len() - end..]).unwrap_err();
    }
    for end in ["0", "00", "0000"] {
        check(&format!("{signature}{end}")).unwrap_err();
    }
    assert_eq!(check("").unwrap_err(), SigError::MalformedSignature);
    check(&signature.to_uppercase()).unwrap_err();
    let bytes = data_encoding::HEXLOWER.decode(signature.as_bytes()).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        check(&data_encoding::HEXLOWER.encode(&flipped)).unwrap_err();
    }
    // r and s of nothing (CVE-2022-21449), of the order of the curve, and negative.
    let order = "00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    for hostile in [
        "3006020100020100".to_owned(),
        "3006020101020100".to_owned(),
        "3006020100020101".to_owned(),
        "30060201ff0201ff".to_owned(),
        format!("30460221{order}0221{order}"),
        "3000".to_owned(),
        "30".to_owned(),
    ] {
        let error = check(&hostile).unwrap_err();
        assert!(matches!(error, SigError::SignatureDoesNotMatch { .. }), "{hostile}: {error}");
    }
}

/// Whatever the length of the signature itself, so that the length of a body is known beforehand.
#[test]
fn signatures_of_chunks_are_of_one_length() {
    let upload = super::chunked::Upload::new(
        Chunks::Signed,
        Algorithm::EcdsaP256Sha256,
        b"one two three four",
        &[4, 4, 6],
    );
    for piece in &upload.pieces {
        let end = piece.iter().position(|byte| *byte == b'\r').unwrap();
        let line = std::str::from_utf8(&piece[..end]).unwrap();
        let (_, signature) = line.split_once(";chunk-signature=").unwrap();
        assert_eq!(signature.len(), 144, "{line}");
        assert!(signature.trim_end_matches('*').bytes().all(|digit| digit.is_ascii_hexdigit()));
    }
}

#[test]
fn bytes_of_the_request() {
    let valid = header_form();
    for (index, (name, value)) in valid.headers.iter().enumerate() {
        if name.eq_ignore_ascii_case("authorization") {
            continue;
        }
        for at in 0..value.len() {
            let mut mutant = valid.clone();
            mutant.headers[index].1[at] ^= 1;
            mutant.check(&standard()).unwrap_err();
        }
    }
    let valid = query_form();
    for at in 0..valid.target.len() {
        let mut bytes = valid.target.clone().into_bytes();
        bytes[at] ^= 1;
        // Without its `?` the target is a path, and presents nothing.
        if let Ok(target) = String::from_utf8(bytes)
            && target.contains('?')
        {
            Request { target, ..valid.clone() }.check(&standard()).unwrap_err();
        }
    }
}

#[test]
fn time_counts_here_too() {
    let header = header_form();
    let query = query_form();
    let at = |request: &Request, secs| {
        request.check(&Rules::new(UriRules::Standard, now().plus_secs(secs)))
    };
    at(&header, 900).unwrap();
    assert!(matches!(at(&header, 901).unwrap_err(), SigError::Expired { .. }));
    at(&query, 3600).unwrap();
    assert!(matches!(at(&query, 3601).unwrap_err(), SigError::PresignedExpired { .. }));
}

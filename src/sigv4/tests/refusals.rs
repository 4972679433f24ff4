//! One refusal per rule: requests whose signature is right, and which break one rule.

use super::reference::{Forge, sha256};
use super::*;

/// A request with host and date, to be signed by a [`Forge`].
pub(super) fn dated() -> Request {
    let mut request = sts_post();
    request.add("X-Amz-Date", "20150830T123600Z");
    request
}

pub(super) fn forged(request: &Request, forge: &Forge<'_>) -> Request {
    let mut request = request.clone();
    let authorization = forge.authorization(&request);
    request.add("Authorization", &authorization);
    request
}

pub(super) fn refusal(request: &Request) -> SigError {
    request.check(&standard()).unwrap_err()
}

/// A valid request whose Authorization header is edited.
fn edited(from: &str, to: &str) -> SigError {
    let mut request = forged(&dated(), &Forge::default());
    let authorization = request.get("authorization");
    assert!(authorization.contains(from));
    request.set("authorization", &authorization.replace(from, to));
    refusal(&request)
}

#[test]
fn the_forge_makes_valid_requests() {
    let verified = forged(&dated(), &Forge::default()).check(&standard()).unwrap();
    assert_eq!(verified.payload(), PayloadCheck::Verified);
    assert_eq!(verified.signed_at(), now());
    assert_eq!(verified.form(), Form::Header);
    assert!(verified.path_as_signed());
}

#[test]
fn nobody_is_anonymous_and_half_a_credential_is_not() {
    assert!(sts_post().with(|head| parse(head).unwrap().is_none()));
    let mut request = sts_post();
    request.add("X-Amz-Security-Token", "token");
    let error = request.with(|head| parse(head).err()).unwrap();
    assert!(matches!(error, SigError::Incomplete { .. }), "{error}");
}

#[test]
fn museum_m01_unsigned_amz_headers() {
    for name in ["X-Amz-Security-Token", "x-amz-copy-source", "x-AMZ-acl", "x-amz-content-sha256"] {
        let mut request = dated();
        request.add(name, "a");
        let error = refusal(&forged(&request, &Forge::default()));
        assert_eq!(error, SigError::HeaderNotSigned { name: name.to_owned() });
        assert_eq!((error.code(), error.status()), ("SignatureDoesNotMatch", 403));
    }
    // x-amzn-trace-id is a load balancer's, not one of them.
    let mut request = dated();
    request.add("x-amzn-trace-id", "a");
    forged(&request, &Forge::default()).check(&standard()).unwrap();
}

#[test]
fn museum_m02_host_and_date_must_be_signed() {
    let forge = Forge { signed: "x-amz-date", ..Forge::default() };
    assert_eq!(refusal(&forged(&dated(), &forge)), SigError::HostNotSigned);
    let forge = Forge { signed: "host", ..Forge::default() };
    let name = "X-Amz-Date".to_owned();
    assert_eq!(refusal(&forged(&dated(), &forge)), SigError::HeaderNotSigned { name });

    let mut request = sts_post();
    request.add("Date", "Sun, 30 Aug 2015 12:36:00 GMT");
    assert_eq!(refusal(&forged(&request, &forge)), SigError::DateNotSigned);
    let forge = Forge { signed: "date;host", ..Forge::default() };
    let valid = forged(&request, &forge);
    valid.check(&standard()).unwrap();
    // With an x-amz-date that is not signed, the signed Date does not count.
    let mut both = valid.clone();
    both.add("x-amz-date", "20150830T123600Z");
    assert!(matches!(refusal(&both), SigError::HeaderNotSigned { .. }));

    let mut elsewhere = forged(&dated(), &Forge::default());
    elsewhere.set("host", "other.example.com");
    assert!(matches!(refusal(&elsewhere), SigError::SignatureDoesNotMatch { .. }));
    let mut nowhere = forged(&dated(), &Forge::default());
    nowhere.remove("host");
    assert!(matches!(refusal(&nowhere), SigError::SignedHeaderAbsent { .. }));
}

#[test]
fn museum_m03_payload_modes() {
    let refused = |mode: &str, rules: &Rules| {
        let mut request = dated();
        request.add("x-amz-content-sha256", mode);
        let forge = Forge {
            signed: "host;x-amz-content-sha256;x-amz-date",
            payload: Some(mode),
            uri: rules.uri,
            ..Forge::default()
        };
        forged(&request, &forge).check(rules)
    };
    for mode in [
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
    ] {
        for rules in [standard(), s3()] {
            assert_eq!(refused(mode, &rules).unwrap_err(), SigError::StreamingPayload);
        }
    }
    assert_eq!(refused("UNSIGNED-PAYLOAD", &standard()).unwrap_err(), SigError::PayloadMode);
    let verified = refused("UNSIGNED-PAYLOAD", &s3()).unwrap();
    assert_eq!(verified.payload(), PayloadCheck::Unsigned);
    for mode in ["unsigned-payload", "", "abc", "UNSIGNED-PAYLOAD "] {
        let error = refused(mode, &standard()).unwrap_err();
        assert_eq!(error, SigError::PayloadMode, "{mode:?}");
    }
    let capitals = sha256(&sts_post().body).to_uppercase();
    assert_eq!(refused(&capitals, &s3()).unwrap_err(), SigError::PayloadMode);
    let other = sha256(b"other");
    assert_eq!(refused(&other, &standard()).unwrap_err(), SigError::PayloadMismatch);
    let same = sha256(&sts_post().body);
    assert_eq!(refused(&same, &standard()).unwrap().payload(), PayloadCheck::Verified);
}

#[test]
fn a_body_that_is_not_there() {
    let valid = forged(&dated(), &Forge::default());
    let refused = valid.check_body(Body::Unavailable, &standard()).unwrap_err();
    assert_eq!(refused, SigError::BodyUnavailable);
    let hash: [u8; 32] =
        data_encoding::HEXLOWER.decode(sha256(&valid.body).as_bytes()).unwrap().try_into().unwrap();
    valid.check_body(Body::Sha256(hash), &standard()).unwrap();
    let refused = valid.check_body(Body::Sha256([0; 32]), &standard()).unwrap_err();
    assert!(matches!(refused, SigError::SignatureDoesNotMatch { .. }));

    let mut request = dated();
    request.add("x-amz-content-sha256", &sha256(&valid.body));
    let forge = Forge { signed: "host;x-amz-content-sha256;x-amz-date", ..Forge::default() };
    let verified = forged(&request, &forge).check_body(Body::Unavailable, &standard()).unwrap();
    assert_eq!(verified.payload(), PayloadCheck::SignedHash(hash));
}

#[test]
fn museum_m05_m07_credentials_twice() {
    for query in [
        "X-Amz-Signature=a",
        "x-amz-signature=a",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "X-AMZ-CREDENTIAL=a",
        "X%2DAmz%2dCredential=a",
        "x-amz-security-token",
        "a=b&X-Amz-Expires=1",
        "X-Amz-Date=20150830T123600Z",
        "X-Amz-SignedHeaders=host",
    ] {
        let mut request = dated();
        request.target = format!("/?{query}");
        let error = refusal(&forged(&request, &Forge::default()));
        assert_eq!(error, SigError::ConflictingCredentials, "{query}");
    }
}

#[test]
fn museum_m07_duplicates() {
    for (name, signed) in [
        ("host", "host;x-amz-date"),
        ("x-amz-date", "host;x-amz-date"),
        ("x-amz-security-token", "host;x-amz-date;x-amz-security-token"),
        ("x-amz-content-sha256", "host;x-amz-content-sha256;x-amz-date"),
        ("x-amz-target", "host;x-amz-date;x-amz-target"),
        ("content-type", "content-type;host;x-amz-date"),
        ("date", "date;host;x-amz-date"),
        ("content-length", "content-length;host;x-amz-date"),
        ("x-amz-region-set", "host;x-amz-date;x-amz-region-set"),
        ("x-amz-trailer", "host;x-amz-date;x-amz-trailer"),
        ("x-amz-decoded-content-length", "host;x-amz-date;x-amz-decoded-content-length"),
    ] {
        let mut request = dated();
        request.set(name, "20150830T123600Z").add(&name.to_uppercase(), "20150830T123600Z");
        let forge = Forge { signed, ..Forge::default() };
        assert_eq!(refusal(&forged(&request, &forge)), SigError::Duplicate { name });
    }
    // Others may, also those that are as long as one of these.
    let mut request = dated();
    for length in [4, 10, 12, 13, 14, 16, 20, 28] {
        let name = "o".repeat(length);
        request.add(&name, "1").add(&name, "2");
    }
    forged(&request, &Forge::default()).check(&standard()).unwrap();
    let mut twice = forged(&dated(), &Forge::default());
    let authorization = twice.get("authorization");
    twice.add("authorization", &authorization);
    assert_eq!(refusal(&twice), SigError::Duplicate { name: "authorization" });
    for parameter in ["Credential", "SignedHeaders", "Signature"] {
        let error = edited(&format!("{parameter}="), &format!("{parameter}=, {parameter}="));
        assert_eq!(error, SigError::Duplicate { name: parameter });
    }
}

#[test]
fn museum_m09_bound_to_method_region_and_service() {
    let valid = forged(&dated(), &Forge::default());
    let get = Request { method: "GET".to_owned(), ..valid.clone() };
    assert!(matches!(refusal(&get), SigError::SignatureDoesNotMatch { .. }));
    for (from, to) in [("us-east-1/", "us-east-2/"), ("us-east-1/", "/"), ("/service/", "/sts/")] {
        assert!(matches!(edited(from, to), SigError::SignatureDoesNotMatch { .. }));
    }
}

#[test]
fn a_key_of_another_scope_verifies_nothing() {
    let valid = forged(&dated(), &Forge::default());
    valid.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        let scope = Scope { service: "sts", ..presented.scope() };
        let key = SigningKey::derive(&secret(), scope);
        let refused = verify(&presented, &key, Body::Bytes(&valid.body), &standard());
        assert_eq!(refused.unwrap_err(), SigError::WrongSigningKey);
    });
}

#[test]
fn museum_m11_paths() {
    for (target, as_signed) in [
        ("/a/../b", false),
        ("/a//b", false),
        ("/./b", false),
        ("/b/.", false),
        ("//", false),
        ("/", true),
        ("/a/", true),
        ("/%2e%2e/b", true),
        ("/a%252fb", true),
        ("/a%00b", true),
        ("/...", true),
    ] {
        let mut request = dated();
        request.target = target.to_owned();
        let verified = forged(&request, &Forge::default()).check(&standard()).unwrap();
        assert_eq!(verified.path_as_signed(), as_signed, "{target}");
    }
    for target in [
        "",
        "a",
        "*",
        "http://a/",
        "/\0",
        "/a\nb",
        "/a#b",
        "/%",
        "/%2",
        "/%zz",
        "/%az",
        "/%za",
        "/?%a",
        "/\u{7f}",
        // Two of them are no better than one.
        "/\n\n",
        "/##",
        "/\n#",
        "/#?\n",
    ] {
        let mut request = dated();
        request.target = target.to_owned();
        request.add("authorization", "AWS4-HMAC-SHA256 a");
        assert_eq!(refusal(&request), SigError::MalformedTarget, "{target:?}");
    }
}

#[test]
fn methods_are_tokens() {
    for method in ["", " ", "GET ", "GE T", "GET\n", "G\u{e9}T", "GET/"] {
        let mut request = dated();
        request.method = method.to_owned();
        let refused = forged(&request, &Forge::default());
        assert_eq!(refusal(&refused), SigError::MalformedMethod, "{method:?}");
    }
    let mut request = dated();
    request.method = "M-SEARCH".to_owned();
    forged(&request, &Forge::default()).check(&standard()).unwrap();
}

/// What cannot be sent as it is, is signed as its escape.
#[test]
fn museum_m11_characters_that_no_target_holds() {
    for target in ["/a|b", "/a\"b", "/<a>", "/a b", "/a\\b", "/a^`{}", "/\u{e9}", "/a%7Cb"] {
        let mut request = dated();
        request.target = target.to_owned();
        request.add("x-amz-content-sha256", &sha256(&sts_post().body));
        let forge = Forge {
            signed: "host;x-amz-content-sha256;x-amz-date",
            uri: UriRules::S3,
            ..Forge::default()
        };
        forged(&request, &forge).check(&s3()).unwrap();
    }
}

/// Parameters are sorted by what is signed of them, not by what was sent.
#[test]
fn parameters_are_sorted_by_their_escapes() {
    for query in
        ["a=+&a=,", "a=,&a=+", "a+=1&a,=2", "a,=2&a+=1", "a=;&a=%3C", "a=~&a=%C3", "b&a%62"]
    {
        let mut request = dated();
        request.target = format!("/?{query}");
        forged(&request, &Forge::default()).check(&standard()).unwrap();
    }
}

#[test]
fn museum_m13_truncated_signatures() {
    let valid = forged(&dated(), &Forge::default());
    let authorization = valid.get("authorization");
    let (head, signature) = authorization.split_once("Signature=").unwrap();
    for length in 0..64 {
        for part in [&signature[..length], &signature[64 - length..]] {
            let mut request = valid.clone();
            request.set("authorization", &format!("{head}Signature={part}"));
            assert_eq!(refusal(&request), SigError::MalformedSignature);
        }
    }
    let capitals = authorization.replace(signature, &signature.to_uppercase());
    let mut request = valid.clone();
    request.set("authorization", &capitals);
    assert_eq!(refusal(&request), SigError::MalformedSignature);
}

#[test]
fn museum_m14_fifteen_minutes_and_no_second_more() {
    let valid = forged(&dated(), &Forge::default());
    let at = |millis: i64| {
        let now = Timestamp::from_millis(now().millis() + millis);
        valid.check(&Rules::new(UriRules::Standard, now))
    };
    for inside in [0, 900_000, -900_000] {
        at(inside).unwrap();
    }
    for outside in [900_001, 901_000, 86_400_000, i64::from(i32::MAX) * 1000] {
        assert!(matches!(at(outside).unwrap_err(), SigError::Expired { .. }));
        assert!(matches!(at(-outside).unwrap_err(), SigError::NotYetCurrent { .. }));
    }
    let late = at(901_000).unwrap_err();
    assert_eq!((late.code(), late.status()), ("SignatureDoesNotMatch", 403));
    assert_eq!(
        late.public_message(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \
         (20150830T125101Z - 15 min.)"
    );
    assert_eq!(
        at(-901_000).unwrap_err().public_message(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
         (20150830T122059Z + 15 min.)"
    );
}

#[test]
fn museum_m14_scope_of_another_day() {
    for scope in ["20150829/us-east-1/service", "20150831/us-east-1/service", "/us-east-1/service"]
    {
        let error = refusal(&forged(&dated(), &Forge { scope, ..Forge::default() }));
        assert!(matches!(error, SigError::ScopeDateMismatch { .. }), "{error}");
    }
    let scope = "20150829/us-east-1/service";
    let error = refusal(&forged(&dated(), &Forge { scope, ..Forge::default() }));
    assert_eq!(
        error.public_message(),
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
         HTTP: '20150829' != '20150830', from '20150830T123600Z'."
    );
}

#[test]
fn any_region_is_good_even_none() {
    for region in ["eu-west-1", "local-1", "aws-global", "", "*"] {
        let scope = format!("20150830/{region}/service");
        forged(&dated(), &Forge { scope: &scope, ..Forge::default() }).check(&standard()).unwrap();
    }
}

#[test]
fn credentials() {
    assert_eq!(edited("/aws4_request", "/aws5_request"), SigError::WrongTerminator);
    assert_eq!(edited("/aws4_request", ""), SigError::MalformedCredential);
    assert_eq!(edited("/aws4_request", "/aws4_request/"), SigError::MalformedCredential);
    assert_eq!(edited("AKIDEXAMPLE", ""), SigError::MalformedCredential);
    assert_eq!(edited("AKIDEXAMPLE", "AKID EXAMPLE"), SigError::MalformedCredential);
    assert_eq!(edited("AKIDEXAMPLE", "AKID\u{e9}"), SigError::MalformedCredential);
    assert_eq!(edited("/service/", "//"), SigError::MalformedCredential);
    let long = "A".repeat(129);
    assert_eq!(edited("AKIDEXAMPLE", &long), SigError::TooLarge(Bounded::ScopeElement));
    assert_eq!(edited("us-east-1", &long), SigError::TooLarge(Bounded::ScopeElement));
    assert_eq!(
        edited("/service/", &format!("/{long}/")),
        SigError::TooLarge(Bounded::ScopeElement)
    );
    let error = edited("AKIDEXAMPLE", &long[..128]);
    assert!(matches!(error, SigError::SignatureDoesNotMatch { .. }), "{error}");
    let error = edited("AKIDEXAMPLE", "AKIDOTHER");
    assert!(matches!(error, SigError::SignatureDoesNotMatch { .. }));
}

#[test]
fn authorization_headers() {
    for other in
        ["Bearer abc", "AWS4-HMAC-SHA512 Credential=a", "aws4-hmac-sha256 a=b", "", "Basic"]
    {
        let mut request = dated();
        request.add("authorization", other);
        assert_eq!(refusal(&request), SigError::UnsupportedAlgorithm, "{other}");
    }
    for other in ["Credential", "a=b", "Credential=a,", ",", "Credential=a Signature=b,a=b"] {
        let mut request = dated();
        request.add("authorization", &format!("AWS4-HMAC-SHA256 {other}"));
        assert_eq!(refusal(&request), SigError::MalformedAuthorization, "{other}");
    }
    let mut request = sts_post();
    request.add("authorization", "AWS4-HMAC-SHA256");
    let error = refusal(&request);
    assert_eq!((error.code(), error.status()), ("IncompleteSignature", 400));
    assert_eq!(
        error.public_message(),
        "Authorization header requires 'Credential' parameter. Authorization header requires \
         'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. \
         Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
    );
    let mut request = dated();
    request.add("authorization", "AWS4-HMAC-SHA256 Credential=a, Signature=b");
    assert_eq!(
        refusal(&request).public_message(),
        "Authorization header requires 'SignedHeaders' parameter."
    );
    // Without blanks after the commas, as some clients have it.
    let mut request = forged(&dated(), &Forge::default());
    let compact = request.get("authorization").replace(", ", ",");
    request.set("authorization", &compact);
    request.check(&standard()).unwrap();
}

#[test]
fn signed_header_lists() {
    for list in [
        "",
        "x-amz-date;host",
        "host;host;x-amz-date",
        "Host;x-amz-date",
        "host;;x-amz-date",
        ";host;x-amz-date",
        "host;x-amz-date;",
        "host; x-amz-date",
        "host\n;x-amz-date",
        "host:;x-amz-date",
    ] {
        let error = edited("SignedHeaders=host;x-amz-date", &format!("SignedHeaders={list}"));
        assert_eq!(error, SigError::MalformedSignedHeaders, "{list:?}");
    }
    let error = edited("SignedHeaders=host;", "SignedHeaders=host;other;");
    assert_eq!(error, SigError::SignedHeaderAbsent { name: "other".to_owned() });
}

#[test]
fn header_values_hold_no_controls() {
    for bad in ["a\nb", "a\rb", "a\0b", "a\u{7f}"] {
        let mut request = dated();
        request.add("other", bad);
        let forge = Forge { signed: "host;other;x-amz-date", ..Forge::default() };
        let name = "other".to_owned();
        assert_eq!(refusal(&forged(&request, &forge)), SigError::MalformedHeader { name });
    }
    let mut request = dated();
    request.add("x-amz-security-token", "a b");
    let forge = Forge { signed: "host;x-amz-date;x-amz-security-token", ..Forge::default() };
    assert_eq!(refusal(&forged(&request, &forge)), SigError::MalformedSecurityToken);
}

#[test]
fn errors_tell_no_secrets() {
    let mut request = dated();
    request.add("x-amz-security-token", "TOKENCANARY");
    let forge = Forge { signed: "host;x-amz-date;x-amz-security-token", ..Forge::default() };
    let mut request = forged(&request, &forge);
    request.body.push(b'!');
    let error = refusal(&request);
    for text in [error.to_string(), error.public_message(), format!("{error:?}")] {
        assert!(!text.contains("TOKENCANARY") && !text.contains(SECRET), "{text}");
    }
    assert!(error.to_string().contains("SHA-256 of the canonical request: "));
}

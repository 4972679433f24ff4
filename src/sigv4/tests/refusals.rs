//! One refusal per rule: requests whose signature is right, and which break one rule.

use super::reference::{Forge, sha256};
use super::*;

/// A request with host and date, to be signed by a [`Forge`].
fn dated() -> Request {
    let mut request = sts_post();
    request.add("X-Amz-Date", "20150830T123600Z");
    request
}

fn forged(request: &Request, forge: &Forge<'_>) -> Request {
    let mut request = request.clone();
    let authorization = forge.authorization(&request);
    request.add("Authorization", &authorization);
    request
}

fn refusal(request: &Request) -> SigError {
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
    ] {
        let mut request = dated();
        request.set(name, "20150830T123600Z").add(&name.to_uppercase(), "20150830T123600Z");
        let forge = Forge { signed, ..Forge::default() };
        assert_eq!(refusal(&forged(&request, &forge)), SigError::Duplicate { name });
    }
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
    for target in
        ["", "a", "*", "http://a/", "/\0", "/a\nb", "/a#b", "/%", "/%2", "/%zz", "/?%a", "/\u{7f}"]
    {
        let mut request = dated();
        request.target = target.to_owned();
        request.add("authorization", "AWS4-HMAC-SHA256 a");
        assert_eq!(refusal(&request), SigError::MalformedTarget, "{target:?}");
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
fn dates() {
    for bad in ["", "2015-08-30T12:36:00Z", "20150830T123600", "20150830", "20151330T123600Z"] {
        let mut request = dated();
        request.set("x-amz-date", bad);
        assert_eq!(refusal(&forged(&request, &Forge::default())), SigError::MalformedDate);
    }
    let forge = Forge { signed: "date;host", ..Forge::default() };
    for bad in [
        "Sun, 30 Aug 2015 12:36:00 UTC",
        "Sunday, 30-Aug-15 12:36:00 GMT",
        "Sun, 30 aug 2015 12:36:00 GMT",
        "Son, 30 Aug 2015 12:36:00 GMT",
        "Sun, 31 Feb 2015 12:36:00 GMT",
    ] {
        let mut request = sts_post();
        request.add("date", bad);
        assert_eq!(refusal(&forged(&request, &forge)), SigError::MalformedDate, "{bad}");
    }
    let mut request = sts_post();
    request.add("date", "20150830T123600Z");
    forged(&request, &forge).check(&standard()).unwrap();
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
fn bounds() {
    let over = |request: &Request| match refusal(request) {
        SigError::TooLarge(what) => what,
        other => panic!("{other}"),
    };
    let mut request = forged(&dated(), &Forge::default());
    while request.headers.len() < MAX_HEADERS {
        request.add("other", "");
    }
    request.check(&standard()).unwrap();
    request.add("other", "");
    assert_eq!(over(&request), Bounded::Headers);

    let mut request = forged(&dated(), &Forge::default());
    let arrived: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    request.add("other", &"a".repeat(MAX_HEADER_BYTES - arrived - "other".len()));
    request.check(&standard()).unwrap();
    request.add("a", "");
    assert_eq!(over(&request), Bounded::HeaderBytes);

    let mut request = dated();
    request.target = format!("/{}", "a".repeat(MAX_TARGET - 1));
    forged(&request, &Forge::default()).check(&standard()).unwrap();
    request.target.push('a');
    assert_eq!(over(&forged(&request, &Forge::default())), Bounded::Target);

    let mut request = dated();
    request.target = format!("/?{}", "a&".repeat(MAX_QUERY_PARAMETERS));
    forged(&request, &Forge::default()).check(&standard()).unwrap();
    request.target.push('a');
    assert_eq!(over(&forged(&request, &Forge::default())), Bounded::QueryParameters);

    // The list as long as it may be, and a byte longer.
    let mut request = dated();
    let name = "a".repeat(MAX_SIGNED_HEADERS_BYTES - ";host;x-amz-date".len());
    request.add(&name, "");
    let list = format!("{name};host;x-amz-date");
    let forge = Forge { signed: &list, ..Forge::default() };
    forged(&request, &forge).check(&standard()).unwrap();
    let mut request = dated();
    request.add(&format!("{name}a"), "");
    let list = format!("{name}a;host;x-amz-date");
    let forge = Forge { signed: &list, ..Forge::default() };
    assert_eq!(over(&forged(&request, &forge)), Bounded::SignedHeaders);

    let mut names: Vec<String> = (0..MAX_SIGNED_HEADERS - 2).map(|n| format!("a{n:03}")).collect();
    let mut request = dated();
    for name in &names {
        request.add(name, "a");
    }
    let list = format!("{};host;x-amz-date", names.join(";"));
    let forge = Forge { signed: &list, ..Forge::default() };
    forged(&request, &forge).check(&standard()).unwrap();
    names.push("b".to_owned());
    request.add("b", "a");
    let list = format!("{};host;x-amz-date", names.join(";"));
    let forge = Forge { signed: &list, ..Forge::default() };
    assert_eq!(over(&forged(&request, &forge)), Bounded::SignedHeaders);
}

#[test]
fn the_bounds_are_these() {
    assert_eq!((MAX_HEADERS, MAX_SIGNED_HEADERS, MAX_QUERY_PARAMETERS), (128, 64, 256));
    assert_eq!((MAX_TARGET, MAX_HEADER_BYTES), (16_384, 65_536));
    assert_eq!((MAX_SIGNED_HEADERS_BYTES, MAX_SCOPE_ELEMENT, MAX_EXPIRES), (4_096, 128, 604_800));
}

/// Each element of the credentials is missed by its name, and nothing else with it.
#[test]
fn what_is_missing_is_told() {
    let none = Missing::default();
    for (element, missing) in [
        ("Credential=", Missing { credential: true, ..none }),
        ("Signature=", Missing { signature: true, ..none }),
        ("SignedHeaders=", Missing { signed_headers: true, ..none }),
    ] {
        let mut request = forged(&dated(), &Forge::default());
        let authorization = request.get("authorization");
        let (algorithm, elements) = authorization.split_once(' ').unwrap();
        let kept: Vec<&str> =
            elements.split(", ").filter(|other| !other.starts_with(element)).collect();
        assert_eq!(kept.len(), 2);
        request.set("authorization", &format!("{algorithm} {}", kept.join(", ")));
        assert_eq!(refusal(&request), SigError::Incomplete { form: Form::Header, missing });
        assert_eq!(format!("{missing}="), element);
    }
    let incomplete = |missing| SigError::Incomplete { form: Form::Header, missing };
    let mut request = forged(&dated(), &Forge::default());
    request.remove("x-amz-date");
    assert_eq!(refusal(&request), incomplete(Missing { date: true, ..none }));
    let mut request = dated();
    request.add(
        "authorization",
        "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20150830/service/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00",
    );
    assert_eq!(refusal(&request), incomplete(Missing { region_set: true, ..none }));

    // A token alone: all but the date that is there.
    let three = Missing { credential: true, signature: true, signed_headers: true, ..none };
    for (date, missing) in [
        (None, Missing { date: true, ..three }),
        (Some("x-amz-date"), three),
        (Some("date"), three),
    ] {
        let mut request = sts_post();
        request.add("x-amz-security-token", "token");
        if let Some(name) = date {
            request.add(name, "20150830T123600Z");
        }
        assert_eq!(request.with(|head| parse(head).err()), Some(incomplete(missing)));
    }
    assert_eq!(
        Missing { date: true, ..three }.to_string(),
        "Credential, Signature, SignedHeaders, Date"
    );
}

/// What a request presents can be asked for before it is verified.
#[test]
fn what_is_presented_can_be_read() {
    let mut request = sts_post();
    request.sign(UriRules::Standard, Some("token"));
    request.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        assert_eq!(presented.security_token(), Some("token"));
        assert_eq!(presented.signed_headers(), "content-type;host;x-amz-date;x-amz-security-token");
        assert!(presented.signs("host") && presented.signs("x-amz-security-token"));
        assert!(!presented.signs("x-amz-content-sha256") && !presented.signs("hos"));
        assert!(presented.needs_body());
        assert_eq!((presented.expires_at(), presented.form()), (None, Form::Header));
    });
    let mut request = sts_post();
    request.sign(UriRules::S3, None);
    request.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        assert_eq!(presented.security_token(), None);
        assert!(!presented.needs_body() && presented.signs("x-amz-content-sha256"));
    });
    let mut request = sts_post();
    request.presign(UriRules::Standard, None, 60);
    request.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        assert_eq!(presented.expires_at(), Some(now().plus_secs(60)));
        assert_eq!(presented.form(), Form::Query);
    });
}

/// Every weekday and month of the form of RFC 9110.
#[test]
fn dates_in_words() {
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    for (number, month) in (1..).zip(months) {
        for day in days {
            let mut request = sts_post();
            request.add("date", &format!("{day}, 30 {month} 2015 12:36:00 GMT"));
            let mut request = request.clone();
            request.add(
                "authorization",
                &format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/2015{number:02}30/us-east-1/service/\
                     aws4_request, SignedHeaders=date;host, Signature={}",
                    "0".repeat(64)
                ),
            );
            let signed_at = request.with(|head| parse(head).map(|it| it.unwrap().signed_at()));
            let text = format!("2015{number:02}30T123600Z");
            match Timestamp::parse_amz(text.as_bytes()) {
                Some(expected) => assert_eq!(signed_at, Ok(expected), "{day} {month}"),
                // There is no 30th of February.
                None => assert_eq!(signed_at, Err(SigError::MalformedDate)),
            }
        }
    }
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

#[test]
fn the_warm_path_allocates_nothing() {
    let mut request = sts_post();
    request.add("user-agent", "any").sign(UriRules::Standard, Some("token"));
    let mut s3_get =
        Request::new("GET", "/bucket/key%20a?list-type=2&prefix=a%2Fb", &[("host", "s3")], "");
    s3_get.sign(UriRules::S3, Some("token"));
    for (request, rules) in [(&request, standard()), (&s3_get, s3())] {
        request.with(|head| {
            let scope = Scope { date: "20150830", region: "us-east-1", service: "service" };
            let key = SigningKey::derive(&secret(), scope);
            let mut verified = false;
            let allocated = allocation_counter::measure(|| {
                let presented = parse(head).unwrap().unwrap();
                verified = verify(&presented, &key, Body::Bytes(&request.body), &rules).is_ok();
            });
            assert!(verified);
            assert_eq!(allocated.count_total, 0);
        });
    }
}

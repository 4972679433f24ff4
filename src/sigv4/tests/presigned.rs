//! Refusals of the query form: requests whose signature is right, and which break one rule.

use super::reference::{Forge, sha256};
use super::*;

/// The parameters of a presigned request, to be edited and then signed.
fn parameters() -> Vec<(String, String)> {
    [
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", "AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request"),
        ("X-Amz-Date", "20150830T123600Z"),
        ("X-Amz-Expires", "900"),
        ("X-Amz-SignedHeaders", "host"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn with(name: &str, value: &str) -> Vec<(String, String)> {
    let mut parameters = parameters();
    match parameters.iter_mut().find(|(n, _)| n == name) {
        Some((_, old)) => value.clone_into(old),
        None => parameters.push((name.to_owned(), value.to_owned())),
    }
    parameters
}

/// A request whose query is signed as it stands.
fn signed(parameters: &[(String, String)], forge: &Forge<'_>) -> Request {
    let query: Vec<String> = parameters.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let target = format!("/?Action=GetCallerIdentity&{}", query.join("&"));
    let mut request = Request::new("GET", &target, &[("host", "sts.example.com")], "");
    sign(&mut request, forge);
    request
}

fn sign(request: &mut Request, forge: &Forge<'_>) {
    let signature = forge.signature(request);
    request.target = format!("{}&X-Amz-Signature={signature}", request.target);
}

fn host() -> Forge<'static> {
    Forge { signed: "host", ..Forge::default() }
}

fn refusal(parameters: &[(String, String)]) -> SigError {
    signed(parameters, &host()).check(&standard()).unwrap_err()
}

#[test]
fn the_forge_makes_valid_requests() {
    let verified = signed(&parameters(), &host()).check(&standard()).unwrap();
    assert_eq!(verified.form(), Form::Query);
    assert_eq!(verified.expires_at(), Some(now().plus_secs(900)));
    assert_eq!(verified.payload(), PayloadCheck::Verified);
}

#[test]
fn museum_m05_unsigned_query_credentials() {
    for missing in 0..parameters().len() {
        let mut parameters = parameters();
        parameters.remove(missing);
        assert!(matches!(refusal(&parameters), SigError::Incomplete { .. }));
    }
    let mut request = signed(&parameters(), &host());
    let (unsigned, _) = request.target.split_once("&X-Amz-Signature").unwrap();
    request.target = unsigned.to_owned();
    let error = request.check(&standard()).unwrap_err();
    assert_eq!((error.code(), error.status()), ("IncompleteSignature", 400));
    assert_eq!(
        error.public_message(),
        "AWS query-string parameters must include 'X-Amz-Signature'."
    );
    for alone in ["X-Amz-Security-Token=a", "X-Amz-Credential=a", "X-Amz-Content-Sha256=a"] {
        let target = format!("/?{alone}");
        let request = Request::new("GET", &target, &[("host", "sts.example.com")], "");
        assert!(matches!(request.check(&standard()).unwrap_err(), SigError::Incomplete { .. }));
    }
}

#[test]
fn museum_m07_duplicates_and_case_variants() {
    for (name, value) in parameters() {
        let mut twice = parameters();
        twice.push((name.clone(), value.clone()));
        assert!(matches!(refusal(&twice), SigError::Duplicate { .. }), "{name}");
        for variant in [name.to_lowercase(), name.to_uppercase()] {
            let mut both = parameters();
            both.push((variant.clone(), value.clone()));
            assert!(matches!(refusal(&both), SigError::CaseVariant { .. }), "{variant}");
            let mut only = parameters();
            for parameter in &mut only {
                if parameter.0 == name {
                    parameter.0.clone_from(&variant);
                }
            }
            assert!(matches!(refusal(&only), SigError::CaseVariant { .. }), "{variant}");
        }
        // An escaped name is the same name.
        let mut escaped = parameters();
        escaped.push((name.replace('-', "%2D"), value));
        assert!(matches!(refusal(&escaped), SigError::Duplicate { .. }), "{name}");
    }
    for name in ["X-Amz-Signature", "x-amz-signature", "X-Amz-Signatur%65"] {
        let mut request = signed(&parameters(), &host());
        request.target = format!("{}&{name}={}", request.target, "0".repeat(64));
        let error = request.check(&standard()).unwrap_err();
        assert!(matches!(error, SigError::Duplicate { .. } | SigError::CaseVariant { .. }));
    }
    let error = refusal(&with("x-amz-security-token", "a"));
    assert_eq!(error, SigError::CaseVariant { name: "X-Amz-Security-Token" });
}

#[test]
fn what_stands_in_the_query_does_not_stand_in_a_header_too() {
    for (name, value, parameter) in [
        ("x-amz-date", "20150830T123600Z", None),
        ("x-amz-security-token", "a", Some("X-Amz-Security-Token")),
        ("x-amz-content-sha256", "a", Some("X-Amz-Content-Sha256")),
    ] {
        let list = format!("host;{name}");
        let mut parameters = with("X-Amz-SignedHeaders", &list.replace(';', "%3B"));
        if let Some(parameter) = parameter {
            parameters.push((parameter.to_owned(), value.to_owned()));
        }
        let query: Vec<String> = parameters.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let mut request = Request::new(
            "GET",
            &format!("/?{}", query.join("&")),
            &[("host", "sts.example.com"), (name, value)],
            "",
        );
        sign(&mut request, &Forge { signed: &list, ..Forge::default() });
        assert!(matches!(request.check(&standard()).unwrap_err(), SigError::Duplicate { .. }));
    }
    let mut request = signed(&parameters(), &host());
    let authorization =
        Forge::default().authorization(Request::clone(&request).add("x-amz-date", ""));
    request.add("authorization", &authorization);
    assert_eq!(request.check(&standard()).unwrap_err(), SigError::ConflictingCredentials);
}

#[test]
fn museum_m01_m02_headers() {
    let mut request = signed(&parameters(), &host());
    request.add("x-amz-acl", "public");
    let name = "x-amz-acl".to_owned();
    assert_eq!(request.check(&standard()).unwrap_err(), SigError::HeaderNotSigned { name });

    let mut request = signed(&parameters(), &host());
    request.set("host", "other.example.com");
    let error = request.check(&standard()).unwrap_err();
    assert!(matches!(error, SigError::SignatureDoesNotMatch { .. }));

    let query: Vec<String> =
        with("X-Amz-SignedHeaders", "other").iter().map(|(n, v)| format!("{n}={v}")).collect();
    let mut request = Request::new(
        "GET",
        &format!("/?{}", query.join("&")),
        &[("host", "sts.example.com"), ("other", "a")],
        "",
    );
    sign(&mut request, &Forge { signed: "other", ..Forge::default() });
    assert_eq!(request.check(&standard()).unwrap_err(), SigError::HostNotSigned);
    assert_eq!(refusal(&with("X-Amz-SignedHeaders", "")), SigError::MalformedSignedHeaders);
}

#[test]
fn museum_m14_expiry() {
    for bad in ["0", "-1", "+60", "", "60s", "060", "1e3", "9999999999", "60%20", "6.0"] {
        let error = refusal(&with("X-Amz-Expires", bad));
        assert_eq!(error, SigError::MalformedExpires { maximum: MAX_EXPIRES }, "{bad}");
    }
    assert_eq!(
        refusal(&with("X-Amz-Expires", "604801")),
        SigError::MalformedExpires { maximum: MAX_EXPIRES }
    );
    for (expires, secs) in [("1", 1), ("900", 900), ("604800", 604_800)] {
        let request = signed(&with("X-Amz-Expires", expires), &host());
        let at = |millis| {
            let now = Timestamp::from_millis(now().millis() + millis);
            request.check(&Rules::new(UriRules::Standard, now))
        };
        at(0).unwrap();
        at(secs * 1000).unwrap();
        let expired_at = now().plus_secs(secs);
        let error = at(secs * 1000 + 1).unwrap_err();
        assert!(
            matches!(error, SigError::PresignedExpired { expired_at: at, .. } if at == expired_at)
        );
        assert_eq!((error.code(), error.status()), ("SignatureDoesNotMatch", 403));
        at(-900_000).unwrap();
        assert!(matches!(at(-900_001).unwrap_err(), SigError::NotYetCurrent { .. }));
    }
    let rules = Rules { max_expires: 899, ..standard() };
    let error = signed(&parameters(), &host()).check(&rules).unwrap_err();
    assert_eq!(error, SigError::MalformedExpires { maximum: 899 });
}

#[test]
fn credentials_and_dates() {
    let credential = |text: &str| refusal(&with("X-Amz-Credential", text));
    let scope = "us-east-1%2Fservice%2Faws4_request";
    assert!(matches!(
        credential(&format!("AKIDEXAMPLE%2F20150829%2F{scope}")),
        SigError::ScopeDateMismatch { .. }
    ));
    for bad in ["", "a", "a%2Fb", "%2F20150830%2Fr%2Fs%2Faws4_request"] {
        assert_eq!(credential(bad), SigError::MalformedCredential, "{bad}");
    }
    for hidden in ["%0A", "%20", "%00", "%C3%A9", "%2F"] {
        let text = format!("AKIDEXAMPLE%2F20150830%2Fus{hidden}east%2Fservice%2Faws4_request");
        assert_eq!(credential(&text), SigError::MalformedCredential, "{hidden}");
    }
    assert_eq!(credential("%FF"), SigError::MalformedTarget);
    assert_eq!(refusal(&with("X-Amz-Date", "2015")), SigError::MalformedDate);
    assert_eq!(refusal(&with("X-Amz-Algorithm", "none")), SigError::UnsupportedAlgorithm);
    assert_eq!(refusal(&with("X-Amz-Security-Token", "a%0Ab")), SigError::MalformedSecurityToken);
    // The slashes of the credential need no escape to be read, but are signed as escapes.
    let raw = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
    signed(&with("X-Amz-Credential", raw), &host()).check(&standard()).unwrap();
}

#[test]
fn session_tokens_in_the_query_or_in_a_signed_header() {
    let token = |request: &Request| {
        request.check(&standard()).unwrap();
        request.with(|head| parse(head).unwrap().unwrap().security_token().map(str::to_owned))
    };
    let hoisted = signed(&with("X-Amz-Security-Token", "a%2Fb%3D"), &host());
    assert_eq!(token(&hoisted).as_deref(), Some("a/b="));
    let list = "host;x-amz-security-token";
    let query: Vec<String> = with("X-Amz-SignedHeaders", "host%3Bx-amz-security-token")
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    let mut request = Request::new(
        "GET",
        &format!("/?{}", query.join("&")),
        &[("host", "sts.example.com"), ("x-amz-security-token", "a/b=")],
        "",
    );
    sign(&mut request, &Forge { signed: list, ..Forge::default() });
    assert_eq!(token(&request).as_deref(), Some("a/b="));
}

#[test]
fn payloads() {
    let empty = sha256(b"");
    let check = |parameters: &[(String, String)], uri, payload: &str, body: &str| {
        let forge = Forge { signed: "host", payload: Some(payload), uri, ..Forge::default() };
        let mut request = signed(parameters, &forge);
        request.body = body.into();
        request.check(&Rules::new(uri, now())).map(|verified| verified.payload())
    };
    let (standard, s3) = (UriRules::Standard, UriRules::S3);
    let unsigned = "UNSIGNED-PAYLOAD";
    let plain = parameters();
    assert_eq!(check(&plain, standard, &empty, ""), Ok(PayloadCheck::Verified));
    assert!(check(&plain, standard, unsigned, "").is_err());
    assert!(check(&plain, standard, &empty, "a").is_err());
    assert_eq!(check(&plain, s3, unsigned, "anything"), Ok(PayloadCheck::Unsigned));
    assert!(check(&plain, s3, &empty, "").is_err());
    // The mode may stand in the query, where all is signed.
    let said = with("X-Amz-Content-Sha256", unsigned);
    assert_eq!(check(&said, s3, unsigned, ""), Ok(PayloadCheck::Unsigned));
    assert_eq!(check(&said, standard, unsigned, ""), Err(SigError::PayloadMode));
    let said = with("X-Amz-Content-Sha256", &empty);
    assert_eq!(check(&said, s3, &empty, ""), Ok(PayloadCheck::Verified));
    assert_eq!(check(&said, s3, &empty, "a"), Err(SigError::PayloadMismatch));
    assert!(check(&said, s3, unsigned, "").is_err());
    let said = with("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    let streaming = check(&said, s3, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "");
    assert_eq!(streaming, Err(SigError::StreamingPayload));
}

#[test]
fn a_signer_does_not_sign_twice() {
    let secret = secret();
    let signer = Signer {
        access_key_id: KEY_ID,
        secret: &secret,
        session_token: None,
        region: "",
        service: "sts",
        uri: UriRules::Standard,
        content_sha256: false,
    };
    let signed = signed(&parameters(), &host());
    signed.with(|head| {
        let error = signer.presign(head, b"", now(), 60).unwrap_err();
        assert_eq!(error, SigError::ConflictingCredentials);
        assert_eq!(signer.sign(head, b"", now()).unwrap_err(), SigError::ConflictingCredentials);
    });
    let nowhere = Request::new("GET", "/", &[], "");
    let error = nowhere.with(|head| signer.presign(head, b"", now(), 60)).unwrap_err();
    assert_eq!(error, SigError::HostNotSigned);
}

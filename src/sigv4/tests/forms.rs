//! Every form that our signer makes against every hostile change that concerns them all.

use super::*;

/// Makes another of a signature.
type OfSignature = fn(&str) -> String;
/// Changes a request.
type OfRequest = fn(&mut Request);

/// A form: how a request of it is signed, and what it is verified by.
struct Signed {
    name: &'static str,
    request: Request,
    rules: Rules,
    /// How long it is good for after it was signed, in seconds.
    life: i64,
}

fn all() -> Vec<Signed> {
    let mut all = Vec::new();
    let secret = secret();
    let key = SigningKeyV4a::derive(&secret, KEY_ID).unwrap();
    for uri in [UriRules::Standard, UriRules::S3] {
        let v4 = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: Some("token"),
            region: "us-east-1",
            service: "service",
            uri,
            content_sha256: uri == UriRules::S3,
        };
        let v4a = SignerV4a {
            access_key_id: KEY_ID,
            key: &key,
            session_token: Some("token"),
            region_set: "us-east-1",
            service: "service",
            uri,
            content_sha256: uri == UriRules::S3,
        };
        let headers = [("Host", "example.amazonaws.com"), ("X-Amz-Meta-A", "1")];
        let plain = Request::new("PUT", "/a/b%20c?d=e", &headers, "");
        let mut add = |name, added: Added, target: Option<String>| {
            let mut request = plain.clone();
            for (name, value) in added {
                request.add(name, &value);
            }
            let life = if target.is_some() { 60 } else { 900 };
            request.target = target.unwrap_or(request.target);
            all.push(Signed { name, request, rules: Rules::new(uri, now()), life });
        };
        plain.with(|head| {
            add("header", v4.sign(head, b"", now()).unwrap(), None);
            add("header v4a", v4a.sign(head, b"", now()).unwrap(), None);
            if uri == UriRules::S3 {
                add("unsigned payload", v4.sign_unsigned_payload(head, now()).unwrap(), None);
                add("unsigned payload v4a", v4a.sign_unsigned_payload(head, now()).unwrap(), None);
                for (name, chunks) in [
                    ("chunks", Chunks::Signed),
                    ("trailer", Chunks::SignedWith(ChecksumAlgorithm::Sha1)),
                    ("unsigned trailer", Chunks::UnsignedWith(ChecksumAlgorithm::Sha1)),
                ] {
                    add(name, v4.sign_streaming(head, chunks, 7, now()).unwrap().0, None);
                    add(name, v4a.sign_streaming(head, chunks, 7, now()).unwrap().0, None);
                }
            }
            for (name, target) in [
                ("presigned", v4.presign(head, b"", now(), 60).unwrap()),
                ("presigned v4a", v4a.presign(head, b"", now(), 60).unwrap()),
            ] {
                add(name, Vec::new(), Some(target));
            }
        });
    }
    assert_eq!(all.len(), 16);
    all
}

impl Signed {
    fn check(&self, request: &Request, rules: &Rules) -> Result<Verified, SigError> {
        request.check_in(Some("us-east-1"), self.body(), rules)
    }

    /// As its service would have it: what comes in chunks is read later.
    fn body(&self) -> Body<'_> {
        let streamed = self.name == "chunks" || self.name.ends_with("trailer");
        if streamed { Body::Streamed } else { Body::Bytes(b"") }
    }

    /// The request with its signature made another.
    fn with_signature(&self, change: impl Fn(&str) -> String) -> Request {
        let mut request = self.request.clone();
        if let Some((before, signature)) = self.request.target.split_once("X-Amz-Signature=") {
            request.target = format!("{before}X-Amz-Signature={}", change(signature));
        } else {
            let authorization = request.get("authorization");
            let (before, signature) = authorization.split_once("Signature=").unwrap();
            request.set("authorization", &format!("{before}Signature={}", change(signature)));
        }
        request
    }
}

#[test]
fn museum_m04_every_form_refuses_every_bad_signature() {
    for form in all() {
        form.check(&form.request, &form.rules).unwrap_or_else(|e| panic!("{}: {e}", form.name));
        let changes: [(&str, OfSignature); 9] = [
            ("none", |_| String::new()),
            ("zeros", |signature| "0".repeat(signature.len())),
            ("cut", |signature| signature[..signature.len() - 2].to_owned()),
            ("longer", |signature| format!("{signature}00")),
            ("capitals", str::to_uppercase),
            ("reversed", |signature| signature.chars().rev().collect()),
            ("last", |s| format!("{}{}", &s[..s.len() - 1], u8::from(s.ends_with('0')))),
            ("text", |_| "signature".to_owned()),
            ("empty hash", |_| super::reference::sha256(b"")),
        ];
        for (what, change) in changes {
            let spoilt = form.with_signature(change);
            if spoilt != form.request {
                assert!(form.check(&spoilt, &form.rules).is_err(), "{} {what}", form.name);
            }
        }
    }
}

#[test]
fn museum_m01_every_form_refuses_an_unsigned_amz_header() {
    for form in all() {
        for name in ["x-amz-copy-source", "X-Amz-Acl", "x-amz-security-token", "x-amz-trailer"] {
            let mut request = form.request.clone();
            request.add(name, "x-amz-checksum-sha1");
            assert!(form.check(&request, &form.rules).is_err(), "{} {name}", form.name);
        }
    }
}

#[test]
fn museum_m09_every_form_is_bound_to_its_request() {
    for form in all() {
        let changes: [(&str, OfRequest); 7] = [
            ("method", |request| request.method = "GET".to_owned()),
            ("path", |request| request.target = request.target.replacen("/a/", "/A/", 1)),
            ("query", |request| request.target = request.target.replacen("d=e", "d=f", 1)),
            ("more", |request| request.target = request.target.replacen("d=e", "d=e&g=h", 1)),
            ("host", |request| _ = request.set("host", "example.amazonaws.org")),
            ("header", |request| _ = request.set("x-amz-meta-a", "2")),
            ("gone", |request| _ = request.remove("x-amz-meta-a")),
        ];
        for (what, change) in changes {
            let mut request = form.request.clone();
            change(&mut request);
            assert_ne!(request, form.request, "{what}");
            assert!(form.check(&request, &form.rules).is_err(), "{} {what}", form.name);
        }
        // Scope: another region, service or day; a wider set of regions.
        for (from, to) in [
            ("us-east-1", "us-east-2"),
            ("us-east-1", "*"),
            ("service", "sts"),
            ("20150830", "20150829"),
            ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
            ("AWS4-ECDSA-P256-SHA256", "AWS4-HMAC-SHA256"),
        ] {
            let mut request = form.request.clone();
            request.target = request.target.replace(from, to);
            for (name, value) in &mut request.headers {
                if name == "authorization" || name == "x-amz-region-set" {
                    *value = String::from_utf8(value.clone()).unwrap().replace(from, to).into();
                }
            }
            if request != form.request {
                assert!(form.check(&request, &form.rules).is_err(), "{} {to}", form.name);
            }
        }
    }
}

#[test]
fn museum_m14_every_form_has_its_time() {
    for form in all() {
        let at = |seconds: i64, millis: i64| {
            let now = Timestamp::from_millis(now().plus_secs(seconds).millis() + millis);
            form.check(&form.request, &Rules { now, ..form.rules })
        };
        at(form.life, 0).unwrap();
        at(-900, 0).unwrap();
        assert!(at(form.life, 1).is_err(), "{}", form.name);
        assert!(at(-900, -1).is_err(), "{}", form.name);
    }
}

#[test]
fn s3_signs_paths_as_they_stand() {
    for target in ["/a//b", "/a/../b", "/./a", "/a%2Fb", "/a%2fb", "/%61"] {
        let mut request = Request::new("GET", target, &[("host", "s3")], "");
        request.sign(UriRules::S3, None);
        let verified = request.check(&s3()).unwrap();
        assert!(verified.path_as_signed(), "{target}");
        for other in ["/a/b", "/b", "/a", "/a%2Fb", "/a%252Fb", "//a/b"] {
            if other != target {
                let moved = Request { target: other.to_owned(), ..request.clone() };
                assert!(moved.check(&s3()).is_err(), "{target} {other}");
            }
        }
        // The other way of canonicalizing is another signature, where it differs.
        if target.contains('%') || target.contains("..") {
            assert!(request.check(&standard()).is_err(), "{target}");
        }
    }
}

#[test]
fn signatures_of_sigv4a_repeat() {
    let secret = secret();
    let key = SigningKeyV4a::derive(&secret, KEY_ID).unwrap();
    let signer = SignerV4a {
        access_key_id: KEY_ID,
        key: &key,
        session_token: None,
        region_set: "*",
        service: "sts",
        uri: UriRules::Standard,
        content_sha256: false,
    };
    sts_post().with(|head| {
        let sign = || signer.sign(head, b"", now()).unwrap();
        assert_eq!(sign(), sign());
        for bad in ["", "a,,b", "a b"] {
            let refused = SignerV4a { region_set: bad, ..signer }.sign(head, b"", now());
            assert_eq!(refused.unwrap_err(), SigError::MalformedRegionSet);
        }
    });
}

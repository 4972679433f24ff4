//! AWS's signing test suite (aws-c-auth), as the `aws-sigv4` package carries it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use sha2::Digest;

use super::*;
use crate::sigv4::canonical::{Sink, write_string_to_sign};
use crate::sigv4::parse::Signature;
use crate::sigv4::verify::{Payload, canonical};

/// The suite's folder: where cargo keeps the package's source.
static SUITE: LazyLock<PathBuf> = LazyLock::new(|| {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = |arguments: &[&str]| {
        let output = Command::new(&cargo)
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let version = run(&["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata =
        run(&["metadata", "--format-version", "1", "--offline", "--filter-platform", host]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    let package = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|package| package["name"] == "aws-sigv4")
        .unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().join("aws-signing-test-suite")
});

pub(super) struct Vector {
    pub(super) name: String,
    folder: PathBuf,
    pub(super) context: serde_json::Value,
}

impl Vector {
    /// The cases of a part of the suite that come with a context.
    pub(super) fn all(part: &str) -> Vec<Self> {
        let mut vectors: Vec<Self> = std::fs::read_dir(SUITE.join(part))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|folder| folder.join("context.json").exists())
            .map(|folder| Self {
                name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
                context: serde_json::from_slice(
                    &std::fs::read(folder.join("context.json")).unwrap(),
                )
                .unwrap(),
                folder,
            })
            .collect();
        vectors.sort_by(|a, b| a.name.cmp(&b.name));
        vectors
    }

    pub(super) fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.join(file)).unwrap()
    }

    pub(super) fn uri(&self) -> UriRules {
        // The suite's "normalize: false" is S3's way with paths, for requests that escape nothing.
        if self.context["normalize"] == true { UriRules::Standard } else { UriRules::S3 }
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.context["credentials"]["token"].as_str()
    }

    pub(super) fn rules(&self) -> Rules {
        Rules::new(self.uri(), now())
    }

    pub(super) fn omits_token(&self) -> bool {
        self.context["omit_session_token"] == true
    }
}

/// Reads the suite's form of a request. A folded header line becomes one line, as RFC 9112 §5.2
/// has a server do.
pub(super) fn request(text: &str) -> Request {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.trim_end().lines();
    let line = lines.next().unwrap();
    let (method, rest) = line.split_once(' ').unwrap();
    let target = rest.strip_suffix(" HTTP/1.1").unwrap_or(rest);
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    for line in lines {
        if let Some(folded) = line.strip_prefix(' ') {
            let (_, value) = headers.last_mut().unwrap();
            value.push(b' ');
            value.extend_from_slice(folded.as_bytes());
        } else {
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_owned(), value.as_bytes().to_vec()));
        }
    }
    Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body: body.trim_end_matches('\n').as_bytes().to_vec(),
    }
}

#[test]
fn header_form_stage_by_stage() {
    let vectors = Vector::all("v4");
    assert!(vectors.len() >= 38, "{}", vectors.len());
    for vector in vectors {
        let name = &vector.name;
        let mut request = request(&vector.text("header-signed-request.txt"));
        let rules = vector.rules();
        if vector.omits_token() {
            // The token was added after signing: a request we must refuse (M01).
            assert_eq!(
                request.check(&rules).unwrap_err(),
                SigError::HeaderNotSigned { name: "X-Amz-Security-Token".to_owned() },
                "{name}"
            );
            request.remove("x-amz-security-token");
        }
        request.with(|head| {
            let presented = parse(head).unwrap().unwrap();
            assert_eq!(presented.access_key_id(), KEY_ID);
            assert_eq!(presented.signed_at(), now());
            let payload = Payload::of(&presented, Body::Bytes(&request.body), &rules).unwrap();
            let canonical = canonical(&presented, rules.uri, payload.line());
            let mut text = Vec::new();
            canonical.write(&mut text);
            assert_eq!(
                String::from_utf8(text).unwrap(),
                vector.text("header-canonical-request.txt"),
                "{name}"
            );
            let mut text = Vec::new();
            write_string_to_sign(
                &mut text,
                Algorithm::HmacSha256,
                &presented.signed_at.text,
                presented.scope(),
                &canonical.sha256(),
            );
            assert_eq!(
                String::from_utf8(text).unwrap(),
                vector.text("header-string-to-sign.txt"),
                "{name}"
            );
            let key = SigningKey::derive(&secret(), presented.scope());
            let signature = key.sign(&presented.signed_at, &canonical.sha256());
            assert_eq!(
                data_encoding::HEXLOWER.encode(&signature),
                vector.text("header-signature.txt"),
                "{name}"
            );
        });
        let verified = request.check(&rules).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(verified.payload(), PayloadCheck::Verified);
        let dotted = name.contains("relative") || name.contains("slash");
        let as_signed = rules.uri == UriRules::S3 || !dotted;
        assert_eq!(verified.path_as_signed(), as_signed, "{name}");
    }
}

#[test]
fn query_form_stage_by_stage() {
    for vector in Vector::all("v4") {
        let name = &vector.name;
        let mut request = request(&vector.text("query-signed-request.txt"));
        let rules = vector.rules();
        if vector.omits_token() {
            // The token was added after signing.
            let error = request.check(&rules).unwrap_err();
            assert!(matches!(error, SigError::SignatureDoesNotMatch { .. }), "{name}: {error}");
            let token = request.target.find("&X-Amz-Security-Token=").unwrap();
            let signature = request.target.find("&X-Amz-Signature=").unwrap();
            request.target.replace_range(token..signature, "");
        }
        // The suite hashes the body also where it does not normalise, unlike S3.
        let hash = crate::sigv4::canonical::hex(&sha2::Sha256::digest(&request.body).into());
        request.with(|head| {
            let presented = parse(head).unwrap().unwrap();
            assert_eq!((presented.access_key_id(), presented.form()), (KEY_ID, Form::Query));
            assert_eq!(presented.expires_at(), Some(now().plus_secs(3600)));
            assert_eq!(
                presented.security_token(),
                vector.token().filter(|_| !vector.omits_token())
            );
            let canonical = canonical(&presented, rules.uri, &hash);
            let mut text = Vec::new();
            canonical.write(&mut text);
            assert_eq!(
                String::from_utf8(text).unwrap(),
                vector.text("query-canonical-request.txt"),
                "{name}"
            );
            let mut text = Vec::new();
            write_string_to_sign(
                &mut text,
                Algorithm::HmacSha256,
                &presented.signed_at.text,
                presented.scope(),
                &canonical.sha256(),
            );
            assert_eq!(
                String::from_utf8(text).unwrap(),
                vector.text("query-string-to-sign.txt"),
                "{name}"
            );
            let key = SigningKey::derive(&secret(), presented.scope());
            let signature = key.sign(&presented.signed_at, &canonical.sha256());
            assert_eq!(
                data_encoding::HEXLOWER.encode(&signature),
                vector.text("query-signature.txt"),
                "{name}"
            );
            assert!(matches!(presented.signature, Signature::Hmac(s) if s == signature));
        });
        if rules.uri == UriRules::Standard {
            let verified = request.check(&rules).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(verified.payload(), PayloadCheck::Verified);
        }
    }
}

#[test]
fn our_signer_makes_the_suites_authorization() {
    for vector in Vector::all("v4") {
        let expected = request(&vector.text("header-signed-request.txt"));
        let mut request = expected.clone();
        for added in ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"]
        {
            request.remove(added);
        }
        let secret = secret();
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: vector.token().filter(|_| !vector.omits_token()),
            region: "us-east-1",
            service: "service",
            uri: vector.uri(),
            content_sha256: vector.context["sign_body"] == true,
        };
        let added = request.with(|head| signer.sign(head, &request.body, now())).unwrap();
        for (name, value) in added {
            assert_eq!(value, expected.get(name), "{}: {name}", vector.name);
        }
    }
}

/// Two older cases have no context: their requests, as far as they go.
#[test]
fn paths_are_escaped_twice() {
    for name in ["double-encode-path", "double-url-encode"] {
        let read = |file| std::fs::read_to_string(SUITE.join("v4").join(name).join(file)).unwrap();
        let request = request(&read("request.txt"));
        let target = crate::sigv4::uri::Target::parse(&request.target).unwrap();
        let mut path = Vec::new();
        crate::sigv4::uri::write_path(&mut path, target.path, UriRules::Standard);
        path.put(b"");
        let expected = read("header-canonical-request.txt");
        assert_eq!(String::from_utf8(path).unwrap(), expected.lines().nth(1).unwrap());
    }
}

#[test]
fn v4a_keys() {
    for vector in Vector::all("v4a") {
        let expected: serde_json::Value =
            serde_json::from_str(&vector.text("public-key.json")).unwrap();
        let coordinate = |name: &str| {
            data_encoding::HEXLOWER.decode(expected[name].as_str().unwrap().as_bytes()).unwrap()
        };
        let key = VerifyingKey::derive(&secret(), KEY_ID).unwrap();
        let point = [vec![4], coordinate("X"), coordinate("Y")].concat();
        assert_eq!(key.public_point(), point.as_slice(), "{}", vector.name);
    }
}

#[test]
fn v4a_stage_by_stage() {
    let vectors = Vector::all("v4a");
    assert!(vectors.len() >= 38, "{}", vectors.len());
    for vector in vectors {
        for form in ["header", "query"] {
            v4a(&vector, form);
        }
    }
}

fn v4a(vector: &Vector, form: &str) {
    let name = format!("{} {form}", vector.name);
    let read = |part: &str| vector.text(&format!("{form}-{part}.txt"));
    let mut request = request(&read("signed-request"));
    let rules = vector.rules();
    if vector.omits_token() {
        // The token was added after signing.
        assert!(request.check(&rules).is_err(), "{name}");
        request.remove("x-amz-security-token");
        if let Some(token) = request.target.find("&X-Amz-Security-Token=") {
            let rest = request.target[token + 1..].find('&').unwrap() + token + 1;
            request.target.replace_range(token..rest, "");
        }
    }
    let hash = crate::sigv4::canonical::hex(&sha2::Sha256::digest(&request.body).into());
    let key = VerifyingKey::derive(&secret(), KEY_ID).unwrap();
    request.with(|head| {
        let presented = parse(head).unwrap().unwrap();
        assert_eq!(presented.algorithm(), Algorithm::EcdsaP256Sha256);
        assert_eq!(presented.region_set(), Some("us-east-1"));
        assert_eq!(presented.scope().region, "");
        let canonical = canonical(&presented, rules.uri, &hash);
        let mut text = Vec::new();
        canonical.write(&mut text);
        assert_eq!(String::from_utf8(text).unwrap(), read("canonical-request"), "{name}");
        let mut text = Vec::new();
        write_string_to_sign(
            &mut text,
            presented.algorithm(),
            &presented.signed_at.text,
            presented.scope(),
            &canonical.sha256(),
        );
        assert_eq!(String::from_utf8(text.clone()).unwrap(), read("string-to-sign"), "{name}");
        // The suite's signatures differ from run to run; each of the two kept here is one.
        let signature = data_encoding::HEXLOWER.decode(read("signature").as_bytes()).unwrap();
        assert!(key.accepts(&text, &signature), "{name}");
    });
    if rules.uri == UriRules::Standard || form == "header" {
        let body = Body::Bytes(&request.body);
        let verified = request.check_in(Some("us-east-1"), body, &rules);
        let verified = verified.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(verified.payload(), PayloadCheck::Verified);
    }
}

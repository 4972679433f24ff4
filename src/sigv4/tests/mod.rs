//! Tests of signatures: AWS's vectors stage by stage, another implementation as oracle, every
//! one-byte mutation, one refusal per rule, and the laws of the canonical form.

mod bounds;
mod certificates;
mod chunked;
mod chunked_hostile;
mod chunked_vectors;
mod forms;
mod laws;
mod mutation;
mod oracle;
mod presented;
mod presigned;
mod reference;
mod refusals;
mod v4a;
mod vectors;

use std::sync::LazyLock;

use zeroize::Zeroizing;

use super::*;
use crate::secret::SecretAccessKey;
use crate::time::Timestamp;

pub(super) const KEY_ID: &str = "AKIDEXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

pub(super) fn secret() -> SecretAccessKey {
    SecretAccessKey::parse(Zeroizing::new(SECRET.to_owned())).unwrap()
}

/// The public key of [`SECRET`], derived once: it takes its time in a debug build.
pub(super) fn public() -> &'static VerifyingKey {
    static PUBLIC: LazyLock<VerifyingKey> =
        LazyLock::new(|| VerifyingKey::derive(&secret(), KEY_ID).unwrap());
    &PUBLIC
}

pub(super) fn now() -> Timestamp {
    Timestamp::parse_amz(b"20150830T123600Z").unwrap()
}

/// A request that tests may edit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn new(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    pub(super) fn with<T>(&self, f: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        f(&RequestHead { method: &self.method, target: &self.target, headers: &headers })
    }

    pub(super) fn add(&mut self, name: &str, value: &str) -> &mut Self {
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    pub(super) fn remove(&mut self, name: &str) -> &mut Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    pub(super) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.remove(name).add(name, value)
    }

    pub(super) fn get(&self, name: &str) -> String {
        let (_, value) =
            self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).expect(name);
        String::from_utf8(value.clone()).unwrap()
    }

    /// Signs with our own signer for `us-east-1` and `service`.
    pub(super) fn sign(&mut self, uri: UriRules, token: Option<&str>) -> &mut Self {
        let secret = secret();
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: token,
            region: "us-east-1",
            service: "service",
            uri,
            content_sha256: uri == UriRules::S3,
        };
        let body = self.body.clone();
        let added = self.with(|head| signer.sign(head, &body, now())).unwrap();
        for (name, value) in added {
            self.add(name, &value);
        }
        self
    }

    /// Presigns with our own signer for `us-east-1` and `service`.
    pub(super) fn presign(
        &mut self,
        uri: UriRules,
        token: Option<&str>,
        expires: u32,
    ) -> &mut Self {
        let secret = secret();
        let signer = Signer {
            access_key_id: KEY_ID,
            secret: &secret,
            session_token: token,
            region: "us-east-1",
            service: "service",
            uri,
            content_sha256: false,
        };
        let body = self.body.clone();
        self.target = self.with(|head| signer.presign(head, &body, now(), expires)).unwrap();
        self
    }

    /// Verifies as a service does that knows one access key.
    pub(super) fn check(&self, rules: &Rules) -> Result<Verified, SigError> {
        self.check_body(Body::Bytes(&self.body), rules)
    }

    pub(super) fn check_body(&self, body: Body<'_>, rules: &Rules) -> Result<Verified, SigError> {
        self.check_in(None, body, rules)
    }

    pub(super) fn check_in(
        &self,
        region: Option<&str>,
        body: Body<'_>,
        rules: &Rules,
    ) -> Result<Verified, SigError> {
        self.with(|head| {
            let presented = parse(head)?.expect("credentials");
            let known = presented.access_key_id() == KEY_ID;
            let secret = if known {
                secret()
            } else {
                SecretAccessKey::parse(Zeroizing::new("0".repeat(40))).unwrap()
            };
            match presented.algorithm() {
                Algorithm::HmacSha256 => {
                    let key = SigningKey::derive(&secret, presented.scope());
                    verify(&presented, &key, body, rules)
                }
                Algorithm::EcdsaP256Sha256
                | Algorithm::X509RsaSha256
                | Algorithm::X509EcdsaSha256 => {
                    if known {
                        return verify_v4a(&presented, public(), region, body, rules);
                    }
                    let key = VerifyingKey::derive(&secret, presented.access_key_id()).unwrap();
                    verify_v4a(&presented, &key, region, body, rules)
                }
            }
        })
    }
}

/// A typical STS request, unsigned.
pub(super) fn sts_post() -> Request {
    Request::new(
        "POST",
        "/",
        &[
            ("Host", "sts.example.com"),
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
        ],
        "Action=GetCallerIdentity&Version=2011-06-15",
    )
}

pub(super) fn standard() -> Rules {
    Rules::new(UriRules::Standard, now())
}

pub(super) fn s3() -> Rules {
    Rules::new(UriRules::S3, now())
}

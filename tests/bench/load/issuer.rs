//! An issuer of tokens whose keys the broker has in a file, and the floor of checking one.

use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign::federation::oidc::{Algorithm, PublicJwk, SigningKey};
use countersign::time::{Clock as _, SystemClock};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

/// Whoever signs the tokens of workloads, with ES256.
pub struct Issuer {
    key: SigningKey,
}

impl Issuer {
    pub const URL: &str = "https://issuer.example";
    pub const AUDIENCE: &str = "sts.amazonaws.com";

    pub fn new() -> Self {
        let pkcs8 = SigningKey::generate(Algorithm::Es256).unwrap();
        Self { key: SigningKey::from_pkcs8(Algorithm::Es256, &pkcs8).unwrap() }
    }

    /// Lets the broker of this data directory read the keys from a file.
    pub fn write_settings(&self, data: &Path) {
        let keys = data.join("keys.json");
        std::fs::write(&keys, self.keys().to_string()).unwrap();
        let settings =
            format!("[[oidc.issuer]]\nurl = \"{}\"\njwks = \"{}\"\n", Self::URL, keys.display());
        std::fs::write(data.join("countersign.toml"), settings).unwrap();
    }

    /// A token that is good for an hour.
    pub fn token(&self) -> String {
        let now = SystemClock::new().now().secs();
        let claims = json!({
            "iss": Self::URL, "aud": Self::AUDIENCE, "sub": "system:serviceaccount:shop:orders",
            "iat": now, "nbf": now, "exp": now + 3600,
        });
        self.key.sign(&claims).unwrap()
    }

    /// The policy of a role for the tokens' subject.
    pub fn trust(account: &str) -> String {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {
                    "Federated": format!("arn:aws:iam::{account}:oidc-provider/issuer.example"),
                },
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": { "StringEquals": {
                    "issuer.example:aud": Self::AUDIENCE,
                    "issuer.example:sub": "system:serviceaccount:shop:orders",
                } },
            }],
        })
        .to_string()
    }

    fn keys(&self) -> Value {
        PublicJwk::set([self.key.public()])
    }
}

/// What checking the signature of a token costs by itself.
pub fn bare_check_micros() -> f64 {
    const ROUNDS: u32 = 2000;
    let issuer = Issuer::new();
    let keys = issuer.keys();
    let mut point = vec![4];
    for coordinate in ["x", "y"] {
        let text = keys["keys"][0][coordinate].as_str().unwrap();
        point.extend(URL_SAFE_NO_PAD.decode(text).unwrap());
    }
    let token = issuer.token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        key.verify(signed.as_bytes(), &signature).unwrap();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
}

//! Signing tokens: the other side of the verifier.
//!
//! The broker signs tokens about its own callers, and `dev` plays an identity provider with it.

use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::base64url;
use sha2::{Digest as _, Sha256};

/// A token was not signed, or a key not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Not a private key in PKCS #8 of the kind that the algorithm takes.
    #[error("not a private key in PKCS #8 for this algorithm")]
    Key,
    /// An algorithm that is verified here but not signed with.
    #[error("tokens are not signed with this algorithm here")]
    Algorithm,
    /// Signing failed.
    #[error("signing failed")]
    Failed,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A private key and the algorithm that it signs with. No `Debug`: it is a secret.
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
    public: PublicJwk,
}

/// A public key as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    kty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    kid: String,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
}

impl SigningKey {
    /// Draws a key: its private part in PKCS #8. RSA keys cannot be drawn here.
    pub fn generate(algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, SignError> {
        // ring takes no other generator than the system's.
        let random = SystemRandom::new();
        let document = match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            }
            Algorithm::Es384 => {
                EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &random)
            }
            Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random),
            _ => return Err(SignError::Algorithm),
        };
        document
            .map(|document| Zeroizing::new(document.as_ref().to_vec()))
            .map_err(|_| SignError::Failed)
    }

    /// A key from its private part in PKCS #8. An RSA key has 2,048 to 4,096 bits.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, SignError> {
        let ecdsa = |with| {
            EcdsaKeyPair::from_pkcs8(with, pkcs8, &SystemRandom::new())
                .map(Pair::Ecdsa)
                .map_err(|_| SignError::Key)
        };
        let pair = match algorithm {
            Algorithm::Es256 => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)?,
            Algorithm::Es384 => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)?,
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
                .map(Pair::Ed25519)
                .map_err(|_| SignError::Key)?,
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 | Algorithm::Ps256 => {
                RsaKeyPair::from_pkcs8(pkcs8).map(Pair::Rsa).map_err(|_| SignError::Key)?
            }
        };
        let public = PublicJwk::of(&pair, algorithm);
        Ok(Self { algorithm, pair, public })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What may be known of it.
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// Signs these claims.
    pub fn sign(&self, claims: &Value) -> Result<String, SignError> {
        let header = json!({
            "alg": self.algorithm.as_str(), "kid": self.public.kid, "typ": "JWT",
        });
        self.sign_with(&header, claims)
    }

    /// Signs these claims under a header of the caller's, whatever it says: for tests of verifiers.
    #[doc(hidden)]
    pub fn sign_with(&self, header: &Value, claims: &Value) -> Result<String, SignError> {
        let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
        self.sign_text(&format!("{}.{}", part(header), part(claims)))
    }

    /// Signs header and payload as they stand: for tests of verifiers.
    #[doc(hidden)]
    pub fn sign_text(&self, signed: &str) -> Result<String, SignError> {
        let signature = self.signature(signed.as_bytes())?;
        Ok(format!("{signed}.{}", base64url::encode(&signature)))
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SignError::Failed),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding: &dyn signature::RsaEncoding = match self.algorithm {
                    Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
                    Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    _ => return Err(SignError::Key),
                };
                pair.sign(padding, &random, message, &mut signature)
                    .map_err(|_| SignError::Failed)?;
                Ok(signature)
            }
        }
    }
}

impl PublicJwk {
    /// The key's ID: its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// A key set of these keys.
    pub fn set<'k>(keys: impl IntoIterator<Item = &'k Self>) -> Value {
        let keys: Vec<_> = keys.into_iter().map(|key| json!(key)).collect();
        json!({ "keys": keys })
    }

    fn of(pair: &Pair, algorithm: Algorithm) -> Self {
        let mut jwk = Self {
            kty: "EC",
            crv: None,
            n: None,
            e: None,
            x: None,
            y: None,
            kid: String::new(),
            alg: algorithm.as_str(),
            usage: "sig",
        };
        match pair {
            Pair::Ecdsa(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
                jwk.crv = Some(if algorithm == Algorithm::Es256 { "P-256" } else { "P-384" });
                (jwk.x, jwk.y) = (Some(base64url::encode(x)), Some(base64url::encode(y)));
            }
            Pair::Ed25519(pair) => {
                (jwk.kty, jwk.crv) = ("OKP", Some("Ed25519"));
                jwk.x = Some(base64url::encode(pair.public_key().as_ref()));
            }
            Pair::Rsa(pair) => {
                let parts = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                jwk.kty = "RSA";
                (jwk.n, jwk.e) =
                    (Some(base64url::encode(&parts.n)), Some(base64url::encode(&parts.e)));
            }
        }
        jwk.kid = jwk.thumbprint();
        jwk
    }

    /// SHA-256 over the members that make the key, in the order of their names.
    fn thumbprint(&self) -> String {
        let members = [
            ("crv", self.crv),
            ("e", self.e.as_deref()),
            ("kty", Some(self.kty)),
            ("n", self.n.as_deref()),
            ("x", self.x.as_deref()),
            ("y", self.y.as_deref()),
        ];
        let parts: Vec<_> = members
            .iter()
            .filter_map(|(name, value)| value.map(|value| format!("\"{name}\":\"{value}\"")))
            .collect();
        base64url::encode(&Sha256::digest(format!("{{{}}}", parts.join(","))))
    }
}

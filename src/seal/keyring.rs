//! The deployment's own keys.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::SealError;
use crate::id::DeploymentId;
use crate::random::{Random, RandomError};
use crate::secret::SecretKey;

/// What a derived key is for. One key, one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Session tokens.
    Token,
    /// Secrets in the directory.
    StoredSecret,
    /// The MAC of ledger and directory records.
    Record,
    /// Encoded authorization messages.
    Message,
    /// Page markers of listings.
    PageMarker,
    /// The MAC of a backup.
    Backup,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Token => "countersign/1/token",
            Self::StoredSecret => "countersign/1/stored-secret",
            Self::Record => "countersign/1/record",
            Self::Message => "countersign/1/message",
            Self::PageMarker => "countersign/1/page-marker",
            Self::Backup => "countersign/1/backup",
        }
    }
}

/// Where a root key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Made, not yet used for sealing; opens.
    Pending,
    /// Seals and opens. At most one key is active.
    Active,
    /// Opens what it once sealed.
    Retired,
    /// Dead: neither seals nor opens.
    Compromised,
}

struct RootKey {
    number: u32,
    state: KeyState,
    secret: SecretKey,
}

/// The root keys of one deployment.
pub struct Keyring {
    deployment: DeploymentId,
    keys: Vec<RootKey>,
}

/// A keyring file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// Not the format of a keyring.
    #[error("the keyring file is damaged: {0}")]
    Malformed(&'static str),
    /// Made by a newer version.
    #[error("the keyring file has format version {0}; this version reads up to {VERSION}")]
    Newer(u32),
}

const FORMAT: &str = "countersign-keyring";
const VERSION: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u32,
    deployment: DeploymentId,
    keys: Vec<FileKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileKey {
    number: u32,
    state: KeyState,
    secret: Zeroizing<String>,
}

/// Reads no more than the version, so that a newer file is named as such whatever else it holds.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

impl Keyring {
    /// A new deployment's keyring: a random deployment ID and one active key.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        let key =
            RootKey { number: 1, state: KeyState::Active, secret: SecretKey::generate(random)? };
        Ok(Self { deployment: DeploymentId::generate(random)?, keys: vec![key] })
    }

    /// Reads the text of a keyring file.
    pub fn from_file_text(text: &str) -> Result<Self, KeyringError> {
        let head: Head =
            serde_json::from_str(text).map_err(|_| KeyringError::Malformed("no format line"))?;
        if head.format != FORMAT {
            return Err(KeyringError::Malformed("another format"));
        }
        if head.version > VERSION {
            return Err(KeyringError::Newer(head.version));
        }
        let file: File = serde_json::from_str(text)
            .map_err(|_| KeyringError::Malformed("fields are missing or unknown"))?;
        let mut keys: Vec<RootKey> = Vec::with_capacity(file.keys.len());
        for key in file.keys {
            let bytes = Zeroizing::new(
                STANDARD
                    .decode(key.secret.as_bytes())
                    .map_err(|_| KeyringError::Malformed("a key is not base64"))?,
            );
            let bytes = <[u8; 32]>::try_from(bytes.as_slice())
                .map_err(|_| KeyringError::Malformed("a key is not 32 bytes"))?;
            if key.number == 0 || keys.iter().any(|other| other.number == key.number) {
                return Err(KeyringError::Malformed("key numbers are not distinct and positive"));
            }
            keys.push(RootKey {
                number: key.number,
                state: key.state,
                secret: SecretKey::new(bytes),
            });
        }
        if keys.iter().filter(|key| key.state == KeyState::Active).count() != 1 {
            return Err(KeyringError::Malformed("exactly one key must be active"));
        }
        Ok(Self { deployment: file.deployment, keys })
    }

    /// The text of the keyring file. It holds the root keys: write it with mode 0600.
    pub fn to_file_text(&self) -> Zeroizing<String> {
        // Written by hand, so that no intermediate value holds a copy of a key.
        let mut out = Zeroizing::new(String::with_capacity(256 + 160 * self.keys.len()));
        let _ = write!(
            out,
            "{{\n  \"format\": \"{FORMAT}\",\n  \"version\": {VERSION},\n  \"deployment\": \"{}\",\n  \"keys\": [",
            self.deployment
        );
        for (index, key) in self.keys.iter().enumerate() {
            let state = match key.state {
                KeyState::Pending => "pending",
                KeyState::Active => "active",
                KeyState::Retired => "retired",
                KeyState::Compromised => "compromised",
            };
            let comma = if index == 0 { "" } else { "," };
            let secret = Zeroizing::new(STANDARD.encode(key.secret.expose()));
            let _ = write!(
                out,
                "{comma}\n    {{ \"number\": {}, \"state\": \"{state}\", \"secret\": \"{}\" }}",
                key.number, *secret
            );
        }
        out.push_str("\n  ]\n}\n");
        out
    }

    /// The deployment whose keys these are.
    pub fn deployment(&self) -> DeploymentId {
        self.deployment
    }

    /// The number of the key that seals.
    pub(super) fn active(&self) -> Result<u32, SealError> {
        self.keys
            .iter()
            .find(|key| key.state == KeyState::Active)
            .map(|key| key.number)
            .ok_or(SealError::NoActiveKey)
    }

    /// The key of one purpose and one place, derived from the root key `number`.
    ///
    /// `place` is appended to label and deployment, each with its length in front, so that no two
    /// lists of parts read the same.
    pub(super) fn derive(
        &self,
        number: u32,
        purpose: Purpose,
        place: &[&[u8]],
    ) -> Result<SecretKey, SealError> {
        let root = self
            .keys
            .iter()
            .find(|key| key.number == number && key.state != KeyState::Compromised)
            .ok_or(SealError::Key)?;
        let info = parts(&[&[purpose.label().as_bytes(), &self.deployment.0], place].concat());
        let mut key = Zeroizing::new([0_u8; 32]);
        ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, b"countersign")
            .extract(root.secret.expose())
            .expand(&[&info], ring::hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(key.as_mut_slice()))
            .map_err(|_| SealError::Key)?;
        Ok(SecretKey::new(*key))
    }
}

/// The parts one after another, each with its length in front: 32 bits, big-endian.
pub(super) fn parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for part in parts {
        out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

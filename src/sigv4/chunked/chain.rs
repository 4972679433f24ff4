//! The chain of signatures: the head's, each chunk's, the trailers'.

use hmac::{Hmac, Mac};
use ring::signature::UnparsedPublicKey;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::super::canonical::{Sink, hex, unhex, unhex_into, write_scope};
use super::super::date::SignedAt;
use super::super::key_v4a::SigningKeyV4a;
use super::super::parse::Signature;
use super::super::{Algorithm, Scope};
use super::MAX_SIGNATURE;

/// What pads a chunk's signature in SigV4A, so that all are of one length.
const PADDING: u8 = b'*';

/// What signs or checks.
pub(in crate::sigv4) enum Key {
    Mac(Hmac<Sha256>),
    Public(UnparsedPublicKey<[u8; 65]>),
    Private(SigningKeyV4a),
}

/// A signature as it stands in the next one's string to sign.
#[derive(Clone)]
pub(super) struct Previous {
    text: [u8; MAX_SIGNATURE],
    length: usize,
}

impl Previous {
    pub(super) fn of(signature: &Signature) -> Self {
        match signature {
            Signature::Hmac(bytes) => Self::text(&hex(bytes)),
            Signature::Ecdsa(der, length) => {
                let der = der.get(..*length).unwrap_or_default();
                Self::text(data_encoding::HEXLOWER.encode(der).as_bytes())
            }
            // Its payload never comes in chunks.
            Signature::Certificate(bytes) => {
                Self::text(data_encoding::HEXLOWER.encode(bytes).as_bytes())
            }
        }
    }

    pub(super) fn text(signature: &[u8]) -> Self {
        let mut text = [0; MAX_SIGNATURE];
        let length = signature.len().min(MAX_SIGNATURE);
        for (to, from) in text.iter_mut().zip(signature) {
            *to = *from;
        }
        Self { text, length }
    }

    fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }
}

/// The last signature so far, and what makes or checks the next.
pub(in crate::sigv4) struct Chain {
    key: Key,
    algorithm: Algorithm,
    /// Date and scope, each with its newline.
    place: Box<[u8]>,
    previous: Previous,
}

impl Chain {
    pub(super) fn new(
        key: Key,
        signed_at: &SignedAt,
        scope: Scope<'_>,
        previous: Previous,
    ) -> Self {
        let algorithm = match key {
            Key::Mac(_) => Algorithm::HmacSha256,
            Key::Public(_) | Key::Private(_) => Algorithm::EcdsaP256Sha256,
        };
        let mut place = signed_at.text.to_vec();
        place.put(b"\n");
        write_scope(&mut place, algorithm, scope);
        place.put(b"\n");
        Self { key, algorithm, place: place.into(), previous }
    }

    /// Of a signer, whose head has this signature.
    pub(in crate::sigv4) fn after_head(
        key: Key,
        signed_at: &SignedAt,
        scope: Scope<'_>,
        signature: &str,
    ) -> Self {
        Self::new(key, signed_at, scope, Previous::text(signature.as_bytes()))
    }

    /// Whether `signature` is that of a chunk with this hash. If so, it is the last one now.
    pub(super) fn accepts_chunk(&mut self, sha256: &[u8; 32], signature: &[u8]) -> bool {
        self.accepts(Part::Chunk, sha256, signature)
    }

    /// Whether `signature` is that of trailers with this hash.
    pub(super) fn accepts_trailers(&mut self, sha256: &[u8; 32], signature: &[u8]) -> bool {
        self.accepts(Part::Trailers, sha256, signature)
    }

    /// Signs a chunk with this hash, as it stands on the wire.
    pub(super) fn sign_chunk(&mut self, sha256: &[u8; 32]) -> String {
        self.sign(Part::Chunk, sha256)
    }

    /// Signs trailers with this hash, as it stands on the wire.
    pub(super) fn sign_trailers(&mut self, sha256: &[u8; 32]) -> String {
        self.sign(Part::Trailers, sha256)
    }

    fn accepts(&mut self, part: Part, sha256: &[u8; 32], signature: &[u8]) -> bool {
        let signature = match self.algorithm {
            Algorithm::EcdsaP256Sha256 => unpadded(signature),
            Algorithm::HmacSha256 | Algorithm::X509RsaSha256 | Algorithm::X509EcdsaSha256 => {
                signature
            }
        };
        let good = match &self.key {
            Key::Mac(_) => unhex(signature).is_some_and(|claimed| {
                self.mac(part, sha256).is_some_and(|expected| bool::from(expected.ct_eq(&claimed)))
            }),
            Key::Public(key) => {
                let mut der = [0; MAX_SIGNATURE / 2];
                let length = unhex_into(signature, &mut der);
                length
                    .and_then(|length| der.get(..length))
                    .is_some_and(|der| key.verify(&self.string_to_sign(part, sha256), der).is_ok())
            }
            Key::Private(_) => false,
        };
        if good {
            self.previous = Previous::text(signature);
        }
        good
    }

    fn sign(&mut self, part: Part, sha256: &[u8; 32]) -> String {
        let mut signature = match &self.key {
            Key::Mac(_) => {
                let mac = self.mac(part, sha256).unwrap_or_default();
                data_encoding::HEXLOWER.encode(&mac)
            }
            Key::Private(key) => {
                data_encoding::HEXLOWER.encode(&key.sign(&self.string_to_sign(part, sha256)))
            }
            Key::Public(_) => String::new(),
        };
        self.previous = Previous::text(signature.as_bytes());
        if self.algorithm == Algorithm::EcdsaP256Sha256 {
            while signature.len() < MAX_SIGNATURE {
                signature.push(char::from(PADDING));
            }
        }
        signature
    }

    fn mac(&self, part: Part, sha256: &[u8; 32]) -> Option<[u8; 32]> {
        let Key::Mac(mac) = &self.key else { return None };
        let mut mac = mac.clone();
        self.write_string_to_sign(&mut mac, part, sha256);
        Some(mac.finalize().into_bytes().into())
    }

    fn string_to_sign(&self, part: Part, sha256: &[u8; 32]) -> Vec<u8> {
        let mut text = Vec::with_capacity(512);
        self.write_string_to_sign(&mut text, part, sha256);
        text
    }

    fn write_string_to_sign(&self, sink: &mut impl Sink, part: Part, sha256: &[u8; 32]) {
        sink.put(self.algorithm.name().as_bytes());
        sink.put(match part {
            Part::Chunk => b"-PAYLOAD\n",
            Part::Trailers => b"-TRAILER\n",
        });
        sink.put(&self.place);
        sink.put(self.previous.as_bytes());
        sink.put(b"\n");
        if part == Part::Chunk {
            // The hash of a chunk's headers, of which there are none.
            sink.put(&hex(&EMPTY));
            sink.put(b"\n");
        }
        sink.put(&hex(sha256));
    }
}

/// What is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Chunk,
    Trailers,
}

/// SHA-256 of nothing.
const EMPTY: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// SHA-256 of trailers, sorted by name: `name:value` and a newline each.
pub(super) fn hash_trailers(mut trailers: Vec<(&str, &str)>) -> [u8; 32] {
    trailers.sort_unstable();
    let mut hash = Sha256::new();
    for (name, value) in trailers {
        for piece in [name, ":", value, "\n"] {
            hash.update(piece.as_bytes());
        }
    }
    hash.finalize().into()
}

/// A signature without what fills it up to the length of the longest.
fn unpadded(signature: &[u8]) -> &[u8] {
    let mut rest = signature;
    if signature.len() == MAX_SIGNATURE {
        while let [before @ .., PADDING] = rest {
            rest = before;
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nothing() {
        assert_eq!(EMPTY, <[u8; 32]>::from(Sha256::digest(b"")));
    }
}

//! Somebody whom a trust anchor vouches for, before there is a session.
//!
//! # Model
//!
//! [`certificate_identity`] is the only way to a [`CertificateIdentity`]: the request names an anchor
//! and shows a certificate; its maker has proven to hold that one's key; a path leads from the
//! certificate to the anchor's bundle, and no list of the anchor's that counts has it. Nothing is
//! remembered: all of it is checked each time.
//!
//! The proof is the request's signature, by a certificate that it carries, or, if it carries
//! neither, the TLS connection that it came by ([`HeldChain`]). INVARIANT: certificate, chain and
//! proof are of one kind; a request with anything of a signature has no other proof.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::held::{self, HeldChain};
use crate::directory::{Directory, Snapshot, TrustAnchor};
use crate::federation::x509::{self, Leaf, MAX_CHAIN, VerifiedLeaf, X509Error};
use crate::id::{AccountId, ProviderId};
use crate::sigv4::{self, Body, Presented, RequestHead, Rules, SigError};
use crate::wire::printable;

/// The service that such requests are signed for.
const SERVICE: &str = "rolesanywhere";

/// The subject of a verified certificate, and the anchor that vouches for it.
pub struct CertificateIdentity {
    anchor: Arc<TrustAnchor>,
    leaf: VerifiedLeaf,
    proof: Proof,
    proven_at: u64,
}

/// How it was proven that whoever asks holds the key of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By the signature of the request.
    Signature,
    /// By the handshake of the TLS connection that it came by.
    Connection,
}

impl Proof {
    /// Its word in audit records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Connection => "connection",
        }
    }
}

/// A certificate, or the request that it signs, is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The signature, or the form of the request.
    #[error(transparent)]
    Signature(#[from] SigError),
    /// It shows no certificate.
    #[error(
        "the request is not signed by a certificate, and its connection proves none (setting tls.client_certificates)"
    )]
    Missing,
    /// It has a header of a signed request, and is not signed by a certificate.
    #[error("the header {0} is of a signed request, and this one is not signed by a certificate")]
    HalfSigned(String),
    /// It is proven by its connection, and its content type is one that any web page can send.
    #[error("the request is proven by its connection alone, and is not of type application/json")]
    ContentType,
    /// It is proven by its connection, and a browser made it for a web page.
    #[error(
        "the request is proven by its connection alone, and the header {0} says that a browser made it"
    )]
    Page(String),
    /// It is proven by its connection, and tells of another client, or of his certificate.
    #[error(
        "the request is proven by its connection alone, and the header {0} says that it was passed on"
    )]
    PassedOn(String),
    /// It is signed for another service or region.
    #[error("the credential is scoped to another service or region")]
    Scope,
    /// A header with a certificate is not base64.
    #[error("a header with certificates cannot be read")]
    Encoding,
    /// The credential names another serial number than the certificate has.
    #[error("the credential is not the serial number of the certificate")]
    Serial,
    /// The account has no such anchor that is enabled.
    #[error("there is no such trust anchor that is enabled")]
    NoAnchor,
    /// The certificate cannot be read, or the anchor's cannot.
    #[error(transparent)]
    Certificate(#[from] X509Error),
    /// Whoever asks holds the key of a certificate for which the anchor does not vouch.
    #[error("{why} ({certificate})")]
    Untrusted {
        /// Why it does not.
        why: X509Error,
        /// Which certificate it is, by its own word.
        certificate: String,
    },
}

/// A request that shows a certificate.
pub struct ShowingRequest<'a> {
    /// The request without its body.
    pub head: &'a RequestHead<'a>,
    /// Its body.
    pub body: &'a [u8],
    /// What was shown in the handshake of the connection that it came by.
    pub connection: Option<&'a HeldChain>,
    /// The region that it must be signed for.
    pub region: &'a str,
    /// How its signature is held against it; holds the time of its arrival.
    pub rules: Rules,
}

/// Finds out whom a request is from, by an anchor of this account.
///
/// # Errors
///
/// Why it is not taken.
pub fn certificate_identity(
    directory: &Directory,
    request: &ShowingRequest<'_>,
    account: AccountId,
    anchor: ProviderId,
) -> Result<CertificateIdentity, CertificateError> {
    let Shown { leaf, chain, proof } = match sigv4::parse_x509(request.head)? {
        Some(presented) => signed(request, &presented)?,
        None => connected(request)?,
    };

    let snapshot = directory.snapshot();
    let anchor = standing(&snapshot, account, &anchor).ok_or(CertificateError::NoAnchor)?;
    let anchor = Arc::clone(anchor);
    let bundle = snapshot.trust_bundle(&anchor.id).ok_or(CertificateError::NoAnchor)?;
    let bundle = bundle.as_ref().map_err(Clone::clone)?;
    let lists = snapshot.crls_of_anchor(&anchor).filter(|it| it.enabled);
    let lists: Vec<_> = lists.map(|it| &it.list).collect();
    let certificate = told(&leaf);
    let leaf = x509::verify(leaf, &chain, bundle, &lists, request.rules.now)
        .map_err(|why| CertificateError::Untrusted { why, certificate })?;
    Ok(CertificateIdentity { anchor, leaf, proof, proven_at: snapshot.version() })
}

/// Which certificate it is, for the operator who looks for its machine.
fn told(leaf: &Leaf) -> String {
    let name = |name: &x509::Name| printable(&name.to_string(), 128);
    let (subject, issuer) = (name(leaf.subject()), name(leaf.issuer()));
    format!("serial number {}, subject {subject}, issuer {issuer}", leaf.serial_hex())
}

/// A certificate whose key whoever asks holds, and what came with it.
struct Shown<'a> {
    leaf: Leaf,
    chain: Cow<'a, [Vec<u8>]>,
    proof: Proof,
}

/// The certificate that a signed request carries.
fn signed<'a>(
    request: &ShowingRequest<'_>,
    presented: &Presented<'_>,
) -> Result<Shown<'a>, CertificateError> {
    let scope = presented.scope();
    if scope.service != SERVICE || scope.region != request.region {
        return Err(CertificateError::Scope);
    }
    let leaf = Leaf::parse(&decode(presented.certificate().ok_or(CertificateError::Missing)?)?)?;
    // INVARIANT: the request is bound to one certificate, and whoever holds its key made it.
    if presented.access_key_id() != leaf.serial_decimal() {
        return Err(CertificateError::Serial);
    }
    sigv4::verify_x509(presented, leaf.key(), Body::Bytes(request.body), &request.rules)?;
    let chain = Cow::Owned(chain(presented.certificate_chain())?);
    Ok(Shown { leaf, chain, proof: Proof::Signature })
}

/// The certificate of the connection that a request came by which carries none.
fn connected<'a>(request: &ShowingRequest<'a>) -> Result<Shown<'a>, CertificateError> {
    let held = request.connection.ok_or(CertificateError::Missing)?;
    held::check(request.head)?;
    let leaf = Leaf::parse(held.leaf())?;
    Ok(Shown { leaf, chain: Cow::Borrowed(held.chain()), proof: Proof::Connection })
}

/// The anchor, if it is enabled and its account is open.
fn standing<'s>(
    snapshot: &'s Snapshot,
    account: AccountId,
    id: &ProviderId,
) -> Option<&'s Arc<TrustAnchor>> {
    snapshot.open_account(account)?;
    snapshot.trust_anchor(id).filter(|it| it.account == account && it.enabled)
}

fn decode(header: &[u8]) -> Result<Vec<u8>, CertificateError> {
    // Its form is bounded by that of all headers.
    STANDARD.decode(header).map_err(|_| CertificateError::Encoding)
}

/// The certificates of `x-amz-x509-chain`: in base64, separated by commas.
fn chain(header: Option<&[u8]>) -> Result<Vec<Vec<u8>>, CertificateError> {
    let Some(header) = header else { return Ok(Vec::new()) };
    let parts: Vec<_> = header.split(|byte| *byte == b',').collect();
    if parts.len() > MAX_CHAIN {
        return Err(X509Error::TooLarge("chain").into());
    }
    parts.into_iter().map(|part| decode(part.trim_ascii())).collect()
}

impl CertificateIdentity {
    /// The anchor, as it was when the certificate was verified.
    pub fn anchor(&self) -> &Arc<TrustAnchor> {
        &self.anchor
    }

    /// How it was proven who asks.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The version of the directory whose lists it was held against. INVARIANT: what is given for it
    /// counts as given then, so that what came after refuses it.
    pub fn proven_at(&self) -> u64 {
        self.proven_at
    }

    /// The certificate.
    pub fn leaf(&self) -> &Leaf {
        self.leaf.leaf()
    }

    /// Whether the anchor still is what it was, in a directory that may be newer.
    pub fn still_stands(&self, snapshot: &Snapshot) -> bool {
        standing(snapshot, self.anchor.account, &self.anchor.id)
            .is_some_and(|it| it.bundle == self.anchor.bundle)
    }
}

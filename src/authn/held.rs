//! Certificates that the other end of a TLS connection has shown, and the requests that they prove.
//!
//! # Model
//!
//! A [`HeldChain`] is made of a finished handshake alone: in it the client has signed with the key of
//! the first certificate. Nobody vouches for any of them yet; for each request
//! [`certificate_identity`](super::certificate_identity()) finds that out anew, as lists and anchors
//! change while connections live.
//!
//! A signature binds what its maker wrote. A connection binds nothing: whatever arrives by it counts as
//! its holder's. [`check`] refuses what others can make a holder send: a web page its browser, a client
//! a proxy that has a certificate of its own.

use rustls::{HandshakeKind, ServerConnection};

use super::CertificateError;
use crate::sigv4::RequestHead;
use crate::wire::printable;

/// Certificates in DER. Of the first one the other end of a connection holds the key.
#[derive(Debug)]
pub struct HeldChain {
    leaf: Vec<u8>,
    chain: Vec<Vec<u8>>,
}

impl HeldChain {
    /// What the client has shown in the handshake of this connection, if it is done.
    ///
    /// INVARIANT: the key was used for this connection. One that resumes the session of an earlier one
    /// shows nothing but that it knows that one's secrets.
    pub fn of_handshake(connection: &ServerConnection) -> Option<Self> {
        let whole = matches!(
            connection.handshake_kind(),
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest)
        );
        if connection.is_handshaking() || !whole {
            return None;
        }
        let (leaf, chain) = connection.peer_certificates()?.split_first()?;
        Some(Self { leaf: leaf.to_vec(), chain: chain.iter().map(|it| it.to_vec()).collect() })
    }

    /// What a handshake would have shown.
    #[cfg(test)]
    pub(crate) fn of_test(leaf: Vec<u8>, chain: Vec<Vec<u8>>) -> Self {
        Self { leaf, chain }
    }

    pub(super) fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    pub(super) fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }
}

/// Headers that browsers add, whatever the page that makes them ask: some, or all, to every `POST`.
const OF_BROWSERS: &[&str] = &["origin", "sec-fetch-site"];
/// Headers in which proxies tell for whom they ask.
const OF_PROXIES: &[&str] = &["forwarded", "via", "x-forwarded-for", "x-real-ip"];
/// Parts of the names of headers in which they tell of their own clients' certificates, or that one
/// has none, with `-` for `_`.
const OF_CERTIFICATES: &[&str] = &[
    "client-cert",
    "client-dn",
    "client-verify",
    "clientcert",
    "ssl-cert",
    "ssl-client",
    "tls-client",
];

/// Holds a request without `Authorization` to what one must be that nothing but its connection proves.
///
/// The content type is one that no page can send without asking first (Fetch, "CORS-safelisted
/// request-header"), which is never granted.
///
/// # Errors
/// It has a part of a signature, or may be of somebody else than the holder.
pub(super) fn check(head: &RequestHead<'_>) -> Result<(), CertificateError> {
    let first = |matches: &dyn Fn(&str) -> bool| {
        let names = head.headers.iter().map(|(name, _)| *name);
        let found = names.into_iter().find(|name| matches(&name.to_ascii_lowercase()));
        found.map(|name| printable(name, 64))
    };
    // What is left of a signed request is nobody's.
    if let Some(name) = first(&|name| name == "authorization" || name.starts_with("x-amz-")) {
        return Err(CertificateError::HalfSigned(name));
    }
    if let Some(name) = first(&|name| OF_BROWSERS.contains(&name)) {
        return Err(CertificateError::Page(name));
    }
    let passed_on = |name: &str| {
        let name = name.replace('_', "-");
        OF_PROXIES.contains(&name.as_str())
            || OF_CERTIFICATES.iter().any(|part| name.contains(part))
    };
    if let Some(name) = first(&passed_on) {
        return Err(CertificateError::PassedOn(name));
    }
    let mut types =
        head.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    match (types.next(), types.next()) {
        (Some((_, only)), None) if is_json(only) => Ok(()),
        _ => Err(CertificateError::ContentType),
    }
}

/// Whether a content type is `application/json`, with parameters or without.
fn is_json(value: &[u8]) -> bool {
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(headers: &[(&str, &str)]) -> String {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let head = RequestHead { method: "POST", target: "/sessions", headers: &headers };
        check(&head).err().map(|error| format!("{error:?}")).unwrap_or_default()
    }

    #[test]
    fn what_others_can_make_a_holder_send_is_refused() {
        let json = ("content-type", "application/json");
        let host = ("host", "countersign.test");
        assert_eq!(checked(&[host, json, ("user-agent", "curl"), ("x-request-id", "1")]), "");
        assert_eq!(checked(&[host, json, ("x-forwarded-proto", "https")]), "");
        assert_eq!(checked(&[host, ("Content-Type", "Application/JSON ; charset=utf-8")]), "");
        for value in [
            "",
            "text/plain",
            "text/plain; application/json",
            "text/plain;application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
            "application/json, text/plain",
            "application/json text/plain",
            "application/jsonp",
        ] {
            assert_eq!(checked(&[host, ("content-type", value)]), "ContentType", "{value}");
        }
        assert_eq!(checked(&[host]), "ContentType");
        assert_eq!(checked(&[host, json, json]), "ContentType");
        for (name, expected) in [
            ("origin", "Page"),
            ("Origin", "Page"),
            ("sec-fetch-site", "Page"),
            ("x-forwarded-client-cert", "PassedOn"),
            ("X-Forwarded-Client-Cert", "PassedOn"),
            ("x-forwarded-tls-client-cert-info", "PassedOn"),
            ("client-cert", "PassedOn"),
            ("client-cert-chain", "PassedOn"),
            ("ssl-client-cert", "PassedOn"),
            ("x-amzn-mtls-clientcert-leaf", "PassedOn"),
            ("SSL_CLIENT_CERT", "PassedOn"),
            ("x-ssl-cert", "PassedOn"),
            ("x-client-dn", "PassedOn"),
            // Also of a client that has shown none.
            ("ssl-client-verify", "PassedOn"),
            ("x-ssl-client-s-dn", "PassedOn"),
            ("x-client-verify", "PassedOn"),
            // And of any client.
            ("x-forwarded-for", "PassedOn"),
            ("X_Forwarded_For", "PassedOn"),
            ("forwarded", "PassedOn"),
            ("x-real-ip", "PassedOn"),
            ("via", "PassedOn"),
            ("authorization", "HalfSigned"),
            ("x-amz-x509", "HalfSigned"),
            ("X-Amz-X509-Chain", "HalfSigned"),
            ("x-amz-date", "HalfSigned"),
            ("x-amz-security-token", "HalfSigned"),
        ] {
            // With the header's name, for whoever looks for the reason.
            assert_eq!(checked(&[host, json, (name, "")]), format!("{expected}({name:?})"));
        }
    }
}

//! The dialects of proxies: how a client's request arrives in a proxy's question.
//!
//! | | method, path and query | host | client | TLS | framing |
//! |---|---|---|---|---|---|
//! | nginx | `X-Original-Method`, `X-Original-URI` | `X-Original-Host` | `X-Original-IP` | `X-Original-Proto` | `X-Original-Framing` |
//! | Traefik, Caddy | `X-Forwarded-Method`, `X-Forwarded-Uri` | `X-Forwarded-Host` | `X-Forwarded-For` | `X-Forwarded-Proto` | – |
//! | Envoy (HTTP) | the question's own, the path behind the prefix | its own | – | – | – |
//!
//! nginx sets what its configuration says; `deploy/examples/nginx` says all of this. Its framing is
//! `"$server_protocol;$http_content_length;$http_transfer_encoding"`: without a body of its own, the
//! question shows by it that the client's request cannot have one. Traefik and Caddy set theirs by
//! themselves, and over what the client brings unless they were told to trust it.
//!
//! Sources: nginx documentation, module `ngx_http_auth_request_module`; Traefik documentation,
//! "ForwardAuth"; Caddy documentation, "forward_auth"; Envoy documentation, "External
//! Authorization".

use std::net::IpAddr;

use hyper::header::{HeaderMap, UPGRADE};

use crate::downstream::Proxy;
use crate::http::Incoming;
use crate::ops::verify::forward::{Framing, is_ours};

const NGINX: &[&str] = &[
    "x-original-method",
    "x-original-uri",
    "x-original-host",
    "x-original-ip",
    "x-original-proto",
    "x-original-framing",
];
const FORWARDED: &[&str] = &[
    "x-forwarded-method",
    "x-forwarded-uri",
    "x-forwarded-host",
    "x-forwarded-for",
    "x-forwarded-proto",
];
/// Of those, the ones that other proxies set as well and that say nothing about method and target.
/// They are never read outside of their dialect, and stand in no one's way.
const COMMON: &[&str] = &["x-forwarded-for", "x-forwarded-proto"];

/// Headers of the question itself, not of the client's request.
const HOP: &[&str] = &["connection", "host", "transfer-encoding"];

/// A proxy's question cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("The service is not registered for a proxy that asks here")]
    WrongDialect,
    #[error("The request brings the header {0}, which only the broker sets")]
    Spoofed(String),
    #[error("The request brings the header {0}, which is not of the registered proxy's dialect")]
    OtherDialect(String),
    #[error("The proxy does not set {0}: see its example in deploy/examples")]
    Missing(&'static str),
    #[error("The header {0} is there twice or does not read as the proxy sets it")]
    Malformed(&'static str),
    #[error("The proxy passed a part of the body only: raise its limit")]
    PartialBody,
    #[error("The request asks for another protocol, whose bytes nobody would judge")]
    Upgrade,
}

impl Refused {
    /// A word for programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::WrongDialect => "WrongDialect",
            Self::Spoofed(_) => "SpoofedHeader",
            Self::OtherDialect(_) => "OtherDialect",
            Self::Missing(_) => "DialectHeaderMissing",
            Self::Malformed(_) => "DialectHeaderMalformed",
            Self::PartialBody => "PartialBody",
            Self::Upgrade => "UpgradeRefused",
        }
    }
}

/// A client's request, put together again.
pub(super) struct Client {
    pub(super) method: String,
    pub(super) target: String,
    host: Vec<u8>,
    others: Vec<(String, Vec<u8>)>,
    pub(super) source_ip: Option<IpAddr>,
    pub(super) secure: Option<bool>,
    pub(super) framing: Option<OwnedFraming>,
}

/// How the client framed its message.
pub(super) struct OwnedFraming {
    protocol: String,
    content_length: String,
    transfer_encoding: String,
}

impl OwnedFraming {
    pub(super) fn as_framing(&self) -> Framing<'_> {
        Framing {
            protocol: &self.protocol,
            content_length: &self.content_length,
            transfer_encoding: &self.transfer_encoding,
        }
    }
}

impl Client {
    /// The client's headers. The length of the question's body is the client's only if it is the
    /// client's body.
    pub(super) fn headers(&self, body_passed: bool) -> Vec<(String, Vec<u8>)> {
        let mut headers = vec![("host".to_owned(), self.host.clone())];
        let length = self.framing.as_ref().map(|framing| framing.content_length.as_str());
        if let Some(length) = length.filter(|length| !length.is_empty()) {
            headers.push(("content-length".to_owned(), length.as_bytes().to_vec()));
        }
        let own_length = body_passed && length.is_none();
        let others = self.others.iter().filter(|(name, _)| own_length || name != "content-length");
        headers.extend(others.cloned());
        headers
    }
}

/// Reads a proxy's question; `path` is what stands behind the service's name.
pub(super) fn read(proxy: Proxy, request: &Incoming, path: &str) -> Result<Client, Refused> {
    let own: &[&str] = match proxy {
        Proxy::Nginx => NGINX,
        Proxy::Traefik | Proxy::Caddy => FORWARDED,
        Proxy::EnvoyHttp => &["x-envoy-auth-partial-body"],
        Proxy::None | Proxy::EnvoyGrpc => return Err(Refused::WrongDialect),
    };
    check_names(&request.headers, own)?;
    // What follows an upgrade is no body, and nobody judged it.
    if request.headers.contains_key(UPGRADE) {
        return Err(Refused::Upgrade);
    }
    let others = request
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()) && !HOP.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let headers = &request.headers;
    if proxy == Proxy::EnvoyHttp {
        let partial = headers.get_all("x-envoy-auth-partial-body").iter();
        if partial.into_iter().any(|value| value != "false") {
            return Err(Refused::PartialBody);
        }
        let query = request.target.split_once('?').map(|(_, query)| format!("?{query}"));
        return Ok(Client {
            method: request.method.as_str().to_owned(),
            target: format!("{path}{}", query.unwrap_or_default()),
            host: one(headers, "host")?.as_bytes().to_vec(),
            others,
            source_ip: None,
            secure: None,
            framing: None,
        });
    }
    // Caddy leaves the client's query on its own question; the one that counts is in the header.
    let query = request.target.contains('?') && proxy != Proxy::Caddy;
    if !path.is_empty() || query {
        return Err(Refused::WrongDialect);
    }
    let [method, uri, host, ip, proto, ..] = own else { return Err(Refused::WrongDialect) };
    let secure = match one(headers, proto)? {
        "https" => true,
        "http" => false,
        _ => return Err(Refused::Malformed("X-Forwarded-Proto or X-Original-Proto")),
    };
    let framing = match own.get(5) {
        Some(name) => Some(framing(one(headers, name)?)?),
        None => None,
    };
    Ok(Client {
        method: one(headers, method)?.to_owned(),
        target: one(headers, uri)?.to_owned(),
        host: one(headers, host)?.as_bytes().to_vec(),
        others,
        // A list would mean that the proxy passes on what the client says of itself.
        source_ip: Some(
            one(headers, ip)?.parse().map_err(|_| {
                Refused::Malformed("X-Forwarded-For or X-Original-IP (one address)")
            })?,
        ),
        secure: Some(secure),
        framing,
    })
}

/// Refuses headers that are ours, of another dialect, or like one of a dialect's.
fn check_names(headers: &HeaderMap, own: &[&str]) -> Result<(), Refused> {
    for name in headers.keys() {
        let name = name.as_str();
        if is_ours(name) {
            return Err(Refused::Spoofed(name.to_owned()));
        }
        let plain = name.replace('_', "-");
        let known = [NGINX, FORWARDED, own].concat().contains(&plain.as_str());
        let ours = own.contains(&name);
        let common = COMMON.contains(&plain.as_str()) && !own.contains(&plain.as_str());
        if known && !ours && !common {
            return Err(Refused::OtherDialect(name.to_owned()));
        }
    }
    Ok(())
}

/// The one value of a header that the proxy sets on every question.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Refused> {
    let told = [NGINX, FORWARDED, &["host"]].concat();
    let told = told.into_iter().find(|known| *known == name).unwrap_or("a header");
    let mut values = headers.get_all(name).iter();
    let (Some(value), more) = (values.next(), values.next()) else {
        return Err(Refused::Missing(told));
    };
    match (value.to_str(), more) {
        (Ok(value), None) if !value.is_empty() => Ok(value),
        _ => Err(Refused::Malformed(told)),
    }
}

/// Reads nginx's framing: protocol, length and coding between semicolons.
fn framing(text: &str) -> Result<OwnedFraming, Refused> {
    let malformed = Refused::Malformed("x-original-framing");
    let mut parts = text.splitn(3, ';');
    let (Some(protocol), Some(length), Some(coding)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(malformed);
    };
    let known = protocol.strip_prefix("HTTP/").is_some_and(|version| !version.is_empty());
    if !known || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed);
    }
    Ok(OwnedFraming {
        protocol: protocol.to_owned(),
        content_length: length.to_owned(),
        transfer_encoding: coding.to_owned(),
    })
}

//! `Check`: Envoy asks whether a request may pass.

use super::frame::{self, Status};
use super::proto::{
    CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValue, HeaderValueOption, HttpRequest,
    HttpResponse, HttpStatus, OkHttpResponse, RpcStatus,
};
use crate::api::Decision;
use crate::downstream::Proxy;
use crate::http::{Incoming, Outgoing};
use crate::ops::verify::forward::{self, Framing};
use crate::ops::verify::{self, Asking, Forwarded, NotAdmitted, VerifyError};
use crate::ops::{Facts, Services};

/// The key of `context_extensions` that names the service.
const SERVICE: &str = "service";

/// `OVERWRITE_IF_EXISTS_OR_ADD` of `HeaderAppendAction`.
const OVERWRITE: i32 = 2;

/// Why a question of Envoy's cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("The service is not registered for Envoy over gRPC.")]
    WrongDialect,
    #[error("The question has no request: set nothing that hides it.")]
    NoRequest,
    #[error("Envoy does not send raw headers: set encode_raw_headers.")]
    NoRawHeaders,
    #[error("The raw headers and the request's method, path and host differ.")]
    Differs,
    #[error("The request brings a header x-countersign-…, which only the broker sets.")]
    Spoofed,
    #[error("The request asks for another protocol, whose bytes nobody would judge.")]
    Upgrade,
    #[error("Envoy passed a part of the body only: raise max_request_bytes.")]
    PartialBody,
    #[error("Envoy passed the body as text: set pack_as_bytes.")]
    TextBody,
}

impl Refused {
    fn code(self) -> &'static str {
        match self {
            Self::WrongDialect => "WrongDialect",
            Self::NoRequest | Self::NoRawHeaders | Self::Differs | Self::TextBody => {
                "DialectHeaderMalformed"
            }
            Self::Spoofed => "SpoofedHeader",
            Self::Upgrade => "UpgradeRefused",
            Self::PartialBody => "PartialBody",
        }
    }
}

/// Answers one call.
pub(crate) async fn check(
    services: &Services,
    request: &Incoming,
    facts: &Facts,
    asking: &Asking,
) -> Outgoing {
    let grpc = request.headers.get(hyper::header::CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes();
        kind == b"application/grpc" || kind.starts_with(b"application/grpc+proto")
    });
    if !grpc {
        return frame::failure(Status::Unimplemented, "application/grpc is expected");
    }
    let Some(question) = frame::read::<CheckRequest>(&request.body) else {
        return frame::failure(Status::InvalidArgument, "one CheckRequest is expected");
    };
    let attributes = question.attributes.unwrap_or_default();
    let name = attributes.context_extensions.get(SERVICE).map(String::as_str).unwrap_or_default();
    let Some(service) = services.downstream.now().get(name).cloned() else {
        let why = "context_extensions names no registered service";
        return frame::failure(Status::PermissionDenied, why)
            .with_log("code", NotAdmitted::NotRegistered.code());
    };
    if let Err(why) = asking.admit(facts, Some(&service)) {
        return frame::failure(Status::PermissionDenied, &why.to_string())
            .with_log("code", why.code());
    }
    let http = attributes.request.and_then(|request| request.http);
    let client = match read(service.proxy(), http.as_ref()) {
        Ok(client) => client,
        Err(why) => return denied(403, why.code(), &why.to_string()),
    };
    if service.proxy_passes_body() && !client.body_is_whole() {
        let why = Refused::PartialBody;
        return denied(403, why.code(), &why.to_string());
    }
    let address = attributes.source.and_then(|source| source.address);
    let address = address.and_then(|address| address.socket_address);
    let forwarded = Forwarded {
        method: &client.http.method,
        target: &client.http.path,
        headers: &client.headers,
        body: forward::shown(&service, &client.http.raw_body, Some(&client.framing())),
        source_ip: address.and_then(|address| address.address.parse().ok()),
        secure: secure(attributes.tls_session.is_some(), &client.http.scheme),
    };
    let monotonic = services.clock.monotonic();
    let judged =
        verify::verify_forwarded(services, facts, monotonic, asking, &service, forwarded).await;
    let response = match judged {
        Ok(response) => response,
        Err(error @ VerifyError::Unavailable(_)) => {
            return frame::failure(Status::Unavailable, "it cannot be decided now")
                .with_log("code", error.code())
                .with_log("note", error.to_string());
        }
        Err(error) => return denied(403, error.code(), &error.public_message()),
    };
    let answer = match response.decision {
        Decision::Allow => {
            let headers = options(forward::headers(&response));
            let ok = HttpResponse::Ok(OkHttpResponse { headers });
            spell(Status::Ok, ok).with_log("code", response.reason.code.clone())
        }
        // INVARIANT: identity alone lets nobody pass.
        Decision::Deny | Decision::NotAsked => {
            let status = if response.authenticated { 403 } else { 401 };
            denied(status, &response.reason.code, &response.reason.message)
        }
    };
    match response.principal {
        Some(principal) => answer.with_log("principal", principal.arn),
        None => answer,
    }
}

/// A client's request, as Envoy tells it.
struct Client<'a> {
    http: &'a HttpRequest,
    headers: Vec<(String, Vec<u8>)>,
}

impl Client<'_> {
    fn value(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| std::str::from_utf8(value).ok()).unwrap_or_default()
    }

    /// Whether the body has the length that the client announced, if it announced one.
    fn body_is_whole(&self) -> bool {
        let announced = self.value("content-length");
        announced.is_empty() || announced.parse() == Ok(self.http.raw_body.len())
    }

    /// Envoy takes `transfer-encoding` away before its filters run: whatever the protocol, that no
    /// length is there says nothing. Only a length of 0 does.
    fn framing(&self) -> Framing<'_> {
        Framing {
            protocol: "",
            content_length: self.value("content-length"),
            transfer_encoding: self.value("transfer-encoding"),
        }
    }
}

fn read(proxy: Proxy, http: Option<&HttpRequest>) -> Result<Client<'_>, Refused> {
    if proxy != Proxy::EnvoyGrpc {
        return Err(Refused::WrongDialect);
    }
    let http = http.ok_or(Refused::NoRequest)?;
    // Without, Envoy joins repeated headers and mends what is not UTF-8.
    let raw = http.header_map.as_ref().filter(|map| !map.headers.is_empty());
    let raw = raw.ok_or(Refused::NoRawHeaders)?;
    if !http.headers.is_empty() {
        return Err(Refused::Differs);
    }
    let mut headers = vec![("host".to_owned(), http.host.as_bytes().to_vec())];
    for HeaderValue { key, value, raw_value } in &raw.headers {
        let name = key.to_ascii_lowercase();
        let value = if raw_value.is_empty() { value.as_bytes() } else { raw_value };
        let same =
            |told: &str| if told.as_bytes() == value { Ok(()) } else { Err(Refused::Differs) };
        match name.as_str() {
            ":method" => same(&http.method)?,
            ":path" => same(&http.path)?,
            ":authority" | "host" => same(&http.host)?,
            "x-envoy-auth-partial-body" if value != b"false" => return Err(Refused::PartialBody),
            "x-envoy-auth-partial-body" => {}
            // What follows an upgrade is no body, and nobody judged it.
            "upgrade" => return Err(Refused::Upgrade),
            name if name.starts_with(':') => {}
            name if forward::is_ours(name) => return Err(Refused::Spoofed),
            _ => headers.push((name, value.to_vec())),
        }
    }
    if !http.body.is_empty() {
        return Err(Refused::TextBody);
    }
    Ok(Client { http, headers })
}

/// Whether the client came by TLS. Envoy's word for it is the TLS session; `https` may be the
/// client's own word, `http` harms nobody but whoever says so.
fn secure(tls_session: bool, scheme: &str) -> Option<bool> {
    match scheme {
        _ if tls_session => Some(true),
        "http" => Some(false),
        _ => None,
    }
}

fn denied(status: i32, code: &str, message: &str) -> Outgoing {
    let body = serde_json::json!({ "error": { "code": code, "message": message } }).to_string();
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: status }),
        headers: options(forward::reason(code, message)),
        body,
    };
    spell(Status::PermissionDenied, HttpResponse::Denied(denied)).with_log("code", code)
}

fn spell(status: Status, response: HttpResponse) -> Outgoing {
    frame::message(&CheckResponse {
        status: Some(RpcStatus { code: status as i32, message: String::new() }),
        http_response: Some(response),
    })
}

fn options(headers: Vec<(&'static str, String)>) -> Vec<HeaderValueOption> {
    headers
        .into_iter()
        .map(|(name, value)| HeaderValueOption {
            header: Some(HeaderValue { key: name.to_owned(), value, raw_value: Vec::new() }),
            append_action: OVERWRITE,
            keep_empty_value: true,
        })
        .collect()
}

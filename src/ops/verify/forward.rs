//! What every proxy's question has in common: what a client must not bring, what is told of it.

use crate::api::{Principal, VerifyResponse};
use crate::downstream::Service;
pub use crate::downstream::is_ours;

/// The headers that tell a service about an allowed request. Each is there, empty if it says
/// nothing, so that a proxy always overwrites it.
pub fn headers(answer: &VerifyResponse) -> Vec<(&'static str, String)> {
    let who = answer.principal.as_ref();
    let text = |of: fn(&Principal) -> Option<&str>| {
        who.and_then(of).map(|text| encode(text, b":/")).unwrap_or_default()
    };
    let tags = who.map(|who| {
        let tags = who.tags.iter();
        let pairs = tags.map(|(key, value)| format!("{}={}", encode(key, b""), encode(value, b"")));
        pairs.collect::<Vec<_>>().join("&")
    });
    vec![
        ("x-countersign-principal", text(|who| Some(&who.arn))),
        ("x-countersign-account", text(|who| Some(&who.account))),
        ("x-countersign-user-id", text(|who| Some(&who.user_id))),
        ("x-countersign-session", text(|who| who.session_name.as_deref())),
        ("x-countersign-source-identity", text(|who| who.source_identity.as_deref())),
        ("x-countersign-tags", tags.unwrap_or_default()),
        ("x-countersign-content-sha256", answer.content_sha256.clone().unwrap_or_default()),
    ]
}

/// The headers that tell why a request is refused.
pub fn reason(code: &str, message: &str) -> Vec<(&'static str, String)> {
    vec![
        ("x-countersign-reason", encode(code, b"")),
        ("x-countersign-message", encode(message, b":/ ,;'()=*")),
    ]
}

/// Percent-encodes all but unreserved characters (RFC 3986, section 2.3) and these.
fn encode(text: &str, also: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
    out
}

/// What a body is, shown as far as this proxy shows it.
///
/// `body` is what came; it says something only where the proxy is registered as one that passes
/// whole bodies on. `framing` is what the proxy tells of the client's message.
pub fn shown(service: &Service, body: &[u8], framing: Option<&Framing<'_>>) -> super::Shown {
    if service.proxy_passes_body() {
        return super::Shown::Bytes(body.to_vec());
    }
    match framing {
        Some(framing) if framing.has_no_body() => super::Shown::Bytes(Vec::new()),
        _ => super::Shown::Nothing,
    }
}

/// How the client framed its message, as the proxy tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing<'a> {
    /// Such as `HTTP/1.1`.
    pub protocol: &'a str,
    /// `Content-Length`; empty if it was not there.
    pub content_length: &'a str,
    /// `Transfer-Encoding`; empty if it was not there.
    pub transfer_encoding: &'a str,
}

impl Framing<'_> {
    /// Whether there cannot be a body.
    ///
    /// Without both headers a message of HTTP/1 has no body (RFC 9112, section 6.3). In HTTP/2 and
    /// HTTP/3 it may have one all the same; a length of 0 is binding in each (RFC 9113, section
    /// 8.1.1).
    pub fn has_no_body(&self) -> bool {
        let http1 = matches!(self.protocol, "HTTP/1.0" | "HTTP/1.1");
        let length = match self.content_length {
            "" => http1,
            length => length.bytes().all(|byte| byte == b'0'),
        };
        length && self.transfer_encoding.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_ours_are_told_by_any_spelling() {
        for name in [
            "x-countersign-principal",
            "X-Countersign-Principal",
            "x_countersign_principal",
            "X_COUNTERSIGN-ACCOUNT",
            "x-countersign-",
            "x-countersign_anything",
        ] {
            assert!(is_ours(name), "{name}");
        }
        for name in ["x-countersign", "countersign-principal", "x-counter-sign-a", "", "x-amz-date"]
        {
            assert!(!is_ours(name), "{name}");
        }
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_encoded() {
        let encoded = encode("arn:aws:sts::1:assumed-role/a/b\r\nX: é%", b":/");
        assert_eq!(encoded, "arn:aws:sts::1:assumed-role/a/b%0D%0AX:%20%C3%A9%25");
    }

    #[test]
    fn only_a_message_that_cannot_have_a_body_has_none() {
        for (protocol, content_length, transfer_encoding, none) in [
            ("HTTP/1.1", "", "", true),
            ("HTTP/1.0", "", "", true),
            ("HTTP/1.1", "0", "", true),
            ("HTTP/1.1", "1", "", false),
            ("HTTP/1.1", "", "chunked", false),
            ("HTTP/1.1", "0", "chunked", false),
            ("HTTP/2.0", "", "", false),
            ("HTTP/2", "0", "", true),
            ("HTTP/3.0", "", "", false),
            ("", "", "", false),
            ("HTTP/1.1", "0x", "", false),
        ] {
            let framing = Framing { protocol, content_length, transfer_encoding };
            assert_eq!(framing.has_no_body(), none, "{framing:?}");
        }
    }
}

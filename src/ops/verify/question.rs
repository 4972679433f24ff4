//! A question, read strictly: what makes no sense is refused, with the field and the reason.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::api::{OneOrMany, VerifyRequest};
use crate::arn::Arn;
use crate::id::AccountId;
use crate::ops::authorize::Ask;
use crate::policy::{Context, DocumentKind, Policy, Value, fold};
use crate::sigv4::{Body, RequestHead, UriRules};

/// A question makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Malformed {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// The most condition keys that an asker may vouch for.
const MAX_KEYS: usize = 100;
/// The most acceptable hosts.
const MAX_HOSTS: usize = 100;
/// The longest name or value of a key, in bytes.
const MAX_TEXT: usize = 4096;

/// A question that makes sense.
pub struct Question<'a> {
    request: &'a VerifyRequest,
    values: Vec<Vec<u8>>,
    body: OwnedBody,
    asked: Option<Asked<'a>>,
    source_ip: Option<IpAddr>,
}

enum OwnedBody {
    Bytes(Vec<u8>),
    Sha256([u8; 32]),
    Unavailable,
}

struct Asked<'a> {
    action: &'a str,
    resource: &'a str,
    owner: AccountId,
    policy: Option<Policy>,
}

fn malformed<T>(field: &'static str, reason: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed { field, reason: reason.into() })
}

impl<'a> Question<'a> {
    /// Reads a question.
    pub fn parse(request: &'a VerifyRequest) -> Result<Self, Malformed> {
        check_name("service", &request.service)?;
        if request.hosts.is_empty() || request.hosts.len() > MAX_HOSTS {
            return malformed("hosts", format!("1 to {MAX_HOSTS} acceptable hosts are expected"));
        }
        if request.hosts.iter().any(|host| host.is_empty() || !host.bytes().all(is_host)) {
            return malformed(
                "hosts",
                "a host is a name or address, with a port if it is not the default",
            );
        }
        if let Some(region) = &request.region {
            check_name("region", region)?;
        }
        for (name, _) in &request.headers {
            if name.is_empty() || name.starts_with(':') {
                return malformed(
                    "headers",
                    "a header needs a name; pseudo-headers belong into host, method and uri",
                );
            }
        }
        let values =
            request.headers.iter().map(|(_, value)| latin1(value)).collect::<Result<_, _>>()?;
        let source_ip = match &request.source_ip {
            None => None,
            Some(text) => match text.parse() {
                Ok(ip) => Some(ip),
                Err(_) => return malformed("source_ip", "an IPv4 or IPv6 address is expected"),
            },
        };
        check_keys(request)?;
        Ok(Self { request, values, body: body(request)?, asked: asked(request)?, source_ip })
    }

    /// The request's headers.
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        let names = self.request.headers.iter().map(|(name, _)| name.as_str());
        names.zip(self.values.iter().map(Vec::as_slice)).collect()
    }

    /// The request in question, without its body.
    pub fn head<'h>(&'h self, headers: &'h [(&'h str, &'h [u8])]) -> RequestHead<'h> {
        RequestHead { method: &self.request.method, target: &self.request.uri, headers }
    }

    /// What the asker knows of the body.
    pub fn body(&self) -> Body<'_> {
        match &self.body {
            OwnedBody::Bytes(bytes) => Body::Bytes(bytes),
            OwnedBody::Sha256(hash) => Body::Sha256(*hash),
            OwnedBody::Unavailable => Body::Unavailable,
        }
    }

    /// How the service canonicalizes: S3 has rules of its own.
    pub fn uri_rules(&self) -> UriRules {
        if self.request.service == "s3" { UriRules::S3 } else { UriRules::Standard }
    }

    /// Whether a segment of the path is `.` or `..`, escaped or not: readers that normalise the path
    /// (RFC 3986, section 6.2.2) find another in it than those that do not. Keys of S3 are opaque.
    pub fn has_dot_segment(&self) -> bool {
        let path = self.request.uri.split('?').next().unwrap_or_default();
        self.uri_rules() != UriRules::S3
            && path.split('/').any(|segment| {
                matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
            })
    }

    /// What is to be authorized, if anything.
    pub fn asked(&self) -> Option<Ask<'_>> {
        self.asked.as_ref().map(|asked| Ask {
            action: asked.action,
            resource: asked.resource,
            owner: asked.owner,
        })
    }

    /// The resource's own policy, its principals not bound yet.
    pub fn resource_policy(&self) -> Option<Policy> {
        self.asked.as_ref().and_then(|asked| asked.policy.clone())
    }

    /// Checks that the request was meant for one of the service's hosts.
    pub fn check_host(&self, head: &RequestHead<'_>) -> Result<(), &'static str> {
        let mut hosts = head.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
        let (Some((_, host)), None) = (hosts.next(), hosts.next()) else {
            return Err("The request has no host header, or several.");
        };
        let served = self
            .request
            .hosts
            .iter()
            .any(|served| served.as_bytes().eq_ignore_ascii_case(host.trim_ascii()));
        served
            .then_some(())
            .ok_or("The request was made for a host that the service does not answer to.")
    }

    /// Adds the condition keys that come from the asker.
    pub fn add_keys(&self, keys: &mut Context, region: &str) {
        if let Some(ip) = self.source_ip {
            keys.insert("aws:SourceIp", Value::One(ip.to_string()));
        }
        if let Some(secure) = self.request.secure_transport {
            keys.insert("aws:SecureTransport", Value::One(secure.to_string()));
        }
        if !region.is_empty() {
            keys.insert("aws:RequestedRegion", Value::One(region.to_owned()));
        }
        for (key, value) in &self.request.context {
            let value = match value {
                OneOrMany::One(one) => Value::One(one.clone()),
                OneOrMany::Many(many) => Value::Many(many.clone()),
            };
            keys.insert(key, value);
        }
    }
}

fn check_name(field: &'static str, name: &str) -> Result<(), Malformed> {
    let fits = (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b',');
    if fits {
        Ok(())
    } else {
        malformed(
            field,
            "1 to 128 printable characters without spaces, slashes and commas are expected",
        )
    }
}

fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte)
}

fn latin1(text: &str) -> Result<Vec<u8>, Malformed> {
    text.chars()
        .map(|c| {
            u8::try_from(u32::from(c)).map_err(|_| Malformed {
                field: "headers",
                reason: "a header's value is bytes, written as Latin-1: no character over U+00FF"
                    .to_owned(),
            })
        })
        .collect()
}

fn body(request: &VerifyRequest) -> Result<OwnedBody, Malformed> {
    match (&request.body, &request.body_sha256) {
        (Some(_), Some(_)) => malformed("body_sha256", "it cannot come together with body"),
        (Some(body), None) => match STANDARD.decode(body) {
            Ok(bytes) => Ok(OwnedBody::Bytes(bytes)),
            Err(_) => malformed("body", "base64 with padding is expected"),
        },
        (None, Some(hash)) => match data_encoding::HEXLOWER.decode(hash.as_bytes()) {
            Ok(bytes) if bytes.len() == 32 => {
                Ok(bytes.try_into().map_or(OwnedBody::Unavailable, OwnedBody::Sha256))
            }
            _ => malformed("body_sha256", "64 lower-case hexadecimal digits are expected"),
        },
        (None, None) => Ok(OwnedBody::Unavailable),
    }
}

fn asked(request: &VerifyRequest) -> Result<Option<Asked<'_>>, Malformed> {
    let (action, resource, owner) =
        match (&request.action, &request.resource, &request.resource_account) {
            (Some(action), Some(resource), Some(owner)) => (action, resource, owner),
            (None, None, None) => {
                // These have a meaning for authorization only: alone they are a mistake.
                if request.resource_policy.is_some() {
                    return malformed(
                        "resource_policy",
                        "it needs action, resource and resource_account",
                    );
                }
                return Ok(None);
            }
            _ => {
                return malformed(
                    "action",
                    "action, resource and resource_account belong together: all three or none",
                );
            }
        };
    let mut parts = action.splitn(2, ':');
    let fits = |part: Option<&str>| {
        part.is_some_and(|part| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
    };
    if !(fits(parts.next()) && fits(parts.next())) || action.len() > 256 {
        return malformed("action", "service:Name is expected, without wildcards");
    }
    // INVARIANT: nobody asks here about the broker's own actions.
    let service = action.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if matches!(service.as_str(), "sts" | "iam" | "countersign" | "organizations") {
        return malformed("action", "the broker's own actions are decided by the broker alone");
    }
    let Ok(owner) = AccountId::parse(owner) else {
        return malformed("resource_account", "12 digits are expected");
    };
    if resource.len() > MAX_TEXT {
        return malformed("resource", format!("at most {MAX_TEXT} bytes are expected"));
    }
    match Arn::parse(resource) {
        Err(error) => return malformed("resource", error.to_string()),
        Ok(arn) if !arn.account.is_empty() && arn.account != owner.to_string() => {
            return malformed("resource_account", "the resource's ARN names another account");
        }
        Ok(_) => {}
    }
    let policy = match &request.resource_policy {
        None => None,
        Some(text) => match Policy::parse(text, DocumentKind::Resource) {
            Ok(policy) => Some(policy),
            Err(error) => return malformed("resource_policy", error.to_string()),
        },
    };
    Ok(Some(Asked { action, resource, owner, policy }))
}

/// INVARIANT: keys that the broker vouches for cannot be brought by an asker.
fn check_keys(request: &VerifyRequest) -> Result<(), Malformed> {
    if request.context.len() > MAX_KEYS {
        return malformed("context", format!("at most {MAX_KEYS} keys are expected"));
    }
    let mut seen = std::collections::HashSet::new();
    for (key, value) in &request.context {
        let lower = fold(key);
        let (prefix, name) = lower.split_once(':').unwrap_or_default();
        if prefix.is_empty() || name.is_empty() || key.len() > MAX_TEXT {
            return malformed("context", "a key is prefix:name");
        }
        let ours = matches!(prefix, "aws" | "sts" | "saml" | "iam" | "countersign");
        if ours && lower.strip_prefix("aws:resourcetag/").is_none_or(str::is_empty) {
            return malformed(
                "context",
                format!("keys under {prefix}: come from the broker, but for aws:ResourceTag/…"),
            );
        }
        if !seen.insert(lower) {
            return malformed("context", "two keys differ only in case");
        }
        let long = match value {
            OneOrMany::One(one) => one.len() > MAX_TEXT,
            OneOrMany::Many(many) => {
                many.len() > MAX_KEYS || many.iter().any(|one| one.len() > MAX_TEXT)
            }
        };
        if long {
            return malformed("context", format!("a value has at most {MAX_TEXT} bytes"));
        }
    }
    Ok(())
}

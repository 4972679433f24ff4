//! A question, read strictly: what makes no sense is refused, with the field and the reason.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::resource::{ResourcePolicies, ResourcePolicy};
use crate::api::{Keep, OneOrMany, VerifyRequest};
use crate::arn::Arn;
use crate::downstream::mapping::{Deed, Meaning, Unmapped};
use crate::downstream::{self, BodyRule, HostPattern, Service};
use crate::id::AccountId;
use crate::policy::{Context, Value, fold};
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
    service: &'a str,
    registered: Option<&'a Service>,
    region: Option<&'a str>,
    /// The acceptable hosts of a service that is not registered.
    hosts: &'a [String],
    method: &'a str,
    target: &'a str,
    headers: Vec<(&'a str, Cow<'a, [u8]>)>,
    body: Shown,
    asked: Asked,
    policy: Option<Arc<ResourcePolicy>>,
    source_ip: Option<IpAddr>,
    secure: Option<bool>,
    context: Option<&'a BTreeMap<String, OneOrMany>>,
}

/// What is shown of a body.
pub enum Shown {
    /// All of it.
    Bytes(Vec<u8>),
    /// Its SHA-256, computed by the asker over the bytes.
    Sha256([u8; 32]),
    /// Nothing.
    Nothing,
}

/// What is to be authorized.
pub enum Asked {
    /// Nothing: the question is about identity alone.
    Identity,
    /// This, of an owner's resources.
    Meaning(Meaning, AccountId),
    /// A request of a mapped service that means nothing.
    Unmapped(Unmapped),
}

/// A request to a registered service, as a proxy passed it on.
pub struct Forwarded<'a> {
    /// The method as it came to the proxy.
    pub method: &'a str,
    /// Path and query as they came to the proxy, undecoded.
    pub target: &'a str,
    /// The client's headers, `host` as the client sent it.
    pub headers: &'a [(String, Vec<u8>)],
    /// What is shown of the body.
    pub body: Shown,
    /// The client's address, as the proxy vouches for it.
    pub source_ip: Option<IpAddr>,
    /// Whether it came to the proxy by TLS.
    pub secure: Option<bool>,
}

/// Which of the asker's keys count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vouched {
    /// Those of the connection and those of the resource that the request is about.
    All,
    /// Those of the connection alone.
    Connection,
}

fn malformed<T>(field: &'static str, reason: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed { field, reason: reason.into() })
}

impl<'a> Question<'a> {
    /// Reads a question; `registered` is the service that it names, if there is one.
    pub fn parse(
        request: &'a VerifyRequest,
        registered: Option<&'a Service>,
        policies: &ResourcePolicies,
    ) -> Result<Self, Malformed> {
        check_name("service", &request.service)?;
        if downstream::is_own(&request.service) {
            return malformed("service", "the broker alone decides about its own services");
        }
        check_hosts(request, registered)?;
        if let Some(region) = &request.region {
            check_name("region", region)?;
            if registered.and_then(Service::region).is_some_and(|own| own != region) {
                return malformed("region", "the service is registered with another");
            }
        }
        for (name, _) in &request.headers {
            if name.is_empty() || name.starts_with(':') {
                return malformed(
                    "headers",
                    "a header needs a name; pseudo-headers belong into host, method and uri",
                );
            }
        }
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| Ok((name.as_str(), Cow::Owned(latin1(value)?))))
            .collect::<Result<Vec<_>, Malformed>>()?;
        let source_ip = match &request.source_ip {
            None => None,
            Some(text) => match text.parse() {
                Ok(ip) => Some(ip),
                Err(_) => return malformed("source_ip", "an IPv4 or IPv6 address is expected"),
            },
        };
        check_keys(request)?;
        let given = given(request, registered)?;
        let body = body(request)?;
        let mapped = registered
            .map(|service| mapped(service, &request.method, &request.uri, &headers, &body));
        let asked = match mapped.flatten() {
            None => given,
            Some(mapped) => agreed(mapped, &given)?,
        };
        let policy = resource_policy(request, &asked, policies)?;
        let region = registered.and_then(Service::region).or(request.region.as_deref());
        Ok(Self {
            service: &request.service,
            registered,
            region,
            hosts: &request.hosts,
            method: &request.method,
            target: &request.uri,
            headers,
            body,
            asked,
            policy,
            source_ip,
            secure: request.secure_transport,
            context: Some(&request.context),
        })
    }

    /// What a proxy asks about a request to a service that is mapped.
    pub fn forwarded(service: &'a Service, request: Forwarded<'a>) -> Self {
        let Forwarded { method, target, headers, body, source_ip, secure } = request;
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_slice())))
            .collect();
        // A service behind a proxy has a mapping: its settings are not accepted without.
        let asked = mapped(service, method, target, &headers, &body)
            .unwrap_or(Asked::Unmapped(Unmapped::NoRoute));
        Self {
            service: service.name(),
            registered: Some(service),
            region: service.region(),
            hosts: &[],
            method,
            target,
            headers,
            body,
            asked,
            policy: None,
            source_ip,
            secure,
            context: None,
        }
    }

    /// The service's name in the credential scope.
    pub fn service(&self) -> &str {
        self.service
    }

    /// The service, if it is registered.
    pub fn registered(&self) -> Option<&'a Service> {
        self.registered
    }

    /// The region that the scope must name.
    pub fn region(&self) -> Option<&str> {
        self.region
    }

    /// The request's headers.
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (*name, value.as_ref())).collect()
    }

    /// The request in question, without its body.
    pub fn head<'h>(&'h self, headers: &'h [(&'h str, &'h [u8])]) -> RequestHead<'h> {
        RequestHead { method: self.method, target: self.target, headers }
    }

    /// What is known of the body.
    pub fn body(&self) -> Body<'_> {
        match &self.body {
            Shown::Bytes(bytes) => Body::Bytes(bytes),
            Shown::Sha256(hash) => Body::Sha256(*hash),
            // What is dropped is not there.
            Shown::Nothing if self.body_rule() == Some(BodyRule::Ignored) => Body::Bytes(&[]),
            Shown::Nothing => Body::Unavailable,
        }
    }

    /// What the service does about the body; `None` if it is not registered.
    pub fn body_rule(&self) -> Option<BodyRule> {
        let meaning = match &self.asked {
            Asked::Meaning(meaning, _) => Some(meaning),
            Asked::Identity | Asked::Unmapped(_) => None,
        };
        self.registered.map(|service| service.body_rule(meaning))
    }

    /// Whether the service compares bodies with the hash that was signed, here or elsewhere.
    pub fn wants_hash(&self) -> bool {
        let service = self.registered.map(|service| service.body_rule(None));
        service == Some(BodyRule::Checked) || self.body_rule() == Some(BodyRule::Checked)
    }

    /// How the service canonicalizes: S3 has rules of its own.
    pub fn uri_rules(&self) -> UriRules {
        downstream::uri_rules(self.service)
    }

    /// Whether a segment of the path is `.` or `..`, escaped or not: readers that normalise the path
    /// (RFC 3986, section 6.2.2) find another in it than those that do not. Keys of S3 are opaque.
    pub fn has_dot_segment(&self) -> bool {
        let path = self.target.split('?').next().unwrap_or_default();
        self.uri_rules() != UriRules::S3
            && path.split('/').any(|segment| {
                matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
            })
    }

    /// What is to be authorized.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// The resource's own policy.
    pub(super) fn resource_policy(&self) -> Option<&ResourcePolicy> {
        self.policy.as_deref()
    }

    /// Checks that the request was meant for one of the service's hosts.
    pub fn check_host(&self, head: &RequestHead<'_>) -> Result<(), &'static str> {
        let mut hosts = head.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
        let (Some((_, host)), None) = (hosts.next(), hosts.next()) else {
            return Err("The request has no host header, or several.");
        };
        let host = std::str::from_utf8(host.trim_ascii()).unwrap_or_default();
        let served = match self.registered {
            Some(service) => service.answers_to(host),
            None => self.hosts.iter().any(|served| served.eq_ignore_ascii_case(host)),
        };
        served.then_some(()).ok_or(downstream::NOT_SERVED)
    }

    /// Adds the condition keys that come from the asker, and those of what is asked.
    ///
    /// INVARIANT: `aws:RequestedRegion` is the region of the service, as it is registered or as the
    /// asker says. The scope's is the client's own choice where the service has none, and no key.
    pub(super) fn add_keys(&self, keys: &mut Context, vouched: Vouched) {
        if let Some(ip) = self.source_ip {
            keys.insert("aws:SourceIp", Value::One(ip.to_canonical().to_string()));
        }
        if let Some(secure) = self.secure {
            keys.insert("aws:SecureTransport", Value::One(secure.to_string()));
        }
        if let Some(region) = self.region {
            keys.insert("aws:RequestedRegion", Value::One(region.to_owned()));
        }
        let context = self.context.filter(|_| vouched == Vouched::All);
        for (key, value) in context.into_iter().flatten() {
            let value = match value {
                OneOrMany::One(one) => Value::One(one.clone()),
                OneOrMany::Many(many) => Value::Many(many.clone()),
            };
            keys.insert(key, value);
        }
        // Last: what the signed request says is over what the asker says of it.
        if let Asked::Meaning(meaning, _) = &self.asked {
            for (key, value) in &meaning.keys {
                keys.insert(key, value.clone());
            }
        }
    }
}

/// Checks what a verifier wants to keep.
pub(super) fn check_keep(keep: &Keep) -> Result<(), Malformed> {
    if !(1..=Keep::MAX_PREFIXES).contains(&keep.prefixes.len()) {
        return malformed("keep", format!("1 to {} prefixes are expected", Keep::MAX_PREFIXES));
    }
    for prefix in &keep.prefixes {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=128).contains(&prefix.len()) || !prefix.bytes().all(plain) {
            return malformed("keep", "a prefix is what stands before the colon of an action");
        }
        // INVARIANT: nobody decides about the broker's own actions but the broker.
        if downstream::is_own(prefix) {
            return malformed("keep", "the broker's own actions are decided by the broker alone");
        }
    }
    Ok(())
}

/// What a request to a registered service means, if its mapping is registered too.
fn mapped(
    service: &Service,
    method: &str,
    target: &str,
    headers: &[(&str, Cow<'_, [u8]>)],
    body: &Shown,
) -> Option<Asked> {
    let headers: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    let body = match body {
        Shown::Bytes(bytes) => Body::Bytes(bytes),
        Shown::Sha256(hash) => Body::Sha256(*hash),
        Shown::Nothing => Body::Unavailable,
    };
    match service.meaning_of(&RequestHead { method, target, headers: &headers }, body) {
        Ok(meaning) => meaning.map(|meaning| Asked::Meaning(meaning, service.account())),
        Err(unmapped) => Some(Asked::Unmapped(unmapped)),
    }
}

/// What is mapped, if what the asker says of it is the same.
fn agreed(mapped: Asked, given: &Asked) -> Result<Asked, Malformed> {
    fn named(deed: &Deed) -> (&str, &str) {
        (&deed.action, &deed.resource)
    }
    match (&mapped, given) {
        (Asked::Meaning(mapped, _), Asked::Meaning(given, _))
            if mapped.deeds.first().map(named) != given.deeds.first().map(named) =>
        {
            malformed("action", "the registered mapping finds another action or resource")
        }
        _ => Ok(mapped),
    }
}

fn check_hosts(request: &VerifyRequest, registered: Option<&Service>) -> Result<(), Malformed> {
    let least = usize::from(registered.is_none());
    if !(least..=MAX_HOSTS).contains(&request.hosts.len()) {
        return malformed("hosts", format!("1 to {MAX_HOSTS} acceptable hosts are expected"));
    }
    for host in &request.hosts {
        if !HostPattern::parse(host).is_ok_and(|host| !host.is_below()) {
            return malformed(
                "hosts",
                "a host is a name or address, with a port if it is not the default",
            );
        }
        if registered.is_some_and(|service| !service.answers_to(host)) {
            return malformed("hosts", "the service is registered with others");
        }
    }
    Ok(())
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

fn body(request: &VerifyRequest) -> Result<Shown, Malformed> {
    match (&request.body, &request.body_sha256) {
        (Some(_), Some(_)) => malformed("body_sha256", "it cannot come together with body"),
        (Some(body), None) => match STANDARD.decode(body) {
            Ok(bytes) => Ok(Shown::Bytes(bytes)),
            Err(_) => malformed("body", "base64 with padding is expected"),
        },
        (None, Some(hash)) => match data_encoding::HEXLOWER.decode(hash.as_bytes()) {
            Ok(bytes) if bytes.len() == 32 => {
                Ok(bytes.try_into().map_or(Shown::Nothing, Shown::Sha256))
            }
            _ => malformed("body_sha256", "64 lower-case hexadecimal digits are expected"),
        },
        (None, None) => Ok(Shown::Nothing),
    }
}

/// What the asker says is to be authorized.
fn given(request: &VerifyRequest, registered: Option<&Service>) -> Result<Asked, Malformed> {
    let owner = registered.map(|service| service.account().to_string());
    let account = request.resource_account.as_ref();
    if account.is_some_and(|account| owner.as_ref().is_some_and(|owner| owner != account)) {
        return malformed("resource_account", "the service is registered with another");
    }
    let (action, resource, owner) = match (&request.action, &request.resource, account) {
        (Some(action), Some(resource), Some(owner)) => (action, resource, owner.clone()),
        (Some(action), Some(resource), None) if owner.is_some() => {
            (action, resource, owner.unwrap_or_default())
        }
        (None, None, None) => return Ok(Asked::Identity),
        (None, None, Some(_)) if owner.is_some() => return Ok(Asked::Identity),
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
    if downstream::is_own(action.split(':').next().unwrap_or_default()) {
        return malformed("action", "the broker's own actions are decided by the broker alone");
    }
    let Ok(owner) = AccountId::parse(&owner) else {
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
    let deed = Deed::new(action.clone(), resource.clone());
    Ok(Asked::Meaning(Meaning { deeds: vec![deed], body: None, keys: Vec::new() }, owner))
}

/// The resource's own policy, which has a meaning for authorization only.
fn resource_policy(
    request: &VerifyRequest,
    asked: &Asked,
    policies: &ResourcePolicies,
) -> Result<Option<Arc<ResourcePolicy>>, Malformed> {
    let Some(text) = &request.resource_policy else { return Ok(None) };
    if matches!(asked, Asked::Identity) {
        return malformed("resource_policy", "it needs action, resource and resource_account");
    }
    match policies.read(text) {
        Ok(policy) => Ok(Some(policy)),
        Err(error) => malformed("resource_policy", error.to_string()),
    }
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

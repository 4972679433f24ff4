//! A request to be verified, as it arrived.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::api::OneOrMany;
use crate::arn::Arn;
use crate::downstream;
use crate::id::AccountId;
use crate::policy::{Context, Value};
use crate::sigv4::{Body, RequestHead};

/// What the service knows of the connection that a request came by. The tower layer takes it from
/// the request's extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The address it came from: `aws:SourceIp`.
    pub source_ip: Option<IpAddr>,
    /// Whether it came by TLS: `aws:SecureTransport`.
    pub secure: Option<bool>,
}

/// What a request does, in the words of policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deed {
    /// Such as `orders:GetOrder`.
    pub action: String,
    /// The resource's ARN, or `*`. It belongs to the account that the service is registered with.
    pub resource: String,
    /// The resource's own policy, as JSON text. With one, the broker is asked each time.
    pub resource_policy: Option<String>,
    /// Condition keys that the service vouches for.
    pub context: BTreeMap<String, OneOrMany>,
}

/// A request as it arrived, and what the service says of it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Method, target and headers. On HTTP/2 `:authority` stands among them as `host`.
    pub head: RequestHead<'a>,
    /// What is known of the body.
    pub body: Body<'a>,
    /// The connection.
    pub connection: Connection,
    /// What the request does. For a service whose routes are registered with the broker: `None`.
    pub deed: Option<&'a Deed>,
}

/// The longest name or value of a condition key, in bytes, and the most of them, as the broker takes
/// them.
const MAX_TEXT: usize = 4096;
const MAX_KEYS: usize = 100;

impl Deed {
    /// Whether the broker would read a question about this. One that it would refuse is not answered
    /// here either.
    pub(super) fn is_well_formed(&self, owner: AccountId) -> bool {
        let mut parts = self.action.splitn(2, ':');
        let fits = |part: Option<&str>| {
            part.is_some_and(|part| {
                !part.is_empty()
                    && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            })
        };
        let action = fits(parts.next()) && fits(parts.next()) && self.action.len() <= 256;
        let resource = self.resource.len() <= MAX_TEXT
            && Arn::parse(&self.resource)
                .is_ok_and(|arn| arn.account.is_empty() || arn.account == owner.to_string());
        action && !downstream::is_own(self.prefix()) && resource && self.has_good_keys()
    }

    /// What stands before the colon of the action.
    pub(super) fn prefix(&self) -> &str {
        self.action.split_once(':').map_or("", |(prefix, _)| prefix)
    }

    fn has_good_keys(&self) -> bool {
        // Stricter than the broker, which is asked about the rest: plain ASCII, so that there is one
        // way to fold the case.
        let mut seen = std::collections::HashSet::new();
        self.context.len() <= MAX_KEYS
            && self.context.iter().all(|(key, value)| {
                let lower = key.to_ascii_lowercase();
                let prefix = lower.split_once(':').map_or("", |(prefix, _)| prefix);
                let values = match value {
                    OneOrMany::One(one) => std::slice::from_ref(one),
                    OneOrMany::Many(many) => many,
                };
                key.is_ascii()
                    && key.len() <= MAX_TEXT
                    && !prefix.is_empty()
                    && lower.len() > prefix.len() + 1
                    && !matches!(prefix, "aws" | "sts" | "saml" | "iam" | "countersign")
                    && values.len() <= MAX_KEYS
                    && values.iter().all(|value| value.len() <= MAX_TEXT)
                    && seen.insert(lower)
            })
    }
}

impl Request<'_> {
    /// Adds the condition keys that come from the service, as the broker does; `region` is the
    /// registered one.
    pub(super) fn add_keys(&self, keys: &mut Context, region: Option<&str>) {
        if let Some(ip) = self.connection.source_ip {
            keys.insert("aws:SourceIp", Value::One(ip.to_canonical().to_string()));
        }
        if let Some(secure) = self.connection.secure {
            keys.insert("aws:SecureTransport", Value::One(secure.to_string()));
        }
        if let Some(region) = region {
            keys.insert("aws:RequestedRegion", Value::One(region.to_owned()));
        }
        for (key, value) in self.deed.iter().flat_map(|deed| &deed.context) {
            keys.insert(key, value_of(value));
        }
    }
}

/// A value on the wire as the policy engine has it.
pub(super) fn value_of(value: &OneOrMany) -> Value {
    match value {
        OneOrMany::One(one) => Value::One(one.clone()),
        OneOrMany::Many(many) => Value::Many(many.clone()),
    }
}

//! A `[[service]]` as it stands in the settings.

use serde::{Deserialize, Serialize};

/// The table `[[service]]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceSettings {
    /// The name in the scopes that clients sign for.
    pub name: String,
    /// The hosts that it answers to, as clients name them; `*.host` for the buckets of S3.
    pub hosts: Vec<String>,
    /// The region that scopes must name; any, if not set.
    pub region: Option<String>,
    /// The account that owns its resources, 12 digits.
    pub account: String,
    /// The accounts whose callers it serves, `*` for any; the owner alone, if not set.
    pub accounts: Option<Vec<String>>,
    /// The proxy in front of it, which passes its requests on.
    pub proxy: Proxy,
    /// Whether that proxy passes whole bodies on.
    pub proxy_passes_body: bool,
    /// What it does about bodies, where a route does not say.
    pub body: BodyRule,
    /// Who may ask about its requests.
    pub askers: Option<Vec<String>>,
    /// Whether askers that are registered may have signing keys, to verify by themselves.
    pub signing_keys: bool,
    /// A mapping that is built in, instead of routes.
    pub mapping: Option<BuiltIn>,
}

/// The table `[[service.route]]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteSettings {
    /// The method.
    pub method: String,
    /// The pattern of paths, such as `/orders/{id}`.
    pub path: String,
    /// The action, such as `orders:GetOrder`.
    pub action: String,
    /// The resource's ARN, such as `arn:aws:orders:::order/{id}`.
    pub resource: String,
    /// What the service does about bodies on this route.
    pub body: Option<BodyRule>,
}

/// Whose words a proxy speaks when it asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proxy {
    /// None: the service asks `/v1/verify` by itself.
    #[default]
    None,
    /// nginx's `auth_request`.
    Nginx,
    /// Traefik's `forwardAuth`.
    Traefik,
    /// Caddy's `forward_auth`.
    Caddy,
    /// Envoy's `ext_authz` over HTTP.
    EnvoyHttp,
    /// Envoy's `ext_authz` over gRPC.
    EnvoyGrpc,
}

/// What a service does about the bodies of its requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyRule {
    /// Nothing: a request is allowed only if its body was shown and is the one that was signed.
    #[default]
    Verified,
    /// It compares the body with `X-Countersign-Content-SHA256` itself.
    Checked,
    /// It accepts bodies that nobody signed.
    Unsigned,
    /// It, or the proxy, drops the body: the request counts as one without.
    Ignored,
}

/// A mapping that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuiltIn {
    /// Of S3's operations on buckets and objects.
    S3,
}

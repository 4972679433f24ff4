//! One registered service.

use super::asker::{Admission, Asker, Shown};
use super::host::HostPattern;
use super::is_own;
use super::mapping::{self, Meaning, PathPattern, ResourceTemplate, Route, Unmapped};
use super::settings::{BodyRule, BuiltIn, Proxy, RouteSettings, ServiceSettings};
use crate::arn::PARTITION;
use crate::id::AccountId;
use crate::policy::{BoundPolicy, Context, DocumentKind, Policy, Value};
use crate::sigv4::{Body, PayloadCheck, RequestHead, UriRules};
use crate::time::Timestamp;

/// The most hosts, accounts or askers of a service.
const MAX_LIST: usize = 100;
/// The most routes of a service.
const MAX_ROUTES: usize = 1000;

/// A registered service, its settings checked whole.
#[derive(Debug)]
pub struct Service {
    name: String,
    hosts: Vec<HostPattern>,
    region: Option<String>,
    account: AccountId,
    served: Served,
    proxy: Proxy,
    proxy_passes_body: bool,
    body: BodyRule,
    askers: Vec<Asker>,
    asker_policy: Option<BoundPolicy>,
    signing_keys: bool,
    mapping: Mapping,
    registration: (ServiceSettings, Vec<RouteSettings>),
}

/// The accounts whose callers a service serves.
#[derive(Debug)]
enum Served {
    Any,
    These(Vec<AccountId>),
}

/// How a service's requests are mapped.
#[derive(Debug)]
enum Mapping {
    /// Not here: the asker names action and resource.
    Asker,
    Routes(Vec<Route>),
    BuiltIn(BuiltIn),
}

/// What is known of a signature that holds.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// When it was made.
    pub signed_at: Timestamp,
    /// The time of the decision.
    pub now: Timestamp,
    /// What it says of the payload.
    pub payload: PayloadCheck,
}

/// What is wrong with a service's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The route, by its place in the list; `None` is the service itself.
    pub route: Option<usize>,
    /// The field.
    pub field: &'static str,
    /// What is wrong with it. No value is repeated.
    pub message: String,
    /// Another route that has to do with it.
    pub other: Option<usize>,
}

/// Collects what is wrong.
struct Problems(Vec<Invalid>);

impl Problems {
    fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push(Invalid { route: None, field, message: message.into(), other: None });
    }

    fn of_route(&mut self, route: usize, field: &'static str, message: impl Into<String>) {
        let route = Some(route);
        self.0.push(Invalid { route, field, message: message.into(), other: None });
    }

    /// The value, or its problem told.
    fn take<T, E: ToString>(&mut self, field: &'static str, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.add(field, error.to_string())).ok()
    }
}

impl Service {
    /// Checks a service's settings.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(settings: &ServiceSettings, routes: &[RouteSettings]) -> Result<Self, Vec<Invalid>> {
        let mut problems = Problems(Vec::new());
        check_name(&settings.name, &mut problems);
        if settings.region.as_deref().is_some_and(|region| !is_plain(region)) {
            problems.add("region", "takes 1 to 64 letters, digits, hyphens and underscores");
        }
        let hosts = hosts(settings, &mut problems);
        let account = AccountId::parse(&settings.account);
        let account = problems.take("account", account.map_err(|_| "takes 12 digits"));
        let served = served(settings, account, &mut problems);
        let askers = askers(settings, &mut problems);
        let body_passed = settings.proxy_passes_body;
        if body_passed && matches!(settings.proxy, Proxy::None | Proxy::Nginx | Proxy::Caddy) {
            problems.add("proxy_passes_body", "cannot be: this proxy passes no bodies on");
        }
        let named = askers.iter().any(|asker| *asker != Asker::Local);
        if settings.signing_keys && !named {
            problems.add(
                "signing_keys",
                "needs an asker that is known by a certificate or a signature in `askers`",
            );
        }
        let mapping = mapping(settings, routes, account, &mut problems);
        let (Some(account), true) = (account, problems.0.is_empty()) else {
            return Err(problems.0);
        };
        let asker_policy = asker_policy(&askers);
        Ok(Self {
            name: settings.name.clone(),
            hosts,
            region: settings.region.clone(),
            account,
            served,
            proxy: settings.proxy,
            proxy_passes_body: body_passed,
            body: settings.body,
            askers,
            asker_policy,
            signing_keys: settings.signing_keys,
            mapping,
            registration: (settings.clone(), routes.to_vec()),
        })
    }

    /// Its name in scopes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hosts that it answers to.
    pub fn hosts(&self) -> &[HostPattern] {
        &self.hosts
    }

    /// Whether it answers to this host, as it stands in a request's `host`.
    pub fn answers_to(&self, host: &str) -> bool {
        let mut hosts = self.hosts.iter();
        hosts.any(|pattern| pattern.is(host) || pattern.name_below(host).is_some())
    }

    /// The region that scopes must name.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The account that owns its resources.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Whether it serves callers of this account.
    pub fn serves(&self, account: AccountId) -> bool {
        match &self.served {
            Served::Any => true,
            Served::These(accounts) => accounts.contains(&account),
        }
    }

    /// The proxy in front of it.
    pub fn proxy(&self) -> Proxy {
        self.proxy
    }

    /// Whether that proxy passes whole bodies on. If not, a body that did not come says nothing.
    pub fn proxy_passes_body(&self) -> bool {
        self.proxy_passes_body
    }

    /// What it does about the bodies of requests with this meaning.
    pub fn body_rule(&self, meaning: Option<&Meaning>) -> BodyRule {
        meaning.and_then(|meaning| meaning.body).unwrap_or(self.body)
    }

    /// Who may ask about it.
    pub fn askers(&self) -> &[Asker] {
        &self.askers
    }

    /// Whether what a question's connection shows is enough to ask about it, and as what.
    pub fn admits(&self, shown: &Shown<'_>) -> Option<Admission> {
        self.askers.iter().filter_map(|asker| asker.is(shown)).max()
    }

    /// The resource policy by which the principals that it lists may sign questions about it, for
    /// the action [`Self::ASK`] on [`Self::arn`]. `None` if it lists none.
    pub fn asker_policy(&self) -> Option<&BoundPolicy> {
        self.asker_policy.as_ref()
    }

    /// The action of asking.
    pub const ASK: &'static str = "countersign:Verify";

    /// Its own ARN, as a resource of the broker.
    pub fn arn(&self) -> String {
        format!("arn:{PARTITION}:countersign::{}:service/{}", self.account, self.name)
    }

    /// Whether registered askers may have signing keys.
    pub fn gives_signing_keys(&self) -> bool {
        self.signing_keys
    }

    /// What a verifier inside it has to know of its settings: all but who may ask. A service made of
    /// them verifies as this one does.
    pub fn registration(&self) -> (ServiceSettings, &[RouteSettings]) {
        let (settings, routes) = &self.registration;
        (ServiceSettings { askers: None, signing_keys: false, ..settings.clone() }, routes)
    }

    /// The prefixes of the actions that it maps requests to; its name, if it maps none.
    pub fn action_prefixes(&self) -> Vec<String> {
        let mut prefixes: Vec<String> = match &self.mapping {
            Mapping::Asker => vec![self.name.clone()],
            Mapping::BuiltIn(BuiltIn::S3) => vec!["s3".to_owned()],
            Mapping::Routes(routes) => routes
                .iter()
                .filter_map(|route| route.action.split_once(':'))
                .map(|(prefix, _)| prefix.to_ascii_lowercase())
                .collect(),
        };
        prefixes.sort_unstable();
        prefixes.dedup();
        prefixes
    }

    /// Adds the condition keys that a service of this kind has of every signature that holds: S3's
    /// `s3:signatureAge`, in milliseconds, `s3:x-amz-content-sha256`, which is the mode of the payload
    /// that was verified, also where no header names it, and `s3:ResourceAccount`.
    ///
    /// Source: Amazon S3 API Reference, "Amazon S3 Signature Version 4 Authentication Specific
    /// Policy Keys".
    pub fn add_keys_of_signature(
        &self,
        keys: &mut Context,
        head: &RequestHead<'_>,
        body: Body<'_>,
        signature: &Signature,
    ) {
        if !matches!(self.mapping, Mapping::BuiltIn(BuiltIn::S3)) {
            return;
        }
        let age = signature.now.millis().saturating_sub(signature.signed_at.millis()).max(0);
        keys.insert("s3:ResourceAccount", Value::One(self.account.to_string()));
        keys.insert("s3:signatureAge", Value::One(age.to_string()));
        if let Some(mode) = mapping::s3::payload_mode(head, body, signature.payload) {
            keys.insert("s3:x-amz-content-sha256", Value::One(mode));
        }
    }

    /// How its clients canonicalize.
    pub fn uri_rules(&self) -> UriRules {
        uri_rules(&self.name)
    }

    /// Whether its requests are mapped here; if not, the asker names action and resource.
    pub fn is_mapped(&self) -> bool {
        !matches!(self.mapping, Mapping::Asker)
    }

    /// What a request means, its body being what is known of it: `None` if that is not known here, but
    /// to the asker.
    ///
    /// # Errors
    /// It means nothing that could be allowed.
    pub fn meaning_of(
        &self,
        head: &RequestHead<'_>,
        body: Body<'_>,
    ) -> Result<Option<Meaning>, Unmapped> {
        match &self.mapping {
            Mapping::Asker => Ok(None),
            Mapping::Routes(routes) => mapping::find(routes, head, body).map(Some),
            Mapping::BuiltIn(BuiltIn::S3) => mapping::s3::find(&self.hosts, head, body).map(Some),
        }
    }
}

/// How the clients of a service canonicalize: S3 has rules of its own.
pub fn uri_rules(service: &str) -> UriRules {
    if service == "s3" { UriRules::S3 } else { UriRules::Standard }
}

fn check_name(name: &str, problems: &mut Problems) {
    let fits = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && !name.starts_with('.');
    if !fits {
        problems.add("name", "takes 1 to 64 letters, digits and -_., the name in clients' scopes");
    } else if is_own(name) {
        problems.add("name", "is a service of the broker's own, which cannot be registered");
    }
}

fn is_plain(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn hosts(settings: &ServiceSettings, problems: &mut Problems) -> Vec<HostPattern> {
    if !(1..=MAX_LIST).contains(&settings.hosts.len()) {
        problems.add("hosts", format!("takes 1 to {MAX_LIST} hosts"));
        return Vec::new();
    }
    let read = settings.hosts.iter().map(|host| HostPattern::parse(host)).collect();
    let hosts: Vec<HostPattern> = problems.take("hosts", read).unwrap_or_default();
    if settings.mapping != Some(BuiltIn::S3) && hosts.iter().any(HostPattern::is_below) {
        problems.add("hosts", "takes `*.` with `mapping = \"s3\"` only, for buckets");
    }
    let overlap = |(at, host): (usize, &HostPattern)| {
        hosts.iter().skip(at + 1).any(|other| host.overlaps_below(other))
    };
    if hosts.iter().enumerate().any(overlap) {
        problems.add("hosts", "takes no `*.` twice, and none below another: a bucket has one name");
    }
    hosts
}

fn served(settings: &ServiceSettings, owner: Option<AccountId>, problems: &mut Problems) -> Served {
    let Some(accounts) = &settings.accounts else {
        return Served::These(owner.into_iter().collect());
    };
    if accounts.iter().any(|account| account == "*") {
        if accounts.len() > 1 {
            problems.add("accounts", "takes \"*\" alone, or accounts of 12 digits");
        }
        return Served::Any;
    }
    let read = accounts.iter().map(|account| AccountId::parse(account)).collect::<Result<_, _>>();
    let bounded = (1..=MAX_LIST).contains(&accounts.len());
    let read = read.ok().filter(|_| bounded).ok_or("takes accounts of 12 digits, or \"*\" alone");
    Served::These(problems.take("accounts", read).unwrap_or_default())
}

fn askers(settings: &ServiceSettings, problems: &mut Problems) -> Vec<Asker> {
    let Some(askers) = &settings.askers else { return vec![Asker::Local] };
    if !(1..=MAX_LIST).contains(&askers.len()) {
        problems.add("askers", format!("takes 1 to {MAX_LIST} askers"));
        return Vec::new();
    }
    let read = askers.iter().map(|asker| asker.parse()).collect::<Result<_, _>>();
    problems.take("askers", read).unwrap_or_default()
}

fn mapping(
    settings: &ServiceSettings,
    routes: &[RouteSettings],
    owner: Option<AccountId>,
    problems: &mut Problems,
) -> Mapping {
    if let Some(built_in) = settings.mapping {
        if !routes.is_empty() {
            problems.add("mapping", "cannot come together with routes");
        }
        if built_in == BuiltIn::S3 && settings.name != "s3" {
            problems.add("mapping", "\"s3\" needs the name that its clients sign for: \"s3\"");
        }
        return Mapping::BuiltIn(built_in);
    }
    if routes.is_empty() {
        // Who signed is not enough for a proxy to let a request pass.
        if settings.proxy != Proxy::None {
            problems.add("proxy", "needs routes or a mapping, to decide what a request may do");
        }
        return Mapping::Asker;
    }
    if routes.len() > MAX_ROUTES {
        problems.of_route(MAX_ROUTES, "path", format!("is over the bound of {MAX_ROUTES} routes"));
        return Mapping::Asker;
    }
    let read: Vec<_> = routes
        .iter()
        .enumerate()
        .map(|(at, route)| read_route(at, route, owner, problems))
        .collect();
    for (at, route) in read.iter().enumerate() {
        let Some(route) = route else { continue };
        let twin = read
            .iter()
            .take(at)
            .position(|other| other.as_ref().is_some_and(|other| other.overlaps(route)));
        if let Some(other) = twin {
            problems.0.push(Invalid {
                route: Some(at),
                field: "path",
                message: "matches paths that another route of this method matches too".to_owned(),
                other: Some(other),
            });
        }
    }
    Mapping::Routes(read.into_iter().flatten().collect())
}

fn read_route(
    at: usize,
    settings: &RouteSettings,
    owner: Option<AccountId>,
    problems: &mut Problems,
) -> Option<Route> {
    let before = problems.0.len();
    let method = &settings.method;
    if !(1..=32).contains(&method.len()) || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        problems.of_route(at, "method", "takes one method in capitals, such as GET");
    }
    let mut action = settings.action.splitn(2, ':');
    let fits = |part: Option<&str>| {
        part.is_some_and(|part| {
            (1..=128).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        })
    };
    let prefix = action.next();
    if !fits(prefix) || !fits(action.next()) {
        problems.of_route(at, "action", "takes service:Name, without wildcards");
    } else if prefix.is_some_and(is_own) {
        problems.of_route(at, "action", "is the broker's own, which it alone decides");
    }
    let path = PathPattern::parse(&settings.path)
        .map_err(|error| problems.of_route(at, "path", error.to_string()))
        .ok()?;
    let resource = ResourceTemplate::parse(&settings.resource, &path, owner?)
        .map_err(|error| problems.of_route(at, "resource", error.to_string()))
        .ok()?;
    (problems.0.len() == before).then(|| Route {
        method: method.clone(),
        path,
        action: settings.action.clone(),
        resource,
        body: settings.body,
    })
}

/// The listed principals as a resource policy: their own policies, boundaries and session policies
/// still have their say.
fn asker_policy(askers: &[Asker]) -> Option<BoundPolicy> {
    let arns: Vec<&str> = askers
        .iter()
        .filter_map(|asker| match asker {
            Asker::Principal(arn) => Some(arn.as_str()),
            _ => None,
        })
        .collect();
    if arns.is_empty() {
        return None;
    }
    let document = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": arns },
            "Action": Service::ASK,
            "Resource": "*",
        }],
    });
    let policy = Policy::parse(&document.to_string(), DocumentKind::Resource)
        // Not to be read is nobody.
        .unwrap_or_else(|_| Policy::deny_everything(DocumentKind::Resource));
    Some(BoundPolicy::new(policy))
}

//! Simulation: what a set of policies would decide, and which statements would decide it.
//!
//! The decision is that of [`decide`](super::decide()) and [`decide_trust`](super::decide_trust);
//! here the policies come as texts, and the caller as an ARN. A simulated caller has no entity
//! behind it: user and role ARNs in resource and trust policies are bound to it where they are its
//! own, and to nobody otherwise.

use super::ast::{DocumentKind, Policy};
use super::caller::{Caller, FederationMaker};
use super::context::{Context, Value};
use super::decide::{Decision, Effect, Layer, Layers, Matched, Named, Request, decide};
use super::explain::{Trace, explain, explain_trust};
use super::lint::tree::Lines;
use super::parse::ParseError;
use crate::arn::{self, Arn};
use crate::id::{AccountId, UniqueId};

/// The unique IDs of simulated users and roles.
const USER_ID: &str = "AIDASIMULATEDUSER2345";
const ROLE_ID: &str = "AROASIMULATEDROLE2345";
/// The session name of a role that is given by its own ARN.
const SESSION_NAME: &str = "simulated";

/// A policy and its text.
#[derive(Clone, Debug)]
pub struct Source {
    id: String,
    size: usize,
    /// Where each statement begins and ends.
    places: Vec<Span>,
    policy: Policy,
}

/// Line and column of the beginning, and of the end.
type Span = ((usize, usize), (usize, usize));

impl Source {
    /// Parses a policy; `id` is what results call it: `PolicyInputList.1`, a file's name.
    ///
    /// # Errors
    /// What the parser refuses.
    pub fn parse(id: &str, text: &str, kind: DocumentKind) -> Result<Self, ParseError> {
        Ok(Self::of(id, text, Policy::parse(text, kind)?))
    }

    /// A policy that was parsed from this text.
    pub fn of(id: &str, text: &str, policy: Policy) -> Self {
        let lines = Lines::of(text);
        let place = |statement: usize| {
            let span = policy.statement_span(statement)?;
            Some((lines.position(span.start), lines.position(span.end)))
        };
        let places = (0..).map_while(place).collect();
        Self { id: id.to_owned(), size: text.len(), places, policy }
    }

    /// What results call it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How long its text is, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Binds the principals that are the caller's own.
    pub fn bind(&mut self, caller: &Caller) {
        self.policy.bind_known(&mut |arn| own_id(caller, arn));
    }

    fn named(&self) -> Named<'_> {
        Named { name: &self.id, policy: &self.policy }
    }
}

/// At most this many statements are told of one decision: the first.
const MAX_MATCHED: usize = 20;

/// The caller that an ARN stands for; `None` for a text that names nobody.
///
/// A user, a role (a session of it), a role session, a federated user, an account or its root
/// user, an OIDC or SAML provider (somebody with a token or an assertion of it), or a service's
/// name. The path of a role is not in its sessions' ARNs: it is taken to be `/`.
pub fn caller(text: &str) -> Option<Caller> {
    if let Ok(account) = AccountId::parse(text) {
        return Some(Caller::Root { account });
    }
    if let Some((account, _, _)) = arn::parse_user(text) {
        let id = UniqueId::parse(USER_ID).ok()?;
        return Some(Caller::User { account, id, arn: text.to_owned() });
    }
    let role_session = |account, role_arn: String, name: &str, session: &str| {
        Some(Caller::RoleSession {
            account,
            role_id: UniqueId::parse(ROLE_ID).ok()?,
            role_arn,
            session_name: session.to_owned(),
            session_arn: arn::assumed_role(account, name, session),
        })
    };
    if let Some((account, _, name)) = arn::parse_role(text) {
        return role_session(account, text.to_owned(), name, SESSION_NAME);
    }
    if let Some((account, name, session)) = arn::parse_assumed_role(text) {
        return role_session(account, arn::iam(account, "role", "/", name), name, session);
    }
    let Ok(arn) = Arn::parse(text) else {
        let service = text.contains('.') && !text.contains([':', '/', '*', ' ']);
        return service.then(|| Caller::Service { name: text.to_owned() });
    };
    let account = AccountId::parse(arn.account).ok()?;
    match (arn.service, arn.resource.split_once('/')) {
        ("iam", None) if arn.resource == "root" => Some(Caller::Root { account }),
        ("iam", Some(("oidc-provider", _))) => {
            Some(Caller::WebIdentity { provider: text.to_owned() })
        }
        ("iam", Some(("saml-provider", _))) => Some(Caller::Saml { provider: text.to_owned() }),
        ("sts", Some(("federated-user", name))) => Some(Caller::FederatedUser {
            account,
            maker: FederationMaker::User(UniqueId::parse(USER_ID).ok()?),
            name: name.to_owned(),
            arn: text.to_owned(),
        }),
        _ => None,
    }
}

/// The ID of the simulated caller, if an ARN is the caller's user, role or session.
fn own_id(caller: &Caller, arn: &str) -> Option<UniqueId> {
    match caller {
        Caller::User { id, arn: own, .. } if own == arn => Some(*id),
        Caller::RoleSession { role_id, role_arn, session_arn, .. }
            if role_arn == arn || session_arn == arn =>
        {
            Some(*role_id)
        }
        _ => None,
    }
}

/// Adds the condition keys that follow from who the caller is, where they are not given.
pub fn add_caller_keys(context: &mut Context, caller: &Caller) {
    let (principal, kind) = match caller {
        Caller::Root { account } => (arn::account_root(*account), "Account"),
        Caller::User { arn, .. } => (arn.clone(), "User"),
        Caller::RoleSession { role_arn, .. } => (role_arn.clone(), "AssumedRole"),
        Caller::FederatedUser { arn, .. } => (arn.clone(), "FederatedUser"),
        Caller::WebIdentity { .. }
        | Caller::Saml { .. }
        | Caller::Service { .. }
        | Caller::Anonymous => return,
    };
    let name = match caller {
        Caller::User { arn, .. } => arn::parse_user(arn).map(|(_, _, name)| name.to_owned()),
        _ => None,
    };
    let account = caller.account().map(|account| account.to_string());
    for (key, value) in [
        ("aws:PrincipalArn", Some(principal)),
        ("aws:PrincipalType", Some(kind.to_owned())),
        ("aws:PrincipalAccount", account),
        ("aws:username", name),
    ] {
        if let Some(value) = value.filter(|_| context.get(key).is_none()) {
            context.insert(key, Value::One(value));
        }
    }
}

/// The policies that a simulation goes by.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// The caller's identity policies.
    pub identity: Vec<Source>,
    /// Its permissions boundary.
    pub boundary: Option<Source>,
    /// Its session policies, if there are any.
    pub session: Option<Vec<Source>>,
    /// The resource's policy.
    pub resource: Option<Source>,
    /// The trust policy of the role that the resource is: with it the question is whether the
    /// caller gets the role.
    pub trust: Option<Source>,
    /// Service control policies, a list for each level.
    pub service_control: Vec<Vec<Source>>,
    /// Resource control policies, a list for each level.
    pub resource_control: Vec<Vec<Source>>,
}

impl Policies {
    /// Binds the principals that are the caller's own in every policy that names principals.
    pub fn bind(&mut self, caller: &Caller) {
        for source in self.resource.iter_mut().chain(&mut self.trust) {
            source.bind(caller);
        }
    }

    /// The condition keys that they ask for, each once, as they are first written.
    pub fn condition_keys(&self) -> Vec<&str> {
        condition_keys(self.all().map(Source::policy))
    }

    fn all(&self) -> impl Iterator<Item = &Source> {
        (self.identity.iter().chain(&self.boundary))
            .chain(self.session.iter().flatten())
            .chain(&self.resource)
            .chain(&self.trust)
            .chain(self.service_control.iter().flatten())
            .chain(self.resource_control.iter().flatten())
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks, in what context, for which action on which resource.
    pub request: Request<'a>,
    /// The account that owns the resource.
    pub resource_account: AccountId,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The decision and how each statement took part.
    pub trace: Trace,
    /// The statements that made the decision.
    pub matched: Vec<MatchedStatement>,
    /// The condition keys that the policies ask for and the context has not, as they are written.
    pub missing: Vec<String>,
    /// Whether the permissions boundary allows it, if there is one.
    pub boundary_allows: Option<bool>,
    /// Whether every level of service control policies allows it, if there are any.
    pub organization_allows: Option<bool>,
    /// For a caller of another account: what its own policies, and what the resource's, decide.
    pub across: Option<(Effect, Effect)>,
}

impl Outcome {
    /// The decision.
    pub fn decision(&self) -> &Decision {
        &self.trace.decision
    }
}

/// A statement that made a decision, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedStatement {
    /// Which one.
    pub matched: Matched,
    /// Line and column of its first character, counted from 1; columns in characters.
    pub start: (usize, usize),
    /// Line and column behind its last character.
    pub end: (usize, usize),
}

/// Decides, and says how.
pub fn simulate(question: &Question<'_>, policies: &Policies) -> Outcome {
    let Question { request, resource_account } = question;
    let identity: Vec<Named<'_>> = policies.identity.iter().map(Source::named).collect();
    let session: Option<Vec<Named<'_>>> =
        policies.session.as_ref().map(|list| list.iter().map(Source::named).collect());
    let scps: Vec<Vec<Named<'_>>> = levels(&policies.service_control);
    let rcps: Vec<Vec<Named<'_>>> = levels(&policies.resource_control);
    let scps: Vec<&[Named<'_>]> = scps.iter().map(Vec::as_slice).collect();
    let rcps: Vec<&[Named<'_>]> = rcps.iter().map(Vec::as_slice).collect();
    let layers = Layers {
        resource_account: *resource_account,
        identity: &identity,
        boundary: policies.boundary.as_ref().map(Source::named),
        session: session.as_deref(),
        resource: policies.resource.as_ref().map(Source::named),
        service_control: &scps,
        resource_control: &rcps,
    };
    let trace = match &policies.trust {
        Some(trust) => explain_trust(request, trust.named(), &layers),
        None => explain(request, &layers),
    };
    let matched = trace.decision.matched().iter().take(MAX_MATCHED);
    let matched = matched.filter_map(|it| locate(it, policies)).collect();
    let own_account = request.caller.account();
    let alone = |identity: &[Named<'_>], scps: &[&[Named<'_>]]| {
        let layers = Layers {
            resource_account: own_account.unwrap_or(*resource_account),
            identity,
            boundary: None,
            session: None,
            resource: None,
            service_control: scps,
            resource_control: &[],
        };
        decide(request, &layers).effect() == Effect::Allow
    };
    let boundary_allows =
        policies.boundary.as_ref().map(|boundary| alone(&[boundary.named()], &[]));
    let organization_allows =
        (!scps.is_empty()).then(|| scps.iter().all(|level| alone(level, &[])));
    let across = own_account.filter(|own| own != resource_account).map(|own| {
        // What the resource's owner is limited by is not this side's.
        let mine =
            Layers { resource_account: own, resource: None, resource_control: &[], ..layers };
        (decide(request, &mine).effect(), theirs(request, policies, *resource_account))
    });
    Outcome {
        matched,
        missing: missing(request, policies),
        trace,
        boundary_allows,
        organization_allows,
        across,
    }
}

fn levels(levels: &[Vec<Source>]) -> Vec<Vec<Named<'_>>> {
    levels.iter().map(|level| level.iter().map(Source::named).collect()).collect()
}

/// What the resource's side decides by itself.
fn theirs(request: &Request<'_>, policies: &Policies, account: AccountId) -> Effect {
    let open = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let Ok(open) = Policy::parse(open, DocumentKind::Identity) else { return Effect::ImplicitDeny };
    let layers = Layers {
        resource_account: account,
        identity: &[Named { name: "everything", policy: &open }],
        boundary: None,
        session: None,
        resource: policies.resource.as_ref().map(Source::named),
        service_control: &[],
        resource_control: &[],
    };
    decide(request, &layers).effect()
}

/// The condition keys that the policies ask for, each once, as they are first written.
pub fn condition_keys<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Vec<&'p str> {
    let mut keys: Vec<&str> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for key in policies.into_iter().flat_map(Policy::condition_keys) {
        if seen.insert(super::fold::fold(key)) {
            keys.push(key);
        }
    }
    keys
}

/// The condition keys that these policies ask for and the request lacks.
pub fn missing(request: &Request<'_>, policies: &Policies) -> Vec<String> {
    let keys = policies.condition_keys().into_iter();
    let absent = keys.filter(|key| request.context.get(key).is_none());
    absent.map(ToOwned::to_owned).collect()
}

/// Where a statement of the policies stands; `None` for the root user's right.
fn locate(matched: &Matched, policies: &Policies) -> Option<MatchedStatement> {
    let source = match matched.layer {
        Layer::Root => None,
        Layer::Identity => policies.identity.iter().find(|it| it.id == matched.policy),
        Layer::Boundary => policies.boundary.as_ref(),
        Layer::Session => policies.session.iter().flatten().find(|it| it.id == matched.policy),
        Layer::Resource => policies.resource.as_ref(),
        Layer::Trust => policies.trust.as_ref(),
        Layer::ServiceControl => {
            policies.service_control.iter().flatten().find(|it| it.id == matched.policy)
        }
        Layer::ResourceControl => {
            policies.resource_control.iter().flatten().find(|it| it.id == matched.policy)
        }
    }?;
    let (start, end) = source.place(matched.statement)?;
    Some(MatchedStatement { matched: matched.clone(), start, end })
}

impl Source {
    /// Where a statement begins and ends: line and column.
    pub fn place(&self, statement: usize) -> Option<Span> {
        self.places.get(statement).copied()
    }
}

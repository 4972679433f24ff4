//! A small world: one account, its user, role and resource, and another account.

use crate::id::{AccountId, UniqueId};
use crate::policy::compiled::{
    self, CompiledDecision, CompiledLayer, CompiledLayers, CompiledNamed, CompiledPolicy,
    CompiledSet,
};
use crate::policy::{
    Caller, Context, Decision, DocumentKind, FederationMaker, Layers, Named, Policy, Request,
    Trace, decide, decide_trust, explain, explain_trust,
};

pub(crate) const USER_ARN: &str = "arn:aws:iam::111111111111:user/team/alice";
pub(crate) const ROLE_ARN: &str = "arn:aws:iam::111111111111:role/app/reader";
pub(crate) const SESSION_ARN: &str = "arn:aws:sts::111111111111:assumed-role/reader/job-7";
pub(crate) const FEDERATED_ARN: &str = "arn:aws:sts::111111111111:federated-user/bob";
pub(crate) const OIDC_ARN: &str = "arn:aws:iam::111111111111:oidc-provider/idp.example.com";
pub(crate) const ACTION: &str = "s3:GetObject";
pub(crate) const RESOURCE: &str = "arn:aws:s3:::bucket/team/report.txt";
/// The role that trust policies are about.
pub(crate) const TARGET_ROLE: &str = "arn:aws:iam::111111111111:role/target";

pub(crate) fn account() -> AccountId {
    AccountId::parse("111111111111").unwrap()
}

pub(crate) fn other_account() -> AccountId {
    AccountId::parse("222222222222").unwrap()
}

pub(crate) fn user_id() -> UniqueId {
    UniqueId::parse("AIDAALICE000000000001").unwrap()
}

pub(crate) fn role_id() -> UniqueId {
    UniqueId::parse("AROAREADER00000000001").unwrap()
}

pub(crate) fn root() -> Caller {
    Caller::Root { account: account() }
}

pub(crate) fn user() -> Caller {
    Caller::User { account: account(), id: user_id(), arn: USER_ARN.into() }
}

pub(crate) fn session() -> Caller {
    Caller::RoleSession {
        account: account(),
        role_id: role_id(),
        role_arn: ROLE_ARN.into(),
        session_name: "job-7".into(),
        session_arn: SESSION_ARN.into(),
    }
}

pub(crate) fn federated() -> Caller {
    Caller::FederatedUser {
        account: account(),
        maker: FederationMaker::User(user_id()),
        name: "bob".into(),
        arn: FEDERATED_ARN.into(),
    }
}

pub(crate) fn web_identity() -> Caller {
    Caller::WebIdentity { provider: OIDC_ARN.into() }
}

/// What the directory would answer when a policy is bound.
pub(crate) fn directory(arn: &str) -> Option<UniqueId> {
    match arn {
        USER_ARN => Some(user_id()),
        ROLE_ARN | SESSION_ARN => Some(role_id()),
        _ => None,
    }
}

/// A document of version 2012-10-17 with these statements, parsed and bound.
pub(crate) fn policy(kind: DocumentKind, statements: &str) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let mut policy = Policy::parse(&text, kind).unwrap_or_else(|e| panic!("{e}: {text}"));
    policy.bind_known(&mut directory);
    policy
}

pub(crate) fn identity(statements: &str) -> Policy {
    policy(DocumentKind::Identity, statements)
}

/// An identity statement about the fixture's action and resource, with these further elements.
pub(crate) fn about(effect: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Action":"{ACTION}","Resource":"{RESOURCE}","Condition":{condition}}}"#
    )
}

/// A resource statement with this principal.
pub(crate) fn names(effect: &str, principal: &str, condition: &str) -> Policy {
    policy(
        DocumentKind::Resource,
        &format!(
            r#"{{"Effect":"{effect}","Principal":{principal},"Action":"{ACTION}","Resource":"{RESOURCE}","Condition":{condition}}}"#
        ),
    )
}

/// A trust statement with this principal.
pub(crate) fn trusts(effect: &str, principal: &str) -> Policy {
    policy(
        DocumentKind::Trust,
        &format!(r#"{{"Effect":"{effect}","Principal":{principal},"Action":"sts:*"}}"#),
    )
}

/// Policies by layer, for one request.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) identity: Vec<Policy>,
    pub(crate) boundary: Option<Policy>,
    pub(crate) session: Option<Vec<Policy>>,
    pub(crate) resource: Option<Policy>,
    pub(crate) trust: Option<Policy>,
    pub(crate) service_control: Vec<Vec<Policy>>,
    pub(crate) resource_control: Vec<Vec<Policy>>,
    pub(crate) elsewhere: bool,
    pub(crate) context: Context,
}

impl World {
    pub(crate) fn decide(&self, caller: &Caller) -> Decision {
        self.ask(caller, ACTION, RESOURCE)
    }

    pub(crate) fn ask(&self, caller: &Caller, action: &str, resource: &str) -> Decision {
        let request = Request { caller, action, resource, context: &self.context };
        self.with_layers(|layers| {
            let decision = decide(&request, layers);
            Compiled::new(layers)
                .each(|layers| agree(&decision, &compiled::decide(&request, layers)));
            decision
        })
    }

    pub(crate) fn assume(&self, caller: &Caller, action: &str) -> Decision {
        let request = Request { caller, action, resource: TARGET_ROLE, context: &self.context };
        let policy = self.trust.as_ref().unwrap();
        let trust = Named { name: "trust", policy };
        let trust_compiled = CompiledNamed { name: "trust", policy: &CompiledPolicy::new(policy) };
        self.with_layers(|layers| {
            let decision = decide_trust(&request, trust, layers);
            Compiled::new(layers).each(|layers| {
                agree(&decision, &compiled::decide_trust(&request, trust_compiled, layers));
            });
            decision
        })
    }

    /// The trace of a decision: of the trust policy for `sts:AssumeRole`, else of the resource's.
    pub(crate) fn explain(&self, caller: &Caller, action: &str) -> Trace {
        let resource = if action == "sts:AssumeRole" { TARGET_ROLE } else { RESOURCE };
        let request = Request { caller, action, resource, context: &self.context };
        self.with_layers(|layers| match &self.trust {
            Some(policy) if action == "sts:AssumeRole" => {
                explain_trust(&request, Named { name: "trust", policy }, layers)
            }
            _ => explain(&request, layers),
        })
    }

    pub(crate) fn with_layers<T>(&self, ask: impl FnOnce(&Layers<'_>) -> T) -> T {
        let identity = named("identity", &self.identity);
        let session = self.session.as_ref().map(|list| named("session", list));
        let service_control: Vec<_> =
            self.service_control.iter().map(|l| named("scp", l)).collect();
        let resource_control: Vec<_> =
            self.resource_control.iter().map(|l| named("rcp", l)).collect();
        let service_control: Vec<&[Named<'_>]> =
            service_control.iter().map(Vec::as_slice).collect();
        let resource_control: Vec<&[Named<'_>]> =
            resource_control.iter().map(Vec::as_slice).collect();
        ask(&Layers {
            resource_account: if self.elsewhere { other_account() } else { account() },
            identity: &identity,
            boundary: self.boundary.as_ref().map(|policy| Named { name: "boundary", policy }),
            session: session.as_deref(),
            resource: self.resource.as_ref().map(|policy| Named { name: "resource", policy }),
            service_control: &service_control,
            resource_control: &resource_control,
        })
    }
}

/// What the compiled engine makes of the interpreter's layers.
pub(crate) struct Compiled<'a> {
    layers: &'a Layers<'a>,
    identity: One,
    boundary: Option<CompiledPolicy>,
    session: Option<One>,
    resource: Option<CompiledPolicy>,
    service_control: Vec<One>,
    resource_control: Vec<One>,
}

/// A layer in both of its forms.
struct One {
    list: Vec<(String, CompiledPolicy)>,
    set: CompiledSet,
}

impl One {
    fn new(policies: &[Named<'_>]) -> Self {
        let compile =
            |named: &Named<'_>| (named.name.to_owned(), CompiledPolicy::new(named.policy));
        Self { list: policies.iter().map(compile).collect(), set: CompiledSet::new(policies) }
    }

    fn named(&self) -> Vec<CompiledNamed<'_>> {
        self.list.iter().map(|(name, policy)| CompiledNamed { name, policy }).collect()
    }
}

impl<'a> Compiled<'a> {
    pub(crate) fn new(layers: &'a Layers<'a>) -> Self {
        let levels = |levels: &[&[Named<'_>]]| levels.iter().map(|level| One::new(level)).collect();
        let compile = |named: Named<'_>| CompiledPolicy::new(named.policy);
        Self {
            layers,
            identity: One::new(layers.identity),
            boundary: layers.boundary.map(compile),
            session: layers.session.map(One::new),
            resource: layers.resource.map(compile),
            service_control: levels(layers.service_control),
            resource_control: levels(layers.resource_control),
        }
    }

    /// Shows the layers to `test` with each policy compiled by itself, and with those of a layer
    /// compiled together.
    pub(crate) fn each(&self, mut test: impl FnMut(&CompiledLayers<'_>)) {
        let identity = self.identity.named();
        let session = self.session.as_ref().map(One::named);
        let service_control: Vec<_> = self.service_control.iter().map(One::named).collect();
        let resource_control: Vec<_> = self.resource_control.iter().map(One::named).collect();
        let service_levels: Vec<_> =
            service_control.iter().map(|level| CompiledLayer::List(level)).collect();
        let resource_levels: Vec<_> =
            resource_control.iter().map(|level| CompiledLayer::List(level)).collect();
        let mut layers = CompiledLayers {
            resource_account: self.layers.resource_account,
            identity: CompiledLayer::List(&identity),
            boundary: name("boundary", self.boundary.as_ref()),
            session: session.as_deref().map(CompiledLayer::List),
            resource: name("resource", self.resource.as_ref()),
            service_control: &service_levels,
            resource_control: &resource_levels,
        };
        test(&layers);
        let (service_control, resource_control) =
            (sets(&self.service_control), sets(&self.resource_control));
        layers.identity = CompiledLayer::Set(&self.identity.set);
        layers.session = self.session.as_ref().map(|session| CompiledLayer::Set(&session.set));
        layers.service_control = &service_control;
        layers.resource_control = &resource_control;
        test(&layers);
    }
}

fn sets(levels: &[One]) -> Vec<CompiledLayer<'_>> {
    levels.iter().map(|level| CompiledLayer::Set(&level.set)).collect()
}

fn name<'a>(name: &'a str, policy: Option<&'a CompiledPolicy>) -> Option<CompiledNamed<'a>> {
    policy.map(|policy| CompiledNamed { name, policy })
}

/// The compiled engine's decision is the interpreter's, with fewer statements.
pub(crate) fn agree(decision: &Decision, compiled: &CompiledDecision<'_>) {
    assert_eq!(
        (decision.effect(), decision.layer()),
        (compiled.effect(), compiled.layer()),
        "{decision:?} {compiled:?}"
    );
    let alone = compiled.to_decision();
    assert_eq!((alone.effect(), alone.layer()), (compiled.effect(), compiled.layer()));
    assert_eq!(alone.matched().is_empty(), decision.matched().is_empty());
    for one in alone.matched() {
        assert!(decision.matched().contains(one), "{one:?} {decision:?}");
    }
    let first = |decision: &Decision| decision.matched().first().map(|one| one.layer);
    assert_eq!(first(&alone), first(decision));
}

fn named<'a>(name: &'a str, policies: &'a [Policy]) -> Vec<Named<'a>> {
    policies.iter().map(|policy| Named { name, policy }).collect()
}

/// Does something that is bearable: this thread has to work for it 5 seconds at most, however busy
/// the machine is. Where the system does not tell of a thread's work, what is not takes long.
pub(crate) fn bearable<T>(work: impl FnOnce() -> T) -> T {
    let worked = || {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let nanos: u64 = told.split_whitespace().next()?.parse().ok()?;
        Some(std::time::Duration::from_nanos(nanos))
    };
    let before = worked();
    let result = work();
    if let (Some(before), Some(after)) = (before, worked()) {
        let spent = after.saturating_sub(before);
        assert!(spent < std::time::Duration::from_secs(5), "{spent:?} of work");
    }
    result
}

//! All policies of a request, put together into one decision.
//!
//! Source: IAM User Guide, "Policy evaluation logic", "Cross-account policy evaluation logic",
//! "Permissions boundaries for IAM entities", "Session policies"; Organizations User Guide,
//! "SCP evaluation", "RCP evaluation". What a boundary and a session policy limit, by the way in
//! which a resource policy names the caller, follows what AWS is observed to do.

use super::ast::{DocumentKind, Policy};
use super::caller::{Caller, FederationMaker};
use super::context::Context;
use super::evaluate::{Applied, Facts, Whom, apply};
use super::principal::Reach;
use crate::arn;
use crate::id::AccountId;

/// What is asked for, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The verified caller.
    pub caller: &'a Caller,
    /// `service:Name`, in any case.
    pub action: &'a str,
    /// The resource's ARN, or `*` for an action that has none.
    pub resource: &'a str,
    /// The condition keys.
    pub context: &'a Context,
}

/// A policy and what to call it: its ARN, or an inline policy's name.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The name that decisions show.
    pub name: &'a str,
    /// The policy.
    pub policy: &'a Policy,
}

/// Every policy that applies to a request.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    /// The account that owns the resource.
    ///
    /// INVARIANT (someone owns every resource): a caller from another account needs the
    /// resource's own policy too.
    pub resource_account: AccountId,
    /// The caller's identity policies, those of its groups too. For a federated user: its
    /// maker's.
    pub identity: &'a [Named<'a>],
    /// The permissions boundary of the caller's user or role.
    pub boundary: Option<Named<'a>>,
    /// The session policies; `None` when none were passed. One of several has to allow; an empty
    /// list allows nothing.
    pub session: Option<&'a [Named<'a>]>,
    /// The resource's policy. [`decide_trust`] takes its trust policy apart from this.
    pub resource: Option<Named<'a>>,
    /// The service control policies of the caller's account: one list for each level from the
    /// organization's root down to the account. Each level has to allow. No levels: none apply
    /// (no organization, its management account, a caller outside every account).
    pub service_control: &'a [&'a [Named<'a>]],
    /// The resource control policies of the resource's account, likewise, with the full-access
    /// default in the levels.
    pub resource_control: &'a [&'a [Named<'a>]],
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Allowed by a statement.
    Allow,
    /// Denied by a statement.
    ExplicitDeny,
    /// Not allowed where it had to be.
    ImplicitDeny,
}

/// A kind of policy in a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// No policy: the root user's own right in its account.
    Root,
    /// The caller's identity policies.
    Identity,
    /// The caller's permissions boundary.
    Boundary,
    /// The session policies.
    Session,
    /// The resource's policy.
    Resource,
    /// The role's trust policy.
    Trust,
    /// The service control policies.
    ServiceControl,
    /// The resource control policies.
    ResourceControl,
}

impl Layer {
    /// Whom a policy's statements are about when it stands in this layer.
    pub(crate) fn whom(self, policy: &Policy) -> Whom {
        self.whom_of(policy.kind())
    }

    /// The same for a kind of policy.
    pub(crate) fn whom_of(self, kind: DocumentKind) -> Whom {
        match (self, kind) {
            (Self::Resource | Self::Trust, DocumentKind::Resource | DocumentKind::Trust) => {
                Whom::Named
            }
            (Self::Resource | Self::Trust, _) => Whom::Unclear,
            // Its principal is `*`, which limits services and federated identities too.
            (Self::ResourceControl, DocumentKind::ResourceControl) => Whom::Caller,
            (_, kind) if kind.has_principals() => Whom::Unclear,
            _ => Whom::Caller,
        }
    }
}

/// A statement that made a decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Matched {
    /// The layer that its policy is in.
    pub layer: Layer,
    /// The policy's name; the account's root ARN for [`Layer::Root`].
    pub policy: String,
    /// The statement's place in the policy, counted from 0.
    pub statement: usize,
    /// Its Sid.
    pub sid: Option<String>,
}

/// What was decided, and what decided it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    effect: Effect,
    layer: Layer,
    matched: Vec<Matched>,
}

impl Decision {
    /// The answer.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether the request is allowed.
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allow
    }

    /// The layer that decided: the first that granted, that denied, or that had to allow and did
    /// not.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// The statements that granted, with those of the limiting layers that let it pass; or those
    /// that denied. Empty for an implicit deny, never for another.
    pub fn matched(&self) -> &[Matched] {
        &self.matched
    }

    /// INVARIANT (not denied is not allowed): the one place where an allow is made. It takes the
    /// statements that grant, and denies when there are none.
    pub(super) fn allow(grants: Vec<Matched>, passed: Vec<Matched>, otherwise: Layer) -> Self {
        let Some(layer) = grants.first().map(|grant| grant.layer) else {
            return Self::implicit(otherwise);
        };
        let matched = grants.into_iter().chain(passed).collect();
        Self { effect: Effect::Allow, layer, matched }
    }

    /// The explicit deny of these statements, if there are any.
    pub(super) fn denied(denies: Vec<Matched>) -> Option<Self> {
        let layer = denies.first()?.layer;
        Some(Self { effect: Effect::ExplicitDeny, layer, matched: denies })
    }

    pub(super) fn implicit(layer: Layer) -> Self {
        Self { effect: Effect::ImplicitDeny, layer, matched: Vec::new() }
    }
}

/// Decides an ordinary request.
///
/// Within one account, the resource's policy or the caller's identity policies must allow, and a
/// permissions boundary, session policies, service and resource control policies must not stand
/// in the way; a resource policy that names the user or the session itself passes some of them
/// by. Across accounts, both sides must allow. An explicit deny anywhere is final.
pub fn decide(request: &Request<'_>, layers: &Layers<'_>) -> Decision {
    judge(request, layers, layers.resource.as_ref(), Layer::Resource)
}

/// Decides whether a role's trust policy gives the role to the caller: for `sts:AssumeRole` and
/// its kin, and for `sts:TagSession` and `sts:SetSourceIdentity` beside them.
///
/// `request.resource` is the role's ARN. The trust policy must allow, even in the role's own
/// account; when it names only the account, or the caller is of another account, the caller's own
/// layers must allow too. Nothing trusts itself. `layers.resource` is not looked at.
pub fn decide_trust(request: &Request<'_>, trust: Named<'_>, layers: &Layers<'_>) -> Decision {
    judge(request, layers, Some(&trust), Layer::Trust)
}

/// The statements of a layer that apply.
#[derive(Default)]
struct Findings {
    allows: Vec<(Matched, Reach)>,
    denies: Vec<Matched>,
}

impl Findings {
    fn of(layer: Layer, policies: &[Named<'_>], facts: &Facts<'_>) -> Self {
        let mut findings = Self::default();
        for named in policies {
            let matched = |applied: &Applied<'_>| Matched {
                layer,
                policy: named.name.to_owned(),
                statement: applied.index,
                sid: applied.statement.sid.clone(),
            };
            let (allows, denies) = apply(named.policy, facts, layer.whom(named.policy));
            findings.allows.extend(allows.iter().map(|applied| (matched(applied), applied.reach)));
            findings.denies.extend(denies.iter().map(matched));
        }
        findings
    }

    fn allows(&self) -> bool {
        !self.allows.is_empty()
    }

    fn grants(&self) -> impl Iterator<Item = Matched> {
        self.allows.iter().map(|(matched, _)| matched.clone())
    }
}

fn judge(
    request: &Request<'_>,
    layers: &Layers<'_>,
    owner: Option<&Named<'_>>,
    owner_layer: Layer,
) -> Decision {
    let Request { caller, action, resource, context } = *request;
    let facts = Facts::new(caller, action, resource, context, layers.boundary.is_some());
    let levels = |layer: Layer, levels: &[&[Named<'_>]]| -> Vec<Findings> {
        levels.iter().map(|level| Findings::of(layer, level, &facts)).collect()
    };
    let service_control = levels(Layer::ServiceControl, layers.service_control);
    let resource_control = levels(Layer::ResourceControl, layers.resource_control);
    let owner_policies = owner.map(std::slice::from_ref).unwrap_or_default();
    let owner_side = Findings::of(owner_layer, owner_policies, &facts);
    let identity = Findings::of(Layer::Identity, layers.identity, &facts);
    let boundary = (layers.boundary)
        .map(|policy| Findings::of(Layer::Boundary, std::slice::from_ref(&policy), &facts));
    let session = layers.session.map(|list| Findings::of(Layer::Session, list, &facts));

    // An explicit deny anywhere is final.
    let denies: Vec<Matched> = (service_control.iter())
        .chain(&resource_control)
        .chain([&owner_side, &identity])
        .chain(&boundary)
        .chain(&session)
        .flat_map(|findings| findings.denies.iter().cloned())
        .collect();
    if let Some(denied) = Decision::denied(denies) {
        return denied;
    }

    // Every level of the organization has to allow.
    if service_control.iter().any(|level| !level.allows()) {
        return Decision::implicit(Layer::ServiceControl);
    }
    if resource_control.iter().any(|level| !level.allows()) {
        return Decision::implicit(Layer::ResourceControl);
    }

    let own = OwnSide::new(caller, &identity, boundary.as_ref(), session.as_ref());
    let grants = match caller.account() {
        // Outside every account there is only the owner's word.
        None => granted(&owner_side, |_| true).ok_or(owner_layer),
        Some(account) if account != layers.resource_account => own.verdict().and_then(|mine| {
            let theirs = granted(&owner_side, |_| true).ok_or(owner_layer)?;
            Ok(mine.into_iter().chain(theirs).collect())
        }),
        Some(_) => within_account(&own, &owner_side, owner_layer),
    };
    match grants {
        Ok(grants) => {
            let passed = (boundary.iter().chain(&session))
                .chain(&service_control)
                .chain(&resource_control)
                .flat_map(Findings::grants)
                .collect();
            Decision::allow(grants, passed, owner_layer)
        }
        Err(layer) => Decision::implicit(layer),
    }
}

/// The owner's statements that grant, if any, by their reach.
fn granted(owner: &Findings, reaches: impl Fn(Reach) -> bool) -> Option<Vec<Matched>> {
    let grants: Vec<Matched> = (owner.allows.iter())
        .filter(|(_, reach)| reaches(*reach))
        .map(|(matched, _)| matched.clone())
        .collect();
    (!grants.is_empty()).then_some(grants)
}

/// Caller and resource in one account.
fn within_account(
    own: &OwnSide,
    owner: &Findings,
    owner_layer: Layer,
) -> Result<Vec<Matched>, Layer> {
    let verdict = own.verdict();
    let by_owner = granted(owner, |reach| match reach {
        Reach::Session => true,
        Reach::User => own.session,
        Reach::Limited => own.session && own.boundary,
        Reach::Account => verdict.is_ok(),
    });
    let is_trust = owner_layer == Layer::Trust;
    match (verdict, by_owner) {
        (Ok(mine), Some(theirs)) => Ok(mine.into_iter().chain(theirs).collect()),
        (Err(_), Some(theirs)) => Ok(theirs),
        // A trust policy has to allow by itself; other resources leave it to the identity.
        (Ok(mine), None) if !is_trust => Ok(mine),
        (Ok(_), None) => Err(owner_layer),
        (Err(_), None) if is_trust && !owner.allows() => Err(owner_layer),
        // The owner's policy would do without the identity, but not without the limits.
        (Err(Layer::Identity), None)
            if owner.allows.iter().any(|(_, reach)| *reach > Reach::Account) =>
        {
            Err(if own.boundary { Layer::Session } else { Layer::Boundary })
        }
        (Err(layer), None) => Err(layer),
    }
}

/// What the caller's own policies say.
struct OwnSide {
    /// What the identity policies grant, or the root user's right.
    identity: Vec<Matched>,
    /// Whether the boundary lets it pass.
    boundary: bool,
    /// Whether the session policies let it pass.
    session: bool,
}

impl OwnSide {
    fn new(
        caller: &Caller,
        identity: &Findings,
        boundary: Option<&Findings>,
        session: Option<&Findings>,
    ) -> Self {
        let root = match caller {
            Caller::Root { account }
            | Caller::FederatedUser { account, maker: FederationMaker::Root, .. } => {
                Some(Matched {
                    layer: Layer::Root,
                    policy: arn::account_root(*account),
                    statement: 0,
                    sid: None,
                })
            }
            _ => None,
        };
        Self {
            identity: root.into_iter().chain(identity.grants()).collect(),
            boundary: boundary.is_none_or(Findings::allows),
            session: match session {
                Some(session) => session.allows(),
                // A federated user has what its session policies give it, and nothing without.
                None => !matches!(caller, Caller::FederatedUser { .. }),
            },
        }
    }

    /// What grants, or the layer that does not allow.
    fn verdict(&self) -> Result<Vec<Matched>, Layer> {
        if self.identity.is_empty() {
            Err(Layer::Identity)
        } else if !self.boundary {
            Err(Layer::Boundary)
        } else if !self.session {
            Err(Layer::Session)
        } else {
            Ok(self.identity.clone())
        }
    }
}

//! May the caller do this? The caller's policies, gathered from the directory and the session.

use std::sync::LazyLock;

use super::context;
use super::denial::Denial;
use super::fault::Fault;
use super::organized::{self, ControlLevels};
use super::{Context, Facts, Services};
use crate::authn::{Caller, Identity, PrincipalEntity, SessionPolicy, VerifiedRequest, standing};
use crate::directory::document::TrustDocument;
use crate::directory::entities::Policies;
use crate::directory::{Document, Organized, Snapshot, Used};
use crate::id::AccountId;
use crate::policy::compiled::{
    self, CompiledDecision, CompiledLayer, CompiledLayers, CompiledNamed, CompiledPolicy,
};
use crate::policy::{
    self, Decision, DocumentKind, Layers, Named, Policy, Request, Trace, denial_reason, explain,
    explain_trust,
};

/// What is to be done to what.
pub struct Ask<'a> {
    /// Such as `iam:CreateUser`.
    pub action: &'a str,
    /// The ARN, or `*` where the action has no resource.
    pub resource: &'a str,
    /// The account that owns the resource.
    pub owner: AccountId,
}

/// The policies of a caller in both of their forms, borrowed from the snapshot and the session.
pub struct CallerPolicies<'s> {
    identity: Both<'s>,
    boundary: Option<(&'s str, Forms<'s>)>,
    session: Option<Both<'s>>,
    /// The organization, for the control policies of both sides.
    organized: &'s Organized,
}

/// The condition keys of decisions about what one account owns.
///
/// INVARIANT: every decision has the keys of the organization, whoever asks for it: only
/// [`CallerPolicies::keys`] makes these, and adds them.
pub struct DecisionKeys {
    context: policy::Context,
    owner: AccountId,
}

/// A policy to explain with and to decide with.
#[derive(Clone, Copy)]
struct Forms<'s> {
    policy: &'s Policy,
    compiled: &'s CompiledPolicy,
}

impl<'s> Forms<'s> {
    fn of(document: &'s Document) -> Self {
        Self { policy: document.policy(), compiled: document.compiled() }
    }

    /// What stands in for a policy that cannot be found: it denies everything.
    fn missing() -> Self {
        Self { policy: &MISSING.0, compiled: &MISSING.1 }
    }
}

/// The policies of one layer.
#[derive(Default)]
struct Both<'s> {
    policies: Vec<Named<'s>>,
    compiled: Vec<CompiledNamed<'s>>,
}

impl<'s> Both<'s> {
    fn push(&mut self, name: &'s str, Forms { policy, compiled }: Forms<'s>) {
        self.policies.push(Named { name, policy });
        self.compiled.push(CompiledNamed { name, policy: compiled });
    }
}

impl<'s> CallerPolicies<'s> {
    /// Of somebody who has no role yet, and so no policies. Those of the organization hold.
    pub fn none(snapshot: &'s Snapshot) -> Self {
        Self {
            identity: Both::default(),
            boundary: None,
            session: None,
            organized: snapshot.organized(),
        }
    }

    /// Gathers the policies of an identity as `snapshot` has them.
    ///
    /// What is attached and cannot be found denies everything.
    pub fn gather(snapshot: &'s Snapshot, identity: &'s Identity) -> Self {
        // Read anew by unique ID: the snapshot may be newer than the identity.
        let id = identity.unique_id();
        let found: Option<&Policies> = match identity.principal() {
            PrincipalEntity::User(_) => snapshot.user(&id).map(|user| &user.policies),
            PrincipalEntity::Role(_) => snapshot.role(&id).map(|role| &role.policies),
            PrincipalEntity::Root(account) => snapshot.account(account.id).map(|_| &*NO_POLICIES),
        };
        let Some(policies) = found else {
            return Self {
                identity: Both::default(),
                boundary: None,
                session: Some(Both::default()),
                organized: snapshot.organized(),
            };
        };
        let account = identity.account();
        let managed = |arn: &str| managed_policy(snapshot, account, arn);
        let mut all = Both::default();
        for (name, document) in &policies.inline {
            all.push(name, Forms::of(document));
        }
        for arn in &policies.attached {
            all.push(arn, managed(arn));
        }
        add_groups(&mut all, snapshot, identity);
        let session = identity.session().and_then(|session| {
            let mut all = Both::default();
            for policy in session.policies()? {
                match policy {
                    SessionPolicy::Inline(inline) => {
                        let forms = Forms { policy: &inline.policy, compiled: &inline.compiled };
                        all.push("inline session policy", forms);
                    }
                    SessionPolicy::Managed { arn, id } => {
                        // One that was made again under its ARN was passed by nobody.
                        let now = snapshot.managed_policy(account, arn).map(|now| now.id());
                        let passed = id.is_none_or(|id| now == Some(id));
                        all.push(arn, if passed { managed(arn) } else { Forms::missing() });
                    }
                }
            }
            Some(all)
        });
        Self {
            identity: all,
            boundary: policies.boundary.as_deref().map(|arn| (arn, managed(arn))),
            session,
            organized: snapshot.organized(),
        }
    }

    /// The keys of decisions about what `owner` owns.
    pub fn keys(
        &self,
        mut context: policy::Context,
        caller: &policy::Caller,
        owner: AccountId,
    ) -> DecisionKeys {
        organized::add_keys(&mut context, self.organized, caller.account(), owner);
        DecisionKeys { context, owner }
    }

    /// Decides with these policies and, if the resource has one, its own.
    pub fn decide(
        &self,
        caller: &policy::Caller,
        ask: &Ask<'_>,
        keys: &DecisionKeys,
        resource: Option<Named<'_>>,
    ) -> Decision {
        let compiled = resource.map(|named| (named.name, CompiledPolicy::new(named.policy)));
        let resource = compiled.as_ref().map(|(name, policy)| CompiledNamed { name, policy });
        self.decide_compiled(caller, ask, keys, resource)
    }

    /// As [`decide`](Self::decide), the resource's policy being compiled.
    pub fn decide_compiled(
        &self,
        caller: &policy::Caller,
        ask: &Ask<'_>,
        keys: &DecisionKeys,
        resource: Option<CompiledNamed<'_>>,
    ) -> Decision {
        let request = request(caller, ask, keys);
        self.with_compiled(caller, keys.owner, resource, |layers| {
            compiled::decide(&request, layers).to_decision()
        })
    }

    /// Checks that these policies allow it by themselves.
    ///
    /// # Errors
    /// The decision that does not.
    pub fn check(
        &self,
        caller: &policy::Caller,
        ask: &Ask<'_>,
        keys: &DecisionKeys,
    ) -> Result<(), Decision> {
        let request = request(caller, ask, keys);
        self.with_compiled(caller, keys.owner, None, |layers| {
            allowed(&compiled::decide(&request, layers))
        })
    }

    /// As [`decide`](Self::decide) without a resource's policy, and says how.
    pub fn explain(&self, caller: &policy::Caller, ask: &Ask<'_>, keys: &DecisionKeys) -> Trace {
        let request = request(caller, ask, keys);
        self.with_interpreted(caller, keys.owner, |layers| explain(&request, layers))
    }

    /// Checks that a role's trust policy, and these policies where both must agree, let the caller
    /// have the role.
    ///
    /// # Errors
    /// What was lacking, for the operator: the caller must not learn it.
    pub fn check_trust(
        &self,
        caller: &policy::Caller,
        ask: &Ask<'_>,
        keys: &DecisionKeys,
        trust: &TrustDocument,
    ) -> Result<(), String> {
        const NAME: &str = "trust policy";
        let request = request(caller, ask, keys);
        let named = CompiledNamed { name: NAME, policy: trust.compiled() };
        let decided = self.with_compiled(caller, keys.owner, None, |layers| {
            allowed(&compiled::decide_trust(&request, named, layers))
        });
        let Err(decision) = decided else { return Ok(()) };
        let reason = denial_reason(ask.action, &decision).unwrap_or_default();
        let named = Named { name: NAME, policy: trust.policy() };
        let hint = self.with_interpreted(caller, keys.owner, |layers| {
            explain_trust(&request, named, layers).hint()
        });
        Err(match hint {
            Some(hint) => format!("{reason}: {hint}"),
            None => reason,
        })
    }

    fn with_compiled<R>(
        &self,
        caller: &policy::Caller,
        resource_account: AccountId,
        resource: Option<CompiledNamed<'_>>,
        use_them: impl FnOnce(&CompiledLayers<'_>) -> R,
    ) -> R {
        let levels = ControlLevels::gather(self.organized, caller.account(), resource_account);
        levels.lend_compiled(|service_control, resource_control| {
            use_them(&CompiledLayers {
                resource_account,
                identity: CompiledLayer::List(&self.identity.compiled),
                boundary: (self.boundary)
                    .map(|(name, forms)| CompiledNamed { name, policy: forms.compiled }),
                session: self.session.as_ref().map(|all| CompiledLayer::List(&all.compiled)),
                resource,
                service_control,
                resource_control,
            })
        })
    }

    /// Lends these policies as layers of a decision of the interpreter.
    pub(in crate::ops) fn with_interpreted<R>(
        &self,
        caller: &policy::Caller,
        resource_account: AccountId,
        use_them: impl FnOnce(&Layers<'_>) -> R,
    ) -> R {
        let levels = ControlLevels::gather(self.organized, caller.account(), resource_account);
        levels.lend(|service_control, resource_control| {
            use_them(&Layers {
                resource_account,
                identity: &self.identity.policies,
                boundary: self.boundary.map(|(name, forms)| Named { name, policy: forms.policy }),
                session: self.session.as_ref().map(|all| all.policies.as_slice()),
                resource: None,
                service_control,
                resource_control,
            })
        })
    }
}

/// What a root user has: nothing grants it its rights, and of what an account can write nothing
/// limits them.
static NO_POLICIES: LazyLock<Policies> = LazyLock::new(Policies::default);

fn request<'a>(caller: &'a policy::Caller, ask: &Ask<'a>, keys: &'a DecisionKeys) -> Request<'a> {
    debug_assert_eq!(ask.owner, keys.owner, "the keys are of another owner");
    Request { caller, action: ask.action, resource: ask.resource, context: &keys.context }
}

fn allowed(decision: &CompiledDecision<'_>) -> Result<(), Decision> {
    if decision.is_allowed() { Ok(()) } else { Err(decision.to_decision()) }
}

/// What stands in for a policy that cannot be found.
static MISSING: LazyLock<(Policy, CompiledPolicy)> = LazyLock::new(|| {
    let policy = Policy::deny_everything(DocumentKind::Identity);
    let compiled = CompiledPolicy::new(&policy);
    (policy, compiled)
});

/// Adds the policies of the groups that a user is in. A group that cannot be found denies
/// everything.
fn add_groups<'s>(all: &mut Both<'s>, snapshot: &'s Snapshot, identity: &'s Identity) {
    let user = match identity.principal() {
        PrincipalEntity::User(user) => snapshot.user(&user.id),
        PrincipalEntity::Role(_) | PrincipalEntity::Root(_) => None,
    };
    for id in user.into_iter().flat_map(|user| &user.groups) {
        let Some(group) = snapshot.group(id) else {
            all.push("a group that is gone", Forms::missing());
            continue;
        };
        for (name, document) in &group.policies.inline {
            all.push(name, Forms::of(document));
        }
        for arn in &group.policies.attached {
            all.push(arn, managed_policy(snapshot, group.account, arn));
        }
    }
}

fn managed_policy<'s>(snapshot: &'s Snapshot, account: AccountId, arn: &str) -> Forms<'s> {
    snapshot.managed_document(account, arn).map_or_else(Forms::missing, Forms::of)
}

/// Records the use of a long-term key, or of the role of a session.
pub fn record_use(services: &Services, request: &VerifiedRequest, facts: &Facts, service: &str) {
    let identity = request.identity();
    let used = match (identity.session(), identity.principal()) {
        (None, _) => Some(Used::Key(identity.access_key_id())),
        (Some(_), PrincipalEntity::Role(role)) => Some(Used::Role(role.id)),
        (Some(_), PrincipalEntity::User(_) | PrincipalEntity::Root(_)) => None,
    };
    if let Some(used) = used {
        services.directory.uses().record(used, facts.now, service, request.region());
    }
}

/// The caller as the policy engine knows it.
pub fn policy_caller(identity: &Identity) -> policy::Caller {
    match identity.principal() {
        PrincipalEntity::User(user) => {
            policy::Caller::User { account: user.account, id: user.id, arn: user.arn() }
        }
        PrincipalEntity::Role(role) => policy::Caller::RoleSession {
            account: role.account,
            role_id: role.id,
            role_arn: role.arn(),
            session_name: identity.session_name().to_owned(),
            session_arn: identity.arn(),
        },
        PrincipalEntity::Root(account) => policy::Caller::Root { account: account.id },
    }
}

/// The condition keys of a signed request.
pub fn signed_context(facts: &Facts, identity: &Identity) -> policy::Context {
    let mut keys = context::of_request(facts);
    context::add_identity(&mut keys, identity, facts.now);
    keys
}

impl Context<'_> {
    /// Who signed.
    ///
    /// # Errors
    /// `MissingAuthenticationToken` for an anonymous request.
    pub fn identity(&self) -> Result<&Identity, Fault> {
        match self.caller {
            Caller::Signed(request) => Ok(request.identity()),
            Caller::Asserted(_) | Caller::Saml(_) | Caller::Certificate(_) | Caller::Anonymous => {
                Err(Fault::missing_authentication_token())
            }
        }
    }

    /// The condition keys that every decision about this request has.
    pub fn condition_keys(&self) -> Result<policy::Context, Fault> {
        match self.caller {
            Caller::Signed(request) => Ok(signed_context(self.facts, request.identity())),
            Caller::Asserted(_) | Caller::Saml(_) | Caller::Certificate(_) | Caller::Anonymous => {
                Err(Fault::missing_authentication_token())
            }
        }
    }

    /// Records that the caller's key or role was used, for whoever looks for those that are not.
    pub fn record_use(&self, service: &str) {
        if let Caller::Signed(request) = self.caller {
            record_use(self.services, request, self.facts, service);
        }
    }

    /// Lets the request pass if the caller's policies, as `snapshot` has them, allow it.
    ///
    /// `add` adds the condition keys that belong to the action.
    ///
    /// # Errors
    /// `AccessDenied` in AWS's words; `InvalidClientTokenId` if the caller's credential has been
    /// revoked, disabled or deleted since it was verified.
    pub fn authorize(
        &self,
        snapshot: &Snapshot,
        ask: &Ask<'_>,
        add: impl FnOnce(&mut policy::Context),
    ) -> Result<(), Fault> {
        self.authorize_shown(snapshot, ask, ask.resource, add)
    }

    /// As [`authorize`](Self::authorize); a refusal names the resource as `shown`: as the caller
    /// named it, so that a refusal tells nothing of what is there.
    pub fn authorize_shown(
        &self,
        snapshot: &Snapshot,
        ask: &Ask<'_>,
        shown: &str,
        add: impl FnOnce(&mut policy::Context),
    ) -> Result<(), Fault> {
        let identity = self.identity()?;
        self.still_standing(snapshot)?;
        let mut keys = self.condition_keys()?;
        add(&mut keys);
        let caller = policy_caller(identity);
        let policies = CallerPolicies::gather(snapshot, identity);
        let keys = policies.keys(keys, &caller, ask.owner);
        policies.check(&caller, ask, &keys).or_else(|decision| {
            let trace = policies.explain(&caller, ask, &keys);
            let denial = Denial {
                identity,
                action: ask.action,
                resource: shown,
                // Not the action's own: some of them tell of the resource.
                keys: &self.condition_keys()?,
                trace: &trace,
                plain: shown == ask.resource,
            };
            let encoded = denial.encode(self.services);
            Err(denied(identity, &Ask { resource: shown, ..*ask }, &decision).with_encoded(encoded))
        })
    }

    /// As [`authorize`](Self::authorize), on what another account owns and lets the caller's account
    /// have by `delegation`, the policy of the resource: both have to allow it.
    pub fn authorize_delegated(
        &self,
        snapshot: &Snapshot,
        ask: &Ask<'_>,
        delegation: &Policy,
        add: impl FnOnce(&mut policy::Context),
    ) -> Result<(), Fault> {
        let identity = self.identity()?;
        self.still_standing(snapshot)?;
        let mut keys = self.condition_keys()?;
        add(&mut keys);
        let resource = Named { name: "delegation", policy: delegation };
        let (caller, policies) =
            (policy_caller(identity), CallerPolicies::gather(snapshot, identity));
        let keys = policies.keys(keys, &caller, ask.owner);
        let decision = policies.decide(&caller, ask, &keys, Some(resource));
        if decision.effect() == policy::Effect::Allow {
            return Ok(());
        }
        Err(denied(identity, ask, &decision))
    }

    /// Checks the caller's credential again, against a snapshot that may be newer than the one it
    /// was verified in.
    pub fn still_standing(&self, snapshot: &Snapshot) -> Result<(), Fault> {
        let identity = self.identity()?;
        // A chain of the identity's own: the last link is the credential that signed.
        let Caller::Signed(request) = self.caller else { return Ok(()) };
        let issued = request.snapshot().version();
        let refused = |refusal| Fault::invalid_client_token().with_note(refusal);
        if let Some(session) = identity.session() {
            let claims = session.claims();
            standing::origin(snapshot, &session.access_key_id(), claims).map_err(refused)?;
        }
        for link in identity.chain(self.facts.now, issued) {
            standing::link(snapshot, &link).map_err(refused)?;
        }
        Ok(())
    }
}

/// `AccessDenied` in AWS's words, with the reason.
fn denied(identity: &Identity, ask: &Ask<'_>, decision: &Decision) -> Fault {
    Fault::not_authorized(
        &identity.arn(),
        ask.action,
        Some(ask.resource),
        denial_reason(ask.action, decision).as_deref(),
    )
}

//! The policies of a caller, gathered from the directory and the session, and what they decide.

use std::sync::LazyLock;

use crate::authn::{Identity, Maker, PrincipalEntity, SessionPolicy};
use crate::directory::document::TrustDocument;
use crate::directory::entities::Policies;
use crate::directory::organization::RootTask;
use crate::directory::{Document, Organized, Role, Snapshot, managed};
use crate::id::AccountId;
use crate::ops::organized::{self, ControlLevels};
use crate::policy::compiled::{
    self, CompiledDecision, CompiledLayer, CompiledLayers, CompiledNamed, CompiledPolicy,
};
use crate::policy::{
    self, Decision, DocumentKind, Layers, Named, Policy, Request, Trace, denial_reason, explain,
    explain_trust,
};
use crate::seal::claims::Tag;

/// What is to be done to what, where [`DecisionKeys`] say whose it is.
#[derive(Clone, Copy)]
pub struct Act<'a> {
    /// Such as `iam:CreateUser`.
    pub action: &'a str,
    /// The ARN, or `*` where the action has no resource.
    pub resource: &'a str,
}

/// A session of a role, as it is asked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The action to have the role, such as `sts:AssumeRole`.
    pub action: &'static str,
    /// Its tags: they take `sts:TagSession`.
    pub tags: &'a [Tag],
    /// Its source identity: it takes `sts:SetSourceIdentity`.
    pub source_identity: Option<&'a str>,
    /// Whether a context provider vouches for more: that takes `sts:SetContext`.
    pub contexts: bool,
}

impl Wanted<'_> {
    /// Every action that it takes.
    fn actions(&self) -> impl Iterator<Item = &'static str> {
        let more = [
            ("sts:TagSession", !self.tags.is_empty()),
            ("sts:SetSourceIdentity", self.source_identity.is_some()),
            ("sts:SetContext", self.contexts),
        ];
        let needed = more.into_iter().filter(|(_, needed)| *needed);
        std::iter::once(self.action).chain(needed.map(|(action, _)| action))
    }
}

/// A role is not to be had.
pub struct Untrusted {
    /// The action that is not allowed.
    pub action: &'static str,
    /// What was lacking, for the operator: the caller must not learn it.
    pub why: String,
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
/// [`CallerPolicies::keys`] makes these, and adds them. A decision with them is about what that
/// account owns, and no other.
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
            PrincipalEntity::User(_) | PrincipalEntity::Federated(Maker::User(_)) => {
                snapshot.user(&id).map(|user| &user.policies)
            }
            PrincipalEntity::Role(_) => snapshot.role(&id).map(|role| &role.policies),
            PrincipalEntity::Root(account) | PrincipalEntity::Federated(Maker::Root(account)) => {
                snapshot.account(account.id).map(|_| &*NO_POLICIES)
            }
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
        // The policy of a root user's task denies everything else, and grants nothing: the root
        // user's own right does.
        let task = identity.task_policy();
        if let Some(arn) = task {
            all.push(arn, task_policy(arn));
        }
        let session = identity.session().filter(|_| task.is_none()).and_then(|session| {
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
        act: Act<'_>,
        keys: &DecisionKeys,
        resource: Option<Named<'_>>,
    ) -> Decision {
        let compiled = resource.map(|named| (named.name, CompiledPolicy::new(named.policy)));
        let resource = compiled.as_ref().map(|(name, policy)| CompiledNamed { name, policy });
        self.decide_compiled(caller, act, keys, resource)
    }

    /// As [`decide`](Self::decide), the resource's policy being compiled.
    pub fn decide_compiled(
        &self,
        caller: &policy::Caller,
        act: Act<'_>,
        keys: &DecisionKeys,
        resource: Option<CompiledNamed<'_>>,
    ) -> Decision {
        let request = request(caller, act, keys);
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
        act: Act<'_>,
        keys: &DecisionKeys,
    ) -> Result<(), Decision> {
        let request = request(caller, act, keys);
        self.with_compiled(caller, keys.owner, None, |layers| {
            allowed(&compiled::decide(&request, layers))
        })
    }

    /// As [`decide`](Self::decide) without a resource's policy, and says how.
    pub fn explain(&self, caller: &policy::Caller, act: Act<'_>, keys: &DecisionKeys) -> Trace {
        let request = request(caller, act, keys);
        self.with_interpreted(caller, keys.owner, |layers| explain(&request, layers))
    }

    /// Checks that a role's trust policy, and these policies where both must agree, let the caller
    /// have the role: for each of the actions that it takes.
    ///
    /// `context` has the condition keys of the request and the caller; those of the organization are
    /// added here.
    ///
    /// # Errors
    /// The first action that is not allowed.
    pub fn check_role(
        &self,
        caller: &policy::Caller,
        role: &Role,
        wanted: Wanted<'_>,
        context: policy::Context,
    ) -> Result<(), Untrusted> {
        let keys = self.keys(context, caller, role.account);
        let resource = role.arn();
        wanted.actions().try_for_each(|action| {
            let act = Act { action, resource: &resource };
            self.check_trust(caller, act, &keys, &role.trust)
                .map_err(|why| Untrusted { action, why })
        })
    }

    /// Checks one action. Says what was lacking.
    fn check_trust(
        &self,
        caller: &policy::Caller,
        act: Act<'_>,
        keys: &DecisionKeys,
        trust: &TrustDocument,
    ) -> Result<(), String> {
        const NAME: &str = "trust policy";
        let request = request(caller, act, keys);
        let named = CompiledNamed { name: NAME, policy: trust.compiled() };
        let decided = self.with_compiled(caller, keys.owner, None, |layers| {
            allowed(&compiled::decide_trust(&request, named, layers))
        });
        let Err(decision) = decided else { return Ok(()) };
        let reason = denial_reason(act.action, &decision).unwrap_or_default();
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

fn request<'a>(caller: &'a policy::Caller, act: Act<'a>, keys: &'a DecisionKeys) -> Request<'a> {
    Request { caller, action: act.action, resource: act.resource, context: &keys.context }
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

/// Adds the policies of the groups that a user, or the maker of a federated one, is in. A group that cannot be found denies
/// everything.
fn add_groups<'s>(all: &mut Both<'s>, snapshot: &'s Snapshot, identity: &'s Identity) {
    let user = match identity.principal() {
        PrincipalEntity::User(user) | PrincipalEntity::Federated(Maker::User(user)) => {
            snapshot.user(&user.id)
        }
        PrincipalEntity::Role(_)
        | PrincipalEntity::Root(_)
        | PrincipalEntity::Federated(Maker::Root(_)) => None,
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

/// The policy of a root user's task.
///
/// INVARIANT: it is one of those alone: any other, were it one that allows, would leave the root user
/// all its rights.
fn task_policy<'s>(arn: &str) -> Forms<'s> {
    let policy = RootTask::of_policy(arn).and_then(|_| managed::find(arn));
    policy.map_or_else(Forms::missing, |policy| Forms::of(&policy.document))
}

fn managed_policy<'s>(snapshot: &'s Snapshot, account: AccountId, arn: &str) -> Forms<'s> {
    snapshot.managed_document(account, arn).map_or_else(Forms::missing, Forms::of)
}

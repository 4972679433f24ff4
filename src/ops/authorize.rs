//! May the caller do this? The caller's policies, gathered from the directory and the session.

use std::sync::Arc;

use super::context;
use super::fault::Fault;
use super::{Context, Facts, Services};
use crate::authn::{Caller, Identity, PrincipalEntity, SessionPolicy, VerifiedRequest, standing};
use crate::directory::entities::Policies;
use crate::directory::{Managed, Snapshot, Used};
use crate::id::AccountId;
use crate::policy::{
    self, Decision, DocumentKind, Effect, Layers, Named, Policy, Request, decide, decide_trust,
    denial_reason, explain_trust,
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

/// The policies of a caller, held for as long as a decision takes.
pub struct CallerPolicies {
    identity: Vec<(String, Arc<Policy>)>,
    boundary: Option<(String, Arc<Policy>)>,
    session: Option<Vec<(String, Arc<Policy>)>>,
}

impl CallerPolicies {
    /// Of somebody who has no role yet, and so no policies.
    pub fn none() -> Self {
        Self { identity: Vec::new(), boundary: None, session: None }
    }

    /// Gathers the policies of an identity as `snapshot` has them.
    ///
    /// What is attached and cannot be found denies everything.
    pub fn gather(snapshot: &Snapshot, identity: &Identity) -> Self {
        // Read anew by unique ID: the snapshot may be newer than the identity.
        let id = identity.unique_id();
        let found: Option<&Policies> = match identity.principal() {
            PrincipalEntity::User(_) => snapshot.user(&id).map(|user| &user.policies),
            PrincipalEntity::Role(_) => snapshot.role(&id).map(|role| &role.policies),
        };
        let Some(policies) = found else {
            return Self { identity: Vec::new(), boundary: None, session: Some(Vec::new()) };
        };
        let inline = policies
            .inline
            .iter()
            .map(|(name, document)| (name.clone(), Arc::clone(document.policy())));
        let account = identity.account();
        let managed = |arn: &str| (arn.to_owned(), managed_policy(snapshot, account, arn));
        let attached = policies.attached.iter().map(|arn| managed(arn));
        let of_groups = of_groups(snapshot, identity);
        let session = identity.session().and_then(|session| {
            session.policies().map(|policies| {
                policies
                    .map(|policy| match policy {
                        SessionPolicy::Inline(policy) => {
                            ("inline session policy".to_owned(), Arc::clone(policy))
                        }
                        SessionPolicy::Managed(arn) => managed(arn),
                    })
                    .collect()
            })
        });
        Self {
            identity: inline.chain(attached).chain(of_groups).collect(),
            boundary: policies.boundary.as_deref().map(managed),
            session,
        }
    }

    /// Decides with these policies and, if the resource has one, its own.
    pub fn decide(
        &self,
        caller: &policy::Caller,
        ask: &Ask<'_>,
        context: &policy::Context,
        resource: Option<Named<'_>>,
    ) -> Decision {
        self.with_layers(ask.owner, resource, |layers| {
            let request = Request { caller, action: ask.action, resource: ask.resource, context };
            decide(&request, layers)
        })
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
        context: &policy::Context,
        trust: Named<'_>,
    ) -> Result<(), String> {
        self.with_layers(ask.owner, None, |layers| {
            let request = Request { caller, action: ask.action, resource: ask.resource, context };
            let decision = decide_trust(&request, trust, layers);
            if decision.is_allowed() {
                return Ok(());
            }
            let reason = denial_reason(ask.action, &decision).unwrap_or_default();
            Err(match explain_trust(&request, trust, layers).hint() {
                Some(hint) => format!("{reason}: {hint}"),
                None => reason,
            })
        })
    }

    fn with_layers<R>(
        &self,
        resource_account: AccountId,
        resource: Option<Named<'_>>,
        use_them: impl FnOnce(&Layers<'_>) -> R,
    ) -> R {
        let identity = named(&self.identity);
        let session = self.session.as_deref().map(named);
        use_them(&Layers {
            resource_account,
            identity: &identity,
            boundary: self.boundary.as_ref().map(|(name, policy)| Named { name, policy }),
            session: session.as_deref(),
            resource,
            // Service and resource control policies come with organizations.
            service_control: &[],
            resource_control: &[],
        })
    }
}

fn named(policies: &[(String, Arc<Policy>)]) -> Vec<Named<'_>> {
    policies.iter().map(|(name, policy)| Named { name, policy }).collect()
}

/// The policies of the groups that a user is in. A group that cannot be found denies everything.
fn of_groups(snapshot: &Snapshot, identity: &Identity) -> Vec<(String, Arc<Policy>)> {
    let user = match identity.principal() {
        PrincipalEntity::User(user) => snapshot.user(&user.id),
        PrincipalEntity::Role(_) => None,
    };
    let mut policies = Vec::new();
    for id in user.iter().flat_map(|user| &user.groups) {
        let Some(group) = snapshot.group(id) else {
            policies.push((id.to_string(), deny_everything()));
            continue;
        };
        policies.extend(group.policies.inline.iter().map(|(name, document)| {
            (format!("{}/{name}", group.name), Arc::clone(document.policy()))
        }));
        policies.extend(
            group
                .policies
                .attached
                .iter()
                .map(|arn| (arn.clone(), managed_policy(snapshot, group.account, arn))),
        );
    }
    policies
}

fn managed_policy(snapshot: &Snapshot, account: AccountId, arn: &str) -> Arc<Policy> {
    let found = snapshot.managed_policy(account, arn);
    found
        .as_ref()
        .and_then(Managed::document)
        .map_or_else(deny_everything, |document| Arc::clone(document.policy()))
}

fn deny_everything() -> Arc<Policy> {
    Arc::new(Policy::deny_everything(DocumentKind::Identity))
}

/// Records the use of a long-term key, or of the role of a session.
pub fn record_use(services: &Services, request: &VerifiedRequest, facts: &Facts, service: &str) {
    let identity = request.identity();
    let used = match (identity.session(), identity.principal()) {
        (None, _) => Some(Used::Key(identity.access_key_id())),
        (Some(_), PrincipalEntity::Role(role)) => Some(Used::Role(role.id)),
        (Some(_), PrincipalEntity::User(_)) => None,
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
    }
}

/// The condition keys of a signed request.
pub fn signed_context(facts: &Facts, identity: &Identity, region: &str) -> policy::Context {
    let mut keys = context::of_request(facts);
    context::add_identity(&mut keys, identity, facts.now);
    if !region.is_empty() {
        keys.insert("aws:RequestedRegion", policy::Value::One(region.to_owned()));
    }
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
            Caller::Asserted(_) | Caller::Anonymous => Err(Fault::missing_authentication_token()),
        }
    }

    /// The condition keys that every decision about this request has.
    pub fn condition_keys(&self) -> Result<policy::Context, Fault> {
        match self.caller {
            Caller::Signed(request) => {
                Ok(signed_context(self.facts, request.identity(), request.region()))
            }
            Caller::Asserted(_) | Caller::Anonymous => Err(Fault::missing_authentication_token()),
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
        let decision = CallerPolicies::gather(snapshot, identity).decide(&caller, ask, &keys, None);
        if decision.effect() == Effect::Allow {
            return Ok(());
        }
        Err(denied(identity, &Ask { resource: shown, ..*ask }, &decision))
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

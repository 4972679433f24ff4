//! May the caller do this? The caller's policies, gathered from the directory and the session.

mod policies;

pub use policies::{Act, CallerPolicies, DecisionKeys, Untrusted, Wanted};

use super::context;
use super::denial::Denial;
use super::fault::Fault;
use super::{Context, Facts, Services};
use crate::authn::{Caller, Identity, Maker, PrincipalEntity, VerifiedRequest, standing};
use crate::directory::{Snapshot, Used};
use crate::id::AccountId;
use crate::policy::{self, Decision, Named, Policy, denial_reason};

/// What is to be done to what.
pub struct Ask<'a> {
    /// Such as `iam:CreateUser`.
    pub action: &'a str,
    /// The ARN, or `*` where the action has no resource.
    pub resource: &'a str,
    /// The account that owns the resource.
    pub owner: AccountId,
}

impl<'a> Ask<'a> {
    fn act(&self) -> Act<'a> {
        Act { action: self.action, resource: self.resource }
    }
}

/// Records the use of a long-term key, or of the role of a session.
pub fn record_use(services: &Services, request: &VerifiedRequest, facts: &Facts, service: &str) {
    let identity = request.identity();
    let used = match (identity.session(), identity.principal()) {
        (None, _) => Some(Used::Key(identity.access_key_id())),
        (Some(_), PrincipalEntity::Role(role)) => Some(Used::Role(role.id)),
        (
            Some(_),
            PrincipalEntity::User(_) | PrincipalEntity::Root(_) | PrincipalEntity::Federated(_),
        ) => None,
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
        PrincipalEntity::Federated(maker) => policy::Caller::FederatedUser {
            account: identity.account(),
            maker: match maker {
                Maker::User(user) => policy::FederationMaker::User(user.id),
                Maker::Root(_) => policy::FederationMaker::Root,
            },
            name: identity.session_name().to_owned(),
            arn: identity.arn(),
        },
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
        policies.check(&caller, ask.act(), &keys).or_else(|decision| {
            let trace = policies.explain(&caller, ask.act(), &keys);
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
        let decision = policies.decide(&caller, ask.act(), &keys, Some(resource));
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

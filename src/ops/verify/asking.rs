//! Who asks, and whether they may.

use std::sync::Arc;

use super::resource::bound_in;
use crate::authn::{Caller, PrincipalEntity, VerifiedRequest, standing};
use crate::directory::Snapshot;
use crate::downstream::{Admission, Asker, CertificateNames, Service, Shown};
use crate::ops::Facts;
use crate::ops::authorize::{Act, CallerPolicies, policy_caller, signed_context};
use crate::policy::compiled::CompiledNamed;

/// Who asks a question.
#[derive(Clone, Default)]
pub struct Asking {
    /// The question came over loopback or the Unix socket.
    pub local: bool,
    /// The names in the asker's certificate.
    pub certificate: Option<Arc<CertificateNames>>,
    /// Nobody on the way can read the answer: it goes by TLS, or stays on this host.
    pub confidential: bool,
    /// Who signed the question itself, for the service `countersign`.
    pub signed: Option<Box<VerifiedRequest>>,
}

/// An asker may not ask this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The service is not registered, and the question came over the network.
    #[error("the service is not registered, and only this host may ask about such a service")]
    NotRegistered,
    /// The asker is not one of those that the service lists.
    #[error("the service does not list who asks")]
    NotListed,
    /// Keys and changes are for those that the service lists by certificate or signature, and only if
    /// it says so.
    #[error(
        "keys and changes are given to askers that a service with signing_keys lists by certificate \
         or signature"
    )]
    NotKeeper,
    /// The answer would go over the network in plaintext.
    #[error("keys and changes are given over TLS or within this host alone")]
    Plaintext,
}

impl NotAdmitted {
    /// A word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotRegistered => "ServiceNotRegistered",
            Self::NotListed => "AskerNotListed",
            Self::NotKeeper => "KeysNotGiven",
            Self::Plaintext => "TlsRequired",
        }
    }
}

impl Asking {
    /// With the principal that signed the question; an anonymous one adds nothing.
    #[must_use]
    pub fn signed_by(mut self, caller: Caller) -> Self {
        if let Caller::Signed(signed) = caller {
            self.signed = Some(signed);
        }
        self
    }

    /// Checks that the asker may ask about a service; `None` is one that is not registered.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(
        &self,
        facts: &Facts,
        service: Option<&Service>,
    ) -> Result<Admission, NotAdmitted> {
        let Some(service) = service else {
            return self.local.then_some(Admission::Local).ok_or(NotAdmitted::NotRegistered);
        };
        let certificate = self.certificate.as_deref();
        let shown = service.admits(&Shown { local: self.local, certificate });
        if shown != Some(Admission::Registered) && self.is_principal_of(facts, service) {
            return Ok(Admission::Registered);
        }
        shown.ok_or(NotAdmitted::NotListed)
    }

    /// Checks that the asker may have signing keys of a service, and hear of changes.
    ///
    /// INVARIANT: being on this host is never enough.
    ///
    /// # Errors
    /// Why not.
    pub fn admit_keeper(&self, facts: &Facts, service: &Service) -> Result<(), NotAdmitted> {
        if self.admit(facts, Some(service))? != Admission::Registered
            || !service.gives_signing_keys()
        {
            return Err(NotAdmitted::NotKeeper);
        }
        if self.confidential { Ok(()) } else { Err(NotAdmitted::Plaintext) }
    }

    /// Whether an asker that was admitted as a keeper would still be, by the directory as it is now.
    pub fn is_still_keeper(&self, now: &Snapshot, facts: &Facts, service: &Service) -> bool {
        if !service.gives_signing_keys() || !self.confidential {
            return false;
        }
        let certificate = self.certificate.as_deref();
        let shown = service.admits(&Shown { local: self.local, certificate });
        shown == Some(Admission::Registered)
            || (self.stands(now, facts) && self.is_principal_at(now, facts, service))
    }

    /// Whether the credential that signed the question is still in force.
    fn stands(&self, now: &Snapshot, facts: &Facts) -> bool {
        let Some(signed) = &self.signed else { return false };
        let identity = signed.identity();
        if let Some(session) = identity.session() {
            let claims = session.claims();
            let origin = standing::origin(now, &session.access_key_id(), claims);
            if facts.now >= claims.expires_at || origin.is_err() {
                return false;
            }
        }
        let issued = signed.snapshot().version();
        identity.chain(facts.now, issued).iter().all(|link| standing::link(now, link).is_ok())
    }

    /// Whether the principal that signed the question is listed, and nothing denies it to ask.
    fn is_principal_of(&self, facts: &Facts, service: &Service) -> bool {
        let signed = self.signed.as_ref();
        signed.is_some_and(|signed| self.is_principal_at(signed.snapshot(), facts, service))
    }

    fn is_principal_at(&self, snapshot: &Snapshot, facts: &Facts, service: &Service) -> bool {
        let (Some(signed), Some(policy)) = (&self.signed, service.asker_policy()) else {
            return false;
        };
        let identity = signed.identity();
        // By the name that it has in this snapshot.
        let id = identity.unique_id();
        let arn = match identity.principal() {
            PrincipalEntity::User(_) => snapshot.user(&id).map(|user| user.arn()),
            PrincipalEntity::Role(_) => snapshot.role(&id).map(|role| role.arn()),
            // A list names users and roles: the root user is in none, nor is a federated user.
            PrincipalEntity::Root(_) | PrincipalEntity::Federated(_) => None,
        };
        // Of the owner's account, its own policies could grant it as well: only the list does.
        if !arn.is_some_and(|arn| service.askers().contains(&Asker::Principal(arn))) {
            return false;
        }
        let policy = bound_in(policy, snapshot);
        let resource = service.arn();
        let act = Act { action: Service::ASK, resource: &resource };
        let keys = signed_context(facts, identity);
        let named = CompiledNamed { name: "askers", policy: &policy };
        let policies = CallerPolicies::gather(snapshot, identity);
        let caller = policy_caller(identity);
        let keys = policies.keys(keys, &caller, service.account());
        policies.decide_compiled(&caller, act, &keys, Some(named)).is_allowed()
    }
}

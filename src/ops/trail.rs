//! How requests become audit records.

use crate::audit::{
    Event, EventId, IdentityType, Record, SessionContext, SessionIssuer, UserIdentity,
};
use crate::authn::{
    Caller, CertificateIdentity, Identity, Maker, PrincipalEntity, SamlIdentity, WebIdentity,
};
use crate::id;
use crate::ops::fault::Fault;
use crate::ops::{Context, Service};
use crate::random::RandomError;

/// What a record is about.
pub struct About {
    /// The service.
    pub service: Service,
    /// The operation.
    pub name: &'static str,
    /// Whether it changes nothing.
    pub read_only: bool,
}

/// The event of a request.
pub(super) fn event(context: &Context<'_>, about: &About) -> Result<Event, RandomError> {
    let region = match context.caller {
        Caller::Signed(request) => request.region().to_owned(),
        Caller::Asserted(_) | Caller::Saml(_) | Caller::Certificate(_) | Caller::Anonymous => {
            String::new()
        }
    };
    Ok(Event {
        id: EventId::generate(&*context.services.random)?,
        time: context.facts.now,
        source: about.service.event_source(),
        name: about.name.to_owned(),
        region,
        source_ip: context.facts.source_ip.map_or_else(|| "local".to_owned(), |ip| ip.to_string()),
        user_agent: context.facts.user_agent.clone(),
        request_id: context.facts.request_id,
        read_only: about.read_only,
    })
}

/// Adds what is known of the caller: its account, and every credential its session came from.
pub(super) fn with_caller(record: Record, caller: &Caller) -> Record {
    let identity = match caller {
        Caller::Signed(request) => request.identity(),
        // The role that is asked for is its account's.
        Caller::Asserted(asserted) => return record.recipient(asserted.provider().account),
        Caller::Saml(asserted) => return record.recipient(asserted.provider().account),
        Caller::Certificate(shown) => {
            let proof = shown.proof().as_str();
            let record = record.recipient(shown.anchor().account);
            return record.additional("certificateProof", proof.into());
        }
        Caller::Anonymous => return record,
    };
    let ancestors = identity.session().map_or_else(Vec::new, |session| {
        let nearest_first = session.claims().ancestors.iter().rev();
        nearest_first.map(|link| format!("{} {}", link.arn, link.access_key_id)).collect()
    });
    let record = record.recipient(identity.account()).ancestors(ancestors);
    // INVARIANT: no use of a root user goes unseen.
    if identity.is_of_root() { record.additional("rootUser", true.into()) } else { record }
}

/// Who asked, as CloudTrail tells it.
pub(super) fn user_identity(caller: &Caller) -> UserIdentity {
    match caller {
        Caller::Signed(request) => of_identity(request.identity()),
        Caller::Asserted(asserted) => of_web_identity(asserted),
        Caller::Saml(asserted) => of_saml(asserted),
        Caller::Certificate(shown) => of_certificate(shown),
        Caller::Anonymous => {
            UserIdentity { kind: IdentityType::Unknown, ..UserIdentity::default() }
        }
    }
}

/// The operator of the host, on the admin socket.
pub(super) fn host_operator() -> UserIdentity {
    UserIdentity {
        kind: IdentityType::Unknown,
        user_name: Some("host operator".to_owned()),
        ..UserIdentity::default()
    }
}

/// Source: CloudTrail User Guide, "CloudTrail userIdentity element", `WebIdentityUser`.
fn of_web_identity(asserted: &WebIdentity) -> UserIdentity {
    let provider = asserted.provider().arn();
    let subject = asserted.assertion().claims().subject();
    UserIdentity {
        kind: IdentityType::WebIdentityUser,
        principal_id: Some(format!("{provider}:{}:{subject}", asserted.audience())),
        user_name: Some(subject.to_owned()),
        identity_provider: Some(provider),
        ..UserIdentity::default()
    }
}

/// Source: CloudTrail User Guide, "CloudTrail userIdentity element", `SAMLUser`.
fn of_saml(asserted: &SamlIdentity) -> UserIdentity {
    let subject = &asserted.assertion().subject().name;
    let qualifier = asserted.name_qualifier();
    UserIdentity {
        kind: IdentityType::SamlUser,
        principal_id: Some(format!("{qualifier}:{subject}")),
        user_name: Some(subject.clone()),
        identity_provider: Some(qualifier.to_owned()),
        ..UserIdentity::default()
    }
}

/// Whom a certificate is about. CloudTrail has no kind of its own for it.
fn of_certificate(shown: &CertificateIdentity) -> UserIdentity {
    let leaf = shown.leaf();
    UserIdentity {
        kind: IdentityType::Unknown,
        principal_id: Some(leaf.serial_hex()),
        user_name: Some(leaf.subject().to_string()),
        account_id: Some(shown.anchor().account.to_string()),
        identity_provider: Some(format!("trust-anchor/{}", id::uuid(&shown.anchor().id.0))),
        ..UserIdentity::default()
    }
}

fn of_identity(identity: &Identity) -> UserIdentity {
    let (kind, issuer_kind, name) = match identity.principal() {
        PrincipalEntity::User(user) => {
            (IdentityType::IamUser, IdentityType::IamUser, Some(user.name.clone()))
        }
        PrincipalEntity::Role(role) => {
            (IdentityType::AssumedRole, IdentityType::Role, Some(role.name.clone()))
        }
        PrincipalEntity::Root(_) => (IdentityType::Root, IdentityType::Root, None),
        PrincipalEntity::Federated(Maker::User(user)) => {
            (IdentityType::FederatedUser, IdentityType::IamUser, Some(user.name.clone()))
        }
        PrincipalEntity::Federated(Maker::Root(_)) => {
            (IdentityType::FederatedUser, IdentityType::Root, None)
        }
    };
    let session_context = identity.session().map(|session| {
        let claims = session.claims();
        let issuer = SessionIssuer {
            kind: issuer_kind,
            principal_id: identity.unique_id().to_string(),
            arn: identity.issuer_arn(),
            account_id: identity.account().to_string(),
            user_name: name.clone(),
        };
        SessionContext::new(
            claims.issued_at,
            claims.mfa_at.is_some(),
            Some(issuer),
            claims.source_identity.clone(),
        )
        .federated(claims.federated.as_ref().map(|it| it.arn.clone()))
        .assumed_root(identity.task_policy().is_some())
    });
    UserIdentity {
        kind,
        principal_id: Some(identity.user_id()),
        arn: Some(identity.arn()),
        account_id: Some(identity.account().to_string()),
        access_key_id: Some(identity.access_key_id().to_string()),
        user_name: name.filter(|_| matches!(identity.principal(), PrincipalEntity::User(_))),
        session_context,
        ..UserIdentity::default()
    }
}

/// Adds the error that was answered, and the reason that only the operator may know.
pub(super) fn with_fault(record: Record, fault: &Fault) -> Record {
    let record = record.error(fault.code().as_str(), fault.message());
    match fault.note() {
        Some(note) => record.additional("reason", note.into()),
        None => record,
    }
}

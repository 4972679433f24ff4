//! Who may call what with which kind of credentials.
//!
//! # Model
//!
//! Some credentials are shut out of some operations, whatever policies say: a session must not be a way
//! to longer or wider credentials. `RULES` is the whole of it, in one table; every signed request of
//! every service is held against it before its parameters are looked at, and before any policy is
//! asked. What the table does not speak of is left to policies.
//!
//! Source: IAM User Guide, "Compare AWS STS credentials"; AWS STS API reference, GetSessionToken,
//! GetFederationToken, AssumeRole, AssumeRoot.

use super::Service;
use super::fault::Fault;
use crate::authn::{Identity, PrincipalEntity};

/// The kinds of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A root user's long-term key.
    RootKey,
    /// A root user's session of GetSessionToken.
    RootSession,
    /// A root user's session of AssumeRoot.
    RootTask,
    /// A user's long-term key.
    UserKey,
    /// A user's session of GetSessionToken.
    UserSession,
    /// The same, made with a second factor.
    UserSessionWithMfa,
    /// A role's session, whoever it was given to.
    RoleSession,
    /// A session of GetFederationToken.
    FederatedUser,
}

impl Kind {
    /// Of verified credentials.
    pub fn of(identity: &Identity) -> Self {
        match (identity.principal(), identity.session()) {
            (PrincipalEntity::Root(_), None) => Self::RootKey,
            (PrincipalEntity::Root(_), Some(_)) if identity.task_policy().is_some() => {
                Self::RootTask
            }
            (PrincipalEntity::Root(_), Some(_)) => Self::RootSession,
            (PrincipalEntity::User(_), None) => Self::UserKey,
            (PrincipalEntity::User(_), Some(session)) if session.claims().mfa_at.is_some() => {
                Self::UserSessionWithMfa
            }
            (PrincipalEntity::User(_), Some(_)) => Self::UserSession,
            (PrincipalEntity::Role(_), _) => Self::RoleSession,
            (PrincipalEntity::Federated(_), _) => Self::FederatedUser,
        }
    }
}

/// Some of a service's actions.
#[derive(Clone, Copy)]
enum Actions {
    All,
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

impl Actions {
    fn contain(self, action: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(these) => these.contains(&action),
            Self::AllBut(these) => !these.contains(&action),
        }
    }
}

/// What is answered, in AWS's words.
#[derive(Clone, Copy)]
enum Answer {
    /// `InvalidClientTokenId`
    InvalidToken,
    /// `AccessDenied`: session credentials cannot call it.
    SessionCredentials,
    /// `AccessDenied`: a root user assumes no roles.
    NoRolesForRoot,
    /// `AccessDenied`: a root user's credentials cannot call it.
    RootCredentials,
}

/// What some credentials cannot call.
struct Rule {
    kinds: &'static [Kind],
    service: Service,
    actions: Actions,
    answer: Answer,
    /// Where AWS says so.
    source: &'static str,
}

/// The rules; the first that is about a request answers it.
const RULES: &[Rule] = &[
    Rule {
        kinds: &[Kind::UserSession, Kind::RootSession],
        service: Service::Iam,
        actions: Actions::All,
        answer: Answer::InvalidToken,
        source: "AWS STS API reference, GetSessionToken: no IAM without MFA",
    },
    Rule {
        kinds: &[Kind::FederatedUser],
        service: Service::Iam,
        actions: Actions::All,
        answer: Answer::InvalidToken,
        source: "AWS STS API reference, GetFederationToken: no IAM",
    },
    Rule {
        kinds: &[Kind::FederatedUser],
        service: Service::Sts,
        actions: Actions::AllBut(&["GetCallerIdentity"]),
        answer: Answer::SessionCredentials,
        source: "AWS STS API reference, GetFederationToken: of STS, GetCallerIdentity alone",
    },
    Rule {
        kinds: &[Kind::RootKey, Kind::RootSession, Kind::RootTask],
        service: Service::Sts,
        actions: Actions::Only(&["AssumeRole"]),
        answer: Answer::NoRolesForRoot,
        source: "AWS STS API reference, AssumeRole: not with root user credentials",
    },
    Rule {
        kinds: &[Kind::RootKey],
        service: Service::Sts,
        actions: Actions::Only(&["AssumeRoot"]),
        answer: Answer::RootCredentials,
        source: "AWS STS API reference, AssumeRoot: not with root user credentials",
    },
    Rule {
        kinds: &[Kind::UserSession, Kind::UserSessionWithMfa, Kind::RootSession],
        service: Service::Sts,
        actions: Actions::AllBut(&["AssumeRole", "GetCallerIdentity"]),
        answer: Answer::SessionCredentials,
        source: "AWS STS API reference, GetSessionToken: of STS, AssumeRole and GetCallerIdentity",
    },
    Rule {
        kinds: &[Kind::RootTask],
        service: Service::Sts,
        actions: Actions::AllBut(&["GetCallerIdentity"]),
        answer: Answer::SessionCredentials,
        source: "IAM User Guide, AWS managed policies for IAM: a task's policy denies all else",
    },
    Rule {
        kinds: &[Kind::RoleSession],
        service: Service::Sts,
        actions: Actions::Only(&["GetFederationToken", "GetSessionToken"]),
        answer: Answer::SessionCredentials,
        source: "IAM User Guide, Compare AWS STS credentials",
    },
];

/// Lets an operation go on to policies, unless credentials of this kind cannot call it.
///
/// # Errors
/// `AccessDenied` or `InvalidClientTokenId`, as AWS has it; the note says where AWS says so.
pub fn check(identity: &Identity, service: Service, action: &str) -> Result<(), Fault> {
    let kind = Kind::of(identity);
    let rule = RULES.iter().find(|rule| {
        rule.service == service && rule.kinds.contains(&kind) && rule.actions.contain(action)
    });
    let Some(rule) = rule else { return Ok(()) };
    let fault = match rule.answer {
        Answer::InvalidToken => Fault::invalid_client_token(),
        Answer::SessionCredentials => {
            Fault::access_denied(format!("Cannot call {action} with session credentials"))
        }
        Answer::NoRolesForRoot => {
            Fault::access_denied("Roles may not be assumed by root accounts.")
        }
        Answer::RootCredentials => {
            Fault::access_denied(format!("Cannot call {action} with root user credentials"))
        }
    };
    Err(fault.with_note(rule.source))
}

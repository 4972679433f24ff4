//! The types of the broker's own `/v1` interfaces, as JSON.
//!
//! Times are RFC 3339 in UTC. Unknown fields in a question are refused: a field that was misspelt
//! and ignored could turn a narrow question into a wide one. Readers of answers should ignore
//! fields they do not know.

mod apply;
mod inside;
mod json;
mod manage;
mod organization;
mod verify;

pub use apply::{
    ApplyRequest, DirectoryFile, GroupFile, InstanceProfileFile, OidcProviderFile,
    PasswordPolicyFile, Plan, PlanChange, PlanProblem, PlanStep, PolicyFile, PolicyText, RoleFile,
    SamlProviderFile, UserFile,
};
pub use inside::{
    FeedHead, FeedLine, Material, MaterialCaller, MaterialPolicies, MaterialPolicy, Position,
    VerifyGrant,
};
pub use json::{StrictError, strict};
pub use manage::{
    AccountView, Accounts, ChangeKey, ChangedKey, ConfirmKeys, ConfirmedKeys, CreateAccount,
    CreateKey, CreateRevocation, CreatedAccount, CreatedKey, KeyFate, KeyView, Keys, ListKeys,
    ListSessions, RestoredView, RevocationTarget, RevocationView, SessionCount, SessionView,
    Sessions,
};
pub use organization::{ControlPolicyFile, OrganizationFile, PlacedAccountFile, UnitFile};
pub use verify::{
    Ancestor, BatchAnswer, BodyState, Decision, Header, Keep, MAX_BATCH, Match, OneOrMany,
    Principal, PrincipalType, Reason, VerifyBatchRequest, VerifyBatchResponse, VerifyRequest,
    VerifyResponse,
};

use serde::{Deserialize, Serialize};

/// An answer that is not the one asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// What went wrong.
    pub error: ErrorBody,
    /// The request's ID, as in the logs and the audit records.
    pub request_id: String,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A word for programs, such as `InvalidRequest`.
    pub code: String,
    /// A sentence for people, which says which field and why.
    pub message: String,
}

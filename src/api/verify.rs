//! `POST /v1/verify`: who signed this request, is the signature good, may they do this?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A header of the request in question: name and value.
///
/// The value is the bytes on the wire as text; bytes above 127 are read as Latin-1.
pub type Header = (String, String);

/// A question about somebody else's request.
///
/// Of a service that is registered with the broker, hosts, region, owner and mapping are known: what
/// the question says of them must agree, and may be left out.
///
/// `action`, `resource` and `resource_account` belong together: with them the answer's decision is
/// `allow` or `deny`; without them it is about identity alone and never says `allow`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// The method as it came, such as `GET`.
    pub method: String,
    /// Path and query exactly as they stood on the request line, undecoded.
    pub uri: String,
    /// Every header that arrived, in order, repeated ones repeated.
    pub headers: Vec<Header>,
    /// The body, base64 with padding. Not together with `body_sha256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// SHA-256 of the body, 64 lower-case hexadecimal digits, computed by the asker over the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<String>,
    /// The service's name in the credential scope.
    pub service: String,
    /// The hosts that the service answers to: the request's `host` must be one of them. Those of a
    /// registered service are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// The region that the scope must name; any, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The action, such as `orders:GetOrder`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The ARN of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The account that owns the resource, 12 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<String>,
    /// The resource's own policy, as JSON text. A caller from another account needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_policy: Option<String>,
    /// The address that the request came from: `aws:SourceIp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// Whether the request came over TLS: `aws:SecureTransport`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secure_transport: Option<bool>,
    /// Condition keys that the service vouches for. Keys under `aws:`, `sts:` and `saml:` are
    /// refused, but for `aws:ResourceTag/…`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, OneOrMany>,
    /// Set, the answer to a request whose signature is good carries what it takes to verify the next
    /// ones without asking: for the registered askers of a service with `signing_keys` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
}

/// What a verifier wants to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// The prefixes of the actions that it will decide about, such as `orders`: 1 to
    /// [`Keep::MAX_PREFIXES`].
    pub prefixes: Vec<String>,
}

impl Keep {
    /// The most prefixes.
    pub const MAX_PREFIXES: usize = 16;
}

/// One text or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// A single-valued key.
    One(String),
    /// A multivalued key.
    Many(Vec<String>),
}

/// The answer, with status 200 whenever there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyResponse {
    /// Whether the signature is good and its credentials are in force.
    pub authenticated: bool,
    /// What to do with the request.
    pub decision: Decision,
    /// Who signed; absent when not authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// When the credentials end; absent for long-term keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether the body is the one that was signed; absent when not authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyState>,
    /// The SHA-256 of the signed body in lower-case hexadecimal digits, for a registered service that
    /// compares it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<String>,
    /// Why.
    pub reason: Reason,
    /// The statements that decided.
    #[serde(default)]
    pub matched: Vec<Match>,
    /// The question's own ID, as in the logs.
    pub request_id: String,
}

/// Several questions: `POST /v1/verify/batch`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyBatchRequest {
    /// At least one, and at most [`MAX_BATCH`].
    pub questions: Vec<VerifyRequest>,
}

/// The most questions of a batch.
pub const MAX_BATCH: usize = 100;

/// Their answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyBatchResponse {
    /// One for each question, in their order.
    pub answers: Vec<BatchAnswer>,
}

/// What a question of a batch is answered with: what it would be answered with alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BatchAnswer {
    /// An answer.
    Answer(Box<VerifyResponse>),
    /// The question cannot be answered.
    Error(super::ErrorResponse),
}

/// What to do with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Signed well, and a policy allows it.
    Allow,
    /// Refuse it.
    Deny,
    /// Signed well; whether it is allowed was not asked.
    NotAsked,
}

/// Whether the body is the one that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyState {
    /// The signature covers these bytes.
    Verified,
    /// The signature does not cover the body, or the bytes were not shown.
    Unverified,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The user's ARN, or `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
    pub arn: String,
    /// The account, 12 digits.
    pub account: String,
    /// `AIDA…`, or `AROA…:<session name>`.
    pub user_id: String,
    /// What kind of principal.
    #[serde(rename = "type")]
    pub kind: PrincipalType,
    /// The access key that signed.
    pub access_key_id: String,
    /// The role session's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// The source identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// Of a root user's session that AssumeRoot gave: the ARN of the policy of the one task that it is
    /// for. Absent for everybody else, also for a root user with all its rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_policy: Option<String>,
    /// The principal's tags, session tags over the entity's own.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// When the session was made; absent for long-term keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<String>,
    /// The credentials that the session came from, the first of the chain in front.
    #[serde(default)]
    pub ancestors: Vec<Ancestor>,
}

/// The kinds of principals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrincipalType {
    /// A user.
    User,
    /// A session of a role.
    AssumedRole,
    /// The root user of an account.
    Account,
    /// A federated user.
    FederatedUser,
}

/// A credential that a session came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ancestor {
    /// The role's or user's ARN.
    pub arn: String,
    /// The access key that was used.
    pub access_key_id: String,
    /// When that credential was made, or, for a long-term key, used.
    pub issued_at: String,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// A statement that took part in the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The layer, such as `identity` or `resource`.
    pub layer: String,
    /// The policy's ARN or name.
    pub policy: String,
    /// The statement's place in the policy, from 0.
    pub statement: usize,
    /// Its Sid, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

//! The IAM policy language: a strict parser, a reference interpreter, and the combination of a
//! request's policies into one decision.
//!
//! # Model
//!
//! A [`Policy`] is parsed once, when it is written, into typed and immutable form. A decision
//! takes a [`Request`] (who, which action, which resource, which condition keys) and the
//! [`Layers`] of policies that apply to it, and answers with a [`Decision`]: allowed, explicitly
//! denied, or implicitly denied, with the layer and the statements that made it so.
//!
//! - [`decide()`] answers ordinary requests, within one account and across two.
//! - [`decide_trust`] answers whether a role's trust policy lets the caller have the role.
//!
//! ```
//! use countersign::id::{AccountId, UniqueId};
//! use countersign::policy::{
//!     Caller, Context, DocumentKind, Layers, Named, Policy, Request, decide,
//! };
//!
//! let text = r#"{"Version": "2012-10-17", "Statement": {
//!     "Sid": "OwnFolder", "Effect": "Allow", "Action": "s3:*",
//!     "Resource": "arn:aws:s3:::bucket/${aws:username}/*"
//! }}"#;
//! let policy = Policy::parse(text, DocumentKind::Identity)?;
//!
//! let account = AccountId::parse("111111111111")?;
//! let caller = Caller::User {
//!     account,
//!     id: UniqueId::parse("AIDAALICE000000000001")?,
//!     arn: "arn:aws:iam::111111111111:user/alice".into(),
//! };
//! let context = Context::new().with("aws:username", "alice");
//! let layers = Layers {
//!     resource_account: account,
//!     identity: &[Named { name: "own-folder", policy: &policy }],
//!     boundary: None,
//!     session: None,
//!     resource: None,
//!     service_control: &[],
//!     resource_control: &[],
//! };
//! let ask = |resource| {
//!     let request =
//!         Request { caller: &caller, action: "s3:GetObject", resource, context: &context };
//!     decide(&request, &layers)
//! };
//! let decision = ask("arn:aws:s3:::bucket/alice/report.txt");
//! assert!(decision.is_allowed());
//! assert_eq!(decision.matched()[0].sid.as_deref(), Some("OwnFolder"));
//! assert!(!ask("arn:aws:s3:::bucket/bob/report.txt").is_allowed());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Trust boundary
//!
//! Policy documents come from tenants and, as session policies, from callers: their text is
//! hostile. The parser bounds size and depth and refuses whatever it does not understand; the
//! interpreter's work is bounded by the size of the document times the size of the values.
//! Context values may hold any text: what a variable puts into a pattern is literal. The
//! [`Caller`], the account that owns the resource, and the choice of policies are trusted: they
//! come from the verification pipeline and the directory.
//!
//! # Fail closed
//!
//! - INVARIANT: not denied is not allowed. A [`Decision`] that allows names the statements that
//!   granted it; there is no other way to build one.
//! - INVARIANT: identity is by unique ID. A user's or role's ARN in a `Principal` grants only to
//!   the unique ID it was bound to ([`Policy::bind`]).
//! - What cannot be decided (a condition key whose value is not of the operator's type, a
//!   multivalued key under a plain operator) never lets an `Allow` apply and always lets a `Deny`
//!   apply.
//!
//! # Sources
//!
//! IAM User Guide: "Grammar of the IAM JSON policy language", "IAM JSON policy elements"
//! (Principal, NotPrincipal, Resource, Condition), "Condition operators", "Single-valued vs.
//! multivalued context keys", "Variables and tags", "Policy evaluation logic", "Cross-account
//! policy evaluation logic", "Permissions boundaries", "Session policies".

mod ast;
mod bound;
mod caller;
pub mod compiled;
mod condition;
mod context;
mod decide;
mod evaluate;
mod explain;
mod federation;
mod fold;
mod hash;
mod hint;
mod limits;
pub mod lint;
mod message;
mod parse;
mod principal;
mod resource;
mod select;
pub mod simulate;
mod truth;
mod variables;
mod wildcard;

#[cfg(test)]
mod tests;

pub use ast::{DocumentKind, Policy, Version};
#[doc(hidden)]
pub use bound::BoundPolicy;
pub use caller::{Caller, FederationMaker};
#[cfg(feature = "server")]
pub(crate) use condition::{Decimal, Instant, parse_binary, parse_bool, parse_network};
pub use context::{Context, Value};
pub use decide::{Decision, Effect, Layer, Layers, Matched, Named, Request, decide, decide_trust};
pub use explain::{Element, ElementTrace, StatementTrace, Trace, explain, explain_trust};
pub use federation::{FederatedAllow, Lack, SHARED_ISSUERS};
pub(crate) use fold::fold;
pub use limits::{
    HARD_CAP_BYTES, INLINE_GROUP_CHARS, INLINE_ROLE_CHARS, INLINE_USER_CHARS, MANAGED_CHARS,
    MAX_DEPTH, SESSION_CHARS, TRUST_CHARS, TRUST_CHARS_MAX, count_without_whitespace,
};
pub use message::{access_denied, access_denied_because, denial_reason};
pub use parse::{JsonProblem, ParseError, Reason};
pub use principal::Unresolved;
pub use select::select;
pub use truth::Truth;
pub use variables::VariableProblem;

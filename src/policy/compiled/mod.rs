//! The engine that decides: policies compiled once, when they are written, into an index.
//!
//! # Model
//!
//! A [`CompiledPolicy`] is made from a [`Policy`], after its principals are bound. A
//! [`CompiledSet`] is many policies of one layer in one index, so that a caller with a thousand
//! policies is decided about as fast as one with ten. [`decide()`] and [`decide_trust`] answer like
//! their namesakes of the [interpreter](super), always with the same effect and layer; they name
//! the first statements that made it so, where the interpreter names all.
//!
//! - Statements are found by the action's hash, by its service's hash and the patterns of that
//!   service; below that, by how their resources begin. What is about every action, or all but
//!   some, stands beside.
//! - Denies are looked at before allows, and the first of them ends the decision.
//! - Operands are numbers, dates, networks and cut ARNs already; condition keys are hashed already,
//!   and [`Context`] holds the request's keys by the same hash.
//! - A decision allocates nothing, takes no lock and calls nothing that waits. Its work is bounded
//!   by the sizes of the policies and of the request's values.
//!
//! [`Context`]: super::Context
//!
//! # Fail closed
//!
//! - INVARIANT: the interpreter is the meaning. Tests hold the two against each other.
//! - INVARIANT: not denied is not allowed. A [`CompiledDecision`] that allows holds a statement
//!   that granted.
//!
//! ```
//! use countersign::id::AccountId;
//! use countersign::policy::compiled::{
//!     CompiledLayer, CompiledLayers, CompiledNamed, CompiledPolicy, decide,
//! };
//! use countersign::policy::{Caller, Context, DocumentKind, Policy, Request};
//!
//! let text = r#"{"Version": "2012-10-17", "Statement": {
//!     "Effect": "Allow", "Principal": "*", "Action": "s3:Get*",
//!     "Resource": "arn:aws:s3:::public/*"
//! }}"#;
//! let policy = CompiledPolicy::new(&Policy::parse(text, DocumentKind::Resource)?);
//! let layers = CompiledLayers {
//!     resource_account: AccountId::parse("111111111111")?,
//!     identity: CompiledLayer::List(&[]),
//!     boundary: None,
//!     session: None,
//!     resource: Some(CompiledNamed { name: "bucket policy", policy: &policy }),
//!     service_control: &[],
//!     resource_control: &[],
//! };
//! let request = Request {
//!     caller: &Caller::Anonymous,
//!     action: "s3:GetObject",
//!     resource: "arn:aws:s3:::public/logo.png",
//!     context: &Context::new(),
//! };
//! assert!(decide(&request, &layers).is_allowed());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod condition;
mod decide;
mod glob;
mod index;
mod masks;
mod resource;
mod statement;
mod work;

#[cfg(test)]
mod tests;

pub use decide::{
    CompiledDecision, CompiledLayer, CompiledLayers, CompiledNamed, StatementRef, decide,
    decide_trust,
};

use super::ast::{DocumentKind, Policy};
use super::decide::Named;
use index::Index;

/// A policy, compiled.
#[derive(Debug)]
pub struct CompiledPolicy {
    kind: DocumentKind,
    core: Core,
}

/// Policies of one layer, compiled together, with their names.
#[derive(Debug)]
pub struct CompiledSet {
    names: Box<[Box<str>]>,
    core: Core,
}

#[derive(Debug)]
struct Core {
    index: Index,
}

impl CompiledPolicy {
    /// Compiles a policy. Its principals must have been bound before.
    pub fn new(policy: &Policy) -> Self {
        let index = Index::new(std::iter::once(policy));
        Self { kind: policy.kind(), core: Core { index } }
    }

    /// What the document is attached to.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// How many statements it has.
    pub fn statements(&self) -> usize {
        self.core.index.statements()
    }
}

impl CompiledSet {
    /// Compiles policies together. Their principals must have been bound before.
    pub fn new(policies: &[Named<'_>]) -> Self {
        let index = Index::new(policies.iter().map(|named| named.policy));
        let names = policies.iter().map(|named| named.name.into()).collect();
        Self { names, core: Core { index } }
    }

    /// How many policies there are in it.
    pub fn policies(&self) -> usize {
        self.names.len()
    }

    /// How many statements they have.
    pub fn statements(&self) -> usize {
        self.core.index.statements()
    }
}

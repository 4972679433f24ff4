//! Refusals in AWS's words.
//!
//! Source: IAM User Guide, "Troubleshoot access denied error messages".

use std::fmt;

use super::caller::Caller;
use super::decide::{Decision, Effect, Layer, Matched, Request};
use crate::arn;

/// What the caller reads when a request is refused, without the reason.
///
/// For operations whose refusal must not tell what exists: a role that is missing, that is of
/// another account, and that does not trust the caller are refused in the same words.
///
/// ```text
/// User: arn:aws:iam::111111111111:user/a is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k
/// ```
pub fn access_denied(request: &Request<'_>) -> String {
    let Request { caller, action, resource, .. } = request;
    let user = match caller {
        Caller::Root { account } => arn::account_root(*account),
        Caller::User { arn, .. } | Caller::FederatedUser { arn, .. } => arn.clone(),
        Caller::RoleSession { session_arn, .. } => session_arn.clone(),
        Caller::Service { name } => name.clone(),
        Caller::Anonymous => "anonymous".to_owned(),
        Caller::WebIdentity { .. } | Caller::Saml { .. } => {
            return format!("Not authorized to perform {action}");
        }
    };
    let mut message = format!("User: {user} is not authorized to perform: {action}");
    if *resource != "*" {
        message.push_str(" on resource: ");
        message.push_str(resource);
    }
    message
}

/// What the caller reads when a request is refused, with the kind of policy that refused it:
/// [`access_denied`] and `because no identity-based policy allows the s3:GetObject action`, or
/// `with an explicit deny in an identity-based policy`. For an allowed one, `None`.
pub fn access_denied_because(request: &Request<'_>, decision: &Decision) -> Option<String> {
    let reason = denial_reason(request.action, decision)?;
    Some(format!("{} {reason}", access_denied(request)))
}

/// The reason alone: `because no identity-based policy allows the s3:GetObject action`, or `with an
/// explicit deny in an identity-based policy`. For an allowed one, `None`.
pub fn denial_reason(action: &str, decision: &Decision) -> Option<String> {
    let (article, kind) = kind(decision.layer());
    match decision.effect() {
        Effect::Allow => None,
        Effect::ImplicitDeny => Some(format!("because no {kind} allows the {action} action")),
        Effect::ExplicitDeny => Some(format!("with an explicit deny in {article} {kind}")),
    }
}

/// AWS's name of a layer, and its article.
fn kind(layer: Layer) -> (&'static str, &'static str) {
    match layer {
        Layer::Root | Layer::Identity => ("an", "identity-based policy"),
        Layer::Boundary => ("a", "permissions boundary"),
        Layer::Session => ("a", "session policy"),
        Layer::Resource => ("a", "resource-based policy"),
        Layer::Trust => ("the", "role trust policy"),
        Layer::ServiceControl => ("a", "service control policy"),
        Layer::ResourceControl => ("a", "resource control policy"),
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root user"),
            layer => f.write_str(kind(*layer).1),
        }
    }
}

impl fmt::Display for Matched {
    /// For the operator: `identity-based policy NAME, statement 0 (SID)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.layer == Layer::Root {
            return write!(f, "{} {}", self.layer, self.policy);
        }
        write!(f, "{} {}, statement {}", self.layer, self.policy, self.statement)?;
        match &self.sid {
            Some(sid) if !sid.is_empty() => write!(f, " ({sid})"),
            _ => Ok(()),
        }
    }
}

//! A small world: one account, its user, role and resource, and another account.

use crate::id::{AccountId, UniqueId};
use crate::policy::{
    Caller, Context, Decision, DocumentKind, FederationMaker, Layers, Named, Policy, Request,
    Trace, decide, decide_trust, explain, explain_trust,
};

pub(crate) const USER_ARN: &str = "arn:aws:iam::111111111111:user/team/alice";
pub(crate) const ROLE_ARN: &str = "arn:aws:iam::111111111111:role/app/reader";
pub(crate) const SESSION_ARN: &str = "arn:aws:sts::111111111111:assumed-role/reader/job-7";
pub(crate) const FEDERATED_ARN: &str = "arn:aws:sts::111111111111:federated-user/bob";
pub(crate) const OIDC_ARN: &str = "arn:aws:iam::111111111111:oidc-provider/idp.example.com";
pub(crate) const ACTION: &str = "s3:GetObject";
pub(crate) const RESOURCE: &str = "arn:aws:s3:::bucket/team/report.txt";
/// The role that trust policies are about.
pub(crate) const TARGET_ROLE: &str = "arn:aws:iam::111111111111:role/target";

pub(crate) fn account() -> AccountId {
    AccountId::parse("111111111111").unwrap()
}

pub(crate) fn other_account() -> AccountId {
    AccountId::parse("222222222222").unwrap()
}

pub(crate) fn user_id() -> UniqueId {
    UniqueId::parse("AIDAALICE000000000001").unwrap()
}

pub(crate) fn role_id() -> UniqueId {
    UniqueId::parse("AROAREADER00000000001").unwrap()
}

pub(crate) fn root() -> Caller {
    Caller::Root { account: account() }
}

pub(crate) fn user() -> Caller {
    Caller::User { account: account(), id: user_id(), arn: USER_ARN.into() }
}

pub(crate) fn session() -> Caller {
    Caller::RoleSession {
        account: account(),
        role_id: role_id(),
        role_arn: ROLE_ARN.into(),
        session_name: "job-7".into(),
        session_arn: SESSION_ARN.into(),
    }
}

pub(crate) fn federated() -> Caller {
    Caller::FederatedUser {
        account: account(),
        maker: FederationMaker::User(user_id()),
        name: "bob".into(),
        arn: FEDERATED_ARN.into(),
    }
}

pub(crate) fn web_identity() -> Caller {
    Caller::WebIdentity { provider: OIDC_ARN.into() }
}

/// What the directory would answer when a policy is bound.
pub(crate) fn directory(arn: &str) -> Option<UniqueId> {
    match arn {
        USER_ARN => Some(user_id()),
        ROLE_ARN | SESSION_ARN => Some(role_id()),
        _ => None,
    }
}

/// A document of version 2012-10-17 with these statements, parsed and bound.
pub(crate) fn policy(kind: DocumentKind, statements: &str) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let mut policy = Policy::parse(&text, kind).unwrap_or_else(|e| panic!("{e}: {text}"));
    policy.bind_known(&mut directory);
    policy
}

pub(crate) fn identity(statements: &str) -> Policy {
    policy(DocumentKind::Identity, statements)
}

/// An identity statement about the fixture's action and resource, with these further elements.
pub(crate) fn about(effect: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect":"{effect}","Action":"{ACTION}","Resource":"{RESOURCE}","Condition":{condition}}}"#
    )
}

/// A resource statement with this principal.
pub(crate) fn names(effect: &str, principal: &str, condition: &str) -> Policy {
    policy(
        DocumentKind::Resource,
        &format!(
            r#"{{"Effect":"{effect}","Principal":{principal},"Action":"{ACTION}","Resource":"{RESOURCE}","Condition":{condition}}}"#
        ),
    )
}

/// A trust statement with this principal.
pub(crate) fn trusts(effect: &str, principal: &str) -> Policy {
    policy(
        DocumentKind::Trust,
        &format!(r#"{{"Effect":"{effect}","Principal":{principal},"Action":"sts:*"}}"#),
    )
}

/// Policies by layer, for one request.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) identity: Vec<Policy>,
    pub(crate) boundary: Option<Policy>,
    pub(crate) session: Option<Vec<Policy>>,
    pub(crate) resource: Option<Policy>,
    pub(crate) trust: Option<Policy>,
    pub(crate) service_control: Vec<Vec<Policy>>,
    pub(crate) resource_control: Vec<Vec<Policy>>,
    pub(crate) elsewhere: bool,
    pub(crate) context: Context,
}

impl World {
    pub(crate) fn decide(&self, caller: &Caller) -> Decision {
        self.ask(caller, ACTION, RESOURCE)
    }

    pub(crate) fn ask(&self, caller: &Caller, action: &str, resource: &str) -> Decision {
        let request = Request { caller, action, resource, context: &self.context };
        self.with_layers(|layers| decide(&request, layers))
    }

    pub(crate) fn assume(&self, caller: &Caller, action: &str) -> Decision {
        let request = Request { caller, action, resource: TARGET_ROLE, context: &self.context };
        let trust = Named { name: "trust", policy: self.trust.as_ref().unwrap() };
        self.with_layers(|layers| decide_trust(&request, trust, layers))
    }

    /// The trace of a decision: of the trust policy for `sts:AssumeRole`, else of the resource's.
    pub(crate) fn explain(&self, caller: &Caller, action: &str) -> Trace {
        let resource = if action == "sts:AssumeRole" { TARGET_ROLE } else { RESOURCE };
        let request = Request { caller, action, resource, context: &self.context };
        self.with_layers(|layers| match &self.trust {
            Some(policy) if action == "sts:AssumeRole" => {
                explain_trust(&request, Named { name: "trust", policy }, layers)
            }
            _ => explain(&request, layers),
        })
    }

    fn with_layers<T>(&self, ask: impl FnOnce(&Layers<'_>) -> T) -> T {
        let identity = named("identity", &self.identity);
        let session = self.session.as_ref().map(|list| named("session", list));
        let service_control: Vec<_> =
            self.service_control.iter().map(|l| named("scp", l)).collect();
        let resource_control: Vec<_> =
            self.resource_control.iter().map(|l| named("rcp", l)).collect();
        let service_control: Vec<&[Named<'_>]> =
            service_control.iter().map(Vec::as_slice).collect();
        let resource_control: Vec<&[Named<'_>]> =
            resource_control.iter().map(Vec::as_slice).collect();
        ask(&Layers {
            resource_account: if self.elsewhere { other_account() } else { account() },
            identity: &identity,
            boundary: self.boundary.as_ref().map(|policy| Named { name: "boundary", policy }),
            session: session.as_deref(),
            resource: self.resource.as_ref().map(|policy| Named { name: "resource", policy }),
            service_control: &service_control,
            resource_control: &resource_control,
        })
    }
}

fn named<'a>(name: &'a str, policies: &'a [Policy]) -> Vec<Named<'a>> {
    policies.iter().map(|policy| Named { name, policy }).collect()
}

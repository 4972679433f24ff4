//! Answers in the making.

use crate::api::{
    Ancestor, BodyState, Decision as Verdict, Match, Principal, PrincipalType, Reason,
    VerifyResponse,
};
use crate::authn::{AuthnError, Identity, PrincipalEntity, Refusal, VerifiedRequest};
use crate::id::RequestId;
use crate::ops::authorize::Act;
use crate::ops::context;
use crate::policy::{Decision, Effect, Layer};
use crate::sigv4::SigError;

/// The code of every refusal of a body that the signature does not vouch for.
pub(super) const BODY: &str = "BodyUnverified";

/// Said of a request that can be verified with its body only.
const NO_HASH: &str = "The request signs no x-amz-content-sha256, so that it can be verified only \
    with its body, which was not shown: pass the body or its hash, let the proxy pass it, or let \
    the client sign x-amz-content-sha256. Where body = \"ignored\" is registered, the request counts \
    as one without a body.";

/// An answer in the making. Whatever is not said stays on the closed side.
pub(super) struct Answer {
    response: VerifyResponse,
}

impl Answer {
    pub(super) fn new(request_id: RequestId) -> Self {
        Self {
            response: VerifyResponse {
                authenticated: false,
                decision: Verdict::Deny,
                principal: None,
                expires_at: None,
                body: None,
                content_sha256: None,
                reason: Reason { code: String::new(), message: String::new() },
                matched: Vec::new(),
                request_id: request_id.to_string(),
            },
        }
    }

    pub(super) fn refused(mut self, code: &str, message: &str) -> VerifyResponse {
        self.response.reason = Reason { code: code.to_owned(), message: message.to_owned() };
        self.response
    }

    pub(super) fn not_authenticated(self, error: &AuthnError) -> VerifyResponse {
        match error {
            AuthnError::Signature(SigError::BodyUnavailable) => self.refused(BODY, NO_HASH),
            AuthnError::Signature(error) => self.refused(error.code(), &error.public_message()),
            AuthnError::WrongService { .. } | AuthnError::WrongRegion { .. } => {
                self.refused("SignatureDoesNotMatch", &sentence(error))
            }
            AuthnError::Unknown(_) => self.refused("InvalidClientTokenId", &sentence(error)),
            AuthnError::Expired => self.refused("ExpiredToken", &sentence(error)),
            AuthnError::Refused(refusal) => self.refused(refusal_code(refusal), &sentence(error)),
            AuthnError::Ledger(_) => self.refused("ServiceUnavailable", &sentence(error)),
        }
    }

    pub(super) fn authenticated(mut self, signed: &VerifiedRequest) -> Self {
        let identity = signed.identity();
        self.response.authenticated = true;
        self.response.principal = Some(principal(identity));
        self.response.expires_at =
            identity.session().map(|session| session.claims().expires_at.to_rfc3339());
        self
    }

    pub(super) fn with(
        mut self,
        verdict: Verdict,
        body: BodyState,
        code: &str,
        message: &str,
    ) -> VerifyResponse {
        self.response.decision = verdict;
        self.response.body = Some(body);
        self.refused(code, message)
    }

    /// With the hash that the service compares the body with.
    pub(super) fn with_content_sha256(mut self, hash: Option<[u8; 32]>) -> Self {
        self.response.content_sha256 = hash.map(|hash| data_encoding::HEXLOWER.encode(&hash));
        self
    }

    /// Adds the statements that allowed a part of what was asked.
    pub(super) fn add_matched(&mut self, decision: &Decision) {
        for matched in decision.matched() {
            let matched = Match {
                layer: layer(matched.layer).to_owned(),
                policy: matched.policy.clone(),
                statement: matched.statement,
                sid: matched.sid.clone(),
            };
            if !self.response.matched.contains(&matched) {
                self.response.matched.push(matched);
            }
        }
    }

    pub(super) fn decided(
        mut self,
        decision: &Decision,
        body: BodyState,
        asked: Act<'_>,
        why: &str,
    ) -> VerifyResponse {
        if !decision.is_allowed() {
            // What allowed another part says nothing about the refusal.
            self.response.matched.clear();
            self.response.content_sha256 = None;
        }
        self.add_matched(decision);
        let who = self.response.principal.as_ref().map_or("", |p| p.arn.as_str());
        let (verdict, code, message) = match decision.effect() {
            Effect::Allow => (
                Verdict::Allow,
                "Allowed",
                format!("{who} may perform {} on {}.", asked.action, asked.resource),
            ),
            Effect::ExplicitDeny => (Verdict::Deny, "ExplicitDeny", denial(who, asked, why)),
            Effect::ImplicitDeny => (Verdict::Deny, "ImplicitDeny", denial(who, asked, why)),
        };
        self.with(verdict, body, code, &message)
    }
}

fn denial(who: &str, asked: Act<'_>, why: &str) -> String {
    format!("{who} is not authorized to perform {} on {} {why}.", asked.action, asked.resource)
}

/// A text as a sentence.
pub(super) fn sentence(error: &impl std::fmt::Display) -> String {
    let mut text = error.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text.push('.');
    text
}

fn refusal_code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::SessionRevoked(_)
        | Refusal::PrincipalRevoked(_)
        | Refusal::KeyRevoked(_)
        | Refusal::ProviderRevoked(_)
        | Refusal::RootAccessEnded(_)
        | Refusal::AccountLeft(_) => "SessionRevoked",
        Refusal::PrincipalGone(_)
        | Refusal::AccountGone(_)
        | Refusal::KeyGone(_)
        | Refusal::ProviderGone(_) => "PrincipalDeleted",
        Refusal::AccountClosed(_) => "AccountClosed",
        Refusal::KeyInactive(_) => "KeyInactive",
        Refusal::OtherEpoch(_) => "DirectoryRestored",
    }
}

fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Root => "root",
        Layer::Identity => "identity",
        Layer::Boundary => "boundary",
        Layer::Session => "session",
        Layer::Resource => "resource",
        Layer::Trust => "trust",
        Layer::ServiceControl => "service_control",
        Layer::ResourceControl => "resource_control",
    }
}

fn principal(identity: &Identity) -> Principal {
    let claims = identity.session().map(|session| session.claims());
    let kind = match identity.principal() {
        PrincipalEntity::User(_) => PrincipalType::User,
        PrincipalEntity::Role(_) => PrincipalType::AssumedRole,
        PrincipalEntity::Root(_) => PrincipalType::Account,
        PrincipalEntity::Federated(_) => PrincipalType::FederatedUser,
    };
    Principal {
        arn: identity.arn(),
        account: identity.account().to_string(),
        user_id: identity.user_id(),
        kind,
        access_key_id: identity.access_key_id().to_string(),
        session_name: (kind == PrincipalType::AssumedRole)
            .then(|| identity.session_name().to_owned()),
        source_identity: claims.and_then(|claims| claims.source_identity.clone()),
        task_policy: identity.task_policy().map(str::to_owned),
        tags: context::principal_tags(identity).into_iter().collect(),
        issued_at: claims.map(|claims| claims.issued_at.to_rfc3339()),
        ancestors: claims.map_or_else(Vec::new, |claims| {
            let links = claims.ancestors.iter();
            links
                .map(|link| Ancestor {
                    arn: link.arn.clone(),
                    access_key_id: link.access_key_id.to_string(),
                    issued_at: link.issued_at.to_rfc3339(),
                })
                .collect()
        }),
    }
}

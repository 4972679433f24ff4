//! Verification for downstream services: who signed this request, is the signature good, may they
//! do this?
//!
//! # Model
//!
//! A question carries somebody else's request as it arrived at the asker. It is read strictly
//! (`question`), put through the same pipeline as the broker's own requests, and, if the question
//! names action, resource and the resource's account, decided by the same policy engine.
//!
//! # Trust boundary
//!
//! The asker is trusted for what it says about its own resource (its ARN, owner and policy, the
//! condition keys it vouches for) and about the connection; never for who signed. The request
//! inside the question is hostile.
//!
//! INVARIANT: a question about identity alone is never answered 'allow'. What cannot be decided is
//! an error to be asked again, never an answer.

mod answer;
mod question;

#[cfg(test)]
mod tests;

use crate::api::{BodyState, Decision as Verdict, VerifyRequest, VerifyResponse};
use crate::authn::{AuthnError, Caller, Expectation, VerifiedRequest};
use crate::ops::authorize::{Ask, CallerPolicies, policy_caller, record_use};
use crate::ops::{Facts, Services, context};
use crate::policy::{self, Named};
use crate::sigv4::{PayloadCheck, Rules};
use crate::time::Monotonic;
use answer::Answer;
pub use question::{Malformed, Question};

/// The question cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It makes no sense: which field, and why.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It cannot be decided now.
    #[error("{0}")]
    Unavailable(String),
}

/// Answers one question.
pub async fn verify(
    services: &Services,
    facts: &Facts,
    monotonic: Monotonic,
    request: &VerifyRequest,
) -> Result<VerifyResponse, VerifyError> {
    let question = Question::parse(request)?;
    let headers = question.headers();
    let head = question.head(&headers);
    let answer = Answer::new(facts.request_id);
    if let Err(reason) = question.check_host(&head) {
        return Ok(answer.refused("HostNotServed", reason));
    }
    let expectation = Expectation {
        service: &request.service,
        region: request.region.as_deref(),
        rules: Rules::new(question.uri_rules(), facts.now),
        monotonic,
    };
    let caller =
        match services.authenticator.authenticate(&head, question.body(), &expectation).await {
            Ok(caller) => caller,
            Err(AuthnError::Ledger(error)) => {
                return Err(VerifyError::Unavailable(error.to_string()));
            }
            Err(error) => return Ok(answer.not_authenticated(&error)),
        };
    let Caller::Signed(signed) = caller else {
        return Ok(answer.refused(
            "MissingAuthenticationToken",
            "The request is not signed: it has neither an Authorization header nor a presigned query.",
        ));
    };
    if !signed.path_as_signed() || question.has_dot_segment() {
        // Signer, proxies and service may mean different resources by this path.
        return Ok(answer.refused(
            "AmbiguousPath",
            "The path holds dot segments or empty segments, which may be read in several ways.",
        ));
    }
    record_use(services, &signed, facts, &request.service);
    let answer = answer.authenticated(&signed);
    let body = body_state(&signed);
    let Some(asked) = question.asked() else {
        return Ok(answer.with(
            Verdict::NotAsked,
            body,
            "Authenticated",
            "The signature is good. Whether the action is allowed was not asked.",
        ));
    };
    if let PayloadCheck::SignedHash(_) = signed.payload() {
        // INVARIANT (everything that matters is signed): whoever captured the request could send it
        // with another body.
        return Ok(answer.with(
            Verdict::Deny,
            body,
            "BodyUnverified",
            "The signature covers a body that was not shown: pass body, or body_sha256 computed over \
             the bytes. An empty body is an empty text.",
        ));
    }
    let decision = decide(facts, &signed, &question, &asked);
    let why = policy::denial_reason(asked.action, &decision).unwrap_or_default();
    Ok(answer.decided(&decision, body, &asked, &why))
}

fn body_state(signed: &VerifiedRequest) -> BodyState {
    match signed.payload() {
        PayloadCheck::Verified => BodyState::Verified,
        PayloadCheck::SignedHash(_) | PayloadCheck::Unsigned => BodyState::Unverified,
    }
}

fn decide(
    facts: &Facts,
    signed: &VerifiedRequest,
    question: &Question<'_>,
    asked: &Ask<'_>,
) -> policy::Decision {
    let identity = signed.identity();
    let mut keys = context::of_time(facts.now);
    context::add_identity(&mut keys, identity, facts.now);
    question.add_keys(&mut keys, signed.region());
    // The resource's policy names principals by ARN: here and now these mean the entities that
    // have those ARNs at this moment.
    let snapshot = signed.snapshot();
    let resource = question.resource_policy().map(|mut policy| {
        policy.bind_known(&mut |arn| snapshot.principal_id(arn));
        policy
    });
    let named = resource.as_ref().map(|policy| Named { name: "resource policy", policy });
    CallerPolicies::gather(snapshot, identity).decide(&policy_caller(identity), asked, &keys, named)
}

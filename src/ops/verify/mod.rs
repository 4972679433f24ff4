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
//! Who may ask is decided first ([`Asking`]). About a service that is [registered](crate::downstream) its
//! askers ask, and host, region, owner and mapping are the registered ones; about any other service
//! only this host asks, and vouches for all of that.
//!
//! INVARIANT: a question about identity alone is never answered 'allow'. What cannot be decided is
//! an error to be asked again, never an answer.

mod answer;
mod asking;
mod feed;
pub mod forward;
mod material;
mod question;
mod resource;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::api::{
    BatchAnswer, BodyState, Decision as Verdict, ErrorBody, ErrorResponse, MAX_BATCH, Material,
    VerifyBatchRequest, VerifyBatchResponse, VerifyRequest, VerifyResponse,
};
use crate::authn::{AuthnError, Caller, Expectation, VerifiedRequest};
use crate::downstream::mapping::{Deed, Meaning, Unmapped};
use crate::downstream::{Admission, BodyRule, Service, Signature};
use crate::id::AccountId;
use crate::ops::authorize::{Act, CallerPolicies, policy_caller, record_use};
use crate::ops::{Facts, Services, context};
use crate::policy;
use crate::policy::compiled::CompiledNamed;
use crate::sigv4::{Body, PayloadCheck, Rules};
use crate::time::Monotonic;
use answer::{Answer, BODY};
pub use asking::{Asking, NotAdmitted};
pub use feed::{Feeds, NoRoom, Reader};
use question::Vouched;
pub use question::{Asked, Forwarded, Malformed, Question, Shown};
pub use resource::ResourcePolicies;

/// The question cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It makes no sense: which field, and why.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Whoever asks may not.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// It cannot be decided now.
    #[error("{0}")]
    Unavailable(String),
}

impl VerifyError {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "InvalidRequest",
            Self::NotAdmitted(why) => why.code(),
            Self::Unavailable(_) => "ServiceUnavailable",
        }
    }

    /// A sentence for whoever asks.
    pub fn public_message(&self) -> String {
        match self {
            Self::Malformed(error) => format!("{error}."),
            Self::NotAdmitted(NotAdmitted::NotRegistered) => {
                "The service is not registered: only this host may ask about such a service."
                    .to_owned()
            }
            Self::NotAdmitted(NotAdmitted::NotListed) => {
                "The service does not list you among its askers.".to_owned()
            }
            Self::NotAdmitted(NotAdmitted::NotKeeper) => {
                "Signing keys and changes are given to askers that a service registered with \
                 signing_keys lists by certificate or signature."
                    .to_owned()
            }
            Self::NotAdmitted(NotAdmitted::Plaintext) => {
                "Signing keys and changes are given over TLS or within this host alone.".to_owned()
            }
            Self::Unavailable(_) => "It cannot be decided now. Ask again.".to_owned(),
        }
    }
}

/// An answer, with what it was found out from.
pub struct Answered {
    /// The answer.
    pub response: VerifyResponse,
    /// The request, if its signature is good.
    pub signed: Option<Box<VerifiedRequest>>,
    /// How the asker was admitted.
    pub admission: Admission,
    /// The service, if it is registered.
    pub service: Option<Arc<Service>>,
    /// What it takes to verify the next requests without asking, if that was asked for.
    pub material: Option<Material>,
}

/// Answers one question of `/v1/verify`.
pub async fn verify(
    services: &Services,
    facts: &Facts,
    monotonic: Monotonic,
    asking: &Asking,
    request: &VerifyRequest,
) -> Result<Answered, VerifyError> {
    let service = services.downstream.now().get(&request.service).cloned();
    let admission = asking.admit(facts, service.as_deref())?;
    let keep = match (&request.keep, service.as_deref()) {
        (None, _) => None,
        (Some(_), None) => return Err(NotAdmitted::NotKeeper.into()),
        (Some(keep), Some(service)) => {
            asking.admit_keeper(facts, service)?;
            question::check_keep(keep)?;
            Some((keep, service))
        }
    };
    let question = Question::parse(request, service.as_deref(), &services.resource_policies)?;
    let (response, signed) = answer(services, facts, monotonic, &question).await?;
    let material = match (keep, &signed) {
        (Some((keep, service)), Some(signed)) => {
            material::of(services, facts, monotonic, service, signed, keep)
        }
        _ => None,
    };
    Ok(Answered { response, signed, admission, service, material })
}

/// Answers several questions, each as it would be alone.
///
/// # Errors
/// There are none, or too many.
pub async fn verify_batch(
    services: &Services,
    facts: &Facts,
    monotonic: Monotonic,
    asking: &Asking,
    batch: &VerifyBatchRequest,
) -> Result<VerifyBatchResponse, VerifyError> {
    if !(1..=MAX_BATCH).contains(&batch.questions.len()) {
        let reason = format!("1 to {MAX_BATCH} are expected");
        return Err(Malformed { field: "questions", reason }.into());
    }
    let mut answers = Vec::with_capacity(batch.questions.len());
    for question in &batch.questions {
        if question.keep.is_some() {
            let reason = "keep is for single questions".to_owned();
            return Err(Malformed { field: "keep", reason }.into());
        }
        answers.push(match verify(services, facts, monotonic, asking, question).await {
            Ok(answered) => BatchAnswer::Answer(Box::new(answered.response)),
            Err(error) => BatchAnswer::Error(ErrorResponse {
                error: ErrorBody { code: error.code().to_owned(), message: error.public_message() },
                request_id: facts.request_id.to_string(),
            }),
        });
    }
    Ok(VerifyBatchResponse { answers })
}

/// Answers a question about a request that a proxy passed on to a registered service.
pub async fn verify_forwarded(
    services: &Services,
    facts: &Facts,
    monotonic: Monotonic,
    asking: &Asking,
    service: &Service,
    request: Forwarded<'_>,
) -> Result<VerifyResponse, VerifyError> {
    asking.admit(facts, Some(service))?;
    let question = Question::forwarded(service, request);
    Ok(answer(services, facts, monotonic, &question).await?.0)
}

/// The one engine behind every interface.
async fn answer(
    services: &Services,
    facts: &Facts,
    monotonic: Monotonic,
    question: &Question<'_>,
) -> Result<(VerifyResponse, Option<Box<VerifiedRequest>>), VerifyError> {
    let headers = question.headers();
    let head = question.head(&headers);
    let answer = Answer::new(facts.request_id);
    if let Err(reason) = question.check_host(&head) {
        return Ok((answer.refused("HostNotServed", reason), None));
    }
    let expectation = Expectation {
        service: question.service(),
        region: question.region(),
        rules: Rules::new(question.uri_rules(), facts.now),
        monotonic,
    };
    let caller =
        match services.authenticator.authenticate(&head, question.body(), &expectation).await {
            Ok(caller) => caller,
            Err(AuthnError::Ledger(error)) => {
                return Err(VerifyError::Unavailable(error.to_string()));
            }
            Err(error) => return Ok((answer.not_authenticated(&error), None)),
        };
    let Caller::Signed(signed) = caller else {
        let response = answer.refused(
            "MissingAuthenticationToken",
            "The request is not signed: it has neither an Authorization header nor a presigned query.",
        );
        return Ok((response, None));
    };
    if !signed.path_as_signed() || question.has_dot_segment() {
        // Signer, proxies and service may mean different resources by this path.
        let response = answer.refused(
            "AmbiguousPath",
            "The path holds dot segments or empty segments, which may be read in several ways.",
        );
        return Ok((response, None));
    }
    record_use(services, &signed, facts, question.service());
    let response = judge(facts, answer.authenticated(&signed), &signed, question);
    Ok((response, Some(signed)))
}

/// Decides about a request whose signature is good.
fn judge(
    facts: &Facts,
    answer: Answer,
    signed: &VerifiedRequest,
    question: &Question<'_>,
) -> VerifyResponse {
    let body = body_state(signed);
    let account = signed.identity().account();
    if question.registered().is_some_and(|service| !service.serves(account)) {
        return answer.with(
            Verdict::Deny,
            body,
            "AccountNotServed",
            "The service does not serve callers of this account.",
        );
    }
    let (meaning, owner) = match question.asked() {
        Asked::Identity => {
            return answer.with(
                Verdict::NotAsked,
                body,
                "Authenticated",
                "The signature is good. Whether the action is allowed was not asked.",
            );
        }
        Asked::Unmapped(why) => {
            let code = match why {
                Unmapped::Path(_) => "AmbiguousPath",
                Unmapped::Override(_) => "MethodOverride",
                Unmapped::Capture | Unmapped::NoRoute | Unmapped::S3(_) => "Unmapped",
            };
            return answer.with(Verdict::Deny, body, code, &answer::sentence(why));
        }
        Asked::Meaning(meaning, owner) => (meaning, *owner),
    };
    if let Err(why) = check_body(signed.payload(), question.body_rule()) {
        return answer.with(Verdict::Deny, body, BODY, why);
    }
    let hash =
        question.wants_hash().then(|| signed_hash(signed.payload(), question.body())).flatten();
    decide(facts, answer.with_content_sha256(hash), signed, question, meaning, owner)
}

/// INVARIANT (everything that matters is signed): whoever captured the request could send it with
/// another body. What the signature does not vouch for passes only where the service is registered
/// as one that takes care of it.
fn check_body(payload: PayloadCheck, rule: Option<BodyRule>) -> Result<(), &'static str> {
    match (payload, rule) {
        // Whoever vouches for all of a service that is not registered (`None`) takes bodies that
        // nobody signed as they come.
        (PayloadCheck::Verified, _)
        | (PayloadCheck::SignedHash(_), Some(BodyRule::Checked | BodyRule::Unsigned))
        | (PayloadCheck::Unsigned, None | Some(BodyRule::Unsigned | BodyRule::Ignored)) => Ok(()),
        (PayloadCheck::Streaming(_), _) => {
            Err("The body is signed chunk by chunk, which is verified where the bytes are: verify \
             inside the service.")
        }
        (PayloadCheck::SignedHash(_), None) => Err(
            "The signature covers a body that was not shown: pass body, or body_sha256 computed over \
             the bytes. An empty body is an empty text.",
        ),
        (PayloadCheck::SignedHash(_), Some(_)) => Err(
            "The signature covers a body that was not shown: show it, let the proxy pass it, or \
             register body = \"checked\" if the service compares it with \
             X-Countersign-Content-SHA256, body = \"unsigned\" if it takes any body, \
             body = \"ignored\" if it drops it.",
        ),
        (PayloadCheck::Unsigned, Some(_)) => {
            Err("The signature does not cover the body: let the client sign it, or register \
             body = \"unsigned\" if the service takes any body, body = \"ignored\" if it drops it.")
        }
    }
}

/// The hash of the body that was signed.
fn signed_hash(payload: PayloadCheck, body: Body<'_>) -> Option<[u8; 32]> {
    match (payload, body) {
        (PayloadCheck::SignedHash(hash), _) | (PayloadCheck::Verified, Body::Sha256(hash)) => {
            Some(hash)
        }
        (PayloadCheck::Verified, Body::Bytes(bytes)) => Some(Sha256::digest(bytes).into()),
        _ => None,
    }
}

fn body_state(signed: &VerifiedRequest) -> BodyState {
    match signed.payload() {
        PayloadCheck::Verified => BodyState::Verified,
        PayloadCheck::SignedHash(_) | PayloadCheck::Unsigned | PayloadCheck::Streaming(_) => {
            BodyState::Unverified
        }
    }
}

/// Asks the policies about everything that the request does: all of it must be allowed.
fn decide(
    facts: &Facts,
    mut answer: Answer,
    signed: &VerifiedRequest,
    question: &Question<'_>,
    meaning: &Meaning,
    owner: AccountId,
) -> VerifyResponse {
    let identity = signed.identity();
    let headers = question.headers();
    let head = question.head(&headers);
    let signature =
        Signature { signed_at: signed.signed_at(), now: facts.now, payload: signed.payload() };
    let keys_of = |vouched: Vouched| {
        let mut keys = context::of_time(facts.now);
        context::add_identity(&mut keys, identity, facts.now);
        question.add_keys(&mut keys, vouched);
        if let Some(service) = question.registered() {
            service.add_keys_of_signature(&mut keys, &head, question.body(), &signature);
        }
        keys
    };
    // INVARIANT: what the asker says of a resource is said of the one that the request is about. The
    // source of a copy is another one: its keys and its bucket's policy are not known.
    let about = meaning.deeds.first();
    let elsewhere = |deed: &Deed| about.is_some_and(|first| first.resource != deed.resource);
    let across =
        meaning.deeds.iter().any(|deed| about.is_some_and(|first| !same_bucket(first, deed)));
    if across && question.resource_policy().is_some() {
        return answer.with(
            Verdict::Deny,
            body_state(signed),
            "SourcePolicyUnknown",
            "A copy across buckets needs the source's own policy, which a question cannot carry.",
        );
    }
    // The resource's policy names principals by ARN: here and now these mean the entities that
    // have those ARNs at this moment.
    let snapshot = signed.snapshot();
    let resource = question.resource_policy().map(|policy| policy.bound(snapshot));
    let policies = CallerPolicies::gather(snapshot, identity);
    let caller = policy_caller(identity);
    let judged = |deed: &'_ Deed| {
        let named = resource.as_deref();
        let named = named.map(|policy| CompiledNamed { name: "resource policy", policy });
        let vouched = if elsewhere(deed) { Vouched::Connection } else { Vouched::All };
        let mut keys = keys_of(vouched);
        for (key, value) in &deed.keys {
            keys.insert(key, value.clone());
        }
        let keys = policies.keys(keys, &caller, owner);
        policies.decide_compiled(&caller, act(deed), &keys, named)
    };
    let body = body_state(signed);
    let mut first = None;
    for deed in &meaning.deeds {
        let decision = judged(deed);
        if !decision.is_allowed() {
            let why = policy::denial_reason(&deed.action, &decision).unwrap_or_default();
            return answer.decided(&decision, body, act(deed), &why);
        }
        answer.add_matched(&decision);
        first.get_or_insert((deed, decision));
    }
    match first {
        Some((deed, decision)) => answer.decided(&decision, body, act(deed), ""),
        None => answer.with(Verdict::Deny, body, "Unmapped", "The request means nothing."),
    }
}

fn act(deed: &Deed) -> Act<'_> {
    Act { action: &deed.action, resource: &deed.resource }
}

/// Whether both are about one bucket: what stands before the first slash of the resource's ARN.
fn same_bucket(one: &Deed, other: &Deed) -> bool {
    let bucket = |deed: &Deed| deed.resource.split('/').next().map(str::to_owned);
    bucket(one) == bucket(other)
}

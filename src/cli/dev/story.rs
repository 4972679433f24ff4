//! The main job, a line a step.

use std::collections::BTreeMap;

use hyper::Method;

use super::setup::{AUDIENCE, Answered, EXTERNAL_ID, ISSUER, Stage, WORKLOAD};
use super::xml;
use crate::api::{
    CreateRevocation, Decision, Header, RevocationTarget, RevocationView, VerifyRequest,
    VerifyResponse,
};
use crate::cli::client::SignedClient;
use crate::cli::output;
use crate::sigv4::{RequestHead, Signer, UriRules};
use crate::time::{Clock, SystemClock};

const HOST: &str = "orders.example";

/// Prints the steps as they happen.
struct Teller {
    step: usize,
    failed: usize,
}

impl Teller {
    fn tell(&mut self, good: bool, what: &str) -> anyhow::Result<()> {
        self.step += 1;
        let mark = if good { "ok    " } else { "WRONG " };
        self.failed += usize::from(!good);
        Ok(output::line(&format!("{mark}{:>2}. {what}", self.step))?)
    }
}

/// Tells the story, and how many steps went wrong.
pub(super) async fn tell(stage: &Stage) -> anyhow::Result<usize> {
    let mut teller = Teller { step: 0, failed: 0 };
    let Some(session) = grant(stage, &mut teller).await? else { return Ok(teller.failed) };
    let get = signed(&session, "GET", "/orders/42")?;
    decisions(stage, &mut teller, &get).await?;
    tampering(stage, &mut teller, &get).await?;
    revocation(stage, &mut teller, &session, &get).await?;
    web_identity(stage, &mut teller).await?;
    output::line("")?;
    Ok(teller.failed)
}

async fn grant(stage: &Stage, teller: &mut Teller) -> anyhow::Result<Option<SignedClient>> {
    match stage.assume(&stage.alice, "deploy", &[]).await? {
        Err((code, message)) => teller.tell(
            code == "AccessDenied",
            &format!(
                "AssumeRole without the ExternalId is refused.\n           alice reads: {code}: {message}\n           \
                 the audit log has the reason: {}",
                reason(stage)
            ),
        )?,
        Ok(_) => teller.tell(false, "AssumeRole without the ExternalId was granted")?,
    }
    match stage.assume(&stage.alice, "deploy", &[("ExternalId", EXTERNAL_ID)]).await? {
        Ok(session) => {
            teller.tell(
                true,
                &format!(
                    "AssumeRole with the ExternalId is granted: session key {}",
                    session.credentials().access_key_id
                ),
            )?;
            Ok(Some(session))
        }
        Err((code, message)) => {
            teller.tell(false, &format!("AssumeRole was refused: {code}: {message}"))?;
            Ok(None)
        }
    }
}

/// The reason of the newest refusal in the audit log: what only the operator may know.
fn reason(stage: &Stage) -> String {
    let log = std::fs::read_to_string(stage.data.audit()).unwrap_or_default();
    log.lines()
        .rev()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|record| {
            let reason = record.pointer("/additionalEventData/reason")?;
            Some(reason.as_str()?.to_owned())
        })
        .unwrap_or_else(|| "none".to_owned())
}

async fn decisions(stage: &Stage, teller: &mut Teller, get: &VerifyRequest) -> anyhow::Result<()> {
    let answer = stage.ask(&asked(stage, get, "orders:GetOrder")).await?;
    let who = answer.principal.as_ref().map_or("nobody", |principal| principal.arn.as_str());
    let statement = answer.matched.first().map_or_else(String::new, |matched| {
        format!(" by {} of {}", matched.sid.as_deref().unwrap_or("a statement"), matched.policy)
    });
    teller.tell(
        answer.decision == Decision::Allow,
        &format!(
            "A request signed with the session's keys: {HOST} asks who signed it.\n           \
             {who}\n           may it orders:GetOrder? {}{statement}",
            word(&answer)
        ),
    )?;
    let answer = stage.ask(&asked(stage, get, "orders:DeleteOrder")).await?;
    teller.tell(
        answer.authenticated && answer.decision == Decision::Deny,
        &format!("may it orders:DeleteOrder? {}: {}", word(&answer), answer.reason.message),
    )
}

async fn tampering(stage: &Stage, teller: &mut Teller, get: &VerifyRequest) -> anyhow::Result<()> {
    let changed = VerifyRequest { uri: "/orders/43".to_owned(), ..get.clone() };
    let answer = stage.ask(&asked(stage, &changed, "orders:GetOrder")).await?;
    teller.tell(
        !answer.authenticated && answer.decision == Decision::Deny,
        &format!("The same request with one byte changed (/orders/43): {}", answer.reason.code),
    )
}

async fn revocation(
    stage: &Stage,
    teller: &mut Teller,
    session: &SignedClient,
    get: &VerifyRequest,
) -> anyhow::Result<()> {
    let chained = match stage.assume(session, "audit", &[]).await? {
        Ok(chained) => chained,
        Err((code, message)) => {
            return teller
                .tell(false, &format!("the session could not assume audit: {code}: {message}"));
        }
    };
    let second = signed(&chained, "GET", "/orders/42")?;
    let before = stage.ask(&asked(stage, &second, "orders:GetOrder")).await?;
    teller.tell(
        before.decision == Decision::Allow,
        &format!(
            "The session assumes audit: session key {}: {}",
            chained.credentials().access_key_id,
            word(&before)
        ),
    )?;
    let target = RevocationTarget::Session(session.credentials().access_key_id.clone());
    let made: RevocationView = stage
        .partner_admin
        .json(Method::POST, "/countersign/v1/revocations", &CreateRevocation { target })
        .await?;
    let answer = stage.ask(&asked(stage, get, "orders:GetOrder")).await?;
    teller.tell(
        !answer.authenticated && answer.reason.code == "SessionRevoked",
        &format!(
            "The session is revoked (directory version {}): {}",
            made.version, answer.reason.message
        ),
    )?;
    let answer = stage.ask(&asked(stage, &second, "orders:GetOrder")).await?;
    teller.tell(
        !answer.authenticated && answer.reason.code == "SessionRevoked",
        &format!("And the one that came from it: {}", answer.reason.message),
    )
}

/// A workload without a key: its token is its proof.
async fn web_identity(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    let now = SystemClock::new().now().secs();
    let token = |audience: &str| {
        stage.idp.sign(&serde_json::json!({
            "iss": ISSUER, "sub": WORKLOAD, "aud": audience, "iat": now, "exp": now + 600,
        }))
    };
    match stage.show(&token(AUDIENCE)?).await? {
        Answered::Done(answer) => {
            let arn = xml::text(&answer, "Arn").unwrap_or_default();
            teller.tell(
                true,
                &format!(
                    "A workload without a key shows its token to AssumeRoleWithWebIdentity:\n           \
                     {WORKLOAD}\n           is {arn}"
                ),
            )?;
        }
        Answered::Refused { code, message } => {
            teller.tell(false, &format!("the workload's token was refused: {code}: {message}"))?;
        }
    }
    match stage.show(&token("another-service")?).await? {
        Answered::Refused { code, message } => teller.tell(
            code == "InvalidIdentityToken",
            &format!("The same token made for another audience is refused: {code}: {message}"),
        ),
        Answered::Done(_) => teller.tell(false, "a token for another audience was taken"),
    }
}

fn word(answer: &VerifyResponse) -> &'static str {
    match answer.decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
        Decision::NotAsked => "not asked",
    }
}

/// A request to the example service, signed as an SDK signs, as the service would show it.
fn signed(who: &SignedClient, method: &str, uri: &str) -> anyhow::Result<VerifyRequest> {
    let credentials = who.credentials();
    let signer = Signer {
        access_key_id: &credentials.access_key_id,
        secret: &credentials.secret,
        session_token: credentials.session_token.as_deref(),
        region: "us-east-1",
        service: "orders",
        uri: UriRules::Standard,
        content_sha256: false,
    };
    let head = RequestHead { method, target: uri, headers: &[("host", HOST.as_bytes())] };
    let added = signer.sign(&head, b"", SystemClock::new().now())?;
    let mut headers: Vec<Header> = vec![("host".to_owned(), HOST.to_owned())];
    headers.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Ok(VerifyRequest {
        method: method.to_owned(),
        uri: uri.to_owned(),
        headers,
        body: Some(String::new()),
        body_sha256: None,
        service: "orders".to_owned(),
        hosts: vec![HOST.to_owned()],
        region: None,
        action: None,
        resource: None,
        resource_account: None,
        resource_policy: None,
        source_ip: None,
        secure_transport: None,
        keep: None,
        context: BTreeMap::new(),
    })
}

/// The question whether the request may do this to order 42.
fn asked(stage: &Stage, request: &VerifyRequest, action: &str) -> VerifyRequest {
    VerifyRequest {
        action: Some(action.to_owned()),
        resource: Some(format!("arn:aws:orders::{}:order/42", stage.partner)),
        resource_account: Some(stage.partner.clone()),
        ..request.clone()
    }
}

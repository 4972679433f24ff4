//! A question to the broker: the whole request, its body as a hash.

use sha2::{Digest as _, Sha256};

use super::Shared;
use super::connect::ClientError;
use crate::api::{ErrorResponse, Keep, VerifyGrant, VerifyRequest};
use crate::sigv4::Body;
use crate::verify::request::Request;

/// The most bytes of an answer.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// What the broker said.
pub(super) enum Answered {
    /// An answer.
    Granted(Box<VerifyGrant>),
    /// It does not take the question.
    Refused { status: u16, code: String, message: String },
}

pub(super) async fn ask(shared: &Shared, request: &Request<'_>) -> Result<Answered, ClientError> {
    let question =
        serde_json::to_vec(&question(shared, request)).map_err(|_| ClientError::Answer)?;
    let answer = shared.broker.post("/v1/verify", question, ANSWER_BYTES).await?;
    if answer.status == 200 {
        let grant = serde_json::from_slice(&answer.body).map_err(|_| ClientError::Answer)?;
        return Ok(Answered::Granted(Box::new(grant)));
    }
    // What can be asked again is no answer.
    if answer.status >= 500 || matches!(answer.status, 408 | 429) {
        return Err(ClientError::Status(answer.status));
    }
    let (code, message) = match serde_json::from_slice::<ErrorResponse>(&answer.body) {
        Ok(refusal) => (refusal.error.code, refusal.error.message),
        Err(_) => (String::new(), String::new()),
    };
    Ok(Answered::Refused { status: answer.status, code, message })
}

fn question(shared: &Shared, request: &Request<'_>) -> VerifyRequest {
    let Request { head, body, connection, deed } = request;
    let latin1 = |value: &[u8]| value.iter().map(|byte| char::from(*byte)).collect::<String>();
    let hash = match body {
        Body::Bytes(bytes) => Some(Sha256::digest(bytes).into()),
        Body::Sha256(hash) => Some(*hash),
        Body::Unavailable | Body::Streamed => None,
    };
    let prefixes = match shared.local.service() {
        Some(service) if service.is_mapped() => service.action_prefixes(),
        _ => shared.prefixes.clone(),
    };
    VerifyRequest {
        method: head.method.to_owned(),
        uri: head.target.to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), latin1(value)))
            .collect(),
        body: None,
        body_sha256: hash.map(|hash: [u8; 32]| data_encoding::HEXLOWER.encode(&hash)),
        service: shared.name.clone(),
        hosts: Vec::new(),
        region: None,
        action: deed.map(|deed| deed.action.clone()),
        resource: deed.map(|deed| deed.resource.clone()),
        resource_account: None,
        resource_policy: deed.and_then(|deed| deed.resource_policy.clone()),
        source_ip: connection.source_ip.map(|ip| ip.to_string()),
        secure_transport: connection.secure,
        context: deed.map(|deed| deed.context.clone()).unwrap_or_default(),
        keep: Some(Keep { prefixes }),
    }
}

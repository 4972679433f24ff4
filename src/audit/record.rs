//! A record, in the shape of CloudTrail's (event version 1.11).

use serde::Serialize;
use serde_json::{Map, Value};

use super::redact::{cut, redact};
use super::{AuditError, UserIdentity};
use crate::id::{AccountId, RequestId};
use crate::random::{Random, RandomError};
use crate::time::Timestamp;

/// Bounds of a record's parts, in bytes. CloudTrail has 100 KB and 1 KB.
const MAX_PARAMETERS: usize = 48 * 1024;
const MAX_ADDITIONAL: usize = 16 * 1024;
const MAX_TEXT: usize = 1024;
const MAX_RESOURCES: usize = 32;
const MAX_ANCESTORS: usize = 16;

/// A record's own ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId(RequestId);

impl EventId {
    /// Draws a fresh one.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        RequestId::generate(random).map(Self)
    }
}

/// Whether a record says what is about to happen or what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Accepted before anything happens.
    Intent,
    /// What came of it; the only record of a request that changes nothing.
    Outcome,
}

/// The request that a record is about.
#[derive(Clone, Debug)]
pub struct Event {
    /// The record's own ID.
    pub id: EventId,
    /// When the request arrived.
    pub time: Timestamp,
    /// The service, such as `sts.amazonaws.com`.
    pub source: &'static str,
    /// The action, such as `AssumeRole`.
    pub name: String,
    /// The region of the signature's scope: the caller's word.
    pub region: String,
    /// Where the request came from, as far as the proxies in between are trusted.
    pub source_ip: String,
    /// The `User-Agent` header: the caller's word.
    pub user_agent: Option<String>,
    /// The request's ID, as in its answer.
    pub request_id: RequestId,
    /// Whether the action changes nothing.
    pub read_only: bool,
}

/// The TLS connection that the request came by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsDetails {
    /// Such as `TLSv1.3`.
    pub tls_version: String,
    /// Such as `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: String,
    /// The name that the client asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_provided_host_header: Option<String>,
}

/// A record. What goes in is bounded and free of secrets from then on.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    event_version: &'static str,
    user_identity: UserIdentity,
    event_time: String,
    event_source: &'static str,
    event_name: String,
    aws_region: String,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    request_parameters: Value,
    response_elements: Value,
    additional_event_data: Additional,
    #[serde(rename = "requestID")]
    request_id: String,
    #[serde(rename = "eventID")]
    event_id: String,
    read_only: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<Resource>,
    event_type: &'static str,
    management_event: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_account_id: Option<String>,
    #[serde(rename = "sharedEventID", skip_serializing_if = "Option::is_none")]
    shared_event_id: Option<String>,
    event_category: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_details: Option<TlsDetails>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Additional {
    phase: Phase,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ancestors: Vec<String>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(rename = "ARN")]
    arn: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
}

impl Record {
    /// The record of what is about to happen. Its own ID is the one that its outcome shares.
    pub fn intent(event: Event, identity: UserIdentity) -> Self {
        let id = event.id.0.to_string();
        Self { shared_event_id: Some(id), ..Self::of(event, identity, Phase::Intent) }
    }

    /// The only record of a request: one that changes nothing, or was refused before there was an
    /// intent.
    pub fn single(event: Event, identity: UserIdentity) -> Self {
        Self::of(event, identity, Phase::Outcome)
    }

    /// The record of what came of this intent: the same request under an ID and time of its own.
    #[must_use]
    pub fn outcome(&self, id: EventId, time: Timestamp) -> Self {
        let mut outcome = self.clone();
        outcome.event_id = id.0.to_string();
        outcome.event_time = time.to_rfc3339();
        outcome.additional_event_data.phase = Phase::Outcome;
        outcome
    }

    /// What was asked, from the operation's own list of what may be told.
    #[must_use]
    pub fn request_parameters(mut self, parameters: Value) -> Self {
        self.request_parameters = redact(parameters, MAX_PARAMETERS);
        self
    }

    /// What was changed or handed out, again from the operation's list.
    #[must_use]
    pub fn response_elements(mut self, elements: Value) -> Self {
        self.response_elements = redact(elements, MAX_PARAMETERS);
        self
    }

    /// The error that was answered.
    #[must_use]
    pub fn error(mut self, code: &'static str, message: &str) -> Self {
        self.error_code = Some(code);
        self.error_message = Some(cut(message.to_owned(), MAX_TEXT));
        self
    }

    /// The sessions and principals that the caller's session descends from, nearest first.
    #[must_use]
    pub fn ancestors(mut self, ancestors: impl IntoIterator<Item = String>) -> Self {
        let bounded = ancestors.into_iter().take(MAX_ANCESTORS).map(|a| cut(a, MAX_TEXT));
        self.additional_event_data.ancestors = bounded.collect();
        self
    }

    /// A field of our own, in `additionalEventData`. `phase` and `ancestors` are taken.
    #[must_use]
    pub fn additional(mut self, name: &'static str, value: Value) -> Self {
        if !matches!(name, "phase" | "ancestors") {
            let Value::Object(mut one) =
                redact(Value::Object(Map::from_iter([(name.to_owned(), value)])), MAX_ADDITIONAL)
            else {
                return self;
            };
            self.additional_event_data.more.append(&mut one);
        }
        self
    }

    /// A resource that was used, its CloudFormation type (`AWS::IAM::Role`) and its owner.
    #[must_use]
    pub fn resource(
        mut self,
        arn: &str,
        kind: Option<&'static str>,
        owner: Option<AccountId>,
    ) -> Self {
        if self.resources.len() < MAX_RESOURCES {
            let arn = cut(arn.to_owned(), 2 * MAX_TEXT);
            let account_id = owner.map(|account| account.to_string());
            self.resources.push(Resource { arn, kind, account_id });
        }
        self
    }

    /// The account that owns what was asked for.
    #[must_use]
    pub fn recipient(mut self, account: AccountId) -> Self {
        self.recipient_account_id = Some(account.to_string());
        self
    }

    /// The TLS connection.
    #[must_use]
    pub fn tls(mut self, details: TlsDetails) -> Self {
        self.tls_details = Some(TlsDetails {
            tls_version: cut(details.tls_version, MAX_TEXT),
            cipher_suite: cut(details.cipher_suite, MAX_TEXT),
            client_provided_host_header: details
                .client_provided_host_header
                .map(|host| cut(host, MAX_TEXT)),
        });
        self
    }

    /// Intent or outcome.
    pub fn phase(&self) -> Phase {
        self.additional_event_data.phase
    }

    /// The record as one line of JSON with its newline.
    pub fn to_line(&self) -> Result<Vec<u8>, AuditError> {
        let mut line = serde_json::to_vec(self).map_err(|_| AuditError::Encode)?;
        line.push(b'\n');
        Ok(line)
    }

    fn of(event: Event, identity: UserIdentity, phase: Phase) -> Self {
        Self {
            event_version: "1.11",
            user_identity: bounded(identity),
            event_time: event.time.to_rfc3339(),
            event_source: event.source,
            event_name: cut(event.name, MAX_TEXT),
            aws_region: cut(event.region, MAX_TEXT),
            source_ip_address: cut(event.source_ip, MAX_TEXT),
            user_agent: event.user_agent.map(|agent| cut(agent, MAX_TEXT)),
            error_code: None,
            error_message: None,
            request_parameters: Value::Null,
            response_elements: Value::Null,
            additional_event_data: Additional { phase, ancestors: Vec::new(), more: Map::new() },
            request_id: event.request_id.to_string(),
            event_id: event.id.0.to_string(),
            read_only: event.read_only,
            resources: Vec::new(),
            event_type: "AwsApiCall",
            management_event: true,
            recipient_account_id: None,
            shared_event_id: None,
            event_category: "Management",
            tls_details: None,
        }
    }
}

/// Most of an identity is ours; its names and subjects may be an identity provider's.
fn bounded(mut identity: UserIdentity) -> UserIdentity {
    let fields = [
        &mut identity.principal_id,
        &mut identity.arn,
        &mut identity.account_id,
        &mut identity.access_key_id,
        &mut identity.user_name,
        &mut identity.identity_provider,
    ];
    let session = identity.session_context.as_mut().map(|context| &mut context.source_identity);
    for field in fields.into_iter().chain(session) {
        *field = field.take().map(|text| cut(text, 2 * MAX_TEXT));
    }
    identity
}

#[cfg(test)]
mod tests;

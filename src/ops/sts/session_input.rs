//! What the operations that make sessions have in common: session policies, tags, the packed size.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::directory::{Role, Snapshot};
use crate::id::AccountId;
use crate::ops::Context;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::params::{TagFault, Validator, check_tag_keys, rules};
use crate::policy::{DocumentKind, Policy, fold};
use crate::seal::claims::{SessionPolicies, Tag};
use crate::sessions::{self, Draft, MintError, Minted};
use crate::wire::xml::Xml;

/// The most session tags, inherited ones counted.
pub(super) const MAX_TAGS: usize = 50;
/// The most managed session policies.
const MAX_POLICY_ARNS: usize = 10;

/// Session policies and tags as they came.
#[derive(Clone)]
pub(super) struct SessionInput {
    /// The inline session policy.
    pub(super) policy: Option<String>,
    /// The ARNs of managed session policies.
    pub(super) policy_arns: Vec<String>,
    /// Session tags.
    pub(super) tags: Vec<(String, String)>,
    /// The keys of tags that travel down the chain.
    pub(super) transitive: Vec<String>,
    /// The least size of the token, in characters.
    pub(super) minimum_token_size: usize,
}

impl SessionInput {
    /// Reads the parameters.
    pub(super) fn read(v: &mut Validator<'_, '_>) -> Self {
        let transitive = v.texts("TransitiveTagKeys", 0..=MAX_TAGS, &rules::TAG_KEY);
        Self {
            transitive: transitive.unwrap_or_default().into_iter().map(ToOwned::to_owned).collect(),
            ..Self::read_tagged(v)
        }
    }

    /// Reads the parameters of an operation whose tags travel nowhere.
    pub(super) fn read_tagged(v: &mut Validator<'_, '_>) -> Self {
        let tags = v.tags("Tags");
        Self {
            tags: tags.iter().map(|t| (t.key.to_owned(), t.value.to_owned())).collect(),
            ..Self::read_policies(v)
        }
    }

    /// Reads the parameters of an operation whose tags do not come as parameters.
    pub(super) fn read_policies(v: &mut Validator<'_, '_>) -> Self {
        let arns = v
            .list("PolicyArns", 0..=MAX_POLICY_ARNS, |v| v.required("arn", &rules::ARN).to_owned());
        Self {
            policy: v.optional("Policy", &rules::SESSION_POLICY).map(ToOwned::to_owned),
            policy_arns: arns.unwrap_or_default(),
            tags: Vec::new(),
            transitive: Vec::new(),
            minimum_token_size: minimum_token_size(v),
        }
    }

    /// The session policies, parsed once to refuse what does not parse; `None` if none were passed.
    /// Managed ones are those that the session's account sees.
    pub(super) fn policies(
        &self,
        state: &Snapshot,
        account: AccountId,
    ) -> Result<Option<SessionPolicies>, Fault> {
        if self.policy.is_none() && self.policy_arns.is_empty() {
            return Ok(None);
        }
        if let Some(text) = &self.policy {
            Policy::parse(text, DocumentKind::Session)
                .map_err(|error| Fault::refused_policy(&error))?;
        }
        let mut seen = HashSet::new();
        let mut ids = Vec::new();
        for arn in &self.policy_arns {
            if !seen.insert(arn) {
                return Err(Fault::validation(format!("The policy ARN {arn} is passed twice.")));
            }
            let found = state.managed_policy(account, arn).ok_or_else(|| {
                Fault::malformed_policy(format!("The managed policy {arn} does not exist."))
            })?;
            ids.push(found.id());
        }
        let (inline, arns) = (self.policy.clone(), self.policy_arns.clone());
        Ok(Some(SessionPolicies { inline, arns, ids: Some(ids) }))
    }

    /// The tags of the session: those passed, and those that the caller's session hands down.
    ///
    /// Source: IAM User Guide, "Pass session tags in AWS STS".
    pub(super) fn tags(&self, inherited: &[Tag]) -> Result<Vec<Tag>, Fault> {
        check_tag_keys(self.tags.iter().map(|(key, _)| key.as_str()), TagFault::Sts)?;
        let mut transitive = HashSet::new();
        for key in &self.transitive {
            if !transitive.insert(fold(key)) {
                return Err(Fault::invalid_parameter_value(
                    "Duplicate transitive tag keys found. Please note that Tag keys are case \
                     insensitive.",
                ));
            }
        }
        let passed: HashSet<_> = self.tags.iter().map(|(key, _)| fold(key)).collect();
        if !transitive.is_subset(&passed) {
            return Err(Fault::validation(
                "The specified transitive tag key must be included in the requested tags.",
            ));
        }
        let handed_down = || inherited.iter().filter(|tag| tag.transitive);
        if handed_down().any(|tag| passed.contains(&fold(&tag.key))) {
            // INVARIANT: an inherited transitive tag cannot be set again.
            return Err(Fault::invalid_parameter_value(
                "One of the specified transitive tag keys can't be set because it conflicts with a \
                 transitive tag key from the calling session.",
            ));
        }
        let own = self.tags.iter().map(|(key, value)| Tag {
            key: key.clone(),
            value: value.clone(),
            transitive: transitive.contains(&fold(key)),
        });
        let tags: Vec<Tag> = handed_down().cloned().chain(own).collect();
        if tags.len() > MAX_TAGS {
            return Err(Fault::validation(format!(
                "A session has at most {MAX_TAGS} tags, those inherited counted."
            )));
        }
        Ok(tags)
    }
}

/// `MinimumSessionTokenSize`, in characters.
pub(super) fn minimum_token_size(v: &mut Validator<'_, '_>) -> usize {
    let minimum = v.integer("MinimumSessionTokenSize", 0..=4096);
    minimum.and_then(|n| usize::try_from(n).ok()).unwrap_or_default()
}

/// Reads the `DurationSeconds` of a role's session.
pub(super) fn role_duration(v: &mut Validator<'_, '_>) -> Option<i64> {
    v.integer("DurationSeconds", 900..=43_200)
}

/// Refuses more seconds than the role's sessions last.
pub(super) fn check_role_duration(role: &Role, duration: i64) -> Result<(), Fault> {
    if duration > i64::from(role.max_session_duration) {
        return Err(Fault::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(())
}

/// Makes the session that was decided. Its token has at least `minimum_size` characters.
pub(in crate::ops) async fn mint(
    context: &Context<'_>,
    draft: Draft,
    minimum_size: usize,
) -> Result<Minted, Fault> {
    let services = context.services;
    let (keyring, ledger, random) = (&services.keyring, &*services.ledger, &*services.random);
    sessions::mint(keyring, ledger, random, draft, minimum_size).await.map_err(mint_fault)
}

/// What audit records tell of credentials that were handed out.
pub(in crate::ops) fn described(minted: &Minted) -> Value {
    json!({
        "accessKeyId": minted.access_key_id,
        "expiration": minted.expires_at.to_rfc3339(),
    })
}

/// What a session that was not made is answered with.
pub(super) fn mint_fault(error: MintError) -> Fault {
    match error {
        MintError::TooLarge(percent) => Fault::packed_policy_too_large(percent),
        MintError::TokenTooLarge => Fault::new(
            FaultCode::PackedPolicyTooLarge,
            "The session token would be larger than 4096 characters.",
        ),
        MintError::Ledger(error) => Fault::unavailable(error),
        MintError::Seal(error) => Fault::internal(error),
        MintError::Crowded => Fault::internal("no free access key ID"),
    }
}

/// `Credentials`: the one place where a session's secret leaves.
pub(super) fn write_credentials(minted: &Minted, xml: &mut Xml) {
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", minted.access_key_id.as_str());
        xml.text("SecretAccessKey", minted.secret.expose());
        xml.text("SessionToken", &minted.token);
        xml.time("Expiration", minted.expires_at);
    });
}

/// What the answer tells of the size of policies and tags, and of the token's.
pub(super) fn write_sizes(minted: &Minted, xml: &mut Xml) {
    if let Some(percent) = minted.packed_policy_size {
        xml.value("PackedPolicySize", percent);
    }
    write_token_size(minted, xml);
}

/// What the answer tells of the token's size.
pub(super) fn write_token_size(minted: &Minted, xml: &mut Xml) {
    let size = minted.token.len();
    xml.value("SessionTokenSize", size);
    xml.value("SessionTokenUtilization", size * 100 / crate::seal::token::MAX_TOKEN);
}

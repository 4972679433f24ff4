//! Policy documents as the directory keeps them: the text as it was written, and its parsed form.
//!
//! A document is parsed and compiled when it is written, and again when the directory is loaded. One that no
//! longer parses (written by another version, or damaged) is kept, and denies everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::UniqueId;
use crate::policy::compiled::CompiledPolicy;
use crate::policy::{DocumentKind, ParseError, Policy};

/// An identity policy.
#[derive(Clone)]
pub struct Document {
    text: Arc<str>,
    policy: Arc<Policy>,
    compiled: Arc<CompiledPolicy>,
}

impl Document {
    /// Parses an identity policy.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let policy = Policy::parse(text, DocumentKind::Identity)?;
        Ok(Self::new(Arc::clone(policy.text()), policy))
    }

    fn new(text: Arc<str>, policy: Policy) -> Self {
        let compiled = Arc::new(CompiledPolicy::new(&policy));
        Self { text, policy: Arc::new(policy), compiled }
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parsed form, which explains.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The compiled form, which decides.
    pub fn compiled(&self) -> &Arc<CompiledPolicy> {
        &self.compiled
    }
}

/// A role's trust policy with the unique IDs of the principals it names.
///
/// INVARIANT (identity is by unique ID): a user or role named by ARN is bound to its unique ID when
/// the policy is written. A name made again is somebody else.
#[derive(Clone)]
pub struct TrustDocument {
    text: Arc<str>,
    /// The unique ID of each user and role that the text names, by the ARN it is named with.
    bound: BTreeMap<String, UniqueId>,
    policy: Arc<Policy>,
    compiled: Arc<CompiledPolicy>,
}

/// A trust policy cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It does not parse.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It names a user or role that does not exist.
    #[error("there is no principal {0}")]
    NoSuchPrincipal(String),
}

impl TrustDocument {
    /// Parses a trust policy and binds the principals it names.
    pub fn parse(
        text: &str,
        mut resolve: impl FnMut(&str) -> Option<UniqueId>,
    ) -> Result<Self, TrustError> {
        let mut policy = Policy::parse(text, DocumentKind::Trust)?;
        let mut bound = BTreeMap::new();
        for arn in policy.principals() {
            let id = resolve(arn).ok_or_else(|| TrustError::NoSuchPrincipal(arn.to_owned()))?;
            bound.insert(arn.to_owned(), id);
        }
        policy
            .bind(&mut |arn| bound.get(arn).copied())
            .map_err(|unresolved| TrustError::NoSuchPrincipal(unresolved.arn))?;
        Ok(Self::new(Arc::clone(policy.text()), bound, policy))
    }

    fn new(text: Arc<str>, bound: BTreeMap<String, UniqueId>, policy: Policy) -> Self {
        let compiled = Arc::new(CompiledPolicy::new(&policy));
        Self { text, bound, policy: Arc::new(policy), compiled }
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The unique IDs that the text's ARNs were bound to when it was written.
    pub fn bound(&self) -> &BTreeMap<String, UniqueId> {
        &self.bound
    }

    /// The parsed form, bound, which explains.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The compiled form, bound, which decides.
    pub fn compiled(&self) -> &Arc<CompiledPolicy> {
        &self.compiled
    }
}

/// What stands in for a document that does not parse.
fn denying(kind: DocumentKind, text: &str, error: &ParseError) -> Policy {
    tracing::error!(%error, bytes = text.len(), "a stored policy does not parse: it denies everything");
    Policy::deny_everything(kind)
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl PartialEq for TrustDocument {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.bound == other.bound
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::fmt::Debug for TrustDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.text, self.bound)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let policy = Policy::parse(&text, DocumentKind::Identity)
            .unwrap_or_else(|error| denying(DocumentKind::Identity, &text, &error));
        Ok(Self::new(text.into(), policy))
    }
}

#[derive(Serialize, Deserialize)]
struct StoredTrust {
    text: String,
    bound: BTreeMap<String, UniqueId>,
}

impl Serialize for TrustDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredTrust { text: self.text.to_string(), bound: self.bound.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TrustDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StoredTrust { text, bound } = StoredTrust::deserialize(deserializer)?;
        let policy = match Policy::parse(&text, DocumentKind::Trust) {
            Ok(mut policy) => {
                // One without an ID stays unbound: it grants nothing.
                policy.bind_known(&mut |arn| bound.get(arn).copied());
                policy
            }
            Err(error) => denying(DocumentKind::Trust, &text, &error),
        };
        Ok(Self::new(text.into(), bound, policy))
    }
}

//! The resource policies that come with questions: each is read, bound and compiled once, for as
//! long as it comes again and the directory stays as it is.
//!
//! INVARIANT: what is kept is found by the policy's whole text, and what its principals mean by the
//! version of the directory that said so.

use std::sync::Arc;

use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::directory::Snapshot;
use crate::policy::compiled::CompiledPolicy;
use crate::policy::{BoundPolicy, DocumentKind, ParseError, Policy};

/// How many are kept.
const KEPT: usize = 256;
/// The longest text that is kept, in bytes: the longest bucket policy of S3.
const MAX_TEXT: usize = 20 * 1024;

/// Those that came lately.
pub struct ResourcePolicies(Cache<[u8; 32], Arc<ResourcePolicy>>);

/// One of them.
pub struct ResourcePolicy(BoundPolicy);

impl Default for ResourcePolicies {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl ResourcePolicies {
    /// Reads a policy, or finds it among those that came lately.
    ///
    /// # Errors
    /// It is no resource policy.
    pub fn read(&self, text: &str) -> Result<Arc<ResourcePolicy>, ParseError> {
        let hash = Sha256::digest(text.as_bytes()).into();
        if let Some(known) = self.0.get(&hash) {
            return Ok(known);
        }
        let policy = Policy::parse(text, DocumentKind::Resource)?;
        let read = Arc::new(ResourcePolicy(BoundPolicy::new(policy)));
        if text.len() <= MAX_TEXT {
            self.0.insert(hash, Arc::clone(&read));
        }
        Ok(read)
    }
}

impl ResourcePolicy {
    /// The policy with its principals bound: here and now the ARNs that it names mean the entities
    /// that have them in this snapshot.
    pub fn bound(&self, snapshot: &Snapshot) -> Arc<CompiledPolicy> {
        bound_in(&self.0, snapshot)
    }
}

/// A policy as a directory says what its principals mean.
pub(super) fn bound_in(policy: &BoundPolicy, snapshot: &Snapshot) -> Arc<CompiledPolicy> {
    let state = (snapshot.epoch(), snapshot.version());
    policy.at(state, &mut |arn| snapshot.principal_id(arn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{Bench, allow};

    #[tokio::test]
    async fn a_policy_is_read_once_and_means_what_the_directory_says_now() {
        let bench = Bench::new().await;
        let policies = ResourcePolicies::default();
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*",
            "Resource":"*","Principal":{"AWS":"arn:aws:iam::111111111111:user/alice"}}]}"#;
        let read = policies.read(text).unwrap();
        assert!(Arc::ptr_eq(&read, &policies.read(text).unwrap()));
        assert!(!Arc::ptr_eq(&read, &policies.read(&text.replace("Allow", "Deny")).unwrap()));
        assert!(policies.read("{}").is_err());

        let before = bench.services.directory.snapshot();
        let nobody = read.bound(&before);
        assert!(Arc::ptr_eq(&nobody, &read.bound(&before)));
        bench.user(&bench.a, "alice", &allow(&["*"])).await;
        let after = bench.services.directory.snapshot();
        assert!(!Arc::ptr_eq(&nobody, &read.bound(&after)), "alice is somebody now");
    }
}

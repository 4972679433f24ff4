//! The resource policies that come with questions: each is read, bound and compiled once, for as
//! long as it comes again and the directory stays as it is.
//!
//! INVARIANT: what is kept is found by the policy's whole text, and what its principals mean by the
//! version of the directory that said so.

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::directory::Snapshot;
use crate::policy::compiled::CompiledPolicy;
use crate::policy::{DocumentKind, ParseError, Policy};

/// How many are kept.
const KEPT: usize = 256;
/// The longest text that is kept, in bytes: the longest bucket policy of S3.
const MAX_TEXT: usize = 20 * 1024;

/// Those that came lately.
pub struct ResourcePolicies(Cache<[u8; 32], Arc<ResourcePolicy>>);

/// One of them.
pub struct ResourcePolicy {
    policy: Policy,
    bound: Mutex<Option<Bound>>,
}

/// What its principals meant in a directory.
struct Bound {
    epoch: u64,
    version: u64,
    compiled: Arc<CompiledPolicy>,
}

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
        let read = Arc::new(ResourcePolicy { policy, bound: Mutex::new(None) });
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
        let (epoch, version) = (snapshot.epoch(), snapshot.version());
        let of_now = |bound: &&Bound| bound.epoch == epoch && bound.version == version;
        let slot = || self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bound) = slot().as_ref().filter(of_now) {
            return Arc::clone(&bound.compiled);
        }
        let mut policy = self.policy.clone();
        policy.bind_known(&mut |arn| snapshot.principal_id(arn));
        let compiled = Arc::new(CompiledPolicy::new(&policy));
        *slot() = Some(Bound { epoch, version, compiled: Arc::clone(&compiled) });
        compiled
    }
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

//! A policy whose principals are bound once for each state of what they may mean.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Policy;
use super::compiled::CompiledPolicy;
use crate::id::UniqueId;

/// A policy that names principals by ARN, and what they meant last.
///
/// INVARIANT: what is kept is found by the state that said so, and by nothing else.
pub struct BoundPolicy {
    policy: Policy,
    last: Mutex<Option<Last>>,
}

struct Last {
    state: (u64, u64),
    compiled: Arc<CompiledPolicy>,
}

impl BoundPolicy {
    /// A policy that is not bound yet.
    pub fn new(policy: Policy) -> Self {
        Self { policy, last: Mutex::new(None) }
    }

    /// The policy with its principals bound: the ARNs that it names mean those that `resolve` says,
    /// which is asked once for each state: the epoch and the version of the directory that it reads.
    pub fn at(
        &self,
        state: (u64, u64),
        resolve: &mut dyn FnMut(&str) -> Option<UniqueId>,
    ) -> Arc<CompiledPolicy> {
        let slot = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = slot().as_ref().filter(|last| last.state == state) {
            return Arc::clone(&last.compiled);
        }
        let mut policy = self.policy.clone();
        policy.bind_known(resolve);
        let compiled = Arc::new(CompiledPolicy::new(&policy));
        *slot() = Some(Last { state, compiled: Arc::clone(&compiled) });
        compiled
    }
}

impl fmt::Debug for BoundPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundPolicy").field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::DocumentKind;

    #[test]
    fn principals_are_looked_for_once_for_each_state() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*",
            "Resource":"*","Principal":{"AWS":"arn:aws:iam::111111111111:user/alice"}}]}"#;
        let policy = BoundPolicy::new(Policy::parse(text, DocumentKind::Resource).unwrap());
        let mut asked = 0;
        let mut at = |state| {
            policy.at(state, &mut |arn| {
                assert_eq!(arn, "arn:aws:iam::111111111111:user/alice");
                asked += 1;
                None
            })
        };
        let first = at((0, 7));
        assert!(Arc::ptr_eq(&first, &at((0, 7))));
        assert!(!Arc::ptr_eq(&first, &at((0, 8))));
        assert!(!Arc::ptr_eq(&first, &at((1, 7))));
        assert_eq!(asked, 3);
        let debug = format!("{policy:?}");
        assert!(debug.starts_with("BoundPolicy { policy: Policy {"), "{debug}");
    }
}

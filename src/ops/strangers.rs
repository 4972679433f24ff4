//! Room for requests that come without a signature, among all that may be in work.
//!
//! # Model
//!
//! Such a request holds a place from before it is looked at until it is answered, also while it waits
//! for an issuer's keys. Anybody may send one that has to wait, so there are two bounds:
//!
//! INVARIANT: strangers keep no signed request out. They have half of the room.
//!
//! INVARIANT: the strangers of one account keep those of another out no more. Whoever takes a place
//! leaves at least as many as his account then has: one flood has half of the room at most, another
//! one half of what that leaves.
//!
//! The account is the one that the request names, and nothing of that is proven yet: whoever holds
//! half of the room in an account's name keeps that account's own strangers out. Whoever names many
//! accounts that there are may hold nearly all of it. Accounts that there are not count as one: nobody
//! gets more room by making names up.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fault::Fault;
use crate::directory::Snapshot;
use crate::id::AccountId;

/// The places for strangers.
pub struct Strangers {
    places: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    /// By account; those that there are not are `None`. INVARIANT: nobody stands here without a
    /// place.
    of: HashMap<Option<AccountId>, usize>,
}

impl Strangers {
    /// Half of the requests that may be in work at once.
    #[must_use]
    pub fn among(requests: usize) -> Self {
        Self { places: (requests / 2).max(1), taken: Mutex::default() }
    }

    /// A place for a request that names this account, as long as it is held.
    ///
    /// # Errors
    /// `ServiceUnavailable` if there is none.
    pub(super) fn place(
        &self,
        state: &Snapshot,
        account: Option<AccountId>,
    ) -> Result<Place<'_>, Fault> {
        let account = account.filter(|id| state.account(*id).is_some());
        let mut taken = self.taken();
        let left = self.places.saturating_sub(taken.all);
        let own = taken.of.get(&account).copied().unwrap_or_default();
        if left == 0 {
            return Err(Fault::unavailable(
                "half of all requests in work come without a signature",
            ));
        }
        if own >= left {
            return Err(Fault::unavailable(
                "the requests without a signature of one account have as much room as they leave",
            ));
        }
        taken.all += 1;
        taken.of.insert(account, own + 1);
        Ok(Place { strangers: self, account })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is held.
pub(super) struct Place<'a> {
    strangers: &'a Strangers,
    account: Option<AccountId>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.strangers.taken();
        taken.all = taken.all.saturating_sub(1);
        let own = taken.of.get(&self.account).copied().unwrap_or_default();
        if own > 1 {
            taken.of.insert(self.account, own - 1);
        } else {
            taken.of.remove(&self.account);
        }
    }
}

/// As many places as an account gets.
#[cfg(test)]
pub(super) fn flood<'a>(
    strangers: &'a Strangers,
    state: &Snapshot,
    account: Option<AccountId>,
) -> Vec<Place<'a>> {
    std::iter::from_fn(|| strangers.place(state, account).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::Caller;
    use crate::ops::fault::FaultCode;
    use crate::ops::testing::{A, B, Bench};
    use crate::ops::{Context, eks};

    fn id(text: &str) -> AccountId {
        AccountId::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_flood_of_one_account_leaves_room_for_the_strangers_of_another() {
        let bench = Bench::new().await;
        let state = bench.services.directory.snapshot();
        let strangers = Strangers::among(128);
        let first = flood(&strangers, &state, Some(id(A)));
        assert_eq!(first.len(), 32, "half of half of the room");
        let second = flood(&strangers, &state, Some(id(B)));
        assert_eq!(second.len(), 16);
        let made_up = (1..=999).map(|n| Some(id(&format!("{n:012}"))));
        let made_up: Vec<_> =
            made_up.flat_map(|account| flood(&strangers, &state, account)).collect();
        assert_eq!(made_up.len(), 8, "accounts that there are not are one");
        drop(first);
        assert_eq!(flood(&strangers, &state, Some(id(B))).len(), 12, "28 with those that it had");
        drop(second);
        assert_eq!(flood(&strangers, &state, Some(id(A))).len(), 28);
    }

    /// Each way of a request without a signature asks for a place by the account that it names.
    #[tokio::test]
    async fn a_flood_of_one_account_keeps_nobody_out_of_another() {
        let bench = Bench::new().await;
        let state = bench.services.directory.snapshot();
        let _held = flood(&bench.services.strangers, &state, Some(id(A)));
        for (account, busy) in [(A, true), (B, false)] {
            let role = format!("arn:aws:iam::{account}:role/r");
            let provider = format!("arn:aws:iam::{account}:saml-provider/p");
            let web = [
                ("RoleArn", role.as_str()),
                ("RoleSessionName", "monday"),
                ("WebIdentityToken", "header.payload.signature"),
            ];
            let web = bench.unsigned("AssumeRoleWithWebIdentity", &web).await.map(drop);
            let saml = [
                ("RoleArn", role.as_str()),
                ("PrincipalArn", provider.as_str()),
                ("SAMLAssertion", "PHNhbWw+"),
            ];
            let saml = bench.unsigned("AssumeRoleWithSAML", &saml).await.map(drop);
            let (caller, facts) = (&Caller::Anonymous, &bench.facts());
            let context = Context { services: &bench.services, caller, facts, batch: None };
            let pod = eks::endpoint(&context, id(account), "prod", "token").await;
            for (what, result) in [
                ("AssumeRoleWithWebIdentity", web),
                ("AssumeRoleWithSAML", saml),
                ("pod identity", pod.map(drop)),
            ] {
                let code = result.unwrap_err().code();
                assert_eq!(code == FaultCode::ServiceUnavailable, busy, "{what}: {code:?}");
            }
        }
    }

    #[tokio::test]
    async fn strangers_have_half_of_the_room_and_give_it_back() {
        let bench = Bench::new().await;
        let state = bench.services.directory.snapshot();
        let strangers = Strangers::among(10);
        for _ in 0..3 {
            let held =
                [Some(id(A)), Some(id(B)), None].map(|account| flood(&strangers, &state, account));
            assert_eq!(held.each_ref().map(Vec::len), [3, 1, 1]);
            assert_eq!(strangers.taken().all, 5);
            drop(held);
            let taken = strangers.taken();
            assert_eq!((taken.all, taken.of.len()), (0, 0));
        }
        assert!(Strangers::among(1).place(&state, Some(id(A))).is_ok());
    }
}

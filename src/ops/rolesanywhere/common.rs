//! What every kind of resource has: it is got, listed, deleted, enabled and disabled.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::access;
use crate::directory::{
    AnywhereProfile, Crl, Entity, EntityKey, Revoked, Snapshot, Subject, Tag, TrustAnchor,
};
use crate::id::{AccountId, AnywhereId, ProviderId, uuid};
use crate::ops::Context;
use crate::ops::fault::Fault;
use crate::ops::json::{Input, JsonOperation};
use crate::seal::marker;
use crate::time::Timestamp;

/// Entries of a page, if the caller does not say, and at most.
const PAGE: usize = 100;

/// A kind of resource.
pub(super) trait Resource: Clone + Send + Sync + 'static {
    /// As ARNs name it.
    const KIND: &'static str;
    /// The member that holds one in an answer.
    const ONE: &'static str;
    /// The member that holds several.
    const MANY: &'static str;

    /// The one of this ID.
    fn find(state: &Snapshot, id: [u8; 16]) -> Option<&Arc<Self>>;
    /// Those of an account, by ID.
    fn of(state: &Snapshot, account: AccountId) -> Vec<&Arc<Self>>;
    fn account(&self) -> AccountId;
    fn raw_id(&self) -> [u8; 16];
    fn tags(&self) -> &[Tag];
    fn set_tags(&mut self, tags: Vec<Tag>, now: Timestamp);
    /// Enables or disables it; `disabled` is what ends what came from it.
    fn switch(&mut self, _enabled: bool, _disabled: Revoked) {}
    fn key(&self) -> EntityKey;
    fn entity(self) -> Entity;
    /// As answers tell it; a list may tell less.
    fn view(&self, context: &Context<'_>, listed: bool) -> Value;
}

macro_rules! resource {
    ($it:ident, $kind:literal, $one:literal, $many:literal, $find:ident, $of:ident, $id:ident,
     $view:path $(, $self:ident $enabled:ident $disabled:ident: $switch:block)?) => {
        impl Resource for $it {
            const KIND: &'static str = $kind;
            const ONE: &'static str = $one;
            const MANY: &'static str = $many;

            fn find(state: &Snapshot, id: [u8; 16]) -> Option<&Arc<Self>> {
                state.$find(&$id(id))
            }

            fn of(state: &Snapshot, account: AccountId) -> Vec<&Arc<Self>> {
                let mut all: Vec<_> = state.$of(account).collect();
                all.sort_by_key(|it| it.id);
                all
            }

            fn account(&self) -> AccountId {
                self.account
            }

            fn raw_id(&self) -> [u8; 16] {
                self.id.0
            }

            fn tags(&self) -> &[Tag] {
                &self.tags
            }

            fn set_tags(&mut self, tags: Vec<Tag>, now: Timestamp) {
                (self.tags, self.updated_at) = (tags, now);
            }

            $(fn switch(&mut $self, $enabled: bool, $disabled: Revoked) $switch)?

            fn key(&self) -> EntityKey {
                EntityKey::$it(self.id)
            }

            fn entity(self) -> Entity {
                Entity::$it(self)
            }

            fn view(&self, context: &Context<'_>, listed: bool) -> Value {
                $view(self, context, listed)
            }
        }
    };
}

resource!(
    TrustAnchor, "trust-anchor", "trustAnchor", "trustAnchors", trust_anchor, trust_anchors_of,
    ProviderId, super::anchors::view, self enabled disabled: {
        self.enabled = enabled;
        self.updated_at = disabled.at;
        if !enabled {
            self.revoked = Some(disabled);
        }
    }
);
resource!(
    AnywhereProfile, "profile", "profile", "profiles", anywhere_profile, anywhere_profiles_of,
    AnywhereId, super::profiles::view, self enabled disabled: {
        (self.enabled, self.updated_at) = (enabled, disabled.at);
    }
);
resource!(
    Crl, "crl", "crl", "crls", crl, crls_of, AnywhereId, super::crls::view,
    self enabled disabled: {
        (self.enabled, self.updated_at) = (enabled, disabled.at);
    }
);
resource!(
    Subject,
    "subject",
    "subject",
    "subjects",
    subject,
    subjects_of,
    AnywhereId,
    super::subjects::view
);

/// `{ "<one>": … }`
pub(super) fn answer<R: Resource>(context: &Context<'_>, it: &R) -> Value {
    Value::Object(Map::from_iter([(R::ONE.to_owned(), it.view(context, false))]))
}

/// Gets one.
pub(super) fn get<O: JsonOperation, R: Resource>(
    context: &Context<'_>,
    id: &str,
) -> Result<Value, Fault> {
    let state = context.services.directory.snapshot();
    let found = access::one::<O, R>(context, &state, id)?;
    Ok(answer(context, &*found))
}

/// Deletes one, with what belongs to it.
pub(super) async fn delete<O: JsonOperation, R: Resource>(
    context: &Context<'_>,
    id: &str,
) -> Result<Value, Fault> {
    context
        .change(|tx| {
            let found = access::one::<O, R>(context, tx.state(), id)?;
            if let EntityKey::TrustAnchor(anchor) = found.key() {
                let state = tx.state();
                let anchor = state.trust_anchor(&anchor);
                let lists = anchor.into_iter().flat_map(|it| state.crls_of_anchor(it));
                let lists: Vec<_> = lists.map(|it| it.id).collect();
                for id in lists {
                    tx.delete(EntityKey::Crl(id));
                }
            }
            tx.delete(found.key());
            Ok(answer(context, &*found))
        })
        .await
}

/// Enables or disables one.
pub(super) async fn switch<O: JsonOperation, R: Resource>(
    context: &Context<'_>,
    id: &str,
    enabled: bool,
) -> Result<Value, Fault> {
    let at = context.facts.now.floor_secs();
    context
        .change(|tx| {
            let found = access::one::<O, R>(context, tx.state(), id)?;
            let mut changed = R::clone(&found);
            changed.switch(enabled, Revoked { version: tx.version(), at });
            let answer = answer(context, &changed);
            tx.put(changed.entity());
            Ok(answer)
        })
        .await
}

/// Which page of a list.
pub struct Page {
    most: usize,
    after: Option<String>,
}

impl Page {
    pub(super) fn read(input: &Input<'_>) -> Self {
        let most = input.integer("pageSize").and_then(|most| usize::try_from(most).ok());
        Self {
            most: most.unwrap_or(PAGE).clamp(1, PAGE),
            after: input.text("nextToken").map(ToOwned::to_owned),
        }
    }
}

/// Lists those of the account.
pub(super) fn list<O: JsonOperation, R: Resource>(
    context: &Context<'_>,
    page: &Page,
) -> Result<Value, Fault> {
    let state = context.services.directory.snapshot();
    let account = access::any::<O>(context, &state, &[])?;
    let keyring = &context.services.keyring;
    let owner = account.to_string();
    let place = [owner.as_bytes(), O::NAME.as_bytes()];
    let after = match &page.after {
        None => None,
        Some(token) => Some(
            marker::open(keyring, &place, token)
                .map_err(|error| access::invalid("nextToken is not valid.").with_note(error))?,
        ),
    };
    let mut found = R::of(&state, account);
    if let Some(after) = after {
        found.retain(|it| uuid(&it.raw_id()) > after);
    }
    let more = found.len() > page.most;
    found.truncate(page.most);
    let mut answer = Map::new();
    if let Some(last) = found.last().filter(|_| more) {
        let last = uuid(&last.raw_id());
        let token = marker::seal(keyring, &place, &last, &*context.services.random)
            .map_err(Fault::internal)?;
        answer.insert("nextToken".to_owned(), token.into());
    }
    let views: Vec<_> = found.iter().map(|it| it.view(context, true)).collect();
    answer.insert(R::MANY.to_owned(), views.into());
    Ok(answer.into())
}

/// An operation on one resource that has nothing but its ID: `get`, `delete`, `switch`.
macro_rules! by_id {
    ($(#[$doc:meta])* $name:ident, $effect:ident, $id:expr,
     |$context:ident, $which:ident| $do:expr) => {
        $(#[$doc])*
        pub struct $name;

        impl JsonOperation for $name {
            const NAME: &'static str = stringify!($name);
            const SERVICE: Service = Service::RolesAnywhere;
            const EFFECT: Effect = Effect::$effect;
            const INPUT: &'static [Member] = &[$id];
            const FAULTS: &'static [FaultCode] = &[FaultCode::ResourceNotFound];
            type Request = String;

            fn read(input: &Input<'_>) -> Result<String, Fault> {
                Ok(input.required($id.name).to_owned())
            }

            async fn execute($context: &Context<'_>, $which: String) -> Result<Value, Fault> {
                $do
            }
        }
    };
}

/// An operation that lists.
macro_rules! listing {
    ($(#[$doc:meta])* $name:ident of $kind:ident) => {
        $(#[$doc])*
        pub struct $name;

        impl JsonOperation for $name {
            const NAME: &'static str = stringify!($name);
            const SERVICE: Service = Service::RolesAnywhere;
            const EFFECT: Effect = Effect::Read;
            const INPUT: &'static [Member] = &[shapes::NEXT, shapes::PAGE];
            const FAULTS: &'static [FaultCode] = &[];
            type Request = common::Page;

            fn read(input: &Input<'_>) -> Result<common::Page, Fault> {
                Ok(common::Page::read(input))
            }

            async fn execute(context: &Context<'_>, page: common::Page) -> Result<Value, Fault> {
                common::list::<Self, $kind>(context, &page)
            }
        }
    };
}

pub(super) use {by_id, listing};

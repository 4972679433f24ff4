//! Long-term keys as operations name them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access;
use crate::directory::{AccessKey, Snapshot};
use crate::id::AccessKeyId;
use crate::ops::fault::{Entity, Fault};
use crate::ops::params::{Validator, rules};
use crate::ops::{Context, Operation};

/// A key, and whose it is: without a name, the caller's.
pub struct Named {
    user: Option<String>,
    key: String,
}

impl Named {
    /// Reads `UserName` and `AccessKeyId`.
    pub fn read(v: &mut Validator<'_, '_>) -> Self {
        Self {
            user: v.optional("UserName", &rules::NAME).map(ToOwned::to_owned),
            key: v.required("AccessKeyId", &rules::ACCESS_KEY_ID).to_owned(),
        }
    }

    /// What audit records tell of it.
    pub fn describe(&self) -> Value {
        json!({ "userName": self.user, "accessKeyId": self.key })
    }

    /// The key, for a caller who may do `O` to the user.
    ///
    /// # Errors
    /// As [`access::person_or_caller`]; `NoSuchEntity` if the key is not that user's.
    pub fn find<O: Operation>(
        &self,
        context: &Context<'_>,
        state: &Snapshot,
    ) -> Result<Arc<AccessKey>, Fault> {
        let owner = access::person_or_caller::<O>(context, state, self.user.as_deref())?;
        AccessKeyId::parse(&self.key)
            .ok()
            .and_then(|id| state.access_key(&id))
            .filter(|key| key.user == owner.id())
            .cloned()
            .ok_or_else(|| Fault::no_such_entity(Entity::AccessKey, &self.key))
    }
}

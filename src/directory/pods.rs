//! Which role the pods of a Kubernetes service account have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::index::Kept;
use crate::id::{AccountId, AssociationId, ProviderId, UniqueId};
use crate::time::Timestamp;

/// An association of EKS Pod Identity.
///
/// INVARIANT (identity is by unique ID): cluster and role are the provider and the role that they
/// were when it was made. A provider or role made again under the same name has no part in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodAssociation {
    /// Drawn once.
    pub id: AssociationId,
    /// The account of the cluster, its provider and the role.
    pub account: AccountId,
    /// The cluster's name.
    pub cluster: String,
    /// The namespace.
    pub namespace: String,
    /// The service account.
    pub service_account: String,
    /// The provider that issues the cluster's tokens.
    pub provider: ProviderId,
    /// The role.
    pub role: UniqueId,
    /// Its ARN when it was given.
    pub role_arn: String,
    /// Sessions get no tags.
    #[serde(default)]
    pub disable_session_tags: bool,
    /// Tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub modified_at: Timestamp,
}

/// The ID as the EKS API has it: `a-…`.
pub fn told(id: AssociationId) -> String {
    format!("a-{id}")
}

/// What an association is found by. None of the parts holds a slash.
pub(super) fn place(cluster: &str, namespace: &str, service_account: &str) -> String {
    format!("{cluster}/{namespace}/{service_account}")
}

impl Kept for PodAssociation {
    type Id = AssociationId;

    fn id(&self) -> AssociationId {
        self.id
    }

    fn account(&self) -> AccountId {
        self.account
    }

    fn folded(&self) -> String {
        // Names of clusters and of Kubernetes are exact.
        place(&self.cluster, &self.namespace, &self.service_account)
    }
}

#[cfg(test)]
mod tests {
    use crate::directory::Entity;

    /// The stored form, as released: it must read for ever.
    #[test]
    fn a_golden_association_reads() {
        let text = r#"{"kind":"pod_association","id":"000102030405060708090a0b0c0d0e0f",
            "account":"111122223333","cluster":"prod","namespace":"shop",
            "service_account":"orders","provider":"0f0e0d0c0b0a09080706050403020100",
            "role":"AROAAAAAAAAAAAAAAAAA1","role_arn":"arn:aws:iam::111122223333:role/orders",
            "disable_session_tags":false,"tags":{"team":"blue"},"created_at":1790000000000,
            "modified_at":1790000001000}"#;
        let entity: Entity = serde_json::from_str(text).unwrap();
        let stored: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(&entity).unwrap(), stored);
        assert_eq!(entity.key().to_string(), "pod-association/000102030405060708090a0b0c0d0e0f");
        // Of the region that it was made in, which was once kept, nothing is left: ARNs are the
        // deployment's.
        let mut older = stored;
        older["region"] = "eu-west-1".into();
        assert_eq!(serde_json::from_value::<Entity>(older).unwrap(), entity);
    }
}

//! What IAM Roles Anywhere keeps: whom an account trusts to issue certificates, what those may get,
//! what was revoked, and who came.

use serde::{Deserialize, Serialize};

use super::entities::{Revoked, Tag};
use super::index::Kept;
use crate::federation::x509::{Mappings, RevocationList};
use crate::id::{AccountId, AnywhereId, ProviderId, UniqueId};
use crate::time::Timestamp;

/// A trust anchor: authorities whose certificates are taken.
///
/// INVARIANT (identity is by unique ID): sessions name it as the provider that vouched for them, and
/// end with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustAnchor {
    /// Never used twice; told in the shape of a UUID.
    pub id: ProviderId,
    /// The account it belongs to.
    pub account: AccountId,
    /// For people.
    pub name: String,
    /// The authorities, in PEM, as they were given.
    pub bundle: String,
    /// Whether its certificates are taken.
    pub enabled: bool,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Sessions that began with it before this are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
}

/// A role that a profile lists.
///
/// INVARIANT (identity is by unique ID): a role made again under the name is not listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRole {
    /// The role.
    pub id: UniqueId,
    /// Its ARN when it was listed.
    pub arn: String,
}

/// A profile: roles that certificates may get, and what binds their sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnywhereProfile {
    /// Never used twice; told in the shape of a UUID.
    pub id: AnywhereId,
    /// The account it belongs to.
    pub account: AccountId,
    /// For people.
    pub name: String,
    /// Whether it gives sessions.
    pub enabled: bool,
    /// The roles.
    pub roles: Vec<ListedRole>,
    /// The inline session policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_policy: Option<String>,
    /// Managed session policies by ARN.
    #[serde(default)]
    pub managed_policies: Vec<String>,
    /// Their unique IDs, in the same order. Without them the profile gives no session.
    ///
    /// INVARIANT (identity is by unique ID): a policy made again under its ARN is not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_policy_ids: Option<Vec<UniqueId>>,
    /// The longest session, in seconds; an hour if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
    /// Whether a request may name its session.
    #[serde(default)]
    pub accept_session_name: bool,
    /// Which names of a certificate become session tags.
    #[serde(default)]
    pub mappings: Mappings,
    /// The ARN of who made it.
    pub created_by: String,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A revocation list of an authority of an anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crl {
    /// Never used twice; told in the shape of a UUID.
    pub id: AnywhereId,
    /// The account it belongs to.
    pub account: AccountId,
    /// For people.
    pub name: String,
    /// Whether it counts.
    pub enabled: bool,
    /// The anchor.
    pub anchor: ProviderId,
    /// The list.
    pub list: RevocationList,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// When it was imported.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Somebody who came with a certificate. Nothing depends on it: it is there to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Told in the shape of a UUID. Who is forgotten and comes again has the same.
    pub id: AnywhereId,
    /// The account whose anchor vouched.
    pub account: AccountId,
    /// The certificates' subject.
    pub name: String,
    /// Tags, in the order they were given.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// When it first came.
    pub created_at: Timestamp,
    /// When it last came, or its tags were changed.
    pub updated_at: Timestamp,
    /// When it last came, to the hour.
    pub last_seen_at: Timestamp,
    /// The certificates it came with, the last one first.
    #[serde(default)]
    pub seen: Vec<SeenCertificate>,
}

/// A certificate that somebody came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCertificate {
    /// Its serial number, in hexadecimal.
    pub serial: String,
    /// Its issuer.
    pub issuer: String,
    /// Its DER.
    #[serde(with = "super::entities::base64_bytes")]
    pub der: Vec<u8>,
    /// When it was last shown, to the hour.
    pub seen_at: Timestamp,
    /// Whether it then got nothing.
    #[serde(default)]
    pub failed: bool,
}

macro_rules! kept {
    ($($entity:ident by $id:ident, $it:ident: $name:expr;)*) => {$(
        impl Kept for $entity {
            type Id = $id;

            fn id(&self) -> $id {
                self.id
            }

            fn account(&self) -> AccountId {
                self.account
            }

            fn folded(&self) -> String {
                let $it = self;
                $name
            }
        }
    )*};
}

/// Where a revocation list stands: beside the others of its anchor, which never changes.
pub(super) fn place(anchor: &ProviderId, list: &str) -> String {
    format!("{anchor}/{list}")
}

// Names need not be unique: all but subjects are found by ID, and listed in that order.
kept! {
    TrustAnchor by ProviderId, it: it.id.to_string();
    AnywhereProfile by AnywhereId, it: it.id.to_string();
    Crl by AnywhereId, it: place(&it.anchor, &it.id.to_string());
    Subject by AnywhereId, it: it.name.clone();
}

#[cfg(test)]
mod tests {
    use crate::directory::Entity;

    /// The stored forms, as released: they must read for ever.
    #[test]
    fn golden_entities_read() {
        for (text, key) in [
            (
                r#"{"kind":"trust_anchor","id":"000102030405060708090a0b0c0d0e0f",
                "account":"111122223333","name":"corp","bundle":"PEM","enabled":true,
                "tags":[{"key":"team","value":"blue"}],"created_at":1790000000000,
                "updated_at":1790000001000,"revoked":{"version":7,"at":1790000001000}}"#,
                "trust-anchor/000102030405060708090a0b0c0d0e0f",
            ),
            (
                r#"{"kind":"anywhere_profile","id":"000102030405060708090a0b0c0d0e0f",
                "account":"111122223333","name":"apps","enabled":false,
                "roles":[{"id":"AROAAAAAAAAAAAAAAAAA1","arn":"arn:aws:iam::111122223333:role/app"}],
                "session_policy":"{}","managed_policies":["arn:aws:iam::aws:policy/ReadOnlyAccess"],
                "duration":900,"accept_session_name":true,
                "mappings":[{"field":"x509SAN","specifiers":["URI"]}],
                "created_by":"arn:aws:iam::111122223333:user/admin","tags":[],
                "created_at":1790000000000,"updated_at":1790000001000}"#,
                "anywhere-profile/000102030405060708090a0b0c0d0e0f",
            ),
            (
                r#"{"kind":"anywhere_profile","id":"000102030405060708090a0b0c0d0e0f",
                "account":"111122223333","name":"apps","enabled":true,"roles":[],
                "managed_policies":["arn:aws:iam::111122223333:policy/own"],
                "managed_policy_ids":["ANPAAAAAAAAAAAAAAAAA1"],"accept_session_name":false,
                "mappings":[],"created_by":"arn:aws:iam::111122223333:user/admin","tags":[],
                "created_at":1790000000000,"updated_at":1790000001000}"#,
                "anywhere-profile/000102030405060708090a0b0c0d0e0f",
            ),
            (
                r#"{"kind":"subject","id":"000102030405060708090a0b0c0d0e0f",
                "account":"111122223333","name":"CN=app","tags":[],"created_at":1790000000000,
                "updated_at":1790000001000,"last_seen_at":1790000001000,
                "seen":[{"serial":"0a","issuer":"CN=ca","der":"MAA=","seen_at":1790000001000,
                "failed":true}]}"#,
                "subject/000102030405060708090a0b0c0d0e0f",
            ),
        ] {
            let entity: Entity = serde_json::from_str(text).unwrap();
            let stored: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_value(&entity).unwrap(), stored);
            assert_eq!(entity.key().to_string(), key);
        }
    }
}

//! The `x-amz-*` headers of a request: what they do besides, and their condition keys.

use super::super::{Meaning, Unmapped, path};
use super::{deed, table::Level, table::Operation};
use crate::policy::{Value, fold};

/// Headers whose values are condition keys of the same name under `s3:`.
const KEYS: &[&str] = &[
    "x-amz-acl",
    "x-amz-bucket-namespace",
    "x-amz-copy-source",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
];

/// Headers that are condition keys of another name.
const RENAMED: &[(&str, &str)] = &[("x-amz-object-lock-legal-hold", "s3:object-lock-legal-hold")];

/// The `x-amz-*` headers, names in lower case, each once.
pub(super) struct Amz(Vec<(String, String)>);

impl Amz {
    pub(super) fn read(headers: &[(&str, &[u8])]) -> Result<Self, Unmapped> {
        let mut read: Vec<(String, String)> = Vec::new();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            if !name.starts_with("x-amz-") {
                continue;
            }
            let value = std::str::from_utf8(value)
                .map_err(|_| Unmapped::S3("a header of S3's is not UTF-8"))?;
            // An archive is unpacked: it names the objects that it makes.
            if name == "x-amz-meta-snowball-auto-extract" {
                return Err(Unmapped::S3("an archive makes objects that are not named here"));
            }
            // Whoever reads `_` as `-` would see a header that was not judged.
            if name.contains('_') && !name.starts_with("x-amz-meta-") {
                return Err(Unmapped::S3("a header of S3's has an underscore"));
            }
            if read.iter().any(|(known, _)| *known == name) {
                return Err(Unmapped::S3("a header of S3's comes twice"));
            }
            read.push((name, value.trim().to_owned()));
        }
        Ok(Self(read))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn copy_source(&self) -> Option<&str> {
        self.get("x-amz-copy-source")
    }

    /// Whether a copy takes the tags of its source with it, which is the default.
    pub(super) fn copies_tags(&self) -> Result<bool, Unmapped> {
        match self.get("x-amz-tagging-directive") {
            None | Some("COPY") => Ok(true),
            Some("REPLACE") => Ok(false),
            Some(_) => Err(Unmapped::S3("x-amz-tagging-directive takes COPY or REPLACE")),
        }
    }

    /// What the headers do besides the operation. A header that changes what another operation is
    /// there for means nothing.
    pub(super) fn add_deeds(
        &self,
        operation: &Operation,
        resource: &str,
        meaning: &mut Meaning,
    ) -> Result<(), Unmapped> {
        let object = operation.level == Level::Object;
        let mut add = |action: &str| meaning.deeds.push(deed(action, resource));
        let has = |name: &str| self.get(name).is_some();
        let acl = has("x-amz-acl") || self.0.iter().any(|(n, _)| n.starts_with("x-amz-grant-"));
        let lock = has("x-amz-object-lock-mode") || has("x-amz-object-lock-retain-until-date");
        let hold = has("x-amz-object-lock-legal-hold");
        let sets_acl = operation.action.ends_with("Acl");
        if acl && !sets_acl {
            match (operation.makes, object) {
                (true, true) => add("PutObjectAcl"),
                (true, false) => add("PutBucketAcl"),
                (false, _) => return Err(Unmapped::S3("the operation sets no ACL")),
            }
        }
        if has("x-amz-tagging") {
            if !(operation.makes && object) {
                return Err(Unmapped::S3("the operation sets no tags by a header"));
            }
            add("PutObjectTagging");
        }
        // The days that remain are a condition key, and there is no clock here to tell them.
        if lock {
            return Err(Unmapped::S3("a retention by headers is not read here"));
        }
        if hold {
            if !(operation.makes && object) {
                return Err(Unmapped::S3("the operation sets no lock by a header"));
            }
            add("PutObjectLegalHold");
        }
        if !object && operation.makes {
            if self.get("x-amz-bucket-object-lock-enabled").is_some() {
                add("PutBucketObjectLockConfiguration");
                add("PutBucketVersioning");
            }
            if has("x-amz-object-ownership") {
                add("PutBucketOwnershipControls");
            }
        }
        if has("x-amz-bypass-governance-retention") {
            add("BypassGovernanceRetention");
        }
        Ok(())
    }

    /// Adds the condition keys.
    pub(super) fn add_keys(&self, keys: &mut Vec<(String, Value)>) -> Result<(), Unmapped> {
        for (name, value) in &self.0 {
            let renamed = RENAMED.iter().find(|(header, _)| header == name).map(|(_, key)| *key);
            if KEYS.contains(&name.as_str()) {
                keys.push((format!("s3:{name}"), Value::One(value.clone())));
            } else if let Some(key) = renamed {
                keys.push((key.to_owned(), Value::One(value.clone())));
            }
        }
        if let Some(tagging) = self.get("x-amz-tagging") {
            add_tags(tagging, keys)?;
        }
        Ok(())
    }
}

/// Headers on which a write depends, and their condition keys.
const PRECONDITIONS: &[(&str, &str)] =
    &[("if-match", "s3:if-match"), ("if-none-match", "s3:if-none-match")];

/// The condition keys of what a write depends on. Such a header need not be signed to be heeded: one
/// that is not means nothing, nor one that comes twice.
pub(super) fn preconditions(
    operation: &Operation,
    headers: &[(&str, &[u8])],
    signed: &[String],
) -> Result<Vec<(String, Value)>, Unmapped> {
    let deletes = operation.action == "DeleteObject";
    let mut keys: Vec<(String, Value)> = Vec::new();
    if operation.creates.is_none() && !deletes {
        return Ok(keys);
    }
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let Some((_, key)) = PRECONDITIONS.iter().find(|(header, _)| *header == name) else {
            continue;
        };
        let value = std::str::from_utf8(value.trim_ascii()).map_err(|_| UNSIGNED)?;
        if !signed.contains(&name) || keys.iter().any(|(known, _)| known == key) {
            return Err(UNSIGNED);
        }
        keys.push(((*key).to_owned(), Value::One(value.to_owned())));
    }
    Ok(keys)
}

const UNSIGNED: Unmapped =
    Unmapped::S3("if-match or if-none-match of a write is not signed, or comes twice");

/// Tags as `key=value&key=value`. What has two readings, or none, means nothing: whoever stores the
/// tags might read others than those that were judged.
fn add_tags(tagging: &str, found: &mut Vec<(String, Value)>) -> Result<(), Unmapped> {
    const UNREADABLE: Unmapped = Unmapped::S3("the tags in a header cannot be read in one way");
    if tagging.contains(';') {
        return Err(UNREADABLE);
    }
    let mut keys: Vec<String> = Vec::new();
    for part in tagging.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let text = |text: &str| {
            let bytes = path::decode(&text.replace('+', "%20")).map_err(|_| UNREADABLE)?;
            String::from_utf8(bytes).map_err(|_| UNREADABLE)
        };
        let (key, value) = (text(key)?, text(value)?);
        // Condition keys are not told apart by case.
        if key.is_empty() || keys.iter().any(|known| fold(known) == fold(&key)) {
            return Err(UNREADABLE);
        }
        found.push((format!("s3:RequestObjectTag/{key}"), Value::One(value)));
        keys.push(key);
    }
    found.push(("s3:RequestObjectTagKeys".to_owned(), Value::Many(keys)));
    Ok(())
}

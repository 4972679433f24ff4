//! The source of a copy: whoever copies an object reads it, and its tags with it.

use super::super::{Deed, Unmapped};
use super::{deed as deed_of, is_bucket, read_path};
use crate::policy::Value;

/// The reading of a source: `bucket/key`, escaped, perhaps with a slash before it and a version
/// behind it. `tags`: its tags are copied too.
pub(super) fn deeds(source: &str, tags: bool) -> Result<Vec<Deed>, Unmapped> {
    // A blank to some servers, the end to others.
    if source.contains(['+', '#', ';']) {
        return Err(Unmapped::S3("the source of the copy holds an unescaped +, # or ;"));
    }
    let (raw, query) = source.split_once('?').unwrap_or((source, ""));
    let version = match query.split_once('=') {
        None if query.is_empty() => None,
        Some(("versionId", version)) if is_version(version) => Some(version),
        _ => return Err(Unmapped::S3("the source of the copy is not bucket/key")),
    };
    let raw = if raw.starts_with('/') { raw.to_owned() } else { format!("/{raw}") };
    let text = read_path(&raw)?;
    if !text.split_once('/').is_some_and(|(bucket, key)| is_bucket(bucket) && !key.is_empty()) {
        return Err(Unmapped::S3("the source of the copy is not bucket/key"));
    }
    let actions: &[&str] = match (version, tags) {
        (None, false) => &["GetObject"],
        (None, true) => &["GetObject", "GetObjectTagging"],
        (Some(_), false) => &["GetObjectVersion"],
        (Some(_), true) => &["GetObjectVersion", "GetObjectVersionTagging"],
    };
    let read = |action: &&str| {
        let mut deed = deed_of(action, &format!("arn:aws:s3:::{text}"));
        let version = version.map(|version| Value::One(version.to_owned()));
        deed.keys.extend(version.map(|version| ("s3:VersionId".to_owned(), version)));
        deed
    };
    Ok(actions.iter().map(read).collect())
}

/// Whether a text names one version, whether or not it is decoded.
fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/".contains(&b))
}

//! The source of a copy: whoever copies an object reads it.

use super::super::{Deed, Unmapped};
use super::{deed as deed_of, is_bucket, read_path};

/// The reading of a source: `bucket/key`, escaped, perhaps with a slash before it and a version
/// behind it.
pub(super) fn deed(source: &str) -> Result<Deed, Unmapped> {
    // A blank to some servers, the end to others.
    if source.contains(['+', '#']) {
        return Err(Unmapped::S3("the source of the copy holds an unescaped + or #"));
    }
    let (raw, query) = source.split_once('?').unwrap_or((source, ""));
    let action = match query.split_once('=') {
        None if query.is_empty() => "GetObject",
        Some(("versionId", version)) if !version.is_empty() && !version.contains(['&', '=']) => {
            "GetObjectVersion"
        }
        _ => return Err(Unmapped::S3("the source of the copy is not bucket/key")),
    };
    let raw = if raw.starts_with('/') { raw.to_owned() } else { format!("/{raw}") };
    let text = read_path(&raw)?;
    match text.split_once('/') {
        Some((bucket, key)) if is_bucket(bucket) && !key.is_empty() => {
            Ok(deed_of(action, &format!("arn:aws:s3:::{text}")))
        }
        _ => Err(Unmapped::S3("the source of the copy is not bucket/key")),
    }
}

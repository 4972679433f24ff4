//! AWS JSON 1.1: an operation in a header, JSON in the body.
//!
//! Model: `X-Amz-Target: <service's prefix>.<operation>`, a body that is one JSON object, answers
//! of the type `application/x-amz-json-1.1`, errors with a `__type`. Source: "AWS JSON 1.1
//! protocol" in Smithy's documentation.
//!
//! Trust boundary: every byte here is the caller's. A document that two readers could understand
//! differently (a key twice in an object, text after the end) is refused.

use serde_json::{Map, Value, json};

use crate::api::{self, StrictError};

/// The type of requests and answers.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// The body is not a JSON object that can be read in one way only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Json11Error {
    /// Another type than [`CONTENT_TYPE`].
    #[error("the body must be {CONTENT_TYPE}")]
    ContentType,
    /// Not strict JSON, or no object.
    #[error(transparent)]
    Json(#[from] StrictError),
}

/// Splits the target into the service's prefix and the operation.
pub fn target(header: &str) -> Option<(&str, &str)> {
    header
        .rsplit_once('.')
        .filter(|(prefix, operation)| !prefix.is_empty() && !operation.is_empty())
}

/// Reads the body of a request. No body at all is an empty object.
///
/// # Errors
/// When it is of another type, or not strict JSON.
pub fn read(content_type: Option<&str>, body: &[u8]) -> Result<Map<String, Value>, Json11Error> {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    if !essence.trim().eq_ignore_ascii_case(CONTENT_TYPE) {
        return Err(Json11Error::ContentType);
    }
    if body.is_empty() {
        return Ok(Map::new());
    }
    Ok(api::strict(body)?)
}

/// The body of an error.
pub fn error(kind: &str, message: &str, reason: Option<&str>) -> Vec<u8> {
    let mut body = json!({ "__type": kind, "Message": message });
    if let (Some(reason), Some(body)) = (reason, body.as_object_mut()) {
        body.insert("Reason".to_owned(), reason.into());
    }
    body.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: Option<&str> = Some(CONTENT_TYPE);

    #[test]
    fn a_target_is_a_prefix_and_an_operation() {
        let header = "AWSOrganizationsV20161128.ListRoots";
        assert_eq!(target(header), Some(("AWSOrganizationsV20161128", "ListRoots")));
        for bad in ["", ".", "ListRoots", ".ListRoots", "AWSOrganizationsV20161128."] {
            assert_eq!(target(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_one_object_of_the_type_is_read() {
        assert_eq!(read(TYPE, b"").unwrap().len(), 0);
        assert_eq!(read(TYPE, br#"{"A":1}"#).unwrap().len(), 1);
        assert_eq!(read(Some("application/x-amz-json-1.1; charset=utf-8"), b"{}"), Ok(Map::new()));
        for bad in
            [&b"[]"[..], b"1", b"{} {}", br#"{"A":1,"A":2}"#, br#"{"A":{"b":1,"b":1}}"#, b"\xff"]
        {
            assert!(matches!(read(TYPE, bad), Err(Json11Error::Json(_))), "{bad:?}");
        }
        for other in [None, Some(""), Some("application/json"), Some("application/x-amz-json-1.0")]
        {
            assert_eq!(read(other, b"{}"), Err(Json11Error::ContentType), "{other:?}");
        }
    }

    #[test]
    fn errors_have_their_type_message_and_reason() {
        let body: Value = serde_json::from_slice(&error("A", "m\"", Some("R"))).unwrap();
        assert_eq!(body, json!({ "__type": "A", "Message": "m\"", "Reason": "R" }));
        let body: Value = serde_json::from_slice(&error("A", "m", None)).unwrap();
        assert_eq!(body, json!({ "__type": "A", "Message": "m" }));
    }
}

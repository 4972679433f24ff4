//! Reading a document. Whatever is not understood is refused, with its place and the reason.

mod condition;
mod error;
pub(crate) mod json;
mod principal;
mod statement;

pub use error::{JsonProblem, ParseError, Reason};

use std::collections::HashSet;

use super::ast::{DocumentKind, Policy, Version};
use super::limits::HARD_CAP_BYTES;
use json::{Json, Located, Path, Place};

impl Policy {
    /// Parses a document of this kind.
    ///
    /// The parser's own bound is [`HARD_CAP_BYTES`]; the quotas of the
    /// kinds are the caller's to check, as [`count_without_whitespace`] counts.
    ///
    /// [`count_without_whitespace`]: super::count_without_whitespace
    ///
    /// ```
    /// use countersign::policy::{DocumentKind, Policy};
    ///
    /// let text = r#"{
    ///     "Version": "2012-10-17",
    ///     "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    /// }"#;
    /// assert!(Policy::parse(text, DocumentKind::Identity).is_ok());
    ///
    /// let error = Policy::parse(&text.replace("Effect", "effect"), DocumentKind::Identity);
    /// assert_eq!(
    ///     error.unwrap_err().to_string(),
    ///     "at $.Statement.effect: element names are case-sensitive: this one is written Effect"
    /// );
    /// ```
    pub fn parse(text: &str, kind: DocumentKind) -> Result<Self, ParseError> {
        let root = Path::ROOT;
        if text.len() > HARD_CAP_BYTES {
            return Err(root.refuse(Reason::TooLong { limit: HARD_CAP_BYTES }));
        }
        let document = json::read(text)?;
        let mut policy = Self::of_json(&document.json, kind)?;
        policy.text = text.into();
        for (statement, place) in policy.statements.iter_mut().zip(statement_places(&document)) {
            statement.span = place.span.clone();
        }
        Ok(policy)
    }

    /// Understands a document that has been read. The statements do not know their places yet, nor
    /// the policy its text.
    pub(crate) fn of_json(document: &Json, kind: DocumentKind) -> Result<Self, ParseError> {
        let root = Path::ROOT;
        let [version, id, statements] = elements(document, &root, ["Version", "Id", "Statement"])?;

        let version = version.map_or(Ok(Version::V2008), |json| {
            let path = root.key("Version");
            match string(json, &path)? {
                "2012-10-17" => Ok(Version::V2012),
                "2008-10-17" => Ok(Version::V2008),
                _ => Err(path.refuse(Reason::Version)),
            }
        })?;
        let id = match id {
            None => None,
            Some(json) => {
                let path = root.key("Id");
                if !matches!(kind, DocumentKind::Resource | DocumentKind::Trust) {
                    return Err(path.refuse(Reason::NotInThisKind { kind }));
                }
                Some(string(json, &path)?.to_owned())
            }
        };

        let path = root.key("Statement");
        let statements = match statements {
            None => return Err(root.refuse(Reason::MissingElement { element: "Statement" })),
            Some(Json::List(list)) if list.is_empty() => return Err(path.refuse(Reason::Empty)),
            Some(Json::List(list)) => (list.iter().enumerate())
                .map(|(index, json)| statement::parse(json, &path.index(index), kind, version))
                .collect::<Result<Vec<_>, _>>()?,
            Some(json) => vec![statement::parse(json, &path, kind, version)?],
        };
        let mut sids = HashSet::new();
        for (index, statement) in statements.iter().enumerate() {
            if let Some(sid) = &statement.sid
                && !sid.is_empty()
                && !sids.insert(sid)
            {
                return Err(path.index(index).key("Sid").refuse(Reason::DuplicateSid));
            }
        }
        Ok(Self { text: "".into(), kind, version, id, statements })
    }
}

/// Where each statement of a document stands.
fn statement_places(document: &Located) -> impl Iterator<Item = &Place> {
    let members = match &document.json {
        Json::Map(members) => members.as_slice(),
        _ => &[],
    };
    let found =
        (members.iter().zip(&document.place.children)).find(|((key, _), _)| key == "Statement");
    let places = match found {
        Some(((_, Json::List(_)), place)) => place.children.as_slice(),
        Some((_, place)) => std::slice::from_ref(place),
        None => &[],
    };
    places.iter()
}

/// Takes an object apart into its known elements; an unknown one is refused.
fn elements<'j, const N: usize>(
    json: &'j Json,
    path: &Path<'_>,
    known: [&'static str; N],
) -> Result<[Option<&'j Json>; N], ParseError> {
    let mut found = [None; N];
    for (key, value) in object(json, path)? {
        let at = path.key(key);
        let Some((_, slot)) = known.iter().zip(&mut found).find(|(name, _)| **name == key) else {
            let wanted = known.iter().find(|name| name.eq_ignore_ascii_case(key));
            return Err(at.refuse(match wanted {
                Some(expected) => Reason::WrongCase { expected },
                None => Reason::UnknownElement,
            }));
        };
        *slot = Some(value);
    }
    Ok(found)
}

fn object<'j>(json: &'j Json, path: &Path<'_>) -> Result<&'j [(String, Json)], ParseError> {
    match json {
        Json::Map(entries) => Ok(entries),
        other => Err(wrong_type(path, "an object", other)),
    }
}

fn string<'j>(json: &'j Json, path: &Path<'_>) -> Result<&'j str, ParseError> {
    match json {
        Json::Text(text) => Ok(text),
        other => Err(wrong_type(path, "a string", other)),
    }
}

/// Reads one string or a non-empty array of strings.
fn strings<T>(
    json: &Json,
    path: &Path<'_>,
    mut read: impl FnMut(&str, &Path<'_>) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    match json {
        Json::Text(text) => Ok(vec![read(text, path)?]),
        Json::List(list) if list.is_empty() => Err(path.refuse(Reason::Empty)),
        Json::List(list) => (list.iter().enumerate())
            .map(|(index, json)| {
                let path = path.index(index);
                read(string(json, &path)?, &path)
            })
            .collect(),
        other => Err(wrong_type(path, "a string or an array of strings", other)),
    }
}

fn wrong_type(path: &Path<'_>, expected: &'static str, found: &Json) -> ParseError {
    path.refuse(Reason::WrongType { expected, found: found.kind() })
}

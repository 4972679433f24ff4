//! The Query protocol's parameters, decoded.
//!
//! Model: a request is a flat set of names and values, `application/x-www-form-urlencoded`, in the
//! query of a GET or in the body of a POST. Dots make lists and structures of it:
//! `Tags.member.1.Key`. An empty list is a bare `Tags=`. Source: the AWS Query protocol in
//! Smithy's documentation, and what clients were seen to send.
//!
//! Trust boundary: every byte here is the caller's. So that no two readers of one request can
//! differ about what it says (aws-iam-authenticator's CVE-2022-2385), a name stands once, also
//! when only its case differs; a parameter comes from one place, the query or the body; a value
//! and a structure never share a name; list indices are 1, 2, 3 … without a gap.
//!
//! Parameters that an operation does not know are ignored, as AWS does: clients are newer than
//! servers.

mod decode;
mod view;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use zeroize::Zeroizing;

pub use self::view::View;

use crate::wire::printable;

/// At most this many parameters in a request.
pub const MAX_PARAMETERS: usize = 2000;
/// At most this many bytes in a parameter's name, decoded.
pub const MAX_NAME: usize = 256;
/// At most this many bytes in a parameter's value, decoded: the largest of the service models
/// (`SAMLMetadataDocument`). The edge bounds the whole body before, and lower.
pub const MAX_VALUE: usize = 10_000_000;
/// At most this many dotted parts in a name.
pub const MAX_DEPTH: usize = 9;
/// The highest index of a list.
pub const MAX_INDEX: usize = 1000;

/// The request is not a well-formed set of parameters. Names in it are fit to print.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("a parameter is not percent-encoded UTF-8")]
    Encoding,
    /// `=value`.
    #[error("a parameter has no name")]
    Nameless,
    /// More than [`MAX_PARAMETERS`].
    #[error("more than {MAX_PARAMETERS} parameters")]
    TooMany,
    /// A name beyond [`MAX_NAME`] or [`MAX_DEPTH`].
    #[error("the name of parameter {0} is too long or too deep")]
    Name(String),
    /// A value beyond [`MAX_VALUE`].
    #[error("the value of parameter {0} is too long")]
    Value(String),
    /// A name stands twice, perhaps in different case.
    #[error("parameter {0} is given more than once")]
    Duplicate(String),
    /// A body that does not say that it is a form in UTF-8.
    #[error("the body must be application/x-www-form-urlencoded in UTF-8")]
    NotAForm,
    /// A parameter in the URL of a request that has a body.
    #[error("parameter {0} is in the URL of a request whose parameters are in its body")]
    QueryAndBody(String),
    /// `Name` has a value and parts of its own: `Name=x&Name.member.1=y`.
    #[error("parameter {0} is both a value and a structure")]
    ValueAndStructure(String),
    /// A parameter that is known in another case: `policyarns` for `PolicyArns`.
    #[error("parameter {given} must be written {expected}")]
    Case {
        /// As it came.
        given: String,
        /// As it is called.
        expected: String,
    },
    /// Below a list's name stands something other than `.member.N`, or the list's own value is
    /// not empty.
    #[error("parameter {0} is not an element of a list, {1}.member.N")]
    NotAList(String, String),
    /// Indices are 1, 2, 3 … up to [`MAX_INDEX`], without leading zeros and without a gap.
    #[error("the elements of list {0} must be numbered 1, 2, 3 and so on, at most {MAX_INDEX}")]
    Index(String),
}

/// The parameters of one request. Some are secrets (tokens, passwords): no `Debug`, wiped when
/// dropped.
pub struct Params {
    /// By name in lower case, so that variants of one name meet.
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    name: String,
    value: Zeroizing<String>,
}

impl Params {
    /// The parameters of a request that is made here.
    pub fn of(pairs: &[(String, String)]) -> Result<Self, QueryError> {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            text.append_pair(name, value);
        }
        Self::parse(Some(&text.finish()), None)
    }

    /// Reads the parameters of a request: of a GET from its query, of a POST from its body.
    ///
    /// `query` is the raw query without its `?`. Signing parameters in it (`X-Amz-…`) are the
    /// signature verifier's and are left out, yet each may stand only once. When there is a body,
    /// the query holds nothing else.
    ///
    /// ```
    /// # use countersign::wire::query::Params;
    /// let params = Params::parse(Some("Action=GetCallerIdentity&Version=2011-06-15"), None)?;
    /// assert_eq!(params.text("Action"), Some("GetCallerIdentity"));
    /// # Ok::<_, countersign::wire::query::QueryError>(())
    /// ```
    pub fn parse(query: Option<&str>, form: Option<Form<'_>>) -> Result<Self, QueryError> {
        let mut params = Self { entries: BTreeMap::new() };
        params.add_all(query.unwrap_or_default().as_bytes())?;
        let signing = |name: &String| name.starts_with("x-amz-");
        params.entries.retain(|name, _| !signing(name));
        if let Some(form) = form.filter(|form| !form.body.is_empty()) {
            if let Some(entry) = params.entries.values().next() {
                return Err(QueryError::QueryAndBody(short(&entry.name)));
            }
            form.check_type()?;
            params.add_all(form.body)?;
        }
        params.check_paths()?;
        Ok(params)
    }

    /// The value of a parameter, by its exact name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.root().text(name)
    }

    /// The elements of a list. `None` when the request does not speak of it, no elements when it
    /// says that the list is empty (`Name=`).
    pub fn list(&self, name: &str) -> Result<Option<Vec<View<'_>>>, QueryError> {
        self.root().list(name)
    }

    /// All of it, as the structure at the root.
    pub fn root(&self) -> View<'_> {
        View::root(self)
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no parameter at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn add_all(&mut self, encoded: &[u8]) -> Result<(), QueryError> {
        for pair in encoded.split(|b| *b == b'&') {
            if !pair.is_empty() {
                self.add(pair)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, pair: &[u8]) -> Result<(), QueryError> {
        let mut halves = pair.splitn(2, |b| *b == b'=');
        let name = decode::component(halves.next().unwrap_or_default())?;
        let value = decode::component(halves.next().unwrap_or_default())?;
        if name.is_empty() {
            return Err(QueryError::Nameless);
        }
        if name.len() > MAX_NAME || name.split('.').count() > MAX_DEPTH {
            return Err(QueryError::Name(short(&name)));
        }
        if value.len() > MAX_VALUE {
            return Err(QueryError::Value(short(&name)));
        }
        if self.entries.len() == MAX_PARAMETERS {
            return Err(QueryError::TooMany);
        }
        let key = name.to_ascii_lowercase();
        if self.entries.contains_key(&key) {
            return Err(QueryError::Duplicate(short(&name)));
        }
        self.entries.insert(key, Entry { name: name.as_str().to_owned(), value });
        Ok(())
    }

    /// No name is the beginning of another one's path.
    fn check_paths(&self) -> Result<(), QueryError> {
        for key in self.entries.keys() {
            for (dot, _) in key.match_indices('.') {
                if let Some(entry) = key.get(..dot).and_then(|path| self.entries.get(path)) {
                    return Err(QueryError::ValueAndStructure(short(&entry.name)));
                }
            }
        }
        Ok(())
    }
}

/// The body of a POST and what its `Content-Type` says about it.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// The `Content-Type` header, if there is one.
    pub content_type: Option<&'a str>,
    /// The bytes.
    pub body: &'a [u8],
}

impl Form<'_> {
    fn check_type(&self) -> Result<(), QueryError> {
        let mut parts = self.content_type.unwrap_or_default().split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let utf8 = parts.filter(|part| !part.is_empty()).all(|part| {
            part.split_once('=').is_some_and(|(name, value)| {
                !name.trim().eq_ignore_ascii_case("charset")
                    || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
        });
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") && utf8 {
            Ok(())
        } else {
            Err(QueryError::NotAForm)
        }
    }
}

/// A name as it may stand in an error.
fn short(name: &str) -> String {
    printable(name, 64)
}

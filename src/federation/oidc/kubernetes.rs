//! What tokens of Kubernetes say of the pod they were made for.
//!
//! Source: Kubernetes documentation, "Managing Service Accounts", "Schema for service account
//! private claims".

use serde_json::{Map, Value};

use super::error::TokenError;

/// The claim.
const CLAIM: &str = "kubernetes.io";
/// The most characters of a name, and of a UID.
const MAX: usize = 253;
/// The most characters of the UID of a pod: what a session tag takes is more.
const MAX_UID: usize = 128;

/// The pod of a token that is bound to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}

impl Pod {
    /// Whether its name and UID are such as Kubernetes gives: a DNS subdomain, and letters, digits
    /// and hyphens.
    pub fn is_plain(&self) -> bool {
        is_name(&self.name)
            && self.uid.len() <= MAX_UID
            && self.uid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    }
}

/// The claim `kubernetes.io`, as far as it is understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kubernetes {
    /// The namespace.
    pub namespace: Option<String>,
    /// The name of the service account.
    pub service_account: Option<String>,
    /// The pod.
    pub pod: Option<Pod>,
}

/// The namespace and the name of the service account of a subject,
/// `system:serviceaccount:<namespace>:<name>`.
pub fn service_account(subject: &str) -> Option<(&str, &str)> {
    let (namespace, name) = subject.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (is_name(namespace) && is_name(name)).then_some((namespace, name))
}

fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    (1..=MAX).contains(&text.len()) && text.bytes().all(plain)
}

pub(super) fn read(payload: &Map<String, Value>) -> Result<Option<Kubernetes>, TokenError> {
    const WRONG: TokenError = TokenError::Claim(CLAIM);
    fn object<'v>(
        of: &'v Map<String, Value>,
        name: &str,
    ) -> Result<Option<&'v Map<String, Value>>, TokenError> {
        match of.get(name) {
            None => Ok(None),
            Some(value) => value.as_object().map(Some).ok_or(WRONG),
        }
    }
    fn text(of: &Map<String, Value>, name: &str) -> Result<Option<String>, TokenError> {
        match of.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && text.len() <= MAX => {
                Ok(Some(text.clone()))
            }
            Some(_) => Err(WRONG),
        }
    }
    let Some(claim) = object(payload, CLAIM)? else { return Ok(None) };
    let pod = match object(claim, "pod")? {
        None => None,
        Some(pod) => Some(Pod {
            name: text(pod, "name")?.ok_or(WRONG)?,
            uid: text(pod, "uid")?.ok_or(WRONG)?,
        }),
    };
    let service_account = match object(claim, "serviceaccount")? {
        None => None,
        Some(account) => text(account, "name")?,
    };
    Ok(Some(Kubernetes { namespace: text(claim, "namespace")?, service_account, pod }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(value: &Value) -> Result<Option<Kubernetes>, TokenError> {
        read(json!({ CLAIM: value }).as_object().unwrap())
    }

    #[test]
    fn subjects_of_service_accounts_are_read_and_no_others() {
        assert_eq!(service_account("system:serviceaccount:shop:orders"), Some(("shop", "orders")));
        for bad in [
            "",
            "orders",
            "system:serviceaccount:shop",
            "system:serviceaccount::orders",
            "system:serviceaccount:shop:",
            "system:serviceaccount:shop:orders:more",
            "system:serviceaccount:shop:a/b",
            "system:serviceaccount:Shop:orders",
            "system:serviceaccount:*:orders",
            "system:node:shop:orders",
        ] {
            assert_eq!(service_account(bad), None, "{bad}");
        }
    }

    #[test]
    fn pods_have_plain_names() {
        let pod = |name: &str, uid: &str| Pod { name: name.to_owned(), uid: uid.to_owned() };
        let uid = "0b6f1c9e-8d2a-4d8e-9d5a-3f2b1c0d9e8f";
        assert!(pod("orders-5d9c7b6f4d-x2x9z", uid).is_plain());
        assert!(pod(&"a".repeat(253), &"A".repeat(128)).is_plain());
        for name in ["Orders", "a b", "a/b", "a:b", "a*", "a\n", "ä", ""] {
            assert!(!pod(name, uid).is_plain(), "{name}");
        }
        for uid in ["a b", "a*", "a${aws:username}", "ä", &"a".repeat(129)] {
            assert!(!pod("orders", uid).is_plain(), "{uid}");
        }
    }

    #[test]
    fn what_is_there_with_a_wrong_type_is_refused() {
        assert_eq!(read(&Map::new()), Ok(None));
        let whole = json!({
            "namespace": "shop", "serviceaccount": { "name": "orders", "uid": "u" },
            "pod": { "name": "orders-1", "uid": "2" }, "node": { "name": "n" },
        });
        assert_eq!(
            claim(&whole).unwrap().unwrap(),
            Kubernetes {
                namespace: Some("shop".to_owned()),
                service_account: Some("orders".to_owned()),
                pod: Some(Pod { name: "orders-1".to_owned(), uid: "2".to_owned() }),
            }
        );
        for bad in [
            json!("shop"),
            json!(null),
            json!({ "namespace": 1 }),
            json!({ "namespace": "" }),
            json!({ "serviceaccount": "orders" }),
            json!({ "serviceaccount": { "name": ["orders"] } }),
            json!({ "pod": { "name": "orders-1" } }),
            json!({ "pod": { "name": "orders-1", "uid": 2 } }),
            json!({ "pod": [] }),
        ] {
            assert_eq!(claim(&bad), Err(TokenError::Claim(CLAIM)), "{bad}");
        }
    }
}

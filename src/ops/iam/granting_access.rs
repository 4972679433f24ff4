//! ListPoliciesGrantingServiceAccess: by which policies a user, group or role may use a service.
//!
//! A policy counts that allows an action of the service, whatever its resources and conditions; a
//! user's groups count for the user. Denials and boundaries do not.
//!
//! Source: AWS IAM API reference, ListPoliciesGrantingServiceAccess.

use serde_json::{Value, json};

use super::kind::constants;
use super::page::{Page, Paging};
use super::source::{Source, SourceArn};
use crate::directory::entities::Policies;
use crate::directory::{Document, Managed, Snapshot};
use crate::id::AccountId;
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct ListPoliciesGrantingServiceAccess;

/// Of whom, and which services.
pub struct Request {
    source: SourceArn,
    namespaces: Vec<String>,
    paging: Paging,
}

/// A policy that grants, and who has it.
#[derive(Clone)]
pub struct Grant {
    policy: String,
    /// The ARN of a managed one.
    arn: Option<String>,
    /// The kind and name of who has it, of an inline one.
    holder: (&'static str, String),
}

/// A service, and the policies that grant it.
pub struct Entry {
    namespace: String,
    grants: Vec<Grant>,
}

impl Operation for ListPoliciesGrantingServiceAccess {
    constants!(Read "ListPoliciesGrantingServiceAccess");
    type Request = Request;
    type Response = Page<Entry>;

    fn read(params: &Params) -> Result<Request, Fault> {
        params::read(params, |v| {
            let rule = rules::SERVICE_NAMESPACE;
            let namespaces = v.required_texts("ServiceNamespaces", 1..=200, &rule);
            Request {
                source: SourceArn::read(v, "Arn"),
                namespaces: namespaces.into_iter().map(ToOwned::to_owned).collect(),
                paging: Paging::read_marker(v),
            }
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "arn": request.source.text(), "serviceNamespaces": request.namespaces })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Page<Entry>, Fault> {
        let state = context.services.directory.snapshot();
        let source = request.source.find::<Self>(context, &state)?;
        // Each is read once, however many services are asked about.
        let grants: Vec<(Grant, Value)> = grants(&state, &source)
            .into_iter()
            .map(|(grant, document)| {
                (grant, serde_json::from_str(document.text()).unwrap_or_default())
            })
            .collect();
        let entries = request.namespaces.iter().enumerate().map(|(at, namespace)| {
            let granting = grants.iter().filter(|(_, document)| allows(document, namespace));
            let grants = granting.map(|(grant, _)| grant.clone()).collect();
            (format!("{at:04}"), Entry { namespace: namespace.clone(), grants })
        });
        request.paging.page::<Self, _>(context, &source.key(), entries)
    }

    fn write(response: &Page<Entry>, xml: &mut Xml) {
        xml.list("PoliciesGrantingServiceAccess", &response.items, |xml, entry| {
            xml.text("ServiceNamespace", &entry.namespace);
            xml.list("Policies", &entry.grants, |xml, grant| {
                xml.text("PolicyName", &grant.policy);
                xml.text("PolicyType", if grant.arn.is_some() { "MANAGED" } else { "INLINE" });
                if let Some(arn) = &grant.arn {
                    xml.text("PolicyArn", arn);
                } else {
                    xml.text("EntityType", grant.holder.0);
                    xml.text("EntityName", &grant.holder.1);
                }
            });
        });
        response.write_end(xml);
    }
}

/// Every policy that the source has, its groups' included.
fn grants(state: &Snapshot, source: &Source) -> Vec<(Grant, Document)> {
    let mut grants = Vec::new();
    let mut add = |account, kind, name: &str, policies: &Policies| {
        grants.extend(of(state, account, &(kind, name.to_owned()), policies));
    };
    match source {
        Source::User(user) => {
            add(user.account, "USER", &user.name, &user.policies);
            for group in user.groups.iter().filter_map(|id| state.group(id)) {
                add(group.account, "GROUP", &group.name, &group.policies);
            }
        }
        Source::Group(group) => add(group.account, "GROUP", &group.name, &group.policies),
        Source::Role(role) => add(role.account, "ROLE", &role.name, &role.policies),
    }
    let mut seen = std::collections::HashSet::new();
    grants.retain(|(grant, _): &(Grant, Document)| {
        grant.arn.as_ref().is_none_or(|arn| seen.insert(arn.clone()))
    });
    grants
}

fn of(
    state: &Snapshot,
    account: AccountId,
    holder: &(&'static str, String),
    policies: &Policies,
) -> Vec<(Grant, Document)> {
    let inline = policies.inline.iter().map(|(name, document)| {
        let grant = Grant { policy: name.clone(), arn: None, holder: holder.clone() };
        (grant, document.clone())
    });
    let managed = policies.attached.iter().filter_map(|arn| {
        let policy: Managed = state.managed_policy(account, arn)?;
        let (name, arn) = (policy.name().to_owned(), Some(arn.clone()));
        let grant = Grant { policy: name, arn, holder: holder.clone() };
        Some((grant, policy.document()?.clone()))
    });
    inline.chain(managed).collect()
}

fn member<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// Whether a document, which has been parsed before, allows an action of a service.
fn allows(document: &Value, namespace: &str) -> bool {
    let many = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let covers = |pattern: &Value| {
        let pattern = pattern.as_str().unwrap_or_default();
        pattern == "*"
            || pattern.split_once(':').is_some_and(|(it, _)| it.eq_ignore_ascii_case(namespace))
    };
    let covers_all = |pattern: &Value| {
        let pattern = pattern.as_str().unwrap_or_default();
        pattern == "*" || (covers(&Value::from(pattern)) && pattern.ends_with(":*"))
    };
    many(member(document, "Statement")).iter().any(|statement| {
        let not = many(member(statement, "NotAction"));
        let granted = many(member(statement, "Action")).iter().any(covers)
            || (!not.is_empty() && !not.iter().any(covers_all));
        granted && member(statement, "Effect") == "Allow"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_granted_by_actions_and_by_what_is_not_left_out() {
        let statement = |body: &str| -> Value {
            serde_json::from_str(&format!(r#"{{"Statement":{{"Effect":"Allow",{body}}}}}"#))
                .unwrap()
        };
        for (body, expected) in [
            (r#""Action":"s3:Get*""#, true),
            (r#""Action":["iam:*","S3:ListBucket"]"#, true),
            (r#""Action":"*""#, true),
            (r#""Action":"s3-outposts:*""#, false),
            (r#""NotAction":"iam:*""#, true),
            (r#""NotAction":"s3:*""#, false),
            (r#""NotAction":["s3:Get*"]"#, true),
            (r#""NotAction":"*""#, false),
        ] {
            assert_eq!(allows(&statement(body), "s3"), expected, "{body}");
        }
        assert!(!allows(&json!({ "Statement": [{ "Effect": "Deny", "Action": "*" }] }), "s3"));
    }
}

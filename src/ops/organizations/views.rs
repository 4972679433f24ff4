//! The structures of answers.

use serde_json::{Map, Value, json};

use crate::directory::organization::{
    ControlPolicy, ControlType, Creation, FeatureSet, Handshake, Member, Organization, Parent,
    PolicyRef, Target, Unit, full_access,
};
use crate::directory::{Account, Organized, Snapshot, Tag};
use crate::time::Timestamp;

/// How long a closed account may be opened again, in seconds: 90 days.
pub const POST_CLOSURE: i64 = 90 * 24 * 3600;

/// An `Organization`.
pub fn organization(state: &Organized, it: &Organization) -> Value {
    let types = match it.features {
        FeatureSet::All => ControlType::ALL.map(enabled).to_vec(),
        FeatureSet::ConsolidatedBilling => Vec::new(),
    };
    let mut view = json!({
        "Id": it.id.to_string(),
        "Arn": it.arn(),
        "FeatureSet": it.features.as_str(),
        "MasterAccountArn": it.target_arn(&Target::Account(it.management)),
        "MasterAccountId": it.management.to_string(),
        "AvailablePolicyTypes": types,
    });
    let email = state.member(it.management).and_then(|member| member.email.clone());
    optional(&mut view, "MasterAccountEmail", email);
    view
}

/// A `Root`.
pub fn root(it: &Organization) -> Value {
    let types: Vec<Value> = it.enabled.iter().map(|control| enabled(*control)).collect();
    json!({
        "Id": it.root.to_string(),
        "Arn": it.target_arn(&Target::Root(it.root)),
        "Name": "Root",
        "PolicyTypes": types,
    })
}

fn enabled(control: ControlType) -> Value {
    json!({ "Type": control.as_str(), "Status": "ENABLED" })
}

/// An `OrganizationalUnit`.
pub fn unit(state: &Organized, organization: &Organization, it: &Unit) -> Value {
    let mut view = json!({
        "Id": it.id.to_string(),
        "Arn": organization.target_arn(&Target::Unit(it.id)),
        "Name": it.name,
    });
    optional(&mut view, "Path", state.path_text(Parent::Unit(it.id)));
    view
}

/// An `Account`.
pub fn account(
    state: &Snapshot,
    organization: &Organization,
    it: &Member,
    now: Timestamp,
) -> Value {
    let organized = state.organized();
    let closed_at = organized.state_of(it.account).and_then(|state| state.closed_at);
    let (status, word) = match closed_at {
        None => ("ACTIVE", "ACTIVE"),
        Some(at) if now.secs_since(at) < POST_CLOSURE => ("SUSPENDED", "SUSPENDED"),
        Some(_) => ("SUSPENDED", "CLOSED"),
    };
    let mut view = json!({
        "Id": it.account.to_string(),
        "Arn": organization.target_arn(&Target::Account(it.account)),
        "Name": state.account(it.account).map_or("", |account: &std::sync::Arc<Account>| &account.name),
        "Status": status,
        "State": word,
        "JoinedMethod": it.joined.as_str(),
        "JoinedTimestamp": it.joined_at.secs(),
    });
    optional(&mut view, "Email", it.email.clone());
    let path = organized.path_text(it.parent).map(|path| vec![format!("{path}{}/", it.account)]);
    optional(&mut view, "Paths", path);
    view
}

/// A `CreateAccountStatus`.
pub fn creation(it: &Creation) -> Value {
    let mut view = json!({
        "Id": it.id.to_string(),
        "AccountName": it.name,
        "State": if it.account.is_some() { "SUCCEEDED" } else { "FAILED" },
        "RequestedTimestamp": it.at.secs(),
        "CompletedTimestamp": it.at.secs(),
    });
    match it.account {
        Some(account) => optional(&mut view, "AccountId", Some(account.to_string())),
        None => optional(&mut view, "FailureReason", Some("EMAIL_ALREADY_EXISTS")),
    }
    view
}

/// A `DelegatedAdministrator`, of an `Account`.
pub fn delegated(account: Value, since: Timestamp) -> Value {
    let mut view = account;
    if let Value::Object(members) = &mut view {
        members.remove("Paths");
    }
    optional(&mut view, "DelegationEnabledDate", Some(since.secs()));
    view
}

/// A `Handshake`.
pub fn handshake(
    state: &Snapshot,
    organization: &Organization,
    it: &Handshake,
    now: Timestamp,
) -> Value {
    let id = organization.id.to_string();
    let name = state.account(organization.management).map_or("", |account| &account.name);
    let mut parties = vec![json!({ "Id": id, "Type": "ORGANIZATION" })];
    let mut resources = vec![json!({
        "Type": "ORGANIZATION",
        "Value": id,
        "Resources": [
            { "Type": "MASTER_NAME", "Value": name },
            { "Type": "ORGANIZATION_FEATURE_SET", "Value": organization.features.as_str() },
        ],
    })];
    if let Some(account) = it.account {
        parties.push(json!({ "Id": account.to_string(), "Type": "ACCOUNT" }));
        resources.push(json!({ "Type": "ACCOUNT", "Value": account.to_string() }));
    }
    resources.extend(it.notes.iter().map(|notes| json!({ "Type": "NOTES", "Value": notes })));
    json!({
        "Id": it.id.to_string(),
        "Arn": it.arn(organization),
        "Parties": parties,
        "State": it.state_at(now).as_str(),
        "RequestedTimestamp": it.requested_at.secs(),
        "ExpirationTimestamp": it.expires_at.secs(),
        "Action": it.action.as_str(),
        "Resources": resources,
    })
}

/// A `PolicySummary`; `None` if there is no such policy.
pub fn summary(state: &Organized, organization: &Organization, it: &PolicyRef) -> Option<Value> {
    let control = state.control_of(it)?;
    let (name, description) = match it {
        PolicyRef::Own(id) => {
            let policy: &ControlPolicy = state.policy(id)?;
            (policy.name.as_str(), policy.description.as_str())
        }
        _ => (full_access(control).name, full_access(control).description),
    };
    Some(json!({
        "Id": it.as_str(),
        "Arn": organization.policy_arn(it, control),
        "Name": name,
        "Description": description,
        "Type": control.as_str(),
        "AwsManaged": !matches!(it, PolicyRef::Own(_)),
    }))
}

/// A `Policy`; `None` if there is no such policy.
pub fn policy(state: &Organized, organization: &Organization, it: &PolicyRef) -> Option<Value> {
    let content = match it {
        PolicyRef::Own(id) => state.policy(id)?.content.text(),
        _ => full_access(state.control_of(it)?).content.text(),
    };
    let summary = summary(state, organization, it)?;
    Some(json!({ "PolicySummary": summary, "Content": content }))
}

/// A list of `Tag`.
pub fn tags(tags: &[Tag]) -> impl Iterator<Item = (String, Value)> {
    tags.iter().map(|tag| (tag.key.clone(), json!({ "Key": tag.key, "Value": tag.value })))
}

fn optional(view: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let (Some(value), Value::Object(members)) = (value, view) {
        Map::insert(members, name.to_owned(), value.into());
    }
}

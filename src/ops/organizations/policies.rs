//! Service and resource control policies.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{Ask, Who, constraint, permit};
use super::page::Paging;
use super::{shapes, tags, views};
use crate::directory::organization::{
    ControlDocument, ControlPolicy, ControlType, FeatureSet, OrgPolicyId, Organization, PolicyRef,
};
use crate::directory::{Entity, EntityKey, Organized, Tag};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member, invalid};
use crate::ops::{Context, Effect, Service};

/// A policy's longest text, in characters, white space included.
const MAX_CONTENT: usize = 5120;
/// At most this many policies in an organization.
const MAX_POLICIES: usize = 10_000;

/// The type of that word, if it has an effect here.
pub(super) fn control(word: &str) -> Option<ControlType> {
    ControlType::ALL.into_iter().find(|control| control.as_str() == word)
}

/// What a request that names a policy is about. One that is not there has the ARN of one that
/// somebody wrote.
pub(super) fn asked(organization: &Organization, state: &Organized, id: &str) -> Ask {
    let reference = PolicyRef::parse(id).ok();
    let control = reference.and_then(|it| state.control_of(&it));
    let (arn, tags) = match (reference, control) {
        (Some(reference), Some(control)) => {
            let own = match reference {
                PolicyRef::Own(id) => state.policy(&id),
                _ => None,
            };
            let tags = own.map_or(&[][..], |policy| &policy.tags);
            (organization.policy_arn(&reference, control), tags)
        }
        _ => (organization.arn_of("policy", &format!("service_control_policy/{id}")), &[][..]),
    };
    Ask::about(arn, tags).of_control(control)
}

/// The policy that a request names.
pub(super) fn find(state: &Organized, id: &str) -> Result<(PolicyRef, ControlType), Fault> {
    let reference = PolicyRef::parse(id).ok();
    let found = reference.and_then(|it| Some((it, state.control_of(&it)?)));
    found.ok_or_else(|| {
        Fault::new(FaultCode::PolicyNotFound, "You specified a policy that doesn't exist.")
    })
}

/// The policy that a request names, to be changed.
fn own(state: &Organized, id: &str) -> Result<Arc<ControlPolicy>, Fault> {
    match find(state, id)? {
        (PolicyRef::Own(id), _) => state.policy(&id).cloned().ok_or_else(not_available),
        _ => Err(invalid("IMMUTABLE_POLICY", "You can't change an AWS managed policy.")),
    }
}

fn check_name(state: &Organized, control: ControlType, name: &str) -> Result<(), Fault> {
    if state.policies().any(|it| it.control == control && it.name == name) {
        return Err(Fault::new(
            FaultCode::DuplicatePolicy,
            "A policy with the same name already exists.",
        ));
    }
    Ok(())
}

pub(super) fn not_available() -> Fault {
    Fault::new(
        FaultCode::PolicyTypeNotAvailable,
        "This policy type is not available in your organization.",
    )
}

/// Reads a policy's text.
///
/// A resource control policy that somebody writes only denies, and says what: what is allowed is
/// the default policy's. Source: Organizations User Guide, "RCP syntax".
fn parse(content: &str, control: ControlType) -> Result<ControlDocument, Fault> {
    if content.chars().count() > MAX_CONTENT {
        return Err(constraint(
            "POLICY_CONTENT_LIMIT_EXCEEDED",
            format!("A policy has at most {MAX_CONTENT} characters."),
        ));
    }
    let malformed = |why: &dyn std::fmt::Display| {
        Fault::new(
            FaultCode::MalformedPolicyDocumentException,
            format!(
                "The provided policy document does not meet the requirements of the specified \
                 policy type: {why}."
            ),
        )
    };
    let document = ControlDocument::parse(content, control).map_err(|error| malformed(&error))?;
    if control == ControlType::ResourceControlPolicy {
        let json: Value = serde_json::from_str(content).map_err(|error| malformed(&error))?;
        let statements = match json.get("Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for statement in statements {
            if statement.get("Effect") != Some(&"Deny".into()) {
                return Err(malformed(&"a resource control policy only denies"));
            }
            let all = |action: &Value| matches!(action.as_str(), Some("*" | "*:*"));
            let everything = match statement.get("Action") {
                Some(Value::Array(list)) => list.iter().any(all),
                Some(one) => all(one),
                None => return Err(malformed(&"a resource control policy has no NotAction")),
            };
            if everything {
                let why = "an action of a resource control policy names its service";
                return Err(malformed(&why));
            }
        }
    }
    Ok(document)
}

/// Writes one.
pub struct CreatePolicy;

/// The policy that is wanted.
pub struct NewPolicy {
    content: String,
    description: String,
    name: String,
    kind: String,
    tags: Vec<Tag>,
}

impl JsonOperation for CreatePolicy {
    const NAME: &'static str = "CreatePolicy";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[
        Member::required("Content", &shapes::CONTENT),
        Member::required("Description", &shapes::DESCRIPTION),
        Member::required("Name", &shapes::NAME),
        Member::required("Type", &shapes::POLICY_TYPE),
        Member::optional("Tags", &shapes::TAGS),
    ];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::ConstraintViolation,
        FaultCode::DuplicatePolicy,
        FaultCode::MalformedPolicyDocumentException,
        FaultCode::PolicyTypeNotAvailable,
    ];
    type Request = NewPolicy;

    fn read(input: &Input<'_>) -> Result<NewPolicy, Fault> {
        Ok(NewPolicy {
            content: input.required("Content").to_owned(),
            description: input.required("Description").to_owned(),
            name: input.required("Name").to_owned(),
            kind: input.required("Type").to_owned(),
            tags: tags::read(input)?,
        })
    }

    async fn execute(context: &Context<'_>, request: NewPolicy) -> Result<Value, Fault> {
        let random = &*context.services.random;
        let id = OrgPolicyId::generate(random).map_err(Fault::internal)?;
        context
            .change(|tx| {
                let state = tx.state().organized();
                let known = control(&request.kind);
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    let ask = match known {
                        Some(control) if !request.tags.is_empty() => {
                            let arn = it.policy_arn(&PolicyRef::Own(id), control);
                            Ask::about(arn, &[])
                        }
                        _ => Ask::default(),
                    };
                    ask.of_type(request.kind.clone()).setting(&request.tags)
                })?;
                let control = known
                    .filter(|_| organization.features == FeatureSet::All)
                    .ok_or_else(not_available)?;
                let content = parse(&request.content, control)?;
                check_name(state, control, &request.name)?;
                if state.policies().count() >= MAX_POLICIES {
                    return Err(constraint(
                        "POLICY_NUMBER_LIMIT_EXCEEDED",
                        "You have exceeded the number of policies that you can have.",
                    ));
                }
                if state.policy(&id).is_some() {
                    return Err(Fault::unavailable("the policy ID that was drawn is taken"));
                }
                let NewPolicy { name, description, tags, .. } = request;
                let made = ControlPolicy { id, control, name, description, content, tags };
                tx.put(Entity::ControlPolicy(made));
                let state = tx.state().organized();
                Ok(json!({ "Policy": views::policy(state, &organization, &PolicyRef::Own(id)) }))
            })
            .await
    }
}

const ID: Member = Member::required("PolicyId", &shapes::POLICY_ID);

/// Reads `PolicyId`.
pub(super) fn id(input: &Input<'_>) -> String {
    input.required(ID.name).to_owned()
}

/// Describes one.
pub struct DescribePolicy;

impl JsonOperation for DescribePolicy {
    const NAME: &'static str = "DescribePolicy";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[ID];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::PolicyNotFound];
    type Request = String;

    fn read(input: &Input<'_>) -> Result<String, Fault> {
        Ok(id(input))
    }

    async fn execute(context: &Context<'_>, id: String) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        let organization =
            permit::<Self>(context, &state, Who::Delegated, |it| asked(it, organized, &id))?;
        let (found, _) = find(organized, &id)?;
        Ok(json!({ "Policy": views::policy(organized, &organization, &found) }))
    }
}

/// Changes one: where it is attached, at once.
pub struct UpdatePolicy;

/// What is to be changed.
pub struct Update {
    id: String,
    name: Option<String>,
    description: Option<String>,
    content: Option<String>,
}

impl JsonOperation for UpdatePolicy {
    const NAME: &'static str = "UpdatePolicy";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[
        ID,
        Member::optional("Name", &shapes::NAME),
        Member::optional("Description", &shapes::DESCRIPTION),
        Member::optional("Content", &shapes::CONTENT),
    ];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::OrganizationsNotInUse,
        FaultCode::ConstraintViolation,
        FaultCode::DuplicatePolicy,
        FaultCode::MalformedPolicyDocumentException,
        FaultCode::PolicyNotFound,
    ];
    type Request = Update;

    fn read(input: &Input<'_>) -> Result<Update, Fault> {
        let text = |name| input.text(name).map(ToOwned::to_owned);
        Ok(Update {
            id: id(input),
            name: text("Name"),
            description: text("Description"),
            content: text("Content"),
        })
    }

    async fn execute(context: &Context<'_>, request: Update) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let state = tx.state().organized();
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    asked(it, state, &request.id)
                })?;
                let before = own(state, &request.id)?;
                let mut changed = before.as_ref().clone();
                if let Some(name) = request.name
                    && name != changed.name
                {
                    check_name(state, changed.control, &name)?;
                    changed.name = name;
                }
                if let Some(description) = request.description {
                    changed.description = description;
                }
                if let Some(content) = request.content {
                    changed.content = parse(&content, changed.control)?;
                }
                if changed != *before {
                    tx.put(Entity::ControlPolicy(changed));
                }
                let (state, id) = (tx.state().organized(), PolicyRef::Own(before.id));
                Ok(json!({ "Policy": views::policy(state, &organization, &id) }))
            })
            .await
    }
}

/// Deletes one that is attached to nothing.
pub struct DeletePolicy;

impl JsonOperation for DeletePolicy {
    const NAME: &'static str = "DeletePolicy";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Write;
    const HAS_OUTPUT: bool = false;
    const INPUT: &'static [Member] = &[ID];
    const FAULTS: &'static [FaultCode] =
        &[FaultCode::OrganizationsNotInUse, FaultCode::PolicyInUse, FaultCode::PolicyNotFound];
    type Request = String;

    fn read(input: &Input<'_>) -> Result<String, Fault> {
        Ok(id(input))
    }

    async fn execute(context: &Context<'_>, id: String) -> Result<Value, Fault> {
        context
            .change(|tx| {
                let state = tx.state().organized();
                let organization = permit::<Self>(context, tx.state(), Who::Management, |it| {
                    asked(it, state, &id)
                })?;
                let found = own(state, &id)?;
                let reference = PolicyRef::Own(found.id);
                let attached = organization.attached.contains(&reference)
                    || state.units().any(|it| it.attached.contains(&reference))
                    || state.members().any(|it| it.attached.contains(&reference));
                if attached {
                    return Err(Fault::new(
                        FaultCode::PolicyInUse,
                        "The policy is attached: detach it from all roots, OUs and accounts first.",
                    ));
                }
                tx.delete(EntityKey::ControlPolicy(found.id));
                Ok(Value::Null)
            })
            .await
    }
}

/// Lists those of a type.
pub struct ListPolicies;

/// Of which type.
pub struct OfType {
    kind: String,
    paging: Paging,
}

impl JsonOperation for ListPolicies {
    const NAME: &'static str = "ListPolicies";
    const SERVICE: Service = Service::Organizations;
    const EFFECT: Effect = Effect::Read;
    const INPUT: &'static [Member] = &[
        Member::required("Filter", &shapes::POLICY_TYPE),
        shapes::next_token(),
        shapes::max_results(),
    ];
    const FAULTS: &'static [FaultCode] = &[FaultCode::OrganizationsNotInUse];
    type Request = OfType;

    fn read(input: &Input<'_>) -> Result<OfType, Fault> {
        Ok(OfType { kind: input.required("Filter").to_owned(), paging: Paging::read(input) })
    }

    async fn execute(context: &Context<'_>, request: OfType) -> Result<Value, Fault> {
        let state = context.services.directory.snapshot();
        let organized = state.organized();
        let organization = permit::<Self>(context, &state, Who::Delegated, |_| {
            Ask::default().of_type(request.kind.clone())
        })?;
        let control = control(&request.kind);
        let own = organized.policies().filter(|it| Some(it.control) == control);
        let own = own.map(|it| PolicyRef::Own(it.id));
        let entries = own.chain(control.map(ControlType::full_access)).filter_map(|it| {
            Some((it.to_string(), views::summary(organized, &organization, &it)?))
        });
        request.paging.page::<Self>(context, "Policies", &request.kind, entries)
    }
}

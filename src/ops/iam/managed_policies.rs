//! Managed policies: made, told, listed and deleted.
//!
//! Source: AWS IAM API reference, CreatePolicy, GetPolicy, ListPolicies, DeletePolicy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::access::{self, New};
use super::kind::{Made as _, constants};
use super::page::{Page, Paging};
use super::quotas::Quota;
use super::xml::{self, Detail};
use super::{tags, versions};
use crate::directory::policies::PolicyVersion;
use crate::directory::{
    Document, Entity, EntityKey, Managed, ManagedPolicy, Snapshot, Tag, managed,
};
use crate::id::{AccountId, UniqueId, UniqueKind};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation};
use crate::policy::{MANAGED_CHARS, count_without_whitespace};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// TagPolicy: sets tags.
pub type TagPolicy = tags::Tag<ManagedPolicy>;
/// UntagPolicy: removes tags.
pub type UntagPolicy = tags::Untag<ManagedPolicy>;
/// ListPolicyTags: all of them.
pub type ListPolicyTags = tags::List<ManagedPolicy>;

/// A managed policy, and how often its account uses it.
pub struct Told {
    /// The policy.
    pub policy: Managed,
    /// How many users, groups and roles have it.
    pub attached: usize,
    /// How many users and roles it bounds.
    pub bounds: usize,
}

impl Told {
    /// A policy as `account` sees it.
    pub fn of(state: &Snapshot, account: AccountId, policy: Managed) -> Self {
        let (attached, bounds) = state.uses_of(account, &policy.arn());
        Self { policy, attached, bounds }
    }
}

/// A document to be kept as a managed policy's. Too large a one is told of as such.
pub(super) fn document(text: &str) -> Result<Document, Fault> {
    let parsed =
        Document::parse(text).map_err(|error| Fault::malformed_policy(error.to_string()))?;
    Quota { name: "PolicySize", limit: MANAGED_CHARS }.check(count_without_whitespace(text))?;
    Ok(parsed)
}

/// The operation CreatePolicy.
pub struct CreatePolicy;

/// The policy that is wanted.
pub struct CreateRequest {
    name: String,
    path: String,
    document: String,
    description: Option<String>,
    tags: Vec<Tag>,
}

impl Operation for CreatePolicy {
    constants!(Write "CreatePolicy");
    type Request = CreateRequest;
    type Response = Told;

    fn read(params: &Params) -> Result<CreateRequest, Fault> {
        let request = params::read(params, |v| CreateRequest {
            name: v.required("PolicyName", &rules::NAME).to_owned(),
            path: v.optional("Path", &rules::POLICY_PATH).unwrap_or("/").to_owned(),
            document: v.required("PolicyDocument", &rules::POLICY_DOCUMENT).to_owned(),
            description: v
                .optional("Description", &rules::POLICY_DESCRIPTION)
                .map(ToOwned::to_owned),
            tags: tags::owned(&v.tags("Tags")),
        })?;
        tags::check(&request.tags)?;
        Ok(request)
    }

    fn describe(request: &CreateRequest) -> Value {
        json!({
            "policyName": request.name,
            "path": request.path,
            "policyDocument": request.document,
            "description": request.description,
            "tags": xml::told_tags(&request.tags),
        })
    }

    async fn execute(context: &Context<'_>, request: CreateRequest) -> Result<Told, Fault> {
        let random = &*context.services.random;
        let id = UniqueId::generate(UniqueKind::Policy, random).map_err(Fault::internal)?;
        // Parsed before it is the transaction's turn; told of only to who may know.
        let parsed = document(&request.document);
        context
            .change(|tx| {
                let new = New {
                    path: &request.path,
                    name: &request.name,
                    tags: &request.tags,
                    boundary: None,
                };
                let account = access::to_create::<Self, ManagedPolicy>(context, tx.state(), &new)?;
                let now = context.facts.now.floor_secs();
                let first = PolicyVersion { document: parsed?, created_at: now };
                let policy = ManagedPolicy {
                    id,
                    account,
                    name: request.name,
                    path: request.path,
                    description: request.description,
                    created_at: now,
                    updated_at: now,
                    tags: request.tags,
                    default: 1,
                    newest: 1,
                    versions: BTreeMap::from([(1, first)]),
                };
                tx.put(Entity::Policy(policy.clone()));
                Ok(Told::of(tx.state(), account, Managed::Own(policy.into())))
            })
            .await
    }

    fn outcome(response: &Told) -> Value {
        json!({ "policy": {
            "policyName": response.policy.name(),
            "policyId": response.policy.id().to_string(),
            "arn": response.policy.arn(),
            "path": response.policy.path(),
            "defaultVersionId": versions::id(response.policy.default_version()),
        }})
    }

    fn write(response: &Told, xml: &mut Xml) {
        xml.element("Policy", |xml| xml::policy(xml, response, Detail::Full));
    }
}

/// The operation GetPolicy.
pub struct GetPolicy;

/// Which.
pub struct Request {
    arn: String,
}

impl Request {
    fn read(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| Self { arn: v.required("PolicyArn", &rules::ARN).to_owned() })
    }

    fn describe(&self) -> Value {
        json!({ "policyArn": self.arn })
    }
}

impl Operation for GetPolicy {
    constants!(Read "GetPolicy");
    type Request = Request;
    type Response = Told;

    fn read(params: &Params) -> Result<Request, Fault> {
        Request::read(params)
    }

    fn describe(request: &Request) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Told, Fault> {
        let state = context.services.directory.snapshot();
        let policy = access::existing::<Self, Managed>(context, &state, &request.arn, |_, _| ())?;
        Ok(Told::of(&state, context.identity()?.account(), Managed::clone(&policy)))
    }

    fn write(response: &Told, xml: &mut Xml) {
        xml.element("Policy", |xml| xml::policy(xml, response, Detail::Full));
    }
}

/// The operation DeletePolicy: of one that nobody has, and that has one version.
pub struct DeletePolicy;

impl Operation for DeletePolicy {
    constants!(Write "DeletePolicy", no result);
    type Request = Request;
    type Response = ();

    fn read(params: &Params) -> Result<Request, Fault> {
        Request::read(params)
    }

    fn describe(request: &Request) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<(), Fault> {
        context
            .change(|tx| {
                let arn = &request.arn;
                let found =
                    access::existing::<Self, ManagedPolicy>(context, tx.state(), arn, |_, _| ())?;
                let told = Told::of(tx.state(), found.account, Managed::Own(found.clone()));
                if told.attached + told.bounds > 0 {
                    return Err(Fault::new(
                        FaultCode::DeleteConflict,
                        "Cannot delete a policy attached to entities.",
                    ));
                }
                if found.versions.len() > 1 {
                    return Err(Fault::new(
                        FaultCode::DeleteConflict,
                        "This policy has more than one version. Before you delete a policy, you \
                         must delete the policy's versions. The default version is deleted with \
                         the policy.",
                    ));
                }
                tx.delete(EntityKey::Policy(found.id));
                Ok(())
            })
            .await
    }
}

/// Which managed policies a listing is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    All,
    BuiltIn,
    Own,
}

/// What a managed policy is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// It gives permissions.
    Permissions,
    /// It bounds them.
    Boundary,
}

/// AWS's words for uses.
pub(super) const USAGES: [(&str, Usage); 2] =
    [("PermissionsPolicy", Usage::Permissions), ("PermissionsBoundary", Usage::Boundary)];

/// The operation ListPolicies.
pub struct ListPolicies;

/// Which.
pub struct ListRequest {
    scope: Scope,
    only_attached: bool,
    prefix: String,
    usage: Option<Usage>,
    paging: Paging,
}

impl ListRequest {
    fn wants(&self, told: &Told) -> bool {
        let used = match self.usage {
            None => !self.only_attached || told.attached > 0,
            Some(Usage::Permissions) => told.attached > 0,
            Some(Usage::Boundary) => told.bounds > 0,
        };
        used && told.policy.path().starts_with(&self.prefix)
    }
}

impl Operation for ListPolicies {
    constants!(Read "ListPolicies");
    type Request = ListRequest;
    type Response = Page<Told>;

    fn read(params: &Params) -> Result<ListRequest, Fault> {
        let scopes = [("All", Scope::All), ("AWS", Scope::BuiltIn), ("Local", Scope::Own)];
        params::read(params, |v| ListRequest {
            scope: v.choice("Scope", &scopes).unwrap_or(Scope::All),
            only_attached: v.boolean("OnlyAttached").unwrap_or(false),
            prefix: v.optional("PathPrefix", &rules::POLICY_PATH).unwrap_or("/").to_owned(),
            usage: v.choice("PolicyUsageFilter", &USAGES),
            paging: Paging::read(v),
        })
    }

    fn describe(request: &ListRequest) -> Value {
        json!({ "pathPrefix": request.prefix, "onlyAttached": request.only_attached })
    }

    async fn execute(context: &Context<'_>, request: ListRequest) -> Result<Page<Told>, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::to_list::<Self, Managed>(context, &state, &request.prefix)?;
        // The account's own first, then the built-in ones, each by name.
        let own = (request.scope != Scope::BuiltIn)
            .then(|| ManagedPolicy::all(&state, account))
            .into_iter()
            .flatten()
            .map(|it| (format!("a{}", it.name.to_ascii_lowercase()), Managed::Own(it.clone())));
        let mut built_in: Vec<_> = managed::all()
            .filter(|_| request.scope != Scope::Own)
            .map(|it| (format!("b{}", it.name.to_ascii_lowercase()), Managed::BuiltIn(it)))
            .collect();
        built_in.sort_by(|(a, _), (b, _)| a.cmp(b));
        let told = own
            .chain(built_in)
            .map(|(key, policy)| (key, Told::of(&state, account, policy)))
            .filter(|(_, told)| request.wants(told));
        request.paging.page::<Self, _>(context, "", told)
    }

    fn write(response: &Page<Told>, xml: &mut Xml) {
        xml.list("Policies", &response.items, |xml, told| {
            xml::policy(xml, told, Detail::Listed);
        });
        response.write_end(xml);
    }
}

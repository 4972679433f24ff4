//! Groups: users who share policies.
//!
//! Source: AWS IAM API reference, CreateGroup, GetGroup, UpdateGroup, DeleteGroup, ListGroups.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{self, New};
use super::kind::{Made as _, constants};
use super::page::{OfHolder, Page, Paging};
use super::xml::{self, Detail};
use super::{attached, inline};
use crate::directory::entities::Policies;
use crate::directory::{Entity, EntityKey, Group, User};
use crate::id::{UniqueId, UniqueKind};
use crate::ops::authorize::Ask;
use crate::ops::fault::{self, Fault};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// PutGroupPolicy: makes or replaces an inline policy.
pub type PutGroupPolicy = inline::Put<Group>;
/// GetGroupPolicy: an inline policy's text.
pub type GetGroupPolicy = inline::Get<Group>;
/// DeleteGroupPolicy: removes an inline policy.
pub type DeleteGroupPolicy = inline::Delete<Group>;
/// ListGroupPolicies: the names of the inline policies.
pub type ListGroupPolicies = inline::List<Group>;
/// AttachGroupPolicy: gives a group a managed policy.
pub type AttachGroupPolicy = attached::Attach<Group>;
/// DetachGroupPolicy: takes a managed policy from a group.
pub type DetachGroupPolicy = attached::Detach<Group>;
/// ListAttachedGroupPolicies: the managed policies.
pub type ListAttachedGroupPolicies = attached::List<Group>;

/// The operation CreateGroup.
pub struct CreateGroup;

/// The group that is wanted.
pub struct CreateRequest {
    name: String,
    path: String,
}

impl Operation for CreateGroup {
    constants!(Write "CreateGroup");
    type Request = CreateRequest;
    type Response = Group;

    fn read(params: &Params) -> Result<CreateRequest, Fault> {
        params::read(params, |v| CreateRequest {
            name: v.required("GroupName", &rules::NAME).to_owned(),
            path: v.optional("Path", &rules::PATH).unwrap_or("/").to_owned(),
        })
    }

    fn describe(request: &CreateRequest) -> Value {
        json!({ "groupName": request.name, "path": request.path })
    }

    async fn execute(context: &Context<'_>, request: CreateRequest) -> Result<Group, Fault> {
        let random = &*context.services.random;
        let id = UniqueId::generate(UniqueKind::Group, random).map_err(Fault::internal)?;
        context
            .change(|tx| {
                let CreateRequest { name, path } = request;
                let new = New { path: &path, name: &name, tags: &[], boundary: None };
                let account = access::to_create::<Self, Group>(context, tx.state(), &new)?;
                let created_at = context.facts.now.floor_secs();
                let group =
                    Group { id, account, name, path, created_at, policies: Policies::default() };
                tx.put(Entity::Group(group.clone()));
                Ok(group)
            })
            .await
    }

    fn outcome(response: &Group) -> Value {
        json!({ "group": {
            "path": response.path,
            "groupName": response.name,
            "groupId": response.id.to_string(),
            "arn": response.arn(),
            "createDate": response.created_at.to_rfc3339(),
        }})
    }

    fn write(response: &Group, xml: &mut Xml) {
        xml.element("Group", |xml| xml::group(xml, response));
    }
}

/// The operation GetGroup: a group and, page by page, its members.
pub struct GetGroup;

/// A group with a page of its members.
pub struct GetResponse {
    group: Arc<Group>,
    members: Page<Arc<User>>,
}

impl Operation for GetGroup {
    constants!(Read "GetGroup");
    type Request = OfHolder;
    type Response = GetResponse;

    fn read(params: &Params) -> Result<OfHolder, Fault> {
        params::read(params, |v| OfHolder::read::<Group>(v, &rules::NAME))
    }

    fn describe(request: &OfHolder) -> Value {
        request.describe::<Group>()
    }

    async fn execute(context: &Context<'_>, request: OfHolder) -> Result<GetResponse, Fault> {
        let state = context.services.directory.snapshot();
        let group = access::existing::<Self, Group>(context, &state, &request.holder, |_, _| ())?;
        let mut members: Vec<_> = state
            .members_of(group.id)
            .map(|user| (user.name.to_ascii_lowercase(), Arc::clone(user)))
            .collect();
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        let members = request.paging.page::<Self, _>(context, group.id.as_str(), members)?;
        Ok(GetResponse { group, members })
    }

    fn write(response: &GetResponse, xml: &mut Xml) {
        xml.element("Group", |xml| xml::group(xml, &response.group));
        xml.list("Users", &response.members.items, |xml, user| {
            xml::user(xml, user, Detail::Listed);
        });
        response.members.write_end(xml);
    }
}

/// The operation UpdateGroup: another name or path. Its unique ID stays, and so do its members and
/// policies. The caller must be allowed it on the group both as it is and as it is to be.
pub struct UpdateGroup;

/// Which, and what is to change.
pub struct UpdateRequest {
    name: String,
    new_name: Option<String>,
    new_path: Option<String>,
}

impl Operation for UpdateGroup {
    constants!(Write "UpdateGroup", no result);
    type Request = UpdateRequest;
    type Response = ();

    fn read(params: &Params) -> Result<UpdateRequest, Fault> {
        params::read(params, |v| UpdateRequest {
            name: v.required("GroupName", &rules::NAME).to_owned(),
            new_name: v.optional("NewGroupName", &rules::NAME).map(ToOwned::to_owned),
            new_path: v.optional("NewPath", &rules::PATH).map(ToOwned::to_owned),
        })
    }

    fn describe(request: &UpdateRequest) -> Value {
        json!({
            "groupName": request.name,
            "newGroupName": request.new_name,
            "newPath": request.new_path,
        })
    }

    async fn execute(context: &Context<'_>, request: UpdateRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let state = tx.state();
                let found =
                    access::existing::<Self, Group>(context, state, &request.name, |_, _| ())?;
                let mut group = Group::clone(&found);
                group.name = request.new_name.unwrap_or(group.name);
                group.path = request.new_path.unwrap_or(group.path);
                let action = access::action(Self::NAME);
                let ask = Ask { action: &action, resource: &group.arn(), owner: group.account };
                context.authorize(state, &ask, |_| ())?;
                let holder = state.group_named(group.account, &group.name);
                if holder.is_some_and(|holder| holder.id != group.id) {
                    return Err(Fault::already_exists(fault::Entity::Group, &group.name));
                }
                if group != *found {
                    tx.put(Entity::Group(group));
                }
                Ok(())
            })
            .await
    }
}

/// The operation DeleteGroup. It must be empty and without policies.
pub struct DeleteGroup;

/// Which.
pub struct DeleteRequest {
    name: String,
}

impl Operation for DeleteGroup {
    constants!(Write "DeleteGroup", no result);
    type Request = DeleteRequest;
    type Response = ();

    fn read(params: &Params) -> Result<DeleteRequest, Fault> {
        params::read(params, |v| DeleteRequest {
            name: v.required("GroupName", &rules::NAME).to_owned(),
        })
    }

    fn describe(request: &DeleteRequest) -> Value {
        json!({ "groupName": request.name })
    }

    async fn execute(context: &Context<'_>, request: DeleteRequest) -> Result<(), Fault> {
        context
            .change(|tx| {
                let state = tx.state();
                let group =
                    access::existing::<Self, Group>(context, state, &request.name, |_, _| ())?;
                if state.members_of(group.id).next().is_some() {
                    return Err(Fault::delete_conflict("must remove users from group first"));
                }
                inline::check_none(&*group)?;
                tx.delete(EntityKey::Group(group.id));
                Ok(())
            })
            .await
    }
}

/// The operation ListGroups: the groups of the account below a path.
pub struct ListGroups;

/// Which.
pub struct ListRequest {
    prefix: String,
    paging: Paging,
}

impl Operation for ListGroups {
    constants!(Read "ListGroups");
    type Request = ListRequest;
    type Response = Page<Arc<Group>>;

    fn read(params: &Params) -> Result<ListRequest, Fault> {
        params::read(params, |v| ListRequest {
            prefix: v.optional("PathPrefix", &rules::PATH_PREFIX).unwrap_or("/").to_owned(),
            paging: Paging::read(v),
        })
    }

    fn describe(request: &ListRequest) -> Value {
        json!({ "pathPrefix": request.prefix })
    }

    async fn execute(
        context: &Context<'_>,
        request: ListRequest,
    ) -> Result<Page<Arc<Group>>, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::to_list::<Self, Group>(context, &state, &request.prefix)?;
        let below = Group::all(&state, account)
            .filter(|group| group.path.starts_with(&request.prefix))
            .map(|group| (group.name.to_ascii_lowercase(), Arc::clone(group)));
        request.paging.page::<Self, _>(context, "", below)
    }

    fn write(response: &Page<Arc<Group>>, xml: &mut Xml) {
        xml.list("Groups", &response.items, |xml, group| xml::group(xml, group));
        response.write_end(xml);
    }
}

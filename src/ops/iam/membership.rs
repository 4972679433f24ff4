//! Who is in which group.
//!
//! Source: AWS IAM API reference, AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kind::constants;
use super::page::{OfHolder, Page};
use super::quotas::Quota;
use super::{access, xml};
use crate::directory::{Entity, Group, Snapshot, User};
use crate::ops::fault::{self, Fault};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation AddUserToGroup. Who is in it already stays in it.
pub struct AddUserToGroup;
/// The operation RemoveUserFromGroup.
pub struct RemoveUserFromGroup;

/// Whom, and which group.
pub struct Request {
    group: String,
    user: String,
}

impl Request {
    fn read(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| Self {
            group: v.required("GroupName", &rules::NAME).to_owned(),
            user: v.required("UserName", &rules::NAME).to_owned(),
        })
    }

    fn describe(&self) -> Value {
        json!({ "groupName": self.group, "userName": self.user })
    }

    /// The group and the user, for a caller who may do `O` to the group.
    fn find<O: Operation>(
        &self,
        context: &Context<'_>,
        state: &Snapshot,
    ) -> Result<(Arc<Group>, User), Fault> {
        let group = access::existing::<O, Group>(context, state, &self.group, |_, _| ())?;
        let user = state
            .user_named(group.account, &self.user)
            .ok_or_else(|| Fault::no_such_entity(fault::Entity::User, &self.user))?;
        Ok((group, User::clone(user)))
    }
}

impl Operation for AddUserToGroup {
    constants!(Write "AddUserToGroup", no result);
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
                let (group, mut user) = request.find::<Self>(context, tx.state())?;
                if user.groups.insert(group.id) {
                    let limit = context.services.quotas.groups_per_user;
                    Quota { name: "GroupsPerUser", limit }.check(user.groups.len())?;
                    tx.put(Entity::User(user));
                }
                Ok(())
            })
            .await
    }
}

impl Operation for RemoveUserFromGroup {
    constants!(Write "RemoveUserFromGroup", no result);
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
                let (group, mut user) = request.find::<Self>(context, tx.state())?;
                if !user.groups.remove(&group.id) {
                    return Err(Fault::no_such_entity(fault::Entity::User, &request.user));
                }
                tx.put(Entity::User(user));
                Ok(())
            })
            .await
    }
}

/// The operation ListGroupsForUser.
pub struct ListGroupsForUser;

impl Operation for ListGroupsForUser {
    constants!(Read "ListGroupsForUser");
    type Request = OfHolder;
    type Response = Page<Arc<Group>>;

    fn read(params: &Params) -> Result<OfHolder, Fault> {
        params::read(params, |v| OfHolder::read::<User>(v, &rules::NAME))
    }

    fn describe(request: &OfHolder) -> Value {
        request.describe::<User>()
    }

    async fn execute(context: &Context<'_>, request: OfHolder) -> Result<Page<Arc<Group>>, Fault> {
        let state = context.services.directory.snapshot();
        let user = access::existing::<Self, User>(context, &state, &request.holder, |_, _| ())?;
        let mut groups: Vec<_> = user
            .groups
            .iter()
            .filter_map(|id| state.group(id))
            .map(|group| (group.name.to_ascii_lowercase(), Arc::clone(group)))
            .collect();
        groups.sort_by(|(a, _), (b, _)| a.cmp(b));
        request.paging.page::<Self, _>(context, user.id.as_str(), groups)
    }

    fn write(response: &Page<Arc<Group>>, xml: &mut Xml) {
        xml.list("Groups", &response.items, |xml, group| xml::group(xml, group));
        response.write_end(xml);
    }
}

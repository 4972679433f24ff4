//! ListEntitiesForPolicy: who has a managed policy, and whom it bounds.
//!
//! Source: AWS IAM API reference, ListEntitiesForPolicy.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::access;
use super::kind::{Kind as _, constants};
use super::managed_policies::{USAGES, Usage};
use super::page::{OfHolder, Page};
use crate::directory::{Group, Managed, Role, Snapshot, User};
use crate::id::{UniqueId, UniqueKind};
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct ListEntitiesForPolicy;

/// Of which policy, and which entities.
pub struct Request {
    of: OfHolder,
    kinds: Kinds,
    prefix: String,
    usage: Option<Usage>,
}

/// Which kinds of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kinds {
    All,
    One(UniqueKind),
    /// A kind that no policy is attached to.
    None,
}

impl Kinds {
    fn include(self, kind: UniqueKind) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == kind,
            Self::None => false,
        }
    }
}

/// Someone who has the policy.
pub enum Found {
    /// A group.
    Group(Arc<Group>),
    /// A user.
    User(Arc<User>),
    /// A role.
    Role(Arc<Role>),
}

impl Found {
    fn of(state: &Snapshot, id: &UniqueId) -> Option<Self> {
        match id.kind() {
            UniqueKind::Group => state.group(id).cloned().map(Self::Group),
            UniqueKind::User => state.user(id).cloned().map(Self::User),
            UniqueKind::Role => state.role(id).cloned().map(Self::Role),
            UniqueKind::Policy | UniqueKind::InstanceProfile | UniqueKind::Root => None,
        }
    }

    fn path(&self) -> &str {
        match self {
            Self::Group(group) => &group.path,
            Self::User(user) => &user.path,
            Self::Role(role) => &role.path,
        }
    }

    /// Its place in the listing.
    fn place(&self) -> String {
        let (kind, name) = match self {
            Self::Group(group) => ('g', &group.name),
            Self::Role(role) => ('r', &role.name),
            Self::User(user) => ('u', &user.name),
        };
        format!("{kind}{}", name.to_ascii_lowercase())
    }
}

impl Operation for ListEntitiesForPolicy {
    constants!(Read "ListEntitiesForPolicy");
    type Request = Request;
    type Response = Page<Found>;

    fn read(params: &Params) -> Result<Request, Fault> {
        let kinds = [
            ("User", Kinds::One(UniqueKind::User)),
            ("Role", Kinds::One(UniqueKind::Role)),
            ("Group", Kinds::One(UniqueKind::Group)),
            ("LocalManagedPolicy", Kinds::None),
            ("AWSManagedPolicy", Kinds::None),
        ];
        params::read(params, |v| Request {
            of: OfHolder::read::<Managed>(v, &rules::ARN),
            kinds: v.choice("EntityFilter", &kinds).unwrap_or(Kinds::All),
            prefix: v.optional("PathPrefix", &rules::PATH).unwrap_or("/").to_owned(),
            usage: v.choice("PolicyUsageFilter", &USAGES),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "policyArn": request.of.holder, "pathPrefix": request.prefix })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Page<Found>, Fault> {
        let state = context.services.directory.snapshot();
        let account = context.identity()?.account();
        let arn = &request.of.holder;
        let policy = access::existing::<Self, Managed>(context, &state, arn, |_, _| ())?;
        let mut ids = Vec::new();
        if request.usage != Some(Usage::Boundary) {
            ids.extend(state.holders_of(account, arn));
        }
        if request.usage != Some(Usage::Permissions) {
            ids.extend(state.bounded_by(account, arn));
        }
        let found: BTreeMap<String, Found> = ids
            .iter()
            .filter(|id| request.kinds.include(id.kind()))
            .filter_map(|id| Found::of(&state, id))
            .filter(|found| found.path().starts_with(&request.prefix))
            .map(|found| (found.place(), found))
            .collect();
        request.of.paging.page::<Self, _>(context, &policy.key(), found)
    }

    fn write(response: &Page<Found>, xml: &mut Xml) {
        let found = &response.items;
        let groups = found.iter().filter_map(|found| match found {
            Found::Group(group) => Some(group),
            _ => None,
        });
        xml.list("PolicyGroups", groups, |xml, group| {
            xml.text("GroupName", &group.name);
            xml.value("GroupId", group.id);
        });
        let users = found.iter().filter_map(|found| match found {
            Found::User(user) => Some(user),
            _ => None,
        });
        xml.list("PolicyUsers", users, |xml, user| {
            xml.text("UserName", &user.name);
            xml.value("UserId", user.id);
        });
        let roles = found.iter().filter_map(|found| match found {
            Found::Role(role) => Some(role),
            _ => None,
        });
        xml.list("PolicyRoles", roles, |xml, role| {
            xml.text("RoleName", &role.name);
            xml.value("RoleId", role.id);
        });
        response.write_end(xml);
    }
}

//! Instance profiles: made, told, listed and deleted.
//!
//! No machine asks for one here; tools that manage roles for machines expect them.
//!
//! Source: AWS IAM API reference, CreateInstanceProfile and its kin.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{self, New};
use super::kind::{Made as _, constants};
use super::page::{OfHolder, Page, Paging};
use super::xml::{self, Detail};
use super::{get_role, tags};
use crate::directory::{Entity, EntityKey, InstanceProfile, Role, Snapshot, Tag};
use crate::id::{UniqueId, UniqueKind};
use crate::ops::fault::Fault;
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// TagInstanceProfile: sets tags.
pub type TagInstanceProfile = tags::Tag<InstanceProfile>;
/// UntagInstanceProfile: removes tags.
pub type UntagInstanceProfile = tags::Untag<InstanceProfile>;
/// ListInstanceProfileTags: all of them.
pub type ListInstanceProfileTags = tags::List<InstanceProfile>;

/// An instance profile with the role that is in it.
pub struct Told {
    /// The profile.
    pub profile: Arc<InstanceProfile>,
    /// Its role.
    pub role: Option<get_role::Response>,
}

impl Told {
    /// A profile as `state` has it.
    pub fn of(state: &Snapshot, profile: Arc<InstanceProfile>) -> Self {
        let role = profile.role.and_then(|id| state.role(&id).cloned());
        Self { role: role.map(|role| get_role::Response::of(state, role)), profile }
    }
}

/// The operation CreateInstanceProfile.
pub struct CreateInstanceProfile;

/// The profile that is wanted.
pub struct CreateRequest {
    name: String,
    path: String,
    tags: Vec<Tag>,
}

impl Operation for CreateInstanceProfile {
    constants!(Write "CreateInstanceProfile");
    type Request = CreateRequest;
    type Response = Told;

    fn read(params: &Params) -> Result<CreateRequest, Fault> {
        let request = params::read(params, |v| CreateRequest {
            name: v.required("InstanceProfileName", &rules::NAME).to_owned(),
            path: v.optional("Path", &rules::PATH).unwrap_or("/").to_owned(),
            tags: tags::owned(&v.tags("Tags")),
        })?;
        tags::check(&request.tags)?;
        Ok(request)
    }

    fn describe(request: &CreateRequest) -> Value {
        json!({
            "instanceProfileName": request.name,
            "path": request.path,
            "tags": xml::told_tags(&request.tags),
        })
    }

    async fn execute(context: &Context<'_>, request: CreateRequest) -> Result<Told, Fault> {
        let random = &*context.services.random;
        let id =
            UniqueId::generate(UniqueKind::InstanceProfile, random).map_err(Fault::internal)?;
        context
            .change(|tx| {
                let CreateRequest { name, path, tags } = request;
                let new = New { path: &path, name: &name, tags: &tags, boundary: None };
                let account =
                    access::to_create::<Self, InstanceProfile>(context, tx.state(), &new)?;
                let created_at = context.facts.now.floor_secs();
                let profile =
                    InstanceProfile { id, account, name, path, created_at, tags, role: None };
                tx.put(Entity::InstanceProfile(profile.clone()));
                Ok(Told::of(tx.state(), profile.into()))
            })
            .await
    }

    fn outcome(response: &Told) -> Value {
        let profile = &response.profile;
        json!({ "instanceProfile": {
            "path": profile.path,
            "instanceProfileName": profile.name,
            "instanceProfileId": profile.id.to_string(),
            "arn": profile.arn(),
        }})
    }

    fn write(response: &Told, xml: &mut Xml) {
        xml.element("InstanceProfile", |xml| {
            xml::instance_profile(xml, response, Detail::Full);
        });
    }
}

/// The operation GetInstanceProfile.
pub struct GetInstanceProfile;

/// Which.
pub struct Request {
    name: String,
}

impl Request {
    fn read(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| Self {
            name: v.required("InstanceProfileName", &rules::NAME).to_owned(),
        })
    }

    fn describe(&self) -> Value {
        json!({ "instanceProfileName": self.name })
    }
}

impl Operation for GetInstanceProfile {
    constants!(Read "GetInstanceProfile");
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
        let found = access::existing::<Self, _>(context, &state, &request.name, |_, _| ())?;
        Ok(Told::of(&state, found))
    }

    fn write(response: &Told, xml: &mut Xml) {
        xml.element("InstanceProfile", |xml| {
            xml::instance_profile(xml, response, Detail::Full);
        });
    }
}

/// The operation DeleteInstanceProfile: of one without a role.
pub struct DeleteInstanceProfile;

impl Operation for DeleteInstanceProfile {
    constants!(Write "DeleteInstanceProfile", no result);
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
                let name = &request.name;
                let found: Arc<InstanceProfile> =
                    access::existing::<Self, _>(context, tx.state(), name, |_, _| ())?;
                if found.role.is_some() {
                    return Err(Fault::delete_conflict(
                        "must remove roles from instance profile first",
                    ));
                }
                tx.delete(EntityKey::InstanceProfile(found.id));
                Ok(())
            })
            .await
    }
}

/// The operation ListInstanceProfiles: those of the account below a path.
pub struct ListInstanceProfiles;

/// Which.
pub struct ListRequest {
    prefix: String,
    paging: Paging,
}

impl Operation for ListInstanceProfiles {
    constants!(Read "ListInstanceProfiles");
    type Request = ListRequest;
    type Response = Page<Told>;

    fn read(params: &Params) -> Result<ListRequest, Fault> {
        params::read(params, |v| ListRequest {
            prefix: v.optional("PathPrefix", &rules::PATH_PREFIX).unwrap_or("/").to_owned(),
            paging: Paging::read(v),
        })
    }

    fn describe(request: &ListRequest) -> Value {
        json!({ "pathPrefix": request.prefix })
    }

    async fn execute(context: &Context<'_>, request: ListRequest) -> Result<Page<Told>, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::to_list::<Self, InstanceProfile>(context, &state, &request.prefix)?;
        let below = InstanceProfile::all(&state, account)
            .filter(|profile| profile.path.starts_with(&request.prefix))
            .map(|profile| (profile.name.to_ascii_lowercase(), Arc::clone(profile)));
        let weigh = |profile: &Arc<InstanceProfile>| weight(&state, profile);
        let page = request.paging.page_weighed::<Self, _>(context, "", below, weigh)?;
        Ok(page.map(|profile| Told::of(&state, profile)))
    }

    fn write(response: &Page<Told>, xml: &mut Xml) {
        write_list(response, xml);
    }
}

/// The operation ListInstanceProfilesForRole: those that a role is in.
pub struct ListInstanceProfilesForRole;

impl Operation for ListInstanceProfilesForRole {
    constants!(Read "ListInstanceProfilesForRole");
    type Request = OfHolder;
    type Response = Page<Told>;

    fn read(params: &Params) -> Result<OfHolder, Fault> {
        params::read(params, |v| OfHolder::read::<Role>(v, &rules::USER_OR_ROLE_NAME))
    }

    fn describe(request: &OfHolder) -> Value {
        request.describe::<Role>()
    }

    async fn execute(context: &Context<'_>, request: OfHolder) -> Result<Page<Told>, Fault> {
        let state = context.services.directory.snapshot();
        let role = access::existing::<Self, Role>(context, &state, &request.holder, |_, _| ())?;
        let mut profiles: Vec<_> = state
            .instance_profiles_with(role.id)
            .map(|profile| (profile.name.to_ascii_lowercase(), Arc::clone(profile)))
            .collect();
        profiles.sort_by(|(a, _), (b, _)| a.cmp(b));
        let weigh = |profile: &Arc<InstanceProfile>| weight(&state, profile);
        let page =
            request.paging.page_weighed::<Self, _>(context, role.id.as_str(), profiles, weigh)?;
        Ok(page.map(|profile| Told::of(&state, profile)))
    }

    fn write(response: &Page<Told>, xml: &mut Xml) {
        write_list(response, xml);
    }
}

/// The bytes of the document that is told with a profile.
fn weight(state: &Snapshot, profile: &InstanceProfile) -> usize {
    profile.role.and_then(|id| state.role(&id)).map_or(0, |role| role.trust.text().len())
}

fn write_list(page: &Page<Told>, xml: &mut Xml) {
    xml.list("InstanceProfiles", &page.items, |xml, told| {
        xml::instance_profile(xml, told, Detail::Listed);
    });
    page.write_end(xml);
}

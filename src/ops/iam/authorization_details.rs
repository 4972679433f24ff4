//! GetAccountAuthorizationDetails: everything that decides who may do what in an account.
//!
//! Of the built-in policies those are told that the account uses.
//!
//! Source: AWS IAM API reference, GetAccountAuthorizationDetails.

use std::sync::Arc;

use serde_json::{Value, json};

use super::instance_profiles::Told as Profile;
use super::kind::{Made as _, constants};
use super::managed_policies::Told as Policy;
use super::page::{Page, Paging};
use super::xml::{self, Detail};
use super::{access, attached, get_role, versions};
use crate::directory::entities::Policies;
use crate::directory::{Group, Managed, ManagedPolicy, Role, Snapshot, Use, Used, User, managed};
use crate::id::AccountId;
use crate::ops::fault::Fault;
use crate::ops::params;
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation.
pub struct GetAccountAuthorizationDetails;

/// A kind of what is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    User,
    Group,
    Role,
    Own,
    BuiltIn,
}

/// Which kinds, and which page.
pub struct Request {
    parts: Vec<Part>,
    paging: Paging,
}

/// One of the things told.
pub enum Told {
    /// A user and the names of its groups.
    User(Arc<User>, Vec<String>),
    /// A group.
    Group(Arc<Group>),
    /// A role, the instance profiles it is in, its last use.
    Role(get_role::Response, Vec<Profile>, Option<Use>),
    /// A managed policy.
    Policy(Policy),
}

impl Operation for GetAccountAuthorizationDetails {
    constants!(Read "GetAccountAuthorizationDetails");
    type Request = Request;
    type Response = Page<Told>;

    fn read(params: &Params) -> Result<Request, Fault> {
        let words = [
            ("User", Part::User),
            ("Role", Part::Role),
            ("Group", Part::Group),
            ("LocalManagedPolicy", Part::Own),
            ("AWSManagedPolicy", Part::BuiltIn),
        ];
        params::read(params, |v| Request {
            parts: v.choices("Filter", 0..=100, &words).unwrap_or_default(),
            paging: Paging::read(v),
        })
    }

    fn describe(request: &Request) -> Value {
        json!({ "filtered": !request.parts.is_empty() })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Page<Told>, Fault> {
        let state = context.services.directory.snapshot();
        let account = access::in_account::<Self>(context, &state)?;
        let uses = context.services.directory.uses();
        let wants = |part| request.parts.is_empty() || request.parts.contains(&part);
        let key = |part: char, name: &str| format!("{part}{}", name.to_ascii_lowercase());
        let users = User::all(&state, account)
            .filter(|_| wants(Part::User))
            .map(|it| (key('1', &it.name), Entry::User(it)));
        let groups = Group::all(&state, account)
            .filter(|_| wants(Part::Group))
            .map(|it| (key('2', &it.name), Entry::Group(it)));
        let roles = Role::all(&state, account)
            .filter(|_| wants(Part::Role))
            .map(|it| (key('3', &it.name), Entry::Role(it)));
        let own = ManagedPolicy::all(&state, account)
            .filter(|_| wants(Part::Own))
            .map(|it| (key('4', &it.name), Entry::Policy(Managed::Own(Arc::clone(it)))));
        let mut built_in: Vec<_> = managed::all()
            .filter(|_| wants(Part::BuiltIn))
            .filter(|it| is_used(&state, account, &it.arn))
            .map(|it| (key('5', it.name), Entry::Policy(Managed::BuiltIn(it))))
            .collect();
        built_in.sort_by(|(a, _), (b, _)| a.cmp(b));
        let all = users.chain(groups).chain(roles).chain(own).chain(built_in);
        let weigh = |entry: &Entry<'_>| entry.weight(&state);
        let page = request.paging.page_weighed::<Self, _>(context, "", all, weigh)?;
        Ok(page.map(|entry| entry.told(&state, account, |role| uses.last(Used::Role(role.id)))))
    }

    fn write(response: &Page<Told>, xml: &mut Xml) {
        let told = &response.items;
        let users = told.iter().filter_map(|told| match told {
            Told::User(user, groups) => Some((user, groups)),
            _ => None,
        });
        xml.list("UserDetailList", users, |xml, (user, groups)| write_user(xml, user, groups));
        let groups = told.iter().filter_map(|told| match told {
            Told::Group(group) => Some(group),
            _ => None,
        });
        xml.list("GroupDetailList", groups, |xml, group| {
            xml::group(xml, group);
            inline(xml, "GroupPolicyList", &group.policies);
            attached::write(xml, "AttachedManagedPolicies", &group.policies.attached);
        });
        let roles = told.iter().filter_map(|told| match told {
            Told::Role(role, profiles, last) => Some((role, profiles, last)),
            _ => None,
        });
        xml.list("RoleDetailList", roles, |xml, (role, profiles, last)| {
            write_role(xml, role, profiles, last.as_ref());
        });
        let policies = told.iter().filter_map(|told| match told {
            Told::Policy(policy) => Some(policy),
            _ => None,
        });
        xml.list("Policies", policies, |xml, told| {
            xml::policy(xml, told, Detail::Listed);
            xml.optional("Description", told.policy.description());
            xml.list("PolicyVersionList", versions::all(&told.policy), |xml, version| {
                version.write(xml, true);
            });
        });
        response.write_end(xml);
    }
}

/// What is to be told, as the directory has it.
enum Entry<'s> {
    User(&'s Arc<User>),
    Group(&'s Arc<Group>),
    Role(&'s Arc<Role>),
    Policy(Managed),
}

impl Entry<'_> {
    /// The bytes of its documents.
    fn weight(&self, state: &Snapshot) -> usize {
        let inline = |policies: &Policies| -> usize {
            policies.inline.values().map(|document| document.text().len()).sum()
        };
        match self {
            Self::User(user) => inline(&user.policies),
            Self::Group(group) => inline(&group.policies),
            Self::Role(role) => {
                // With each of its profiles, the role is told again.
                let times = 1 + state.instance_profiles_with(role.id).count();
                inline(&role.policies) + role.trust.text().len() * times
            }
            Self::Policy(policy) => {
                let versions = policy.versions().into_iter();
                let documents = versions.filter_map(|number| policy.version(number));
                documents.map(|(document, _)| document.text().len()).sum()
            }
        }
    }

    fn told(
        self,
        state: &Snapshot,
        account: AccountId,
        last: impl FnOnce(&Role) -> Option<Use>,
    ) -> Told {
        match self {
            Self::User(user) => {
                let groups = user.groups.iter().filter_map(|id| state.group(id));
                Told::User(Arc::clone(user), groups.map(|group| group.name.clone()).collect())
            }
            Self::Group(group) => Told::Group(Arc::clone(group)),
            Self::Role(role) => {
                let profiles = state.instance_profiles_with(role.id);
                let profiles = profiles.map(|it| Profile::of(state, Arc::clone(it))).collect();
                let shown = get_role::Response::of(state, Arc::clone(role));
                Told::Role(shown, profiles, last(role))
            }
            Self::Policy(policy) => Told::Policy(Policy::of(state, account, policy)),
        }
    }
}

fn is_used(state: &Snapshot, account: AccountId, arn: &str) -> bool {
    state.uses_of(account, arn) != (0, 0)
}

fn write_user(xml: &mut Xml, user: &User, groups: &[String]) {
    xml::user(xml, user, Detail::Listed);
    inline(xml, "UserPolicyList", &user.policies);
    xml.texts("GroupList", groups);
    attached::write(xml, "AttachedManagedPolicies", &user.policies.attached);
    xml::boundary(xml, user.policies.boundary.as_deref());
    xml::some_tags(xml, &user.tags);
}

fn write_role(xml: &mut Xml, told: &get_role::Response, profiles: &[Profile], last: Option<&Use>) {
    let role = &told.role;
    xml.text("Path", &role.path);
    xml.text("RoleName", &role.name);
    xml.value("RoleId", role.id);
    xml.text("Arn", role.arn());
    xml.time("CreateDate", role.created_at);
    xml.policy("AssumeRolePolicyDocument", &told.trust);
    xml.list("InstanceProfileList", profiles, |xml, profile| {
        xml::instance_profile(xml, profile, Detail::Listed);
    });
    inline(xml, "RolePolicyList", &role.policies);
    attached::write(xml, "AttachedManagedPolicies", &role.policies.attached);
    xml::boundary(xml, role.policies.boundary.as_deref());
    xml::some_tags(xml, &role.tags);
    xml::role_last_used(xml, last);
}

fn inline(xml: &mut Xml, name: &'static str, policies: &Policies) {
    xml.list(name, &policies.inline, |xml, (name, document)| {
        xml.text("PolicyName", name);
        xml.policy("PolicyDocument", document.text());
    });
}

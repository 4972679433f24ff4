//! Profiles: roles that certificates may get, what binds their sessions, and which names of a
//! certificate become session tags.

use serde_json::{Map, Value, json};

use super::common::{self, by_id, listing};
use super::{PRINCIPAL, access, shapes};
use crate::arn;
use crate::directory::anywhere::ListedRole;
use crate::directory::{AnywhereProfile, Entity, Snapshot, Tag};
use crate::federation::x509::{Field, Mapping, Mappings, SpecifierError};
use crate::id::{AccountId, AnywhereId, uuid};
use crate::ops::authorize::Ask;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service, context};
use crate::policy::{DocumentKind, Policy, Value as KeyValue};

/// The most roles of a profile.
const MAX_ROLES: usize = 250;
/// The most managed session policies: what a session may have.
const MAX_MANAGED: usize = 10;
/// The longest inline session policy, in characters: what a session may have.
const MAX_POLICY: usize = 2048;
/// Seconds of a session when the profile does not say.
pub(super) const DEFAULT_DURATION: u32 = 3600;

pub(super) fn view(it: &AnywhereProfile, context: &Context<'_>, _listed: bool) -> Value {
    let mut view = Map::new();
    let mut add = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    add("profileId", uuid(&it.id.0).into());
    add("profileArn", access::arn_of(context, it).into());
    add("name", it.name.as_str().into());
    add("requireInstanceProperties", false.into());
    add("enabled", it.enabled.into());
    add("createdBy", it.created_by.as_str().into());
    if let Some(policy) = &it.session_policy {
        add("sessionPolicy", policy.as_str().into());
    }
    add("roleArns", it.roles.iter().map(|role| role.arn.as_str()).collect::<Vec<_>>().into());
    add("managedPolicyArns", it.managed_policies.clone().into());
    add("createdAt", it.created_at.to_rfc3339().into());
    add("updatedAt", it.updated_at.to_rfc3339().into());
    add("durationSeconds", it.duration.unwrap_or(DEFAULT_DURATION).into());
    add("acceptRoleSessionName", it.accept_session_name.into());
    let mapping = |it: &Mapping| {
        let rules: Vec<_> = it.specifiers.iter().map(|it| json!({ "specifier": it })).collect();
        json!({ "certificateField": it.field.as_str(), "mappingRules": rules })
    };
    add("attributeMappings", it.mappings.all().iter().map(mapping).collect::<Vec<_>>().into());
    view.into()
}

/// What a profile is to be like; `None` leaves it as it is.
pub struct Wanted {
    roles: Option<Vec<String>>,
    session_policy: Option<String>,
    managed_policies: Option<Vec<String>>,
    duration: Option<u32>,
    accept_session_name: Option<bool>,
}

impl Wanted {
    fn read(input: &Input<'_>) -> Result<Self, Fault> {
        if input.boolean(shapes::INSTANCE.name) == Some(true) {
            return Err(access::invalid("requireInstanceProperties is not supported."));
        }
        // A list that is not there is left as it is; one that is empty is made empty.
        let list = |member: Member| {
            input
                .has(member.name)
                .then(|| input.texts(member.name).map(ToOwned::to_owned).collect::<Vec<_>>())
        };
        let wanted = Self {
            roles: list(shapes::NEW_ROLES),
            session_policy: input.text(shapes::SESSION_POLICY.name).map(ToOwned::to_owned),
            managed_policies: list(shapes::MANAGED_POLICIES),
            duration: input
                .integer(shapes::DURATION.name)
                .and_then(|duration| u32::try_from(duration).ok()),
            accept_session_name: input.boolean(shapes::SESSION_NAMES.name),
        };
        let over =
            |list: &Option<Vec<String>>, most| list.as_ref().is_some_and(|it| it.len() > most);
        if over(&wanted.roles, MAX_ROLES) {
            return Err(access::invalid(format!("A profile has at most {MAX_ROLES} roles.")));
        }
        if over(&wanted.managed_policies, MAX_MANAGED) {
            let message = format!("A session has at most {MAX_MANAGED} managed session policies.");
            return Err(access::invalid(message));
        }
        if let Some(policy) = &wanted.session_policy {
            if policy.chars().count() > MAX_POLICY {
                let message = format!("A session policy has at most {MAX_POLICY} characters.");
                return Err(access::invalid(message));
            }
            Policy::parse(policy, DocumentKind::Session)
                .map_err(|error| access::invalid(format!("sessionPolicy: {error}.")))?;
        }
        Ok(wanted)
    }

    fn put(
        self,
        context: &Context<'_>,
        state: &Snapshot,
        profile: &mut AnywhereProfile,
    ) -> Result<(), Fault> {
        if let Some(roles) = self.roles {
            let listed = roles.iter().map(|arn| passed(context, state, profile.account, arn));
            profile.roles = listed.collect::<Result<_, _>>()?;
        }
        if let Some(arns) = self.managed_policies {
            let missing = |arn: &str| {
                let arn = crate::wire::printable(arn, 200);
                access::invalid(format!("The managed policy {arn} does not exist."))
            };
            let ids = arns.iter().map(|arn| {
                let found = state.managed_policy(profile.account, arn);
                found.map(|it| it.id()).ok_or_else(|| missing(arn))
            });
            profile.managed_policy_ids = Some(ids.collect::<Result<_, _>>()?);
            profile.managed_policies = arns;
        }
        profile.session_policy = self.session_policy.or(profile.session_policy.take());
        profile.duration = self.duration.or(profile.duration);
        profile.accept_session_name =
            self.accept_session_name.unwrap_or(profile.accept_session_name);
        Ok(())
    }
}

/// A role that is to be listed, for a caller who may give it away.
fn passed(
    context: &Context<'_>,
    state: &Snapshot,
    account: AccountId,
    role_arn: &str,
) -> Result<ListedRole, Fault> {
    let (owner, _, name) = arn::parse_role(role_arn)
        .ok_or_else(|| access::invalid("roleArns holds what is not the ARN of a role."))?;
    if owner != account {
        return Err(access::invalid("A role must be in the account of the profile."));
    }
    let role = state.role_named(account, name).filter(|role| role.arn() == role_arn);
    let ask = Ask { action: "iam:PassRole", resource: role_arn, owner: account };
    context.authorize(state, &ask, |keys| {
        keys.insert("iam:PassedToService", KeyValue::One(PRINCIPAL.to_owned()));
        if let Some(role) = role {
            context::add_resource_tags(keys, &role.tags);
        }
    })?;
    let role = role.ok_or_else(|| {
        access::invalid(format!(
            "The role {} does not exist.",
            crate::wire::printable(role_arn, 256)
        ))
    })?;
    Ok(ListedRole { id: role.id, arn: role.arn() })
}

/// Makes one.
pub struct CreateProfile;

/// The profile that is wanted.
pub struct New {
    name: String,
    enabled: bool,
    wanted: Wanted,
    tags: Vec<Tag>,
}

impl JsonOperation for CreateProfile {
    const NAME: &'static str = "CreateProfile";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[
        shapes::NAME,
        shapes::INSTANCE,
        shapes::SESSION_POLICY,
        shapes::ROLES,
        shapes::MANAGED_POLICIES,
        shapes::DURATION,
        shapes::ENABLED,
        shapes::TAGS,
        shapes::SESSION_NAMES,
    ];
    const FAULTS: &'static [FaultCode] = &[];
    type Request = New;

    fn read(input: &Input<'_>) -> Result<New, Fault> {
        Ok(New {
            name: input.required(shapes::NAME.name).to_owned(),
            enabled: input.boolean(shapes::ENABLED.name).unwrap_or(false),
            wanted: Wanted::read(input)?,
            tags: access::tags(input)?,
        })
    }

    async fn execute(context: &Context<'_>, new: New) -> Result<Value, Fault> {
        let now = context.facts.now.floor_secs();
        let created_by = context.identity()?.arn();
        context
            .change(|tx| {
                let account = access::any::<Self>(context, tx.state(), &new.tags)?;
                let most = context.services.quotas.anywhere_profiles_per_account;
                if tx.state().anywhere_profiles_of(account).count() >= most {
                    let message = format!("An account has at most {most} profiles.");
                    return Err(access::invalid(message));
                }
                let id =
                    AnywhereId::generate(&*context.services.random).map_err(Fault::internal)?;
                let mut made = AnywhereProfile {
                    id,
                    account,
                    name: new.name,
                    enabled: new.enabled,
                    roles: Vec::new(),
                    session_policy: None,
                    managed_policies: Vec::new(),
                    managed_policy_ids: None,
                    duration: None,
                    accept_session_name: false,
                    mappings: Mappings::default(),
                    created_by,
                    tags: new.tags,
                    created_at: now,
                    updated_at: now,
                };
                new.wanted.put(context, tx.state(), &mut made)?;
                let answer = common::answer(context, &made);
                tx.put(Entity::AnywhereProfile(made));
                Ok(answer)
            })
            .await
    }
}

/// Changes one.
pub struct UpdateProfile;

/// What is to change.
pub struct Update {
    id: String,
    name: Option<String>,
    wanted: Wanted,
}

impl JsonOperation for UpdateProfile {
    const NAME: &'static str = "UpdateProfile";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[
        shapes::PROFILE_ID,
        shapes::NEW_NAME,
        shapes::SESSION_POLICY,
        shapes::NEW_ROLES,
        shapes::MANAGED_POLICIES,
        shapes::DURATION,
        shapes::SESSION_NAMES,
    ];
    const FAULTS: &'static [FaultCode] = &[FaultCode::ResourceNotFound];
    type Request = Update;

    fn read(input: &Input<'_>) -> Result<Update, Fault> {
        Ok(Update {
            id: input.required(shapes::PROFILE_ID.name).to_owned(),
            name: input.text(shapes::NEW_NAME.name).map(ToOwned::to_owned),
            wanted: Wanted::read(input)?,
        })
    }

    async fn execute(context: &Context<'_>, update: Update) -> Result<Value, Fault> {
        let Update { id, name, wanted } = update;
        change::<Self>(context, &id, |state, profile| {
            if let Some(name) = name {
                profile.name = name;
            }
            wanted.put(context, state, profile)
        })
        .await
    }
}

/// Changes a profile by a function.
async fn change<O: JsonOperation>(
    context: &Context<'_>,
    id: &str,
    by: impl FnOnce(&Snapshot, &mut AnywhereProfile) -> Result<(), Fault>,
) -> Result<Value, Fault> {
    let updated_at = context.facts.now.floor_secs();
    context
        .change(|tx| {
            let found = access::one::<O, AnywhereProfile>(context, tx.state(), id)?;
            let mut changed = AnywhereProfile { updated_at, ..AnywhereProfile::clone(&found) };
            by(tx.state(), &mut changed)?;
            let answer = common::answer(context, &changed);
            tx.put(Entity::AnywhereProfile(changed));
            Ok(answer)
        })
        .await
}

/// Which rules of which field of a profile.
pub struct Rules {
    id: String,
    field: Field,
    specifiers: Vec<String>,
}

impl Rules {
    fn read(input: &Input<'_>, specifiers: Vec<String>) -> Result<Self, Fault> {
        let field = Field::named(input.required(shapes::FIELD.name))
            .ok_or_else(|| access::invalid("certificateField is not one."))?;
        Ok(Self { id: input.required(shapes::PROFILE_ID.name).to_owned(), field, specifiers })
    }

    fn all(&self) -> Vec<&str> {
        self.specifiers.iter().map(String::as_str).collect()
    }
}

fn refuse(error: SpecifierError) -> Fault {
    access::invalid(format!("Incorrect mapping rule: {error}."))
}

/// Puts rules in the place of a field's.
pub struct PutAttributeMapping;

impl JsonOperation for PutAttributeMapping {
    const NAME: &'static str = "PutAttributeMapping";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[shapes::PROFILE_ID, shapes::FIELD, shapes::RULES];
    const FAULTS: &'static [FaultCode] = &[FaultCode::ResourceNotFound];
    type Request = Rules;

    fn read(input: &Input<'_>) -> Result<Rules, Fault> {
        let rules = input.structures(shapes::RULES.name);
        Rules::read(input, rules.map(|it| it.required("specifier").to_owned()).collect())
    }

    async fn execute(context: &Context<'_>, rules: Rules) -> Result<Value, Fault> {
        change::<Self>(context, &rules.id, |_, profile| {
            profile.mappings.put(rules.field, &rules.all()).map_err(refuse)
        })
        .await
    }
}

/// Removes rules of a field.
pub struct DeleteAttributeMapping;

impl JsonOperation for DeleteAttributeMapping {
    const NAME: &'static str = "DeleteAttributeMapping";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[shapes::PROFILE_ID, shapes::FIELD, shapes::SPECIFIERS];
    const FAULTS: &'static [FaultCode] = &[FaultCode::ResourceNotFound];
    type Request = Rules;

    fn read(input: &Input<'_>) -> Result<Rules, Fault> {
        let specifiers = input.texts(shapes::SPECIFIERS.name);
        Rules::read(input, specifiers.map(ToOwned::to_owned).collect())
    }

    async fn execute(context: &Context<'_>, rules: Rules) -> Result<Value, Fault> {
        change::<Self>(context, &rules.id, |_, profile| {
            profile.mappings.remove(rules.field, &rules.all()).map_err(refuse)
        })
        .await
    }
}

by_id!(
    /// Gets one.
    GetProfile, Read, shapes::PROFILE_ID,
    |context, id| common::get::<Self, AnywhereProfile>(context, &id)
);
by_id!(
    /// Deletes one. Sessions that there are last.
    DeleteProfile, Write, shapes::PROFILE_ID,
    |context, id| common::delete::<Self, AnywhereProfile>(context, &id).await
);
by_id!(
    /// Lets it give sessions.
    EnableProfile, Write, shapes::PROFILE_ID,
    |context, id| common::switch::<Self, AnywhereProfile>(context, &id, true).await
);
by_id!(
    /// Lets it give no more. Sessions that there are last.
    DisableProfile, Write, shapes::PROFILE_ID,
    |context, id| common::switch::<Self, AnywhereProfile>(context, &id, false).await
);
listing!(
    /// Lists those of the account.
    ListProfiles of AnywhereProfile
);

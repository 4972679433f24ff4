//! The versions of managed policies: five at most, one of which counts.
//!
//! Source: AWS IAM API reference, CreatePolicyVersion, GetPolicyVersion, ListPolicyVersions,
//! DeletePolicyVersion, SetDefaultPolicyVersion; IAM User Guide, "Versioning IAM policies".

use std::sync::Arc;

use serde_json::{Value, json};

use super::kind::{Kind as _, constants};
use super::page::{OfHolder, Page};
use super::{access, managed_policies};
use crate::directory::policies::PolicyVersion;
use crate::directory::{Entity, Managed, ManagedPolicy};
use crate::ops::fault::{self, Fault, FaultCode};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The ID of a version: `v1`.
pub(super) fn id(number: u32) -> String {
    format!("v{number}")
}

/// The number of a version's ID.
fn number(id: &str) -> Option<u32> {
    id.strip_prefix('v')?.parse().ok()
}

/// A version of a managed policy.
pub struct Told {
    policy: Managed,
    number: u32,
}

impl Told {
    /// The members of a `PolicyVersion`.
    pub(super) fn write(&self, xml: &mut Xml, with_document: bool) {
        let Some((document, created_at)) = self.policy.version(self.number) else { return };
        if with_document {
            xml.policy("Document", document.text());
        }
        xml.text("VersionId", id(self.number));
        xml.value("IsDefaultVersion", self.number == self.policy.default_version());
        xml.time("CreateDate", created_at);
    }
}

/// Every version of a policy, the newest first.
pub(super) fn all(policy: &Managed) -> Vec<Told> {
    let numbers = policy.versions().into_iter();
    numbers.map(|number| Told { policy: policy.clone(), number }).collect()
}

/// The operation CreatePolicyVersion.
pub struct CreatePolicyVersion;

/// The version that is wanted.
pub struct CreateRequest {
    arn: String,
    document: String,
    default: bool,
}

impl Operation for CreatePolicyVersion {
    constants!(Write "CreatePolicyVersion");
    type Request = CreateRequest;
    type Response = Told;

    fn read(params: &Params) -> Result<CreateRequest, Fault> {
        params::read(params, |v| CreateRequest {
            arn: v.required("PolicyArn", &rules::ARN).to_owned(),
            document: v.required("PolicyDocument", &rules::POLICY_DOCUMENT).to_owned(),
            default: v.boolean("SetAsDefault").unwrap_or(false),
        })
    }

    fn describe(request: &CreateRequest) -> Value {
        json!({
            "policyArn": request.arn,
            "policyDocument": request.document,
            "setAsDefault": request.default,
        })
    }

    async fn execute(context: &Context<'_>, request: CreateRequest) -> Result<Told, Fault> {
        let parsed = managed_policies::document(&request.document);
        context
            .change(|tx| {
                let arn = &request.arn;
                let found =
                    access::existing::<Self, ManagedPolicy>(context, tx.state(), arn, |_, _| ())?;
                let document = parsed?;
                let mut policy = ManagedPolicy::clone(&found);
                let limit = context.services.quotas.versions_per_policy;
                if policy.versions.len() >= limit {
                    return Err(Fault::new(
                        FaultCode::LimitExceeded,
                        format!(
                            "A managed policy can have up to {limit} versions. Before you create a \
                             new version, you must delete an existing version."
                        ),
                    ));
                }
                let now = context.facts.now.floor_secs();
                policy.newest += 1;
                let number = policy.newest;
                policy.versions.insert(number, PolicyVersion { document, created_at: now });
                if request.default {
                    policy.default = number;
                }
                policy.updated_at = now;
                tx.put(Entity::Policy(policy.clone()));
                Ok(Told { policy: Managed::Own(policy.into()), number })
            })
            .await
    }

    fn outcome(response: &Told) -> Value {
        json!({ "policyVersion": {
            "versionId": id(response.number),
            "isDefaultVersion": response.number == response.policy.default_version(),
        }})
    }

    fn write(response: &Told, xml: &mut Xml) {
        xml.element("PolicyVersion", |xml| response.write(xml, false));
    }
}

/// A version of a policy, as requests name it.
pub struct Named {
    arn: String,
    version: String,
}

impl Named {
    fn read(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| Self {
            arn: v.required("PolicyArn", &rules::ARN).to_owned(),
            version: v.required("VersionId", &rules::POLICY_VERSION).to_owned(),
        })
    }

    fn describe(&self) -> Value {
        json!({ "policyArn": self.arn, "versionId": self.version })
    }

    /// The number of the version, which the policy must have.
    fn number_in(&self, policy: &Managed) -> Result<u32, Fault> {
        number(&self.version)
            .filter(|number| policy.version(*number).is_some())
            .ok_or_else(|| Fault::no_such_entity(fault::Entity::PolicyVersion, &self.version))
    }
}

/// The operation GetPolicyVersion.
pub struct GetPolicyVersion;

impl Operation for GetPolicyVersion {
    constants!(Read "GetPolicyVersion");
    type Request = Named;
    type Response = Told;

    fn read(params: &Params) -> Result<Named, Fault> {
        Named::read(params)
    }

    fn describe(request: &Named) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Named) -> Result<Told, Fault> {
        let state = context.services.directory.snapshot();
        let policy = access::existing::<Self, Managed>(context, &state, &request.arn, |_, _| ())?;
        let number = request.number_in(&policy)?;
        Ok(Told { policy: Managed::clone(&policy), number })
    }

    fn write(response: &Told, xml: &mut Xml) {
        xml.element("PolicyVersion", |xml| response.write(xml, true));
    }
}

/// The operation ListPolicyVersions.
pub struct ListPolicyVersions;

impl Operation for ListPolicyVersions {
    constants!(Read "ListPolicyVersions");
    type Request = OfHolder;
    type Response = Page<Told>;

    fn read(params: &Params) -> Result<OfHolder, Fault> {
        params::read(params, |v| OfHolder::read::<Managed>(v, &rules::ARN))
    }

    fn describe(request: &OfHolder) -> Value {
        request.describe::<Managed>()
    }

    async fn execute(context: &Context<'_>, request: OfHolder) -> Result<Page<Told>, Fault> {
        let state = context.services.directory.snapshot();
        let arn = &request.holder;
        let policy = access::existing::<Self, Managed>(context, &state, arn, |_, _| ())?;
        // The newest first; a page goes on below the number that it ended with.
        let versions = all(&policy).into_iter();
        let versions = versions.map(|told| (format!("{:010}", u32::MAX - told.number), told));
        request.paging.page::<Self, _>(context, &policy.key(), versions)
    }

    fn write(response: &Page<Told>, xml: &mut Xml) {
        xml.list("Versions", &response.items, |xml, told| told.write(xml, false));
        response.write_end(xml);
    }
}

/// The operation DeletePolicyVersion: of one that does not count.
pub struct DeletePolicyVersion;

impl Operation for DeletePolicyVersion {
    constants!(Write "DeletePolicyVersion", no result);
    type Request = Named;
    type Response = ();

    fn read(params: &Params) -> Result<Named, Fault> {
        Named::read(params)
    }

    fn describe(request: &Named) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Named) -> Result<(), Fault> {
        context
            .change(|tx| {
                let arn = &request.arn;
                let found =
                    access::existing::<Self, ManagedPolicy>(context, tx.state(), arn, |_, _| ())?;
                let number = request.number_in(&Managed::Own(Arc::clone(&found)))?;
                if number == found.default {
                    return Err(Fault::new(
                        FaultCode::DeleteConflict,
                        "Cannot delete the default version of a policy.",
                    ));
                }
                let mut policy = ManagedPolicy::clone(&found);
                policy.versions.remove(&number);
                policy.updated_at = context.facts.now.floor_secs();
                tx.put(Entity::Policy(policy));
                Ok(())
            })
            .await
    }
}

/// The operation SetDefaultPolicyVersion: which version counts from now on.
pub struct SetDefaultPolicyVersion;

impl Operation for SetDefaultPolicyVersion {
    constants!(Write "SetDefaultPolicyVersion", no result);
    type Request = Named;
    type Response = ();

    fn read(params: &Params) -> Result<Named, Fault> {
        Named::read(params)
    }

    fn describe(request: &Named) -> Value {
        request.describe()
    }

    async fn execute(context: &Context<'_>, request: Named) -> Result<(), Fault> {
        context
            .change(|tx| {
                let arn = &request.arn;
                let found =
                    access::existing::<Self, ManagedPolicy>(context, tx.state(), arn, |_, _| ())?;
                let number = request.number_in(&Managed::Own(Arc::clone(&found)))?;
                if number != found.default {
                    let updated_at = context.facts.now.floor_secs();
                    let policy = ManagedPolicy::clone(&found);
                    tx.put(Entity::Policy(ManagedPolicy { default: number, updated_at, ..policy }));
                }
                Ok(())
            })
            .await
    }
}

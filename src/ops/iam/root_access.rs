//! What the organization's administrators may do with the root users of its members: switched on and
//! off for the whole organization.
//!
//! The organization has to work with `iam.amazonaws.com`. The management account switches on; it and
//! the delegated administrators for IAM list, and switch off, which ends the sessions of AssumeRoot
//! that need the feature, for good.
//!
//! Source: AWS IAM API reference, EnableOrganizationsRootSessions, DisableOrganizationsRootSessions,
//! EnableOrganizationsRootCredentialsManagement, DisableOrganizationsRootCredentialsManagement,
//! ListOrganizationsFeatures.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::access;
use super::kind::constants;
use crate::directory::entities::Revoked;
use crate::directory::organization::root_access::IAM;
use crate::directory::organization::{FeatureSet, Organization, OrganizationId, RootFeature};
use crate::directory::{Entity, Snapshot};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// What is enabled for an organization.
pub struct Response {
    id: OrganizationId,
    features: BTreeSet<RootFeature>,
}

impl Response {
    fn of(organization: &Organization) -> Self {
        Self { id: organization.id, features: organization.root_access.clone() }
    }

    fn words(&self) -> impl Iterator<Item = &'static str> {
        self.features.iter().map(|feature| feature.as_str())
    }

    fn outcome(&self) -> Value {
        let features: Vec<_> = self.words().collect();
        json!({ "organizationId": self.id.as_str(), "enabledFeatures": features })
    }

    fn write(&self, xml: &mut Xml) {
        xml.text("OrganizationId", self.id.as_str());
        xml.texts("EnabledFeatures", self.words());
    }
}

/// The organization, for a caller who may do `O`, of an account that administers its root access.
fn permitted<O: Operation>(
    context: &Context<'_>,
    state: &Snapshot,
) -> Result<Arc<Organization>, Fault> {
    let account = access::in_account::<O>(context, state)?;
    let organized = state.organized();
    let refused = |code, message: &str| Err(Fault::new(code, message));
    let Some(organization) = organized.organization_of(account) else {
        return refused(
            FaultCode::OrganizationNotFound,
            "No organization is associated with your account.",
        );
    };
    if !organized.administers_root_access(account) {
        return refused(
            FaultCode::AccountNotManagementOrDelegatedAdministrator,
            "Your account is neither the management account of the organization nor a delegated \
             administrator for IAM.",
        );
    }
    if organization.features != FeatureSet::All {
        return refused(
            FaultCode::OrganizationNotInAllFeaturesMode,
            "Your organization does not have all features enabled.",
        );
    }
    if !organization.services.contains_key(IAM) {
        return refused(
            FaultCode::ServiceAccessNotEnabled,
            "Trusted access is not enabled for iam.amazonaws.com in your organization.",
        );
    }
    Ok(Arc::clone(organization))
}

async fn enable<O: Operation>(
    context: &Context<'_>,
    feature: RootFeature,
) -> Result<Response, Fault> {
    context
        .change(|tx| {
            let organization = permitted::<O>(context, tx.state())?;
            if organization.management != context.identity()?.account() {
                return Err(Fault::new(
                    FaultCode::CallerIsNotManagementAccount,
                    "Your account is not the management account of the organization.",
                ));
            }
            let mut organization = organization.as_ref().clone();
            organization.root_access.insert(feature);
            let response = Response::of(&organization);
            tx.put(Entity::Organization(organization));
            Ok(response)
        })
        .await
}

async fn disable<O: Operation>(
    context: &Context<'_>,
    feature: RootFeature,
) -> Result<Response, Fault> {
    context
        .change(|tx| {
            let mut organization = permitted::<O>(context, tx.state())?.as_ref().clone();
            let ended = Revoked { version: tx.version(), at: context.facts.now.floor_secs() };
            organization.end_root_access(&[feature], ended);
            let response = Response::of(&organization);
            tx.put(Entity::Organization(organization));
            Ok(response)
        })
        .await
}

macro_rules! switches {
    ($($(#[$doc:meta])* $name:ident $how:ident $feature:ident;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Operation for $name {
            constants!(Write stringify!($name));
            type Request = ();
            type Response = Response;

            fn read(_: &Params) -> Result<(), Fault> {
                Ok(())
            }

            fn describe((): &()) -> Value {
                Value::Null
            }

            async fn execute(context: &Context<'_>, (): ()) -> Result<Response, Fault> {
                $how::<Self>(context, RootFeature::$feature).await
            }

            fn outcome(response: &Response) -> Value {
                response.outcome()
            }

            fn write(response: &Response, xml: &mut Xml) {
                response.write(xml);
            }
        }
    )*};
}

switches! {
    /// The operation EnableOrganizationsRootSessions.
    EnableOrganizationsRootSessions enable RootSessions;
    /// The operation DisableOrganizationsRootSessions.
    DisableOrganizationsRootSessions disable RootSessions;
    /// The operation EnableOrganizationsRootCredentialsManagement.
    EnableOrganizationsRootCredentialsManagement enable RootCredentialsManagement;
    /// The operation DisableOrganizationsRootCredentialsManagement.
    DisableOrganizationsRootCredentialsManagement disable RootCredentialsManagement;
}

/// The operation ListOrganizationsFeatures.
pub struct ListOrganizationsFeatures;

impl Operation for ListOrganizationsFeatures {
    constants!(Read "ListOrganizationsFeatures");
    type Request = ();
    type Response = Response;

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Response, Fault> {
        let state = context.services.directory.snapshot();
        permitted::<Self>(context, &state).map(|organization| Response::of(&organization))
    }

    fn write(response: &Response, xml: &mut Xml) {
        response.write(xml);
    }
}

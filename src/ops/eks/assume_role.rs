//! AssumeRoleForPodIdentity: the agent of a node asks for a pod.
//!
//! Source: EKS Auth API reference.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{PRINCIPAL, access, exchange, shapes};
use crate::directory::pods::told;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

/// The operation.
pub struct AssumeRoleForPodIdentity;

/// What is asked for.
pub struct Request {
    cluster: String,
    token: Zeroizing<String>,
}

impl JsonOperation for AssumeRoleForPodIdentity {
    const NAME: &'static str = "AssumeRoleForPodIdentity";
    const SERVICE: Service = Service::EksAuth;
    const EFFECT: Effect = Effect::Mint;
    const INPUT: &'static [Member] =
        &[shapes::CLUSTER, shapes::WEB_TOKEN, shapes::NODE, shapes::INSTANCE, shapes::ZONE];
    const FAULTS: &'static [FaultCode] = &[
        FaultCode::ExpiredTokenException,
        FaultCode::IdpCommunicationError,
        FaultCode::IdpRejectedClaim,
        FaultCode::InvalidIdentityToken,
        FaultCode::InvalidRequestException,
    ];
    type Request = Request;

    fn read(input: &Input<'_>) -> Result<Request, Fault> {
        Ok(Request {
            cluster: input.required(shapes::CLUSTER.name).to_owned(),
            token: Zeroizing::new(input.required(shapes::WEB_TOKEN.name).to_owned()),
        })
    }

    async fn execute(context: &Context<'_>, request: Request) -> Result<Value, Fault> {
        let permitted = || {
            let state = context.services.directory.snapshot();
            access::cluster::<Self>(context, &state, &request.cluster, &BTreeMap::new())
        };
        let (account, _) = permitted()?;
        let identity = exchange::assert(context, account, &request.token).await?;
        // Keys may have been fetched meanwhile, for seconds.
        permitted()?;
        let granted = exchange::grant(context, &identity, &request.cluster).await?;
        let (minted, association) = (&granted.minted, &granted.association);
        Ok(json!({
            "subject": {
                "namespace": association.namespace,
                "serviceAccount": association.service_account,
            },
            "audience": PRINCIPAL,
            "podIdentityAssociation": {
                "associationArn": access::arn_of(&context.facts.region, association),
                "associationId": told(association.id),
            },
            "assumedRoleUser": { "arn": granted.arn, "assumeRoleId": granted.role_id },
            "credentials": {
                "accessKeyId": minted.access_key_id.to_string(),
                "secretAccessKey": minted.secret.expose(),
                "sessionToken": minted.token.as_str(),
                "expiration": minted.expires_at.secs(),
            },
        }))
    }
}

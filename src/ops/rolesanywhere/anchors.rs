//! Trust anchors.

use serde_json::{Value, json};

use super::common::{self, by_id, listing};
use super::{access, notifications, shapes};
use crate::directory::{Entity, Tag, TrustAnchor};
use crate::federation::x509::Bundle;
use crate::id::ProviderId;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

pub(super) fn view(it: &TrustAnchor, context: &Context<'_>, _listed: bool) -> Value {
    json!({
        "trustAnchorId": crate::id::uuid(&it.id.0),
        "trustAnchorArn": access::arn_of(context, it),
        "name": it.name,
        "source": {
            "sourceType": "CERTIFICATE_BUNDLE",
            "sourceData": { "x509CertificateData": it.bundle },
        },
        "enabled": it.enabled,
        "createdAt": it.created_at.to_rfc3339(),
        "updatedAt": it.updated_at.to_rfc3339(),
    })
}

/// The bundle of a source: nothing but one of certificates is taken.
fn bundle(source: &Input<'_>) -> Result<String, Fault> {
    if source.text("sourceType") != Some("CERTIFICATE_BUNDLE") {
        return Err(access::invalid(
            "The source type has to be CERTIFICATE_BUNDLE: there are no private authorities of AWS \
             here.",
        ));
    }
    let data = source.structure("sourceData");
    let text = data.as_ref().filter(|data| data.text("acmPcaArn").is_none());
    let text = text.and_then(|data| data.text("x509CertificateData"));
    let text = text.ok_or_else(|| access::invalid("A source has x509CertificateData alone."))?;
    // An authority that never vouches for anybody is not what is meant.
    Bundle::parse(text)
        .and_then(|bundle| bundle.check_purpose())
        .map_err(|error| access::invalid(format!("Incorrect certificate bundle: {error}.")))?;
    Ok(text.to_owned())
}

/// Makes one.
pub struct CreateTrustAnchor;

/// The anchor that is wanted.
pub struct New {
    name: String,
    bundle: String,
    enabled: bool,
    tags: Vec<Tag>,
}

impl JsonOperation for CreateTrustAnchor {
    const NAME: &'static str = "CreateTrustAnchor";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] =
        &[shapes::NAME, shapes::SOURCE, shapes::ENABLED, shapes::TAGS, shapes::NOTIFICATIONS];
    const FAULTS: &'static [FaultCode] = &[];
    type Request = New;

    fn read(input: &Input<'_>) -> Result<New, Fault> {
        if input.structures(shapes::NOTIFICATIONS.name).next().is_some() {
            return Err(notifications::not_built());
        }
        let source = input.structure(shapes::SOURCE.name);
        let source = source.ok_or_else(|| access::invalid("A source is required."))?;
        Ok(New {
            name: input.required(shapes::NAME.name).to_owned(),
            bundle: bundle(&source)?,
            enabled: input.boolean(shapes::ENABLED.name).unwrap_or(false),
            tags: access::tags(input)?,
        })
    }

    async fn execute(context: &Context<'_>, new: New) -> Result<Value, Fault> {
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let account = access::any::<Self>(context, tx.state(), &new.tags)?;
                let most = context.services.quotas.trust_anchors_per_account;
                if tx.state().trust_anchors_of(account).count() >= most {
                    let message = format!("An account has at most {most} trust anchors.");
                    return Err(access::invalid(message));
                }
                let id =
                    ProviderId::generate(&*context.services.random).map_err(Fault::internal)?;
                let made = TrustAnchor {
                    id,
                    account,
                    name: new.name,
                    bundle: new.bundle,
                    enabled: new.enabled,
                    tags: new.tags,
                    created_at: now,
                    updated_at: now,
                    revoked: None,
                };
                let answer = common::answer(context, &made);
                tx.put(Entity::TrustAnchor(made));
                Ok(answer)
            })
            .await
    }
}

/// Gives one another name or bundle. Sessions that there are last.
pub struct UpdateTrustAnchor;

/// What is to change.
pub struct Update {
    id: String,
    name: Option<String>,
    bundle: Option<String>,
}

impl JsonOperation for UpdateTrustAnchor {
    const NAME: &'static str = "UpdateTrustAnchor";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[shapes::ANCHOR_ID, shapes::NEW_NAME, shapes::NEW_SOURCE];
    const FAULTS: &'static [FaultCode] = &[FaultCode::ResourceNotFound];
    type Request = Update;

    fn read(input: &Input<'_>) -> Result<Update, Fault> {
        let source = input.structure(shapes::NEW_SOURCE.name);
        Ok(Update {
            id: input.required(shapes::ANCHOR_ID.name).to_owned(),
            name: input.text(shapes::NEW_NAME.name).map(ToOwned::to_owned),
            bundle: source.as_ref().map(bundle).transpose()?,
        })
    }

    async fn execute(context: &Context<'_>, update: Update) -> Result<Value, Fault> {
        let updated_at = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let found = access::one::<Self, TrustAnchor>(context, tx.state(), &update.id)?;
                let mut changed = TrustAnchor { updated_at, ..TrustAnchor::clone(&found) };
                if let Some(name) = update.name {
                    changed.name = name;
                }
                if let Some(bundle) = update.bundle {
                    changed.bundle = bundle;
                }
                let answer = common::answer(context, &changed);
                tx.put(Entity::TrustAnchor(changed));
                Ok(answer)
            })
            .await
    }
}

by_id!(
    /// Gets one.
    GetTrustAnchor, Read, shapes::ANCHOR_ID,
    |context, id| common::get::<Self, TrustAnchor>(context, &id)
);
by_id!(
    /// Deletes one with its revocation lists. Its sessions end with it.
    DeleteTrustAnchor, Write, shapes::ANCHOR_ID,
    |context, id| common::delete::<Self, TrustAnchor>(context, &id).await
);
by_id!(
    /// Lets its certificates be taken.
    EnableTrustAnchor, Write, shapes::ANCHOR_ID,
    |context, id| common::switch::<Self, TrustAnchor>(context, &id, true).await
);
by_id!(
    /// Takes its certificates no more. Its sessions end for good.
    DisableTrustAnchor, Write, shapes::ANCHOR_ID,
    |context, id| common::switch::<Self, TrustAnchor>(context, &id, false).await
);
listing!(
    /// Lists those of the account.
    ListTrustAnchors of TrustAnchor
);

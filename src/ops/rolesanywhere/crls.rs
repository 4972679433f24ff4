//! Revocation lists.
//!
//! A list counts for certificates of the authority that made it, which must be one of its anchor's
//! bundle; where there are several, each of them does. From when it ends no such certificate is taken
//! until there is a newer one, or it is disabled: who was revoked since is not known.
//!
//! AWS does not say what UpdateCrl does with an older list, or with another authority's. Here neither is
//! taken: whoever means it deletes the list and imports the other, which are other permissions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::common::{self, by_id, listing};
use super::{access, shapes};
use crate::arn;
use crate::directory::{Crl, Entity, Tag, TrustAnchor};
use crate::federation::x509::{Bundle, RevocationList, X509Error};
use crate::id::{AnywhereId, ProviderId, uuid};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::json::{Input, JsonOperation, Member};
use crate::ops::{Context, Effect, Service};

pub(super) fn view(it: &Crl, context: &Context<'_>, _listed: bool) -> Value {
    let region = access::region(context);
    json!({
        "crlId": uuid(&it.id.0),
        "crlArn": access::arn_of(context, it),
        "name": it.name,
        "enabled": it.enabled,
        "crlData": STANDARD.encode(it.list.given()),
        "trustAnchorArn": arn::anywhere(region, it.account, "trust-anchor", &it.anchor.0),
        "createdAt": it.created_at.to_rfc3339(),
        "updatedAt": it.updated_at.to_rfc3339(),
    })
}

fn list(data: &str) -> Result<RevocationList, Fault> {
    let bytes = STANDARD.decode(data).map_err(|_| access::invalid("crlData is not in base64."))?;
    RevocationList::parse(&bytes).map_err(|error| incorrect(&error))
}

fn incorrect(error: &X509Error) -> Fault {
    access::invalid(format!("Incorrect revocation list: {error}."))
}

/// Checks that the anchor's authorities made it.
fn check(list: &RevocationList, anchor: &TrustAnchor) -> Result<(), Fault> {
    let bundle = Bundle::parse(&anchor.bundle).map_err(Fault::internal)?;
    list.check_issuer(&bundle).map_err(|error| incorrect(&error))
}

/// Imports one. It counts at once, if the request does not say otherwise.
pub struct ImportCrl;

/// The list that is wanted.
pub struct New {
    name: String,
    list: RevocationList,
    anchor: String,
    enabled: bool,
    tags: Vec<Tag>,
}

impl JsonOperation for ImportCrl {
    const NAME: &'static str = "ImportCrl";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] =
        &[shapes::NAME, shapes::CRL_DATA, shapes::ENABLED, shapes::TAGS, shapes::ANCHOR];
    const FAULTS: &'static [FaultCode] = &[];
    type Request = New;

    fn read(input: &Input<'_>) -> Result<New, Fault> {
        Ok(New {
            name: input.required(shapes::NAME.name).to_owned(),
            list: list(input.required(shapes::CRL_DATA.name))?,
            anchor: input.required(shapes::ANCHOR.name).to_owned(),
            enabled: input.boolean(shapes::ENABLED.name).unwrap_or(true),
            tags: access::tags(input)?,
        })
    }

    async fn execute(context: &Context<'_>, new: New) -> Result<Value, Fault> {
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let state = tx.state();
                let account = access::any::<Self>(context, state, &new.tags)?;
                let named = arn::parse_anywhere(&new.anchor, "trust-anchor")
                    .filter(|(region, of, _)| (*region, *of) == (access::region(context), account))
                    .and_then(|(.., id)| state.trust_anchor(&ProviderId(id)))
                    .filter(|it| it.account == account);
                let anchor = named
                    .ok_or_else(|| access::invalid("trustAnchorArn names no trust anchor."))?;
                check(&new.list, anchor)?;
                let most = context.services.quotas.crls_per_trust_anchor;
                if state.crls_of_anchor(anchor).count() >= most {
                    return Err(access::invalid(format!(
                        "A trust anchor has at most {most} revocation lists."
                    )));
                }
                let id =
                    AnywhereId::generate(&*context.services.random).map_err(Fault::internal)?;
                let made = Crl {
                    id,
                    account,
                    name: new.name,
                    enabled: new.enabled,
                    anchor: anchor.id,
                    list: new.list,
                    tags: new.tags,
                    created_at: now,
                    updated_at: now,
                };
                let answer = common::answer(context, &made);
                tx.put(Entity::Crl(made));
                Ok(answer)
            })
            .await
    }
}

/// Puts a newer list of the same authority in the place of one, or names it anew.
pub struct UpdateCrl;

/// What is to change.
pub struct Update {
    id: String,
    name: Option<String>,
    list: Option<RevocationList>,
}

impl JsonOperation for UpdateCrl {
    const NAME: &'static str = "UpdateCrl";
    const SERVICE: Service = Service::RolesAnywhere;
    const EFFECT: Effect = Effect::Write;
    const INPUT: &'static [Member] = &[shapes::CRL_ID, shapes::NEW_NAME, shapes::NEW_CRL_DATA];
    const FAULTS: &'static [FaultCode] = &[FaultCode::ResourceNotFound];
    type Request = Update;

    fn read(input: &Input<'_>) -> Result<Update, Fault> {
        Ok(Update {
            id: input.required(shapes::CRL_ID.name).to_owned(),
            name: input.text(shapes::NEW_NAME.name).map(ToOwned::to_owned),
            list: input.text(shapes::NEW_CRL_DATA.name).map(list).transpose()?,
        })
    }

    async fn execute(context: &Context<'_>, update: Update) -> Result<Value, Fault> {
        let updated_at = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let found = access::one::<Self, Crl>(context, tx.state(), &update.id)?;
                let mut changed = Crl { updated_at, ..Crl::clone(&found) };
                if let Some(name) = update.name {
                    changed.name = name;
                }
                if let Some(list) = update.list {
                    let anchor = tx.state().trust_anchor(&changed.anchor);
                    let anchor = anchor.ok_or_else(|| access::not_found("trust-anchor"))?;
                    check(&list, anchor)?;
                    // INVARIANT: an update takes no revocation back that its authority did not.
                    list.check_follows(&found.list).map_err(|error| incorrect(&error))?;
                    changed.list = list;
                }
                let answer = common::answer(context, &changed);
                tx.put(Entity::Crl(changed));
                Ok(answer)
            })
            .await
    }
}

by_id!(
    /// Gets one.
    GetCrl, Read, shapes::CRL_ID, |context, id| common::get::<Self, Crl>(context, &id)
);
by_id!(
    /// Deletes one: what it has revoked counts no more.
    DeleteCrl, Write, shapes::CRL_ID,
    |context, id| common::delete::<Self, Crl>(context, &id).await
);
by_id!(
    /// Lets it count.
    EnableCrl, Write, shapes::CRL_ID,
    |context, id| common::switch::<Self, Crl>(context, &id, true).await
);
by_id!(
    /// Lets it count no more.
    DisableCrl, Write, shapes::CRL_ID,
    |context, id| common::switch::<Self, Crl>(context, &id, false).await
);
listing!(
    /// Lists those of the account.
    ListCrls of Crl
);

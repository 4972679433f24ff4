//! Whether the principals of an account get tokens that others verify.
//!
//! Source: AWS IAM API reference, EnableOutboundWebIdentityFederation,
//! DisableOutboundWebIdentityFederation, GetOutboundWebIdentityFederationInfo.

use serde_json::{Value, json};

use super::access;
use super::account_alias::own;
use super::kind::constants;
use crate::directory::{Account, Entity, TokenIssuer};
use crate::id::{AccountId, IssuerId};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::{Context, Operation, issuer};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation EnableOutboundWebIdentityFederation. An issuer that was there before comes back,
/// with another key.
pub struct EnableOutboundWebIdentityFederation;
/// The operation DisableOutboundWebIdentityFederation. The issuer's keys are no more: tokens from
/// before do not verify with what it publishes.
pub struct DisableOutboundWebIdentityFederation;
/// The operation GetOutboundWebIdentityFederationInfo.
pub struct GetOutboundWebIdentityFederationInfo;

fn disabled() -> Fault {
    Fault::new(
        FaultCode::FeatureDisabled,
        "Outbound web identity federation is not enabled for this account.",
    )
}

fn url(context: &Context<'_>, account: AccountId, id: IssuerId) -> Result<String, Fault> {
    issuer::url(context.services, account, id).ok_or_else(|| {
        Fault::validation(
            "This deployment has no issuer: its operator has to set issuer.url to the URL at which \
             others reach it.",
        )
    })
}

impl Operation for EnableOutboundWebIdentityFederation {
    constants!(Write "EnableOutboundWebIdentityFederation");
    type Request = ();
    type Response = String;

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<String, Fault> {
        let services = context.services;
        let now = context.facts.now.floor_secs();
        context
            .change(|tx| {
                let id = access::in_account::<Self>(context, tx.state())?;
                let account = own(tx.state(), id)?;
                let issuer = match &account.token_issuer {
                    Some(issuer) if issuer.enabled => {
                        return Err(Fault::new(
                            FaultCode::FeatureEnabled,
                            "Outbound web identity federation is already enabled for this account.",
                        ));
                    }
                    Some(issuer) => issuer.id,
                    None => IssuerId::generate(&*services.random).map_err(Fault::internal)?,
                };
                let url = url(context, id, issuer)?;
                // There is no other key of which anybody could have a copy: it signs at once.
                let key = issuer::draw(services, id, issuer, now, now)?;
                let issuer = TokenIssuer { id: issuer, enabled: true, keys: vec![key] };
                tx.put(Entity::Account(Account { token_issuer: Some(issuer), ..account }));
                Ok(url)
            })
            .await
    }

    fn outcome(url: &String) -> Value {
        json!({ "issuerIdentifier": url })
    }

    fn write(url: &String, xml: &mut Xml) {
        xml.text("IssuerIdentifier", url);
    }
}

impl Operation for DisableOutboundWebIdentityFederation {
    constants!(Write "DisableOutboundWebIdentityFederation", no result);
    type Request = ();
    type Response = ();

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<(), Fault> {
        context
            .change(|tx| {
                let id = access::in_account::<Self>(context, tx.state())?;
                let account = own(tx.state(), id)?;
                let issuer = account.token_issuer.clone().filter(|issuer| issuer.enabled);
                let id = issuer.ok_or_else(disabled)?.id;
                let issuer = TokenIssuer { id, enabled: false, keys: Vec::new() };
                tx.put(Entity::Account(Account { token_issuer: Some(issuer), ..account }));
                Ok(())
            })
            .await
    }
}

impl Operation for GetOutboundWebIdentityFederationInfo {
    constants!(Read "GetOutboundWebIdentityFederationInfo");
    type Request = ();
    type Response = String;

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<String, Fault> {
        let state = context.services.directory.snapshot();
        let id = access::in_account::<Self>(context, &state)?;
        let issuer = own(&state, id)?.token_issuer.filter(|issuer| issuer.enabled);
        url(context, id, issuer.ok_or_else(disabled)?.id)
    }

    fn write(url: &String, xml: &mut Xml) {
        xml.text("IssuerIdentifier", url);
        xml.value("JwtVendingEnabled", true);
    }
}

//! The password policy of an account. It is kept and told; nobody signs in with a password here.
//!
//! Source: AWS IAM API reference, UpdateAccountPasswordPolicy: what is not given has its default;
//! nothing of the policy that was there stays.

use serde_json::{Value, json};

use super::access;
use super::account_alias::own;
use super::kind::constants;
use crate::directory::account::PasswordPolicy;
use crate::directory::{Account, Entity};
use crate::id::AccountId;
use crate::ops::fault::{self, Fault};
use crate::ops::params::{self, Validator};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The operation UpdateAccountPasswordPolicy.
pub struct UpdateAccountPasswordPolicy;

fn number(
    v: &mut Validator<'_, '_>,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Option<u32> {
    v.integer(name, range).and_then(|number| u32::try_from(number).ok())
}

impl Operation for UpdateAccountPasswordPolicy {
    constants!(Write "UpdateAccountPasswordPolicy", no result);
    type Request = PasswordPolicy;
    type Response = ();

    fn read(params: &Params) -> Result<PasswordPolicy, Fault> {
        let default = PasswordPolicy::default();
        params::read(params, |v| {
            let mut flag = |name| v.boolean(name).unwrap_or(false);
            PasswordPolicy {
                symbols: flag("RequireSymbols"),
                numbers: flag("RequireNumbers"),
                uppercase: flag("RequireUppercaseCharacters"),
                lowercase: flag("RequireLowercaseCharacters"),
                users_may_change: flag("AllowUsersToChangePassword"),
                minimum_length: number(v, "MinimumPasswordLength", 6..=128)
                    .unwrap_or(default.minimum_length),
                max_age: number(v, "MaxPasswordAge", 1..=1095),
                reuse_prevention: number(v, "PasswordReusePrevention", 1..=24),
                hard_expiry: v.boolean("HardExpiry"),
            }
        })
    }

    fn describe(request: &PasswordPolicy) -> Value {
        json!({
            "minimumPasswordLength": request.minimum_length,
            "requireSymbols": request.symbols,
            "requireNumbers": request.numbers,
            "requireUppercaseCharacters": request.uppercase,
            "requireLowercaseCharacters": request.lowercase,
            "allowUsersToChangePassword": request.users_may_change,
            "maxPasswordAge": request.max_age,
            "passwordReusePrevention": request.reuse_prevention,
            "hardExpiry": request.hard_expiry,
        })
    }

    async fn execute(context: &Context<'_>, request: PasswordPolicy) -> Result<(), Fault> {
        context
            .change(|tx| {
                let id = access::in_account::<Self>(context, tx.state())?;
                let password_policy = Some(request);
                tx.put(Entity::Account(Account { password_policy, ..own(tx.state(), id)? }));
                Ok(())
            })
            .await
    }
}

fn none(account: AccountId) -> Fault {
    Fault::no_such_entity(fault::Entity::PasswordPolicy, &account.to_string())
}

/// The operation GetAccountPasswordPolicy.
pub struct GetAccountPasswordPolicy;

impl Operation for GetAccountPasswordPolicy {
    constants!(Read "GetAccountPasswordPolicy");
    type Request = ();
    type Response = PasswordPolicy;

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<PasswordPolicy, Fault> {
        let state = context.services.directory.snapshot();
        let id = access::in_account::<Self>(context, &state)?;
        own(&state, id)?.password_policy.ok_or_else(|| none(id))
    }

    fn write(response: &PasswordPolicy, xml: &mut Xml) {
        xml.element("PasswordPolicy", |xml| {
            xml.value("MinimumPasswordLength", response.minimum_length);
            xml.value("RequireSymbols", response.symbols);
            xml.value("RequireNumbers", response.numbers);
            xml.value("RequireUppercaseCharacters", response.uppercase);
            xml.value("RequireLowercaseCharacters", response.lowercase);
            xml.value("AllowUsersToChangePassword", response.users_may_change);
            xml.value("ExpirePasswords", response.max_age.is_some());
            xml.optional("MaxPasswordAge", response.max_age.map(|days| days.to_string()));
            let reuse = response.reuse_prevention.map(|count| count.to_string());
            xml.optional("PasswordReusePrevention", reuse);
            xml.optional("HardExpiry", response.hard_expiry.map(|hard| hard.to_string()));
        });
    }
}

/// The operation DeleteAccountPasswordPolicy.
pub struct DeleteAccountPasswordPolicy;

impl Operation for DeleteAccountPasswordPolicy {
    constants!(Write "DeleteAccountPasswordPolicy", no result);
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
                account.password_policy.ok_or_else(|| none(id))?;
                tx.put(Entity::Account(Account { password_policy: None, ..account }));
                Ok(())
            })
            .await
    }
}

//! The alias of an account: one at most, unique in the deployment.
//!
//! Source: AWS IAM API reference, CreateAccountAlias, DeleteAccountAlias, ListAccountAliases.

use serde_json::{Value, json};

use super::access;
use super::kind::constants;
use super::page::{Page, Paging};
use crate::directory::{Account, Entity, Snapshot};
use crate::id::AccountId;
use crate::ops::fault::{self, Fault};
use crate::ops::params::{self, rules};
use crate::ops::{Context, Operation};
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// The account that a caller belongs to.
pub(super) fn own(state: &Snapshot, id: AccountId) -> Result<Account, Fault> {
    // A caller whose account is gone has been refused before.
    state.account(id).map(|it| Account::clone(it)).ok_or_else(|| Fault::internal("no account"))
}

/// The operation CreateAccountAlias. It takes the place of one that is there.
pub struct CreateAccountAlias;
/// The operation DeleteAccountAlias.
pub struct DeleteAccountAlias;

/// Which alias.
pub struct Request {
    alias: String,
}

impl Request {
    fn read(params: &Params) -> Result<Self, Fault> {
        params::read(params, |v| Self {
            alias: v.required("AccountAlias", &rules::ACCOUNT_ALIAS).to_owned(),
        })
    }

    fn describe(&self) -> Value {
        json!({ "accountAlias": self.alias })
    }
}

impl Operation for CreateAccountAlias {
    constants!(Write "CreateAccountAlias", no result);
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
                let id = access::in_account::<Self>(context, tx.state())?;
                let alias = request.alias;
                let owner = tx.state().accounts().find(|it| it.alias.as_ref() == Some(&alias));
                if let Some(owner) = owner {
                    if owner.id == id {
                        return Ok(());
                    }
                    return Err(Fault::already_exists(fault::Entity::AccountAlias, &alias));
                }
                let alias = Some(alias);
                tx.put(Entity::Account(Account { alias, ..own(tx.state(), id)? }));
                Ok(())
            })
            .await
    }
}

impl Operation for DeleteAccountAlias {
    constants!(Write "DeleteAccountAlias", no result);
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
                let id = access::in_account::<Self>(context, tx.state())?;
                let account = own(tx.state(), id)?;
                if account.alias.as_deref() != Some(request.alias.as_str()) {
                    let kind = fault::Entity::AccountAlias;
                    return Err(Fault::no_such_entity(kind, &request.alias));
                }
                tx.put(Entity::Account(Account { alias: None, ..account }));
                Ok(())
            })
            .await
    }
}

/// The operation ListAccountAliases.
pub struct ListAccountAliases;

impl Operation for ListAccountAliases {
    constants!(Read "ListAccountAliases");
    type Request = Paging;
    type Response = Page<String>;

    fn read(params: &Params) -> Result<Paging, Fault> {
        params::read(params, Paging::read)
    }

    fn describe(_: &Paging) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, request: Paging) -> Result<Page<String>, Fault> {
        let state = context.services.directory.snapshot();
        let id = access::in_account::<Self>(context, &state)?;
        let alias = own(&state, id)?.alias.map(|alias| (alias.clone(), alias));
        request.page::<Self, _>(context, "", alias)
    }

    fn write(response: &Page<String>, xml: &mut Xml) {
        xml.texts("AccountAliases", &response.items);
        response.write_end(xml);
    }
}

//! Accounts, on the admin socket: more than the first one.
//!
//! A new account has nobody in it. As in AWS Organizations, it gets a role that the first account
//! may assume, by default `OrganizationAccountAccessRole`, with AdministratorAccess. If there is an
//! organization, it joins it.

use crate::api::{AccountView, Accounts, CreateAccount, CreatedAccount};
use crate::arn;
use crate::directory::entities::Policies;
use crate::directory::organization::Joined;
use crate::directory::{Account, Entity, Role, Snapshot, TrustDocument, managed};
use crate::id::{AccountId, UniqueId, UniqueKind};
use crate::ops::dispatch::Trail;
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::manage::Asker;
use crate::ops::organizations::membership;
use crate::ops::params::{self, rules};
use crate::ops::trail::About;
use crate::ops::{Context, Effect, Service, write_fault};

/// The role's name when none is given.
pub const DEFAULT_ROLE: &str = "OrganizationAccountAccessRole";

/// Lists every account.
pub fn list(snapshot: &Snapshot) -> Accounts {
    Accounts { accounts: snapshot.accounts().map(|account| view(account)).collect() }
}

/// Makes an account and the role that administers it.
pub async fn create(asker: &Asker<'_>, request: &CreateAccount) -> Result<CreatedAccount, Fault> {
    let about = About { service: Service::Countersign, name: "CreateAccount", read_only: false };
    let context = asker.context();
    let described = serde_json::to_value(request).map_err(Fault::internal)?;
    let trail =
        Trail::begin(context, &about, Effect::Write, asker.user_identity(), described).await?;
    let result = make(context, request).await;
    let elements = match &result {
        Ok(created) => Ok(serde_json::to_value(created).unwrap_or_default()),
        Err(fault) => Err(fault),
    };
    // The intent is on record; the account stands whether or not its outcome is.
    let _ = trail.end(context, elements).await;
    result
}

async fn make(context: &Context<'_>, request: &CreateAccount) -> Result<CreatedAccount, Fault> {
    let random = &*context.services.random;
    let name = request.name.as_str();
    if !(1..=50).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Fault::validation("name: 1 to 50 characters without control characters."));
    }
    let role_name = request.role_name.as_deref().unwrap_or(DEFAULT_ROLE);
    params::check("role_name", role_name, &rules::USER_OR_ROLE_NAME)?;
    let id = match request.id.as_deref() {
        Some(text) => {
            AccountId::parse(text).map_err(|error| Fault::validation(format!("id: {error}.")))?
        }
        None => AccountId::generate(random).map_err(Fault::internal)?,
    };
    let role_id = UniqueId::generate(UniqueKind::Role, random).map_err(Fault::internal)?;
    let now = context.facts.now.floor_secs();
    let mut account = Account::new(id, name.to_owned(), now);
    let (role_arn, _) = context
        .services
        .directory
        .write(|tx| {
            let state = tx.state();
            if state.account(id).is_some() {
                return Err(Fault::new(
                    FaultCode::EntityAlreadyExists,
                    format!("There is an account {id} already."),
                ));
            }
            let first = state
                .accounts()
                .min_by_key(|account| (account.created_at, account.id))
                .ok_or_else(|| Fault::internal("the directory has no account"))?;
            // INVARIANT: the first account stays the oldest, whatever the clock shows.
            account.created_at = account.created_at.max(first.created_at.plus_secs(1));
            let role = administrator(&account, role_id, role_name, first.id)?;
            let role_arn = role.arn();
            tx.put(Entity::Account(account.clone()));
            tx.put(Entity::Role(role));
            membership::join(tx, id, Joined::Created, None, now);
            Ok(role_arn)
        })
        .await
        .map_err(write_fault)?;
    Ok(CreatedAccount { account: view(&account), role_arn })
}

/// The role by which the first account, or the organization's management account, administers an
/// account.
pub(in crate::ops) fn administrator(
    account: &Account,
    id: UniqueId,
    name: &str,
    first: AccountId,
) -> Result<Role, Fault> {
    let trust = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": arn::account_root(first) },
            "Action": "sts:AssumeRole",
        }],
    });
    let policies = Policies {
        attached: [managed::ADMINISTRATOR_ACCESS.to_owned()].into(),
        ..Policies::default()
    };
    Ok(Role {
        id,
        account: account.id,
        name: name.to_owned(),
        path: "/".to_owned(),
        description: Some("Administers the account from the first account.".to_owned()),
        max_session_duration: 3600,
        created_at: account.created_at,
        tags: Vec::new(),
        trust: TrustDocument::parse(&trust.to_string(), |_| None).map_err(Fault::internal)?,
        policies,
        revoked: None,
    })
}

fn view(account: &Account) -> AccountView {
    AccountView {
        id: account.id.to_string(),
        name: account.name.clone(),
        created_at: account.created_at.to_rfc3339(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::Caller;
    use crate::ops::testing::{A, Bench};

    async fn create_account(bench: &Bench, id: &str) -> Role {
        let facts = bench.facts();
        let context = Context {
            services: &bench.services,
            caller: &Caller::Anonymous,
            facts: &facts,
            batch: None,
        };
        let request =
            CreateAccount { name: "new".to_owned(), id: Some(id.to_owned()), role_name: None };
        create(&Asker::HostOperator(&context), &request).await.unwrap();
        let snapshot = bench.services.directory.snapshot();
        let role = snapshot.role_named(AccountId::parse(id).unwrap(), DEFAULT_ROLE).unwrap();
        role.as_ref().clone()
    }

    /// A lower ID, made in the very second of the first account or by a clock that stood behind,
    /// does not make another account the first.
    #[tokio::test]
    async fn the_first_account_stays_the_first() {
        let bench = Bench::new().await;
        let first = arn::account_root(AccountId::parse(A).unwrap());
        for id in ["000000000007", "000000000003", "999999999999"] {
            let role = create_account(&bench, id).await;
            assert!(role.trust.text().contains(&first), "{id}: {}", role.trust.text());
        }
    }
}

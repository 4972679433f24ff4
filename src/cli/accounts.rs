//! `countersign accounts`.

use std::process::ExitCode;

use clap::Subcommand;
use hyper::Method;

use super::client::AdminClient;
use super::{Place, output};
use crate::api::{Accounts, CreateAccount, CreatedAccount};
use crate::app::DataDir;

const PATH: &str = "/countersign/v1/accounts";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an account, with a role through which the first account administers it
    Create {
        /// A name for people
        name: String,
        /// The account's ID, 12 digits [default: drawn]
        #[arg(long)]
        id: Option<String>,
        /// The role's name [default: OrganizationAccountAccessRole]
        #[arg(long)]
        role_name: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// List every account
    List {
        #[command(flatten)]
        place: Place,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create { name, id, role_name, place } => {
            let body = CreateAccount { name, id, role_name };
            let made: CreatedAccount = admin(&place)?.json(Method::POST, PATH, Some(&body)).await?;
            output::line(&format!("{}\t{}", made.account.id, made.role_arn))?;
        }
        Command::List { place } => {
            let accounts: Accounts = admin(&place)?.json(Method::GET, PATH, None::<&()>).await?;
            for account in accounts.accounts {
                output::line(&format!("{}\t{}\t{}", account.id, account.created_at, account.name))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A client of the admin socket of the broker that serves this data directory.
pub(super) fn admin(place: &Place) -> anyhow::Result<AdminClient> {
    let settings = place.settings([])?;
    Ok(AdminClient::new(&DataDir::new(&settings.store.data_dir).admin_socket()))
}

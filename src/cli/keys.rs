//! `countersign keys`.

use std::process::ExitCode;

use clap::Subcommand;
use hyper::Method;

use super::{Place, accounts, output};
use crate::api::{ConfirmKeys, ConfirmedKeys, CreateKey, CreatedKey};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a long-term key for a user: the way back in when no administrator's key is left
    #[command(after_help = "\
Standard output holds the key and nothing else; it is told once.

Example:
  countersign keys create arn:aws:iam::123456789012:user/admin --data-dir data")]
    Create {
        /// The user's ARN
        user: String,
        #[command(flatten)]
        place: Place,
    },
    /// Put long-term keys of a restored backup into use again
    #[command(after_help = "\
Examples:
  countersign keys confirm AKIA... AKIA... --data-dir data
  countersign keys confirm --all --data-dir data")]
    Confirm {
        /// The keys' IDs
        #[arg(value_name = "AKIA...", required_unless_present = "all", conflicts_with = "all")]
        keys: Vec<String>,
        /// Every key that waits to be confirmed
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        place: Place,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create { user, place } => {
            let body = CreateKey { user };
            let made: CreatedKey = accounts::admin(&place)?
                .json(Method::POST, "/countersign/v1/keys", Some(&body))
                .await?;
            output::line(&format!(
                "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}",
                made.access_key_id, *made.secret_access_key
            ))?;
        }
        Command::Confirm { keys, all, place } => {
            let body = ConfirmKeys { all, access_key_ids: keys };
            let confirmed: ConfirmedKeys = accounts::admin(&place)?
                .json(Method::POST, "/countersign/v1/keys/confirm", Some(&body))
                .await?;
            for id in confirmed.access_key_ids {
                output::line(&id)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

//! `countersign keys`.

use std::process::ExitCode;

use clap::Subcommand;
use hyper::Method;

use super::{Place, accounts, output};
use crate::api::{
    ChangeKey, ChangedKey, ConfirmKeys, ConfirmedKeys, CreateKey, CreatedKey, KeyFate, Keys,
};

const PATH: &str = "/countersign/v1/keys";
const CHANGE: &str = "/countersign/v1/keys/change";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a long-term key for a user, or for an account's root user
    #[command(after_help = "\
Standard output holds the key and nothing else; it is told once. For a user it is the way back in
when no administrator's key is left. A root user has every right in its account, and each use of
it stands out in the log, the audit log and the metrics: delete its key when it has done its work.

Examples:
  countersign keys create arn:aws:iam::123456789012:user/admin --data-dir data
  countersign keys create arn:aws:iam::123456789012:root --data-dir data")]
    Create {
        /// The ARN of the user or root user
        user: String,
        #[command(flatten)]
        place: Place,
    },
    /// List the long-term keys of a user or of a root user
    #[command(after_help = "\
A line a key: its ID, whether it is active, when it was made, when it was last used (- if it was
not).

Example:
  countersign keys list arn:aws:iam::123456789012:root --data-dir data")]
    List {
        /// The ARN of the user or root user
        user: String,
        #[command(flatten)]
        place: Place,
    },
    /// Take a long-term key out of use: what came from it is refused for good
    Deactivate {
        /// The key's ID
        #[arg(value_name = "AKIA...")]
        key: String,
        #[command(flatten)]
        place: Place,
    },
    /// Put a long-term key into use again
    Activate {
        /// The key's ID
        #[arg(value_name = "AKIA...")]
        key: String,
        #[command(flatten)]
        place: Place,
    },
    /// Delete a long-term key, and end what came from it
    Delete {
        /// The key's ID
        #[arg(value_name = "AKIA...")]
        key: String,
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
            let made: CreatedKey =
                accounts::admin(&place)?.json(Method::POST, PATH, Some(&body)).await?;
            output::line(&format!(
                "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}",
                made.access_key_id, *made.secret_access_key
            ))?;
        }
        Command::List { user, place } => {
            let query =
                form_urlencoded::Serializer::new(String::new()).append_pair("user", &user).finish();
            let target = format!("{PATH}?{query}");
            let found: Keys =
                accounts::admin(&place)?.json(Method::GET, &target, None::<&()>).await?;
            for key in found.keys {
                let state = if key.unconfirmed { "Unconfirmed" } else { &key.status };
                let used = key.last_used_at.as_deref().unwrap_or("-");
                let line = format!("{}\t{state}\t{}\t{used}", key.access_key_id, key.created_at);
                output::line(&line)?;
            }
        }
        Command::Deactivate { key, place } => change(&place, key, KeyFate::Inactive).await?,
        Command::Activate { key, place } => change(&place, key, KeyFate::Active).await?,
        Command::Delete { key, place } => change(&place, key, KeyFate::Deleted).await?,
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

async fn change(place: &Place, key: String, to: KeyFate) -> anyhow::Result<()> {
    let body = ChangeKey { access_key_id: key, to };
    let changed: ChangedKey =
        accounts::admin(place)?.json(Method::POST, CHANGE, Some(&body)).await?;
    output::line(&format!("{}\t{}", changed.access_key_id, changed.user))?;
    Ok(())
}

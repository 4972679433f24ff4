//! `countersign sessions`.

use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use hyper::Method;

use super::client::{Endpoint, SignedClient};
use super::{Place, accounts, output};
use crate::api::{CreateRevocation, RevocationTarget, RevocationView};

const PATH: &str = "/countersign/v1/revocations";

#[derive(Subcommand)]
pub(super) enum Command {
    /// End a session, or all sessions up to now of a role, a user or a long-term key
    Revoke(Revoke),
}

#[derive(Args)]
#[command(
    group = ArgGroup::new("target").required(true).multiple(false),
    override_usage = "\
countersign sessions revoke [OPTIONS] <ASIA...|--role <ARN>|--user <ARN>|--access-key <AKIA...>>",
    after_help = "\
Whatever came from the sessions ends too. The request is signed with AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. They must belong to the account of what is
revoked, and their policies must allow countersign:RevokeSessions. With --admin the request goes
over the admin socket instead, to any account.

Examples:
  countersign sessions revoke ASIA... --admin --data-dir data
  countersign sessions revoke ASIA...
  countersign sessions revoke --role arn:aws:iam::123456789012:role/deploy
  countersign sessions revoke --user arn:aws:iam::123456789012:user/alice --admin --data-dir data"
)]
pub(super) struct Revoke {
    /// A session's access key ID
    #[arg(group = "target", value_name = "ASIA...")]
    session: Option<String>,
    /// A role's ARN
    #[arg(long, group = "target", value_name = "ARN")]
    role: Option<String>,
    /// A user's ARN
    #[arg(long, group = "target", value_name = "ARN")]
    user: Option<String>,
    /// A long-term key's ID
    #[arg(long, group = "target", value_name = "AKIA...")]
    access_key: Option<String>,
    /// Ask over the admin socket of the data directory
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    endpoint: Endpoint,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Revoke(asked) = command;
    let target = asked
        .session
        .map(RevocationTarget::Session)
        .or(asked.role.map(RevocationTarget::Role))
        .or(asked.user.map(RevocationTarget::User))
        .or(asked.access_key.map(RevocationTarget::AccessKey))
        .ok_or_else(|| anyhow::anyhow!("name what is to be revoked"))?;
    let body = CreateRevocation { target };
    let made: RevocationView = if asked.admin {
        accounts::admin(&asked.place)?.json(Method::POST, PATH, Some(&body)).await?
    } else {
        SignedClient::connect(&asked.endpoint)?
            .json(Method::POST, PATH, &body)
            .await
            .map_err(hint)?
    };
    if made.held == Some(false) {
        output::error("no session of that access key ID is known: check it for a typing error");
    }
    output::line(&format!("revoked at {} (directory version {})", made.revoked_at, made.version))?;
    Ok(ExitCode::SUCCESS)
}

/// Across accounts no policy can allow it, which the message cannot know.
fn hint(error: anyhow::Error) -> anyhow::Error {
    if error.to_string().contains("no resource-based policy") {
        return anyhow::anyhow!(
            "{error}: sign as somebody of the account it belongs to, or use --admin"
        );
    }
    error
}

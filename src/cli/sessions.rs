//! `countersign sessions`.

use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use hyper::Method;

use serde::de::DeserializeOwned;

use super::client::{Endpoint, SignedClient};
use super::{Place, accounts, output};
use crate::api::{
    CreateRevocation, ListSessions, RevocationTarget, RevocationView, SessionCount, SessionView,
    Sessions,
};

const PATH: &str = "/countersign/v1/revocations";
const LIST: &str = "/countersign/v1/sessions";
const COUNT: &str = "/countersign/v1/sessions/count";

#[derive(Subcommand)]
pub(super) enum Command {
    /// End a session, or all sessions up to now of a role, a user, a long-term key or an identity provider
    Revoke(Revoke),
    /// List live sessions
    List(List),
    /// Count live sessions
    Count(Which),
}

#[derive(Args)]
#[command(
    group = ArgGroup::new("target").required(true).multiple(false),
    override_usage = "\
countersign sessions revoke [OPTIONS] <ASIA...|--role <ARN>|--user <ARN>|--access-key <AKIA...>|--provider <ARN>>",
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
    /// The ARN of a user or root user
    #[arg(long, group = "target", value_name = "ARN")]
    user: Option<String>,
    /// A long-term key's ID
    #[arg(long, group = "target", value_name = "AKIA...")]
    access_key: Option<String>,
    /// The ARN of an OIDC or SAML provider, or of a trust anchor
    #[arg(long, group = "target", value_name = "ARN")]
    provider: Option<String>,
    /// Ask over the admin socket of the data directory
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    endpoint: Endpoint,
}

#[derive(Args)]
#[command(after_help = "\
A line a session: access key ID, expiry, state, ARN, source identity (- if it has none). Sessions
that were revoked are listed until they expire. The request is signed with AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, whose policies must allow countersign:ListSessions;
with --admin it goes over the admin socket instead.

Examples:
  countersign sessions list
  countersign sessions list --role arn:aws:iam::123456789012:role/deploy
  countersign sessions list --account 123456789012 --source-identity alice --admin --data-dir data
  countersign sessions count --admin --data-dir data")]
pub(super) struct List {
    #[command(flatten)]
    which: Which,
    /// A JSON object a line, with everything that is known
    #[arg(long)]
    json: bool,
}

/// Which sessions are meant, and whom to ask.
#[derive(Args)]
pub(super) struct Which {
    /// The account, 12 digits [default: the caller's; with --admin, every account]
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// A role's ARN
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    /// The ARN of a role, a user, a root user or a role session
    #[arg(long, value_name = "ARN", conflicts_with = "role")]
    principal: Option<String>,
    /// A source identity
    #[arg(long, value_name = "NAME")]
    source_identity: Option<String>,
    /// Ask over the admin socket of the data directory
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    endpoint: Endpoint,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Revoke(asked) => revoke(asked).await,
        Command::List(asked) => list(asked).await,
        Command::Count(which) => count(which).await,
    }
}

async fn revoke(asked: Revoke) -> anyhow::Result<ExitCode> {
    let target = asked
        .session
        .map(RevocationTarget::Session)
        .or(asked.role.map(RevocationTarget::Role))
        .or(asked.user.map(RevocationTarget::User))
        .or(asked.access_key.map(RevocationTarget::AccessKey))
        .or(asked.provider.map(RevocationTarget::Provider))
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

impl Which {
    /// Asks, and goes on asking until the last answer; `each` takes an answer and returns where to
    /// go on.
    async fn ask<T: DeserializeOwned>(
        self,
        path: &str,
        mut each: impl FnMut(T) -> anyhow::Result<Option<String>>,
    ) -> anyhow::Result<()> {
        let mut query = ListSessions {
            account: self.account,
            role: self.role,
            principal: self.principal,
            source_identity: self.source_identity,
            max_items: Some("1000".to_owned()),
            next_token: None,
        };
        let admin = self.admin.then(|| accounts::admin(&self.place)).transpose()?;
        let signed =
            if admin.is_none() { Some(SignedClient::connect(&self.endpoint)?) } else { None };
        loop {
            let target = format!("{path}?{}", encode(&query));
            let answer: T = match (&admin, &signed) {
                (Some(client), _) => client.json(Method::GET, &target, None::<&()>).await?,
                (None, Some(client)) => client.get(&target).await.map_err(hint)?,
                (None, None) => anyhow::bail!("nobody to ask"),
            };
            query.next_token = each(answer)?;
            if query.next_token.is_none() {
                return Ok(());
            }
        }
    }
}

/// The query, as it stands in a target.
fn encode(query: &ListSessions) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("account", &query.account),
        ("role", &query.role),
        ("principal", &query.principal),
        ("source_identity", &query.source_identity),
        ("max_items", &query.max_items),
        ("next_token", &query.next_token),
    ] {
        if let Some(value) = value {
            out.append_pair(name, value);
        }
    }
    // Signatures are made over %20, never over a plus sign.
    out.finish().replace('+', "%20")
}

async fn list(asked: List) -> anyhow::Result<ExitCode> {
    let mut unreadable = 0;
    let json = asked.json;
    asked
        .which
        .ask(LIST, |answer: Sessions| {
            for session in &answer.sessions {
                let text = if json { serde_json::to_string(session)? } else { line(session) };
                output::line(&text)?;
            }
            unreadable += answer.unreadable;
            Ok(answer.next_token)
        })
        .await?;
    if unreadable > 0 {
        output::error(&format!("{unreadable} records in the ledger do not open"));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(session: &SessionView) -> String {
    let state = if session.revoked { "revoked" } else { "active" };
    let source_identity = session.source_identity.as_deref().unwrap_or("-");
    let SessionView { access_key_id, expires_at, arn, .. } = session;
    format!("{access_key_id}\t{expires_at}\t{state}\t{arn}\t{source_identity}")
}

async fn count(which: Which) -> anyhow::Result<ExitCode> {
    let mut count = 0;
    which
        .ask(COUNT, |answer: SessionCount| {
            count += answer.count;
            Ok(answer.next_token)
        })
        .await?;
    output::line(&count.to_string())?;
    Ok(ExitCode::SUCCESS)
}

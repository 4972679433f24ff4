//! `countersign init`.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::{Place, output};
use crate::app::bootstrap::{self, Bootstrap, Outcome};
use crate::app::{DataDir, World};

#[derive(Args)]
#[command(after_help = "\
Standard output holds the first access key and nothing else; it is told once.
COUNTERSIGN_BOOTSTRAP_ACCOUNT_ID, COUNTERSIGN_BOOTSTRAP_ACCESS_KEY_ID and
COUNTERSIGN_BOOTSTRAP_SECRET_ACCESS_KEY set them instead; each may be given as a file by its
name and _FILE. Where a deployment is already, nothing is changed, nothing is printed there, and
the exit code is 0.

Examples:
  countersign init --data-dir data
  export $(countersign init --data-dir data --format env)
  countersign init --print-bootstrap")]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// How the access key is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print a fitting set of COUNTERSIGN_BOOTSTRAP_* variables; make nothing
    #[arg(long)]
    print_bootstrap: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For reading
    Text,
    /// `AWS_ACCESS_KEY_ID=…` and `AWS_SECRET_ACCESS_KEY=…`, for a shell's `export $(…)`
    Env,
    /// The JSON of a `credential_process`
    Json,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let world = World::default();
    let from_environment =
        || Bootstrap::from_environment(|name| std::env::var(name).ok(), &*world.random);
    if arguments.print_bootstrap {
        let made = from_environment()?;
        output::line(&format!(
            "COUNTERSIGN_BOOTSTRAP_ACCOUNT_ID={}\nCOUNTERSIGN_BOOTSTRAP_ACCESS_KEY_ID={}\nCOUNTERSIGN_BOOTSTRAP_SECRET_ACCESS_KEY={}",
            made.account,
            made.access_key_id,
            shell_safe(made.secret.expose())
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    let settings = arguments.place.settings([])?;
    let data = DataDir::new(&settings.store.data_dir);
    match bootstrap::init(&data, &world, from_environment)? {
        Outcome::Present => {
            output::error(&format!(
                "{} holds a deployment already: nothing was changed, and its first access key \
                 is not told again",
                data.path().display()
            ));
        }
        Outcome::Made(made) => {
            output::line(&spell(&made, arguments.format)).context(
                "the deployment was made, but its access key could not be printed: \
                 remove the data directory and try again",
            )?;
            output::error(&format!(
                "Made a deployment in {}. Its keyring is {}: keep a copy in a safe place. \
                 The secret access key is not stored in clear and will not be shown again.",
                data.path().display(),
                data.keyring().display()
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// INVARIANT: this is the one place where the first key's secret leaves.
fn spell(made: &Bootstrap, format: Format) -> String {
    let (id, secret) = (&made.access_key_id, made.secret.expose());
    match format {
        Format::Text => {
            let secret = if made.drawn { secret } else { "as it was given" };
            format!(
                "Account:            {}\nUser:               {}\nAccess key ID:      {id}\nSecret access key:  {secret}",
                made.account,
                bootstrap::ADMIN
            )
        }
        Format::Env => {
            format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={}", shell_safe(secret))
        }
        Format::Json => serde_json::json!({
            "Version": 1,
            "AccessKeyId": id,
            "SecretAccessKey": secret,
        })
        .to_string(),
    }
}

/// The text as one word of a POSIX shell.
fn shell_safe(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-+/=.,:@%".contains(&b);
    if text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell_safe;

    #[test]
    fn a_shell_reads_the_text_back() {
        for text in ["plain+/=", "a b", "it's", "$(rm)", "`x`", "a\"b", "&;|<>"] {
            let script = format!("printf %s {}", shell_safe(text));
            let out = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(out.stdout).unwrap(), text);
        }
    }
}

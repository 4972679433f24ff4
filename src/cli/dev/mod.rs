//! `countersign dev`: the main job before the reader's eyes, over real HTTP, then a broker to try.

mod setup;
mod story;
mod xml;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::output;
use crate::http::signals;
use crate::id::RequestId;
use crate::random::SystemRandom;

#[derive(Args)]
#[command(after_help = "\
Everything is thrown away at the end.

Examples:
  countersign dev
  countersign dev --once      exit after the steps; not 0 if one went wrong")]
pub(super) struct Arguments {
    /// Exit after the steps
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let stop = signals::stop()?;
    let folder = Scratch::make()?;
    let stage = setup::stage(&folder.0).await?;
    output::line(&format!(
        "A throw-away broker: API {}, verification {}.\n\
         Account {} has the user alice. Account {} has the role deploy, which trusts alice if she \
         says the ExternalId '{}', and the role audit, which trusts deploy.\n",
        stage.api,
        stage.verify,
        stage.home,
        stage.partner,
        setup::EXTERNAL_ID
    ))?;
    let failed = story::tell(&stage).await?;
    if failed > 0 {
        output::line(&format!("{failed} steps went wrong."))?;
    }
    if !arguments.once {
        output::line(&stage.exports())?;
        output::line("Serving until Ctrl-C.")?;
        stop.await;
    }
    stage.serving.stop().await;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A folder that only its owner sees, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> anyhow::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let name = format!("countersign-dev-{}", RequestId::generate(&SystemRandom::new())?);
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            output::error(&format!("{}: {error}", self.0.display()));
        }
    }
}

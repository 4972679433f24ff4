//! `countersign config`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{Place, output};
use crate::http::exposure;
use crate::settings::Settings;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Read all settings, tell every problem, start nothing; the files they name are not opened
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// List every setting by its key; `tls.key` is the variable COUNTERSIGN_TLS_KEY, keys with [] stand in a file
    Keys,
}

pub(super) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check { place } => {
            let settings = place.settings([])?;
            exposure::decide(
                &settings.http,
                &settings.tls,
                settings.services.has_signing_askers(),
            )?;
            let file =
                settings.file.as_ref().map_or("no file".to_owned(), |f| f.display().to_string());
            output::line(&format!("ok ({file})"))?;
        }
        Command::Keys => {
            for key in Settings::keys().into_iter().chain(Settings::array_keys()) {
                output::line(&key)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

//! `countersign backup` and `countersign restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;

use super::{Place, accounts, output};
use crate::api::RestoredView;
use crate::app::{DataDir, World, bootstrap};
use crate::ops::manage::backups;

#[derive(Args)]
#[command(after_help = "\
The file holds the whole directory: accounts, users, roles, policies, access keys with their
secrets sealed. It does not hold the keyring: keep a copy of DATA/keyring.json elsewhere, or the
backup is of no use. The file must not be there yet; it gets mode 0600.

Example:
  countersign backup /var/backups/countersign-2026-11-22.jsonl --data-dir data")]
pub(super) struct Backup {
    /// Where to write it
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
#[command(after_help = "\
A running broker takes the backup in place of its directory, all of it or nothing. Where the data
directory holds the keyring and no directory.redb, it is made from the backup without a broker. Both
are recorded in the audit log first.

A backup does not know what was revoked after it was made. Sessions from before are therefore
refused, and long-term keys are out of use until they are confirmed with 'countersign keys confirm'.

Examples:
  countersign restore backup.jsonl --yes --data-dir data
  countersign keys confirm --all --data-dir data")]
pub(super) struct Restore {
    /// The backup
    file: PathBuf,
    /// Do it; without this nothing is changed
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn make(asked: Backup) -> anyhow::Result<ExitCode> {
    if asked.file.exists() {
        bail!("{} is there already", asked.file.display());
    }
    let response = accounts::admin(&asked.place)?.download("/countersign/v1/backup").await?;
    // Its last line says that it is whole; the MAC in it is checked when it is put back.
    let last = response.body.strip_suffix(b"\n").and_then(|it| it.rsplit(|b| *b == b'\n').next());
    if !last.is_some_and(|line| line.starts_with(b"{\"key\":")) {
        bail!("the backup was cut off: the broker's log says why. Nothing was written");
    }
    bootstrap::write_new(&asked.file, &response.body)?;
    output::line(&format!("{}: {} bytes", asked.file.display(), response.body.len()))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(asked: Restore) -> anyhow::Result<ExitCode> {
    let file = std::fs::read(&asked.file).with_context(|| asked.file.display().to_string())?;
    let settings = asked.place.settings([])?;
    let data = DataDir::new(&settings.store.data_dir);
    if !asked.yes {
        bail!(
            "{} would replace the directory of {}, end every session, and take every long-term key \
             out of use until it is confirmed: say --yes",
            asked.file.display(),
            data.path().display()
        );
    }
    let view: RestoredView = if data.directory().exists() {
        accounts::admin(&asked.place)?.upload("/countersign/v1/restore", file).await?
    } else {
        let (restored, version, made_at) =
            bootstrap::restore(&settings, &World::default(), &file).await?;
        backups::view(&restored, version, made_at.to_rfc3339())
    };
    output::line(&format!(
        "restored {} entities of {}; the directory's version is {}",
        view.entities, view.backup_made_at, view.version
    ))?;
    if view.unconfirmed_keys > 0 {
        output::line(&format!(
            "{} long-term keys are out of use: 'countersign keys confirm' puts them into use again",
            view.unconfirmed_keys
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

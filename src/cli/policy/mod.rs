//! `countersign policy`: policies in files.

mod lint;
mod sarif;
mod simulate;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};

/// What was found, or a denial.
const FOUND: u8 = 3;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Tell what is wrong, dangerous or needless in policies; exits with 3 for a warning or worse
    Lint(lint::Arguments),
    /// Tell what policies would decide, and why; exits with 3 when something is denied
    Simulate(Box<simulate::Arguments>),
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

pub(super) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Lint(arguments) => lint::run(arguments),
        Command::Simulate(arguments) => simulate::run(arguments),
    }
}

/// Writes a line to standard output. If nobody reads on (`| head`) it goes nowhere: the exit code is
/// that of the whole all the same.
fn line(text: &str) -> io::Result<()> {
    unless_cut(super::output::line(text))
}

fn unless_cut(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Ends a command that was used wrongly: exit code 2.
fn usage(message: &str) -> ExitCode {
    super::output::error(&format!("error: {message}"));
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::unless_cut;

    #[test]
    fn output_that_nobody_reads_is_no_failure() {
        assert!(unless_cut(Err(Error::from(ErrorKind::BrokenPipe))).is_ok());
        assert!(unless_cut(Err(Error::from(ErrorKind::StorageFull))).is_err());
    }
}

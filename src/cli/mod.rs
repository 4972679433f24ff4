//! The command line.
//!
//! `init`, `serve`, `dev`, `policy`, `sign`, `config` and, where there is no directory yet, `restore`
//! work on files; the others are clients of a running broker:
//! of its API listener with signed requests, or of its admin socket.
//!
//! Exit codes: 0 done, 1 failed, 2 usage, 3 findings or denials of `policy`.

mod accounts;
mod apply;
mod backup;
mod client;
mod completions;
mod config;
mod dev;
mod init;
mod keys;
mod output;
mod policy;
mod serve;
mod sessions;
mod sign;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::settings::{Inputs, Settings};

/// The command line of `countersign`.
#[derive(Parser)]
#[command(
    name = "countersign",
    version,
    about = "A self-hosted broker of temporary credentials that speaks AWS's protocols",
    after_help = EXAMPLES,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  countersign dev                       see the main job done on a throw-away broker
  countersign init --data-dir data      make a deployment; prints the first access key once
  countersign serve --data-dir data     serve it on 127.0.0.1:8350
  AWS_ENDPOINT_URL=http://127.0.0.1:8350 aws sts get-caller-identity
  countersign accounts create staging --data-dir data
  countersign sessions revoke ASIA... --admin --data-dir data
  countersign policy lint policy.json   what is wrong or dangerous in a policy
  countersign sign https://orders.example/orders/42 --service orders
  countersign completions bash > /etc/bash_completion.d/countersign";

#[derive(Subcommand)]
enum Command {
    /// Make a deployment: keyring, directory, first account, first administrator
    Init(init::Arguments),
    /// Serve a deployment
    Serve(serve::Arguments),
    /// Show the main job on a throw-away broker, then serve it
    Dev(dev::Arguments),
    /// List and make accounts, over the admin socket
    #[command(subcommand)]
    Accounts(accounts::Command),
    /// Make and confirm long-term keys, over the admin socket
    #[command(subcommand)]
    Keys(keys::Command),
    /// Make an account's directory as files say: plan, or do it
    Apply(apply::Apply),
    /// Print an account's directory as a file for 'apply'
    Export(apply::Export),
    /// Copy the directory of a running broker into a file, over the admin socket
    Backup(backup::Backup),
    /// Put a backup back; sessions from before are refused from then on
    Restore(backup::Restore),
    /// List and count live sessions, and end them before their time
    #[command(subcommand)]
    Sessions(sessions::Command),
    /// Examine policies in files, and simulate them
    #[command(subcommand)]
    Policy(policy::Command),
    /// Sign a request: print a curl command, or a presigned URL
    Sign(sign::Arguments),
    /// Check settings without starting
    #[command(subcommand)]
    Config(config::Command),
    /// Print completions for a shell
    Completions(completions::Arguments),
}

/// Where settings come from, and where the data is.
#[derive(Args, Clone, Default)]
struct Place {
    /// Settings file [default: countersign.toml in the data directory, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory [default: countersign-data] [env: COUNTERSIGN_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
}

impl Place {
    /// Reads the settings, with more flags by their keys.
    fn settings(
        &self,
        more: impl IntoIterator<Item = (&'static str, Option<String>)>,
    ) -> anyhow::Result<Settings> {
        let own = ("data_dir", self.data_dir.clone());
        let flags: BTreeMap<_, _> = std::iter::once(own)
            .chain(more)
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        Ok(Settings::load(&Inputs::from_process(self.config.clone(), flags))?)
    }
}

/// Parses the process's arguments and runs the command.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            output::error(&format!("countersign: {}", output::chain(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Serve(arguments) => block_on(serve::run(arguments)),
        Command::Dev(arguments) => block_on(dev::run(arguments)),
        Command::Accounts(command) => block_on(accounts::run(command)),
        Command::Keys(command) => block_on(keys::run(command)),
        Command::Apply(arguments) => block_on(apply::apply(arguments)),
        Command::Export(arguments) => block_on(apply::export(arguments)),
        Command::Backup(arguments) => block_on(backup::make(arguments)),
        Command::Restore(arguments) => block_on(backup::restore(arguments)),
        Command::Sessions(command) => block_on(sessions::run(command)),
        Command::Policy(command) => policy::run(&command),
        Command::Sign(arguments) => sign::run(&arguments),
        Command::Config(command) => config::run(&command),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}

fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}

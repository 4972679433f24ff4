//! `countersign apply` and `countersign export`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use hyper::Method;
use serde_json::Value;

use super::client::{Endpoint, SignedClient};
use super::output;
use crate::api::{self, ApplyRequest, DirectoryFile, Plan, PlanChange, PlanProblem, PolicyText};

/// Files or what would change: the exit code of `--check`.
const DRIFT: u8 = 3;
/// The code of a refusal by policy.
const DENIED: &str = "AccessDenied";

#[derive(Args)]
#[command(after_help = "\
Files end in .toml or .json; of a folder all such files are taken, but for documents that one of
them names, and not those of folders in it. What stands in a file is all there is to be of it; what
no file names is left alone, unless --prune is given. A policy is a table, its JSON text, or
\"file://NAME\", from the folder of the file.

Without --yes nothing is changed: the plan is shown, and its steps are tried. The request is signed
with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. The caller needs
countersign:ApplyDirectory, countersign:ExportDirectory, and the permission for each step. All steps
are done, or none.

Exit codes: 0 done, or nothing to do; 1 if it cannot be done; 3 with --check, if there is something
to do.

Examples:
  countersign export > directory.toml
  countersign apply directory.toml
  countersign apply directory.toml --yes
  countersign apply iam/ --prune --check")]
pub(super) struct Apply {
    /// Files, or folders of files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Remove what stands in no file
    #[arg(long)]
    prune: bool,
    /// Do it
    #[arg(long, conflicts_with = "check")]
    yes: bool,
    /// Change nothing; exit with 3 if there is something to do
    #[arg(long)]
    check: bool,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,
    #[command(flatten)]
    endpoint: Endpoint,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// A line a step
    Text,
    /// One JSON object
    Json,
}

#[derive(Args)]
#[command(after_help = "\
What is printed applies without a step. Secrets of access keys are not in it, nor the keys.

Examples:
  countersign export > directory.toml
  countersign export --format json")]
pub(super) struct Export {
    /// How it is printed
    #[arg(long, value_enum, default_value_t = FileFormat::Toml)]
    format: FileFormat,
    #[command(flatten)]
    endpoint: Endpoint,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileFormat {
    /// TOML, policies as their JSON text
    Toml,
    /// JSON
    Json,
}

pub(super) async fn apply(asked: Apply) -> anyhow::Result<ExitCode> {
    let directory = read(&asked.files)?;
    let client = SignedClient::connect(&asked.endpoint)?;
    // Nobody has seen a plan that could be agreed to.
    let request = ApplyRequest { directory, prune: asked.prune, plan: None };
    let ask = |what: &'static str| client.json::<Plan>(Method::POST, what, &request);
    if asked.yes {
        show(&ask("/countersign/v1/directory/apply").await?, asked.format)?;
        return Ok(ExitCode::SUCCESS);
    }
    let planned = ask("/countersign/v1/directory/plan").await?;
    show(&planned, asked.format)?;
    let drift = !planned.steps.is_empty();
    let problems = || planned.problem.iter().chain(&planned.more_problems);
    for PlanProblem { what, action, message, .. } in problems() {
        output::error(&format!("{what}: {action}: {message}"));
    }
    if problems().any(|problem| problem.code != DENIED) {
        output::error("it cannot be applied: nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    if planned.problem.is_some() {
        // What this caller may not do, another may; it is drift all the same.
        output::error("this caller cannot apply it");
    }
    if drift && !asked.check {
        output::error("nothing was changed: say --yes to do it");
    }
    Ok(if drift && asked.check { ExitCode::from(DRIFT) } else { ExitCode::SUCCESS })
}

pub(super) async fn export(asked: Export) -> anyhow::Result<ExitCode> {
    let client = SignedClient::connect(&asked.endpoint)?;
    let mut directory: DirectoryFile = client.get("/countersign/v1/directory").await?;
    let text = match asked.format {
        FileFormat::Json => serde_json::to_string_pretty(&directory)?,
        FileFormat::Toml => {
            for document in directory.documents_mut() {
                *document = PolicyText(Value::String(serde_json::to_string_pretty(&document.0)?));
            }
            toml::to_string_pretty(&directory)?
        }
    };
    output::line(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn show(plan: &Plan, format: PlanFormat) -> anyhow::Result<()> {
    if format == PlanFormat::Json {
        output::line(&serde_json::to_string_pretty(plan)?)?;
        return Ok(());
    }
    for step in &plan.steps {
        let sign = match step.change {
            PlanChange::Add => '+',
            PlanChange::Change => '~',
            PlanChange::Remove => '-',
        };
        output::line(&format!("{sign} {}  ({})", step.what, step.action))?;
    }
    let count = |change| plan.steps.iter().filter(|step| step.change == change).count();
    let (added, changed, removed) =
        (count(PlanChange::Add), count(PlanChange::Change), count(PlanChange::Remove));
    let done = if plan.version.is_some() { "done" } else { "planned" };
    output::line(&format!("{done}: {added} added, {changed} changed, {removed} removed"))?;
    Ok(())
}

/// Reads all files into one.
fn read(paths: &[PathBuf]) -> anyhow::Result<DirectoryFile> {
    let mut whole = DirectoryFile::default();
    for path in paths {
        let files = if path.is_dir() {
            read_folder(path)?
        } else {
            let read = read_file(path).with_context(|| path.display().to_string())?;
            vec![(path.clone(), read.directory)]
        };
        for (file, read) in files {
            whole.add(read).map_err(|name| {
                anyhow::anyhow!("{}: {name} stands in another file already", file.display())
            })?;
        }
    }
    Ok(whole)
}

/// Reads the directory files of a folder: its `.toml` and `.json` files, but for those that one of
/// them names as the document of a policy.
fn read_folder(folder: &Path) -> anyhow::Result<Vec<(PathBuf, DirectoryFile)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let file = entry?.path();
        let known = file.extension().is_some_and(|it| it == "toml" || it == "json");
        if known && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        bail!("{}: there is no .toml or .json file in it", folder.display());
    }
    files.sort();
    let read: Vec<_> = files.into_iter().map(|file| (read_file(&file), file)).collect();
    let documents: BTreeSet<PathBuf> =
        read.iter().filter_map(|(read, _)| read.as_ref().ok()).flat_map(ReadFile::places).collect();
    let mut directories = Vec::new();
    for (read, file) in read {
        if documents.contains(&file.canonicalize()?) {
            continue;
        }
        let read = read.with_context(|| {
            format!("{} (no file of the folder names it as a policy's document)", file.display())
        })?;
        directories.push((file, read.directory));
    }
    Ok(directories)
}

/// A directory file, with what it points to.
struct ReadFile {
    directory: DirectoryFile,
    /// The files that its documents come from.
    documents: Vec<PathBuf>,
}

impl ReadFile {
    fn places(&self) -> impl Iterator<Item = PathBuf> {
        self.documents.iter().filter_map(|file| file.canonicalize().ok())
    }
}

fn read_file(path: &Path) -> anyhow::Result<ReadFile> {
    let text = std::fs::read_to_string(path)?;
    let mut directory: DirectoryFile = match path.extension().and_then(|it| it.to_str()) {
        Some("toml") => toml::from_str(&text)?,
        Some("json") => api::strict(text.as_bytes())?,
        _ => bail!("the name of a file ends in .toml or .json"),
    };
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let mut documents = Vec::new();
    let mut from_file = |text: &str| -> anyhow::Result<Option<String>> {
        let Some(name) = text.strip_prefix("file://") else { return Ok(None) };
        let file = folder.join(name);
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        documents.push(file);
        Ok(Some(text))
    };
    for document in directory.documents_mut() {
        if let Value::String(text) = &document.0
            && let Some(text) = from_file(text)?
        {
            *document = PolicyText(Value::String(text));
        }
    }
    for provider in &mut directory.saml_provider {
        if let Some(text) = from_file(&provider.metadata)? {
            provider.metadata = text;
        }
    }
    Ok(ReadFile { directory, documents })
}

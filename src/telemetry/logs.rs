//! Structured logs to standard error.

use std::io::IsTerminal;
use std::time::Duration;

use serde::Deserialize;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry, reload};

use crate::id::RequestId;

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the field's own")]
pub enum Level {
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For reading at a terminal.
    Text,
}

/// Logs: top-level keys.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How much is logged: `off`, `error`, `warn`, `info`, `debug` or `trace`.
    pub log: Level,
    /// `json` or `text`; by default text at a terminal, JSON elsewhere.
    pub log_format: Option<Format>,
}

/// Logging was set up already.
#[derive(Debug, thiserror::Error)]
#[error("logging was set up already")]
pub struct LogError;

/// Changes what is logged while the process runs.
#[derive(Clone)]
pub struct LogControl(reload::Handle<Targets, Registry>);

impl LogControl {
    /// Logs this much from now on.
    pub fn set_level(&self, level: Level) {
        if self.0.reload(filter(level)).is_err() {
            tracing::warn!("the log level cannot be changed");
        }
    }
}

/// Sets up the process's logs to standard error, and logs where panics happen. Once a process.
pub fn init(settings: &Settings) -> Result<LogControl, LogError> {
    let format = settings.log_format.unwrap_or_else(|| {
        if std::io::stderr().is_terminal() { Format::Text } else { Format::Json }
    });
    let (subscriber, control) = subscriber(settings.log, format, std::io::stderr);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError)?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    Ok(control)
}

/// Logs of this level and format to any writer.
pub fn subscriber<W>(
    level: Level,
    format: Format,
    writer: W,
) -> (impl tracing::Subscriber + Send + Sync, LogControl)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(filter(level));
    let colors = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_ansi(colors).with_writer(writer);
    let lines = match format {
        Format::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
        Format::Text => lines.boxed(),
    };
    (Registry::default().with(lines.with_filter(filter)), LogControl(handle))
}

/// The level is ours; libraries may quote what they read, so they are held to warnings.
fn filter(level: Level) -> Targets {
    let level = match level {
        Level::Off => LevelFilter::OFF,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), level)
}

/// What is logged and counted of an answered request.
pub struct RequestLine<'a> {
    /// The listener's name.
    pub listener: &'static str,
    /// The request's ID.
    pub request_id: RequestId,
    /// The method.
    pub method: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// The answer's status.
    pub status: u16,
    /// The time from the request's head to its answer.
    pub took: Duration,
    /// The operation that answered.
    pub operation: Option<&'static str>,
    /// What the handler added.
    pub extra: &'a [(&'static str, String)],
}

impl RequestLine<'_> {
    /// Characters of a path that are logged.
    const PATH: usize = 512;

    /// Writes the line.
    pub fn log(&self) {
        const FIELDS: [&str; 3] = ["code", "account", "principal"];
        let extra = |name| {
            self.extra.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
        };
        let detail: Vec<_> = self
            .extra
            .iter()
            .filter(|(name, _)| !FIELDS.contains(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let path: String = self.path.chars().take(Self::PATH).collect();
        tracing::info!(
            request_id = %self.request_id,
            listener = self.listener,
            method = self.method,
            path,
            status = self.status,
            micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
            operation = self.operation,
            code = extra("code"),
            account = extra("account"),
            principal = extra("principal"),
            detail = (!detail.is_empty()).then(|| detail.join(" ")),
            "request"
        );
    }
}

//! `countersign serve`.

use std::process::ExitCode;

use clap::Args;

use super::Place;
use crate::app::{self, World};
use crate::downstream::Registry;
use crate::http::signals;
use crate::settings::Settings;
use crate::telemetry::{self, LogControl};

#[derive(Args, Clone)]
#[command(after_help = "\
Settings come from flags, then COUNTERSIGN_* variables, then the settings file, then defaults;
'countersign config keys' lists them. SIGHUP reloads certificates, the log level and the
services, and reopens the audit file; SIGTERM and SIGINT stop.

Examples:
  countersign serve --data-dir data
  countersign serve --data-dir data --listen 0.0.0.0:8350 --tls-certificate c.pem --tls-key k.pem
  countersign serve --data-dir data --redis rediss://broker@redis.internal/1")]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Where STS and IAM are served [default: 127.0.0.1:8350]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where downstream services ask [default: 127.0.0.1:8351]
    #[arg(long, value_name = "ADDRESS")]
    verify_listen: Option<String>,
    /// A Unix socket where downstream services on this host ask too
    #[arg(long, value_name = "FILE")]
    verify_socket: Option<String>,
    /// Where probes and metrics are [default: 127.0.0.1:8352]
    #[arg(long, value_name = "ADDRESS")]
    ops_listen: Option<String>,
    /// Certificate chain (PEM) of the API and verify listeners
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<String>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Authorities (PEM) whose clients may use the verify listener
    #[arg(long, value_name = "FILE")]
    verify_client_ca: Option<String>,
    /// Keep the session ledger in a Redis: redis://, rediss:// or unix://. The password comes from
    /// COUNTERSIGN_REDIS_PASSWORD or COUNTERSIGN_REDIS_PASSWORD_FILE [default: a file]
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Let the API and verify listeners speak plaintext beyond loopback
    #[arg(long)]
    insecure_plaintext: bool,
    /// How much is logged: off, error, warn, info, debug, trace [default: info]
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// json or text [default: text at a terminal, else json]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Arguments {
    fn settings(&self) -> anyhow::Result<Settings> {
        self.place.settings([
            ("listen", self.listen.clone()),
            ("verify_listen", self.verify_listen.clone()),
            ("verify_socket", self.verify_socket.clone()),
            ("ops_listen", self.ops_listen.clone()),
            ("tls.certificate", self.tls_certificate.clone()),
            ("tls.key", self.tls_key.clone()),
            ("tls.verify_client_ca", self.verify_client_ca.clone()),
            ("redis.url", self.redis.clone()),
            ("insecure_plaintext", self.insecure_plaintext.then(|| "true".to_owned())),
            ("log", self.log.clone()),
            ("log_format", self.log_format.clone()),
        ])
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let settings = arguments.settings()?;
    // Installed before anything is opened: a signal that comes early is not lost.
    let stop = signals::stop()?;
    let control = telemetry::init(&settings.telemetry)?;
    let serving = app::start(&settings, &World::default()).await?;
    tokio::spawn(signals::on_hangup(reload(
        arguments,
        control,
        serving.reload(),
        serving.replace_services(),
    ))?);
    stop.await;
    serving.stop().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn reload(
    arguments: Arguments,
    control: LogControl,
    mut files: impl FnMut() + Send,
    register: impl Fn(Registry) + Send,
) -> impl FnMut() + Send {
    move || {
        tracing::info!("reloading");
        files();
        match arguments.settings() {
            Ok(settings) => {
                control.set_level(settings.telemetry.log);
                register(settings.services);
            }
            Err(error) => tracing::error!(%error, "the settings cannot be read again"),
        }
    }
}

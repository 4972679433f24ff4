//! Starting and stopping the broker.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::meters;
use super::readiness::Stores;
use super::{AppError, DataDir, Deployment, World};
use crate::downstream::Registry;
use crate::http::ops::Ops;
use crate::http::route::{Admin, Api, Verify};
use crate::http::{Address, Edge, Listener, Reloader, Server, exposure};
use crate::ops::Services;
use crate::settings::Settings;
use crate::telemetry::Metrics;

/// A broker that serves.
pub struct Serving {
    /// Where the API is.
    pub api: SocketAddr,
    /// Where verification is.
    pub verify: SocketAddr,
    /// Where probes and metrics are.
    pub ops: SocketAddr,
    /// What it works on.
    pub services: Arc<Services>,
    deployment: Deployment,
    reloader: Reloader,
    stop: Stop,
    task: JoinHandle<()>,
    keeper: JoinHandle<()>,
}

/// How often the last uses of keys and roles are written down.
const KEEP_USES_EVERY: Duration = Duration::from_mins(1);

/// Stops a broker when used or dropped.
pub struct Stop(#[expect(dead_code, reason = "dropping it is the signal")] oneshot::Sender<()>);

/// Opens the stores, binds every listener and serves. Within a tokio runtime.
pub async fn start(settings: &Settings, world: &World) -> Result<Serving, AppError> {
    // What must not be opened is refused before anything is.
    let signing_askers = settings.services.has_signing_askers();
    let exposure = exposure::decide(&settings.http, &settings.tls, signing_askers)?;
    let deployment = super::open(settings, world).await?;
    let services = Arc::clone(&deployment.services);
    let metrics = Metrics::new(world.clock.now());
    if let Some(redis) = &deployment.redis {
        meters::register(&metrics, redis);
    }
    metrics.register(
        "countersign_root_uses",
        "Requests that root users of accounts signed, or federated users that they made",
        services.authenticator.root_uses().clone(),
    );
    metrics.register(
        "countersign_subjects_lost",
        "Times that it was not kept that somebody came with a certificate",
        services.subjects_lost.clone(),
    );
    meters::register_key_sets(&metrics, &deployment.key_sets);
    let edge = Edge {
        clock: Arc::clone(&world.clock),
        random: Arc::clone(&world.random),
        metrics: metrics.clone(),
    };
    let http = &settings.http;
    let limits = settings.limits;
    let data = DataDir::new(&settings.store.data_dir);
    let mut listeners = vec![
        Listener {
            name: "api",
            address: Address::Tcp(http.listen),
            tls: exposure.api,
            limits,
            handler: Arc::new(Api::new(Arc::clone(&services))),
        },
        Listener {
            name: "verify",
            address: Address::Tcp(http.verify_listen),
            tls: exposure.verify,
            limits,
            handler: Arc::new(Verify::new(Arc::clone(&services))),
        },
        Listener {
            name: "ops",
            address: Address::Tcp(http.ops_listen),
            tls: None,
            limits,
            handler: Arc::new(Ops::new(Arc::new(Stores(Arc::clone(&services))), metrics)),
        },
        Listener {
            name: "admin",
            address: Address::Unix(data.admin_socket()),
            tls: None,
            limits: limits.of_admin(),
            handler: Arc::new(Admin::new(Arc::clone(&services))),
        },
    ];
    if let Some(path) = &http.verify_socket {
        listeners.push(Listener {
            name: "verify-socket",
            address: Address::Unix(path.clone()),
            tls: None,
            limits,
            handler: Arc::new(Verify::new(Arc::clone(&services))),
        });
    }
    let server = Server::bind(&edge, listeners).await?;
    let address = |name, fallback| server.address(name).unwrap_or(fallback);
    let (api, verify, ops) = (
        address("api", http.listen),
        address("verify", http.verify_listen),
        address("ops", http.ops_listen),
    );
    let reloader = server.reloader();
    let (stop, stopped) = oneshot::channel();
    let grace: Duration = http.shutdown_timeout;
    let feeds = Arc::clone(&services);
    let task = tokio::spawn(async move {
        // Also ready when the sender is dropped.
        let stopping = async {
            drop(stopped.await);
            feeds.feeds.close();
        };
        server.run(stopping, grace).await;
    });
    let keeper = tokio::spawn(keep_uses(Arc::clone(&services)));
    let stop = Stop(stop);
    Ok(Serving { api, verify, ops, services, deployment, reloader, stop, task, keeper })
}

impl Serving {
    /// Reads certificates again and reopens the audit file.
    pub fn reload(&self) -> impl FnMut() + Send + 'static {
        let (reloader, audit) = (self.reloader.clone(), Arc::clone(&self.deployment.audit));
        move || {
            reloader.reload();
            let audit = Arc::clone(&audit);
            tokio::spawn(async move {
                if let Err(error) = audit.reopen().await {
                    tracing::error!(%error, "the audit file cannot be reopened");
                }
            });
        }
    }

    /// Puts other downstream services in the place of those that are registered.
    pub fn replace_services(&self) -> impl Fn(Registry) + Send + 'static {
        let services = Arc::clone(&self.services);
        move |registry| {
            let count = registry.iter().count();
            services.downstream.replace(registry);
            tracing::info!(count, "downstream services registered");
        }
    }

    /// Stops accepting, lets requests in work finish for a bounded time, and closes the stores.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server ended badly");
        }
        self.keeper.abort();
        write_uses(&self.services).await;
        self.services.ledger.close().await;
    }
}

async fn keep_uses(services: Arc<Services>) {
    let mut ticks = tokio::time::interval(KEEP_USES_EVERY);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        write_uses(&services).await;
    }
}

async fn write_uses(services: &Services) {
    if let Err(error) = services.directory.keep_uses().await {
        tracing::warn!(%error, "the last uses of keys and roles were not written down");
    }
}

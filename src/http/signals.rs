//! The process's signals as futures.

use std::convert::Infallible;
use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Ready when the process is asked to stop: SIGTERM or SIGINT. Installed when called.
pub fn stop() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Calls `reload` for each SIGHUP, for ever. Installed when called.
pub fn on_hangup(
    mut reload: impl FnMut() + Send,
) -> io::Result<impl Future<Output = Infallible> + Send> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            hangup.recv().await;
            reload();
        }
    })
}

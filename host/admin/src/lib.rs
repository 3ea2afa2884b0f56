//! The operator's API, health and metrics.
//!
//! [`Admin::start`] serves two things beside a running gateway. On `<data>/control.sock`, which only
//! the gateway's own user (and root) may open: HTTP and JSON to see messages, to see what waits for a
//! person and to decide about it, to pause destinations, and to change the running configuration;
//! most commands of `hilum` are its clients ([`Target`] has the paths). On the address of `[admin] bind`, for probes and scrapers: `/livez`, `/readyz`,
//! `/metrics`.
//!
//! Promises: [`may`] is asked before anything is done; every action but the lists is in the trail
//! before it is answered; patient data are masked everywhere but in the answer to `reveal`; head,
//! body, time and number of connections are bounded.
//! Not here: what becomes of a message; single sign-on and TCP for operators (a later issue).

mod control;
mod document;
mod health;
mod may;
mod metrics;
mod operate;
mod reply;
mod server;
mod target;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hilum_env::{Acceptor, Address, Doors};
use hilum_gateway::Gateway;
use tokio::sync::watch;

pub use may::{Action, Denied, Permitted, Resource, may};
pub use target::{ParkedId, Target};

use control::Control;
use health::Health;
use server::Limits;

/// For operators: few connections, small requests; a replay may wait for the disk.
const CONTROL: Limits = Limits {
    connections_max: 32,
    head_bytes_max: 16 << 10,
    body_bytes_max: 64 << 10,
    exchange_max: Duration::from_secs(60),
};

/// For probes and scrapers: nothing that they send has a body.
const HEALTH: Limits = Limits {
    connections_max: 64,
    head_bytes_max: 16 << 10,
    body_bytes_max: 0,
    exchange_max: Duration::from_secs(10),
};

/// The operator's side of a running gateway.
pub struct Admin {
    stop: watch::Sender<bool>,
    health: Option<Address>,
}

/// Why the operator's side did not start.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The control socket.
    #[error("the control socket {address} cannot be bound")]
    Control {
        /// Where.
        address: Address,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Admin {
    /// Serves until [`stop`](Self::stop).
    pub async fn start(gateway: Arc<Gateway>, doors: &Doors) -> Result<Self, AdminError> {
        let (stop, stopped) = watch::channel(false);
        let health = gateway.take_health();
        let health_address = health.as_ref().map(|it| it.address());
        let address = Address::Local(gateway.socket_path());
        let bound = doors.net.listen(&address).await;
        let control = bound.map_err(|source| AdminError::Control { address, source })?;

        let handler = Control::new(Arc::clone(&gateway), doors.clone(), health_address.clone());
        spawn(doors, "admin/control", control, CONTROL, handler, stopped.clone());
        if let Some(acceptor) = health {
            let handler = Health::new(gateway, doors.clone());
            spawn(doors, "admin/health", acceptor, HEALTH, handler, stopped.clone());
        }
        drop(stopped);
        Ok(Self { stop, health: health_address })
    }

    /// Where health and metrics are served, with the real port.
    pub fn health(&self) -> Option<&Address> {
        self.health.as_ref()
    }

    /// Stops accepting, and removes the control socket. Exchanges that are under way come to their
    /// end.
    pub async fn stop(&self) {
        // Nobody listens any more if both servers have ended.
        let _ = self.stop.send(true);
        self.stop.closed().await;
    }
}

fn spawn<H: server::Handler>(
    doors: &Doors,
    name: &str,
    acceptor: Box<dyn Acceptor>,
    limits: Limits,
    handler: H,
    stopped: watch::Receiver<bool>,
) {
    let serving = server::serve(acceptor, limits, Arc::new(handler), doors.clone(), stopped);
    doors.tasks.spawn(name, Box::pin(serving));
}

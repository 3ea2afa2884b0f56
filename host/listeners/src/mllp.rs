//! The MLLP listener: HL7 v2 over TCP, many messages a connection.

mod config;
mod connection;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hilum_env::{Acceptor, Address, Doors, Instant, Peer};
use hilum_pipeline::{Answer, FrameFault, Inbound, Intake};
use hilum_words::Name;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::metrics::{ListenerLabels, Trouble};
use crate::{ByteBudget, Metrics};

pub use config::MllpConfig;
use connection::Connection;

/// How long accepting pauses after an error, such as a lack of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// How often a refused connection is worth a line in the log; all are counted.
const WARN_EVERY: Duration = Duration::from_secs(1);

/// What a connection asks of the story. [`Intake`] is the only one outside of tests.
trait Door: Send + Sync + 'static {
    /// A whole frame has come.
    fn receive(&self, inbound: Inbound) -> impl Future<Output = Answer> + Send;
    /// A frame cannot become a message; this is how it begins.
    fn fault(&self, fault: FrameFault, beginning: Bytes) -> Answer;
    /// A message was cut off by the start of another.
    fn note_lost(&self, peer: &Peer, bytes: usize);
}

impl Door for Intake {
    fn receive(&self, inbound: Inbound) -> impl Future<Output = Answer> + Send {
        Self::receive(self, inbound)
    }

    fn fault(&self, fault: FrameFault, beginning: Bytes) -> Answer {
        Self::fault(self, fault, beginning)
    }

    fn note_lost(&self, peer: &Peer, bytes: usize) {
        Self::note_lost(self, peer, bytes);
    }
}

/// An MLLP listener that is bound. It stops when [`stop`](Self::stop) is called or it is dropped.
pub struct MllpListener {
    name: Name,
    address: Address,
    open: Arc<AtomicUsize>,
    stop: watch::Sender<bool>,
}

impl MllpListener {
    /// Binds, and serves connections in the background.
    pub async fn start(
        name: Name,
        config: MllpConfig,
        intake: Arc<Intake>,
        doors: &Doors,
        budget: ByteBudget,
        metrics: Metrics,
    ) -> io::Result<Self> {
        Self::start_with(name, config, intake, doors, budget, metrics).await
    }

    async fn start_with(
        name: Name,
        config: MllpConfig,
        door: Arc<impl Door>,
        doors: &Doors,
        budget: ByteBudget,
        metrics: Metrics,
    ) -> io::Result<Self> {
        let acceptor = doors.net.listen(&Address::Tcp(config.bind.clone())).await?;
        let address = acceptor.address();
        info!(listener = %name, %address, "listening");
        let (stop, stopping) = watch::channel(false);
        let open = Arc::new(AtomicUsize::new(0));
        let serving = Serving {
            name: name.clone(),
            config,
            door,
            doors: doors.clone(),
            budget,
            metrics,
            open: Arc::clone(&open),
            warned: None,
            stopping,
        };
        doors.tasks.spawn("mllp", Box::pin(serving.run(acceptor)));
        Ok(Self { name, address, open, stop })
    }

    /// The listener's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The address as bound, with its real port.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Stops accepting. Connections end after the message that they are in.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

struct Serving<D> {
    name: Name,
    config: MllpConfig,
    door: Arc<D>,
    doors: Doors,
    budget: ByteBudget,
    metrics: Metrics,
    open: Arc<AtomicUsize>,
    warned: Option<Instant>,
    stopping: watch::Receiver<bool>,
}

impl<D: Door> Serving<D> {
    async fn run(mut self, acceptor: Box<dyn Acceptor>) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|it| *it) => return,
                accepted = acceptor.accept() => accepted,
            };
            match accepted {
                Ok(connection) => self.serve(connection),
                Err(fault) => {
                    warn!(listener = %self.name, %fault, "a connection could not be accepted");
                    let clock = &self.doors.clock;
                    clock.sleep_until(clock.instant().plus(PAUSE)).await;
                }
            }
        }
    }

    fn serve(&mut self, accepted: hilum_env::Connection) {
        let labels = ListenerLabels { listener: self.name.to_string() };
        if self.config.connections_max <= self.open.load(Ordering::SeqCst) {
            // Refused loudly: closed at once and counted, rather than left waiting in the kernel.
            self.metrics.trouble(&self.name, Trouble::Connections);
            let now = self.doors.clock.instant();
            if self.warned.is_none_or(|warned| WARN_EVERY <= now.since(warned)) {
                self.warned = Some(now);
                let peer = &accepted.peer.address;
                warn!(listener = %self.name, %peer, "too many connections; closed one");
            }
            return;
        }
        self.metrics.accepted.get_or_create(&labels).inc();
        let counted = Counted::one(&self.open, self.metrics.open.get_or_create(&labels).clone());
        let connection = Connection {
            listener: self.name.clone(),
            config: self.config.clone(),
            door: Arc::clone(&self.door),
            clock: Arc::clone(&self.doors.clock),
            lease: self.budget.lease(),
            metrics: self.metrics.clone(),
            bytes: self.metrics.bytes.get_or_create(&labels).clone(),
            skipped: self.metrics.skipped.get_or_create(&labels).clone(),
            stopping: self.stopping.clone(),
        };
        let serving = async move {
            connection.run(accepted.stream, accepted.peer).await;
            drop(counted);
        };
        self.doors.tasks.spawn("mllp-connection", Box::pin(serving));
    }
}

/// One open connection, counted until it is dropped.
struct Counted {
    open: Arc<AtomicUsize>,
    gauge: Gauge,
}

impl Counted {
    fn one(open: &Arc<AtomicUsize>, gauge: Gauge) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        gauge.inc();
        Self { open: Arc::clone(open), gauge }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
        self.gauge.dec();
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

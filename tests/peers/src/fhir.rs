//! A FHIR endpoint: transactions, batches and single resources with conditional create and update,
//! reads, searches by identifier.

mod serve;
mod store;
mod transaction;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use serde_json::Value;

use store::Resources;

/// What the endpoint does instead of what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this status and an `OperationOutcome`, and does nothing.
    Answer {
        /// The status.
        status: u16,
        /// `Retry-After`, in whole seconds, rounded up.
        retry_after: Option<Duration>,
    },
    /// Answers 200 with a `transaction-response` whose entries have this status, and does nothing.
    Entries {
        /// The status of every entry.
        status: u16,
    },
    /// Answers 200 with this body of another kind, and does nothing.
    Says(&'static str),
    /// Does its work, and answers after this time.
    Slow(Duration),
    /// Closes the connection before it does anything.
    HangUpBefore,
    /// Does its work, and closes the connection without an answer.
    HangUpAfter,
}

/// One request that the endpoint read to its end.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers by their lower-case name, in the order of the request.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Bytes,
    /// The status of the answer; `None` if it hung up.
    pub answered: Option<u16>,
}

impl Received {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What threads share.
#[derive(Default)]
struct Shared {
    resources: Mutex<Resources>,
    received: Mutex<Vec<Received>>,
    /// The next faults, each for one request; then the lasting one.
    faults: Mutex<(Vec<Fault>, Option<Fault>)>,
}

impl Shared {
    fn fault(&self) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        if faults.0.is_empty() { faults.1.clone() } else { Some(faults.0.remove(0)) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the serving thread is told.
enum Order {
    Down,
    Up,
}

/// A FHIR endpoint on a loopback port, until it is dropped.
pub struct FhirPeer {
    shared: Arc<Shared>,
    address: SocketAddr,
    orders: Option<tokio::sync::mpsc::UnboundedSender<(Order, mpsc::Sender<Result<()>>)>>,
    thread: Option<JoinHandle<()>>,
}

impl FhirPeer {
    /// Starts on a free port of 127.0.0.1.
    pub fn start() -> Result<Self> {
        Self::start_at("127.0.0.1:0")
    }

    /// Starts on this address.
    pub fn start_at(bind: &str) -> Result<Self> {
        let listener = TcpListener::bind(bind).with_context(|| format!("binds {bind}"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (orders, received) = tokio::sync::mpsc::unbounded_channel();
        let served = Arc::clone(&shared);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serve = move || runtime.block_on(serve::serve(listener, served, received));
        let thread = std::thread::Builder::new().name("fhir-peer".into()).spawn(serve)?;
        Ok(Self { shared, address, orders: Some(orders), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/fhir", self.address)
    }

    /// The resources of this type, in the order in which they were made.
    pub fn resources(&self, kind: &str) -> Vec<Value> {
        lock(&self.shared.resources).of_kind(kind).cloned().collect()
    }

    /// How many requests came, whatever became of them.
    pub fn requests(&self) -> usize {
        lock(&self.shared.received).len()
    }

    /// All requests, in the order in which they were read.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// From now on does this instead.
    pub fn fail(&self, fault: Fault) {
        *lock(&self.shared.faults) = (Vec::new(), Some(fault));
    }

    /// Does these instead, each for one request, and is well afterwards.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        *lock(&self.shared.faults) = (faults.into_iter().collect(), None);
    }

    /// From now on answers with this status.
    pub fn answer_with(&self, status: u16, retry_after: Option<Duration>) {
        self.fail(Fault::Answer { status, retry_after });
    }

    /// Closes all connections and refuses new ones.
    pub fn down(&self) -> Result<()> {
        self.order(Order::Down)
    }

    /// Is well again, on the same port.
    pub fn recover(&self) {
        *lock(&self.shared.faults) = (Vec::new(), None);
        // It answers only after it is bound. Another process may have taken the port meanwhile;
        // the test that waits for a delivery says so.
        let _ = self.order(Order::Up);
    }

    fn order(&self, order: Order) -> Result<()> {
        let orders = self.orders.as_ref().context("it is running")?;
        let (done, wait) = mpsc::channel();
        orders.send((order, done)).map_err(|_| anyhow!("the serving thread has ended"))?;
        wait.recv().context("the serving thread answers")?
    }
}

impl Drop for FhirPeer {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;

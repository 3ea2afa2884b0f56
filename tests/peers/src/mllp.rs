//! An MLLP receiver: frames in, acknowledgements out.

mod serve;

use std::collections::VecDeque;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};

/// What the receiver answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ack {
    /// An acknowledgement with this code: `AA`, `AE`, `AR`, `CA`.
    Code(&'static str),
    /// An acknowledgement with this code and, in ERR-3, this number of table 0357. ERR-7 and MSA-3
    /// hold text that quotes the message, as real receivers' do.
    Error(&'static str, &'static str),
    /// As `AA`, for the message with this control id, whichever came.
    Of(&'static str),
    /// Nothing.
    Silence,
    /// Closes the connection without an answer.
    HangUp,
    /// These bytes, as they are.
    Raw(Vec<u8>),
    /// These, one after another. What stands behind a `HangUp` is not sent.
    All(Vec<Ack>),
    /// The same, after a while.
    After(Duration, Box<Ack>),
}

/// What threads share.
struct Shared {
    /// The next answers, each for one message; then the lasting one.
    acks: Mutex<(VecDeque<Ack>, Ack)>,
    received: Mutex<Vec<Vec<u8>>>,
    connections: Mutex<usize>,
    /// The connections that are open, to say something or to close them.
    open: Mutex<Vec<TcpStream>>,
}

impl Shared {
    fn ack(&self) -> Ack {
        let mut acks = lock(&self.acks);
        acks.0.pop_front().unwrap_or_else(|| acks.1.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that accepts connections, and the word that ends it.
struct Accepting {
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// An MLLP receiver on a loopback port, until it is dropped.
pub struct MllpReceiver {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Mutex<Option<Accepting>>,
}

impl MllpReceiver {
    /// Starts on a free port of 127.0.0.1 and answers `AA`.
    pub fn start() -> Result<Self> {
        Self::start_at("127.0.0.1:0")
    }

    /// Starts on this address and answers `AA`.
    pub fn start_at(bind: &str) -> Result<Self> {
        let listener = TcpListener::bind(bind).with_context(|| format!("binds {bind}"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            acks: Mutex::new((VecDeque::new(), Ack::Code("AA"))),
            received: Mutex::default(),
            connections: Mutex::default(),
            open: Mutex::default(),
        });
        let accepting = accept(listener, &shared)?;
        Ok(Self { shared, address, accepting: Mutex::new(Some(accepting)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on answers this.
    pub fn answer(&self, ack: Ack) {
        *lock(&self.shared.acks) = (VecDeque::new(), ack);
    }

    /// Answers these, each to one message, and `AA` afterwards.
    pub fn answer_next(&self, acks: impl IntoIterator<Item = Ack>) {
        *lock(&self.shared.acks) = (acks.into_iter().collect(), Ack::Code("AA"));
    }

    /// Says something on every open connection, without having been asked.
    pub fn say(&self, bytes: &[u8]) {
        for stream in lock(&self.shared.open).iter_mut() {
            // One that has ended meanwhile hears nothing.
            let _ = stream.write_all(bytes);
        }
    }

    /// Closes all connections, and takes new ones.
    pub fn hang_up(&self) {
        for stream in lock(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Closes all connections and refuses new ones.
    pub fn down(&self) {
        if let Some(accepting) = lock(&self.accepting).take() {
            accepting.stopping.store(true, Ordering::SeqCst);
            let _ = accepting.thread.join();
        }
        self.hang_up();
    }

    /// Listens again, on the same port.
    pub fn recover(&self) -> Result<()> {
        let mut accepting = lock(&self.accepting);
        if accepting.is_none() {
            let listener = TcpListener::bind(self.address).context("binds its port again")?;
            *accepting = Some(accept(listener, &self.shared)?);
        }
        Ok(())
    }

    /// The messages that came, without their frames, in the order in which they were read.
    pub fn received(&self) -> Vec<Vec<u8>> {
        lock(&self.shared.received).clone()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        *lock(&self.shared.connections)
    }
}

impl Drop for MllpReceiver {
    fn drop(&mut self) {
        self.down();
    }
}

fn accept(listener: TcpListener, shared: &Arc<Shared>) -> Result<Accepting> {
    listener.set_nonblocking(true)?;
    let stopping = Arc::new(AtomicBool::new(false));
    let (stop, served) = (Arc::clone(&stopping), Arc::clone(shared));
    let thread = std::thread::Builder::new()
        .name("mllp-receiver".into())
        .spawn(move || serve::accept(&listener, &served, &stop))?;
    Ok(Accepting { stopping, thread })
}

#[cfg(test)]
mod tests;

//! A plain HTTP service with fault switches: it writes down what comes and says what it is told to.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;

use crate::Received;

/// How long a thread waits before it looks whether it should end.
const TICK: Duration = Duration::from_millis(20);

/// What the service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// This status, without a body.
    Status(u16),
    /// This status, these headers and this body.
    Whole {
        /// The status.
        status: u16,
        /// Headers beside `Content-Length`.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// Nothing, while the connection stays open.
    Silence,
    /// Closes the connection without an answer.
    HangUp,
    /// These bytes, as they are, and closes the connection.
    Raw(&'static str),
    /// The same, after a while.
    After(Duration, Box<Say>),
}

impl Say {
    /// A JSON answer.
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        let headers = vec![("Content-Type", "application/json".to_owned())];
        Self::Whole { status, headers, body: body.into() }
    }
}

type Handler = Box<dyn Fn(&Received) -> Say + Send + Sync>;

struct Shared {
    handler: Handler,
    /// The next answers, each to one request; then the lasting one; then the handler's.
    answers: Mutex<(VecDeque<Say>, Option<Say>)>,
    received: Mutex<Vec<Received>>,
    connections: Mutex<usize>,
    open: Mutex<Vec<TcpStream>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Accepting {
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// An HTTP service on a loopback port, until it is dropped.
pub struct HttpReceiver {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Mutex<Option<Accepting>>,
}

impl HttpReceiver {
    /// Starts on a free port of 127.0.0.1 and answers 200 without a body.
    pub fn start() -> Result<Self> {
        Self::answering(|_| Say::Status(200))
    }

    /// Starts on a free port of 127.0.0.1 and answers what `handler` says.
    pub fn answering(handler: impl Fn(&Received) -> Say + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("binds a loopback port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            answers: Mutex::default(),
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

    /// A URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on answers this.
    pub fn answer(&self, say: Say) {
        *lock(&self.shared.answers) = (VecDeque::new(), Some(say));
    }

    /// Answers these, each to one request, and is well afterwards.
    pub fn answer_next(&self, says: impl IntoIterator<Item = Say>) {
        *lock(&self.shared.answers) = (says.into_iter().collect(), None);
    }

    /// All requests, in the order in which they were read.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        *lock(&self.shared.connections)
    }

    /// Closes all connections and refuses new ones.
    pub fn down(&self) {
        if let Some(accepting) = lock(&self.accepting).take() {
            accepting.stopping.store(true, Ordering::SeqCst);
            // A thread that serves is woken by its connection's end.
            for stream in lock(&self.shared.open).drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
            let _ = accepting.thread.join();
        }
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
}

impl Drop for HttpReceiver {
    fn drop(&mut self) {
        self.down();
    }
}

fn accept(listener: TcpListener, shared: &Arc<Shared>) -> Result<Accepting> {
    listener.set_nonblocking(true)?;
    let stopping = Arc::new(AtomicBool::new(false));
    let (stop, shared) = (Arc::clone(&stopping), Arc::clone(shared));
    let work = move || {
        let mut serving: Vec<JoinHandle<()>> = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            let Ok((stream, _)) = listener.accept() else {
                std::thread::park_timeout(TICK);
                continue;
            };
            *lock(&shared.connections) += 1;
            lock(&shared.open).extend(stream.try_clone());
            let (served, stop) = (Arc::clone(&shared), Arc::clone(&stop));
            let serve = move || {
                // A broken connection is the caller's matter.
                let _ = serve(&stream, &served, &stop);
                let _ = stream.shutdown(Shutdown::Both);
            };
            serving.extend(std::thread::Builder::new().name("http-peer".into()).spawn(serve));
        }
        serving.into_iter().for_each(|it| drop(it.join()));
    };
    let thread = std::thread::Builder::new().name("http-receiver".into()).spawn(work)?;
    Ok(Accepting { stopping, thread })
}

fn serve(stream: &TcpStream, shared: &Shared, stop: &AtomicBool) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    let mut read = Vec::new();
    while let Some(mut request) = request(stream, &mut read, stop)? {
        let mut answers = lock(&shared.answers);
        let told = answers.0.pop_front().or_else(|| answers.1.clone());
        drop(answers);
        let say = told.unwrap_or_else(|| (shared.handler)(&request));
        request.answered = status(&say);
        lock(&shared.received).push(request);
        if !answer(stream, &say, stop)? {
            return Ok(());
        }
    }
    Ok(())
}

fn status(say: &Say) -> Option<u16> {
    match say {
        Say::Status(status) | Say::Whole { status, .. } => Some(*status),
        Say::After(_, say) => status(say),
        Say::Silence | Say::HangUp | Say::Raw(_) => None,
    }
}

/// Answers; whether the connection goes on.
fn answer(mut stream: &TcpStream, say: &Say, stop: &AtomicBool) -> std::io::Result<bool> {
    match say {
        Say::Status(status) => {
            write!(stream, "HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n")?;
        }
        Say::Whole { status, headers, body } => {
            let mut text = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            write!(stream, "{text}\r\n{body}")?;
        }
        Say::Silence => {
            let mut byte = [0; 1];
            while !stop.load(Ordering::SeqCst) && !matches!(stream.read(&mut byte), Ok(0)) {}
            return Ok(false);
        }
        Say::HangUp => return Ok(false),
        Say::Raw(text) => {
            stream.write_all(text.as_bytes())?;
            return Ok(false);
        }
        Say::After(wait, say) => {
            std::thread::park_timeout(*wait);
            return answer(stream, say, stop);
        }
    }
    Ok(true)
}

/// Reads one request with its body; none at the end of the connection.
fn request(
    mut stream: &TcpStream,
    read: &mut Vec<u8>,
    stop: &AtomicBool,
) -> std::io::Result<Option<Received>> {
    let mut chunk = vec![0; 64 << 10];
    let mut head: Option<(Received, usize)> = None;
    loop {
        if head.is_none()
            && let Some(end) = read.windows(4).position(|it| it == b"\r\n\r\n")
        {
            let text: Vec<u8> = read.drain(..end + 4).collect();
            head = Some(parse(&String::from_utf8_lossy(&text)));
        }
        if let Some((mut request, length)) = head.take() {
            if length <= read.len() {
                request.body = Bytes::from(read.drain(..length).collect::<Vec<u8>>());
                return Ok(Some(request));
            }
            head = Some((request, length));
        }
        if stop.load(Ordering::SeqCst) {
            return Ok(None);
        }
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(None),
            Ok(count) => read.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
}

/// A request without its body, and how long that is.
fn parse(head: &str) -> (Received, usize) {
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let request = Received {
        method: first.next().unwrap_or_default(),
        target: first.next().unwrap_or_default(),
        headers,
        body: Bytes::new(),
        answered: None,
    };
    let length = request.header("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    (request, length)
}

#[cfg(test)]
mod tests;

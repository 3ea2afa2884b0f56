//! An MLLP receiver: frames in, acknowledgements out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};

/// How long a thread waits before it looks whether it should end.
const TICK: Duration = Duration::from_millis(20);

/// What the receiver answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ack {
    /// An acknowledgement with this code: `AA`, `AE`, `AR`, `CA`.
    Code(&'static str),
    /// As `AA`, for another message than the one that came.
    OfAnother,
    /// Nothing.
    Silence,
    /// Closes the connection without an answer.
    HangUp,
    /// These bytes, as they are.
    Raw(Vec<u8>),
}

struct Shared {
    ack: Mutex<Ack>,
    received: Mutex<Vec<Vec<u8>>>,
    connections: Mutex<usize>,
    stopping: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An MLLP receiver on a loopback port, until it is dropped.
pub struct MllpReceiver {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
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
        listener.set_nonblocking(true)?;
        let shared = Arc::new(Shared {
            ack: Mutex::new(Ack::Code("AA")),
            received: Mutex::default(),
            connections: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("mllp-receiver".into())
            .spawn(move || accept(&listener, &served))?;
        Ok(Self { shared, address, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on answers this.
    pub fn answer(&self, ack: Ack) {
        *lock(&self.shared.ack) = ack;
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
        self.shared.stopping.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections: Vec<JoinHandle<()>> = Vec::new();
    while !shared.stopping.load(Ordering::SeqCst) {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::park_timeout(TICK);
            continue;
        };
        *lock(&shared.connections) += 1;
        let served = Arc::clone(shared);
        let serve = move || {
            // A broken connection is the sender's matter: it shows in what was received.
            let _ = serve(stream, &served);
        };
        connections.extend(std::thread::Builder::new().name("mllp-peer".into()).spawn(serve));
    }
    connections.into_iter().for_each(|it| drop(it.join()));
}

fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    let (mut read, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
    while !shared.stopping.load(Ordering::SeqCst) {
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => read.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) => {}
            Err(error) => return Err(error),
        }
        while let Some(end) = read.windows(2).position(|pair| pair == [0x1c, 0x0d]) {
            let frame: Vec<u8> = read.drain(..end + 2).take(end).collect();
            let begin = frame.iter().position(|byte| *byte == 0x0b).map_or(0, |it| it + 1);
            let message = frame.get(begin..).unwrap_or_default().to_vec();
            let ack = lock(&shared.ack).clone();
            let control_id = field(&message, 9);
            lock(&shared.received).push(message);
            match ack {
                Ack::Code(code) => stream.write_all(&framed(code, &control_id))?,
                Ack::OfAnother => stream.write_all(&framed("AA", "another"))?,
                Ack::Silence => {}
                Ack::HangUp => return Ok(()),
                Ack::Raw(bytes) => stream.write_all(&bytes)?,
            }
        }
    }
    Ok(())
}

/// A field of MSH by its index after splitting: MSH-10 is 9, since MSH-1 is the separator.
fn field(message: &[u8], index: usize) -> String {
    let separator = message.get(3).copied().unwrap_or(b'|');
    let msh = message.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let field = msh.split(|byte| *byte == separator).nth(index).unwrap_or_default();
    String::from_utf8_lossy(field).into_owned()
}

fn framed(code: &str, control_id: &str) -> Vec<u8> {
    format!(
        "\u{b}MSH|^~\\&|PEER|PEER|HILUM|HILUM|20260101000000+0000||ACK|ACK{control_id}|P|2.5.1\r\
         MSA|{code}|{control_id}\r\u{1c}\r"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_received_and_acknowledged() {
        let receiver = MllpReceiver::start().expect("started");
        let mut stream = TcpStream::connect(receiver.address()).expect("connected");
        let message = b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|ID7|P|2.5\rPID|1\r";
        for part in [b"\x0b".as_slice(), message, b"\x1c\x0d"] {
            stream.write_all(part).expect("written");
        }
        let mut answer = Vec::new();
        while !answer.ends_with(b"\x1c\x0d") {
            let mut more = [0; 256];
            let count = stream.read(&mut more).expect("read");
            assert_ne!(count, 0, "it answers");
            answer.extend_from_slice(&more[..count]);
        }
        assert!(String::from_utf8_lossy(&answer).contains("\rMSA|AA|ID7\r"));
        assert_eq!(receiver.received(), [message.to_vec()]);

        receiver.answer(Ack::HangUp);
        stream.write_all(b"\x0bMSH|^~\\&|A\r\x1c\x0d").expect("written");
        assert_eq!(stream.read(&mut [0; 16]).expect("closed"), 0);
        assert_eq!((receiver.received().len(), receiver.connections()), (2, 1));
    }
}

//! The receiver's threads: one accepts, one serves each connection.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Ack, Shared, lock};

/// How long a thread waits before it looks whether it should end.
const TICK: Duration = Duration::from_millis(20);

/// Accepts connections until it is told to stop, and waits for their ends.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>, stopping: &Arc<AtomicBool>) {
    let mut connections: Vec<JoinHandle<()>> = Vec::new();
    while !stopping.load(Ordering::SeqCst) {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::park_timeout(TICK);
            continue;
        };
        *lock(&shared.connections) += 1;
        lock(&shared.open).extend(stream.try_clone());
        let (served, stopping) = (Arc::clone(shared), Arc::clone(stopping));
        let serve = move || {
            // A broken connection is the sender's matter: it shows in what was received.
            let _ = serve(&stream, &served, &stopping);
            // Another handle of it is in `open`, so that dropping this one would not close it.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        };
        connections.extend(std::thread::Builder::new().name("mllp-peer".into()).spawn(serve));
    }
    connections.into_iter().for_each(|it| drop(it.join()));
}

fn serve(mut stream: &TcpStream, shared: &Shared, stopping: &AtomicBool) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TICK))?;
    let (mut read, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
    while !stopping.load(Ordering::SeqCst) {
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => read.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        while let Some(end) = read.windows(2).position(|pair| pair == [0x1c, 0x0d]) {
            let frame: Vec<u8> = read.drain(..end + 2).take(end).collect();
            let begin = frame.iter().position(|byte| *byte == 0x0b).map_or(0, |it| it + 1);
            let message = frame.get(begin..).unwrap_or_default().to_vec();
            let ack = shared.ack();
            lock(&shared.received).push(message.clone());
            if !answer(stream, &ack, &message)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Answers a message; whether the connection goes on.
fn answer(mut stream: &TcpStream, ack: &Ack, message: &[u8]) -> std::io::Result<bool> {
    let control_id = || field(message, 9);
    match ack {
        Ack::Code(code) => stream.write_all(&framed(code, &control_id(), ""))?,
        Ack::Error(code, number) => {
            let quoted = String::from_utf8_lossy(message).replace(['\r', '|'], " ");
            let error = format!("|{quoted}\rERR||PID^1^5|{number}|E|||{quoted}");
            stream.write_all(&framed(code, &control_id(), &error))?;
        }
        Ack::Of(another) => stream.write_all(&framed("AA", another, ""))?,
        Ack::Silence => {}
        Ack::HangUp => return Ok(false),
        Ack::Raw(bytes) => stream.write_all(bytes)?,
        Ack::All(acks) => {
            for ack in acks {
                if !answer(stream, ack, message)? {
                    return Ok(false);
                }
            }
        }
        Ack::After(wait, ack) => {
            std::thread::park_timeout(*wait);
            return answer(stream, ack, message);
        }
    }
    Ok(true)
}

/// A field of MSH by its index after splitting: MSH-10 is 9, since MSH-1 is the separator.
fn field(message: &[u8], index: usize) -> String {
    let separator = message.get(3).copied().unwrap_or(b'|');
    let msh = message.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let field = msh.split(|byte| *byte == separator).nth(index).unwrap_or_default();
    String::from_utf8_lossy(field).into_owned()
}

/// An acknowledgement in its frame; `more` follows MSA-2.
fn framed(code: &str, control_id: &str, more: &str) -> Vec<u8> {
    format!(
        "\u{b}MSH|^~\\&|PEER|PEER|HILUM|HILUM|20260101000000+0000||ACK|ACK{control_id}|P|2.5.1\r\
         MSA|{code}|{control_id}{more}\r\u{1c}\r"
    )
    .into_bytes()
}

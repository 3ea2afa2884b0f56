//! A sender that costs little: one message at a time on each connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::bare::{Pace, produce};
use crate::figures::Figures;
use crate::messages::Messages;

/// Sends `count` messages on so many connections, each the next as soon as the last one was
/// acknowledged. Answers how long each acknowledgement took.
pub fn closed(
    address: &str,
    connections: usize,
    count: u64,
    messages: &Arc<Messages>,
) -> Result<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let next = Arc::new(AtomicU64::new(0));
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let one = sender(address.to_owned(), count, Arc::clone(&next), Arc::clone(messages));
        senders.spawn_on(one, runtime.handle());
    }
    runtime.block_on(async {
        let mut all = Vec::new();
        while let Some(latencies) = senders.join_next().await {
            all.extend(latencies??);
        }
        Ok(all)
    })
}

async fn sender(
    address: String,
    count: u64,
    next: Arc<AtomicU64>,
    messages: Arc<Messages>,
) -> Result<Vec<Duration>> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut frame, mut answer) = (Vec::new(), vec![0; 4096]);
    let mut latencies = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if count <= number {
            return Ok(latencies);
        }
        messages.frame(number, &mut frame);
        let begun = Instant::now();
        stream.write_all(&frame).await?;
        let mut length = 0;
        while !is_whole(&answer, length)? {
            match stream.read(answer.get_mut(length..).unwrap_or_default()).await? {
                0 => bail!("the gateway closed the connection"),
                more => length += more,
            }
        }
        latencies.push(begun.elapsed());
    }
}

/// Whether an answer has come to its end; anything but a positive one is an error.
fn is_whole(answer: &[u8], length: usize) -> Result<bool> {
    let answer = answer.get(..length).unwrap_or_default();
    if !answer.ends_with(&[0x1c, 0x0d]) {
        return Ok(false);
    }
    let is_good = answer.windows(7).any(|it| it == b"MSA|AA|" || it == b"MSA|CA|");
    if !is_good {
        bail!("the gateway refused: {}", String::from_utf8_lossy(answer).replace('\r', " / "));
    }
    Ok(true)
}

/// Sends at a pace, on threads of their own, whose clocks are finer than a runtime's: for latencies.
pub fn paced(
    address: &str,
    connections: usize,
    lasts: Duration,
    pace: Pace,
    messages: &Messages,
) -> Result<Figures> {
    let streams: Vec<Mutex<TcpStream>> = (0..connections)
        .map(|_| {
            let stream = TcpStream::connect(address).context("the gateway does not listen")?;
            stream.set_nodelay(true)?;
            Ok(Mutex::new(stream))
        })
        .collect::<Result<_>>()?;
    let next = AtomicU64::new(0);
    produce(connections, lasts, pace, |producer, _| {
        let stream = streams.get(producer).ok_or_else(|| anyhow!("a connection each"))?;
        let mut stream = stream.lock().map_err(|_| anyhow!("a producer panicked"))?;
        let (mut frame, mut answer, mut length) = (Vec::new(), [0; 4096], 0);
        messages.frame(next.fetch_add(1, Ordering::Relaxed), &mut frame);
        stream.write_all(&frame)?;
        while !is_whole(&answer, length)? {
            match stream.read(answer.get_mut(length..).unwrap_or_default())? {
                0 => bail!("the gateway closed the connection"),
                more => length += more,
            }
        }
        Ok(())
    })
}

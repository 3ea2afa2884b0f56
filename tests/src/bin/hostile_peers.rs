//! Peers that mean no good, in a process of their own: everything that a listener must survive.
//!
//! `hostile_peers SECONDS CONNECTIONS HOST:PORT…` runs each kind of peer against these addresses in
//! turn for so long, and opens at least so many connections in that time. They come from loopback addresses
//! other than 127.0.0.1, as if from other machines. What they saw is printed as one line of JSON.
//!
//! Promises: it stops by itself; it talks to a loopback address alone; the same bytes every time.
//! Not here: what has to hold meanwhile (`suites/hostile_peers.rs`).

#![expect(clippy::disallowed_methods, reason = "a peer stands outside of the gateway")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// How many machines the peers pretend to be.
const MACHINES: u64 = 8;

/// How many connections a storm opens before it lets go of them.
const STORM: u64 = 5_000;

/// How long a peer waits for something before it tries again.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a TLS 1.2 client begins: a record of type handshake with a `ClientHello` that is cut off.
const CLIENT_HELLO: &[u8] = &[
    0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x0b, 0x1c, 0x0d, 0x5a, 0x5a,
    0x13, 0x01, 0x13, 0x02, 0x00, 0x00, 0x00, 0x0e, 0x00, 0x0c, 0x00, 0x00, 0x09, 0x6c, 0x6f, 0x63,
];

/// Counts of one kind.
#[derive(Default)]
struct Seen {
    opened: AtomicU64,
    /// Connections that the other side closed.
    closed: AtomicU64,
    written: AtomicU64,
    read: AtomicU64,
}

/// Everything that the peers share.
struct World {
    to: Vec<SocketAddr>,
    until: Instant,
    next: AtomicU64,
    connections: u64,
    opened: AtomicU64,
    most_at_once: AtomicU64,
    at_once: AtomicU64,
}

impl World {
    fn is_over(&self) -> bool {
        self.until <= Instant::now()
    }

    /// A connection from the next machine; none where it cannot be had.
    async fn connect(self: &Arc<Self>, seen: &Seen) -> Option<Connection> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let machine = u8::try_from(2 + number % MACHINES).unwrap_or(2);
        let socket = TcpSocket::new_v4().ok()?;
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, machine), 0))).ok()?;
        let turn = usize::try_from(number / MACHINES).unwrap_or_default() % self.to.len();
        let to = *self.to.get(turn)?;
        let stream = timeout(PATIENCE, socket.connect(to)).await.ok()?.ok()?;
        seen.opened.fetch_add(1, Ordering::Relaxed);
        self.opened.fetch_add(1, Ordering::Relaxed);
        let now = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_at_once.fetch_max(now, Ordering::Relaxed);
        Some(Connection { stream, world: Arc::clone(self) })
    }
}

struct Connection {
    stream: TcpStream,
    world: Arc<World>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.world.at_once.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connection {
    /// Writes; whether the other side still takes it.
    async fn write(&mut self, bytes: &[u8], seen: &Seen) -> bool {
        let written = timeout(PATIENCE, self.stream.write(bytes)).await;
        match written {
            Ok(Ok(count)) if 0 < count => {
                seen.written.fetch_add(count as u64, Ordering::Relaxed);
                true
            }
            // It does not read: that is no end.
            Err(_) => true,
            _ => {
                seen.closed.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    /// Reads for a while; whether the other side is still there.
    async fn read(&mut self, wait: Duration, seen: &Seen) -> bool {
        let mut bytes = [0; 4096];
        match timeout(wait, self.stream.read(&mut bytes)).await {
            Err(_) => true,
            Ok(Ok(count)) if 0 < count => {
                seen.read.fetch_add(count as u64, Ordering::Relaxed);
                true
            }
            Ok(_) => {
                seen.closed.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }
}

/// The kinds of peers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    SlowBytes,
    HalfOpen,
    HalfFrame,
    Garbage,
    Oversize,
    Tls,
    Http,
    Storm,
}

impl Kind {
    /// Each with how many of it there are at once.
    const ALL: [(Self, &str, usize); 8] = [
        (Self::SlowBytes, "slow_bytes", 40),
        (Self::HalfOpen, "half_open", 100),
        (Self::HalfFrame, "half_frame", 20),
        (Self::Garbage, "garbage", 2),
        (Self::Oversize, "oversize", 2),
        (Self::Tls, "tls", 10),
        (Self::Http, "http", 10),
        (Self::Storm, "storm", 2),
    ];

    async fn run(self, world: Arc<World>, seen: Arc<Seen>) {
        let mut chance = Chance(0x9e37_79b9);
        while !world.is_over() {
            if self == Self::Storm {
                storm(&world, &seen).await;
                continue;
            }
            if let Some(connection) = world.connect(&seen).await {
                self.once(connection, &world, &seen, &mut chance).await;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// What one connection does until it ends.
    async fn once(
        self,
        mut connection: Connection,
        world: &World,
        seen: &Seen,
        chance: &mut Chance,
    ) {
        match self {
            Self::SlowBytes => {
                let mut letters = b"\x0bMSH|^~\\&|SLOW|".iter().chain(b"A".iter().cycle());
                while !world.is_over() {
                    let letter = letters.next().copied().unwrap_or(b'A');
                    if !connection.write(&[letter], seen).await
                        || !connection.read(Duration::from_millis(500), seen).await
                    {
                        return;
                    }
                }
            }
            Self::HalfOpen => while !world.is_over() && connection.read(PATIENCE, seen).await {},
            Self::HalfFrame => {
                if connection.write(b"\x0bMSH|^~\\&|HALF|", seen).await {
                    let _ = connection.stream.shutdown().await;
                    while !world.is_over() && connection.read(PATIENCE, seen).await {}
                }
            }
            Self::Garbage => {
                let mut bytes = vec![0; 16 << 10];
                while !world.is_over() {
                    chance.fill(&mut bytes);
                    if !connection.write(&bytes, seen).await
                        || !connection.read(Duration::from_millis(20), seen).await
                    {
                        return;
                    }
                }
            }
            Self::Oversize => {
                let bytes = vec![b'A'; 64 << 10];
                if !connection.write(b"\x0bMSH|^~\\&|BIG|", seen).await {
                    return;
                }
                while !world.is_over() && connection.write(&bytes, seen).await {
                    sleep(Duration::from_millis(5)).await;
                }
            }
            Self::Tls | Self::Http => {
                let hello = match self {
                    Self::Tls => CLIENT_HELLO,
                    _ => b"POST /hl7 HTTP/1.1\r\nHost: gateway\r\nContent-Length: 3\r\n\r\nMSH",
                };
                if connection.write(hello, seen).await {
                    while !world.is_over() && connection.read(PATIENCE, seen).await {}
                }
            }
            Self::Storm => {}
        }
    }
}

/// Opens many connections as fast as they come, holds them a moment, drops them all.
async fn storm(world: &Arc<World>, seen: &Seen) {
    let mut held = Vec::new();
    let mut failed = 0;
    // Where the machine allows fewer open files, a storm is smaller.
    while !world.is_over() && (held.len() as u64) < STORM && failed < 10 {
        match world.connect(seen).await {
            Some(connection) => held.push(connection),
            None => {
                failed += 1;
                sleep(Duration::from_millis(10)).await;
            }
        }
    }
    for connection in &mut held {
        connection.read(Duration::from_millis(1), seen).await;
    }
    // As many as were asked for, spread over the time that is left.
    let missing = world.connections.saturating_sub(world.opened.load(Ordering::Relaxed));
    let left = world.until.saturating_duration_since(Instant::now());
    let rounds = u32::try_from(missing / STORM / 2 + 1).unwrap_or(u32::MAX);
    let pause = if missing == 0 { Duration::from_secs(15) } else { left / 2 / rounds };
    drop(held);
    sleep(pause.clamp(Duration::from_millis(50), Duration::from_secs(15))).await;
}

/// Bytes that look like chance (xorshift) and are the same every time.
struct Chance(u32);

impl Chance {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 17;
            self.0 ^= self.0 << 5;
            *byte = self.0.to_le_bytes()[1];
        }
    }
}

/// Lets this process open as many files as it may at all.
fn raise_file_limit() -> Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("the limit of open files cannot be raised")
}

async fn run(world: &Arc<World>) -> serde_json::Value {
    let mut kinds = Vec::new();
    let mut tasks = Vec::new();
    for (kind, name, count) in Kind::ALL {
        let seen = Arc::new(Seen::default());
        kinds.push((name, Arc::clone(&seen)));
        for _ in 0..count {
            tasks.push(tokio::spawn(kind.run(Arc::clone(world), Arc::clone(&seen))));
        }
    }
    for task in tasks {
        // A peer that fails has nothing to say.
        let _ = task.await;
    }
    let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
    let counts = kinds.iter().map(|(name, seen)| {
        let counts = serde_json::json!({
            "opened": of(&seen.opened), "closed": of(&seen.closed),
            "written": of(&seen.written), "read": of(&seen.read),
        });
        ((*name).to_owned(), counts)
    });
    let kinds: serde_json::Map<_, _> = counts.collect();
    serde_json::json!({
        "opened": of(&world.opened), "most_at_once": of(&world.most_at_once), "kinds": kinds,
    })
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().context("SECONDS")?.parse()?;
    let connections: u64 = arguments.next().context("CONNECTIONS")?.parse()?;
    let to: Vec<SocketAddr> = arguments.map(|it| Ok(it.parse()?)).collect::<Result<_>>()?;
    ensure!(!to.is_empty(), "HOST:PORT");
    ensure!(to.iter().all(|it| it.ip().is_loopback()), "only loopback is ever a target");
    raise_file_limit()?;
    let world = Arc::new(World {
        to,
        until: Instant::now() + Duration::from_secs(seconds),
        next: AtomicU64::new(0),
        connections,
        opened: AtomicU64::new(0),
        most_at_once: AtomicU64::new(0),
        at_once: AtomicU64::new(0),
    });
    // One thread: the machine belongs to those who are attacked.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{}", runtime.block_on(run(&world)));
    Ok(())
}

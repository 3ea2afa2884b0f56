use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::lock;
use crate::{Acceptor, Address, BoxFuture, Connection, ListenOptions, Net, Peer};

/// Bytes that wait in one direction of a connection.
const PIPE_BYTES: usize = 64 << 10;
/// The user at the other end of a local socket.
const UID: u32 = 1_000;

/// Sockets as pipes in memory.
pub struct TwinNet(Arc<Mutex<Sockets>>);

#[derive(Default)]
struct Sockets {
    listening: BTreeMap<String, UnboundedSender<Connection>>,
    /// The last port that was given out.
    port: u16,
}

impl Sockets {
    fn next_port(&mut self) -> u16 {
        self.port = self.port.checked_add(1).unwrap_or(0).max(20_000);
        self.port
    }
}

impl TwinNet {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }
}

fn tcp(address: &str) -> io::Result<SocketAddr> {
    let numeric = address.replace("localhost", "127.0.0.1");
    numeric.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
}

impl Net for TwinNet {
    fn listen_with(
        &self,
        at: &Address,
        _: &ListenOptions,
    ) -> BoxFuture<'_, io::Result<Box<dyn Acceptor>>> {
        let at = at.clone();
        Box::pin(async move {
            let mut sockets = lock(&self.0);
            let address = match at {
                Address::Tcp(address) => {
                    let mut address = tcp(&address)?;
                    if address.port() == 0 {
                        address.set_port(sockets.next_port());
                    }
                    Address::Tcp(address.to_string())
                }
                local => local,
            };
            let key = address.to_string();
            if sockets.listening.contains_key(&key) {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            let (dialled, waiting) = unbounded_channel();
            sockets.listening.insert(key, dialled);
            let waiting = tokio::sync::Mutex::new(waiting);
            let net = Arc::clone(&self.0);
            Ok(Box::new(TwinAcceptor { net, address, waiting }) as Box<dyn Acceptor>)
        })
    }

    fn dial_with(&self, to: &Address, _: &ListenOptions) -> BoxFuture<'_, io::Result<Connection>> {
        let to = to.clone();
        Box::pin(async move {
            let mut sockets = lock(&self.0);
            let (key, near, far) = match &to {
                Address::Tcp(address) => {
                    let address = tcp(address)?;
                    let from = SocketAddr::new(address.ip(), sockets.next_port());
                    (address.to_string(), tcp_peer(address), tcp_peer(from))
                }
                Address::Local(_) => (to.to_string(), local_peer(), local_peer()),
            };
            let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
            let dialled = sockets.listening.get(&key).ok_or_else(refused)?;
            let (here, there) = tokio::io::duplex(PIPE_BYTES);
            dialled
                .send(Connection { stream: Box::new(there), peer: far })
                .map_err(|_| refused())?;
            Ok(Connection { stream: Box::new(here), peer: near })
        })
    }
}

fn tcp_peer(address: SocketAddr) -> Peer {
    Peer { address: address.to_string(), ip: Some(address.ip()), uid: None, identity: None }
}

fn local_peer() -> Peer {
    Peer { address: "local".to_owned(), ip: None, uid: Some(UID), identity: None }
}

struct TwinAcceptor {
    net: Arc<Mutex<Sockets>>,
    address: Address,
    waiting: tokio::sync::Mutex<UnboundedReceiver<Connection>>,
}

impl Acceptor for TwinAcceptor {
    fn accept(&self) -> BoxFuture<'_, io::Result<Connection>> {
        Box::pin(async {
            let connection = self.waiting.lock().await.recv().await;
            connection.ok_or_else(|| io::ErrorKind::NotConnected.into())
        })
    }

    fn address(&self) -> Address {
        self.address.clone()
    }

    fn configure(&self, _: &ListenOptions) {}
}

impl Drop for TwinAcceptor {
    fn drop(&mut self) {
        lock(&self.net).listening.remove(&self.address.to_string());
    }
}

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::BoxFuture;
use crate::tls::Identity;

/// A stream of bytes in both directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Where to listen or dial.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// `host:port`. A port of 0 lets the system choose.
    Tcp(String),
    /// A socket in the file system, for this machine alone (mode 0600).
    Local(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Local(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Address and port, or `local`.
    pub address: String,
    /// The address alone, for limits per peer.
    pub ip: Option<IpAddr>,
    /// The user id at a local socket, as the kernel vouches for it.
    pub uid: Option<u32>,
    /// Whose certificate it proved to have, over mutual TLS.
    pub identity: Option<Identity>,
}

/// How sockets are set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    /// After so much silence the system asks whether the other end is still there, four times; an
    /// end that is gone closes the connection after twice this time. None: never.
    pub keepalive: Option<Duration>,
}

impl Default for ListenOptions {
    /// Interfaces are idle for days, and a firewall in between forgets them without a word.
    fn default() -> Self {
        Self { keepalive: Some(Duration::from_secs(60)) }
    }
}

/// A connection, accepted or dialled.
pub struct Connection {
    /// The bytes.
    pub stream: Box<dyn ByteStream>,
    /// The other end.
    pub peer: Peer,
}

/// A bound listener.
pub trait Acceptor: Send + Sync {
    /// The next connection. An error concerns one connection or lack of descriptors: wait, go on.
    fn accept(&self) -> BoxFuture<'_, io::Result<Connection>>;
    /// The address as bound, with the real port.
    fn address(&self) -> Address;
    /// Other options, for connections that are accepted from now on.
    fn configure(&self, options: &ListenOptions);
}

/// The door to sockets.
pub trait Net: Send + Sync {
    /// Binds. What is accepted is set up by `options`.
    fn listen_with(
        &self,
        at: &Address,
        options: &ListenOptions,
    ) -> BoxFuture<'_, io::Result<Box<dyn Acceptor>>>;
    /// Connects, and sets the connection up by `options`. Callers bound the time.
    fn dial_with(
        &self,
        to: &Address,
        options: &ListenOptions,
    ) -> BoxFuture<'_, io::Result<Connection>>;

    /// Binds, with the options that suit most.
    fn listen(&self, at: &Address) -> BoxFuture<'_, io::Result<Box<dyn Acceptor>>> {
        self.listen_with(at, &ListenOptions::default())
    }

    /// Connects, with the options that suit most. Callers bound the time.
    fn dial(&self, to: &Address) -> BoxFuture<'_, io::Result<Connection>> {
        self.dial_with(to, &ListenOptions::default())
    }
}

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Handle;

use crate::fault::NotResolved;
use crate::{Acceptor, Address, BoxFuture, Connection, ListenOptions, Net, Peer};

/// Connections that wait to be accepted; the kernel has a bound of its own (`somaxconn`). After a
/// fail-over a thousand peers come back at once.
const BACKLOG: u32 = 4_096;
/// How often the other end is asked whether it is still there.
const KEEPALIVE_PROBES: u32 = 4;

/// Sockets.
pub struct SystemNet {
    runtime: Handle,
}

impl SystemNet {
    /// Sockets that live on `runtime`.
    pub fn new(runtime: Handle) -> Self {
        Self { runtime }
    }

    /// Runs a future on the runtime, so that it also works where no runtime is entered.
    async fn on_runtime<T: Send + 'static>(
        &self,
        future: impl Future<Output = io::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        // Dropped before it ends, it is stopped: a dial that timed out leaves nothing behind.
        struct Stop(tokio::task::AbortHandle);
        impl Drop for Stop {
            fn drop(&mut self) {
                self.0.abort();
            }
        }
        let task = self.runtime.spawn(future);
        let _stop = Stop(task.abort_handle());
        task.await.map_err(io::Error::other)?
    }
}

impl Net for SystemNet {
    fn listen_with(
        &self,
        at: &Address,
        options: &ListenOptions,
    ) -> BoxFuture<'_, io::Result<Box<dyn Acceptor>>> {
        let (at, options) = (at.clone(), Mutex::new(*options));
        Box::pin(self.on_runtime(async move {
            match at {
                Address::Tcp(address) => {
                    let listener = bind(&address).await?;
                    Ok(Box::new(TcpAcceptor { listener, options }) as Box<dyn Acceptor>)
                }
                Address::Local(path) => {
                    let listener = listen_local(&path)?;
                    Ok(Box::new(LocalAcceptor { listener, path }) as Box<dyn Acceptor>)
                }
            }
        }))
    }

    fn dial_with(
        &self,
        to: &Address,
        options: &ListenOptions,
    ) -> BoxFuture<'_, io::Result<Connection>> {
        let (to, options) = (to.clone(), *options);
        Box::pin(self.on_runtime(async move {
            match to {
                Address::Tcp(address) => {
                    let addresses = resolve(&address).await?;
                    connection(TcpStream::connect(addresses.as_slice()).await?, &options)
                }
                Address::Local(path) => local_connection(UnixStream::connect(&path).await?),
            }
        }))
    }
}

/// The addresses of a name. The resolver's errors have no kind, so they get a type.
async fn resolve(address: &str) -> io::Result<Vec<SocketAddr>> {
    let kept = |fault: NotResolved, kind| io::Error::new(kind, fault);
    let found = tokio::net::lookup_host(address).await.map_err(|error| match error.kind() {
        // It is no `host:port`.
        io::ErrorKind::InvalidInput => error,
        kind => kept(NotResolved::of(&error), kind),
    })?;
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        return Err(kept(NotResolved::without_address(), io::ErrorKind::NotFound));
    }
    Ok(found)
}

/// Binds the first address of this name that can be bound.
async fn bind(address: &str) -> io::Result<TcpListener> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in resolve(address).await? {
        let bound = || {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)
        };
        match bound() {
            Ok(listener) => return Ok(listener),
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

struct TcpAcceptor {
    listener: TcpListener,
    options: Mutex<ListenOptions>,
}

impl Acceptor for TcpAcceptor {
    fn accept(&self) -> BoxFuture<'_, io::Result<Connection>> {
        Box::pin(async {
            let (stream, _) = self.listener.accept().await?;
            let options = *self.options.lock().unwrap_or_else(PoisonError::into_inner);
            connection(stream, &options)
        })
    }

    fn address(&self) -> Address {
        Address::Tcp(self.listener.local_addr().map(|it| it.to_string()).unwrap_or_default())
    }

    fn configure(&self, options: &ListenOptions) {
        *self.options.lock().unwrap_or_else(PoisonError::into_inner) = *options;
    }
}

fn connection(stream: TcpStream, options: &ListenOptions) -> io::Result<Connection> {
    set_up(&stream, options)?;
    let address = stream.peer_addr()?;
    let (address, ip) = (address.to_string(), Some(address.ip()));
    let peer = Peer { address, ip, uid: None, identity: None };
    Ok(Connection { stream: Box::new(stream), peer })
}

pub(super) fn set_up(stream: &TcpStream, options: &ListenOptions) -> io::Result<()> {
    // Answers are small and awaited: holding them back for more bytes helps nobody.
    stream.set_nodelay(true)?;
    let Some(idle) = options.keepalive else { return Ok(()) };
    // The kernel counts in whole seconds and takes none of zero.
    let idle = idle.max(Duration::from_secs(1));
    let between = (idle / KEEPALIVE_PROBES).max(Duration::from_secs(1));
    sockopt::set_tcp_keepidle(stream, idle)?;
    sockopt::set_tcp_keepintvl(stream, between)?;
    sockopt::set_tcp_keepcnt(stream, KEEPALIVE_PROBES)?;
    sockopt::set_socket_keepalive(stream, true)?;
    Ok(())
}

struct LocalAcceptor {
    listener: UnixListener,
    path: PathBuf,
}

impl Acceptor for LocalAcceptor {
    fn accept(&self) -> BoxFuture<'_, io::Result<Connection>> {
        Box::pin(async {
            let (stream, _) = self.listener.accept().await?;
            local_connection(stream)
        })
    }

    fn address(&self) -> Address {
        Address::Local(self.path.clone())
    }

    fn configure(&self, _: &ListenOptions) {}
}

impl Drop for LocalAcceptor {
    fn drop(&mut self) {
        // What stays behind is recognised as stale by the next one, so an error changes nothing.
        let _ = fs::remove_file(&self.path);
    }
}

fn local_connection(stream: UnixStream) -> io::Result<Connection> {
    let uid = stream.peer_cred()?.uid();
    let peer = Peer { address: "local".to_owned(), ip: None, uid: Some(uid), identity: None };
    Ok(Connection { stream: Box::new(stream), peer })
}

/// Binds beside `path`, closes it to others, and only then gives it its name: at no moment can
/// another user reach it. A socket that nobody listens at any more is replaced.
fn listen_local(path: &Path) -> io::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(about) if !about.file_type().is_socket() => {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(_) => {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&beside)?;
    fs::set_permissions(&beside, Permissions::from_mode(0o600))?;
    fs::rename(&beside, path)?;
    Ok(listener)
}

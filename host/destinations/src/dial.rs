//! Opening a connection to a destination, within its time.
//!
//! Promises: time to connect is bounded; what is said about a failure names no content.
//! Not here: what is sent, and what a lost connection means for it.

use std::sync::Arc;
use std::time::Duration;

use hilum_env::tls::{ClientTls, TlsFault};
use hilum_env::{Address, ByteStream, Clock, Doors, ListenOptions, Net};

use crate::SendFault;

/// What protects a connection.
pub(crate) enum Security {
    /// Nothing: the site says so.
    Plain,
    /// TLS, and the name that the server's certificate has to bear.
    Tls(ClientTls, String),
    /// TLS is wanted and was not fetched. Nothing is ever sent in the clear instead.
    Missing,
}

impl Security {
    /// TLS with a server of this name, if it was fetched.
    pub(crate) fn tls(fetched: Option<&ClientTls>, name: &str) -> Self {
        fetched.map_or(Self::Missing, |tls| Self::Tls(tls.clone(), name.to_owned()))
    }
}

/// Who is dialled, and how.
pub(crate) struct Dialer {
    address: Address,
    connect: Duration,
    security: Security,
    options: ListenOptions,
    net: Arc<dyn Net>,
    clock: Arc<dyn Clock>,
}

/// Why there is no connection. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotDialled {
    /// Nobody there, or not now.
    Unreachable(String),
    /// A person has to act.
    SetUp(String),
}

impl From<NotDialled> for SendFault {
    fn from(this: NotDialled) -> Self {
        match this {
            NotDialled::Unreachable(what) => Self::Unreachable(what),
            NotDialled::SetUp(code) => Self::Misconfigured { code },
        }
    }
}

impl Dialer {
    /// Dials `host:port`; time to connect includes the handshake.
    pub(crate) fn new(
        address: String,
        security: Security,
        connect: Duration,
        doors: &Doors,
    ) -> Self {
        Self {
            address: Address::Tcp(address),
            connect,
            security,
            options: ListenOptions::default(),
            net: Arc::clone(&doors.net),
            clock: Arc::clone(&doors.clock),
        }
    }

    /// After so long a silence TCP asks whether the other side is still there; none: never.
    pub(crate) fn with_keepalive(self, keepalive: Option<Duration>) -> Self {
        Self { options: ListenOptions { keepalive }, ..self }
    }

    /// Opens a connection.
    pub(crate) async fn dial(&self) -> Result<Box<dyn ByteStream>, NotDialled> {
        let deadline = self.clock.instant().plus(self.connect);
        tokio::select! {
            biased;
            opened = self.open() => opened,
            () = self.clock.sleep_until(deadline) => {
                Err(NotDialled::Unreachable("timed out while connecting".into()))
            }
        }
    }

    async fn open(&self) -> Result<Box<dyn ByteStream>, NotDialled> {
        if matches!(self.security, Security::Missing) {
            return Err(NotDialled::SetUp("TLS is configured and was not fetched".into()));
        }
        let dialled = self.net.dial_with(&self.address, &self.options).await;
        let stream = match dialled {
            Ok(connection) => connection.stream,
            Err(error) => return Err(NotDialled::Unreachable(error.kind().to_string())),
        };
        let Security::Tls(tls, name) = &self.security else {
            return Ok(stream);
        };
        tls.connect(name, stream).await.map_err(|error| match TlsFault::of(&error) {
            Some(fault) if fault.is_lasting() => NotDialled::SetUp(fault.to_string()),
            Some(fault) => NotDialled::Unreachable(fault.to_string()),
            None => NotDialled::Unreachable(format!("TLS: {}", error.kind())),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Mutex, PoisonError};

    use hilum_env::{Acceptor, BoxFuture, Connection};

    use super::*;

    /// A net that writes down how it is dialled, and reaches nobody.
    #[derive(Default)]
    struct Noted(Mutex<Vec<ListenOptions>>);

    impl Net for Noted {
        fn listen_with(
            &self,
            _: &Address,
            _: &ListenOptions,
        ) -> BoxFuture<'_, io::Result<Box<dyn Acceptor>>> {
            Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
        }

        fn dial_with(
            &self,
            _: &Address,
            options: &ListenOptions,
        ) -> BoxFuture<'_, io::Result<Connection>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(*options);
            Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) })
        }
    }

    #[test]
    fn a_dialled_connection_is_kept_alive_as_the_site_says() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("tokio");
        let net = Arc::new(Noted::default());
        let mut doors = hilum_env::system::doors(runtime.handle().clone());
        doors.net = Arc::<Noted>::clone(&net);
        let second = Some(Duration::from_secs(1));
        for keepalive in [second, None] {
            let time = Duration::from_secs(5);
            let dialer = Dialer::new("x:1".into(), Security::Plain, time, &doors);
            let dialled = runtime.block_on(dialer.with_keepalive(keepalive).dial());
            let fault = dialled.err().expect("nobody there");
            assert_eq!(fault, NotDialled::Unreachable("connection refused".into()));
        }
        let noted = net.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = noted.iter().map(|it| it.keepalive).collect();
        assert_eq!(all, [second, None]);
    }
}

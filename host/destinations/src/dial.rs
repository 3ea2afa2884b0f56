//! Opening a connection to a destination, within its time.
//!
//! Promises: time to connect is bounded; what is said about a failure names no content.
//! Not here: what is sent, and what a lost connection means for it.

use std::sync::Arc;
use std::time::Duration;

use hilum_env::tls::{ClientTls, TlsFault};
use hilum_env::{Address, ByteStream, Clock, Doors, ListenOptions, Net, not_resolved, words};

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
        if matches!(self.security, Security::Missing) {
            return Err(NotDialled::SetUp("TLS is configured and was not fetched".into()));
        }
        let deadline = self.clock.instant().plus(self.connect);
        let dialled = tokio::select! {
            biased;
            dialled = self.net.dial_with(&self.address, &self.options) => dialled,
            () = self.clock.sleep_until(deadline) => {
                return Err(NotDialled::Unreachable("timed out while connecting".into()));
            }
        };
        let stream = dialled.map_err(|error| self.not_dialled(&error))?.stream;
        let Security::Tls(tls, name) = &self.security else {
            return Ok(stream);
        };
        let secured = tokio::select! {
            biased;
            secured = tls.connect(name, stream) => secured,
            () = self.clock.sleep_until(deadline) => {
                let said = "connected, then timed out in the TLS handshake: does it speak TLS there?";
                return Err(NotDialled::Unreachable(said.into()));
            }
        };
        secured.map_err(|error| match TlsFault::of(&error) {
            Some(fault) if fault.is_lasting() => NotDialled::SetUp(fault.to_string()),
            Some(fault) => NotDialled::Unreachable(fault.to_string()),
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                NotDialled::Unreachable("TLS: the connection closed in the handshake".into())
            }
            None => NotDialled::Unreachable(format!("TLS: {}", words(&error))),
        })
    }

    /// What is said of a connection that was not opened. A name that gives no address is said as the
    /// site wrote it: it may be misspelt.
    fn not_dialled(&self, error: &std::io::Error) -> NotDialled {
        NotDialled::Unreachable(match not_resolved(error) {
            Some(fault) => format!("{} {fault}", self.address),
            None => words(error),
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

    #[test]
    fn a_name_that_cannot_be_resolved_is_said_as_the_site_wrote_it() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("tokio");
        let doors = hilum_env::system::doors(runtime.handle().clone());
        let time = Duration::from_secs(30);
        // RFC 6761: no resolver knows a name in `invalid`.
        let dialer = Dialer::new("lba.invalid:2575".into(), Security::Plain, time, &doors);
        let fault = runtime.block_on(dialer.dial()).err().expect("no such name");
        let said = SendFault::from(fault).to_string();
        let begins = "not reached: lba.invalid:2575 cannot be resolved: ";
        assert!(said.starts_with(begins) && begins.len() < said.len(), "{said}");
    }
}

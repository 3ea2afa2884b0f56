//! Opening a connection to a destination, within its time.
//!
//! Promises: time to connect is bounded; what is said about a failure names no content.
//! Not here: what is sent, and what a lost connection means for it.

use std::sync::Arc;
use std::time::Duration;

use hilum_env::tls::{ClientTls, TlsFault};
use hilum_env::{Address, ByteStream, Clock, Doors, Net};

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
            net: Arc::clone(&doors.net),
            clock: Arc::clone(&doors.clock),
        }
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
        let dialled = self.net.dial(&self.address).await;
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

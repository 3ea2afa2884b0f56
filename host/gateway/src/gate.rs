//! A listener is bound before its generation takes over, and accepts nothing before that.

use std::io;
use std::sync::Arc;

use hilum_env::{Acceptor, Address, BoxFuture, Connection, Doors, ListenOptions, Net};
use tokio::sync::watch;

/// Where new listeners wait. Bound they are, so that a wrong address is found out in time; who
/// connects meanwhile waits in the kernel.
pub(crate) struct Gate {
    open: watch::Sender<bool>,
}

impl Gate {
    /// A gate that is closed.
    pub(crate) fn new() -> Self {
        Self { open: watch::channel(false).0 }
    }

    /// These doors, with listeners that wait at the gate.
    pub(crate) fn before(&self, doors: &Doors) -> Doors {
        let net = Gated { net: Arc::clone(&doors.net), open: self.open.subscribe() };
        Doors { net: Arc::new(net), ..doors.clone() }
    }

    /// Lets all of them accept.
    pub(crate) fn open(&self) {
        self.open.send_replace(true);
    }
}

struct Gated {
    net: Arc<dyn Net>,
    open: watch::Receiver<bool>,
}

impl Net for Gated {
    fn listen_with(
        &self,
        at: &Address,
        options: &ListenOptions,
    ) -> BoxFuture<'_, io::Result<Box<dyn Acceptor>>> {
        let (at, options) = (at.clone(), *options);
        Box::pin(async move {
            let acceptor = self.net.listen_with(&at, &options).await?;
            let waiting: Box<dyn Acceptor> =
                Box::new(Waiting { acceptor, open: self.open.clone() });
            Ok(waiting)
        })
    }

    fn dial_with(
        &self,
        to: &Address,
        options: &ListenOptions,
    ) -> BoxFuture<'_, io::Result<Connection>> {
        self.net.dial_with(to, options)
    }
}

struct Waiting {
    acceptor: Box<dyn Acceptor>,
    open: watch::Receiver<bool>,
}

impl Acceptor for Waiting {
    fn accept(&self) -> BoxFuture<'_, io::Result<Connection>> {
        Box::pin(async move {
            // A gate that was never opened belongs to a change that was given up: the listener
            // behind it is being dropped.
            if self.open.clone().wait_for(|open| *open).await.is_err() {
                std::future::pending::<()>().await;
            }
            self.acceptor.accept().await
        })
    }

    fn address(&self) -> Address {
        self.acceptor.address()
    }

    fn configure(&self, options: &ListenOptions) {
        self.acceptor.configure(options);
    }
}

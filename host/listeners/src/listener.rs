//! A bound listener of any kind: who may connect, TLS, and what is spoken then.
//!
//! The loop that accepts waits for nobody: each connection is admitted or closed at once, and does
//! its handshake in its own task.
//!
//! Promises: connections are bounded in all and by address, those that still shake hands included;
//! whoever is turned away is counted, with a reason, and gets no byte that could be an answer;
//! another configuration closes nothing.
//! Not here: what is spoken (`mllp`, `http`).

mod serving;

use std::io;
use std::sync::{Arc, Mutex};

use hilum_env::tls::{ServerTls, TlsError};
use hilum_env::{Address, BoxFuture, ByteStream, Clock, Doors, Entropy, Peer, WallClock};
use hilum_pipeline::Intake;
use hilum_words::Name;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::sync::watch;
use tracing::info;

use crate::admission::Admission;
use crate::budget::Share;
use crate::metrics::{ListenerLabels, Trouble};
use crate::sniff::Speech;
use crate::{ByteBudget, KindConfig, ListenerConfig, Materials, Metrics, http, mllp};
use serving::Serving;

/// What a connection is given, whatever it speaks.
pub(crate) struct Context {
    /// The listener's name.
    pub(crate) listener: Name,
    /// The configuration as it was when the connection was accepted.
    pub(crate) settings: Arc<Settings>,
    /// The configuration as it is now, for what is looked up with each request.
    pub(crate) latest: watch::Receiver<Arc<Settings>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Bytes in flight that the listener may take.
    pub(crate) budget: Share,
    pub(crate) metrics: Metrics,
    /// Bytes that were read.
    pub(crate) bytes: Counter,
    /// Becomes true when the listener stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// A configuration with what it refers to.
pub(crate) struct Settings {
    pub(crate) config: ListenerConfig,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) auth: Option<http::Auth>,
}

impl Settings {
    fn new(config: &ListenerConfig, materials: &Materials) -> Result<Self, TlsError> {
        // Without them the port would be open to all, and in the clear.
        if config.tls.is_some() != materials.tls.is_some() {
            return Err(TlsError::NotInHand);
        }
        let auth = match &config.kind {
            KindConfig::Http(http::HttpConfig { auth: Some(auth), .. }) => {
                let secret = materials.auth.as_ref().ok_or(TlsError::NotInHand)?;
                Some(http::Auth::new(auth, secret))
            }
            _ => None,
        };
        let tls = materials.tls.as_ref().map(ServerTls::new).transpose()?;
        Ok(Self { config: config.clone(), tls, auth })
    }
}

/// What is spoken on a stream, once who speaks is known.
pub(crate) trait Protocol: Send + Sync + 'static {
    /// What the first bytes have to look like.
    fn speech(&self) -> Speech;
    /// Serves one connection to its end, and counts and returns what ended it before its time.
    fn serve(
        &self,
        context: Context,
        stream: Box<dyn ByteStream>,
        peer: Peer,
    ) -> BoxFuture<'static, Option<Trouble>>;
}

/// A listener that is bound. It stops when [`stop`](Self::stop) is called or it is dropped.
pub struct Listener {
    name: Name,
    kind: &'static str,
    address: Address,
    admission: Arc<Admission>,
    settings: watch::Sender<Arc<Settings>>,
    stop: watch::Sender<bool>,
    /// One change at a time.
    changing: Mutex<()>,
}

impl Listener {
    /// Binds, and serves connections in the background. `materials` are those of `config`.
    pub async fn start(
        name: Name,
        config: &ListenerConfig,
        materials: &Materials,
        intake: Arc<Intake>,
        doors: &Doors,
        budget: ByteBudget,
        metrics: Metrics,
    ) -> io::Result<Self> {
        let protocol: Arc<dyn Protocol> = match &config.kind {
            KindConfig::Mllp(_) => Arc::new(mllp::Mllp(intake)),
            KindConfig::Http(_) => Arc::new(http::Http(intake)),
        };
        Self::start_with(name, config, materials, protocol, doors, budget, metrics).await
    }

    pub(crate) async fn start_with(
        name: Name,
        config: &ListenerConfig,
        materials: &Materials,
        protocol: Arc<dyn Protocol>,
        doors: &Doors,
        budget: ByteBudget,
        metrics: Metrics,
    ) -> io::Result<Self> {
        let settings = Settings::new(config, materials).map_err(io::Error::other)?;
        let has_tls = settings.tls.is_some();
        let at = Address::Tcp(config.bind.clone());
        let acceptor = doors.net.listen_with(&at, &config.listen_options()).await?;
        let address = acceptor.address();
        let kind = config.kind.word();
        info!(listener = %name, %address, kind, tls = has_tls, "listening");
        let (stop, stopping) = watch::channel(false);
        let (settings, set) = watch::channel(Arc::new(settings));
        let admission = Arc::new(Admission::default());
        let labels = ListenerLabels { listener: name.to_string() };
        let counter = |family: &Family<_, Counter>| family.get_or_create(&labels).clone();
        let open = metrics.open.get_or_create(&labels).clone();
        let serving = Serving {
            name: name.clone(),
            settings: set,
            protocol,
            doors: doors.clone(),
            budget: budget.share(),
            bytes: counter(&metrics.bytes),
            accepted: counter(&metrics.accepted),
            open,
            notices: Arc::new(serving::Notices::new(&name, doors, &metrics)),
            metrics,
            admission: Arc::clone(&admission),
            stopping,
        };
        doors.tasks.spawn("listener", Box::pin(serving.run(acceptor)));
        Ok(Self { name, kind, address, admission, settings, stop, changing: Mutex::default() })
    }

    /// Another configuration of the same address and kind, with its materials: it is for connections
    /// that come from now on. Nothing is closed. After an error the old one stays.
    pub fn reconfigure(
        &self,
        config: &ListenerConfig,
        materials: &Materials,
    ) -> Result<(), TlsError> {
        let settings = Settings::new(config, materials)?;
        let _one = self.changing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_same = self.settings.borrow().config.keeps_socket_of(config);
        debug_assert!(is_same, "another address or kind needs another listener");
        if is_same {
            self.settings.send_replace(Arc::new(settings));
        }
        Ok(())
    }

    /// The listener's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it speaks, as the word in the configuration.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The address as bound, with its real port.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.admission.open()
    }

    /// When the first certificate of its chain expires, in microseconds since the Unix epoch; none
    /// without TLS.
    pub fn certificate_expiry(&self) -> Option<WallClock> {
        self.settings.borrow().tls.as_ref().map(ServerTls::expires)
    }

    /// Stops accepting. Connections end after the message that they are in.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

#[cfg(test)]
mod tests;

//! The loop that accepts, and what a connection goes through before it may speak.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hilum_env::tls::ServerTls;
use hilum_env::{Acceptor, ByteStream, Clock, Connection, Doors, Instant, Peer};
use hilum_words::Name;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tracing::{debug, warn};

use super::{Context, Protocol, Settings};
use crate::admission::{Admission, Admitted};
use crate::budget::Share;
use crate::metrics::Trouble;
use crate::sniff::{Foreign, Sniffed, Speech};
use crate::{Metrics, TlsConfig};

/// How long accepting pauses after an error, such as a lack of descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a reason for turning somebody away is worth a line in the log; all are counted.
const WARN_EVERY: Duration = Duration::from_secs(1);
/// How long a peer whom we do not know may take to hear that.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct Serving {
    pub(super) name: Name,
    pub(super) settings: watch::Receiver<Arc<Settings>>,
    pub(super) protocol: Arc<dyn Protocol>,
    pub(super) doors: Doors,
    pub(super) budget: Share,
    pub(super) metrics: Metrics,
    pub(super) bytes: Counter,
    pub(super) accepted: Counter,
    pub(super) open: Gauge,
    pub(super) notices: Arc<Notices>,
    pub(super) admission: Arc<Admission>,
    pub(super) stopping: watch::Receiver<bool>,
}

impl Serving {
    pub(super) async fn run(mut self, acceptor: Box<dyn Acceptor>) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|it| *it) => return,
                Ok(()) = self.settings.changed() => {
                    let options = self.settings.borrow_and_update().config.listen_options();
                    acceptor.configure(&options);
                    continue;
                }
                accepted = acceptor.accept() => accepted,
            };
            match accepted {
                Ok(connection) => self.serve(connection),
                Err(fault) => {
                    warn!(listener = %self.name, %fault, "a connection could not be accepted");
                    let clock = &self.doors.clock;
                    clock.sleep_until(clock.instant().plus(PAUSE)).await;
                }
            }
        }
    }

    fn serve(&self, accepted: Connection) {
        let Connection { stream, peer } = accepted;
        let settings = Arc::clone(&self.settings.borrow());
        let admitted = match self.admission.admit(&peer, &settings.config, self.open.clone()) {
            Ok(admitted) => admitted,
            // Refused loudly: closed at once and counted, rather than left waiting in the kernel.
            Err(trouble) => return self.notices.turned_away(trouble, &peer, ""),
        };
        self.accepted.inc();
        let guest = Guest {
            context: Context {
                listener: self.name.clone(),
                settings,
                latest: self.settings.clone(),
                clock: Arc::clone(&self.doors.clock),
                entropy: Arc::clone(&self.doors.entropy),
                budget: self.budget.clone(),
                metrics: self.metrics.clone(),
                bytes: self.bytes.clone(),
                stopping: self.stopping.clone(),
            },
            protocol: Arc::clone(&self.protocol),
            notices: Arc::clone(&self.notices),
            admitted,
        };
        self.doors.tasks.spawn("connection", Box::pin(guest.run(stream, peer)));
    }
}

/// One connection that was admitted.
struct Guest {
    context: Context,
    protocol: Arc<dyn Protocol>,
    notices: Arc<Notices>,
    admitted: Admitted,
}

impl Guest {
    async fn run(self, stream: Box<dyn ByteStream>, peer: Peer) {
        let Self { context, protocol, notices, admitted } = self;
        let settings = Arc::clone(&context.settings);
        let greeted = match (&settings.tls, &settings.config.tls) {
            (Some(tls), Some(config)) => {
                let clock = Arc::clone(&context.clock);
                let mut stopping = context.stopping.clone();
                let greeting = Greeting { tls, config, clock, notices: &notices };
                tokio::select! {
                    biased;
                    _ = stopping.wait_for(|it| *it) => None,
                    greeted = greeting.greet(stream, peer) => greeted,
                }
            }
            _ => Some((stream, peer)),
        };
        if let Some((stream, peer)) = greeted {
            let (stream, found) = Sniffed::new(stream, protocol.speech());
            let address = peer.clone();
            let ended = protocol.serve(context, Box::new(stream), peer).await;
            // Who speaks something else is told so, and not what came of it.
            if !notices.foreign(&found, &address)
                && let Some(trouble) = ended
            {
                notices.closed(trouble, &address);
            }
        }
        drop(admitted);
    }
}

/// The handshake, and who is let in by it.
struct Greeting<'a> {
    tls: &'a ServerTls,
    config: &'a TlsConfig,
    clock: Arc<dyn Clock>,
    notices: &'a Notices,
}

impl Greeting<'_> {
    async fn greet(
        self,
        stream: Box<dyn ByteStream>,
        mut peer: Peer,
    ) -> Option<(Box<dyn ByteStream>, Peer)> {
        let (stream, found) = Sniffed::new(stream, Speech::Tls);
        let late = self.clock.sleep_until(self.clock.instant().plus(self.config.handshake_timeout));
        let shaken = tokio::select! {
            biased;
            shaken = self.tls.accept(Box::new(stream)) => shaken,
            () = late => {
                self.notices.turned_away(Trouble::HandshakeTimedOut, &peer, "");
                return None;
            }
        };
        let (mut stream, identity) = match shaken {
            Ok(shaken) => shaken,
            Err(fault) => {
                if !self.notices.foreign(&found, &peer) {
                    self.notices.turned_away(Trouble::Handshake, &peer, &fault.to_string());
                }
                return None;
            }
        };
        if let Some(identities) = &self.config.identities {
            let is_one =
                |it| identities.iter().any(|wanted| hilum_env::tls::Identity::is(it, wanted));
            if !identity.as_ref().is_some_and(is_one) {
                let who = identity.map(|it| it.to_string()).unwrap_or_default();
                self.notices.turned_away(Trouble::Identity, &peer, &who);
                // By now it believes itself connected: it is told that this ends here.
                let late = self.clock.sleep_until(self.clock.instant().plus(FAREWELL));
                tokio::select! {
                    biased;
                    _ = stream.shutdown() => {}
                    () = late => {}
                }
                return None;
            }
        }
        peer.identity = identity;
        Some((stream, peer))
    }
}

/// Who was turned away: all are counted, one a second of each reason is worth a line in the log.
pub(super) struct Notices {
    listener: Name,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    last: Mutex<BTreeMap<&'static str, Instant>>,
}

impl Notices {
    pub(super) fn new(listener: &Name, doors: &Doors, metrics: &Metrics) -> Self {
        let clock = Arc::clone(&doors.clock);
        Self { listener: listener.clone(), clock, metrics: metrics.clone(), last: Mutex::default() }
    }

    fn turned_away(&self, trouble: Trouble, peer: &Peer, detail: &str) {
        self.metrics.trouble(&self.listener, trouble);
        self.tell(trouble, peer, detail);
    }

    /// Notes what ended a connection that had been let in; whoever served it has counted it. That
    /// nothing was said for long is what the site asked for.
    fn closed(&self, trouble: Trouble, peer: &Peer) {
        if trouble != Trouble::Idle {
            self.tell(trouble, peer, "");
        }
    }

    fn tell(&self, trouble: Trouble, peer: &Peer, detail: &str) {
        let (listener, peer, text) = (&self.listener, &peer.address, trouble.text());
        if self.is_due(trouble) {
            warn!(%listener, %peer, detail, "closed a connection: {text}");
        } else {
            debug!(%listener, %peer, detail, "closed a connection: {text}");
        }
    }

    /// Notes that a peer speaks another protocol; whether it does.
    fn foreign(&self, found: &OnceLock<Foreign>, peer: &Peer) -> bool {
        let trouble = match found.get() {
            None => return false,
            Some(Foreign::Tls) => Trouble::TlsOnPlainPort,
            Some(Foreign::Plain) => Trouble::PlainOnTlsPort,
            Some(Foreign::Http) => Trouble::HttpOnMllpPort,
            Some(Foreign::Mllp) => Trouble::MllpOnHttpPort,
        };
        self.turned_away(trouble, peer, "");
        true
    }

    fn is_due(&self, trouble: Trouble) -> bool {
        let now = self.clock.instant();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.get(trouble.word()).is_none_or(|last| WARN_EVERY <= now.since(*last));
        if is_due {
            last.insert(trouble.word(), now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mllp::testing::HandClock;

    #[test]
    fn each_reason_is_worth_a_line_a_second() {
        let clock = HandClock::default();
        let notices = Notices {
            listener: Name::from("lab"),
            clock: Arc::new(clock.clone()),
            metrics: Metrics::default(),
            last: Mutex::default(),
        };
        assert!(notices.is_due(Trouble::TimedOut));
        assert!(!notices.is_due(Trouble::TimedOut));
        assert!(notices.is_due(Trouble::CutOff), "another reason");
        clock.forward(WARN_EVERY.saturating_sub(Duration::from_millis(1)));
        assert!(!notices.is_due(Trouble::TimedOut));
        clock.forward(Duration::from_millis(1));
        assert!(notices.is_due(Trouble::TimedOut));
    }
}

//! MLLP: HL7 v2 over TCP, many messages a connection.

mod config;
mod connection;
mod later;

use std::sync::Arc;

use bytes::Bytes;
use hilum_env::{BoxFuture, ByteStream, Peer};
use hilum_pipeline::{Answer, FrameFault, Inbound, Intake};

use crate::listener::{Context, Protocol};
use crate::metrics::Trouble;
use crate::sniff::Speech;
use connection::Connection;

pub use config::MllpConfig;

/// What is spoken at an MLLP listener.
pub(crate) struct Mllp<D>(pub(crate) Arc<D>);

impl<D: Door> Protocol for Mllp<D> {
    fn speech(&self) -> Speech {
        Speech::Mllp
    }

    fn serve(
        &self,
        context: Context,
        stream: Box<dyn ByteStream>,
        peer: Peer,
    ) -> BoxFuture<'static, Option<Trouble>> {
        let crate::KindConfig::Mllp(config) = &context.settings.config.kind else {
            unreachable!("a listener keeps its kind");
        };
        let (config, door) = (config.clone(), Arc::clone(&self.0));
        Box::pin(Connection::new(context, config, door, &peer).run(stream, peer))
    }
}

/// What a connection asks of the story. [`Intake`] is the only one outside of tests.
pub(crate) trait Door: Send + Sync + 'static {
    /// A whole frame has come.
    fn receive(&self, inbound: Inbound) -> impl Future<Output = Answer> + Send;
    /// A frame cannot become a message; this is how it begins.
    fn fault(&self, fault: FrameFault, beginning: Bytes) -> Answer;
    /// A message was cut off by the start of another.
    fn note_lost(&self, peer: &Peer, bytes: usize);
}

impl Door for Intake {
    fn receive(&self, inbound: Inbound) -> impl Future<Output = Answer> + Send {
        Self::receive(self, inbound)
    }

    fn fault(&self, fault: FrameFault, beginning: Bytes) -> Answer {
        Self::fault(self, fault, beginning)
    }

    fn note_lost(&self, peer: &Peer, bytes: usize) {
        Self::note_lost(self, peer, bytes);
    }
}

#[cfg(test)]
pub(crate) mod testing;

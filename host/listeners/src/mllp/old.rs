//! What the gateway used before there was [`Listener`]; goes with its last use.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hilum_env::{Address, Doors};
use hilum_pipeline::Intake;
use hilum_words::Name;
use hilum_words::config::Section;

use crate::{ByteBudget, KindConfig, Listener, ListenerConfig, Materials, Metrics};

/// An MLLP listener's section, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MllpConfig {
    /// `address:port`. Port 0 lets the system choose.
    pub bind: String,
    /// Connections that may be open at once.
    pub connections_max: usize,
    /// Bytes of a frame's content.
    pub frame_bytes_max: usize,
    /// From the start of a frame to its end, and for the peer to take an answer.
    pub read_timeout: Duration,
    /// Whether odd framing closes the connection.
    pub strict: bool,
}

impl MllpConfig {
    /// Reads the section. None if something is wrong; the problems say what.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        let config = ListenerConfig::read(section)?;
        let KindConfig::Mllp(mllp) = &config.kind else { return None };
        Some(Self {
            bind: config.bind.clone(),
            connections_max: config.connections_max,
            frame_bytes_max: mllp.frame_bytes_max,
            read_timeout: config.read_timeout,
            strict: mllp.strict,
        })
    }
}

/// An MLLP listener that is bound.
pub struct MllpListener(Listener);

impl MllpListener {
    /// Binds, and serves connections in the background.
    pub async fn start(
        name: Name,
        config: MllpConfig,
        intake: Arc<Intake>,
        doors: &Doors,
        budget: ByteBudget,
        metrics: Metrics,
    ) -> io::Result<Self> {
        let kind = crate::mllp::KindConfig {
            frame_bytes_max: config.frame_bytes_max,
            strict: config.strict,
            commit_bytes: false,
        };
        let whole = ListenerConfig {
            connections_max: config.connections_max,
            read_timeout: config.read_timeout,
            ..ListenerConfig::plain(&config.bind, KindConfig::Mllp(kind))
        };
        let materials = Materials::default();
        let started =
            Listener::start(name, &whole, &materials, intake, doors, budget, metrics).await?;
        Ok(Self(started))
    }

    /// The listener's name.
    pub fn name(&self) -> &Name {
        self.0.name()
    }

    /// The address as bound, with its real port.
    pub fn address(&self) -> &Address {
        self.0.address()
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.0.connections()
    }

    /// Stops accepting. Connections end after the message that they are in.
    pub fn stop(&self) {
        self.0.stop();
    }
}

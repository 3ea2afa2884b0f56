//! What the parts of a gateway count, and what the gateway itself does.

use std::sync::atomic::AtomicU64;

use hilum_words::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// All families, registered once.
#[derive(Clone, Default)]
pub(crate) struct Metrics {
    pub(crate) pipeline: hilum_pipeline::Metrics,
    pub(crate) listeners: hilum_listeners::Metrics,
    pub(crate) destinations: hilum_destinations::Metrics,
    /// Whether the last attempt to change the configuration ended well.
    reload_successful: Gauge,
    /// When it last ended well, in seconds since 1970.
    reload_at: Gauge<f64, AtomicU64>,
    /// How often the running configuration was replaced.
    applied: Counter,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        metrics.pipeline.register(registry);
        metrics.listeners.register(registry);
        metrics.destinations.register(registry);
        registry.register(
            "config_last_reload_successful",
            "Whether the last reading of the configuration ended with it running",
            metrics.reload_successful.clone(),
        );
        registry.register(
            "config_last_reload_timestamp_seconds",
            "When a configuration last began to run, in seconds since 1970",
            metrics.reload_at.clone(),
        );
        registry.register(
            "generations_applied",
            "Generations that replaced the running one since the start",
            metrics.applied.clone(),
        );
        metrics
    }

    /// A configuration runs since `at`: the first one, another one, or the same one read again.
    pub(crate) fn loaded(&self, at: Timestamp) {
        self.reload_successful.set(1);
        // Whole seconds are plenty, and exact in a float.
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a float's 53 bits")]
        self.reload_at.set((at.micros() / 1_000_000) as f64);
    }

    /// Another generation has taken over.
    pub(crate) fn applied(&self) {
        self.applied.inc();
    }

    /// A configuration was read and does not run.
    pub(crate) fn not_loaded(&self) {
        self.reload_successful.set(0);
    }
}

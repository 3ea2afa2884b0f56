use std::sync::Arc;

use bytes::Bytes;
use hilum_env::{BoxFuture, Doors};
use hilum_words::{DeliveryId, Name};

use crate::config::{DestinationConfig, KindConfig};
use crate::{Delivered, Delivery, Metrics, Secrets, SendFault};

/// Somewhere that deliveries go.
pub trait Destination: Send + Sync {
    /// The word for its kind: `fhir`, `http`, `file`, `mllp`.
    fn kind(&self) -> &'static str;

    /// How many deliveries one call takes. Where it is more than one, the courier hands over all
    /// that wait, several of a lane in their order among them, so that one sync serves them all.
    fn together_max(&self) -> usize;

    /// What it counts with beyond attempts, which its courier counts. Called before the first
    /// delivery.
    fn count_with(&self, _metrics: &Metrics) {}

    /// An acknowledgement that came to the listener that this destination names
    /// ([`DestinationConfig::ack_listener`]): whether a message was waiting for it. One that
    /// nobody waits for settles nothing.
    fn answered(&self, _acknowledgement: &Bytes) -> bool {
        false
    }

    /// What became of an attempt at this delivery is durable: whatever the destination asked for
    /// once that is so, it gets now.
    fn recorded(&self, _delivery: DeliveryId) -> Option<BoxFuture<'_, ()>> {
        None
    }

    /// Sends deliveries and answers one result for each, in their order.
    ///
    /// Of one lane nothing may be sent after a delivery that will be tried again: a kind that
    /// takes several stops at the first fault that is not the content's.
    fn send_many<'a>(
        &'a self,
        deliveries: &'a [Delivery],
    ) -> BoxFuture<'a, Vec<Result<Delivered, SendFault>>>;
}

/// The destination that a configuration describes, with what it needs beside it
/// ([`DestinationConfig::secrets`]). Nothing is dialled or written yet.
pub fn build(
    name: &Name,
    config: &DestinationConfig,
    secrets: &Secrets,
    doors: &Doors,
) -> Arc<dyn Destination> {
    match &config.kind {
        KindConfig::Fhir(config) => {
            Arc::new(crate::fhir::FhirDestination::new(config, secrets, doors))
        }
        KindConfig::Http(config) => {
            Arc::new(crate::http::HttpDestination::new(config, secrets, doors))
        }
        KindConfig::File(config) => {
            Arc::new(crate::file::FileDestination::new(name, config, doors))
        }
        KindConfig::Mllp(config) => {
            Arc::new(crate::mllp::MllpDestination::new(name, config, secrets, doors))
        }
    }
}

/// Sends one after the other: what a kind does that takes one at a time.
pub(crate) fn one_by_one<'a, Sending>(
    deliveries: &'a [Delivery],
    send: impl Fn(&'a Delivery) -> Sending + Send + 'a,
) -> BoxFuture<'a, Vec<Result<Delivered, SendFault>>>
where
    Sending: Future<Output = Result<Delivered, SendFault>> + Send + 'a,
{
    Box::pin(async move {
        let mut results = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            results.push(send(delivery).await);
        }
        results
    })
}

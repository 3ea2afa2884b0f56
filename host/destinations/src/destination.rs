use std::sync::Arc;

use bytes::Bytes;
use hilum_env::{BoxFuture, Doors};
use hilum_words::{DeliveryId, Name};

use crate::config::{DestinationConfig, KindConfig};
use crate::metrics::Stray;
use crate::{Delivered, Delivery, Metrics, Secrets, SendFault};

/// How who sent an acknowledgement (MSH-3, MSH-4) fits who a message with the control id in its MSA-2
/// was sent to (MSH-5, MSH-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// All that stands in both is the same.
    Same,
    /// Nothing stands in both.
    Unknown,
    /// Something is another.
    Other,
}

/// Gives an acknowledgement that came to a listener to the one of `sharing`, the destinations that
/// name this listener, whose message waits for it: whether one did.
///
/// Copies of one message have one control id, so that MSA-2 does not say which destination's copy is
/// meant. Where several share a listener, an acknowledgement from somebody else than the message was
/// sent to settles nothing, and neither does one that more than one message may be meant by.
pub fn answer_one(sharing: &[Arc<dyn Destination>], acknowledgement: &Bytes) -> bool {
    if let [one] = sharing {
        return one.answered(acknowledgement);
    }
    let waiting: Vec<_> =
        sharing.iter().filter_map(|it| Some((it, it.awaits(acknowledgement)?))).collect();
    if waiting.is_empty() {
        // Each of them counts it.
        return sharing.iter().any(|it| it.answered(acknowledgement));
    }
    let of = |fit| waiting.iter().filter(move |it| it.1 == fit).map(|it| it.0);
    let fitting: Vec<_> = of(Fit::Same).collect();
    let likely = if fitting.is_empty() { of(Fit::Unknown).collect() } else { fitting };
    if let [one] = likely.as_slice() {
        return one.answered(acknowledgement);
    }
    let stray = if likely.is_empty() { Stray::Foreign } else { Stray::Ambiguous };
    waiting.iter().for_each(|(it, _)| it.strayed(stray));
    false
}

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

    /// Whether a message waits for this acknowledgement, which came to the listener that this
    /// destination names, and how well it fits.
    fn awaits(&self, _acknowledgement: &Bytes) -> Option<Fit> {
        None
    }

    /// An acknowledgement came that settles no message.
    fn strayed(&self, _stray: Stray) {}

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

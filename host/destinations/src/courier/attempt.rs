//! One attempt at a group of deliveries: read, send, report.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hilum_env::{Clock, Tasks};
use hilum_words::Digest;
use tokio::sync::mpsc::UnboundedSender;

use super::journal::{Journal, Unread};
use super::runner::Event;
use super::window::Waiting;
use crate::{Delivered, Delivery, Destination, SendFault};

/// What attempts need. Shared by all of one courier.
pub(super) struct Means {
    pub(super) destination: Arc<dyn Destination>,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tasks: Arc<dyn Tasks>,
    /// Bytes that one group holds in memory; a single delivery may be larger.
    pub(super) group_bytes_max: usize,
}

/// What came of one delivery of a group.
pub(super) enum Came {
    /// It was handed to the destination, which answered this. The digest is of what was sent.
    Of(Option<Digest>, Result<Delivered, SendFault>),
    /// It did not fit into the group.
    LeftOver,
    /// The journal does not give it.
    Unread(Unread),
}

/// A group that is on its way. Whatever happens to the attempt, the courier hears of it: a group
/// that nobody reports would block its lanes for ever.
pub(super) struct Group {
    waiting: Vec<Waiting>,
    events: UnboundedSender<Event>,
}

impl Group {
    pub(super) fn new(waiting: Vec<Waiting>, events: UnboundedSender<Event>) -> Self {
        Self { waiting, events }
    }

    /// Reads and sends the group, and reports what came of each, in order.
    pub(super) async fn attempt(mut self, means: Arc<Means>) {
        let read = read(&means, &self.waiting).await;
        let mut came: Vec<Came> = Vec::with_capacity(read.len());
        let (mut deliveries, mut sent) = (Vec::new(), Vec::new());
        for one in read {
            came.push(match one {
                Some(Ok((delivery, digest))) => {
                    sent.push((came.len(), digest));
                    deliveries.push(delivery);
                    Came::LeftOver
                }
                Some(Err(unread)) => Came::Unread(unread),
                None => Came::LeftOver,
            });
        }
        let started = means.clock.instant();
        let mut results = if deliveries.is_empty() {
            Vec::new()
        } else {
            means.destination.send_many(&deliveries).await
        }
        .into_iter();
        for (index, digest) in sent {
            let bug = || Err(SendFault::Ambiguous("the destination's code gave no result".into()));
            let result = results.next().unwrap_or_else(bug);
            if let Some(slot) = came.get_mut(index) {
                *slot = Came::Of(Some(digest), result);
            }
        }
        let took = means.clock.instant().since(started);
        self.report(came, took);
    }

    fn report(&mut self, came: Vec<Came>, took: Duration) {
        let group = std::mem::take(&mut self.waiting);
        let tried = group.into_iter().zip(came).collect();
        // The courier may have been stopped: then nobody needs to know.
        let _ = self.events.send(Event::Tried(tried, took));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.waiting.is_empty() {
            let lost = SendFault::Ambiguous("the attempt ended with a bug".into());
            let came = self.waiting.iter().map(|_| Came::Of(None, Err(lost.clone()))).collect();
            self.report(came, Duration::ZERO);
        }
    }
}

type Read = Result<(Delivery, Digest), Unread>;

/// Reads a group, as far as it fits; `None` for what does not.
async fn read(means: &Means, waiting: &[Waiting]) -> Vec<Option<Read>> {
    let read = Arc::new(Mutex::new(Vec::with_capacity(waiting.len())));
    let filled = Arc::clone(&read);
    let (journal, waiting) = (Arc::clone(&means.journal), waiting.to_vec());
    let bytes_max = means.group_bytes_max;
    let work = move || {
        let mut filled = filled.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = 0usize;
        for waiting in &waiting {
            if bytes_max <= bytes {
                filled.push(None);
                continue;
            }
            filled.push(Some(journal.read(waiting).map(|delivery| {
                bytes = bytes.saturating_add(delivery.body.len());
                let digest = Digest::of(&delivery.body);
                (delivery, digest)
            })));
        }
    };
    means.tasks.blocking("courier-read", Box::new(work)).await;
    std::mem::take(&mut *read.lock().unwrap_or_else(PoisonError::into_inner))
}

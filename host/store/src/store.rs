use bytes::Bytes;
use hilum_audit::{NonEmpty, Record};
use hilum_env::{Bell, Doors, Space};
use hilum_words::{DeliveryId, Digest, MessageId, RunId};

use crate::{
    Accepted, Arrival, Committed, Committer, Counts, DeliveryReady, DeliveryRecord, MessageRecord,
    MessageSummary, OpenError, Options, ParkedItem, RunRecord, Step, StoreError, Ticket, Watcher,
};

/// Opens the journal: takes its folder, reads all of it, cuts a torn tail. Give the committer to
/// `Tasks::drive` and the bell that comes back to [`Store::attach`].
pub fn open(
    doors: &Doors,
    options: Options,
    watcher: Watcher,
) -> Result<(Store, Committer), OpenError> {
    let _ = (doors, options, watcher);
    todo!("being written")
}

/// The journal, for everybody. Cheap to clone.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// The bell that wakes the committer.
    pub fn attach(&self, bell: Bell) {
        let _ = bell;
        todo!("being written")
    }

    /// Makes a message durable, unless it is known already.
    pub fn accept(&self, arrival: Arrival) -> Ticket<Accepted> {
        let _ = arrival;
        todo!("being written")
    }

    /// Makes a decision durable.
    pub fn commit(&self, step: Step) -> Ticket<Committed> {
        let _ = step;
        todo!("being written")
    }

    /// Makes evidence durable that belongs to no change of a run: a start, a look at a message.
    pub fn note(&self, records: NonEmpty<Record>) -> Ticket<Committed> {
        let _ = records;
        todo!("being written")
    }

    /// Counts a start of a run. Written before this returns, so that it survives the death of the
    /// process; synced with whatever is synced next.
    pub fn note_start(&self, run: RunId) {
        let _ = run;
        todo!("being written")
    }

    /// Ends the committer once everything that waits is written. The ticket is answered when the
    /// last frame is on disk.
    pub fn stop(&self) -> Ticket<()> {
        todo!("being written")
    }

    /// What is known of a run; none if it never was, or is finished and old.
    pub fn run(&self, run: RunId) -> Option<RunRecord> {
        let _ = run;
        todo!("being written")
    }

    /// The runs that wait for a decision, in the journal's order.
    pub fn undecided(&self) -> Vec<RunId> {
        todo!("being written")
    }

    /// The deliveries that wait for a destination's courier, in the journal's order.
    pub fn queued(&self, destination: &str) -> Vec<DeliveryReady> {
        let _ = destination;
        todo!("being written")
    }

    /// The bytes of a message.
    pub fn body(&self, message: MessageId) -> Result<Bytes, StoreError> {
        let _ = message;
        todo!("being written")
    }

    /// What is known of a message; none if it never was, or is finished and old.
    pub fn message(&self, message: MessageId) -> Option<MessageRecord> {
        let _ = message;
        todo!("being written")
    }

    /// What is known of a delivery, with its body.
    pub fn delivery(&self, delivery: DeliveryId) -> Result<DeliveryRecord, StoreError> {
        let _ = delivery;
        todo!("being written")
    }

    /// At most `limit` of the recent messages, newest first, from the one before `before`.
    pub fn recent(&self, limit: usize, before: Option<MessageId>) -> Vec<MessageSummary> {
        let _ = (limit, before);
        todo!("being written")
    }

    /// All evidence about a message, in the journal's order.
    pub fn trail(&self, message: MessageId) -> Result<Vec<Record>, StoreError> {
        let _ = message;
        todo!("being written")
    }

    /// What waits for a person, oldest first.
    pub fn parked(&self) -> Vec<ParkedItem> {
        todo!("being written")
    }

    /// Keeps bytes under their digest; durable when this returns. For a configuration's files.
    pub fn put_blob(&self, content: &[u8]) -> Result<Digest, StoreError> {
        let _ = content;
        todo!("being written")
    }

    /// The bytes under a digest, checked against it.
    pub fn blob(&self, digest: Digest) -> Result<Bytes, StoreError> {
        let _ = digest;
        todo!("being written")
    }

    /// How full the journal's file system is.
    pub fn space(&self) -> Result<Space, StoreError> {
        todo!("being written")
    }

    /// Why nothing is written any more; none if all is well.
    pub fn poisoned(&self) -> Option<StoreError> {
        todo!("being written")
    }

    /// What a gateway counts.
    pub fn counts(&self) -> Counts {
        todo!("being written")
    }
}

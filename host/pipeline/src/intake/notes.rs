//! What was not taken, or was known already, in the trail. At most one record a second of each kind,
//! with a count of all since the last one, or garbage and repeats would fill the disk.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hilum_audit::{NonEmpty, Record, What, fact};
use hilum_env::Peer;
use hilum_words::{Actor, MessageId, Timestamp};

use super::Intake;

/// How often what was not taken, or was known, is noted in the trail.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// One for each kind.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) lost: Mutex<Noted>,
    pub(super) refused: Mutex<Noted>,
    pub(super) ignored: Mutex<Noted>,
    pub(super) known: Mutex<Noted>,
}

/// Things of one kind, since the last record about them.
#[derive(Default)]
pub(super) struct Noted {
    last: Option<Timestamp>,
    count: u64,
}

impl Intake {
    pub(super) fn note(&self, kind: &Mutex<Noted>, detail: &str, peer: &Peer, bytes: usize) {
        let at = self.stamps.now();
        let Some(count) = counted(kind, at) else { return };
        let actor = Actor::system(format!("listener/{}", self.listener));
        let mut record = Record::new(at, What::RefusedAtIntake, actor)
            .text(fact::LISTENER, self.listener.as_str())
            .text(fact::DETAIL, detail)
            .text("peer", &peer.address)
            .number(fact::BYTES, u64::try_from(bytes).unwrap_or(u64::MAX))
            .number("count", count);
        if let Some(identity) = &peer.identity {
            record = record.text("fingerprint", &identity.fingerprint);
        }
        // Nobody waits for it: it speaks of what was never promised.
        drop(self.store.note(NonEmpty::of(record)));
    }

    /// Notes a repeat in the trail of the message that it repeats.
    pub(super) fn note_known(&self, message: MessageId, peer: &Peer) {
        let at = self.stamps.now();
        let Some(count) = counted(&self.notes.known, at) else { return };
        let actor = Actor::system(format!("listener/{}", self.listener));
        let record = Record::new(at, What::Known, actor)
            .message(message)
            .text(fact::LISTENER, self.listener.as_str())
            .text("peer", &peer.address)
            .number("count", count);
        // Nobody waits for it: what was promised about the message stands in its own record.
        drop(self.store.note(NonEmpty::of(record)));
    }
}

/// How many there were since the last record, if it is time for one.
fn counted(kind: &Mutex<Noted>, at: Timestamp) -> Option<u64> {
    let mut noted = kind.lock().unwrap_or_else(PoisonError::into_inner);
    noted.count += 1;
    if noted.last.is_some_and(|last| at.since(last) < NOTE_EVERY) {
        return None;
    }
    noted.last = Some(at);
    Some(std::mem::take(&mut noted.count))
}

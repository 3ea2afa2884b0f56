//! Application acknowledgements that may come on another connection: HL7 v2.5.1 ch. 2, 2.9.3.2.
//!
//! A message that asks for one is written down here before it is sent. Whatever acknowledgement
//! comes, on a connection of this destination or to the listener that it names, is held against
//! what is written down, by MSA-2.
//!
//! Promises: as many entries as messages are on their way; one acknowledgement settles one message,
//! and only one that waits for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::answer::Answer;
use super::outgoing::Outgoing;
use super::parties::Parties;
use crate::destination::Fit;

struct Entry {
    number: u64,
    outgoing: Arc<Outgoing>,
    answer: oneshot::Sender<Answer>,
}

#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
    given: u64,
}

/// The messages of one destination that wait for an application acknowledgement.
#[derive(Clone, Default)]
pub(super) struct Awaited(Arc<Mutex<Entries>>);

fn lock(entries: &Mutex<Entries>) -> MutexGuard<'_, Entries> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Awaited {
    /// Writes a message down; none if another with its control id is waiting: an acknowledgement
    /// could not be told to be for the one or the other.
    pub(super) fn enter(&self, outgoing: &Arc<Outgoing>) -> Option<Elsewhere> {
        let (answer, receiver) = oneshot::channel();
        let mut entries = lock(&self.0);
        if entries.all.iter().any(|it| it.outgoing.control_id == outgoing.control_id) {
            return None;
        }
        let number = entries.given;
        entries.given += 1;
        entries.all.push(Entry { number, outgoing: Arc::clone(outgoing), answer });
        let place = Some((self.clone(), number));
        Some(Elsewhere { receiver: Some(receiver), place, is_named: false })
    }

    /// Whether a message waits for this acknowledgement, and how well who it is from fits who the
    /// message went to.
    pub(super) fn fit(&self, answer: &Answer) -> Option<Fit> {
        let is_application = answer.code.is_some_and(|it| !it.is_commit());
        let entries = lock(&self.0);
        let entry = entries.all.iter().find(|it| answer.is_to(&it.outgoing));
        let entry = entry.filter(|_| is_application)?;
        let sending = Parties::sending(&answer.content)?;
        Some(entry.outgoing.parties.fit(&sending))
    }

    /// Gives an acknowledgement to the message that waits for it. One that nobody waits for comes
    /// back.
    pub(super) fn offer(&self, answer: Answer) -> Result<(), Answer> {
        let is_application = answer.code.is_some_and(|it| !it.is_commit());
        let mut entries = lock(&self.0);
        let place = entries.all.iter().position(|it| answer.is_to(&it.outgoing));
        let Some(place) = place.filter(|_| is_application) else {
            return Err(answer);
        };
        let entry = entries.all.swap_remove(place);
        entry.answer.send(answer)
    }
}

/// Where the acknowledgement of one message arrives that did not come on its own connection.
pub(super) struct Elsewhere {
    receiver: Option<oneshot::Receiver<Answer>>,
    place: Option<(Awaited, u64)>,
    /// Whether the site names a listener for it, so that it is waited for even after the message's
    /// own connection has ended.
    pub(super) is_named: bool,
}

impl Elsewhere {
    /// Nothing comes elsewhere.
    pub(super) fn nothing() -> Self {
        Self { receiver: None, place: None, is_named: false }
    }

    /// The acknowledgement, once it has come; else this waits for ever.
    pub(super) async fn next(&mut self) -> Answer {
        if let Some(receiver) = &mut self.receiver {
            let came = receiver.await;
            self.receiver = None;
            if let Ok(answer) = came {
                return answer;
            }
        }
        std::future::pending().await
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        if let Some((awaited, number)) = &self.place {
            lock(&awaited.0).all.retain(|it| it.number != *number);
        }
    }
}

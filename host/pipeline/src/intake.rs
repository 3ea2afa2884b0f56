//! Takes what a listener read, has it made durable, and says what to answer.
//!
//! The listener writes the bytes and knows no HL7; everything that decides about an answer is in
//! [`Intake::decide`].
//!
//! Promises: nothing is acknowledged before it is stored; a refusal says what is wrong by place and
//! code; nothing in an answer is a field's content but what the standard wants back (MSH-3 to MSH-6,
//! MSH-10).
//! Not here: frames (`hilum_mllp`), how an answer is spelt (`hilum_answer`).

mod answer;
mod http;
mod options;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hilum_answer::{Ack, AckCode, Refusal};
use hilum_audit::{NonEmpty, Record, What, fact};
use hilum_env::{Clock, Entropy, Peer};
use hilum_message::hl7v2::{Header, Message as Hl7, Path};
use hilum_message::{Message, PLACES_MAX};
use hilum_policy::RunSeed;
use hilum_store::{Accepted, Arrival, DuplicateKey, RunStart, Store, StoreError};
use hilum_words::{Actor, Envelope, MessageId, Name, Origin, RunId, Stamp, Timestamp};
use tracing::{info, warn};

use crate::metrics::Taken;
use crate::{Backlog, Current, Generation, Metrics, Route, Waiters};

pub use answer::{Answer, FrameFault, Inbound, Later, Reply};
pub use http::{BodyFormat, HttpAnswer, HttpInbound, Wish};
pub use options::{AckPoint, BatchAnswer, IntakeOptions, OnBatchCount, Unrouted};

/// How a decision at the door ends.
enum Decision {
    Accepted(Accepted),
    Refused(Refusal),
    /// An acknowledgement: nobody answers it.
    Ignored,
}

/// Who may wait for an acknowledgement that comes on a connection of its own: MSA-2 as it stands
/// there, MSA-1, and the whole acknowledgement. The answer is whether somebody did.
pub type Replies = dyn Fn(&[u8], AckCode, Bytes) -> bool + Send + Sync;

/// Runs that may wait for a worker before the door answers "busy".
const BACKLOG_MAX: usize = 1_000_000;

/// The door of one listener.
pub struct Intake {
    listener: Name,
    store: Store,
    current: Arc<Current>,
    backlog: Arc<Backlog>,
    backlog_max: usize,
    waiters: Arc<Waiters>,
    replies: Option<Arc<Replies>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    metrics: Metrics,
    lost: Mutex<Noted>,
    refused: Mutex<Noted>,
    ignored: Mutex<Noted>,
}

/// Things of one kind that were not taken, since the last record about them.
#[derive(Default)]
struct Noted {
    last: Option<Timestamp>,
    count: u64,
}

/// How often what was not taken is noted in the trail.
const NOTE_EVERY: Duration = Duration::from_secs(1);

impl Intake {
    /// The door of the listener with this name. What it does with a message is said by the
    /// generation that the message is pinned to.
    #[expect(clippy::too_many_arguments, reason = "they are the parts of a gateway")]
    pub fn new(
        listener: Name,
        store: Store,
        current: Arc<Current>,
        backlog: Arc<Backlog>,
        waiters: Arc<Waiters>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        metrics: Metrics,
    ) -> Self {
        Self {
            listener,
            store,
            current,
            backlog,
            backlog_max: BACKLOG_MAX,
            waiters,
            replies: None,
            clock,
            entropy,
            metrics,
            lost: Mutex::default(),
            refused: Mutex::default(),
            ignored: Mutex::default(),
        }
    }

    /// Answers "busy" when so many runs wait for a worker.
    #[must_use]
    pub fn with_backlog_max(self, backlog_max: usize) -> Self {
        Self { backlog_max, ..self }
    }

    /// Hands acknowledgements that come to this listener to whoever waits for them.
    #[must_use]
    pub fn with_replies(self, replies: Arc<Replies>) -> Self {
        Self { replies: Some(replies), ..self }
    }

    /// Takes one message and says what to answer, after the disk has it.
    pub async fn receive(&self, inbound: Inbound) -> Answer {
        let parsed = Hl7::parse(inbound.content.clone());
        let header = parsed.as_ref().ok().map(Hl7::header);
        let (peer, bytes) = (inbound.peer.clone(), inbound.content.len());
        let decision = match parsed {
            Ok(message) => self.decide(inbound, message).await,
            Err(_) => Decision::Refused(Refusal::NotHl7),
        };
        let mut stamps = || self.stamp();
        let (outcome, ack) = match (&decision, &header) {
            (Decision::Accepted(accepted), Some(header)) => match accepted {
                Accepted::New(stored) => {
                    (Taken::Accepted, Ack::accept(header, stored, &mut stamps))
                }
                Accepted::Known(stored) => (Taken::Known, Ack::accept(header, stored, &mut stamps)),
                Accepted::Reused(stored) => {
                    (Taken::Reused, Ack::accept(header, stored, &mut stamps))
                }
                Accepted::Conflict => {
                    (Taken::Refused, Ack::refuse(Some(header), &Refusal::Reused, &mut stamps))
                }
            },
            (Decision::Refused(refusal), header) => {
                info!(listener = %self.listener, %refusal, "message refused");
                self.note(&self.refused, &refusal.to_string(), &peer, bytes);
                (Taken::Refused, Ack::refuse(header.as_ref(), refusal, &mut stamps))
            }
            (Decision::Ignored, _) | (Decision::Accepted(_), None) => {
                self.note(&self.ignored, "an acknowledgement that nobody waits for", &peer, bytes);
                (Taken::Ignored, Vec::new())
            }
        };
        self.metrics.took(&self.listener, outcome);
        let now = ack.into_iter().map(|it| Reply { bytes: it.bytes }).collect();
        Answer { now, ..Answer::default() }
    }

    /// Answers a frame that cannot become a message, as far as its beginning is known.
    pub fn fault(&self, fault: FrameFault, beginning: Bytes) -> Answer {
        let FrameFault::TooLong = fault;
        self.metrics.took(&self.listener, Taken::Refused);
        // PROTOCOL §3: refuse if the control id is known by now, else close without a word. Where the
        // beginning ends with MSH-10, the rest of it may be missing.
        let is_known = |message: &Hl7| {
            let msh = message.segments().find(|it| it.name() == "MSH");
            let id = msh.and_then(|it| it.field(10)).filter(|it| !it.is_empty());
            id.is_some_and(|id| id.end < message.bytes().len())
        };
        let header = Hl7::parse(beginning).ok().filter(is_known).map(|it| it.header());
        let mut stamps = || self.stamp();
        let now = header.map(|it| Ack::refuse(Some(&it), &Refusal::TooLong, &mut stamps));
        let now = now.into_iter().flatten().map(|it| Reply { bytes: it.bytes }).collect();
        Answer { now, close: true, ..Answer::default() }
    }

    /// Notes a message that was cut off by the start of another: nobody acknowledges it, and the
    /// trail says so.
    pub fn note_lost(&self, peer: &Peer, bytes: usize) {
        self.note(&self.lost, "a message was cut off by the start of another", peer, bytes);
    }

    /// Writes to the trail that something was not taken. At most one record a second of each kind,
    /// with a count of all since the last one, or garbage would fill the disk.
    fn note(&self, kind: &Mutex<Noted>, detail: &str, peer: &Peer, bytes: usize) {
        let at = Timestamp::from_micros(self.clock.now_micros());
        let count = {
            let mut noted = kind.lock().unwrap_or_else(PoisonError::into_inner);
            noted.count += 1;
            if noted.last.is_some_and(|last| at.since(last) < NOTE_EVERY) {
                return;
            }
            noted.last = Some(at);
            std::mem::take(&mut noted.count)
        };
        let actor = Actor::system(format!("listener/{}", self.listener));
        let record = Record::new(at, What::RefusedAtIntake, actor)
            .text(fact::LISTENER, self.listener.as_str())
            .text(fact::DETAIL, detail)
            .text("peer", &peer.address)
            .number(fact::BYTES, bytes as u64)
            .number("count", count);
        // Nobody waits for it: it speaks of what was never promised.
        drop(self.store.note(NonEmpty::of(record)));
    }

    /// What this listener does with messages in a generation. One that the generation does not know
    /// is about to be closed.
    fn options(&self, generation: &Generation) -> Arc<IntakeOptions> {
        generation.intake(&self.listener).cloned().unwrap_or_default()
    }

    /// Decides what becomes of a message at the door.
    async fn decide(&self, mut inbound: Inbound, message: Hl7) -> Decision {
        let whole = Message::Hl7(message.clone());
        if PLACES_MAX < whole.places_max() {
            return Decision::Refused(Refusal::TooManyValues);
        }
        if message.is_batch() {
            return Decision::Refused(Refusal::BatchTooLong { messages_max: 1 });
        }
        let header = message.header();
        if is_acknowledgement(&message) {
            return Decision::Ignored;
        }
        for (field, path) in [(&header.message_type, "MSH-9"), (&header.control_id, "MSH-10")] {
            if field.is_empty() {
                return Decision::Refused(Refusal::RequiredFieldMissing { at: at(path) });
            }
        }
        if self.backlog_max <= self.backlog.len() {
            return Decision::Refused(Refusal::Busy);
        }
        inbound.findings.extend(message.findings().iter().map(ToString::to_string));
        let message = whole;
        let generation = self.current.current();
        let options = self.options(&generation);
        let routes = generation.routes.select(&self.listener, &message);
        if routes.is_empty() && options.unrouted == Unrouted::Refuse {
            return Decision::Refused(Refusal::NoRoute);
        }
        let arrival = self.arrival(inbound, &header, &message, &generation, &options, &routes);
        match self.store.accept(arrival).await {
            Ok(accepted) => Decision::Accepted(accepted),
            Err(fault) => {
                warn!(listener = %self.listener, %fault, "message not stored");
                Decision::Refused(match fault {
                    StoreError::Busy => Refusal::Busy,
                    _ => Refusal::NotStored,
                })
            }
        }
    }

    fn arrival(
        &self,
        inbound: Inbound,
        header: &Header,
        message: &Message,
        generation: &Generation,
        options: &IntakeOptions,
        routes: &[&Arc<Route>],
    ) -> Arrival {
        let id = MessageId::new(inbound.received, self.entropy.bytes());
        let actor = Actor::system(format!("listener/{}", self.listener));
        let runs: Vec<RunStart> = routes
            .iter()
            .map(|route| RunStart {
                run: RunId::new(inbound.received, self.entropy.bytes()),
                route: route.name.clone(),
                seed: RunSeed(self.entropy.bytes()),
                lanes: route.lanes(message),
            })
            .collect();
        let record = Record::new(inbound.received, What::Accepted, actor.clone())
            .message(id)
            .generation(generation.digest)
            .text(fact::LISTENER, self.listener.as_str())
            .text(fact::KIND, message.kind())
            .number(fact::BYTES, inbound.content.len() as u64)
            .number("runs", runs.len() as u64);
        let envelope = Envelope {
            message: id,
            received: inbound.received,
            listener: self.listener.clone(),
            peer: inbound.peer.address,
            origin: Origin::Listener,
            parent: None,
            correlation: None,
            actor,
            trace: None,
        };
        Arrival {
            envelope,
            kind: message.kind(),
            key: Some(self.key(header)),
            on_reused: options.on_reused,
            format: Name::from(message.format()),
            body: inbound.content,
            generation: generation.digest,
            runs,
            findings: inbound.findings,
            records: NonEmpty::of(record),
        }
    }

    /// What makes two messages the same: listener, MSH-3, MSH-4 and MSH-10, byte for byte.
    fn key(&self, header: &Header) -> DuplicateKey {
        DuplicateKey::of(&[
            self.listener.as_bytes(),
            &header.sending_application,
            &header.sending_facility,
            &header.control_id,
        ])
    }

    /// A time and a control id of our own: 20 characters, as HL7 v2.5 allows.
    fn stamp(&self) -> Stamp {
        let at = Timestamp::from_micros(self.clock.now_micros());
        let random: [u8; 10] = self.entropy.bytes();
        let control_id = random.iter().map(|byte| format!("{byte:02X}")).collect();
        Stamp { at, control_id }
    }
}

/// Whether a message is an answer: MSH-9.1 is ACK, or it carries an MSA. Some responses (RSP, ORR)
/// carry an MSA too; as an unsolicited message at a listener they are answers all the same.
fn is_acknowledgement(message: &Hl7) -> bool {
    message.kind().split('^').next() == Some("ACK")
        || message.segments().any(|it| it.name() == "MSA")
}

fn at(path: &'static str) -> Path {
    path.parse().unwrap_or_else(|_| unreachable!("{path} is a path"))
}

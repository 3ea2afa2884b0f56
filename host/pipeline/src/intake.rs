//! Takes what a listener read, has it made durable, and says what to answer.
//!
//! The listener writes the bytes and knows no HL7. What becomes of a message at the door is decided in
//! `door`, what is said about it in `said`; a batch is both for each of its messages (`batch`), and
//! HTTP says the same in other words (`http`).
//!
//! Promises: nothing is acknowledged before it is stored; a refusal says what is wrong by place and
//! code; nothing in an answer is a field's content but what the standard wants back
//! (`hilum_answer`); one generation decides all that is decided about a frame.
//! Not here: frames (`hilum_mllp`), how an answer is spelt (`hilum_answer`), who waits for which
//! decision (`waiters`).

mod answer;
mod batch;
mod door;
mod http;
mod layout;
mod notes;
mod options;
mod request;
mod said;

use std::sync::Arc;

use bytes::Bytes;
use hilum_answer::{Ack, AckCode, Refusal};
use hilum_env::{Clock, Entropy, Peer};
use hilum_message::hl7v2::{Message as Hl7, ParseError};
use hilum_store::Store;
use hilum_words::{Name, Stamp, Timestamp};

use crate::metrics::Taken;
use crate::{Backlog, Current, Generation, Metrics, Waiters};

pub use answer::{Answer, FrameFault, Inbound, Later, Reply};
pub use options::{AckPoint, BatchAnswer, IntakeOptions, OnBatchCount, Unrouted};
pub use request::{BodyFormat, HttpAnswer, HttpInbound, ResourceUrl, Wish};

use door::Came;
use notes::Notes;

/// Who may wait for an acknowledgement that comes on a connection of its own: MSA-2 as it stands
/// there, MSA-1, and the whole acknowledgement. The answer is whether somebody did.
pub type Replies = dyn Fn(&[u8], AckCode, Bytes) -> bool + Send + Sync;

/// Places in lanes that runs may wait for a worker in before the door answers "busy".
const BACKLOG_MAX: usize = 1_000_000;

/// What a reader of HL7 v2 takes: offsets have 32 bits.
const HL7_BYTES_MAX: usize = u32::MAX as usize;

/// The door of one listener.
pub struct Intake {
    listener: Name,
    store: Store,
    current: Arc<Current>,
    backlog: Arc<Backlog>,
    backlog_max: usize,
    waiters: Arc<Waiters>,
    replies: Option<Arc<Replies>>,
    stamps: Stamps,
    metrics: Metrics,
    notes: Notes,
}

/// Times and control ids of our own.
#[derive(Clone)]
struct Stamps {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Stamps {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.now_micros())
    }

    /// A control id has 20 characters, as HL7 v2.5 allows.
    fn stamp(&self) -> Stamp {
        let random: [u8; 10] = self.entropy.bytes();
        let control_id = random.iter().map(|byte| format!("{byte:02X}")).collect();
        Stamp { at: self.now(), control_id }
    }
}

/// What a frame is pinned to: everything that is decided about it is decided by this.
struct Pinned {
    generation: Arc<Generation>,
    options: Arc<IntakeOptions>,
}

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
            stamps: Stamps { clock, entropy },
            metrics,
            notes: Notes::default(),
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

    /// Takes one frame, a message or a batch, and says what to answer, after the disk has it.
    pub async fn receive(&self, inbound: Inbound) -> Answer {
        let Inbound { content, findings, peer, received } = inbound;
        let pinned = self.pinned();
        let came = Came::at(peer, received);
        match pinned.read(content.clone()) {
            Err(refusal) => {
                let passed = self.refused(refusal, &came, content.len());
                self.answer(&pinned, None, passed)
            }
            Ok(whole) if batch::is_batch(&whole) => {
                self.receive_batch(&pinned, &whole, findings, &came).await
            }
            Ok(message) => {
                let header = message.header();
                let submitted = self.submit_hl7(&pinned, message, findings, &came);
                let passed = self.passed(&pinned, submitted, &came).await;
                self.answer(&pinned, Some(header), passed)
            }
        }
    }

    /// Answers a frame that cannot become a message, as far as its beginning is known.
    pub fn fault(&self, fault: FrameFault, beginning: Bytes) -> Answer {
        let FrameFault::TooLong { bytes_max } = fault;
        let refusal = Refusal::TooLong { bytes_max };
        self.metrics.took(&self.listener, Taken::Refused);
        // PROTOCOL §3: refuse if the control id is known by now, else close without a word. Where the
        // beginning ends with MSH-10, the rest of it may be missing.
        let is_known = |message: &Hl7| {
            let msh = message.segments().find(|it| it.name() == "MSH");
            let id = msh.and_then(|it| it.field(10)).filter(|it| !it.is_empty());
            id.is_some_and(|id| id.end < message.bytes().len())
        };
        let known = self.pinned().read(beginning).ok().filter(is_known);
        // Where it is named an acknowledgement, nothing is due.
        let header = known.map(|it| it.header());
        let mut stamp = || self.stamps.stamp();
        let acks = header.map(|it| Ack::refuse(Some(&it), &refusal, &mut stamp));
        let now = acks.into_iter().flatten().map(|ack| Reply { bytes: ack.bytes }).collect();
        Answer { now, close: true, is_stored: Some(false), later: None }
    }

    /// Notes a message that was cut off by the start of another: nobody acknowledges it, and the
    /// trail says so.
    pub fn note_lost(&self, peer: &Peer, bytes: usize) {
        let what = "a message was cut off by the start of another";
        self.note(&self.notes.lost, what, peer, bytes);
    }

    /// What is pinned now. A listener that the generation does not know is about to be closed.
    fn pinned(&self) -> Pinned {
        let generation = self.current.current();
        let options = generation.intake(&self.listener).cloned().unwrap_or_default();
        Pinned { generation, options }
    }
}

impl Pinned {
    /// Reads HL7 v2 in the listener's character set where the message names none.
    fn read(&self, content: Bytes) -> Result<Hl7, Refusal> {
        Hl7::parse_with(content, &self.options.reading()).map_err(|fault| match fault {
            ParseError::WideCharset => Refusal::WideCharset,
            ParseError::TooLong => Refusal::TooLong { bytes_max: HL7_BYTES_MAX },
            ParseError::Empty | ParseError::NoMsh | ParseError::BadDelimiters => Refusal::NotHl7,
        })
    }
}

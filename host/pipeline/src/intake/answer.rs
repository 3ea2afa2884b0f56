use std::fmt;

use bytes::Bytes;
use hilum_env::{BoxFuture, Peer};
use hilum_words::Timestamp;

/// One message as a listener read it.
pub struct Inbound {
    /// The content of the frame.
    pub content: Bytes,
    /// What was odd about the frame, in words without content.
    pub findings: Vec<String>,
    /// The other end.
    pub peer: Peer,
    /// When the last byte was read.
    pub received: Timestamp,
}

/// One answer, not framed.
#[derive(Clone)]
pub struct Reply {
    /// HL7 v2.
    pub bytes: Bytes,
}

/// Counts only: an answer gives fields of the message back.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} bytes)", self.bytes.len())
    }
}

/// What a listener has to do next on this connection.
#[derive(Debug, Default)]
pub struct Answer {
    /// To be written now, in this order.
    pub now: Vec<Reply>,
    /// To be written when there is something to say. None: nothing follows.
    pub later: Option<Later>,
    /// Whether the connection is to be closed after that.
    pub close: bool,
    /// For the commit byte of MLLP release 2: whether everything in the frame is safely stored. None
    /// where a frame holds nothing to be stored.
    pub is_stored: Option<bool>,
}

/// What is said about a message once it is decided.
///
/// Dropping it is hanging up: nobody waits for the decision any more, and a refusal that comes then
/// waits for a person.
pub struct Later {
    /// What is to be written, in this order; may turn out to be nothing. It ends by itself within
    /// the listener's `processed_timeout`.
    pub replies: BoxFuture<'static, Vec<Reply>>,
    /// Whether nothing more may be read before it is written: in the original mode a sender takes the
    /// next answer for that of its next message. In the enhanced mode the answer names its message,
    /// and may come after later ones.
    pub holds_reading: bool,
}

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later").field("holds_reading", &self.holds_reading).finish_non_exhaustive()
    }
}

/// A frame that is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameFault {
    /// It outgrew the listener's limit.
    TooLong {
        /// How long it may be.
        bytes_max: usize,
    },
}

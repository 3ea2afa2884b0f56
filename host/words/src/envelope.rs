use std::fmt;

use crate::{Actor, MessageId, Name, Timestamp};

/// How an envelope came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A peer sent it to a listener.
    Listener,
    /// The gateway made it itself (a timer, a closed task). Reserved.
    Internal,
    /// An operator ran a stored message again.
    Replay,
}

impl Origin {
    /// The word as it is printed and stored.
    pub fn word(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Internal => "internal",
            Self::Replay => "replay",
        }
    }

    /// The origin with this spelling.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Listener, Self::Internal, Self::Replay].into_iter().find(|it| it.word() == word)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// When, where and how a message reached us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The gateway's id of this message.
    pub message: MessageId,
    /// When its last byte was read. The only clock that a plugin has.
    pub received: Timestamp,
    /// The listener that read it.
    pub listener: Name,
    /// The peer's address and port, or a file's folder. Never a file's name: those hold names.
    pub peer: String,
    /// How it came to be.
    pub origin: Origin,
    /// The message that this one answers or follows.
    pub parent: Option<MessageId>,
    /// The first message of the conversation.
    pub correlation: Option<MessageId>,
    /// Who is responsible for it.
    pub actor: Actor,
    /// The W3C `traceparent` that it came with.
    pub trace: Option<String>,
}

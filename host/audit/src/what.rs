use std::fmt;

macro_rules! whats {
    ($($(#[$doc:meta])* $variant:ident => $word:literal,)*) => {
        /// What happened, as one word that the trail is searched by. Words are stored, so they never
        /// change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum What { $($(#[$doc])* $variant,)* }

        impl What {
            /// Every word.
            pub const ALL: &[What] = &[$(What::$variant,)*];

            /// The word as it is printed and stored.
            pub const fn word(self) -> &'static str {
                match self { $(What::$variant => $word,)* }
            }

            /// The one with this word.
            pub fn from_word(word: &str) -> Option<What> {
                match word { $($word => Some(What::$variant),)* _ => None }
            }
        }
    };
}

whats! {
    /// A message was made durable; its sender is told so.
    Accepted => "accepted",
    /// The same message came again and got the same answer.
    Known => "known",
    /// Another message came under a control id that was used before.
    Conflict => "conflict",
    /// The same message came again after all its runs had been refused or parked, and was accepted.
    Repeated => "repeated",
    /// A message was refused before it was stored.
    RefusedAtIntake => "refused-at-intake",
    /// A transformer was called.
    Transformed => "transformed",
    /// A router was called.
    Routed => "routed",
    /// A validator was called.
    Validated => "validated",
    /// A run was decided: its outputs are queued.
    Dispatched => "dispatched",
    /// A run was decided: the message is refused.
    Refused => "refused",
    /// A run was decided: a validator wants a person.
    Held => "held",
    /// A run was decided: it waits for a person because something went wrong.
    Parked => "parked",
    /// A destination took an output.
    Delivered => "delivered",
    /// A destination did not take an output; it is tried again.
    Deferred => "deferred",
    /// An output waits for a person.
    DeliveryParked => "delivery-parked",
    /// A person had a run made again.
    Replayed => "replayed",
    /// A person had an output sent again.
    Requeued => "requeued",
    /// A person let a held run go on.
    Released => "released",
    /// A person gave up on a run or an output.
    Discarded => "discarded",
    /// A person looked at a message or its way, with patient data masked.
    Viewed => "viewed",
    /// A person read patient data.
    Revealed => "revealed",
    /// The gateway started.
    StartedGateway => "started-gateway",
    /// The gateway stopped.
    StoppedGateway => "stopped-gateway",
    /// A new generation took over.
    Applied => "applied",
    /// A person paused a destination: nothing goes there until it is resumed.
    Paused => "paused",
    /// A person let a destination go on.
    Resumed => "resumed",
    /// A person set a mark, or took it away.
    Marked => "marked",
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

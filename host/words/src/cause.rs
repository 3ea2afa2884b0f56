use std::fmt;

macro_rules! cause_words {
    ($($(#[$doc:meta])* $variant:ident => $word:literal,)*) => {
        /// Why a run or a delivery is parked, as one word that operators filter by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum CauseWord { $($(#[$doc])* $variant,)* }

        impl CauseWord {
            /// Every word, in the order of the documentation.
            pub const ALL: &[CauseWord] = &[$(CauseWord::$variant,)*];

            /// The word as it is printed and stored.
            pub fn word(self) -> &'static str {
                match self { $(CauseWord::$variant => $word,)* }
            }

            /// The word with this spelling.
            pub fn from_word(word: &str) -> Option<CauseWord> {
                match word { $($word => Some(CauseWord::$variant),)* _ => None }
            }
        }
    };
}

cause_words! {
    /// A plugin refused the message, and the sender could no longer be told.
    Refused => "refused",
    /// A plugin broke a rule of the sandbox: fuel, memory, a limit, a trap.
    PluginFault => "plugin-fault",
    /// A step that is not the last one returned several outputs, or named destinations.
    SeveralOutputs => "several-outputs",
    /// The destination is not cleared for a class that the output carries.
    Denied => "denied",
    /// The output holds a sealed value in the plain.
    Leak => "leak",
    /// A token stands where no value can be put in its place.
    CannotUnseal => "cannot-unseal",
    /// The process died three times while this run was being worked on.
    Crashed => "crashed",
    /// The destination answered that the content is wrong.
    Rejected => "rejected",
    /// Attempts or age ran out.
    GaveUp => "gave-up",
    /// What the run needs (its plugin, its destination, its bytes) is no longer there.
    Gone => "gone",
}

impl fmt::Display for CauseWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a run or a delivery waits for a person: a word, and a sentence with places and codes but
/// never content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The word to filter by.
    pub word: CauseWord,
    /// For a person. Holds paths, codes and names; never a field's content.
    pub detail: String,
}

impl Cause {
    /// A cause with its sentence. The caller vouches that `detail` is free of content.
    pub fn new(word: CauseWord, detail: impl Into<String>) -> Self {
        Self { word, detail: detail.into() }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() {
            return write!(f, "{}", self.word);
        }
        write!(f, "{}: {}", self.word, self.detail)
    }
}

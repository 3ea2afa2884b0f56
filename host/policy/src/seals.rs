use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use hilum_message::{At, Found, Message, NodeId};

use crate::Classes;
use crate::origin::{Classer, Shape};
use crate::overrides::Rules;
use crate::search::Sensitive;
use crate::token::{ByToken, TOKEN_LEN, Token, tokens_in};

/// What a seal takes beside its text, roughly: itself, its token, and its place in a map.
const SEAL_BYTES: usize = size_of::<Seal>() + size_of::<Token>() + 48;

/// What the note of one change takes beside its word.
const CHANGE_BYTES: usize = size_of::<Box<str>>() + 16;

/// What the tokens of one step stand for, and what else policy knows about the run.
pub struct Seals {
    pub(crate) source: Arc<Source>,
    seals: HashMap<Token, Seal, ByToken>,
    /// Classes that this step or one before it was granted to read.
    pub(crate) opened: Classes,
    /// What the plugins of the run brought along: their components, the route's settings.
    pub(crate) constants: Vec<Bytes>,
    /// Bytes of text that the seals own.
    text_bytes: usize,
    /// Bytes of what conversions and tables have made of sealed values: as much as a plugin likes.
    made_bytes: usize,
}

/// The message as it was accepted. All steps of a run share it.
pub(crate) struct Source {
    pub(crate) classer: Arc<Classer>,
    sensitive: OnceLock<Sensitive>,
}

/// What one token stands for.
#[derive(Clone)]
pub(crate) struct Seal {
    pub(crate) plain: Plain,
    pub(crate) classes: Classes,
    pub(crate) shape: Shape,
    pub(crate) origin: Origin,
}

/// Where a sealed value comes from: kept beside the value, so that later rooms can keep origins
/// instead of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The step of the route that it was sealed for.
    pub(crate) step: u32,
    /// The place in the step's input.
    pub(crate) path: Arc<str>,
    /// Conversions and tables that were applied, in order.
    pub(crate) changes: Vec<Box<str>>,
}

/// A value that is not in anybody's hands.
#[derive(Clone)]
pub(crate) enum Plain {
    /// As it stands in a body that is kept anyway.
    Of(Arc<Message>, Found),
    /// The name of a member of JSON, as it stands in a body that is kept anyway.
    Name(Arc<Message>, NodeId, Range<usize>),
    /// A text that came of one or several values.
    Text(Arc<str>),
    /// Bytes that are no text: they could not be read to be put together.
    Unreadable,
}

impl Plain {
    /// The value as text. None if it is none.
    pub(crate) fn text(&self) -> Option<Arc<str>> {
        match self {
            Self::Of(message, Found { at: At::Body, range }) => {
                let raw = message.bytes().get(range.clone())?;
                std::str::from_utf8(raw).ok().map(Arc::from)
            }
            Self::Of(message, found) => message.text_of(found).ok().flatten().map(Arc::from),
            Self::Name(message, id, _) => message.as_json()?.name(*id).map(Arc::from),
            Self::Text(text) => Some(Arc::clone(text)),
            Self::Unreadable => None,
        }
    }

    /// How long the value is, before anything is made of it.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Of(_, found) => found.range.len(),
            Self::Name(_, _, range) => range.len(),
            Self::Text(text) => text.len(),
            Self::Unreadable => 0,
        }
    }

    fn own_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Of(..) | Self::Name(..) | Self::Unreadable => 0,
        }
    }
}

impl Source {
    pub(crate) fn new(message: Arc<Message>, rules: Arc<Rules>) -> Self {
        Self { classer: Arc::new(Classer::new(message, rules)), sensitive: OnceLock::new() }
    }

    pub(crate) fn message(&self) -> &Arc<Message> {
        self.classer.message()
    }

    /// The message's own sensitive values, to search for. Collected once.
    pub(crate) fn sensitive(&self) -> &Sensitive {
        self.sensitive.get_or_init(|| Sensitive::of(&self.classer))
    }
}

impl Seals {
    pub(crate) fn new(source: Arc<Source>, opened: Classes) -> Self {
        Self {
            source,
            seals: HashMap::default(),
            opened,
            constants: Vec::new(),
            text_bytes: 0,
            made_bytes: 0,
        }
    }

    /// Whether a plugin brought this text along, so that it need not come from the message: words, or
    /// the URI of a system of codes. Digits alone are never taken for a constant: a component holds
    /// some of every kind.
    pub(crate) fn is_constant(&self, text: &str) -> bool {
        let is_words = text.chars().all(|it| it.is_alphabetic() || matches!(it, ' ' | '-'));
        let is_uri = || ["http://", "https://", "urn:"].iter().any(|it| text.starts_with(it));
        let holds = |it: &Bytes| memchr::memmem::find(it, text.as_bytes()).is_some();
        (is_words || is_uri()) && self.constants.iter().any(holds)
    }

    pub(crate) fn get(&self, token: &Token) -> Option<&Seal> {
        self.seals.get(token)
    }

    /// Adds a seal; false if it was there. The same token always stands for the same value.
    pub(crate) fn add(&mut self, token: Token, make: impl FnOnce() -> Seal) -> bool {
        if self.seals.contains_key(&token) {
            return false;
        }
        let seal = make();
        self.text_bytes += seal.plain.own_bytes();
        self.seals.insert(token, seal);
        true
    }

    /// The same for what a conversion or table made; it is counted apart.
    pub(crate) fn add_made(&mut self, token: Token, seal: Seal) {
        let changes: usize = seal.origin.changes.iter().map(|it| CHANGE_BYTES + it.len()).sum();
        let bytes = SEAL_BYTES + seal.plain.own_bytes() + changes;
        if self.add(token, || seal) {
            self.made_bytes += bytes;
        }
    }

    /// Bytes of what conversions and tables have made, with what is noted of each.
    pub(crate) fn made_bytes(&self) -> usize {
        self.made_bytes
    }

    /// How many tokens were handed out.
    pub fn len(&self) -> usize {
        self.seals.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.seals.is_empty()
    }

    /// Roughly how much memory the seals take.
    pub(crate) fn bytes_held(&self) -> usize {
        self.text_bytes + self.seals.len() * SEAL_BYTES
    }

    /// The tokens of these seals in `bytes`, in order.
    pub(crate) fn tokens_in(&self, bytes: &[u8]) -> Vec<(Range<usize>, Token)> {
        if self.seals.is_empty() || bytes.len() < TOKEN_LEN {
            return Vec::new();
        }
        tokens_in(bytes, |token| self.seals.contains_key(token))
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.seals.keys()
    }

    /// A text without PHI: values of the message that have a class, and tokens, become
    /// `[phi:name]`. For what goes to people and logs: refusal texts, log lines, trap messages.
    pub fn scrub(&self, text: &str) -> String {
        let sensitive = self.source.sensitive();
        let tokens = self.tokens_in(text.as_bytes());
        let mut clean = String::with_capacity(text.len());
        let mut from = 0;
        for (range, token) in tokens {
            sensitive.scrub_into(text.get(from..range.start).unwrap_or_default(), &mut clean);
            let classes = self.get(&token).map(|it| it.classes).unwrap_or_default();
            clean.push_str(&format!("[phi:{classes}]"));
            from = range.end;
        }
        sensitive.scrub_into(text.get(from..).unwrap_or_default(), &mut clean);
        clean
    }

    /// Where a token's value comes from: path, conversions and tables. For people; no content.
    pub fn origin(&self, token: &str) -> Option<String> {
        let origin = &self.get(&Token::exactly(token)?)?.origin;
        let mut text = format!("step {}, {}", origin.step, origin.path);
        for change in &origin.changes {
            text.push_str(", ");
            text.push_str(change);
        }
        Some(text)
    }

    /// The places whose values stand in `bytes` as tokens, each once. For people; no content.
    pub fn places_in(&self, bytes: &[u8]) -> BTreeSet<Arc<str>> {
        let tokens = self.tokens_in(bytes);
        let seals = tokens.iter().filter_map(|(_, token)| self.get(token));
        seals.map(|it| Arc::clone(&it.origin.path)).collect()
    }

    /// The classes of what a token stands for.
    pub fn classes(&self, token: &str) -> Option<Classes> {
        self.get(&Token::exactly(token)?).map(|it| it.classes)
    }
}

/// Counts only.
impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seals({})", self.seals.len())
    }
}

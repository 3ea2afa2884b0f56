//! What a plugin made, looked at before anything is done with it.
//!
//! A word that has the form of a token and is none that the view handed out, or that is a good part
//! of one, is the plugin's fault: it has altered or cut a token, and the value it stood for would be
//! lost without a word. A word is a run of letters and digits. A token that the plugin joined with
//! other letters (`DRZQ…`) is found all the same.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::{At, Message, PLACES_MAX};

use crate::token::{END_LEN_MIN, MARK, PART_LEN_MIN, TOKEN_LEN, looks_like_token, words};
use crate::{Misbehaved, Seals, Template};

impl Template {
    pub(crate) fn read(seals: &Arc<Seals>, format: &str, body: Bytes) -> Result<Self, Misbehaved> {
        let reading = seals.source.message().made_with();
        let body = Message::parse_with(format, body, &reading);
        let body = body.map_err(|fault| Misbehaved::NotOfItsFormat {
            format: format.to_owned(),
            why: why(&fault),
        })?;
        if PLACES_MAX < body.places_max() {
            let why = format!("it has more than {PLACES_MAX} fields, components and repetitions");
            return Err(Misbehaved::NotOfItsFormat { format: body.format().to_owned(), why });
        }
        check_tokens(&body, seals)?;
        Ok(Self { body: Arc::new(body), seals: Arc::clone(seals) })
    }
}

/// The sentence below "not JSON", which has the place.
fn why(fault: &hilum_message::ParseError) -> String {
    let source = std::error::Error::source(fault);
    source.map_or_else(|| fault.to_string(), ToString::to_string)
}

fn check_tokens(body: &Message, seals: &Seals) -> Result<(), Misbehaved> {
    let ends = OnceCell::new();
    check_words(body.bytes(), seals, &ends, |range| place_at(body, seals, range))?;
    check_escaped(body, seals, &ends)
}

fn check_words<'a>(
    text: &[u8],
    seals: &'a Seals,
    ends: &OnceCell<Ends<'a>>,
    at: impl Fn(Range<usize>) -> String,
) -> Result<(), Misbehaved> {
    for range in words(text) {
        let word = text.get(range.clone()).unwrap_or_default();
        match word.len().cmp(&TOKEN_LEN) {
            // Only what is long enough can be one, or look like one.
            Ordering::Less if ends.get_or_init(|| Ends::of(seals)).has(word) => {
                return Err(Misbehaved::Cut { at: at(range) });
            }
            Ordering::Equal if seals.tokens_in(word).is_empty() && looks_like_token(word) => {
                return Err(Misbehaved::Altered { at: at(range) });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where letters are escaped, the words are others than those of the bytes: `\u005aQ…`, and in JSON
/// all that follows a `\n`.
fn check_escaped<'a>(
    body: &Message,
    seals: &'a Seals,
    ends: &OnceCell<Ends<'a>>,
) -> Result<(), Misbehaved> {
    let escape = match body {
        Message::Hl7(hl7) => hl7.delimiters().escape,
        Message::Fhir(_) => Some(b'\\'),
        Message::Opaque(_) => None,
    };
    let raw = |range: &Range<usize>| body.bytes().get(range.clone()).unwrap_or_default();
    let has_escape = |raw: &[u8]| escape.is_some_and(|it| memchr::memchr(it, raw).is_some());
    if seals.is_empty() || !has_escape(body.bytes()) {
        return Ok(());
    }
    for found in body.values().filter(|it| has_escape(raw(&it.range))) {
        let text = body.text_of(&found).ok().flatten().unwrap_or_default();
        let at = |_| place_at(body, seals, found.range.clone());
        check_words(text.as_bytes(), seals, ends, at)?;
        // HL7 keeps its bytes, and a token that is not in them would stay in the output.
        if body.as_hl7().is_some()
            && seals.tokens_in(raw(&found.range)).len() < seals.tokens_in(text.as_bytes()).len()
        {
            return Err(Misbehaved::Altered { at: at(0..0) });
        }
    }
    let Some(json) = body.as_json() else { return Ok(()) };
    for (id, node) in json.nodes() {
        if let Some(range) = node.name.as_ref().filter(|it| has_escape(raw(it))) {
            let name = json.name(id).unwrap_or_default();
            check_words(name.as_bytes(), seals, ends, |_| place_at(body, seals, range.clone()))?;
        }
    }
    Ok(())
}

/// The beginnings and ends of all tokens, to look parts up.
struct Ends<'a> {
    seals: &'a Seals,
    /// The last three letters of each token, a bit each: most words end otherwise.
    last: Box<[u64; LAST_WORDS]>,
    /// The three before them.
    before: Box<[u64; LAST_WORDS]>,
    /// The tokens, forward and backward, for the few words that are left.
    sorted: OnceCell<(Tokens, Tokens)>,
}

type Tokens = Vec<[u8; TOKEN_LEN]>;

/// 2^15 bits, for [`three_of`].
const LAST_WORDS: usize = 512;

/// The last three letters as a number below 2^15. `word` is in capitals.
fn three_of(word: &[u8]) -> usize {
    let last = word.iter().rev().take(3);
    last.fold(0, |sum, byte| sum << 5 ^ usize::from(*byte & 0x1f)) & 0x7fff
}

/// A word without its last three letters.
fn before_three(word: &[u8]) -> &[u8] {
    word.get(..word.len().saturating_sub(3)).unwrap_or_default()
}

impl<'a> Ends<'a> {
    fn of(seals: &'a Seals) -> Self {
        let mut last = Box::new([0; LAST_WORDS]);
        let mut before = Box::new([0; LAST_WORDS]);
        let set = |bits: &mut [u64; LAST_WORDS], bit: usize| bits[bit / 64] |= 1u64 << (bit % 64);
        for token in seals.tokens() {
            set(&mut last, three_of(token.bytes()));
            set(&mut before, three_of(before_three(token.bytes())));
        }
        Self { seals, last, before, sorted: OnceCell::new() }
    }

    fn sorted(&self) -> &(Tokens, Tokens) {
        self.sorted.get_or_init(|| {
            let mut forward: Tokens = self.seals.tokens().map(|it| *it.bytes()).collect();
            let mut backward = forward.clone();
            backward.iter_mut().for_each(|it| it.reverse());
            forward.sort_unstable();
            backward.sort_unstable();
            (forward, backward)
        })
    }

    /// Whether a word, shorter than a token, is the beginning or the end of one.
    fn has(&self, word: &[u8]) -> bool {
        let mut room = [0; TOKEN_LEN];
        let Some(capitals) = room.get_mut(..word.len()) else { return false };
        capitals.copy_from_slice(word);
        capitals.make_ascii_uppercase();
        if PART_LEN_MIN <= word.len()
            && capitals.starts_with(MARK)
            && starts_one(&self.sorted().0, capitals)
        {
            return true;
        }
        let is_set = |bits: &[u64; LAST_WORDS], bit: usize| bits[bit / 64] >> (bit % 64) & 1 == 1;
        if word.len() < END_LEN_MIN
            || !is_set(&self.last, three_of(capitals))
            || !is_set(&self.before, three_of(before_three(capitals)))
        {
            return false;
        }
        capitals.reverse();
        starts_one(&self.sorted().1, capitals)
    }
}

fn starts_one(sorted: &[[u8; TOKEN_LEN]], word: &[u8]) -> bool {
    let at = sorted.partition_point(|token| token.as_slice() < word);
    sorted.get(at).is_some_and(|token| token.starts_with(word))
}

/// The value that a range of bytes lies in, or else the byte.
fn place_at(body: &Message, seals: &Seals, range: Range<usize>) -> String {
    let around =
        body.values().find(|it| it.range.start <= range.start && range.end <= it.range.end);
    match around {
        Some(found) if found.at != At::Body => seals.scrub(&body.place_name(found.at)),
        _ => format!("byte {}", range.start),
    }
}

#[cfg(test)]
mod tests;

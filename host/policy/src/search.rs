//! A plain search for the message's own sensitive values.
//!
//! A value is found where it stands as whole words: nothing that is a letter or digit before it or
//! after it. Blanks and signs around the value itself are left away. Each word of a text costs one
//! look-up, so however message and output are made, a search is over soon.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use hilum_message::{Conversion, Message, TimeZone};

use crate::origin::Classer;
use crate::token::Token;
use crate::{Class, Classes};

/// Shorter values are not searched for: they are everywhere.
pub(crate) const LEAK_BYTES_MIN: usize = 4;
/// What is longer is no date: HL7 v2's DTM has 24 at most, FHIR's dateTime some more.
const DATE_BYTES_MAX: usize = 40;
/// Bytes of `2013`, `2013-01` and `2013-01-01`.
const YEAR: usize = 4;
const MONTH: usize = 7;
const DAY: usize = 10;
/// Shorter ones are not taken out of texts for people.
const SCRUB_BYTES_MIN: usize = 3;
/// How many values may begin each other. A message that has more was made to slow us down; what is
/// longer than that is then found by its beginning.
const BEGINNINGS_MAX: usize = 64;
/// Words of a body without values that are taken out of texts for people, and how much of it is
/// looked through for them.
const BODY_WORDS_MAX: usize = 20_000;
const BODY_BYTES_MAX: usize = 1 << 20;
/// Of a longer value only the beginning is searched for.
const VALUE_BYTES_MAX: usize = 1024;

/// The sensitive values of one message.
pub(crate) struct Sensitive {
    /// As they are written.
    values: Words,
    /// The open dates of HL7 as FHIR writes them, without the time: with `-`, their year is a word.
    open_dates: BTreeSet<Box<str>>,
    /// For texts that people read. Few runs have one, so it is collected when the first comes.
    folded: OnceLock<Folded>,
    classer: Arc<Classer>,
}

/// The values in small letters, with dates in both ways of writing.
struct Folded {
    words: Words,
    /// Whether the message has more words than are kept: then no text for people can be told from
    /// it.
    is_too_much: bool,
}

/// What was found in a text.
#[derive(Clone, Debug)]
pub(crate) struct Find<'a> {
    pub(crate) range: Range<usize>,
    pub(crate) value: &'a Value,
}

/// One text, and what it is in the places where it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Value {
    /// The classes of each place, each once.
    pub(crate) places: Vec<Classes>,
    /// Whether it is the beginning of something longer.
    is_cut: bool,
    /// Whether it also stands where everybody may read it.
    is_open: bool,
}

impl Value {
    /// The classes of all places.
    pub(crate) fn classes(&self) -> Classes {
        self.places.iter().fold(Classes::NONE, |all, it| all.and(*it))
    }
}

impl Sensitive {
    pub(crate) fn of(classer: &Arc<Classer>) -> Self {
        let message = classer.message();
        let mut values = Collected::default();
        let mut open = Vec::new();
        let mut open_dates = BTreeSet::new();
        for found in message.values() {
            let classes = classer.classes(found.at);
            let text = message.text_of(&found);
            if classes.is_empty() {
                // Bytes that are no text are searched as if they were, so what is open in them is.
                let raw = || message.bytes().get(found.range.clone()).unwrap_or_default();
                let lossy = |_| Some(String::from_utf8_lossy(raw()).into_owned());
                let text = text.unwrap_or_else(lossy);
                open_dates.extend(text.as_deref().and_then(converted));
                open.extend(text);
                continue;
            }
            if let Ok(Some(text)) = text
                && LEAK_BYTES_MIN <= text.len()
            {
                values.add(&text, classes);
            }
        }
        for name in classer.unknown_names() {
            if LEAK_BYTES_MIN <= name.len() {
                values.add(&name, Class::Unknown.into());
            }
        }
        let mut values = values.sorted();
        for text in open {
            let found: Vec<_> = values.find_all(&text).into_iter().map(|it| it.range).collect();
            for range in found {
                values.open(text.get(range).unwrap_or_default());
            }
        }
        Self { values, open_dates, folded: OnceLock::new(), classer: Arc::clone(classer) }
    }

    /// Values in a text that stand nowhere openly in the message.
    pub(crate) fn find_all(&self, text: &str) -> Vec<Find<'_>> {
        let mut found = self.values.find_all(text);
        found.retain(|it| {
            !it.value.is_open
                && LEAK_BYTES_MIN <= it.range.len()
                && !self.is_year_of_open_date(text, &it.range)
        });
        found
    }

    /// Whether a year stands before the month and day of an open date: a plugin has converted that one.
    fn is_year_of_open_date(&self, text: &str, year: &Range<usize>) -> bool {
        let is_open = |length| {
            let date = text.get(year.start..year.start + length);
            date.is_some_and(|it| self.open_dates.contains(it))
        };
        let has_day = text.as_bytes().get(year.start + MONTH) == Some(&b'-');
        year.len() == YEAR && is_open(if has_day { DAY } else { MONTH })
    }

    /// Where in the bytes of an output a value may begin that [`Self::find_all`] finds, or a token; and
    /// where letters are escaped or are none of ASCII, so that one has to look closer. A string of JSON
    /// without any of them holds neither.
    pub(crate) fn leads(&self, bytes: &[u8]) -> Vec<usize> {
        let mut leads = Vec::new();
        let mut is_inside = false;
        for (at, byte) in bytes.iter().enumerate() {
            let is_alphanumeric = byte.is_ascii_alphanumeric();
            let begins = is_alphanumeric && !is_inside;
            is_inside = is_alphanumeric;
            let is_lead = match byte {
                b'\\' | 0x80.. => true,
                b'Z' | b'z' if bytes.get(at + 1).is_some_and(|it| matches!(it, b'Q' | b'q')) => {
                    true
                }
                _ => begins && self.values.first.may_have_long(&bytes[at..]),
            };
            if is_lead {
                leads.push(at);
            }
        }
        leads
    }

    /// The classes of all sensitive values in a text, also of those that stand openly elsewhere.
    pub(crate) fn classes_in(&self, text: &str) -> Classes {
        let found = self.values.find_all(text);
        found.iter().fold(Classes::NONE, |all, it| all.and(it.value.classes()))
    }

    /// Appends the text with `[phi:name]` in the place of each value, whatever its casing.
    pub(crate) fn scrub_into(&self, text: &str, out: &mut String) {
        let folded = self.folded.get_or_init(|| Folded::of(&self.classer));
        if folded.is_too_much && text.contains(char::is_alphanumeric) {
            out.push_str(&format!("[phi:{}]", Class::Body));
            return;
        }
        // Small letters may take more or fewer bytes: `places` leads back.
        let mut small = String::with_capacity(text.len());
        let mut places = Vec::with_capacity(text.len() + 1);
        for (at, letter) in text.char_indices() {
            small.extend(letter.to_lowercase());
            places.resize(small.len(), at);
        }
        places.push(text.len());
        let mut from = 0;
        for find in folded.words.find_all(&small) {
            let start = places.get(find.range.start).copied().unwrap_or(from);
            let end = places.get(find.range.end).copied().unwrap_or(text.len());
            if SCRUB_BYTES_MIN <= find.range.len() {
                out.push_str(text.get(from..start).unwrap_or_default());
                out.push_str(&format!("[phi:{}]", find.value.classes()));
                from = end;
            }
        }
        out.push_str(text.get(from..).unwrap_or_default());
    }
}

/// An open date in the other way of writing it, if a year is not all of it.
fn converted(text: &str) -> Option<Box<str>> {
    let is_date = text.len() <= DATE_BYTES_MAX
        && text.bytes().take_while(u8::is_ascii_digit).count() >= LEAK_BYTES_MIN;
    let date = is_date.then(|| Conversion::FhirDate.apply(text, &TimeZone::UTC)).flatten();
    date.filter(|it| it != text).map(Box::from)
}

impl Folded {
    fn of(classer: &Classer) -> Self {
        let message = classer.message();
        let mut words = Collected::default();
        let mut is_too_much = false;
        if let Message::Opaque(_) = &**message {
            is_too_much = !add_words(message.bytes(), &mut words);
        }
        for found in message.values() {
            let classes = classer.classes(found.at);
            if classes.is_empty() {
                continue;
            }
            let Ok(Some(text)) = message.text_of(&found) else { continue };
            if SCRUB_BYTES_MIN <= text.len() {
                words.add(&text.to_lowercase(), classes);
                let date = Conversion::FhirDate.apply(&text, &TimeZone::UTC);
                if let Some(date) = date.filter(|it| SCRUB_BYTES_MIN < it.len()) {
                    words.add(&date, classes);
                }
            }
        }
        for name in classer.unknown_names() {
            if SCRUB_BYTES_MIN <= name.len() {
                words.add(&name.to_lowercase(), Class::Unknown.into());
            }
        }
        Self { words: words.sorted(), is_too_much }
    }
}

/// Adds the words of a body: no value stands out in it, so in texts for people each of them counts.
/// False if it has too many.
fn add_words(body: &[u8], folded: &mut Collected) -> bool {
    let text = String::from_utf8_lossy(body.get(..BODY_BYTES_MAX).unwrap_or(body));
    for word in text.split(|it: char| !it.is_alphanumeric()) {
        if SCRUB_BYTES_MIN <= word.len() {
            folded.add(&word.to_lowercase(), Class::Body.into());
        }
        // Brought into order only now and then, so that the work stays in proportion.
        if 2 * BODY_WORDS_MAX < folded.0.len() {
            folded.merge();
            if BODY_WORDS_MAX < folded.0.len() {
                return false;
            }
        }
    }
    folded.merge();
    folded.0.len() <= BODY_WORDS_MAX && body.len() <= BODY_BYTES_MAX
}

/// Texts, sorted, to look up which of them another text begins with.
#[derive(Default)]
struct Words {
    values: Vec<(Box<str>, Value)>,
    /// For each the longest other value that it begins with.
    beginnings: Vec<Option<usize>>,
    first: Beginnings,
}

/// How texts begin, a bit each: nearly every word of an output is told from all of them by one look.
struct Beginnings {
    /// By the first byte, of texts shorter than [`BEGINNING`].
    short: [u64; 4],
    /// By the first [`BEGINNING`] bytes.
    long: Box<[u64; 64]>,
}

/// Bytes of a beginning: no more than a value that is searched for has.
const BEGINNING: usize = LEAK_BYTES_MIN;

impl Default for Beginnings {
    fn default() -> Self {
        Self { short: [0; 4], long: Box::new([0; 64]) }
    }
}

impl Beginnings {
    fn add(&mut self, text: &[u8]) {
        let bit = match text.first_chunk::<BEGINNING>() {
            Some(beginning) => Self::long_bit(*beginning),
            None => {
                let first = usize::from(text.first().copied().unwrap_or_default());
                self.short[first / 64] |= 1 << (first % 64);
                return;
            }
        };
        self.long[bit / 64] |= 1 << (bit % 64);
    }

    /// Whether one of the texts may begin so.
    fn may_have(&self, text: &[u8]) -> bool {
        let first = usize::from(text.first().copied().unwrap_or_default());
        let is_short = self.short[first / 64] >> (first % 64) & 1 == 1;
        is_short || self.may_have_long(text)
    }

    /// The same of texts that are not short.
    fn may_have_long(&self, text: &[u8]) -> bool {
        text.first_chunk::<BEGINNING>().is_some_and(|beginning| {
            let bit = Self::long_bit(*beginning);
            self.long[bit / 64] >> (bit % 64) & 1 == 1
        })
    }

    /// A number below 4096.
    fn long_bit(beginning: [u8; BEGINNING]) -> usize {
        (u32::from_le_bytes(beginning).wrapping_mul(0x9e37_79b1) >> 20) as usize
    }
}

/// [`Words`] while they are collected.
#[derive(Default)]
struct Collected(Vec<(Box<str>, Value)>);

impl Collected {
    fn add(&mut self, text: &str, classes: Classes) {
        let inner = text.trim_matches(|letter: char| !letter.is_alphanumeric());
        let kept = inner.get(..inner.floor_char_boundary(VALUE_BYTES_MAX)).unwrap_or_default();
        // A word that only looks like a token is sealed, and known by its own seal.
        if kept.is_empty() || Token::exactly(kept).is_some() {
            return;
        }
        let is_cut = kept.len() < inner.len();
        let value = Value { places: vec![classes], is_cut, is_open: false };
        self.0.push((Box::from(kept), value));
    }

    /// Brings the texts into order, each once.
    fn merge(&mut self) {
        self.0.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.0.dedup_by(|(text, value), (kept_text, kept)| {
            let is_same = text == kept_text;
            if is_same {
                kept.is_cut |= value.is_cut;
                for classes in &value.places {
                    if !kept.places.contains(classes) {
                        kept.places.push(*classes);
                    }
                }
            }
            is_same
        });
    }

    fn sorted(mut self) -> Words {
        self.merge();
        let mut values: Vec<(Box<str>, Value)> = Vec::with_capacity(self.0.len());
        let mut beginnings = Vec::with_capacity(self.0.len());
        let mut first = Beginnings::default();
        // Values that the one at hand may begin with, each the beginning of the next.
        let mut open: Vec<usize> = Vec::new();
        for (text, value) in self.0 {
            while open.pop_if(|it| !text.starts_with(&*values[*it].0)).is_some() {}
            if BEGINNINGS_MAX <= open.len() {
                continue;
            }
            beginnings.push(open.last().copied());
            open.push(values.len());
            first.add(text.as_bytes());
            values.push((text, value));
        }
        Words { values, beginnings, first }
    }
}

impl Words {
    fn open(&mut self, text: &str) {
        if let Ok(index) = self.values.binary_search_by(|(value, _)| (**value).cmp(text))
            && let Some((_, value)) = self.values.get_mut(index)
        {
            value.is_open = true;
        }
    }

    /// The values in a text, the longest at each place, none within another.
    fn find_all(&self, text: &str) -> Vec<Find<'_>> {
        let mut found = Vec::new();
        if self.values.is_empty() {
            return found;
        }
        let bytes = text.as_bytes();
        let (mut at, mut skip) = (0, 0);
        let mut is_inside = false;
        while let Some(&byte) = bytes.get(at) {
            let here = at;
            // Nearly all letters are ASCII, and told without reading them as letters.
            let is_alphanumeric = if byte.is_ascii() {
                at += 1;
                byte.is_ascii_alphanumeric()
            } else {
                let letter = text.get(at..).and_then(|it| it.chars().next());
                at += letter.map_or(1, char::len_utf8);
                letter.is_some_and(char::is_alphanumeric)
            };
            let begins = is_alphanumeric && !is_inside;
            is_inside = is_alphanumeric;
            if !begins || here < skip {
                continue;
            }
            let rest = text.get(here..).unwrap_or_default();
            // The groups of a UUID are no words: one of them equals a short number by chance once
            // in some thousand messages. As a whole it is searched for like anything else.
            let whole = uuid_length(rest);
            let longest = self.first.may_have(rest.as_bytes()).then(|| self.longest(rest));
            match longest.flatten().filter(|(length, _)| whole <= *length) {
                Some((length, value)) => {
                    skip = here + length;
                    found.push(Find { range: here..skip, value });
                }
                None => skip = here + whole,
            }
        }
        found
    }

    /// The longest value that `text` begins with, as whole words.
    ///
    /// Take the greatest value that is not above `text`. Any other value that `text` begins with is
    /// a beginning of that one too: where the two differ it would have to be greater. So one look-up
    /// and a walk over beginnings is enough.
    fn longest(&self, text: &str) -> Option<(usize, &Value)> {
        let above = self.values.partition_point(|(value, _)| &**value <= text);
        let mut next = above.checked_sub(1);
        let common = common_prefix(&self.values.get(next?)?.0, text);
        while let Some(index) = next {
            let (candidate, value) = self.values.get(index)?;
            let after = text.get(candidate.len()..).and_then(|rest| rest.chars().next());
            let is_whole = value.is_cut || after.is_none_or(|letter| !letter.is_alphanumeric());
            if candidate.len() <= common && is_whole {
                return Some((candidate.len(), value));
            }
            next = self.beginnings.get(index).copied().flatten();
        }
        None
    }
}

/// The length of the UUID that a text begins with (RFC 9562 §4: 8-4-4-4-12), or 0.
fn uuid_length(text: &str) -> usize {
    const LENGTH: usize = 36;
    let Some(candidate) = text.as_bytes().get(..LENGTH) else { return 0 };
    let is_uuid = candidate.iter().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    let ends = text.get(LENGTH..).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    if is_uuid && ends { LENGTH } else { 0 }
}

fn common_prefix(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    b.floor_char_boundary(same)
}

#[cfg(test)]
mod tests;

//! A plain search for the message's own sensitive values.
//!
//! A value is found where it stands as whole words: nothing that is a letter or digit before it or
//! after it. Blanks and signs around the value itself are left away. Each word of a text costs one
//! look-up, so however message and output are made, a search is over soon.

use std::collections::BTreeMap;
use std::ops::Range;

use hilum_message::{Conversion, Message, TimeZone};

use crate::origin::Classer;
use crate::token::lookalikes;
use crate::{Class, Classes};

/// Shorter values are not searched for: they are everywhere.
pub(crate) const LEAK_BYTES_MIN: usize = 4;
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
    /// In small letters, with dates in both ways of writing, for texts that people read.
    folded: Words,
    /// Whether it has more words than are kept: then no text for people can be told from it.
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
    /// Whether it is the name of a member, which no view seals: whoever had a view has read it.
    pub(crate) is_name: bool,
}

impl Value {
    /// The classes of all places.
    pub(crate) fn classes(&self) -> Classes {
        self.places.iter().fold(Classes::NONE, |all, it| all.and(*it))
    }
}

impl Sensitive {
    pub(crate) fn of(classer: &Classer) -> Self {
        let message = classer.message();
        let mut values = Collected::default();
        let mut folded = Collected::default();
        let mut open = Vec::new();
        let mut is_too_much = false;
        if let Message::Opaque(_) = &**message {
            is_too_much = !add_words(message.bytes(), &mut folded);
        }
        for found in message.values() {
            let classes = classer.classes(found.at);
            let text = message.text_of(&found);
            if classes.is_empty() {
                // Bytes that are no text are searched as if they were, so what is open in them is.
                let raw = || message.bytes().get(found.range.clone()).unwrap_or_default();
                let lossy = |_| Some(String::from_utf8_lossy(raw()).into_owned());
                open.extend(text.unwrap_or_else(lossy));
                continue;
            }
            let Ok(Some(text)) = text else { continue };
            if LEAK_BYTES_MIN <= text.len() {
                values.add(&text, classes, false);
            }
            if SCRUB_BYTES_MIN <= text.len() {
                folded.add(&text.to_lowercase(), classes, false);
                let date = Conversion::FhirDate.apply(&text, &TimeZone::UTC);
                if let Some(date) = date.filter(|it| SCRUB_BYTES_MIN < it.len()) {
                    folded.add(&date, classes, false);
                }
            }
        }
        for name in classer.unknown_names() {
            if LEAK_BYTES_MIN <= name.len() {
                values.add(&name, Class::Unknown.into(), true);
            }
            if SCRUB_BYTES_MIN <= name.len() {
                folded.add(&name.to_lowercase(), Class::Unknown.into(), true);
            }
        }
        let mut values = values.sorted();
        for text in open {
            let found: Vec<_> = values.find_all(&text).into_iter().map(|it| it.range).collect();
            for range in found {
                values.open(text.get(range).unwrap_or_default());
            }
        }
        Self { values, folded: folded.sorted(), is_too_much }
    }

    /// Values in a text that stand nowhere openly in the message.
    pub(crate) fn find_all(&self, text: &str) -> Vec<Find<'_>> {
        let mut found = self.values.find_all(text);
        found.retain(|it| !it.value.is_open && LEAK_BYTES_MIN <= it.range.len());
        found
    }

    /// The classes of all sensitive values in a text, also of those that stand openly elsewhere.
    pub(crate) fn classes_in(&self, text: &str) -> Classes {
        let found = self.values.find_all(text);
        found.iter().fold(Classes::NONE, |all, it| all.and(it.value.classes()))
    }

    /// Appends the text with `[phi:name]` in the place of each value, whatever its casing.
    pub(crate) fn scrub_into(&self, text: &str, out: &mut String) {
        if self.is_too_much && text.contains(char::is_alphanumeric) {
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
        for find in self.folded.find_all(&small) {
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

/// Adds the words of a body: no value stands out in it, so in texts for people each of them counts.
/// False if it has too many.
fn add_words(body: &[u8], folded: &mut Collected) -> bool {
    let text = String::from_utf8_lossy(body.get(..BODY_BYTES_MAX).unwrap_or(body));
    for word in text.split(|it: char| !it.is_alphanumeric()) {
        if SCRUB_BYTES_MIN <= word.len() {
            folded.add(&word.to_lowercase(), Class::Body.into(), false);
        }
        if BODY_WORDS_MAX < folded.0.len() {
            return false;
        }
    }
    body.len() <= BODY_BYTES_MAX
}

/// Texts, sorted, to look up which of them another text begins with.
#[derive(Default)]
struct Words {
    values: Vec<(Box<str>, Value)>,
    /// For each the longest other value that it begins with.
    beginnings: Vec<Option<usize>>,
}

/// [`Words`] while they are collected.
#[derive(Default)]
struct Collected(BTreeMap<Box<str>, Value>);

impl Collected {
    fn add(&mut self, text: &str, classes: Classes, is_name: bool) {
        let inner = text.trim_matches(|letter: char| !letter.is_alphanumeric());
        let kept = inner.get(..inner.floor_char_boundary(VALUE_BYTES_MAX)).unwrap_or_default();
        // A word that only looks like a token is sealed, and known by its own seal.
        if kept.is_empty() || lookalikes(kept.as_bytes()).any(|it| it.len() == kept.len()) {
            return;
        }
        let value = self.0.entry(Box::from(kept)).or_default();
        value.is_cut |= kept.len() < inner.len();
        value.is_name |= is_name;
        if !value.places.contains(&classes) {
            value.places.push(classes);
        }
    }

    fn sorted(self) -> Words {
        let mut values: Vec<(Box<str>, Value)> = Vec::with_capacity(self.0.len());
        let mut beginnings = Vec::with_capacity(self.0.len());
        // Values that the one at hand may begin with, each the beginning of the next.
        let mut open: Vec<usize> = Vec::new();
        for (text, value) in self.0 {
            while open.pop_if(|it| !text.starts_with(&*values[*it].0)).is_some() {}
            if BEGINNINGS_MAX <= open.len() {
                continue;
            }
            beginnings.push(open.last().copied());
            open.push(values.len());
            values.push((text, value));
        }
        Words { values, beginnings }
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
        let mut is_inside = false;
        let mut skip = 0;
        for (at, letter) in text.char_indices() {
            let begins = letter.is_alphanumeric() && !is_inside;
            is_inside = letter.is_alphanumeric();
            if !begins || at < skip {
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            // The groups of a UUID are no words: one of them equals a short number by chance once
            // in some thousand messages. As a whole it is searched for like anything else.
            let whole = uuid_length(rest);
            match self.longest(rest).filter(|(length, _)| whole <= *length) {
                Some((length, value)) => {
                    skip = at + length;
                    found.push(Find { range: at..skip, value });
                }
                None => skip = at + whole,
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

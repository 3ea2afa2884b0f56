//! What a plugin gets to see of one value.

use std::ops::Range;
use std::sync::Arc;

use hilum_message::{At, Found};

use super::{BIG_BYTES, View};
use crate::origin::Shape;
use crate::seals::{Origin, Plain, Seal};
use crate::token::{Token, looks_like_token};
use crate::{Classes, Sight};

/// A value, judged.
pub(super) struct Judged {
    pub(super) classes: Classes,
    pub(super) sight: Sight,
    /// The tokens in it, in an input that a step before made. Ranges are of the raw value in HL7,
    /// of the text in JSON.
    tokens: Vec<(Range<usize>, Token)>,
}

/// What is handed over.
pub(crate) enum Shown {
    /// The value as it stands.
    Plain,
    /// The value, put together from what the step before had sealed.
    Text(String, Shape),
    Sealed(Token),
    Withheld,
}

impl View {
    pub(super) fn judge(&self, found: &Found) -> Judged {
        let tokens = self.tokens_of(found);
        let classes = self.classes_of(found, &tokens);
        let mut sight = self.grant.sight_of(classes);
        // A body that nothing here can read is carried by nobody who may not read it: a token for it
        // would have no place in any output.
        if found.at == At::Body && sight == Sight::Seal {
            sight = Sight::Withhold;
        }
        if sight == Sight::Open && self.must_seal(found, &tokens) {
            sight = Sight::Seal;
        }
        Judged { classes, sight, tokens }
    }

    /// Judges a value, counts it once, and hands over what may be handed over.
    pub(crate) fn show(&mut self, found: &Found) -> Shown {
        if self.is_deleted(found) {
            return Shown::Plain;
        }
        let judged = self.judge(found);
        self.count_once(found, &judged);
        match judged.sight {
            Sight::Withhold => Shown::Withheld,
            Sight::Seal => Shown::Sealed(self.seal(found, &judged)),
            Sight::Open if judged.tokens.is_empty() => Shown::Plain,
            Sight::Open => {
                let (plain, shape) = self.plain_of(found, &judged);
                // `must_seal` has read it before.
                plain.text().map_or(Shown::Withheld, |text| Shown::Text(text.to_string(), shape))
            }
        }
    }

    fn count_once(&mut self, found: &Found, judged: &Judged) {
        if judged.classes.is_empty() || !self.counted.add(found.range.start) {
            return;
        }
        match judged.sight {
            Sight::Withhold => self.sights.withheld.add(judged.classes),
            Sight::Seal => self.sights.sealed.add(judged.classes),
            Sight::Open => {
                self.sights.opened.add(judged.classes);
                self.note(found, judged.classes);
            }
        }
    }

    /// Keeps the place of a value for the trail. A step before may have made names of values.
    pub(super) fn note(&mut self, found: &Found, classes: Classes) {
        let name = self.message().place_name(found.at);
        let name = if self.template.is_some() { self.seals.scrub(&name) } else { name };
        self.sights.note(name, classes);
    }

    /// The tokens of the step before in a value.
    fn tokens_of(&self, found: &Found) -> Vec<(Range<usize>, Token)> {
        let Some(template) = &self.template else { return Vec::new() };
        if let At::Json(node) = found.at {
            let text = template.body.as_json().and_then(|json| json.scalar(node));
            return template.seals.tokens_in(text.unwrap_or_default().as_bytes());
        }
        let raw = template.body.bytes().get(found.range.clone()).unwrap_or_default();
        template.seals.tokens_in(raw)
    }

    fn classes_of(&self, found: &Found, tokens: &[(Range<usize>, Token)]) -> Classes {
        let Some(template) = &self.template else { return self.classer.classes(found.at) };
        let sealed = tokens.iter().filter_map(|(_, token)| template.seals.get(token));
        let mut classes = sealed.fold(Classes::NONE, |all, seal| all.and(seal.classes));
        // Text that a plugin wrote has the class of the place where it now stands, and that of each
        // value of the message that it was granted to read and put there.
        for literal in self.literals_of(found, tokens) {
            if literal.contains(char::is_alphanumeric) {
                classes = classes.and(self.classer.classes(found.at));
                classes = classes.and(self.seals.source.sensitive().classes_in(&literal));
            }
        }
        classes
    }

    /// What stands between the tokens of a value, as text. Bytes that are no text count as some.
    fn literals_of(&self, found: &Found, tokens: &[(Range<usize>, Token)]) -> Vec<String> {
        let pieces = gaps(tokens, self.length_of(found));
        let unreadable = || "x".to_owned();
        let pieces = pieces.filter(|it| !it.is_empty());
        pieces.map(|it| self.literal(found, it).unwrap_or_else(unreadable)).collect()
    }

    fn length_of(&self, found: &Found) -> usize {
        match (found.at, self.message().as_json()) {
            (At::Json(node), Some(json)) => json.scalar(node).map_or(0, |it| it.len()),
            _ => found.range.len(),
        }
    }

    /// One piece of a value as text; the range is as those of the tokens.
    fn literal(&self, found: &Found, piece: Range<usize>) -> Option<String> {
        match (found.at, self.message().as_json(), self.message().as_hl7()) {
            (At::Json(node), Some(json), _) => json.scalar(node)?.get(piece).map(str::to_owned),
            (At::Hl7(_), _, Some(hl7)) => {
                let start = found.range.start;
                hl7.text(start + piece.start..start + piece.end).ok()
            }
            _ => {
                let raw = self.message().bytes().get(found.range.clone())?.get(piece)?;
                std::str::from_utf8(raw).ok().map(str::to_owned)
            }
        }
    }

    /// Whether an open value is sealed all the same: it is big, or it looks like a token, or it
    /// cannot be put together.
    fn must_seal(&self, found: &Found, tokens: &[(Range<usize>, Token)]) -> bool {
        if tokens.is_empty() {
            let raw = self.message().bytes().get(found.range.clone()).unwrap_or_default();
            return self.is_too_big(raw.len()) || self.looks_like_token(found, raw);
        }
        let judged = Judged { classes: Classes::NONE, sight: Sight::Open, tokens: tokens.to_vec() };
        match self.plain_of(found, &judged).0.text() {
            Some(text) => self.is_too_big(text.len()) || looks_like_token(text.as_bytes()),
            None => true,
        }
    }

    fn is_too_big(&self, length: usize) -> bool {
        BIG_BYTES < length && !self.grant.big()
    }

    /// A raw value that looks like a token, or does so once its escapes are resolved.
    fn looks_like_token(&self, found: &Found, raw: &[u8]) -> bool {
        let has_escape = match found.at {
            At::Hl7(_) => {
                let escape = self.classer.delimiters_at(found.range.start).and_then(|it| it.escape);
                escape.is_some_and(|escape| memchr::memchr(escape, raw).is_some())
            }
            At::Json(_) => memchr::memchr(b'\\', raw).is_some(),
            At::Body => false,
        };
        if has_escape
            && let Ok(Some(text)) = self.message().text_of(found)
            && looks_like_token(text.as_bytes())
        {
            return true;
        }
        looks_like_token(raw)
    }

    /// What a token for this value stands for. A value that is one token of the step before stands
    /// for the same, with its shape; one without any stands for itself.
    fn plain_of(&self, found: &Found, judged: &Judged) -> (Plain, Shape) {
        let template = self.template.as_ref().filter(|_| !judged.tokens.is_empty());
        let Some(template) = template else {
            let plain = Plain::Of(Arc::clone(self.message()), found.clone());
            return (plain, self.classer.shape(found.at));
        };
        if let [(range, token)] = judged.tokens.as_slice()
            && range.len() == self.length_of(found)
            && let Some(seal) = template.seals.get(token)
        {
            return (seal.plain.clone(), seal.shape);
        }
        let mut text = String::new();
        let mut from = 0;
        for (range, token) in &judged.tokens {
            let literal = self.literal(found, from..range.start);
            let value = template.seals.get(token).and_then(|seal| seal.plain.text());
            let (Some(literal), Some(value)) = (literal, value) else {
                return (Plain::Unreadable, Shape::Text);
            };
            text.push_str(&literal);
            text.push_str(&value);
            from = range.end;
        }
        match self.literal(found, from..self.length_of(found)) {
            Some(literal) => text.push_str(&literal),
            None => return (Plain::Unreadable, Shape::Text),
        }
        (Plain::Text(Arc::from(text)), Shape::Text)
    }

    /// What a step before had made of a value first: a table that opens must not spell it out in this
    /// one. One change says so; a copy of all for each place would be as much as a plugin likes.
    fn changes_of(&self, judged: &Judged) -> Vec<Box<str>> {
        let Some(template) = &self.template else { return Vec::new() };
        let seals = judged.tokens.iter().filter_map(|(_, token)| template.seals.get(token));
        seals.flat_map(|it| it.origin.changes.first()).take(1).cloned().collect()
    }

    fn seal(&mut self, found: &Found, judged: &Judged) -> Token {
        let key = self.message().place_key(found.at);
        let token = self.mint.of_path(&key);
        if self.seals.get(&token).is_none() {
            let (plain, shape) = self.plain_of(found, judged);
            // In HL7 v2 a place's key is its name.
            let path = match found.at {
                At::Hl7(_) => Arc::from(key),
                At::Json(_) | At::Body => Arc::from(self.message().place_name(found.at)),
            };
            let origin = Origin { step: self.mint.step(), path, changes: self.changes_of(judged) };
            let classes = judged.classes;
            self.seals.add(token, || Seal { plain, classes, shape, origin });
        }
        token
    }
}

/// What lies between and around ranges that are in order.
pub(crate) fn gaps<T>(
    ranges: &[(Range<usize>, T)],
    length: usize,
) -> impl Iterator<Item = Range<usize>> {
    let starts = std::iter::once(0).chain(ranges.iter().map(|(range, _)| range.end));
    let ends = ranges.iter().map(|(range, _)| range.start).chain(std::iter::once(length));
    starts.zip(ends).map(|(start, end)| start..end.max(start))
}

//! The canonical bytes of a record.
//!
//! ```text
//! record = version fields
//! version   1 byte, 1
//! field     tag (1 byte), length (4 bytes), content
//!
//! tag
//!   1  at          8 bytes, microseconds since 1970, signed
//!   2  what        the word, UTF-8
//!   3  actor       1 and the name of a part of the gateway
//!                  2, 32 bytes of the component's digest, and the plugin's name
//!                  3 and 4 bytes of a local user id
//!   4  message     16 bytes, big-endian, as UUIDs are written
//!   5  run         16 bytes
//!   6  delivery    16 bytes
//!   7  generation  32 bytes
//!   8  fact        length of the key (1 byte), key, then
//!                  1 and a text, or 2 and 8 bytes of a number, or 3 and 32 bytes of a digest
//! ```
//!
//! Numbers are little-endian where nothing else is said. Fields stand in the order of their tags,
//! 1 to 3 exactly once, 4 to 7 at most once, 8 as often as there are facts. So there is one spelling
//! of a record, and a reader refuses every other.

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

use hilum_words::{Actor, DeliveryId, Digest, MessageId, Name, RunId, Timestamp};

use crate::fact::{self, FactKey, FactValue};
use crate::{Record, What};

const VERSION: u8 = 1;

const AT: u8 = 1;
const WHAT: u8 = 2;
const ACTOR: u8 = 3;
const MESSAGE: u8 = 4;
const RUN: u8 = 5;
const DELIVERY: u8 = 6;
const GENERATION: u8 = 7;
const FACT: u8 = 8;

/// Why bytes are no record. Holds no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// They were written by a newer gateway.
    #[error("the record has a format version that this gateway does not know")]
    UnknownVersion,
    /// A word is not known here; it was written by a newer gateway.
    #[error("the record has a word that this gateway does not know")]
    UnknownWord,
    /// They are cut, have a field twice, out of order or of a wrong length, or go on after the end.
    #[error("the record is malformed")]
    Malformed,
}

pub(crate) fn write(record: &Record, out: &mut Vec<u8>) {
    out.push(VERSION);
    field(out, AT, |out| out.extend_from_slice(&record.at.micros().to_le_bytes()));
    field(out, WHAT, |out| out.extend_from_slice(record.what.word().as_bytes()));
    field(out, ACTOR, |out| write_actor(&record.actor, out));
    let mut id = |tag, bits: Option<u128>| {
        if let Some(bits) = bits {
            field(out, tag, |out| out.extend_from_slice(&bits.to_be_bytes()));
        }
    };
    id(MESSAGE, record.message.map(MessageId::bits));
    id(RUN, record.run.map(RunId::bits));
    id(DELIVERY, record.delivery.map(DeliveryId::bits));
    if let Some(generation) = &record.generation {
        field(out, GENERATION, |out| out.extend_from_slice(generation.bytes()));
    }
    for (key, value) in record.facts.iter().take(fact::FACTS_MAX) {
        field(out, FACT, |out| write_fact(key, value, out));
    }
}

/// Writes tag, length and content; the length is put in once it is known.
fn field(out: &mut Vec<u8>, tag: u8, content: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    content(out);
    let length = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

fn write_actor(actor: &Actor, out: &mut Vec<u8>) {
    match actor {
        Actor::System(name) => {
            out.push(1);
            out.extend_from_slice(name.as_bytes());
        }
        Actor::Plugin(name, digest) => {
            out.push(2);
            out.extend_from_slice(digest.bytes());
            out.extend_from_slice(name.as_bytes());
        }
        Actor::LocalUser(uid) => {
            out.push(3);
            out.extend_from_slice(&uid.to_le_bytes());
        }
    }
}

fn write_fact(key: &FactKey, value: &FactValue, out: &mut Vec<u8>) {
    // A key is cut to KEY_BYTES_MAX (below 256) when it is made.
    out.push(u8::try_from(key.as_str().len()).unwrap_or(u8::MAX));
    out.extend_from_slice(key.as_str().as_bytes());
    match value {
        FactValue::Text(text) => {
            out.push(1);
            out.extend_from_slice(text.as_bytes());
        }
        FactValue::Number(number) => {
            out.push(2);
            out.extend_from_slice(&number.to_le_bytes());
        }
        FactValue::Digest(digest) => {
            out.push(3);
            out.extend_from_slice(digest.bytes());
        }
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Record, RecordError> {
    let mut fields = match bytes.split_first() {
        Some((&VERSION, rest)) => rest,
        Some(_) => return Err(RecordError::UnknownVersion),
        None => return Err(RecordError::Malformed),
    };
    let mut at = None;
    let mut what = None;
    let mut actor = None;
    let (mut message, mut run, mut delivery, mut generation) = (None, None, None, None);
    let mut facts = Vec::new();
    let mut last = 0;
    while !fields.is_empty() {
        let (tag, content) = take_field(&mut fields)?;
        if tag < last || (tag == last && tag != FACT) {
            return Err(RecordError::Malformed);
        }
        last = tag;
        match tag {
            AT => at = Some(i64::from_le_bytes(exactly(content)?)),
            WHAT => what = Some(What::from_word(text(content)?).ok_or(RecordError::UnknownWord)?),
            ACTOR => actor = Some(read_actor(content)?),
            MESSAGE => message = Some(MessageId::from_bits(u128::from_be_bytes(exactly(content)?))),
            RUN => run = Some(RunId::from_bits(u128::from_be_bytes(exactly(content)?))),
            DELIVERY => {
                delivery = Some(DeliveryId::from_bits(u128::from_be_bytes(exactly(content)?)));
            }
            GENERATION => generation = Some(Digest::from_bytes(exactly(content)?)),
            FACT if facts.len() < fact::FACTS_MAX => facts.push(read_fact(content)?),
            _ => return Err(RecordError::Malformed),
        }
    }
    let (Some(at), Some(what), Some(actor)) = (at, what, actor) else {
        return Err(RecordError::Malformed);
    };
    let at = Timestamp::from_micros(at);
    Ok(Record { at, what, actor, message, run, delivery, generation, facts })
}

fn take_field<'a>(rest: &mut &'a [u8]) -> Result<(u8, &'a [u8]), RecordError> {
    let (&tag, after) = rest.split_first().ok_or(RecordError::Malformed)?;
    let (length, after) = after.split_first_chunk::<4>().ok_or(RecordError::Malformed)?;
    let length =
        usize::try_from(u32::from_le_bytes(*length)).map_err(|_| RecordError::Malformed)?;
    let (content, after) = after.split_at_checked(length).ok_or(RecordError::Malformed)?;
    *rest = after;
    Ok((tag, content))
}

fn read_actor(content: &[u8]) -> Result<Actor, RecordError> {
    match content.split_first().ok_or(RecordError::Malformed)? {
        (1, name) => Ok(Actor::System(Name::from(text(name)?))),
        (2, rest) => {
            let (digest, name) = rest.split_first_chunk::<32>().ok_or(RecordError::Malformed)?;
            Ok(Actor::Plugin(Name::from(text(name)?), Digest::from_bytes(*digest)))
        }
        (3, uid) => Ok(Actor::LocalUser(u32::from_le_bytes(exactly(uid)?))),
        _ => Err(RecordError::Malformed),
    }
}

fn read_fact(content: &[u8]) -> Result<(FactKey, FactValue), RecordError> {
    let (&length, rest) = content.split_first().ok_or(RecordError::Malformed)?;
    let (key, rest) = rest.split_at_checked(usize::from(length)).ok_or(RecordError::Malformed)?;
    if fact::KEY_BYTES_MAX < key.len() {
        return Err(RecordError::Malformed);
    }
    let value = match rest.split_first().ok_or(RecordError::Malformed)? {
        (1, content) => FactValue::Text(text(content)?.to_owned()),
        (2, number) => FactValue::Number(u64::from_le_bytes(exactly(number)?)),
        (3, digest) => FactValue::Digest(Digest::from_bytes(exactly(digest)?)),
        _ => return Err(RecordError::Malformed),
    };
    Ok((FactKey::from(text(key)?.to_owned()), value))
}

fn exactly<const N: usize>(content: &[u8]) -> Result<[u8; N], RecordError> {
    content.try_into().map_err(|_| RecordError::Malformed)
}

fn text(content: &[u8]) -> Result<&str, RecordError> {
    std::str::from_utf8(content).map_err(|_| RecordError::Malformed)
}

#[cfg(test)]
mod tests;

//! Fields that several records have.

use hilum_policy::{Class, Classes, Mark, RunSeed};
use hilum_words::{Actor, Cause, CauseWord, Digest, Name, RunId};

use crate::RunStart;
use crate::frame::FrameRef;
use crate::wire::{self, Fields, Unread};

pub(super) fn put_run(out: &mut Vec<u8>, start: &RunStart) {
    wire::put_id(out, start.run.bits());
    wire::put_text(out, &start.route);
    out.extend_from_slice(&start.seed.0);
    wire::put_u32(out, count(start.lanes.len()));
    for lane in &start.lanes {
        wire::put_bytes(out, lane);
    }
}

pub(super) fn read_run(fields: &mut Fields<'_>) -> Result<RunStart, Unread> {
    Ok(RunStart {
        run: RunId::from_bits(fields.id()?),
        route: Name::from(fields.text()?),
        seed: RunSeed(fields.array()?),
        lanes: fields.list(|fields| fields.bytes().map(<[u8]>::to_vec))?,
    })
}

pub(super) fn put_frame(out: &mut Vec<u8>, at: FrameRef) {
    wire::put_u32(out, at.segment);
    wire::put_u64(out, at.offset);
    wire::put_u32(out, at.length);
    wire::put_u32(out, at.crc);
}

pub(super) fn read_frame(fields: &mut Fields<'_>) -> Result<FrameRef, Unread> {
    Ok(FrameRef {
        segment: fields.u32()?,
        offset: fields.u64()?,
        length: fields.u32()?,
        crc: fields.u32()?,
    })
}

pub(super) fn put_cause(out: &mut Vec<u8>, cause: &Cause) {
    wire::put_text(out, cause.word.word());
    wire::put_text(out, &cause.detail);
}

pub(super) fn read_cause(fields: &mut Fields<'_>) -> Result<Cause, Unread> {
    let word = fields.text()?;
    let word = CauseWord::from_word(word).ok_or_else(|| Unread::Newer(format!("cause {word}")))?;
    Ok(Cause::new(word, fields.text()?))
}

pub(crate) fn put_actor(out: &mut Vec<u8>, actor: &Actor) {
    match actor {
        Actor::System(name) => {
            wire::put_text(out, "system");
            wire::put_text(out, name);
        }
        Actor::Plugin(name, digest) => {
            wire::put_text(out, "plugin");
            wire::put_text(out, name);
            out.extend_from_slice(digest.bytes());
        }
        Actor::LocalUser(uid) => {
            wire::put_text(out, "uid");
            wire::put_u32(out, *uid);
        }
    }
}

pub(crate) fn read_actor(fields: &mut Fields<'_>) -> Result<Actor, Unread> {
    match fields.text()? {
        "system" => Ok(Actor::System(Name::from(fields.text()?))),
        "plugin" => {
            let name = Name::from(fields.text()?);
            Ok(Actor::Plugin(name, read_digest(fields)?))
        }
        "uid" => Ok(Actor::LocalUser(fields.u32()?)),
        other => Err(Unread::Newer(format!("actor {other}"))),
    }
}

pub(super) fn put_mark(out: &mut Vec<u8>, mark: &Mark) {
    wire::put_u64(out, wide(mark.range.start));
    wire::put_u64(out, wide(mark.range.end));
    let classes: Vec<Class> = mark.classes.iter().collect();
    wire::put_u32(out, count(classes.len()));
    for class in classes {
        wire::put_text(out, class.word());
    }
}

pub(super) fn read_mark(fields: &mut Fields<'_>) -> Result<Mark, Unread> {
    let start = narrow(fields.u64()?)?;
    let end = narrow(fields.u64()?)?;
    let classes = fields.list(|fields| {
        let word = fields.text()?;
        Class::from_word(word).ok_or_else(|| Unread::Newer(format!("class {word}")))
    })?;
    if end < start {
        return Err(Unread::Malformed("a mark ends before it begins"));
    }
    Ok(Mark { range: start..end, classes: classes.into_iter().collect::<Classes>() })
}

pub(crate) fn read_digest(fields: &mut Fields<'_>) -> Result<Digest, Unread> {
    fields.array().map(Digest::from_bytes)
}

/// How many, as it is written. Every list is bounded far below 4 billion.
pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

pub(super) fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

pub(super) fn narrow(number: u64) -> Result<usize, Unread> {
    usize::try_from(number).map_err(|_| Unread::Malformed("a number is too large"))
}

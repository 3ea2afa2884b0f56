//! Opens what is on disk: reads every frame, cuts a torn tail, refuses damage.
//!
//! A frame that is not whole is *torn* if it may not have been synced: then nobody was told of it,
//! and the journal is cut before it. If a later frame says that it was synced, or if it is not in
//! the last segment, it is *damage*: what somebody was told is no longer there, and only a person
//! can decide what to do. All is read before anything is changed.

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

use std::sync::Arc;

use hilum_env::{DiskFile, OpenMode};
use hilum_words::Timestamp;
use tracing::warn;

use crate::content::{self, Content};
use crate::folder::{Folder, Identity, LogFile};
use crate::frame::{FrameRef, Head, Kind, frame_bytes};
use crate::scan::{Found, Scanner};
use crate::state::{State, Written};
use crate::tail::{End, Tail};
use crate::wire::Unread;
use crate::{OpenError, StoreError};

/// What a frame was not, though its checksums are right.
pub(crate) enum Misfit {
    Unread(Unread),
    /// It says something that does not fit what came before.
    Contradicts(StoreError),
}

/// Opens the journal, or begins one.
pub(crate) fn recover(
    folder: &Folder,
    fresh: Identity,
    now: Timestamp,
    state: &mut State,
) -> Result<(Tail, Identity), OpenError> {
    folder
        .disk
        .create_folder(&folder.segments())
        .map_err(Folder::failed("making the folder", folder.segments()))?;
    let segments =
        folder.segment_numbers().map_err(Folder::failed("listing", folder.segments()))?;
    let Some(log) = folder.read_log()? else {
        remove_unborn(folder, &segments)?;
        let sync = |path| folder.disk.sync_folder(path).map_err(Folder::failed("syncing", path));
        sync(&folder.root)?;
        if let Some(above) = folder.root.parent().filter(|it| !it.as_os_str().is_empty()) {
            sync(above)?;
        }
        let tail = Tail::create(folder.clone(), fresh, now)
            .map_err(Folder::failed("writing", folder.segment(1)))?;
        return Ok((tail, fresh));
    };
    let last = check_segments(folder, log, &segments)?;
    let mut apply = |head: &Head, at: FrameRef, payload: &[u8]| apply(state, head, at, payload);
    let (end, torn) = read_all(folder, log, last, &mut apply)?;
    let tail =
        cut(folder, log, last, end, torn).map_err(Folder::failed("cutting", folder.segments()))?;
    Ok((tail, log.identity))
}

/// A first segment without a `LOG` was being made when the process died. It holds nothing but its
/// beginning; if it holds more, `LOG` was lost.
fn remove_unborn(folder: &Folder, segments: &[u32]) -> Result<(), OpenError> {
    for number in segments {
        let path = folder.segment(*number);
        let bytes = folder
            .open_segment(*number, OpenMode::Read)
            .and_then(|file| file.len())
            .map_err(Folder::failed("opening", &path))?;
        let beginning = content::SegmentContent { segment: 1, log: 0 }.to_payload().len();
        let beginning = frame_bytes(u64::try_from(beginning).unwrap_or(u64::MAX));
        if *number != 1 || beginning < bytes {
            return Err(folder.damaged(folder.log(), 0, "it is missing, and there are segments"));
        }
    }
    for number in segments {
        let path = folder.segment(*number);
        folder.disk.remove(&path).map_err(Folder::failed("removing", &path))?;
    }
    Ok(())
}

/// The last segment, if all are there that `LOG` speaks of. One more may be: it was being begun.
pub(crate) fn check_segments(
    folder: &Folder,
    log: LogFile,
    segments: &[u32],
) -> Result<u32, OpenError> {
    let missing = |number| folder.damaged(folder.segment(number), 0, "it is missing");
    let mut last = 0;
    for number in segments {
        if *number != last + 1 {
            return Err(missing(last + 1));
        }
        last = *number;
    }
    if last < log.last_segment {
        return Err(missing(last + 1));
    }
    if log.last_segment.saturating_add(1) < last {
        let why = "LOG does not know this segment";
        return Err(folder.damaged(folder.segment(last), 0, why));
    }
    Ok(last)
}

/// What is done with each frame: its head, where it lies, its content.
type Visit<'a> = dyn FnMut(&Head, FrameRef, &[u8]) -> Result<(), Misfit> + 'a;

/// Reads every frame. Says where the journal ends, and whether what follows is torn.
fn read_all(
    folder: &Folder,
    log: LogFile,
    last: u32,
    visit: &mut Visit<'_>,
) -> Result<(End, bool), OpenError> {
    let mut sequence = 0;
    for segment in 1..=last {
        let mut scanner = Scanner::open(folder, log.identity, segment)?;
        let path = scanner.path().clone();
        loop {
            let offset = scanner.offset();
            match scanner.next(Some(sequence + 1))? {
                Found::Frame { head, at, payload } => {
                    if (offset == 0) != (head.kind == Kind::Segment) {
                        let why = "a segment begins within another, or not at all";
                        return Err(folder.damaged(path, offset, why));
                    }
                    visit(&head, at, payload)
                        .map_err(|fault| misfit(folder, &path, offset, fault))?;
                    sequence = head.sequence;
                }
                Found::EndOfSegment if offset == 0 && segment <= log.last_segment => {
                    return Err(folder.damaged(path, 0, "it is empty"));
                }
                Found::EndOfSegment if offset == 0 => {
                    return Ok((End { segment, offset, sequence }, true));
                }
                Found::EndOfSegment => break,
                Found::Newer { what } => {
                    return Err(OpenError::Newer { path, offset, what: what.to_owned() });
                }
                Found::Bad { why } => {
                    let was_synced = segment < last
                        || (offset == 0 && segment <= log.last_segment)
                        || is_vouched_for(&mut scanner, sequence + 1)?;
                    if was_synced {
                        return Err(folder.damaged(path, offset, why));
                    }
                    warn!(segment, offset, why, "the journal's last write was torn; cutting it");
                    return Ok((End { segment, offset, sequence }, true));
                }
            }
        }
        if segment == last {
            return Ok((End { segment, offset: scanner.offset(), sequence }, false));
        }
    }
    // There is always a last segment: LOG speaks of one, and it is there.
    Err(folder.damaged(folder.segments(), 0, "there is no segment"))
}

/// Whether a later frame says that this sequence was synced.
fn is_vouched_for(scanner: &mut Scanner, sequence: u64) -> Result<bool, OpenError> {
    while let Some((at, head)) = scanner.next_head()? {
        if sequence <= head.synced_through {
            return Ok(true);
        }
        scanner.go_to(at.saturating_add(8));
    }
    Ok(false)
}

fn misfit(folder: &Folder, path: &std::path::Path, offset: u64, fault: Misfit) -> OpenError {
    match fault {
        Misfit::Unread(Unread::Newer(what)) => {
            OpenError::Newer { path: path.to_owned(), offset, what }
        }
        Misfit::Unread(Unread::Malformed(why)) => folder.damaged(path.to_owned(), offset, why),
        Misfit::Contradicts(why) => folder.damaged(path.to_owned(), offset, why.to_string()),
    }
}

/// Takes a frame into the state.
fn apply(state: &mut State, head: &Head, at: FrameRef, payload: &[u8]) -> Result<(), Misfit> {
    take(state, head, at, content::read(head.kind, payload).map_err(Misfit::Unread)?)
}

/// Takes what a frame says into the state.
pub(crate) fn take(
    state: &mut State,
    head: &Head,
    at: FrameRef,
    content: Content,
) -> Result<(), Misfit> {
    let at_time = Timestamp::from_micros(head.at);
    let written = Written { sequence: head.sequence, at: at_time, frame: at };
    match content {
        Content::Segment(segment) if segment.segment != at.segment => {
            return Err(Misfit::Unread(Unread::Malformed("it is another segment, renamed")));
        }
        Content::Segment(_) | Content::Idle => {}
        Content::Arrival(arrival) => {
            state.check_arrival(&arrival).map_err(Misfit::Contradicts)?;
            state.apply_arrival(written, *arrival);
        }
        Content::Step(step) => {
            state.check(&step).map_err(Misfit::Contradicts)?;
            state.apply(written, &step);
        }
        Content::Started(run) => state.apply_start(run),
    }
    // Nobody is told: who starts asks for what waits.
    state.take_events();
    state.take_released();
    Ok(())
}

/// Makes what was read the whole of the journal, and durable: after `kill -9` it may lie in the
/// system's memory alone.
fn cut(
    folder: &Folder,
    log: LogFile,
    last: u32,
    mut end: End,
    is_torn: bool,
) -> std::io::Result<Tail> {
    if is_torn && end.offset == 0 {
        // A segment that was being begun.
        folder.disk.remove(&folder.segment(last))?;
        folder.disk.sync_folder(&folder.segments())?;
        let file = folder.open_segment(last - 1, OpenMode::Write)?;
        end = End { segment: last - 1, offset: file.len()?, sequence: end.sequence };
        return Ok(Tail::at(folder.clone(), log.identity, file, &end));
    }
    let file: Arc<dyn DiskFile> = folder.open_segment(last, OpenMode::Write)?;
    if is_torn {
        file.set_len(end.offset)?;
    }
    file.sync_data()?;
    folder.disk.sync_folder(&folder.segments())?;
    folder.disk.sync_folder(&folder.root)?;
    if log.last_segment < last {
        folder.write_log(LogFile { identity: log.identity, last_segment: last })?;
    }
    Ok(Tail::at(folder.clone(), log.identity, file, &end))
}

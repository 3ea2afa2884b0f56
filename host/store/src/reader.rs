//! Reads a journal that nobody works with, and says what is in it and what is wrong with it.
//!
//! [`Reader::check`] reads every frame, follows the state of every run and delivery, and compares
//! the evidence in each frame with the change it stands beside. It changes nothing. Where `open`
//! refuses a damaged journal, this goes on behind the damage as far as frames can be found.
//!
//! Not here: repair. A damaged journal is restored from a backup.

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

mod trail;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use hilum_env::Disk;

use crate::content::{self, Content};
use crate::folder::{Folder, LogFile};
use crate::frame::{FrameRef, Head, Kind};
use crate::recover::{Misfit, check_segments, take};
use crate::scan::{Found, Scanner};
use crate::state::State;
use crate::wire::Unread;
use crate::{Counts, OpenError, Options};

/// Problems that are listed at most; the others are counted.
const PROBLEMS_MAX: usize = 1_000;

/// A place in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The segment's number.
    pub segment: u32,
    /// The byte at which the frame begins.
    pub offset: u64,
}

/// What is wrong at a place. Holds ids and words, never content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where.
    pub at: Place,
    /// What.
    pub what: String,
}

/// What is in a journal, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Segments.
    pub segments: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Frames that are whole.
    pub frames: u64,
    /// Messages accepted.
    pub messages: u64,
    /// Runs begun, replays included.
    pub runs: u64,
    /// Outputs made.
    pub deliveries: u64,
    /// Outputs that arrived.
    pub delivered: u64,
    /// Records of the trail.
    pub records: u64,
    /// What is unfinished.
    pub unfinished: Counts,
    /// Where the last write is torn. That is no damage: nobody was told of it, and the gateway cuts
    /// it when it starts.
    pub torn: Option<Place>,
    /// Frames that were durable and are no more.
    pub damage: Vec<Wrong>,
    /// Where the trail does not say what the state says, or a change does not fit the one before.
    pub disagreements: Vec<Wrong>,
    /// Problems beyond those that are listed.
    pub more: u64,
    /// Whether state and trail were followed to the end; behind damage they are not.
    pub is_complete: bool,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty() && self.disagreements.is_empty() && self.more == 0
    }
}

/// A journal that nobody works with.
pub struct Reader {
    folder: Folder,
    log: LogFile,
    last: u32,
    _lock: Box<dyn Send + Sync>,
}

impl Reader {
    /// Opens the journal in a data folder, if no gateway works with it.
    pub fn open(disk: Arc<dyn Disk>, folder: &Path) -> Result<Self, OpenError> {
        let folder = Folder { disk, root: folder.to_owned() };
        let lock = folder.disk.lock(&folder.root).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock => OpenError::InUse { folder: folder.root.clone() },
            _ => Folder::failed("locking", &folder.root)(error),
        })?;
        let log = folder.read_log()?;
        let log = log.ok_or_else(|| folder.damaged(folder.log(), 0, "it is missing"))?;
        let segments =
            folder.segment_numbers().map_err(Folder::failed("listing", folder.segments()))?;
        let last = check_segments(&folder, log, &segments)?;
        Ok(Self { folder, log, last, _lock: lock })
    }

    /// Reads all of it.
    pub fn check(&self) -> Result<Report, OpenError> {
        let options = Options::new(&self.folder.root);
        let mut check = Check {
            report: Report { is_complete: true, ..Report::default() },
            state: State::new(&options, 0),
            sequence: 0,
        };
        for segment in 1..=self.last {
            self.check_segment(segment, &mut check)?;
        }
        check.state.count(&mut check.report.unfinished);
        Ok(check.report)
    }

    fn check_segment(&self, segment: u32, check: &mut Check) -> Result<(), OpenError> {
        let mut scanner = Scanner::open(&self.folder, self.log.identity, segment)?;
        check.report.segments += 1;
        check.report.bytes += scanner.bytes();
        loop {
            let at = Place { segment, offset: scanner.offset() };
            let expected = check.report.is_complete.then_some(check.sequence + 1);
            match scanner.next(expected)? {
                Found::Frame { head, at, payload } => check.frame(&head, at, payload),
                Found::EndOfSegment => return Ok(()),
                Found::Newer { what } => {
                    let path = scanner.path().clone();
                    let what = what.to_owned();
                    return Err(OpenError::Newer { path, offset: at.offset, what });
                }
                Found::Bad { why } => {
                    let next = check.skip(&mut scanner)?;
                    let was_synced = segment < self.last
                        || (at.offset == 0 && segment <= self.log.last_segment)
                        || check.sequence < next.vouched;
                    if was_synced {
                        check.damage(at, why);
                    } else {
                        check.report.torn = Some(at);
                        return Ok(());
                    }
                    match next.frame {
                        Some(offset) => scanner.go_to(offset),
                        None => return Ok(()),
                    }
                }
            }
        }
    }
}

struct Check {
    report: Report,
    state: State,
    sequence: u64,
}

/// What comes after a bad frame.
struct Behind {
    /// The next place that looks like a frame.
    frame: Option<u64>,
    /// The highest sequence that anything behind it calls durable.
    vouched: u64,
}

impl Check {
    fn frame(&mut self, head: &Head, at: FrameRef, payload: &[u8]) {
        self.sequence = head.sequence;
        self.report.frames += 1;
        let place = Place { segment: at.segment, offset: at.offset };
        if (at.offset == 0) != (head.kind == Kind::Segment) {
            self.damage(place, "a segment begins within another, or not at all");
            return;
        }
        let read = content::read(head.kind, payload)
            .and_then(|content| Ok((content, content::evidence(payload)?)));
        let (content, evidence) = match read {
            Ok(read) => read,
            Err(fault) => return self.misfit(place, Misfit::Unread(fault)),
        };
        self.count(&content);
        self.report.records += u64::try_from(evidence.len()).unwrap_or(0);
        for what in trail::missing(&content, &evidence) {
            self.disagreement(place, what);
        }
        if self.report.is_complete
            && let Err(fault) = take(&mut self.state, head, at, content)
        {
            self.misfit(place, fault);
        }
    }

    fn count(&mut self, content: &Content) {
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        match content {
            Content::Arrival(arrival) => {
                self.report.messages += 1;
                self.report.runs += wide(arrival.runs.len());
            }
            Content::Step(step) => {
                self.report.runs += wide(step.replays());
                self.report.deliveries += wide(step.outputs());
                self.report.delivered += wide(step.arrivals());
            }
            Content::Segment(_) | Content::Started(_) | Content::Idle => {}
        }
    }

    /// Looks behind a bad frame, to the end of the segment.
    fn skip(&mut self, scanner: &mut Scanner) -> Result<Behind, OpenError> {
        let mut behind = Behind { frame: None, vouched: 0 };
        let bad = scanner.offset();
        while let Some((offset, head)) = scanner.next_head()? {
            if bad < offset && behind.frame.is_none() {
                behind.frame = Some(offset);
            }
            behind.vouched = behind.vouched.max(head.synced_through);
            scanner.go_to(offset.saturating_add(8));
        }
        Ok(behind)
    }

    fn misfit(&mut self, at: Place, fault: Misfit) {
        match fault {
            Misfit::Unread(Unread::Malformed(why)) => self.damage(at, why),
            Misfit::Unread(Unread::Newer(what)) => {
                self.damage(at, &format!("written by a newer gateway: {what}"));
            }
            Misfit::Contradicts(why) => self.disagreement(at, why.to_string()),
        }
    }

    fn damage(&mut self, at: Place, what: &str) {
        // Behind a gap in the sequence nothing can be followed.
        self.report.is_complete = false;
        if self.report.damage.len() < PROBLEMS_MAX {
            self.report.damage.push(Wrong { at, what: what.to_owned() });
        } else {
            self.report.more += 1;
        }
    }

    fn disagreement(&mut self, at: Place, what: String) {
        if self.report.disagreements.len() < PROBLEMS_MAX {
            self.report.disagreements.push(Wrong { at, what });
        } else {
            self.report.more += 1;
        }
    }
}

//! Editing in place: what is not touched stays as it came, byte for byte.
//!
//! A [`Draft`] is the list of a message's segments. A segment that nobody edits is its bytes; one
//! that is edited is split no further than the edit goes. So a draft costs what is edited, and
//! many edits of a long message cost about the square root of its length each.
//!
//! | | whole segment | field, component, subcomponent | repetition |
//! |---|---|---|---|
//! | [`set`](Draft::set), [`set_deleted`](Draft::set_deleted) | – | in place, made if missing | the same |
//! | [`remove`](Draft::remove) | goes | becomes empty: its number has a meaning | goes, later ones move up |
//! | [`take_out`](Draft::take_out) | goes | goes, later ones move up | the same |
//! | [`insert`](Draft::insert) | [`insert_segment`](Draft::insert_segment) | before it, later ones move on | the same |
//!
//! What declares delimiters or the character set is refused: it says how everything else is read.
//! Not here: reading a draft. [`Draft::finish`] makes a message, and can be called at any time.

mod error;
mod list;
mod node;
#[cfg(test)]
mod tests;

use std::ops::Range;

use bytes::Bytes;

pub use error::EditError;
use list::{List, Named};
use node::{Node, Step};

use crate::index::{narrow, wide};
use crate::respell::{Level, Misfit, Spelling};
use crate::{Delimiters, Message, Options, Path, Role, Segment, SegmentName};

/// How far edits may make a message grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EditLimits {
    /// The length of the whole message.
    pub bytes_max: usize,
    /// The highest field, repetition, component or subcomponent that an edit makes.
    pub number_max: u32,
}

/// Where a new segment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Before a segment; the path's field and what is below it do not matter.
    Before(Path),
    /// After a segment.
    After(Path),
    /// At the end.
    Last,
}

/// A message while it is edited. See the [table](self#) of what each edit does to its neighbours.
pub struct Draft {
    source: Message,
    segments: List<Slot>,
    limits: EditLimits,
    /// How long the message is now.
    bytes: usize,
    /// How this message's segments end.
    terminator: &'static [u8],
    changed: bool,
}

struct Slot {
    name: SegmentName,
    /// Which segment of the source it is.
    source: Option<u32>,
    /// None while it is as it came.
    open: Option<Box<Open>>,
}

struct Open {
    delimiters: Delimiters,
    root: Node,
    terminator: Bytes,
}

impl Named for Slot {
    fn name(&self) -> Option<SegmentName> {
        Some(self.name)
    }
}

/// The steps from a segment down to a part.
struct Steps {
    steps: [Step; 4],
    count: usize,
}

impl Steps {
    fn all(&self) -> &[Step] {
        self.steps.get(..self.count).unwrap_or_default()
    }
}

impl Message {
    /// Begins to edit a copy.
    pub fn edit(&self, limits: EditLimits) -> Draft {
        let slots = (0..).zip(self.segments());
        let slot = |(at, it): (u32, Segment<'_>)| Slot {
            name: it.segment_name(),
            source: Some(at),
            open: None,
        };
        let first = self.segments().next().map_or(0..0, |it| it.terminator());
        let terminator: &[u8] = match self.bytes().get(first).unwrap_or_default() {
            [b'\r', b'\n', ..] => b"\r\n",
            [b'\n', ..] => b"\n",
            _ => b"\r",
        };
        Draft {
            segments: List::new(slots.map(slot).collect()),
            limits,
            bytes: self.bytes().len(),
            terminator,
            changed: false,
            source: self.clone(),
        }
    }

    /// Where the whole part stands that a path names: all repetitions for `PID-3`, all of its
    /// components for `PID-3[2]`; the segment without its terminator for `PID`. None if it is
    /// absent or empty.
    pub fn part(&self, path: &Path) -> Option<Range<usize>> {
        let segment = self.segment(path.segment, path.occurrence.unwrap_or(1))?;
        let Some((field, level)) = level(path) else {
            return Some(segment.range());
        };
        let repetition = || path.repetition.unwrap_or(1);
        let range = match level {
            Level::Field => segment.field(field),
            Level::Repetition => segment.repetition(field, repetition()),
            Level::Component if segment.declares_in(field) => self.find(path),
            Level::Component => {
                let range = segment.repetition(field, repetition())?;
                let raw = self.structure().get(range.clone())?;
                let component = path.component.unwrap_or(1);
                let separator = segment.delimiters().component;
                crate::delimiters::nth_piece(raw, 0..raw.len(), separator, component)
                    .map(|it| range.start + it.start..range.start + it.end)
            }
            Level::Subcomponent => self.find(path),
        };
        range.filter(|range| !range.is_empty())
    }
}

/// The field of a path, and how deep the path goes; none for a path of a segment.
fn level(path: &Path) -> Option<(u32, Level)> {
    let level = match (path.repetition, path.component, path.subcomponent) {
        (_, _, Some(_)) => Level::Subcomponent,
        (_, Some(_), None) => Level::Component,
        (Some(_), None, None) => Level::Repetition,
        (None, None, None) => Level::Field,
    };
    match path.field {
        None if level == Level::Field => None,
        field => Some((field.unwrap_or(1), level)),
    }
}

impl Draft {
    /// Writes a text as the value at a path, where [`Message::value`] reads it; a number that is
    /// left out is 1. An empty text makes the value absent. Nothing else changes, except that
    /// missing fields, repetitions and components before it become empty ones.
    pub fn set(&mut self, path: &Path, text: &str) -> Result<(), EditError> {
        let (at, steps) = self.steps(path, Level::Subcomponent, false)?;
        let mut value = Vec::new();
        let spelling = self.spelling(at);
        spelling.write_text(text, &mut value).map_err(|why| EditError::Unfit { at: *path, why })?;
        self.put(at, path, &steps, value.into())
    }

    /// Writes `""` in place of the whole part that the path names: `PID-5` says that the field is
    /// to be deleted, with all its repetitions and components.
    pub fn set_deleted(&mut self, path: &Path) -> Result<(), EditError> {
        let (at, steps) = self.part_steps(path, false)?;
        let value = self.spelling(at).deleted();
        let value = value.map_err(|why| EditError::Unfit { at: *path, why })?;
        self.put(at, path, &steps, Bytes::from_static(value))
    }

    /// Copies a range of another message in place of the whole part that the path names. The
    /// range may hold the delimiters of lower levels, and is spelled anew if the messages'
    /// delimiters or character sets differ: it says the same. `""` stays `""`.
    ///
    /// [`Message::part`] finds ranges to copy.
    pub fn copy_range(
        &mut self,
        path: &Path,
        from: &Message,
        range: Range<usize>,
    ) -> Result<(), EditError> {
        let (at, steps) = self.part_steps(path, false)?;
        let level = level(path).map_or(Level::Field, |it| it.1);
        let delimiters = *from.inner().index.delimiters_at(range.start);
        let spelled = Spelling { delimiters, charset: from.charset() };
        let value = respelled(&spelled, &self.spelling(at), level, from.bytes(), range, path)?;
        self.put(at, path, &steps, value)
    }

    /// Makes what the path names absent, and returns how many segments, repetitions or values
    /// went. `OBX` is every OBX, `OBX[2]` one; `PID-3` every repetition, `PID-3[2]` one. Fields,
    /// components and subcomponents become empty and later ones keep their numbers.
    pub fn remove(&mut self, path: &Path) -> Result<usize, EditError> {
        let Some((_, level)) = level(path) else {
            return self.remove_segments(path);
        };
        if self.position(path).is_none() {
            return Ok(0);
        }
        if level == Level::Repetition {
            return self.take_out(path).map(usize::from);
        }
        let (at, steps) = self.part_steps(path, false)?;
        let spelling = self.spelling(at);
        let repetitions_of =
            Step { number: 1, separator: spelling.delimiters.repetition, spelling };
        let Some(node) = self.existing(at, steps.all()) else {
            return Ok(0);
        };
        let length = node.len();
        if length == 0 {
            return Ok(0);
        }
        let repetitions = if level == Level::Field { node.parts(repetitions_of).len() } else { 1 };
        *node = Node::EMPTY;
        self.account(length, 0);
        Ok(repetitions)
    }

    /// Takes out what the path names, so that later ones move up: `PID-3` closes the gap between
    /// PID-2 and PID-4. False if it is not there. `OBX` is the first OBX.
    pub fn take_out(&mut self, path: &Path) -> Result<bool, EditError> {
        if level(path).is_none() {
            let occurrence = Some(path.occurrence.unwrap_or(1));
            return Ok(0 < self.remove_segments(&Path { occurrence, ..*path })?);
        }
        if self.position(path).is_none() {
            return Ok(false);
        }
        let (at, steps) = self.part_steps(path, true)?;
        let Some((&step, above)) = steps.all().split_last() else {
            return Ok(false);
        };
        let Some(parent) = self.existing(at, above) else {
            return Ok(false);
        };
        if parent.is_empty() {
            return Ok(false);
        }
        let parts = parent.parts(step);
        let Some(part) = parts.remove(step.number - 1) else {
            return Ok(false);
        };
        let mut length = part.len();
        if parts.len() == 0 {
            *parent = Node::EMPTY;
        } else {
            length += 1;
        }
        self.account(length, 0);
        Ok(true)
    }

    /// Inserts a new part with this text where the path names one; that one and later ones move
    /// on: `PID-3[1]` is a new first repetition, `PID-3` a new field.
    pub fn insert(&mut self, path: &Path, text: &str) -> Result<(), EditError> {
        let (at, steps) = self.part_steps(path, true)?;
        let mut value = Vec::new();
        let spelling = self.spelling(at);
        spelling.write_text(text, &mut value).map_err(|why| EditError::Unfit { at: *path, why })?;
        let Some((&step, above)) = steps.all().split_last() else {
            return Ok(());
        };
        self.check(path, &steps, value.len())?;
        let mut added = value.len();
        let parent = self.make(at, above, &mut added);
        let parent = parent.ok_or(EditError::NoSuchSegment { at: *path })?;
        // An empty field has no repetitions, so there is none to move on.
        if !above.is_empty() && parent.is_empty() && step.number == 1 {
            *parent = Node::Raw(value.into());
        } else {
            // The parts before it; the new one brings a separator of its own.
            parent.make(Step { number: step.number - 1, ..step }, &mut added);
            parent.parts(step).insert(step.number - 1, Node::Raw(value.into()));
            added += 1;
        }
        self.account(0, added);
        Ok(())
    }

    /// Whether there is a segment of the path's name and number.
    pub fn has_segment(&self, path: &Path) -> bool {
        self.position(path).is_some()
    }

    /// Inserts a segment without fields, and returns which one of its name it is. A header segment
    /// is refused, and nothing stands before the first.
    pub fn insert_segment(
        &mut self,
        name: SegmentName,
        position: Position,
    ) -> Result<u32, EditError> {
        self.insert_raw(name, position, |_| Ok(Bytes::copy_from_slice(name.as_bytes())))
    }

    /// Inserts a copy of a segment of any message, spelled as this one spells.
    pub fn copy_segment(
        &mut self,
        segment: &Segment<'_>,
        position: Position,
    ) -> Result<u32, EditError> {
        let from = segment.inner();
        let name = segment.segment_name();
        let path = Path { field: None, ..Path::field_of(name, 1) };
        let delimiters = *segment.delimiters();
        let spelled = Spelling { delimiters, charset: from.charset };
        self.insert_raw(name, position, |to| {
            let mut out = name.as_bytes().to_vec();
            for number in (1..).map_while(|number| segment.field(number)) {
                out.push(to.delimiters.field);
                let field = respelled(&spelled, to, Level::Field, &from.bytes, number, &path)?;
                out.extend_from_slice(&field);
            }
            Ok(out.into())
        })
    }

    /// The edited message. It is read anew; fails with [`EditError::SegmentsMoved`] if that does
    /// not find the segments that were edited, which only a raw line feed in a field can bring
    /// about.
    pub fn finish(&self) -> Result<Message, EditError> {
        if !self.changed {
            return Ok(self.source.clone());
        }
        let mut out = Vec::with_capacity(self.bytes + 16);
        let source = self.source.bytes();
        out.extend_from_slice(source.get(self.source.prefix()).unwrap_or_default());
        let mut starts = Vec::with_capacity(self.segments.len());
        let mut slots = self.segments.iter().peekable();
        while let Some(slot) = slots.next() {
            starts.push(out.len());
            let terminator = match &slot.open {
                Some(open) => {
                    open.root.write(&mut out);
                    open.terminator.clone()
                }
                None => {
                    let Some(segment) = self.source_segment(slot) else { continue };
                    out.extend_from_slice(source.get(segment.range()).unwrap_or_default());
                    source.slice(segment.terminator())
                }
            };
            out.extend_from_slice(self.terminator_before(slot, slots.peek().copied(), &terminator));
        }
        let options = Options { default_charset: self.source.charset() };
        let message = Message::parse_with(out.into(), &options);
        let message = message.map_err(|_| EditError::SegmentsMoved)?;
        let same_starts = message.segments().map(|it| it.range().start).eq(starts);
        let names = self.segments.iter().map(|it| it.name);
        let same_names = message.segments().map(|it| it.segment_name()).eq(names);
        let same_charset = message.charset() == self.source.charset();
        if same_starts && same_names && same_charset {
            Ok(message)
        } else {
            Err(EditError::SegmentsMoved)
        }
    }

    /// The terminator to write after a segment. The last one may have none, and a bare LF in a
    /// message of CR ends a segment only because of what came after it.
    fn terminator_before<'a>(&self, slot: &Slot, next: Option<&Slot>, own: &'a [u8]) -> &'a [u8]
    where
        Self: 'a,
    {
        let Some(next) = next else {
            return own;
        };
        let followed_as_it_came = next.open.is_none()
            && next.source.is_some_and(|next| slot.source.is_some_and(|it| it + 1 == next));
        let holds = own.contains(&b'\r') || self.terminator != b"\r" && !own.is_empty();
        if holds || followed_as_it_came { own } else { self.terminator }
    }

    fn insert_raw(
        &mut self,
        name: SegmentName,
        position: Position,
        write: impl FnOnce(&Spelling) -> Result<Bytes, EditError>,
    ) -> Result<u32, EditError> {
        let path = Path { field: None, ..Path::field_of(name, 1) };
        if name.is_header() {
            return Err(EditError::Declaration { at: path });
        }
        if name.is_unnamed() {
            return Err(EditError::NameMissing { at: path });
        }
        let found = |at: &Path| self.position(at).ok_or(EditError::NoSuchSegment { at: *at });
        let index = match &position {
            Position::Before(at) => found(at)?,
            Position::After(at) => found(at)? + 1,
            Position::Last => self.segments.len(),
        };
        if index == 0 {
            return Err(EditError::Declaration { at: path });
        }
        let spelling = self.spelling(index - 1);
        let raw = write(&spelling)?;
        // The segment before may get a terminator for the one it lacks.
        let added = raw.len() + 2 * self.terminator.len();
        self.check_length(added)?;
        let open = Open {
            delimiters: spelling.delimiters,
            root: Node::Raw(raw),
            terminator: Bytes::from_static(self.terminator),
        };
        self.segments.insert(index, Slot { name, source: None, open: Some(Box::new(open)) });
        self.account(0, added);
        Ok(narrow(self.segments.count_named(name, index) + 1))
    }

    fn remove_segments(&mut self, path: &Path) -> Result<usize, EditError> {
        if path.segment.is_header() {
            return Err(EditError::Declaration { at: *path });
        }
        let before = self.segments.len();
        if path.occurrence.is_none() {
            let of_name = self.segments.iter().filter(|it| it.name == path.segment);
            let length = of_name.map(|it| self.len_of(it)).sum();
            self.segments.retain(|it| it.name != path.segment);
            self.account(length, 0);
        } else if let Some(slot) = self.position(path).and_then(|at| self.segments.remove(at)) {
            self.account(self.len_of(&slot), 0);
        }
        Ok(before - self.segments.len())
    }

    fn len_of(&self, slot: &Slot) -> usize {
        match (&slot.open, self.source_segment(slot)) {
            (Some(open), _) => open.root.len() + open.terminator.len(),
            (None, Some(segment)) => segment.terminator().end - segment.range().start,
            (None, None) => 0,
        }
    }

    /// Where the segment of a path is.
    fn position(&self, path: &Path) -> Option<usize> {
        self.segments.find_named(path.segment, wide(path.occurrence.unwrap_or(1)))
    }

    fn source_segment(&self, slot: &Slot) -> Option<Segment<'_>> {
        Segment::new(self.source.inner(), wide(slot.source?), 1)
    }

    fn spelling(&self, at: usize) -> Spelling {
        let slot = self.segments.at(at);
        let opened = slot.and_then(|it| it.open.as_ref()).map(|it| it.delimiters);
        let kept = || slot.and_then(|it| self.source_segment(it)).map(|it| *it.delimiters());
        let delimiters = opened.or_else(kept).unwrap_or(*self.source.delimiters());
        Spelling { delimiters, charset: self.source.charset() }
    }

    /// The segment of a path, and the way to the part that the path names.
    fn part_steps(&self, path: &Path, moves: bool) -> Result<(usize, Steps), EditError> {
        let (_, level) = level(path).ok_or(EditError::WrongLevel { at: *path })?;
        self.steps(path, level, moves)
    }

    /// The segment of a path, and the way from there down to a level. `moves`: later parts of the
    /// same level get other numbers.
    fn steps(&self, path: &Path, level: Level, moves: bool) -> Result<(usize, Steps), EditError> {
        let at = *path;
        let index = self.position(path).ok_or(EditError::NoSuchSegment { at })?;
        let field = path.field.unwrap_or(1);
        let (header, unnamed) = (path.segment.is_header(), path.segment.is_unnamed());
        if header && field <= 2 {
            return Err(EditError::Declaration { at });
        }
        let moves_field = moves && level == Level::Field;
        if path.segment == SegmentName::MSH && (field == 18 || moves_field && field < 18) {
            return Err(EditError::CharacterSet { at });
        }
        // What has no name may begin like a header and be none only for lack of a delimiter, which an
        // edit could bring: so it is kept as it came.
        if unnamed {
            return Err(EditError::NameMissing { at });
        }
        let spelling = self.spelling(index);
        let Delimiters { field: of_field, repetition, component, subcomponent, .. } =
            spelling.delimiters;
        let missing = EditError::NoDelimiter { at, role: Role::Subcomponent };
        // Piece 1 is the name; a header's piece 2 is field 2.
        let piece = wide(field) + usize::from(!header);
        let below = |number: Option<u32>, separator| Step {
            number: wide(number.unwrap_or(1)),
            separator,
            spelling,
        };
        let steps = [
            Step { number: piece, separator: of_field, spelling },
            below(path.repetition, repetition),
            below(path.component, component),
            below(path.subcomponent, subcomponent.unwrap_or(0)),
        ];
        let count = match (level, subcomponent) {
            (Level::Field, _) => 1,
            (Level::Repetition, _) => 2,
            (Level::Component, _) => 3,
            (Level::Subcomponent, Some(_)) => 4,
            (Level::Subcomponent, None) if path.subcomponent.unwrap_or(1) == 1 && !moves => 3,
            (Level::Subcomponent, None) => return Err(missing),
        };
        Ok((index, Steps { steps, count }))
    }

    /// Refuses what a limit does, before anything is changed: it counts each delimiter that the
    /// path could need.
    fn check(&self, path: &Path, steps: &Steps, length: usize) -> Result<(), EditError> {
        let number_max = self.limits.number_max;
        let numbers = [path.field, path.repetition, path.component, path.subcomponent];
        if numbers.into_iter().flatten().any(|number| number_max < number) {
            return Err(EditError::NumberTooHigh { at: *path, number_max });
        }
        self.check_length(steps.all().iter().map(|it| it.number).sum::<usize>() + length)
    }

    fn check_length(&self, added: usize) -> Result<(), EditError> {
        let bytes_max = self.limits.bytes_max;
        let fits = self.bytes.checked_add(added).is_some_and(|bytes| bytes <= bytes_max);
        if fits { Ok(()) } else { Err(EditError::TooLong { bytes_max }) }
    }

    fn account(&mut self, less: usize, more: usize) {
        self.bytes = (self.bytes + more).saturating_sub(less);
        self.changed = true;
    }

    fn put(
        &mut self,
        at: usize,
        path: &Path,
        steps: &Steps,
        value: Bytes,
    ) -> Result<(), EditError> {
        let more = value.len();
        if more == 0 {
            if let Some(node) = self.existing(at, steps.all()) {
                let less = node.len();
                *node = Node::EMPTY;
                self.account(less, 0);
            }
            return Ok(());
        }
        self.check(path, steps, more)?;
        let mut added = more;
        let node = self.make(at, steps.all(), &mut added);
        let node = node.ok_or(EditError::NoSuchSegment { at: *path })?;
        let less = node.len();
        *node = Node::Raw(value);
        self.account(less, added);
        Ok(())
    }

    fn root(&mut self, at: usize) -> Option<&mut Node> {
        let delimiters = self.spelling(at).delimiters;
        let segment = self.segments.at(at).and_then(|slot| self.source_segment(slot));
        let (range, terminator) = segment.map_or((0..0, 0..0), |it| (it.range(), it.terminator()));
        let bytes = self.source.bytes().clone();
        let slot = self.segments.at_mut(at)?;
        let open = slot.open.get_or_insert_with(|| {
            let root = Node::Raw(bytes.slice(range));
            Box::new(Open { delimiters, root, terminator: bytes.slice(terminator) })
        });
        Some(&mut open.root)
    }

    /// A part that is there.
    fn existing(&mut self, at: usize, steps: &[Step]) -> Option<&mut Node> {
        steps.iter().try_fold(self.root(at)?, |node, &step| node.part(step))
    }

    /// A part, made if it is not there; adds up how many bytes that took.
    fn make(&mut self, at: usize, steps: &[Step], added: &mut usize) -> Option<&mut Node> {
        steps.iter().try_fold(self.root(at)?, |node, &step| node.make(step, added))
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft")
            .field("bytes", &self.bytes)
            .field("segments", &self.segments.len())
            .finish()
    }
}

/// A range of one message as another spells it.
fn respelled(
    spelled: &Spelling,
    to: &Spelling,
    level: Level,
    from: &Bytes,
    range: Range<usize>,
    path: &Path,
) -> Result<Bytes, EditError> {
    let at = *path;
    if range.end < range.start || from.len() < range.end {
        return Err(EditError::NoSuchRange { at });
    }
    let raw = from.slice(range);
    let refused = |misfit| match misfit {
        Misfit::Unfit(why) => EditError::Unfit { at, why },
        Misfit::NotText(why) => EditError::NotText { at, why },
        Misfit::NotOnePart => EditError::NotOnePart { at },
        Misfit::NoSubcomponents => EditError::NoDelimiter { at, role: Role::Subcomponent },
    };
    if spelled.is_same(to, &raw) {
        let splits = |&byte: &u8| spelled.separator(to, level, byte).map(drop);
        spelled.structure(&raw).iter().try_for_each(splits).map_err(refused)?;
        return Ok(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    spelled.respell(to, level, &raw, &mut out).map_err(refused)?;
    Ok(out.into())
}

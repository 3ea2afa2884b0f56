use bytes::Bytes;

use super::list::{List, Named};
use crate::SegmentName;
use crate::respell::Spelling;

/// A part of a segment: its bytes, split only where an edit goes below.
pub(super) enum Node {
    Raw(Bytes),
    Parts(Box<List<Node>>, u8),
}

/// A step down: which part (from 1), between which separators, in bytes of which spelling.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) number: usize,
    pub(super) separator: u8,
    pub(super) spelling: Spelling,
}

impl Named for Node {
    fn name(&self) -> Option<SegmentName> {
        None
    }
}

impl Node {
    pub(super) const EMPTY: Self = Self::Raw(Bytes::new());

    /// How many bytes it is written in.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Raw(bytes) => bytes.len(),
            Self::Parts(parts, _) => {
                parts.iter().map(Self::len).sum::<usize>() + parts.len().saturating_sub(1)
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Raw(bytes) => bytes.is_empty(),
            Self::Parts(parts, _) => parts.len() <= 1 && parts.iter().all(Self::is_empty),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Raw(bytes) => out.extend_from_slice(bytes),
            Self::Parts(parts, separator) => {
                for (number, part) in parts.iter().enumerate() {
                    if 0 < number {
                        out.push(*separator);
                    }
                    part.write(out);
                }
            }
        }
    }

    /// Its parts between separators; one, if there is no separator.
    pub(super) fn parts(&mut self, step: Step) -> &mut List<Self> {
        let separator = step.separator;
        if let Self::Raw(bytes) = self {
            let mut start = 0;
            let structure = step.spelling.structure(bytes);
            let ends = memchr::memchr_iter(separator, &structure).chain([bytes.len()]);
            let parts = ends.map(|end| {
                let part = bytes.slice(start..end);
                start = end + 1;
                Self::Raw(part)
            });
            let parts = List::new(parts.collect());
            drop(structure);
            *self = Self::Parts(Box::new(parts), separator);
        }
        // Split below alone, as the first of one part at this level.
        if matches!(self, Self::Parts(_, below) if *below != separator) {
            let whole = std::mem::replace(self, Self::EMPTY);
            *self = Self::Parts(Box::new(List::new(vec![whole])), separator);
        }
        match self {
            Self::Parts(parts, _) => parts,
            Self::Raw(_) => unreachable!("it has just been split"),
        }
    }

    /// A part that stands there, from 1.
    pub(super) fn part(&mut self, step: Step) -> Option<&mut Self> {
        if step.number == 1 && self.is_whole(step) {
            return Some(self);
        }
        self.parts(step).at_mut(step.number.checked_sub(1)?)
    }

    /// The same, made with all before it that are not there yet; adds up how many bytes that took.
    pub(super) fn make(&mut self, step: Step, bytes: &mut usize) -> Option<&mut Self> {
        if 1 < step.number || !self.is_whole(step) {
            let parts = self.parts(step);
            while parts.len() < step.number {
                parts.push(Self::EMPTY);
                *bytes += 1;
            }
        }
        self.part(step)
    }

    /// Whether it is not split at this level, and would be one part if it were.
    fn is_whole(&self, step: Step) -> bool {
        match self {
            Self::Raw(bytes) => {
                memchr::memchr(step.separator, &step.spelling.structure(bytes)).is_none()
            }
            Self::Parts(_, of) => *of != step.separator,
        }
    }
}

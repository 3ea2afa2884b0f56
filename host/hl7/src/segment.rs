use std::collections::BTreeMap;
use std::iter::FusedIterator;
use std::ops::Range;

use crate::delimiters::nth_piece;
use crate::index::Span;
use crate::message::Inner;
use crate::{Delimiters, Message, SegmentName};

/// One segment of a message.
#[derive(Clone)]
pub struct Segment<'a> {
    inner: &'a Inner,
    index: usize,
    span: Span,
    name: SegmentName,
    occurrence: usize,
}

impl<'a> Segment<'a> {
    pub(crate) fn new(inner: &'a Inner, index: usize, occurrence: usize) -> Option<Self> {
        let span = inner.index.span(index)?;
        let name = inner.index.name(&inner.structure, &span);
        Some(Self { inner, index, span, name, occurrence })
    }

    pub(crate) fn inner(&self) -> &'a Inner {
        self.inner
    }

    /// The name; `?` if it is none.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The name, to keep.
    pub fn segment_name(&self) -> SegmentName {
        self.name
    }

    /// Which of the segments with this name, from 1.
    pub fn occurrence(&self) -> usize {
        self.occurrence
    }

    /// Which of all segments, from 1.
    pub fn number(&self) -> usize {
        self.index + 1
    }

    /// Where it stands, without its terminator.
    pub fn range(&self) -> Range<usize> {
        self.span.range.clone()
    }

    /// Its terminator: CR, LF or CRLF and the blank lines after it; empty at the end of the input.
    pub fn terminator(&self) -> Range<usize> {
        let next = self.inner.index.next_start(self.index, self.inner.bytes.len());
        self.span.range.end..next
    }

    /// The delimiters that hold here: those of the last header segment.
    pub fn delimiters(&self) -> &'a Delimiters {
        self.inner.index.delimiters(self.index).0
    }

    /// How many fields it has. A header segment's first is the separator itself.
    pub fn fields(&self) -> usize {
        let pieces = self.inner.index.pieces(&self.span);
        if self.name.is_unnamed() || self.name.is_header() && 1 < pieces {
            pieces
        } else {
            pieces - 1
        }
    }

    /// Where a field stands (from 1), with all its repetitions. None if the segment ends before it.
    pub fn field(&self, number: u32) -> Option<Range<usize>> {
        let number = usize::try_from(number).ok().filter(|&number| 0 < number)?;
        let index = &self.inner.index;
        if self.name.is_header() && number == 1 {
            let separator = index.separator(&self.span, 0)?;
            return Some(separator..separator + 1);
        }
        // MSH-1 is not between separators, so the piece after the first separator is MSH-2. A
        // segment without a name begins with field 1.
        let shifted = self.name.is_header() || self.name.is_unnamed();
        index.piece(&self.span, number - usize::from(shifted))
    }

    /// Whether the field is MSH-1 or MSH-2 (or its like in FHS and BHS): delimiters, not a value.
    pub fn declares_in(&self, field: u32) -> bool {
        field <= 2 && self.name.is_header() && self.inner.index.delimiters(self.index).1
    }

    /// Where a repetition of a field stands.
    pub fn repetition(&self, field: u32, repetition: u32) -> Option<Range<usize>> {
        let range = self.field(field)?;
        if self.declares_in(field) {
            return (repetition == 1).then_some(range);
        }
        nth_piece(&self.inner.structure, range, self.delimiters().repetition, repetition)
    }

    /// Where a subcomponent of a repetition stands.
    pub fn subcomponent(
        &self,
        field: u32,
        repetition: u32,
        component: u32,
        subcomponent: u32,
    ) -> Option<Range<usize>> {
        let range = self.repetition(field, repetition)?;
        self.subcomponent_of(range, field, component, subcomponent)
    }

    /// The same, in a repetition of the field that has been found.
    pub(crate) fn subcomponent_of(
        &self,
        range: Range<usize>,
        field: u32,
        component: u32,
        subcomponent: u32,
    ) -> Option<Range<usize>> {
        if self.declares_in(field) {
            return (component == 1 && subcomponent == 1).then_some(range);
        }
        let (bytes, delimiters) = (&self.inner.structure, self.delimiters());
        let range = nth_piece(bytes, range, delimiters.component, component)?;
        match delimiters.subcomponent {
            Some(separator) => nth_piece(bytes, range, separator, subcomponent),
            None => (subcomponent == 1).then_some(range),
        }
    }

    /// How many repetitions a field has; none if it is absent or empty.
    pub fn repetitions(&self, field: u32) -> usize {
        self.each_repetition(field).count()
    }

    /// The repetitions of a field in order; none if it is absent or empty.
    pub(crate) fn each_repetition(&self, field: u32) -> impl Iterator<Item = Range<usize>> + 'a {
        let range = self.field(field).unwrap_or_default();
        let bytes = self.inner.structure.get(range.clone()).unwrap_or_default();
        let split = if self.declares_in(field) { &[] } else { bytes };
        let last = (!bytes.is_empty()).then_some(range.end);
        let mut start = range.start;
        memchr::memchr_iter(self.delimiters().repetition, split)
            .map(move |found| range.start + found)
            .chain(last)
            .map(move |end| {
                let repetition = start..end;
                start = end + 1;
                repetition
            })
    }
}

/// All segments of a message in their order.
#[derive(Clone)]
pub struct Segments<'a> {
    inner: &'a Inner,
    next: usize,
    seen: BTreeMap<SegmentName, usize>,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let mut segment = Segment::new(self.inner, self.next, 1)?;
        let occurrence = self.seen.entry(segment.name).or_default();
        *occurrence += 1;
        segment.occurrence = *occurrence;
        self.next += 1;
        Some(segment)
    }
}

impl FusedIterator for Segments<'_> {}

impl Message {
    /// All segments in their order, header segments of batches too.
    pub fn segments(&self) -> Segments<'_> {
        Segments { inner: self.inner(), next: 0, seen: BTreeMap::new() }
    }

    /// The segment with this name and number (from 1) among those with the same name.
    pub fn segment(&self, name: SegmentName, occurrence: u32) -> Option<Segment<'_>> {
        let before = usize::try_from(occurrence).ok()?.checked_sub(1)?;
        let index = self.segments_named(name).nth(before)?;
        Segment::new(self.inner(), index, before + 1)
    }

    /// The positions of the segments with this name, from 0.
    pub(crate) fn segments_named(&self, name: SegmentName) -> impl Iterator<Item = usize> + '_ {
        let Inner { index, structure, .. } = self.inner();
        index.named(structure, name)
    }
}

//! The index of one message: where segments and fields begin and end.
//!
//! Two flat lists of offsets, filled in one pass, so that reading a message costs a few
//! allocations however many fields it has, and a value costs nothing until it is asked for.
//!
//! CR, LF and CRLF end a segment, and blank lines belong to the terminator before them. One case
//! needs a rule: real senders that end segments with CR do put a bare LF into free text. So where
//! the first segment ends with CR, a bare LF ends a segment only if the next thing looks like one
//! (`OBX|`), if nothing follows, or if a CR follows.

use std::ops::Range;

use crate::finding::{FindingKind, Findings};
use crate::scan::finds;
use crate::{Delimiters, SegmentName};

/// Lengths are checked against `u32::MAX` before anything is indexed, so this loses nothing.
pub(crate) fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

pub(crate) fn wide(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

pub(crate) struct Index {
    /// For each segment three numbers: start, end, and how many separators stand before it.
    segments: Vec<u32>,
    /// The offset of every field separator.
    separators: Vec<u32>,
    /// What the first header segment declares.
    pub(crate) first: Delimiters,
    /// Later header segments (of a batch) that declare usable delimiters.
    later: Vec<Declared>,
}

struct Declared {
    segment: usize,
    offset: usize,
    delimiters: Delimiters,
}

/// One segment of the index.
#[derive(Clone)]
pub(crate) struct Span {
    /// Its bytes without the terminator.
    pub(crate) range: Range<usize>,
    /// Its separators, as positions in the list.
    separators: Range<usize>,
}

impl Index {
    pub(crate) fn count(&self) -> usize {
        self.segments.len() / 3
    }

    pub(crate) fn span(&self, segment: usize) -> Option<Span> {
        let [start, end, from] = self.entry(segment)?;
        let to = self.entry(segment + 1).map_or(self.separators.len(), |[_, _, from]| wide(from));
        Some(Span { range: wide(start)..wide(end), separators: wide(from)..to })
    }

    /// Where the segment after this one starts; the end of the input (`len`) after the last.
    pub(crate) fn next_start(&self, segment: usize, len: usize) -> usize {
        self.entry(segment + 1).map_or(len, |[start, _, _]| wide(start))
    }

    fn entry(&self, segment: usize) -> Option<[u32; 3]> {
        self.segments.as_chunks::<3>().0.get(segment).copied()
    }

    /// The number of pieces between separators, the name included.
    pub(crate) fn pieces(&self, span: &Span) -> usize {
        span.separators.len() + 1
    }

    /// The `number`th separator of a segment, from 0.
    pub(crate) fn separator(&self, span: &Span, number: usize) -> Option<usize> {
        let separators = self.separators.get(span.separators.clone())?;
        separators.get(number).copied().map(wide)
    }

    /// The `number`th piece of a segment; piece 0 is its name.
    pub(crate) fn piece(&self, span: &Span, number: usize) -> Option<Range<usize>> {
        let start = match number.checked_sub(1) {
            None => span.range.start,
            Some(before) => self.separator(span, before)? + 1,
        };
        Some(start..self.separator(span, number).unwrap_or(span.range.end))
    }

    /// The name of a segment by its bytes.
    pub(crate) fn name(&self, bytes: &[u8], span: &Span) -> SegmentName {
        let named = self.piece(span, 0).and_then(|piece| bytes.get(piece));
        named.and_then(SegmentName::new).unwrap_or(SegmentName::UNNAMED)
    }

    /// The segments with this name, as positions from 0.
    pub(crate) fn named<'a>(
        &'a self,
        bytes: &'a [u8],
        name: SegmentName,
    ) -> impl Iterator<Item = usize> + 'a {
        // Most segments have another name: their first bytes tell, without looking for its end.
        let starts_alike = move |start: u32| {
            let start = wide(start);
            name.is_unnamed() || bytes.get(start..start + 3) == Some(name.as_bytes())
        };
        let entries = self.segments.as_chunks::<3>().0.iter().enumerate();
        entries
            .filter(move |&(_, &[start, ..])| starts_alike(start))
            .filter(move |&(at, _)| self.span(at).is_some_and(|it| self.name(bytes, &it) == name))
            .map(|(at, _)| at)
    }

    /// All segments in their order: position from 0, and name.
    pub(crate) fn names<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = (usize, SegmentName)> + 'a {
        (0..self.count()).filter_map(|at| Some((at, self.name(bytes, &self.span(at)?))))
    }

    /// The delimiters that hold in a segment, and whether it declares them itself.
    pub(crate) fn delimiters(&self, segment: usize) -> (&Delimiters, bool) {
        let count = self.later.partition_point(|declared| declared.segment <= segment);
        match count.checked_sub(1).and_then(|last| self.later.get(last)) {
            None => (&self.first, segment == 0),
            Some(declared) => (&declared.delimiters, declared.segment == segment),
        }
    }

    /// The delimiters that hold at an offset.
    pub(crate) fn delimiters_at(&self, offset: usize) -> &Delimiters {
        let count = self.later.partition_point(|declared| declared.offset <= offset);
        let last = count.checked_sub(1).and_then(|last| self.later.get(last));
        last.map_or(&self.first, |declared| &declared.delimiters)
    }

    /// The number of the segment that an offset lies in, from 1; 0 before the first.
    pub(crate) fn segment_at(&self, offset: usize) -> usize {
        self.segments.as_chunks::<3>().0.partition_point(|&[start, ..]| wide(start) <= offset)
    }
}

/// Indexes `bytes`; the first header segment starts at `start` and declares `first`.
pub(crate) fn index(
    bytes: &[u8],
    start: usize,
    first: Delimiters,
    findings: &mut Findings,
) -> Index {
    // Enough for a usual message, never much for a big document.
    let guess = (bytes.len() / 8).clamp(16, 4096);
    let index = Index {
        segments: Vec::with_capacity(guess.div_ceil(2)),
        separators: Vec::with_capacity(guess),
        first,
        later: Vec::new(),
    };
    let mut indexer =
        Indexer { bytes, index, findings, start, separators: 0, first_terminator: None };
    indexer.run(first.field);
    indexer.index
}

struct Indexer<'a> {
    bytes: &'a [u8],
    index: Index,
    findings: &'a mut Findings,
    /// Where the segment at hand starts.
    start: usize,
    /// How many separators stand before it.
    separators: usize,
    first_terminator: Option<Terminator>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Terminator {
    Cr,
    Lf,
    CrLf,
}

impl Indexer<'_> {
    fn run(&mut self, mut separator: u8) {
        let mut from = self.start;
        while let Some(declared) = self.run_until_declared(from, separator) {
            separator = declared;
            from = self.start;
        }
        if self.start < self.bytes.len() {
            self.close(self.bytes.len());
        }
    }

    /// Indexes on until a header segment declares another separator: it is returned, and the
    /// search has to start again.
    fn run_until_declared(&mut self, from: usize, separator: u8) -> Option<u8> {
        let rest = self.bytes.get(from..)?;
        // Bytes before this one have been dealt with.
        let mut resume = from;
        for found in finds(rest, separator) {
            let at = from + found;
            let byte = rest.get(found).copied();
            if byte == Some(separator) {
                self.index.separators.push(narrow(at));
                continue;
            }
            if at < resume || !matches!(byte, Some(b'\r' | b'\n')) {
                continue;
            }
            let terminators = self.terminators(at);
            resume = terminators.end;
            if !self.ends_segment(&terminators, separator) {
                self.add_once(at, FindingKind::LineFeedInField);
                continue;
            }
            self.note(&terminators);
            self.close(at);
            self.start = terminators.end;
            let declared = self.declaration();
            if declared.is_some_and(|declared| declared != separator) {
                return declared;
            }
        }
        None
    }

    /// All CR and LF in a row.
    fn terminators(&self, at: usize) -> Range<usize> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|&&byte| byte == b'\r' || byte == b'\n').count();
        at..at + length
    }

    fn ends_segment(&self, terminators: &Range<usize>, separator: u8) -> bool {
        if self.first_terminator != Some(Terminator::Cr) {
            return true;
        }
        let rest = self.bytes.get(terminators.end..).unwrap_or_default();
        let row = self.bytes.get(terminators.clone()).unwrap_or_default();
        rest.is_empty() || row.contains(&b'\r') || looks_like_segment(rest, separator)
    }

    /// Closes the segment at hand.
    fn close(&mut self, end: usize) {
        let entry = [self.start, end, self.separators].map(narrow);
        self.index.segments.extend_from_slice(&entry);
        let first_separator = self.index.separators.get(self.separators).copied().map(wide);
        let name = self.bytes.get(self.start..first_separator.unwrap_or(end));
        if name.and_then(SegmentName::new).is_none() {
            self.findings.add(self.start, self.index.count(), FindingKind::SegmentName);
        }
        self.separators = self.index.separators.len();
    }

    /// The separator, if the segment that starts here is a header and declares one.
    fn declaration(&mut self) -> Option<u8> {
        let rest = self.bytes.get(self.start..)?;
        if !starts_with_header(rest) {
            return None;
        }
        let segment = self.index.count();
        let Some((delimiters, findings)) = Delimiters::declared(rest) else {
            self.findings.add(self.start, segment + 1, FindingKind::HeaderDelimiters);
            return None;
        };
        for kind in findings {
            self.findings.add(self.start, segment + 1, kind);
        }
        self.index.later.push(Declared { segment, offset: self.start, delimiters });
        Some(delimiters.field)
    }

    /// Keeps what is odd about the way a segment ends.
    fn note(&mut self, terminators: &Range<usize>) {
        let row = self.bytes.get(terminators.clone()).unwrap_or_default();
        let (terminator, rest) = match row {
            [b'\r', b'\n', rest @ ..] => (Terminator::CrLf, rest),
            [b'\n', rest @ ..] => (Terminator::Lf, rest),
            [_, rest @ ..] => (Terminator::Cr, rest),
            [] => return,
        };
        match self.first_terminator {
            None => {
                self.first_terminator = Some(terminator);
                if terminator != Terminator::Cr {
                    self.add_once(terminators.start, FindingKind::LineFeedTerminator);
                }
            }
            Some(first) if first != terminator => {
                self.add_once(terminators.start, FindingKind::MixedTerminators);
            }
            Some(_) => {}
        }
        if !rest.is_empty() {
            self.add_once(terminators.end - rest.len(), FindingKind::BlankLine);
        }
    }

    fn add_once(&mut self, offset: usize, kind: FindingKind) {
        self.findings.add_once(offset, self.index.count() + 1, kind);
    }
}

pub(crate) fn starts_with_header(bytes: &[u8]) -> bool {
    matches!(bytes, [b'M', b'S', b'H', ..] | [b'F' | b'B', b'H', b'S', ..])
}

/// A field cannot hold its own separator, so a name and a separator after a LF are a segment.
fn looks_like_segment(bytes: &[u8], separator: u8) -> bool {
    let named = bytes.get(..3).and_then(SegmentName::new).is_some();
    let separated = bytes.get(3) == Some(&separator);
    named && separated || starts_with_header(bytes) && Delimiters::declared(bytes).is_some()
}

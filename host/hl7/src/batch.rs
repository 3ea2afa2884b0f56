//! Several messages in one input, and one message in several segments or inputs.
//!
//! ```text
//! [FHS] { [BHS] { MSH … } [BTS] } [FTS]      HL7 v2 chapter 2, the batch protocol
//! OBX|1|FT|||a long te<CR>ADD|xt|||F<CR>      a segment continued
//! OBX|1|FT|||a long te<CR>ADD<CR>DSC|7|F<CR>  a segment and message continued by another message
//! ```
//!
//! Messages are told apart by segments, never by text: `MSH` inside of a field splits nothing. What
//! does not add up is a [`Finding`]; whether that refuses the input is for the caller.
//! Not here: how a batch is answered, and waiting for the message that continues another.

use std::ops::Range;

use crate::finding::{FindingKind, Findings};
use crate::{Delimiters, Finding, Message, Options, ParseError, Path, Segment, SegmentName};

/// The messages of an input, and what is odd about how they are packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The messages in their order.
    pub messages: Vec<BatchMessage>,
    /// The headers of files and batches, in their order.
    pub wrappers: Vec<Wrapper>,
    /// Where segments stand outside of all messages: one entry for each run of such segments.
    pub strays: Vec<Stray>,
    /// What does not add up, at most 65 entries.
    pub findings: Vec<Finding>,
}

/// Segments that belong to no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Which segment is the first of them, from 1.
    pub segment: usize,
    /// Which segment is the BHS, else FHS, that they are under, from 1.
    pub under: Option<usize>,
}

/// A header of a file or batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrapper {
    /// Which segment it is, from 1: FHS or BHS.
    pub segment: usize,
    /// Whether it is of a file.
    pub is_file: bool,
    /// Which segment is the FHS that a BHS is under, from 1.
    pub file: Option<usize>,
    /// Whether its trailer states another number than came.
    pub is_miscounted: bool,
}

/// One message of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchMessage {
    /// Its bytes, from MSH to the last terminator: [`Message::parse_with`] reads them.
    pub range: Range<usize>,
    /// Its segments, from 1.
    pub segments: Range<usize>,
    /// Which segment is the FHS that it is under, from 1.
    pub file: Option<usize>,
    /// Which segment is the BHS that it is under, from 1.
    pub batch: Option<usize>,
    /// Whether a header of another batch or file cut it off: segments without a message follow.
    pub is_cut: bool,
}

/// What a header opened and no trailer has closed.
#[derive(Clone, Copy)]
struct Open {
    segment: usize,
    /// Which of all wrappers.
    wrapper: usize,
    offset: usize,
    delimiters: Delimiters,
    /// Messages of a batch, batches of a file.
    count: usize,
    /// Messages under it.
    messages: usize,
}

#[derive(Default)]
struct Splitter {
    messages: Vec<BatchMessage>,
    wrappers: Vec<Wrapper>,
    findings: Findings,
    file: Option<Open>,
    batch: Option<Open>,
    /// Whether the last message is not over.
    in_message: bool,
    strays: Vec<Stray>,
    in_stray: bool,
    /// Whether a trailer stands behind the last message.
    is_closed: bool,
}

/// What a segment is to a batch.
enum Packing {
    Message,
    BatchHeader,
    BatchTrailer,
    FileHeader,
    FileTrailer,
    Other,
}

impl Message {
    /// The messages of this input. One message alone is a batch of one.
    pub fn batch(&self) -> Batch {
        let mut splitter = Splitter::default();
        for segment in self.segments() {
            splitter.take(self, &segment);
        }
        splitter.close_batch();
        splitter.close_file();
        Batch {
            messages: splitter.messages,
            wrappers: splitter.wrappers,
            strays: splitter.strays,
            findings: splitter.findings.into_vec(),
        }
    }

    /// The message with each ADD joined to the segment before it, to be read: its bytes are others
    /// than came. ADD-1 goes on where the segment before broke off. The same message if it has none.
    ///
    /// An ADD after a header continues a segment of another message, and one without fields says
    /// that another message continues the segment before: these stay.
    pub fn joined(&self) -> Result<Self, ParseError> {
        if self.segments_named(SegmentName::ADD).next().is_none() {
            return Ok(self.clone());
        }
        let mut out = Vec::new();
        let bytes = self.bytes();
        // What is copied so far, and where the segment before ends.
        let mut copied = 0;
        let mut before: Option<(SegmentName, usize)> = None;
        for segment in self.segments() {
            let (name, range) = (segment.segment_name(), segment.range());
            let joins = name == SegmentName::ADD && 0 < segment.fields();
            if let Some((first, end)) = before.filter(|before| joins && can_go_on(before.0)) {
                out.extend_from_slice(bytes.get(copied..end).unwrap_or_default());
                // After the name and the separator.
                copied = range.start + 4;
                before = Some((first, range.end));
            } else {
                before = Some((name, range.end));
            }
        }
        if copied == 0 {
            return Ok(self.clone());
        }
        out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
        Self::parse_with(out.into(), &Options { default_charset: self.charset() })
    }

    /// Which field says that this is a part of a message that comes in several inputs; none if it is
    /// whole. HL7 v2 chapter 2, 2.10.2: ADD at either end, MSH-14, or DSC, unless DSC asks for the
    /// next part of a query's response.
    pub fn fragment(&self) -> Option<Path> {
        let (mut before, mut is_query, mut found) = (SegmentName::MSH, false, None);
        let has = |name| self.segments_named(name).next().is_some();
        // Nearly every message is whole, and says so in its first segment.
        let looked_at = if has(SegmentName::ADD) || has(SegmentName::DSC) { usize::MAX } else { 1 };
        for segment in self.segments().take(looked_at) {
            let name = segment.segment_name();
            let value = |number| {
                let range = segment.field(number).unwrap_or_default();
                self.bytes().get(range).unwrap_or_default().trim_ascii()
            };
            let at = |number| Some(Path::field_of(name, number));
            match name {
                SegmentName::MSH if !matches!(value(14), b"" | b"\"\"") => return at(14),
                SegmentName::ADD if segment.fields() == 0 || !can_go_on(before) => return at(1),
                // DSC-2, table 0398: I is interactive, F is fragmentation.
                SegmentName::DSC if value(2) == b"F" => return at(1),
                SegmentName::DSC if value(2) != b"I" => found = at(1),
                _ => is_query |= QUERIES.contains(&segment.name()),
            }
            if name != SegmentName::ADD {
                before = name;
            }
        }
        found.filter(|_| !is_query)
    }

    /// Notes what this message cannot be read without.
    pub(crate) fn find_continuations(&self, findings: &mut Findings) {
        let index = &self.inner().index;
        let mut before = SegmentName::MSH;
        for (at, name) in index.names(self.structure()) {
            let has_fields = || index.span(at).is_some_and(|span| 1 < index.pieces(&span));
            let found = match name {
                SegmentName::DSC => Some(FindingKind::Continued),
                SegmentName::ADD if !has_fields() => Some(FindingKind::Continued),
                SegmentName::ADD if !can_go_on(before) => Some(FindingKind::ContinuesAnother),
                // It is part of the segment before.
                SegmentName::ADD => continue,
                _ => None,
            };
            if let Some(kind) = found {
                let offset = index.span(at).map_or(0, |span| span.range.start);
                findings.add_once(offset, at + 1, kind);
            }
            before = name;
        }
    }
}

/// Segments that only queries and their responses have: there DSC points into the response.
const QUERIES: [&str; 7] = ["QPD", "QRD", "QRF", "QID", "QAK", "RCP", "ERQ"];

/// Whether an ADD after a segment with this name can be part of it.
fn can_go_on(name: SegmentName) -> bool {
    let cannot = [
        SegmentName::ADD,
        SegmentName::DSC,
        SegmentName::BTS,
        SegmentName::FTS,
        SegmentName::UNNAMED,
    ];
    !name.is_header() && !cannot.contains(&name)
}

impl Splitter {
    fn take(&mut self, message: &Message, segment: &Segment<'_>) {
        let packing = self.packing(message, segment);
        self.in_stray &= matches!(packing, Packing::Other);
        self.is_closed |= matches!(packing, Packing::BatchTrailer | Packing::FileTrailer);
        match packing {
            Packing::Message => self.begin_message(segment),
            Packing::BatchHeader => {
                self.close_batch();
                self.batch = Some(self.open(segment, false));
                if let Some(file) = &mut self.file {
                    file.count += 1;
                }
            }
            Packing::FileHeader => {
                self.close_batch();
                self.close_file();
                self.file = Some(self.open(segment, true));
            }
            Packing::BatchTrailer => {
                self.in_message = false;
                let batch = self.batch.take();
                let stated = batch.and_then(|it| stated(message, segment, &it.delimiters));
                let counted = batch.map(|it| [it.count, it.count]);
                self.check(segment, batch, stated, counted, FindingKind::BatchCount);
            }
            Packing::FileTrailer => {
                self.close_batch();
                let file = self.file.take();
                let stated = file.and_then(|it| stated(message, segment, &it.delimiters));
                // A file without BHS is one batch, and some count its messages.
                let counted = file.map(|it| match it.count {
                    0 => [it.messages, 1],
                    count => [count, count],
                });
                self.check(segment, file, stated, counted, FindingKind::FileCount);
            }
            Packing::Other => self.extend_message(segment),
        }
    }

    fn open(&mut self, segment: &Segment<'_>, is_file: bool) -> Open {
        let wrapper = self.wrappers.len();
        let number = segment.number();
        let file = self.file.filter(|_| !is_file).map(|it| it.segment);
        self.wrappers.push(Wrapper { segment: number, is_file, file, is_miscounted: false });
        Open {
            segment: number,
            wrapper,
            offset: segment.range().start,
            delimiters: *segment.delimiters(),
            count: 0,
            messages: 0,
        }
    }

    fn packing(&self, message: &Message, segment: &Segment<'_>) -> Packing {
        match segment.segment_name() {
            SegmentName::MSH => Packing::Message,
            SegmentName::BHS => Packing::BatchHeader,
            SegmentName::FHS => Packing::FileHeader,
            SegmentName::BTS => Packing::BatchTrailer,
            SegmentName::FTS => Packing::FileTrailer,
            // Messages may declare another separator than the batch that they are in, and then its
            // trailer looks like a segment without a name.
            SegmentName::UNNAMED => {
                let is_trailer = |name: &[u8], of: Option<Open>| {
                    let raw = message.structure().get(segment.range()).unwrap_or_default();
                    let after = raw.strip_prefix(name).and_then(<[u8]>::first);
                    of.is_some_and(|of| after == Some(&of.delimiters.field))
                };
                match () {
                    () if is_trailer(b"BTS", self.batch) => Packing::BatchTrailer,
                    () if is_trailer(b"FTS", self.file) => Packing::FileTrailer,
                    () => Packing::Other,
                }
            }
            _ => Packing::Other,
        }
    }

    fn begin_message(&mut self, segment: &Segment<'_>) {
        for open in [&mut self.batch, &mut self.file].into_iter().flatten() {
            open.messages += 1;
        }
        if let Some(batch) = &mut self.batch {
            batch.count += 1;
        }
        self.in_message = true;
        self.is_closed = false;
        self.messages.push(BatchMessage {
            range: segment.range().start..segment.terminator().end,
            segments: segment.number()..segment.number() + 1,
            file: self.file.map(|it| it.segment),
            batch: self.batch.map(|it| it.segment),
            is_cut: false,
        });
    }

    fn extend_message(&mut self, segment: &Segment<'_>) {
        match self.messages.last_mut().filter(|_| self.in_message) {
            Some(message) => {
                message.range.end = segment.terminator().end;
                message.segments.end = segment.number() + 1;
            }
            None => {
                let kind = FindingKind::OutsideMessages;
                self.findings.add_once(segment.range().start, segment.number(), kind);
                self.begin_stray(segment);
            }
        }
    }

    fn begin_stray(&mut self, segment: &Segment<'_>) {
        if self.in_stray {
            return;
        }
        self.in_stray = true;
        let under = self.batch.or(self.file).map(|it| it.segment);
        self.strays.push(Stray { segment: segment.number(), under });
        if let Some(message) = self.messages.last_mut().filter(|_| !self.is_closed) {
            message.is_cut = true;
        }
    }

    /// Checks a trailer: that something was open, and that it held what the trailer says. Nothing
    /// stated is nothing to check: the field is optional.
    fn check(
        &mut self,
        segment: &Segment<'_>,
        open: Option<Open>,
        stated: Option<Option<usize>>,
        counted: Option<[usize; 2]>,
        kind: FindingKind,
    ) {
        let kind = match (counted, stated) {
            (None, _) => FindingKind::TrailerAlone,
            (Some(counted), Some(stated)) if !stated.is_some_and(|it| counted.contains(&it)) => {
                let wrapper = open.and_then(|open| self.wrappers.get_mut(open.wrapper));
                if let Some(wrapper) = wrapper {
                    wrapper.is_miscounted = true;
                }
                kind
            }
            _ => return,
        };
        self.findings.add(segment.range().start, segment.number(), kind);
    }

    fn close_batch(&mut self) {
        self.in_message = false;
        if let Some(open) = self.batch.take() {
            self.findings.add(open.offset, open.segment, FindingKind::TrailerMissing);
        }
    }

    fn close_file(&mut self) {
        if let Some(open) = self.file.take() {
            self.findings.add(open.offset, open.segment, FindingKind::TrailerMissing);
        }
    }
}

/// The number in a trailer's first field; none if it is empty, and `Some(None)` if it is no number.
fn stated(
    message: &Message,
    segment: &Segment<'_>,
    delimiters: &Delimiters,
) -> Option<Option<usize>> {
    let raw = message.bytes().get(segment.range())?;
    let field = raw.split(|&byte| byte == delimiters.field).nth(1)?;
    let number = std::str::from_utf8(field).ok().map(str::trim);
    if number == Some("") { None } else { Some(number.and_then(|it| it.parse().ok())) }
}

#[cfg(test)]
mod tests;

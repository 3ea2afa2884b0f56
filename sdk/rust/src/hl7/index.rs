//! Where segments, fields and their parts begin and end, found in one pass over the text.
//!
//! The rules are the gateway's: CR, LF and CRLF end a segment and blank lines belong to the
//! terminator before them; where the first segment ends with a bare CR, a bare LF ends a segment
//! only if something follows that looks like one, or nothing does, or a CR stands beside it.

use super::Delimiters;

/// One delimiter of the message: its offset, and what it separates in the two lowest bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(u32);

/// What a delimiter separates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Field = 0,
    Repetition = 1,
    Component = 2,
    Subcomponent = 3,
}

impl Mark {
    fn new(offset: usize, kind: u32) -> Self {
        Self(narrow(offset) << 2 | kind)
    }

    #[inline]
    pub(super) fn offset(self) -> usize {
        wide(self.0 >> 2)
    }

    #[inline]
    pub(super) fn is(self, kind: Kind) -> bool {
        self.0 & 3 == kind as u32
    }
}

pub(super) struct Index {
    segments: Vec<Span>,
    /// Every delimiter, in order.
    marks: Vec<Mark>,
    /// Which of them separate fields.
    fields: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
    /// How many separators of fields, and how many delimiters, stand before it.
    fields: u32,
    marks: u32,
}

/// A field with all of its repetitions: where it stands, and its delimiters.
pub(super) struct Found<'m> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) marks: &'m [Mark],
}

/// MSH-2 has four characters by custom and five at most; more are no declaration.
const MSH_2_BYTES_MAX: usize = 16;

/// A mark has 30 bits for its offset.
const TEXT_BYTES_MAX: usize = 1 << 30;

/// What a byte is. The first four are a [`Kind`] and 1.
const END: u8 = 5;
const ESCAPE: u8 = 6;

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn wide(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// None if the text does not begin with a header segment whose delimiters can be used.
pub(super) fn index(text: &str) -> Option<(Index, Delimiters)> {
    let start = text.find(|it: char| !is_prefix(it))?;
    let bytes = text.as_bytes();
    let mut delimiters = declared(bytes.get(start..)?)?;
    if TEXT_BYTES_MAX < bytes.len() {
        return None;
    }
    let guess = (bytes.len() / 4).clamp(16, 4096);
    let mut index = Index {
        segments: Vec::with_capacity(32),
        marks: Vec::with_capacity(guess),
        fields: Vec::with_capacity(guess),
    };
    let escapes = index.fill(bytes, start, delimiters);
    // One stands in MSH-2. Where there is no other, no value has to be looked through.
    if escapes < 2 {
        delimiters.escape = 0;
    }
    Some((index, delimiters))
}

/// Blanks, line ends, a VT and a byte order mark may stand before the first segment.
fn is_prefix(it: char) -> bool {
    matches!(it, ' ' | '\t' | '\r' | '\n' | '\u{b}' | '\u{feff}')
}

fn is_header(bytes: &[u8]) -> bool {
    matches!(bytes, [b'M', b'S', b'H', ..] | [b'F' | b'B', b'H', b'S', ..])
}

fn is_name(bytes: &[u8]) -> bool {
    let &[first, second, third] = bytes else {
        return false;
    };
    let is_later = |it: u8| it.is_ascii_uppercase() || it.is_ascii_digit();
    first.is_ascii_uppercase() && is_later(second) && is_later(third)
}

/// `MSH|^~\&|`.
fn declared(bytes: &[u8]) -> Option<Delimiters> {
    if !is_header(bytes) {
        return None;
    }
    let (&field, rest) = bytes.get(3..)?.split_first()?;
    let head = rest.get(..MSH_2_BYTES_MAX + 1).unwrap_or(rest);
    let ends = |&it: &u8| it == field || it == b'\r' || it == b'\n';
    let characters = head.get(..head.iter().position(ends).unwrap_or(head.len()))?;
    let usable = |it: &u8| it.is_ascii() && !matches!(it, 0 | 0x0b | 0x1c | b'\r' | b'\n');
    if MSH_2_BYTES_MAX < characters.len()
        || field.is_ascii_alphanumeric()
        || !usable(&field)
        || !characters.iter().all(usable)
    {
        return None;
    }
    let (&[component, repetition, escape], more) = characters.split_first_chunk::<3>()?;
    if component == repetition || more.iter().skip(2).any(u8::is_ascii_alphanumeric) {
        return None;
    }
    // A character has the first of its roles.
    let mut taken = [component, repetition, 0, 0];
    let mut once = |at: usize, it: u8| {
        let is_free = !taken.contains(&it);
        if is_free && let Some(place) = taken.get_mut(at) {
            *place = it;
        }
        if is_free { it } else { 0 }
    };
    Some(Delimiters {
        field,
        component,
        repetition,
        escape: once(2, escape),
        subcomponent: once(3, more.first().copied().unwrap_or(0)),
        truncation: once(4, more.get(1).copied().unwrap_or(0)),
    })
}

/// What each byte is. A byte of several roles has the widest: the others cannot be told from it.
fn roles(delimiters: Delimiters) -> [u8; 256] {
    let Delimiters { field, component, repetition, escape, subcomponent, .. } = delimiters;
    let mut roles = [0; 256];
    for (byte, role) in [
        (escape, ESCAPE),
        (subcomponent, 1 + Kind::Subcomponent as u8),
        (component, 1 + Kind::Component as u8),
        (repetition, 1 + Kind::Repetition as u8),
        (field, 1 + Kind::Field as u8),
        (b'\r', END),
        (b'\n', END),
        (0, 0),
    ] {
        roles[usize::from(byte)] = role;
    }
    roles
}

impl Index {
    /// One pass. Answers how many escape characters there are.
    fn fill(&mut self, bytes: &[u8], start: usize, delimiters: Delimiters) -> usize {
        let roles = roles(delimiters);
        let mut segment = Span { start: narrow(start), end: 0, fields: 0, marks: 0 };
        let mut escapes = 0;
        let mut ends_with_cr = None;
        let mut at = start;
        loop {
            // Most bytes are no delimiter.
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(next) = rest.iter().position(|it| roles[usize::from(*it)] != 0) else {
                break;
            };
            let role = rest.get(next).map_or(0, |it| roles[usize::from(*it)]);
            at += next + 1;
            match role {
                END => {
                    let row = at - 1;
                    while matches!(bytes.get(at), Some(b'\r' | b'\n')) {
                        at += 1;
                    }
                    let rest = bytes.get(at..).unwrap_or_default();
                    let ends = bytes.get(row..at).unwrap_or_default();
                    if ends_with_cr == Some(true) && !ends_segment(ends, rest, delimiters.field) {
                        continue;
                    }
                    ends_with_cr.get_or_insert(ends == b"\r" || ends.starts_with(b"\r\r"));
                    self.segments.push(Span { end: narrow(row), ..segment });
                    segment = Span {
                        start: narrow(at),
                        end: 0,
                        fields: narrow(self.fields.len()),
                        marks: narrow(self.marks.len()),
                    };
                }
                ESCAPE => escapes += 1,
                kind => {
                    if kind == 1 {
                        self.fields.push(narrow(self.marks.len()));
                    }
                    self.marks.push(Mark::new(at - 1, u32::from(kind - 1)));
                }
            }
        }
        if wide(segment.start) < bytes.len() {
            self.segments.push(Span { end: narrow(bytes.len()), ..segment });
        }
        escapes
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.segments.len()
    }

    /// The separators of a segment's fields, as positions in `marks`.
    fn separators(&self, position: usize) -> &[u32] {
        let Some(span) = self.segments.get(position) else {
            return &[];
        };
        let until = self.segments.get(position + 1).map_or(self.fields.len(), |it| wide(it.fields));
        self.fields.get(wide(span.fields)..until).unwrap_or_default()
    }

    fn mark(&self, number: u32) -> Option<usize> {
        self.marks.get(wide(number)).map(|it| it.offset())
    }

    pub(super) fn name<'m>(&self, text: &'m str, position: usize) -> &'m str {
        let Some(&Span { start, end, .. }) = self.segments.get(position) else {
            return "?";
        };
        let first = self.separators(position).first().and_then(|it| self.mark(*it));
        let name = text.get(wide(start)..first.unwrap_or(wide(end))).unwrap_or_default();
        if is_name(name.as_bytes()) { name } else { "?" }
    }

    /// How many fields a segment has.
    pub(super) fn fields(&self, text: &str, position: usize) -> usize {
        self.separators(position).len() + usize::from(self.is_header(text, position))
    }

    /// Whether the segment declares delimiters: its first field is the separator itself.
    fn is_header(&self, text: &str, position: usize) -> bool {
        let start = self.segments.get(position).map_or(0, |it| wide(it.start));
        is_header(text.as_bytes().get(start..).unwrap_or_default())
    }

    /// A field with all its repetitions. None if the segment is shorter.
    pub(super) fn field(&self, text: &str, position: usize, number: usize) -> Option<Found<'_>> {
        let before = if self.is_header(text, position) {
            if number == 1 {
                let start = wide(self.segments.get(position)?.start);
                return Some(Found { start: start + 3, end: start + 4, marks: &[] });
            }
            number.checked_sub(2)?
        } else {
            number.checked_sub(1)?
        };
        let separators = self.separators(position);
        let first = wide(*separators.get(before)?);
        let start = self.marks.get(first)?.offset() + 1;
        let (until, end) = match separators.get(before + 1) {
            Some(next) => (wide(*next), self.mark(*next)?),
            None => {
                let next = self.segments.get(position + 1);
                let until = next.map_or(self.marks.len(), |it| wide(it.marks));
                (until, wide(self.segments.get(position)?.end))
            }
        };
        Some(Found { start, end, marks: self.marks.get(first + 1..until)? })
    }

    /// MSH-1 and MSH-2 are what they are: nothing in them is split or unescaped.
    pub(super) fn is_declaration(&self, text: &str, position: usize, number: usize) -> bool {
        number <= 2 && self.is_header(text, position)
    }
}

fn ends_segment(row: &[u8], rest: &[u8], separator: u8) -> bool {
    if row.contains(&b'\r') || rest.is_empty() {
        return true;
    }
    let named = rest.get(..3).is_some_and(is_name) && rest.get(3) == Some(&separator);
    named || declared(rest).is_some()
}

//! Where segments and fields begin and end, found in one pass over the text.
//!
//! The rules are the gateway's: CR, LF and CRLF end a segment and blank lines belong to the
//! terminator before them; where the first segment ends with a bare CR, a bare LF ends a segment
//! only if something follows that looks like one, or nothing does, or a CR stands beside it.

use super::Delimiters;

pub(super) struct Index {
    /// Start, end, and how many separators stand before it.
    segments: Vec<[u32; 3]>,
    /// The offset of every field separator.
    separators: Vec<u32>,
}

/// MSH-2 has four characters by custom and five at most; more are no declaration.
const MSH_2_BYTES_MAX: usize = 16;

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
    let delimiters = declared(bytes.get(start..)?)?;
    let guess = (bytes.len() / 8).clamp(16, 4096);
    let mut index =
        Index { segments: Vec::with_capacity(32), separators: Vec::with_capacity(guess) };
    index.fill(bytes, start, delimiters.field);
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

impl Index {
    /// One pass: every separator, every end of a segment.
    fn fill(&mut self, bytes: &[u8], start: usize, separator: u8) {
        let mut start = start;
        let mut first = 0;
        let mut bare_cr = None;
        let mut at = start;
        while let Some(&byte) = bytes.get(at) {
            if byte == separator {
                self.separators.push(narrow(at));
            } else if byte == b'\r' || byte == b'\n' {
                let row = bytes[at..].iter().take_while(|it| matches!(it, b'\r' | b'\n')).count();
                let next = at + row;
                if ends_segment(&bytes[at..next], &bytes[next..], separator, bare_cr == Some(true))
                {
                    bare_cr = bare_cr.or(Some(byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
                    self.segments.push([start, at, first].map(narrow));
                    start = next;
                    first = self.separators.len();
                }
                at = next;
                continue;
            }
            at += 1;
        }
        if start < bytes.len() {
            self.segments.push([start, bytes.len(), first].map(narrow));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.segments.len()
    }

    pub(super) fn name<'m>(&self, text: &'m str, position: usize) -> &'m str {
        let Some(&[start, end, first]) = self.segments.get(position) else {
            return "";
        };
        let end = match self.separators.get(wide(first)) {
            Some(separator) if *separator < end => *separator,
            _ => end,
        };
        let name = text.get(wide(start)..wide(end)).unwrap_or_default();
        if is_name(name.as_bytes()) { name } else { "?" }
    }

    /// How many fields a segment has.
    pub(super) fn fields(&self, text: &str, position: usize) -> usize {
        let Some(&[start, _, first]) = self.segments.get(position) else {
            return 0;
        };
        let until = self.segments.get(position + 1).map_or(self.separators.len(), |it| wide(it[2]));
        let is_header = is_header(text.as_bytes().get(wide(start)..).unwrap_or_default());
        until - wide(first) + usize::from(is_header)
    }

    /// The field, raw and with all its repetitions. None if the segment is shorter.
    pub(super) fn field<'m>(
        &self,
        text: &'m str,
        position: usize,
        number: usize,
    ) -> Option<&'m str> {
        let &[start, end, first] = self.segments.get(position)?;
        let (first, is_header) =
            (wide(first), is_header(text.as_bytes().get(wide(start)..).unwrap_or_default()));
        let before = match (is_header, number) {
            // MSH-1 is the separator itself.
            (true, 1) => return text.get(wide(start) + 3..wide(start) + 4),
            (true, _) => number.checked_sub(2)?,
            (false, _) => number.checked_sub(1)?,
        };
        let from = *self.separators.get(first + before)?;
        if end <= from {
            return None;
        }
        let to = self.separators.get(first + before + 1).copied().unwrap_or(end).min(end);
        text.get(wide(from) + 1..wide(to))
    }

    /// MSH-1 and MSH-2 are what they are: nothing in them is split or unescaped.
    pub(super) fn is_declaration(&self, text: &str, position: usize, number: usize) -> bool {
        number <= 2
            && self.segments.get(position).is_some_and(|&[start, ..]| {
                is_header(text.as_bytes().get(wide(start)..).unwrap_or_default())
            })
    }
}

fn ends_segment(row: &[u8], rest: &[u8], separator: u8, bare_cr: bool) -> bool {
    if !bare_cr || row.contains(&b'\r') || rest.is_empty() {
        return true;
    }
    let named = rest.get(..3).is_some_and(is_name) && rest.get(3) == Some(&separator);
    named || declared(rest).is_some()
}

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::finding::{FindingKind, Findings};
use crate::index::{Index, index, starts_with_header};
use crate::{Charset, DecodeError, Delimiters, Finding, Path, SegmentName, Unfit};

/// More repetitions of MSH-18 than there are character sets say nothing.
const CHARSETS_MAX: usize = 32;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An HL7 v2 message, or a file of several: its bytes, and where everything stands in them.
///
/// A clone shares both. `Debug` prints counts alone.
#[derive(Clone)]
pub struct Message {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) bytes: Bytes,
    /// The bytes that can be delimiters, and others that cannot: the bytes themselves in nearly all
    /// character sets.
    pub(crate) structure: Bytes,
    pub(crate) index: Index,
    pub(crate) charset: Charset,
    findings: Vec<Finding>,
}

/// What a site knows about its senders and they do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// The character set where MSH-18 is empty. HL7 says ASCII; UTF-8 reads that too. MSH-18 and a
    /// byte order mark overrule it.
    pub default_charset: Charset,
}

/// Why bytes are no HL7 v2 message. Everything else is read, with [findings](Finding).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing, or nothing but blanks.
    #[error("the message is empty")]
    Empty,
    /// The first segment is not MSH (nor FHS or BHS).
    #[error("the message does not begin with MSH")]
    NoMsh,
    /// MSH-1 and MSH-2 do not declare characters that can be told apart.
    #[error("MSH-1 and MSH-2 declare no usable delimiters")]
    BadDelimiters,
    /// More than 4 GiB.
    #[error("the message is longer than 4 GiB")]
    TooLong,
    /// It is in UTF-16 or UTF-32, whose bytes cannot be told from delimiters.
    #[error("the message is in UTF-16 or UTF-32; only character sets that extend ASCII are read")]
    WideCharset,
}

impl Message {
    /// Reads a message. Blanks, line ends, a VT and a byte order mark before the first segment are
    /// its prefix and kept.
    pub fn parse(bytes: Bytes) -> Result<Self, ParseError> {
        Self::parse_with(bytes, &Options::default())
    }

    /// The same, with what the site knows.
    pub fn parse_with(bytes: Bytes, options: &Options) -> Result<Self, ParseError> {
        if too_long(bytes.len()) {
            return Err(ParseError::TooLong);
        }
        let mut findings = Findings::default();
        let start = skip_prefix(&bytes, &mut findings);
        let content = bytes.get(start..).unwrap_or_default();
        if content.is_empty() {
            return Err(ParseError::Empty);
        }
        if !starts_with_header(content) {
            return Err(if is_wide(content) { ParseError::WideCharset } else { ParseError::NoMsh });
        }
        let (delimiters, odd) = Delimiters::declared(content).ok_or(ParseError::BadDelimiters)?;
        for kind in odd {
            findings.add(start, 1, kind);
        }
        let marked = bytes.get(..start).is_some_and(|prefix| {
            prefix.windows(BYTE_ORDER_MARK.len()).any(|window| window == BYTE_ORDER_MARK)
        });
        let default = if marked { Charset::Utf8 } else { options.default_charset };
        let read = |charset, findings| Self::read(&bytes, start, delimiters, charset, findings);
        let (mut message, mut all) = read(default, findings.clone());
        let charset = message.declared_charset(marked, default, &mut all);
        // MSH-18 is found before anybody knows whether its message has to be read otherwise.
        let read_as_declared = charset.has_delimiters_inside() || default.has_delimiters_inside();
        if charset != default && read_as_declared {
            (message, all) = read(charset, findings);
            message.declared_charset(marked, default, &mut all);
        }
        let invalid = charset.first_invalid(message.bytes().get(start..).unwrap_or_default());
        if let Some(offset) = invalid.map(|offset| start + offset) {
            let segment = message.inner.index.segment_at(offset);
            all.add(offset, segment, FindingKind::NotInCharset);
        }
        message.find_continuations(&mut all);
        if let Some(inner) = Arc::get_mut(&mut message.inner) {
            inner.charset = charset;
            inner.findings = all.into_vec();
        }
        Ok(message)
    }

    /// Indexes the bytes as those of a character set.
    fn read(
        bytes: &Bytes,
        start: usize,
        delimiters: Delimiters,
        charset: Charset,
        mut findings: Findings,
    ) -> (Self, Findings) {
        let (prefix, content) = bytes.split_at_checked(start).unwrap_or((&[], bytes));
        let structure = match charset.structure(content, delimiters.escape) {
            Cow::Borrowed(_) => bytes.clone(),
            Cow::Owned(structure) => [prefix, &structure].concat().into(),
        };
        let index = index(&structure, start, delimiters, &mut findings);
        let bytes = bytes.clone();
        let inner = Inner { bytes, structure, index, charset, findings: Vec::new() };
        (Self { inner: Arc::new(inner) }, findings)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        &self.inner.bytes
    }

    /// As many bytes, in which every byte that is a delimiter's is a delimiter: in some character
    /// sets ([`Charset::structure`]) others have such bytes inside. Split these, and take the ranges
    /// from [`Self::bytes`].
    pub fn structure(&self) -> &Bytes {
        &self.inner.structure
    }

    /// What stands before the first segment.
    pub fn prefix(&self) -> Range<usize> {
        0..self.inner.index.span(0).map_or(0, |span| span.range.start)
    }

    /// The delimiters that the first segment declares. Each message of a batch may have its own:
    /// [`Segment::delimiters`](crate::Segment::delimiters).
    pub fn delimiters(&self) -> &Delimiters {
        &self.inner.index.first
    }

    /// The character set: MSH-18, or the site's default if that is empty.
    pub fn charset(&self) -> Charset {
        self.inner.charset
    }

    /// What is odd about the message, at most 65 entries.
    pub fn findings(&self) -> &[Finding] {
        &self.inner.findings
    }

    /// How many MSH segments there are.
    pub fn count_messages(&self) -> usize {
        self.segments_named(SegmentName::MSH).count()
    }

    /// Whether this is anything but one message: FHS or BHS, no MSH, or several.
    pub fn is_batch(&self) -> bool {
        let envelope = [SegmentName::FHS, SegmentName::BHS];
        let enveloped = envelope.into_iter().any(|name| self.segments_named(name).next().is_some());
        enveloped || self.count_messages() != 1
    }

    /// The text of a value: the bytes of the range, unescaped, in the message's character set.
    pub fn text(&self, range: Range<usize>) -> Result<String, DecodeError> {
        let delimiters = self.inner.index.delimiters_at(range.start);
        let raw = self.bytes().get(range).ok_or(DecodeError::NoSuchRange)?;
        self.charset().decode(delimiters.unescape_in(self.charset(), raw))
    }

    /// Writes a text as a value of this message: [`Delimiters::escape_into`].
    pub fn escape_into(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Unfit> {
        self.delimiters().escape_into(self.charset(), text, out)
    }

    /// Type and event of the message, `ADT^A01`, from MSH-9; empty if it has none. A part that
    /// does not look like a code prints as `?`, since the text goes into logs.
    pub fn kind(&self) -> String {
        let part = |component: u32| {
            let path = Path { component: Some(component), ..Path::field_of(SegmentName::MSH, 9) };
            let code = self.find(&path).and_then(|range| self.bytes().get(range))?;
            let printable = code.len() <= 16 && code.iter().all(u8::is_ascii_alphanumeric);
            Some(if printable { String::from_utf8_lossy(code) } else { "?".into() })
        };
        match (part(1), part(2)) {
            (None, None) => String::new(),
            (Some(code), None) => code.into_owned(),
            (code, Some(event)) => format!("{}^{event}", code.unwrap_or_default()),
        }
    }

    /// MSH-18. Its first repetition is the character set, and the others are ones that values may
    /// switch to. JIS X 0208 always stands beside ASCII, so it is read where either comes first.
    fn declared_charset(&self, marked: bool, default: Charset, findings: &mut Findings) -> Charset {
        let Some(msh) = self.segment(SegmentName::MSH, 1) else {
            return default;
        };
        let Some(range) = msh.field(18).filter(|range| !range.is_empty()) else {
            return default;
        };
        let mut found = |kind| findings.add(range.start, msh.number(), kind);
        let field = self.bytes().get(range.clone()).unwrap_or_default();
        let mut names = field.split(|&byte| byte == msh.delimiters().repetition);
        let first = names.next().unwrap_or_default();
        let is_empty = first.is_empty() || first == b"\"\"";
        let further: Vec<_> = names.take(CHARSETS_MAX).map(Charset::from_any_name).collect();
        let of_jis = |it: &Option<Charset>| matches!(it, Some(Charset::Jis | Charset::Ascii));
        if further.contains(&Some(Charset::Jis))
            && further.iter().all(of_jis)
            && (is_empty || of_jis(&Charset::from_any_name(first)))
        {
            return Charset::Jis;
        }
        if !further.is_empty() {
            found(FindingKind::FurtherCharsets);
        }
        if is_empty {
            return default;
        }
        let charset = Charset::from_name(first).or_else(|| {
            let charset = Charset::from_other_spelling(first);
            found(charset.map_or(FindingKind::UnknownCharset, |_| FindingKind::CharsetSpelling));
            charset
        });
        let charset = charset.unwrap_or(Charset::Unknown);
        if marked && charset != Charset::Utf8 {
            found(FindingKind::CharsetContradiction);
        }
        charset
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("bytes", &self.bytes().len())
            .field("segments", &self.inner.index.count())
            .field("findings", &self.findings().len())
            .finish()
    }
}

/// Offsets are kept in 32 bits.
fn too_long(length: usize) -> bool {
    u32::try_from(length).is_err()
}

/// How many bytes before the first segment are no part of it.
fn skip_prefix(bytes: &[u8], findings: &mut Findings) -> usize {
    let mut rest = bytes;
    loop {
        let offset = bytes.len() - rest.len();
        match rest {
            [b' ' | b'\t' | b'\r' | b'\n' | 0x0b, after @ ..] => {
                findings.add_once(offset, 0, FindingKind::BlankPrefix);
                rest = after;
            }
            [0xef, 0xbb, 0xbf, after @ ..] => {
                findings.add_once(offset, 0, FindingKind::ByteOrderMark);
                rest = after;
            }
            _ => return offset,
        }
    }
}

/// A byte order mark of UTF-16 or UTF-32, or a header whose letters have zeros between them.
fn is_wide(bytes: &[u8]) -> bool {
    let header: Vec<u8> = bytes.iter().copied().take(16).filter(|&byte| byte != 0).collect();
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..])
        || bytes.iter().take(16).any(|&byte| byte == 0) && starts_with_header(&header)
}

#[cfg(test)]
mod tests;

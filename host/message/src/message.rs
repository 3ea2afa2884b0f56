use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hilum_hl7::DecodeError;

use crate::json::Kind;
use crate::path::{At, Found};
use crate::{Json, Path, hl7};

/// A message: its bytes as they came, and an index of what stands where.
#[derive(Clone)]
pub enum Message {
    /// HL7 v2.
    Hl7(hilum_hl7::Message),
    /// FHIR or other JSON.
    Fhir(Json),
    /// A format without a reader, kept as it is.
    Opaque(Opaque),
}

/// A body that nothing here can read.
#[derive(Clone)]
pub struct Opaque {
    format: Arc<str>,
    bytes: Bytes,
}

/// Why bytes are no message of their format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not HL7 v2.
    #[error("not HL7 v2")]
    Hl7(#[from] hilum_hl7::ParseError),
    /// Not JSON.
    #[error("not JSON")]
    Json(#[from] hilum_fhir::JsonError),
}

/// Why a place of a message could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The path is not one of this format. The text says where it is wrong.
    #[error("{0}")]
    MalformedPath(String),
    /// The format has no places.
    #[error("the body is not of a structured format")]
    Unstructured,
    /// The bytes of the value are not text.
    #[error(transparent)]
    NotText(#[from] DecodeError),
}

/// Whether a format of this name has places and values.
pub fn is_structured(format: &str) -> bool {
    matches!(format, "hl7v2" | "fhir-json" | "json")
}

/// Places for values that a message may have: a bound on the work of everything that looks at each.
/// A result with 1,000 OBX has some 30,000, a FHIR Bundle of 10 MB some 250,000; a document is one.
pub const PLACES_MAX: usize = 250_000;

impl Message {
    /// Reads a body of the named format. Formats without a reader take any bytes.
    pub fn parse(format: &str, bytes: Bytes) -> Result<Self, ParseError> {
        Self::parse_with(format, bytes, &hilum_hl7::Options::default())
    }

    /// The same, with what the site knows about its senders of HL7 v2.
    pub fn parse_with(
        format: &str,
        bytes: Bytes,
        hl7: &hilum_hl7::Options,
    ) -> Result<Self, ParseError> {
        Ok(match format {
            "hl7v2" => Self::Hl7(hilum_hl7::Message::parse_with(bytes, hl7)?),
            "fhir-json" | "json" => Self::Fhir(Json::parse(format, bytes)?),
            _ => Self::Opaque(Opaque { format: Arc::from(format), bytes }),
        })
    }

    /// The message as it is to be read: in HL7 v2 with each segment that ADD continues in one piece. Its
    /// bytes are then others than came. The same message if there is nothing to join.
    #[must_use]
    pub fn joined(self: &Arc<Self>) -> Arc<Self> {
        let Self::Hl7(message) = &**self else { return Arc::clone(self) };
        match message.joined() {
            Ok(joined) if joined.bytes().len() != message.bytes().len() => {
                Arc::new(Self::Hl7(joined))
            }
            Ok(_) | Err(_) => Arc::clone(self),
        }
    }

    /// The format's name, as the contract has it.
    pub fn format(&self) -> &str {
        match self {
            Self::Hl7(_) => "hl7v2",
            Self::Fhir(json) => json.format(),
            Self::Opaque(opaque) => &opaque.format,
        }
    }

    /// The bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Hl7(message) => message.bytes(),
            Self::Fhir(json) => json.bytes(),
            Self::Opaque(opaque) => &opaque.bytes,
        }
    }

    /// How many places for values the message has, at most: its separators and segments in HL7 v2;
    /// 0 for JSON, whose reader takes no more than [`PLACES_MAX`], and for formats that have none. Costs
    /// one look at each byte.
    pub fn places_max(&self) -> usize {
        let Self::Hl7(message) = self else { return 0 };
        let delimiters = message.delimiters();
        let mut is_separator = [false; 256];
        let separators = [Some(delimiters.field), Some(delimiters.component)];
        let more = [Some(delimiters.repetition), delimiters.subcomponent];
        let line_ends = [Some(b'\r'), Some(b'\n')];
        for byte in separators.into_iter().chain(more).chain(line_ends).flatten() {
            is_separator[usize::from(byte)] = true;
        }
        message.structure().iter().filter(|byte| is_separator[usize::from(**byte)]).count()
    }

    /// How HL7 v2 that is made of this message is to be read: as this message where neither names a
    /// character set.
    pub fn made_with(&self) -> hilum_hl7::Options {
        let Self::Hl7(message) = self else { return hilum_hl7::Options::default() };
        let path = hilum_hl7::Path::field_of(hilum_hl7::SegmentName::MSH, 18);
        let named = message.find(&path).and_then(|range| self.bytes().get(range));
        if named.is_some_and(|it| !it.is_empty() && it != b"\"\"") {
            return hilum_hl7::Options::default();
        }
        hilum_hl7::Options { default_charset: message.charset() }
    }

    /// What the format calls its type: `ADT^A01`, `Bundle`; empty where it calls it nothing.
    pub fn kind(&self) -> String {
        match self {
            Self::Hl7(message) => message.kind(),
            Self::Fhir(json) => json.resource_type(Json::ROOT).unwrap_or_default(),
            Self::Opaque(_) => String::new(),
        }
    }

    /// The names of the parts in their order: segments, or a Bundle's entries by type.
    pub fn outline(&self) -> Vec<String> {
        match self {
            Self::Hl7(message) => message.segments().map(|it| it.name().to_owned()).collect(),
            Self::Fhir(json) => json.outline(),
            Self::Opaque(_) => Vec::new(),
        }
    }

    /// The message as HL7 v2, if it is.
    pub fn as_hl7(&self) -> Option<&hilum_hl7::Message> {
        match self {
            Self::Hl7(message) => Some(message),
            Self::Fhir(_) | Self::Opaque(_) => None,
        }
    }

    /// The message as JSON, if it is.
    pub fn as_json(&self) -> Option<&Json> {
        match self {
            Self::Fhir(json) => Some(json),
            Self::Hl7(_) | Self::Opaque(_) => None,
        }
    }

    /// Parses a path of this message's format.
    pub fn path(&self, text: &str) -> Result<Path, ReadError> {
        match self {
            Self::Hl7(_) => Path::hl7(text),
            Self::Fhir(_) => Path::json(text),
            Self::Opaque(_) => Err(ReadError::Unstructured),
        }
    }

    /// The first value at a path. None if it is absent or empty; HL7's `""` is found. A path of
    /// another format finds nothing.
    pub fn find(&self, path: &Path) -> Option<Found> {
        match (self, path) {
            (Self::Hl7(message), Path::Hl7(path)) => hl7::find(message, path),
            (Self::Fhir(json), Path::Json(path)) => json.first(path),
            _ => None,
        }
    }

    /// Every value at a path: one entry for each repetition of each occurrence, in order, and none
    /// where one has nothing.
    pub fn find_all(&self, path: &Path) -> Vec<Option<Found>> {
        match (self, path) {
            (Self::Hl7(message), Path::Hl7(path)) => hl7::find_all(message, path),
            (Self::Fhir(json), Path::Json(path)) => json.all(path),
            _ => Vec::new(),
        }
    }

    /// How many segments, repetitions or elements there are.
    pub fn count_of(&self, path: &Path) -> usize {
        match (self, path) {
            (Self::Hl7(message), Path::Hl7(path)) => message.count(path),
            (Self::Fhir(json), Path::Json(path)) => json.nodes_at(path).len(),
            _ => 0,
        }
    }

    /// Whether anything stands at or below a path: a segment, or a value that is neither empty nor
    /// HL7's `""`.
    pub fn exists(&self, path: &Path) -> bool {
        match (self, path) {
            (Self::Hl7(message), Path::Hl7(path)) => hl7::exists(message, path),
            (Self::Fhir(json), Path::Json(path)) => {
                json.nodes_at(path).iter().any(|node| json.leaf_below(*node).is_some())
            }
            _ => false,
        }
    }

    /// The text of a value. None if it is HL7's `""`.
    pub fn text_of(&self, found: &Found) -> Result<Option<String>, DecodeError> {
        match (self, found.at) {
            (Self::Hl7(message), At::Hl7(_)) => {
                if self.bytes().get(found.range.clone()) == Some(b"\"\"") {
                    return Ok(None);
                }
                message.text(found.range.clone()).map(Some)
            }
            (Self::Fhir(json), At::Json(node)) => Ok(json.scalar(node)),
            _ => Err(DecodeError::NoSuchRange),
        }
    }

    /// Every value in the order of the bytes: HL7's subcomponents that are not empty, JSON's
    /// strings, numbers and booleans; the whole body where the format has no places.
    pub fn values(&self) -> Box<dyn Iterator<Item = Found> + '_> {
        match self {
            Self::Hl7(message) => Box::new(
                message.leaves().map(|leaf| Found { at: At::Hl7(leaf.place), range: leaf.range }),
            ),
            Self::Fhir(json) => Box::new(json.leaves()),
            Self::Opaque(opaque) if opaque.bytes.is_empty() => Box::new(std::iter::empty()),
            Self::Opaque(opaque) => {
                Box::new(std::iter::once(Found { at: At::Body, range: 0..opaque.bytes.len() }))
            }
        }
    }

    /// The first value at the path, as text. None if it is absent, empty or deleted.
    pub fn get(&self, path: &str) -> Result<Option<String>, ReadError> {
        let path = self.path(path)?;
        let Some(found) = self.find(&path) else { return Ok(None) };
        Ok(self.text_of(&found)?.filter(|text| !text.is_empty()))
    }

    /// Every value at the path, as text.
    pub fn all(&self, path: &str) -> Result<Vec<Option<String>>, ReadError> {
        let path = self.path(path)?;
        let texts = self.find_all(&path).into_iter().map(|found| match found {
            Some(found) => self.text_of(&found),
            None => Ok(None),
        });
        Ok(texts.collect::<Result<_, _>>()?)
    }

    /// How many segments, repetitions or elements there are at the path.
    pub fn count(&self, path: &str) -> Result<usize, ReadError> {
        Ok(self.count_of(&self.path(path)?))
    }

    /// A place as people write it. A member of JSON whose name is none of an element prints as `?`,
    /// since it may be anything.
    pub fn place_name(&self, at: At) -> String {
        match (self, at) {
            (_, At::Hl7(place)) => {
                let mut name = String::with_capacity(16);
                place.write_to(&mut name);
                name
            }
            (Self::Fhir(json), At::Json(node)) => json.shown_path_of(node),
            _ => String::new(),
        }
    }

    /// A short text that no other place of the message has: for keys, and never shown. In JSON a path
    /// may be as long as the document, so there it is the value's number.
    pub fn place_key(&self, at: At) -> String {
        match at {
            At::Json(node) => format!("#{}", node.index()),
            At::Hl7(_) | At::Body => self.place_name(at),
        }
    }

    /// Whether the value is a JSON number or boolean.
    pub fn json_kind(&self, at: At) -> Option<Kind> {
        match (self, at) {
            (Self::Fhir(json), At::Json(node)) => json.node(node).map(|it| it.kind),
            _ => None,
        }
    }
}

/// Counts only: the bytes are PHI.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({}, {} bytes)", self.format(), self.bytes().len())
    }
}

/// Counts only: the bytes are PHI.
impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({}, {} bytes)", self.format, self.bytes.len())
    }
}

#[cfg(test)]
mod tests;

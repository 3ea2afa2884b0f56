//! A message being written.
//!
//! A draft begins as what the view shows, so it holds tokens where the body holds them, and becomes an
//! output like any other: what it may hold, and where a value may go, is decided when it is cleared.
//!
//! Promises: nothing that the grant seals or withholds gets into a draft but as a token; bytes that
//! are not edited stay as they came.
//! Not here: formats other than HL7 v2.

use bytes::Bytes;
use hilum_message::hl7v2::{self, Charset, EditError, EditLimits, Options, Position, Segment};
use hilum_message::{Message, Path};

use super::{Access, View};

/// A message being written, with tokens in the places of sealed values.
pub struct Draft {
    draft: hl7v2::Draft,
}

/// What the head of a blank message is, before and after its type. Its letters may be any, so MSH-18
/// says so: HL7 v2.5.1 ch. 2, an empty one means ASCII.
const BLANK: (&str, &str) = ("MSH|^~\\&|||||||", "|||||||||UNICODE UTF-8\r");

impl View {
    /// A draft that holds all that this view shows.
    pub fn draft_of_message(&mut self, limits: EditLimits) -> Result<Draft, Access> {
        Ok(Draft { draft: self.shown_hl7()?.edit(limits) })
    }

    /// A draft that holds a head alone: delimiters, type (`ADT^A01`) and character set.
    pub fn blank_draft(
        &self,
        format: &str,
        kind: &str,
        limits: EditLimits,
    ) -> Result<Draft, Access> {
        if format != "hl7v2" {
            return Err(other_format());
        }
        let is_code = |it: &str| it.len() <= 16 && it.bytes().all(is_of_a_code);
        if !kind.split('^').all(is_code) || 3 < kind.split('^').count() {
            return Err(Access::Unfit("a type is like ADT^A01 or ADT^A01^ADT_A01".to_owned()));
        }
        let bytes = Bytes::from([BLANK.0, kind, BLANK.1].concat());
        let blank = hl7v2::Message::parse(bytes).map_err(|it| Access::Unfit(it.to_string()))?;
        Ok(Draft { draft: blank.edit(limits) })
    }

    /// Copies what stands at a place of the message to one of a draft, whole: all repetitions of a
    /// field, all components of a repetition; between segments of one name, the segment. From another
    /// format than HL7 v2, the first value. Answers how many bytes that was; none if nothing stands
    /// there, and nothing is changed.
    pub fn copy_into(
        &mut self,
        draft: &mut Draft,
        origin: &str,
        target: &str,
    ) -> Result<Option<usize>, Access> {
        if self.message().as_hl7().is_none() {
            let Some(value) = self.get(origin)? else { return Ok(None) };
            return draft.set(target, &value).map(|()| Some(value.len()));
        }
        let Path::Hl7(origin) = self.path(origin)? else { return Err(Access::Unstructured) };
        let shown = self.shown_hl7()?;
        let stood = self.message().as_hl7().and_then(|it| it.part(&origin));
        let Some(stood) = stood else { return Ok(None) };
        let next = self.left_out.partition_point(|start| *start < stood.start);
        if self.left_out.get(next).is_some_and(|start| *start < stood.end) {
            return Err(Access::Withheld);
        }
        let Some(part) = shown.part(&origin) else { return Ok(None) };
        let target = hl7_path(target)?;
        let bytes = part.len();
        match (origin.field, target.field) {
            (None, None) => {
                let segment = shown.segment(origin.segment, origin.occurrence.unwrap_or(1));
                let Some(segment) = segment else { return Ok(None) };
                draft.append(&segment, &target)?;
            }
            _ => draft.make_segment(&target, |draft, target| {
                draft.copy_range(target, &shown, part.clone())
            })?,
        }
        Ok(Some(bytes))
    }

    /// What the view shows, read as HL7 v2.
    fn shown_hl7(&mut self) -> Result<hl7v2::Message, Access> {
        let charset: Charset = match &**self.message() {
            Message::Hl7(hl7) => hl7.charset(),
            Message::Fhir(_) => return Err(other_format()),
            Message::Opaque(_) => return Err(Access::Unstructured),
        };
        if self.read.is_none() {
            let read =
                hl7v2::Message::parse_with(self.body(), &Options { default_charset: charset });
            self.read = Some(read.map_err(|it| Access::Other(it.to_string()))?);
        }
        self.read.clone().ok_or(Access::Unstructured)
    }
}

impl Draft {
    /// Writes a text as the value at a path, escaped. An empty text makes it absent. A segment that
    /// is not there is made at the end, if it is the next of its name.
    pub fn set(&mut self, path: &str, value: &str) -> Result<(), Access> {
        let path = hl7_path(path)?;
        if path.field.is_none() {
            return Err(Access::MalformedPath(format!("{path} names no value")));
        }
        self.make_segment(&path, |draft, path| draft.set(path, value))
    }

    /// Makes absent what a path names, and answers how many values, repetitions or segments went.
    pub fn remove(&mut self, path: &str) -> Result<usize, Access> {
        self.draft.remove(&hl7_path(path)?).map_err(refused)
    }

    /// Its format by name.
    pub fn format(&self) -> &'static str {
        "hl7v2"
    }

    /// The bytes, with tokens.
    pub fn finish(&self) -> Result<Bytes, Access> {
        self.draft.finish().map(|it| it.bytes().clone()).map_err(refused)
    }

    /// Edits, and once more with the segment that the path lacks.
    fn make_segment(
        &mut self,
        path: &hl7v2::Path,
        edit: impl Fn(&mut hl7v2::Draft, &hl7v2::Path) -> Result<(), EditError>,
    ) -> Result<(), Access> {
        match edit(&mut self.draft, path) {
            Err(EditError::NoSuchSegment { .. }) if self.is_next(path) => {
                self.draft.insert_segment(path.segment, Position::Last).map_err(refused)?;
                let edited = edit(&mut self.draft, path);
                if edited.is_err() {
                    let made = hl7v2::Path { field: None, ..whole(path) };
                    // It was made for nothing.
                    self.draft.take_out(&made).map_err(refused)?;
                }
                edited.map_err(refused)
            }
            edited => edited.map_err(refused),
        }
    }

    /// Appends a segment of another message under the path's name and number.
    fn append(&mut self, segment: &Segment<'_>, target: &hl7v2::Path) -> Result<(), Access> {
        if segment.segment_name() != target.segment || !self.is_next(target) {
            let text = "a segment is copied under its own name, as the next one of it";
            return Err(Access::Unfit(text.to_owned()));
        }
        self.draft.copy_segment(segment, Position::Last).map(drop).map_err(refused)
    }

    /// Whether a path's segment is the next of its name.
    fn is_next(&self, path: &hl7v2::Path) -> bool {
        let occurrence = path.occurrence.unwrap_or(1);
        let before = hl7v2::Path { occurrence: Some(occurrence - 1), ..*path };
        !self.draft.has_segment(path) && (occurrence == 1 || self.draft.has_segment(&before))
    }
}

/// The segment of a path alone.
fn whole(path: &hl7v2::Path) -> hl7v2::Path {
    hl7v2::Path { repetition: None, component: None, subcomponent: None, ..*path }
}

fn hl7_path(text: &str) -> Result<hl7v2::Path, Access> {
    match Path::hl7(text)? {
        Path::Hl7(path) => Ok(path),
        Path::Json(_) => Err(Access::Unstructured),
    }
}

fn other_format() -> Access {
    Access::Other("only hl7v2 can be edited in this version".to_owned())
}

fn is_of_a_code(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Places and reasons; no content is in an [`EditError`].
fn refused(fault: EditError) -> Access {
    match fault {
        EditError::WrongLevel { .. } => Access::MalformedPath(fault.to_string()),
        _ => Access::Unfit(fault.to_string()),
    }
}

#[cfg(test)]
mod tests;

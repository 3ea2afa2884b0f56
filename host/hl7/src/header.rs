use bytes::Bytes;

use crate::{Charset, Delimiters, Message, Segment, SegmentName};

/// What an answer needs of a message: fields of MSH as they stand there, not unescaped.
///
/// Without any MSH (a batch of nothing) the fields of the first FHS or BHS: 3 to 6, its control
/// id (field 11) and what it refers to (field 12).
#[derive(Clone)]
pub struct Header {
    /// The delimiters that the fields are written with.
    pub delimiters: Delimiters,
    /// The character set that the fields are written in.
    pub charset: Charset,
    /// MSH-3.
    pub sending_application: Bytes,
    /// MSH-4.
    pub sending_facility: Bytes,
    /// MSH-5.
    pub receiving_application: Bytes,
    /// MSH-6.
    pub receiving_facility: Bytes,
    /// MSH-9.
    pub message_type: Bytes,
    /// MSH-10.
    pub control_id: Bytes,
    /// BHS-12 or FHS-12: the control id of the batch or file that this one answers. MSH has none.
    pub reference: Bytes,
    /// MSH-11.
    pub processing_id: Bytes,
    /// MSH-12.
    pub version: Bytes,
    /// MSH-15.
    pub accept_acknowledgement: Bytes,
    /// MSH-16.
    pub application_acknowledgement: Bytes,
    /// MSH-18.
    pub character_set: Bytes,
    /// MSH-21.
    pub profile: Bytes,
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header").field("charset", &self.charset).finish_non_exhaustive()
    }
}

impl Header {
    /// The same with bytes of its own, since as long as a header shares its message's bytes these stay
    /// in memory. A field that is longer than `bytes_max` is left out.
    #[must_use]
    pub fn detached(&self, bytes_max: usize) -> Self {
        let own = |field: &Bytes| match field.len() <= bytes_max {
            true => Bytes::copy_from_slice(field),
            false => Bytes::new(),
        };
        Self {
            delimiters: self.delimiters,
            charset: self.charset,
            sending_application: own(&self.sending_application),
            sending_facility: own(&self.sending_facility),
            receiving_application: own(&self.receiving_application),
            receiving_facility: own(&self.receiving_facility),
            message_type: own(&self.message_type),
            control_id: own(&self.control_id),
            reference: own(&self.reference),
            processing_id: own(&self.processing_id),
            version: own(&self.version),
            accept_acknowledgement: own(&self.accept_acknowledgement),
            application_acknowledgement: own(&self.application_acknowledgement),
            character_set: own(&self.character_set),
            profile: own(&self.profile),
        }
    }

    /// The first field that is longer than so many bytes, by its number in MSH.
    pub fn longer_than(&self, bytes_max: usize) -> Option<u32> {
        let fields = [
            (3, &self.sending_application),
            (4, &self.sending_facility),
            (5, &self.receiving_application),
            (6, &self.receiving_facility),
            (9, &self.message_type),
            (10, &self.control_id),
            (11, &self.processing_id),
            (12, &self.version),
            (15, &self.accept_acknowledgement),
            (16, &self.application_acknowledgement),
            (18, &self.character_set),
        ];
        fields.into_iter().find(|(_, field)| bytes_max < field.len()).map(|(number, _)| number)
    }
}

impl Message {
    /// The header, to keep: it shares the message's bytes.
    pub fn header(&self) -> Header {
        let segment = self.segment(SegmentName::MSH, 1).or_else(|| self.segments().next());
        self.header_in(segment.as_ref())
    }

    /// The same of one header segment among several, a MSH, FHS or BHS of a batch, by its number among
    /// all segments (from 1).
    pub fn header_at(&self, segment: usize) -> Header {
        let before = segment.checked_sub(1);
        self.header_in(before.and_then(|it| Segment::new(self.inner(), it, 1)).as_ref())
    }

    fn header_in(&self, segment: Option<&Segment<'_>>) -> Header {
        let is_msh = segment.is_some_and(|it| it.segment_name() == SegmentName::MSH);
        let field = |number: u32| {
            let range = segment.and_then(|segment| segment.field(number));
            range.map(|range| self.bytes().slice(range)).unwrap_or_default()
        };
        let of_msh = |number: u32| if is_msh { field(number) } else { Bytes::new() };
        Header {
            delimiters: segment.map_or(*self.delimiters(), |it| *it.delimiters()),
            charset: self.charset(),
            sending_application: field(3),
            sending_facility: field(4),
            receiving_application: field(5),
            receiving_facility: field(6),
            message_type: of_msh(9),
            control_id: field(if is_msh { 10 } else { 11 }),
            reference: if is_msh { Bytes::new() } else { field(12) },
            processing_id: of_msh(11),
            version: of_msh(12),
            accept_acknowledgement: of_msh(15),
            application_acknowledgement: of_msh(16),
            character_set: of_msh(18),
            profile: of_msh(21),
        }
    }
}

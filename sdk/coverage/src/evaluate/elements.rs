//! Elements that a condition or an assignment names, seen from a row.

use crate::condition::{Elements, Reference};
use crate::source::{Element, Segment, Source};

/// Where a row is: a segment, a repetition of its field, an element of a datatype.
#[derive(Clone, Copy)]
pub struct Here<'a> {
    source: &'a Source,
    at: usize,
    /// The field, and which repetition of it.
    field: Option<(u32, &'a Element)>,
    /// The element whose datatype's map is run.
    whole: Option<&'a Element>,
    /// The row's own element.
    own: Option<&'a Element>,
}

impl<'a> Here<'a> {
    /// At a segment as a whole.
    pub fn segment(source: &'a Source, at: usize) -> Self {
        Self { source, at, field: None, whole: None, own: None }
    }

    /// At a repetition of a field.
    pub fn field(source: &'a Source, at: usize, number: u32, element: &'a Element) -> Self {
        Self { source, at, field: Some((number, element)), whole: None, own: Some(element) }
    }

    /// At a part of an element.
    pub fn datatype<'b>(&self, whole: &'b Element, part: &'b Element) -> Here<'b>
    where
        'a: 'b,
    {
        Here { whole: Some(whole), own: Some(part), ..*self }
    }

    /// The segment that a reference is to: this one, or the nearest before it, or else behind it.
    fn find(&self, name: &str) -> Option<(&'a Segment, bool)> {
        let segments = &self.source.segments;
        let here = segments.get(self.at)?;
        if here.name == name {
            return Some((here, true));
        }
        let before = segments[..self.at].iter().rev().find(|it| it.name == name);
        let found = before.or_else(|| segments[self.at..].iter().find(|it| it.name == name))?;
        Some((found, false))
    }

    fn all(&self, reference: &Reference) -> Vec<Element> {
        let part = |element: &Element, numbers: &[u32]| {
            numbers.iter().fold(element.clone(), |it, number| it.part(*number))
        };
        if reference.name.is_empty() {
            return self.own.filter(|it| it.is_valued()).cloned().into_iter().collect();
        }
        // A name that is no segment's is a datatype's. All segments that conditions name begin so.
        let is_datatype = !SEGMENTS.contains(&reference.name.as_str());
        if is_datatype {
            let Some(whole) = self.whole.or(self.own) else { return self.message_type(reference) };
            if reference.name == "MSG" && self.field.is_none_or(|it| it.0 != 9) {
                return self.message_type(reference);
            }
            return vec![part(whole, &reference.numbers)]
                .into_iter()
                .filter(Element::is_valued)
                .collect();
        }
        let Some((segment, is_here)) = self.find(&reference.name) else { return Vec::new() };
        let Some((field, below)) = reference.numbers.split_first() else {
            return vec![Element::of(&segment.name)];
        };
        let repetitions: Vec<&Element> = match self.field {
            Some((number, own)) if is_here && number == *field => vec![own],
            _ => segment.field(*field),
        };
        let parts = repetitions.into_iter().map(|it| part(it, below));
        parts.filter(Element::is_valued).collect()
    }

    /// `MSG.1` from anywhere is MSH-9.1.
    fn message_type(&self, reference: &Reference) -> Vec<Element> {
        let header = self.source.segments.iter().find(|it| it.name == "MSH");
        let field = header.and_then(|it| it.field(9).first().copied().cloned()).unwrap_or_default();
        let part = reference.numbers.iter().fold(field, |it, number| it.part(*number));
        vec![part].into_iter().filter(Element::is_valued).collect()
    }
}

/// Segments that conditions and assignments name.
const SEGMENTS: &[&str] = &[
    "MSH", "EVN", "PID", "PD1", "PV1", "PV2", "NK1", "OBX", "OBR", "ORC", "NTE", "SPM", "TQ1",
    "AL1", "IAM", "DG1", "PR1", "IN1", "IN2", "IN3", "ROL", "PRT", "MRG", "SFT", "GT1", "TXA",
    "RXA",
];

impl Elements for Here<'_> {
    fn texts(&self, reference: &Reference) -> Vec<String> {
        self.all(reference).iter().map(|it| it.text().to_owned()).collect()
    }

    fn repetitions(&self, reference: &Reference) -> usize {
        match (self.find(&reference.name), reference.numbers.as_slice()) {
            (Some((segment, _)), [field]) => segment.field(*field).len(),
            _ => self.all(reference).len(),
        }
    }
}

/// `OBX[2]`, `PID`.
pub fn name_of(segment: &Segment) -> String {
    match segment.occurrence {
        0 | 1 => segment.name.clone(),
        occurrence => format!("{}[{occurrence}]", segment.name),
    }
}

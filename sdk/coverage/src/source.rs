//! The message that was mapped, read without any help of the plugin's SDK.

use std::collections::BTreeMap;

use anyhow::Context as _;
use bytes::Bytes;

/// A field's repetition, a component or a subcomponent: a text, or parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    text: String,
    parts: BTreeMap<u32, Element>,
}

/// A segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its name.
    pub name: String,
    /// Which of its name, from 1.
    pub occurrence: u32,
    /// The repetitions of each field that is populated.
    fields: BTreeMap<u32, BTreeMap<u32, Element>>,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its segments, in order.
    pub segments: Vec<Segment>,
}

impl Element {
    /// A text alone.
    pub fn of(text: &str) -> Self {
        Self { text: text.to_owned(), parts: BTreeMap::new() }
    }

    /// A part of it. The first part of what has none is itself.
    pub fn part(&self, number: u32) -> Self {
        if self.parts.is_empty() && number == 1 {
            return self.clone();
        }
        self.parts.get(&number).cloned().unwrap_or_default()
    }

    /// Its text, or that of its first part.
    pub fn text(&self) -> &str {
        match self.parts.get(&1) {
            Some(first) => first.text(),
            None => &self.text,
        }
    }

    /// Whether anything is in it. HL7's `""` is nothing that could be moved.
    pub fn is_valued(&self) -> bool {
        let is_text = !self.text.trim().is_empty() && self.text != "\"\"";
        is_text || self.parts.values().any(Self::is_valued)
    }

    fn place(&mut self, component: u32, subcomponent: u32, text: String) {
        let component = self.parts.entry(component).or_default();
        component.parts.insert(subcomponent, Self::of(&text));
    }
}

impl Segment {
    /// The repetitions of a field that are valued.
    pub fn field(&self, number: u32) -> Vec<&Element> {
        let all = self.fields.get(&number).map(|it| it.values()).into_iter().flatten();
        all.filter(|it| it.is_valued()).collect()
    }
}

impl Source {
    /// The messages of an input: one, or those of a batch.
    pub fn read_all(bytes: &[u8]) -> anyhow::Result<Vec<Self>> {
        let input =
            hilum_hl7::Message::parse(Bytes::copy_from_slice(bytes)).context("no HL7 v2")?;
        if !input.is_batch() {
            return Ok(vec![Self::of(&input)?]);
        }
        let ranges = input.batch().messages.into_iter().map(|it| it.range);
        let parts = ranges.map(|range| {
            let message = hilum_hl7::Message::parse(input.bytes().slice(range));
            Self::of(&message.context("no HL7 v2")?)
        });
        parts.collect()
    }

    fn of(message: &hilum_hl7::Message) -> anyhow::Result<Self> {
        let message = message.joined().context("no HL7 v2")?;
        let mut segments: Vec<Segment> = message
            .segments()
            .map(|it| Segment {
                name: it.name().to_owned(),
                occurrence: u32::try_from(it.occurrence()).unwrap_or(u32::MAX),
                fields: BTreeMap::new(),
            })
            .collect();
        for leaf in message.leaves() {
            let place = leaf.place;
            let text = message.text(leaf.range).context("a text that cannot be decoded")?;
            let is_it = |it: &&mut Segment| {
                it.occurrence == place.occurrence && it.name == place.segment.as_str()
            };
            let Some(segment) = segments.iter_mut().find(is_it) else { continue };
            let field = segment.fields.entry(place.field).or_default();
            let repetition = field.entry(place.repetition).or_default();
            repetition.place(place.component, place.subcomponent, text);
        }
        Ok(Self { segments })
    }

    /// MSH-9's message type and trigger event.
    pub fn kind(&self) -> (String, String) {
        let header = self.segments.iter().find(|it| it.name == "MSH");
        let field = header.and_then(|it| it.field(9).first().copied().cloned()).unwrap_or_default();
        (field.part(1).text().to_owned(), field.part(2).text().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_at_each_level() {
        let bytes = b"MSH|^~\\&|||||||ADT^A01\rPID|||4711^^^HOSP&1.2&ISO~99|\"\"|A\\S\\B";
        let source = Source::read_all(bytes).expect("a message").remove(0);
        assert_eq!(source.kind(), ("ADT".to_owned(), "A01".to_owned()));
        let id = source.segments[1].field(3);
        assert_eq!(id.len(), 2);
        assert_eq!(id[0].part(4).part(2).text(), "1.2");
        assert_eq!((id[0].text(), id[1].part(1).text(), id[1].part(2).text()), ("4711", "99", ""));
        assert!(source.segments[1].field(4).is_empty(), "a deleted value is none");
        assert_eq!(source.segments[1].field(5)[0].text(), "A^B");
    }
}

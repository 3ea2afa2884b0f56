//! The message of a body, and which class each of its values has.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, OnceLock};

use hilum_message::hl7v2::{Delimiters, Place};
use hilum_message::{At, Json, Kind, Message, NodeId};

use crate::overrides::Rules;
use crate::table::Entry;
use crate::{Class, Classes};

/// A hasher without a random seed: same input, same run.
pub(crate) type Hasher = BuildHasherDefault<DefaultHasher>;

/// Tells the class of each value of one body.
pub(crate) struct Classer {
    message: Arc<Message>,
    rules: Arc<Rules>,
    /// OBX-2 of each OBX, read once when the first OBX-5 is asked for.
    value_types: OnceLock<HashMap<u32, String, Hasher>>,
    /// Where delimiters begin to hold, in order.
    delimiters: OnceLock<Vec<(usize, Delimiters)>>,
    /// The classes of each node of JSON, read once when the first is asked for.
    elements: OnceLock<Box<[Classes]>>,
}

impl Classer {
    pub(crate) fn new(message: Arc<Message>, rules: Arc<Rules>) -> Self {
        Self {
            message,
            rules,
            value_types: OnceLock::new(),
            delimiters: OnceLock::new(),
            elements: OnceLock::new(),
        }
    }

    /// By the tables as they come.
    #[cfg(test)]
    pub(crate) fn plain(message: Arc<Message>) -> Self {
        Self::new(message, Arc::default())
    }

    pub(crate) fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    pub(crate) fn message(&self) -> &Arc<Message> {
        &self.message
    }

    /// The classes of what stands at a place, by the place alone.
    pub(crate) fn classes(&self, at: At) -> Classes {
        match at {
            At::Hl7(place) => self.entry(&place).classes,
            At::Json(node) => match self.message.as_json() {
                Some(json) => self.element(json, node),
                None => Class::Unknown.into(),
            },
            At::Body => Class::Body.into(),
        }
    }

    /// The classes of a member's name: what FHIR has for no element was made up by the sender, and
    /// may be anything.
    pub(crate) fn name_classes(&self, json: &Json, id: NodeId) -> Classes {
        if json.has_known_name(id) { Classes::NONE } else { Class::Unknown.into() }
    }

    /// The names of members that have a class.
    pub(crate) fn unknown_names(&self) -> impl Iterator<Item = String> {
        let json = self.message.as_json();
        let nodes = json.into_iter().flat_map(|json| json.nodes().map(move |(id, _)| (json, id)));
        let unknown = nodes.filter(|(json, id)| !self.name_classes(json, *id).is_empty());
        unknown.filter_map(|(json, id)| json.name(id))
    }

    /// Whether what stands there is a number or boolean.
    pub(crate) fn shape(&self, at: At) -> Shape {
        match at {
            At::Hl7(place) if self.entry(&place).is_number => Shape::Number,
            At::Json(_) => match self.message.json_kind(at) {
                Some(Kind::Number) => Shape::Number,
                Some(Kind::Boolean) => Shape::Boolean,
                _ => Shape::Text,
            },
            At::Hl7(_) | At::Body => Shape::Text,
        }
    }

    /// The delimiters that hold at an offset: a batch may change them.
    pub(crate) fn delimiters_at(&self, offset: usize) -> Option<&Delimiters> {
        let all = self.delimiters.get_or_init(|| delimiters(&self.message));
        let before = all.partition_point(|(start, _)| *start <= offset);
        all.get(before.saturating_sub(1)).map(|(_, it)| it)
    }

    fn element(&self, json: &Json, id: NodeId) -> Classes {
        let all = self.elements.get_or_init(|| self.rules.fhir().classes(json));
        all.get(id.index()).copied().unwrap_or(Class::Unknown.into())
    }

    /// OBX-2 of the segment that a place is in.
    pub(crate) fn value_type(&self, place: &Place) -> Option<&str> {
        let types = self.value_types.get_or_init(|| value_types(&self.message));
        types.get(&place.occurrence).map(String::as_str)
    }

    fn entry(&self, place: &Place) -> Entry {
        let tables = self.rules.hl7();
        if !tables.varies(place) {
            return tables.entry(place, None);
        }
        tables.entry(place, self.value_type(place))
    }
}

/// What kind of JSON value a value can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    /// A number, if its text is one.
    Number,
    Boolean,
    /// It was the name of a member, and can be one again.
    Name,
}

impl Shape {
    /// Whether a value with this text is written as a number or boolean of JSON, not as a string.
    pub(crate) fn fits(self, text: &str) -> bool {
        match self {
            Self::Text | Self::Name => false,
            Self::Number => is_json_number(text),
            Self::Boolean => matches!(text, "true" | "false"),
        }
    }
}

/// RFC 8259 §6: `-`, an integer without leading zeros, fraction, exponent.
fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (text, exponent) = match text.split_once(['e', 'E']) {
        Some((text, exponent)) => (text, Some(exponent)),
        None => (text, None),
    };
    let (integer, fraction) = match text.split_once('.') {
        Some((integer, fraction)) => (integer, Some(fraction)),
        None => (text, None),
    };
    let exponent = exponent.map(|it| it.strip_prefix(['+', '-']).unwrap_or(it));
    let is_integer = digits(integer) && (integer == "0" || !integer.starts_with('0'));
    is_integer && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}

/// Where delimiters begin to hold: at the first segment, and wherever they change.
fn delimiters(message: &Message) -> Vec<(usize, Delimiters)> {
    let mut all: Vec<(usize, Delimiters)> = Vec::new();
    for segment in message.as_hl7().into_iter().flat_map(|it| it.segments()) {
        let here = *segment.delimiters();
        if all.last().is_none_or(|(_, it)| *it != here) {
            all.push((segment.range().start, here));
        }
    }
    all
}

fn value_types(message: &Message) -> HashMap<u32, String, Hasher> {
    let mut types = HashMap::default();
    let Some(hl7) = message.as_hl7() else { return types };
    for segment in hl7.segments().filter(|it| it.name() == "OBX") {
        let Some(range) = segment.subcomponent(2, 1, 1, 1) else { continue };
        if let (Ok(occurrence), Ok(text)) = (u32::try_from(segment.occurrence()), hl7.text(range)) {
            types.insert(occurrence, text);
        }
    }
    types
}

pub(crate) fn is_bundle(json: &Json) -> bool {
    json.resource_type(Json::ROOT).as_deref() == Some("Bundle")
}

//! What a derived identifier ends with: it tells the segments of a name apart, for one patient.

use crate::hl7::Segment;

/// What `of` says, else the set id, else the place among its like. The second of the same key in a
/// message has a number behind it: a transaction may not write one resource twice.
pub(super) fn key(segment: Segment<'_>, of: impl Fn(Segment<'_>) -> Option<String>) -> String {
    let Some(key) = of(segment) else {
        let set_id = segment.field(1).text().map(String::from);
        return set_id.unwrap_or_else(|| segment.number().to_string());
    };
    let before = segment.hl7().between(0, segment.position()).named(segment.name());
    match before.filter(|it| of(*it).as_ref() == Some(&key)).count() {
        0 => key,
        count => [&key, "-", &(count + 1).to_string()].concat(),
    }
}

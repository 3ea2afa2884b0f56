//! A field as one text.

use std::borrow::Cow;

use crate::hl7::Field;

/// No data type has more.
const PARTS_MAX: usize = 32;

/// All of a field, unescaped, with its parts as the message has them (`a^b&c`): a text that has
/// delimiters in it is not cut at the first.
pub fn whole(field: Field<'_>) -> Option<Cow<'_, str>> {
    let first = field.component(1);
    let has_more = (2..=PARTS_MAX).any(|number| field.component(number).is_valued());
    if !has_more && !(2..=PARTS_MAX).any(|number| first.component(number).is_valued()) {
        return field.text();
    }
    let text = joined(field, "^", |component| joined(component, "&", Field::text));
    text.map(Cow::Owned)
}

/// The parts that are there, with a space between them.
pub fn spaced<'m>(parts: impl IntoIterator<Item = Option<Cow<'m, str>>>) -> String {
    let mut out = String::new();
    for part in parts.into_iter().flatten() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&part);
    }
    out
}

fn joined<'m, T: AsRef<str>>(
    field: Field<'m>,
    between: &str,
    text: impl Fn(Field<'m>) -> Option<T>,
) -> Option<String> {
    let last = (1..=PARTS_MAX).rev().find(|number| field.component(*number).is_valued())?;
    let mut out = String::new();
    for number in 1..=last {
        if 1 < number {
            out.push_str(between);
        }
        if let Some(part) = text(field.component(number)) {
            out.push_str(part.as_ref());
        }
    }
    Some(out)
}

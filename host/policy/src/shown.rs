use std::ops::Range;
use std::sync::Arc;

use hilum_message::Message;

use crate::Mark;
use crate::origin::Classer;
use crate::overrides::Rules;

/// A message for people who may not see PHI: `[phi:name]` stands in the place of each value, and each
/// name of a member, that has a class. Segments stand on lines of their own.
pub(crate) fn shown(message: &Message, rules: &Arc<Rules>) -> String {
    let classer = Classer::new(Arc::new(message.clone()), Arc::clone(rules));
    let values = message
        .values()
        .map(|found| Mark { classes: classer.classes(found.at), range: found.range });
    let json = message.as_json();
    let names = json.into_iter().flat_map(|json| {
        let named = json.nodes().filter_map(|(id, node)| Some((id, node.name.clone()?)));
        named.map(|(id, range)| Mark { classes: classer.name_classes(json, id), range })
    });
    let deleted = |range: &Range<usize>| message.bytes().get(range.clone()) == Some(b"\"\"");
    let marks = values.chain(names).filter(|it| !it.classes.is_empty() && !deleted(&it.range));
    let mut marks: Vec<_> = marks.collect();
    marks.sort_by_key(|it| it.range.start);
    shown_marked(message.bytes(), &marks)
}

/// An output for people who may not see PHI, by the marks that clearing left.
pub fn shown_marked(body: &[u8], marks: &[Mark]) -> String {
    let mut shown = String::with_capacity(body.len());
    let mut from = 0;
    for Mark { range, classes } in marks {
        push(body.get(from..range.start).unwrap_or_default(), &mut shown);
        let is_quoted = body.get(range.clone()).is_some_and(|it| it.starts_with(b"\""));
        let quote = if is_quoted { "\"" } else { "" };
        shown.push_str(&format!("{quote}[phi:{classes}]{quote}"));
        from = range.end.max(from);
    }
    push(body.get(from..).unwrap_or_default(), &mut shown);
    shown
}

/// CR ends a segment; on a terminal it would overwrite the line.
fn push(bytes: &[u8], out: &mut String) {
    let text = String::from_utf8_lossy(bytes);
    out.push_str(&text.replace("\r\n", "\n").replace('\r', "\n"));
}

use std::ops::Range;
use std::sync::Arc;

use hilum_message::Message;

use crate::Mark;
use crate::origin::Classer;

/// A message for people who may not see PHI: `[phi:name]` stands in the place of each value that
/// has a class. Segments stand on lines of their own.
pub fn shown(message: &Message) -> String {
    let classer = Classer::new(Arc::new(message.clone()));
    let marks = message
        .values()
        .map(|found| Mark { classes: classer.classes(found.at), range: found.range });
    let deleted = |range: &Range<usize>| message.bytes().get(range.clone()) == Some(b"\"\"");
    let marks: Vec<_> = marks.filter(|it| !it.classes.is_empty() && !deleted(&it.range)).collect();
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

//! What a mapping used, told to whoever asks: rows of the guide, and places of the message.
//!
//! `hilum plugin run --coverage` answers the reserved setting `hilum.coverage` with `rows`; then the
//! lines `hilum.coverage rows …` and `hilum.coverage places …` are written to the log, at level
//! debug, when the call ends. They hold ids and paths, never a value.
//!
//! Logs are searched for values of the message, and a patient may be called Patient: so each id is
//! one word of letters and digits. Any other sign is `z` and its two hexadecimal digits, and so is
//! `z` itself: `segmentsz2fPIDz5bPatientz5dz233`.
//!
//! Promises: while it is off, a note costs one look at a flag.

use std::cell::{Cell, RefCell};

use crate::{log, settings};

/// A longer line of the log is cut by the host.
const LINE_BYTES_MAX: usize = 4_000;

thread_local! {
    static IS_ON: Cell<bool> = const { Cell::new(false) };
    static NOTES: RefCell<Notes> = const { RefCell::new(Notes::new()) };
}

struct Notes {
    rows: Vec<(&'static str, usize)>,
    /// Each text that was read: where it was in memory, and a copy of it.
    texts: Vec<(usize, String)>,
    /// Where in memory each value that was used stood.
    places: Vec<(usize, usize)>,
}

impl Notes {
    const fn new() -> Self {
        Self { rows: Vec::new(), texts: Vec::new(), places: Vec::new() }
    }
}

/// Whether anybody asked.
#[inline]
pub(crate) fn is_on() -> bool {
    IS_ON.get()
}

/// Asks, once for each call.
pub(crate) fn begin() {
    NOTES.replace(Notes::new());
    IS_ON.set(settings::get("hilum.coverage").as_deref() == Some("rows"));
}

/// A row of the guide is satisfied; `number` is its number if the id does not end with it.
pub(crate) fn row(id: &'static str, number: usize) {
    NOTES.with_borrow_mut(|it| it.rows.push((id, number)));
}

/// How many rows were noted, to [`forget`] those that come after.
pub(crate) fn rows() -> usize {
    if is_on() { NOTES.with_borrow(|it| it.rows.len()) } else { 0 }
}

/// What was noted since is not so: the resource was left out.
pub(crate) fn forget(rows: usize) {
    if is_on() {
        NOTES.with_borrow_mut(|it| it.rows.truncate(rows));
    }
}

/// A text is read.
pub(crate) fn reads(text: &str) {
    if is_on() {
        NOTES.with_borrow_mut(|it| it.texts.push((text.as_ptr().addr(), text.to_owned())));
    }
}

/// A value is used; `raw` is a part of a text that is read.
#[inline]
pub(crate) fn place(raw: &str) {
    if is_on() {
        let place = (raw.as_ptr().addr(), raw.len());
        NOTES.with_borrow_mut(|it| it.places.push(place));
    }
}

/// Writes what was noted, and stops.
pub(crate) fn report() {
    if !is_on() {
        return;
    }
    IS_ON.set(false);
    let notes = NOTES.replace(Notes::new());
    let mut rows: Vec<String> = Vec::with_capacity(notes.rows.len());
    for (id, number) in &notes.rows {
        rows.push(if *number == 0 {
            (*id).to_owned()
        } else {
            [id, "#", &number.to_string()].concat()
        });
    }
    write("hilum.coverage rows", rows);
    let mut places = Vec::with_capacity(notes.places.len());
    for (start, text) in &notes.texts {
        let inside = notes.places.iter().filter_map(|(at, _)| at.checked_sub(*start));
        let inside = inside.filter(|at| *at < text.len());
        places.extend(crate::hl7::paths_at(text, inside.collect()));
    }
    write("hilum.coverage places", places);
}

/// The id as one word.
fn word(id: &str) -> String {
    let mut word = String::with_capacity(id.len() + 16);
    for byte in id.bytes() {
        match byte {
            b'z' => word.push_str("z7a"),
            _ if byte.is_ascii_alphanumeric() => word.push(char::from(byte)),
            _ => word.push_str(&format!("z{byte:02x}")),
        }
    }
    word
}

fn write(what: &str, mut all: Vec<String>) {
    all.sort_unstable();
    all.dedup();
    let mut line = what.to_owned();
    for one in all.iter().map(|it| word(it)) {
        if LINE_BYTES_MAX < line.len() + 1 + one.len() {
            log::debug(&line);
            line.truncate(what.len());
        }
        line.push(' ');
        line.push_str(&one);
    }
    if what.len() < line.len() {
        log::debug(&line);
    }
}

#[cfg(test)]
mod tests;

//! How results are printed: tables for people, JSON for programs.
//!
//! Everything that a command has to say goes to standard output through [`Output`]; what goes to
//! standard error (progress, logs, failures) is not a result. A table is drawn without lines, so
//! that it can be read, copied and cut.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use serde_json::Value;

use crate::arguments::{Color, Common, Format};

/// Where a command's results go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    format: Format,
    color: bool,
    quiet: bool,
}

impl Output {
    /// What the command line and the environment ask for.
    pub fn new(common: &Common) -> Self {
        let color = use_color(
            common.color,
            |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0"),
            io::stdout().is_terminal(),
        );
        Self { format: common.format, color, quiet: common.quiet }
    }

    /// For tests: a table for people, without colour.
    #[cfg(test)]
    pub fn plain() -> Self {
        Self { format: Format::Table, color: false, quiet: false }
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether only results are wanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints JSON, indented, and a line end.
    pub fn json(&self, value: &Value) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// Prints text, and a line end if it has none.
    pub fn text(&self, text: &str) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }

    /// Prints bytes as they are.
    pub fn bytes(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }

    /// Prints a table; where there are no rows, `nothing` in its place.
    pub fn table(
        &self,
        columns: &[Column],
        rows: Vec<Vec<String>>,
        nothing: &str,
    ) -> anyhow::Result<()> {
        if rows.is_empty() {
            return if self.quiet { Ok(()) } else { self.text(nothing) };
        }
        self.text(&draw(columns, rows, self.color))
    }

    /// `text` in bold, where colour is used.
    pub fn bold(&self, text: &str) -> String {
        if self.color { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// `text` dimmed, where colour is used.
    pub fn dim(&self, text: &str) -> String {
        if self.color { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading.
    pub heading: &'static str,
    /// Whether it holds numbers.
    pub is_number: bool,
}

/// A column of text.
pub const fn text(heading: &'static str) -> Column {
    Column { heading, is_number: false }
}

/// A column of numbers.
pub const fn number(heading: &'static str) -> Column {
    Column { heading, is_number: true }
}

fn draw(columns: &[Column], rows: Vec<Vec<String>>, color: bool) -> String {
    let mut table = Table::new();
    // Nothing is wrapped: a line of a table is one thing, for the eye and for `grep`.
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(columns.iter().map(|column| {
        let cell = Cell::new(column.heading);
        if color { cell.add_attribute(Attribute::Bold) } else { cell }
    }));
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in columns.iter().enumerate() {
        if let Some(drawn) = table.column_mut(index) {
            drawn.set_padding((0, 2));
            if column.is_number {
                drawn.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// no-color.org and bixense.com/clicolors, under what the flag says.
fn use_color(flag: Color, is_set: impl Fn(&str) -> bool, is_terminal: bool) -> bool {
    match flag {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if is_set("NO_COLOR") => false,
        Color::Auto => is_terminal || is_set("CLICOLOR_FORCE"),
    }
}

/// A body for people: its lines end with LF and the last one too. HL7 ends its segments with CR,
/// which a terminal takes for "start the line again".
pub fn lines(body: &str) -> String {
    let mut lines = printable(&body.replace("\r\n", "\n").replace('\r', "\n"));
    if !lines.is_empty() && !lines.ends_with('\n') {
        lines.push('\n');
    }
    lines
}

/// A body for people: JSON on one line is indented, its numbers and strings as they stand.
pub fn readable(format: &str, body: &str) -> String {
    let is_one_line = !body.trim_end().contains('\n');
    if format.ends_with("json") && is_one_line { indented(&printable(body)) } else { lines(body) }
}

/// Text from outside for a terminal: control characters become pictures of themselves, or a
/// message could recolour the screen, retitle the window, or forge a line of ours.
pub fn printable(text: &str) -> String {
    let picture = |letter: char| match letter {
        '\n' | '\t' => letter,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or(letter),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => char::REPLACEMENT_CHARACTER,
        _ => letter,
    };
    text.chars().map(picture).collect()
}

fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut is_escaped) = (0usize, false, false);
    let mut letters = json.trim().chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(letter) = letters.next() {
        if in_string {
            out.push(letter);
            in_string = is_escaped || letter != '"';
            is_escaped = !is_escaped && letter == '\\';
            continue;
        }
        match letter {
            '"' => in_string = true,
            ' ' | '\t' => continue,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
            }
            _ => {}
        }
        out.push(letter);
        match letter {
            '{' | '[' if matches!(letters.peek(), Some('}' | ']')) => out.extend(letters.next()),
            '{' | '[' => {
                depth += 1;
                line(&mut out, depth);
            }
            ',' => line(&mut out, depth),
            ':' => out.push(' '),
            _ => {}
        }
    }
    out.push('\n');
    out
}

/// A number of bytes for people.
pub fn size(bytes: u64) -> String {
    const STEPS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    for (unit, step) in STEPS {
        if step <= bytes {
            let tenths = bytes.saturating_mul(10) / step;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

/// A number with its thousands apart.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// One of them or several: `1 message`, `2 messages`.
pub fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { several })
}

/// A member of an object as text for a terminal; empty where it is not there.
pub fn member(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => printable(text),
        Some(other) => other.to_string(),
    }
}

/// The members of a list; none where it is no list.
pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_no_lines_and_no_trailing_blanks() {
        let rows =
            vec![vec!["a".to_owned(), "1".to_owned()], vec!["bcd".to_owned(), "22".to_owned()]];
        assert_eq!(
            draw(&[text("NAME"), number("N")], rows, false),
            "NAME   N\na      1\nbcd   22\n"
        );
    }

    #[test]
    fn colour_follows_flag_then_environment_then_terminal() {
        let unset = |_: &str| false;
        assert!(use_color(Color::Auto, unset, true));
        assert!(!use_color(Color::Auto, unset, false));
        assert!(!use_color(Color::Auto, |name| name == "NO_COLOR", true));
        assert!(use_color(Color::Auto, |name| name == "CLICOLOR_FORCE", false));
        assert!(use_color(Color::Always, |name| name == "NO_COLOR", false));
        assert!(!use_color(Color::Never, unset, true));
    }

    #[test]
    fn json_is_indented_and_nothing_else_of_it_changes() {
        assert_eq!(
            readable("fhir-json", r#"{"a":[1.50,"x: {\"y\"}\\"],"b":{},"c":null}"#),
            "{\n  \"a\": [\n    1.50,\n    \"x: {\\\"y\\\"}\\\\\"\n  ],\n  \"b\": {},\n  \"c\": null\n}\n"
        );
        assert_eq!(readable("hl7v2", "MSH|\rPID|\r"), "MSH|\nPID|\n");
    }

    #[test]
    fn nothing_from_outside_controls_the_terminal() {
        let value = serde_json::json!({ "kind": "A\u{1b}[2J\u{9b}1m\u{7f}" });
        assert_eq!(member(&value, "kind"), "A␛[2J\u{fffd}1m␡");
        assert_eq!(lines("MSH|\u{1b}]0;x\u{7}\rPID"), "MSH|␛]0;x␇\nPID\n");
    }

    #[test]
    fn sizes_and_numbers_are_for_people() {
        assert_eq!(size(742), "742 B");
        assert_eq!(size(16 << 20), "16.0 MiB");
        assert_eq!(thousands(1_234_567), "1 234 567");
        assert_eq!(thousands(12), "12");
        assert_eq!(counted(1, "problem", "problems"), "1 problem");
    }
}

use std::fmt;

use hilum_contract::log;
use wasmtime::component::{HasSelf, Linker};

use crate::guest::Guest;
use crate::limits::{LOG_LINES_MAX, TEXT_CHARACTERS_MAX};

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    log::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

/// How much a log line matters, as its plugin says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For the plugin's developer.
    Debug,
    /// Something happened.
    Info,
    /// Something is odd.
    Warn,
    /// Something is wrong.
    Error,
}

impl Level {
    /// The word that is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One line that a plugin wrote, searched for PHI, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub text: String,
}

/// The lines of a call, as they came. They are searched when it ends, since a value may be sealed
/// after it was written about.
pub(crate) struct Loan {
    lines: Vec<Raw>,
    bytes_left: u64,
    /// Bytes that were cut off.
    pub(crate) cut_bytes: u64,
}

struct Raw {
    level: Level,
    text: String,
    bytes_kept: usize,
}

/// Every plugin may write, within its budget.
pub(crate) fn lend(bytes_max: u64) -> Loan {
    Loan { lines: Vec::new(), bytes_left: bytes_max, cut_bytes: 0 }
}

impl Loan {
    fn write(&mut self, level: Level, text: &str) {
        let left = usize::try_from(self.bytes_left).unwrap_or(usize::MAX);
        if LOG_LINES_MAX <= self.lines.len() {
            self.cut_bytes += text.len() as u64;
            return;
        }
        let kept = text.floor_char_boundary(text.len().min(left).min(TEXT_CHARACTERS_MAX));
        self.cut_bytes += (text.len() - kept) as u64;
        if kept == 0 && !text.is_empty() {
            return;
        }
        self.bytes_left -= kept as u64;
        // More than is kept is searched: half a value at the cut is not recognised as one.
        let searched = text.floor_char_boundary(2 * TEXT_CHARACTERS_MAX);
        let text = text.get(..searched).unwrap_or_default().to_owned();
        self.lines.push(Raw { level, text, bytes_kept: kept });
    }

    /// The lines, each through `scrub`.
    pub(crate) fn finish(self, scrub: impl Fn(&str) -> String) -> Vec<LogLine> {
        let finished = self.lines.into_iter().map(|line| {
            let text = scrub(&line.text);
            let kept = text.floor_char_boundary(line.bytes_kept);
            let text = plain(text.get(..kept).unwrap_or_default());
            LogLine { level: line.level, text }
        });
        finished.collect()
    }
}


/// Text for one line of a terminal: control characters become spaces.
pub(crate) fn plain(text: &str) -> String {
    let spaced = text.chars().map(|it| if it.is_control() { ' ' } else { it });
    spaced.collect::<String>().trim_end().to_owned()
}

impl log::Host for Guest {
    fn write(&mut self, level: log::Level, text: String) -> wasmtime::Result<()> {
        self.meter.call(text.len())?;
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        self.log.write(level, &text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(loan: Loan) -> Vec<String> {
        loan.finish(|text| text.replace("EVERYWOMAN", "[phi]")).into_iter().map(|it| it.text).collect()
    }

    #[test]
    fn a_full_log_is_cut_and_the_cut_is_noted() {
        let mut loan = lend(10);
        loan.write(Level::Info, "12345678");
        loan.write(Level::Info, "ab\u{e4}d");
        loan.write(Level::Info, "x");
        assert_eq!(loan.cut_bytes, 4);
        assert_eq!(lines(loan), ["12345678", "ab"]);
    }

    #[test]
    fn half_a_value_at_the_cut_is_still_recognised() {
        let mut loan = lend(1 << 20);
        let text = format!("{}EVERYWOMAN", "x".repeat(TEXT_CHARACTERS_MAX - 5));
        loan.write(Level::Info, &text);
        assert!(lines(loan)[0].ends_with("x[phi]"));
    }

    #[test]
    fn there_is_a_most_of_lines() {
        let mut loan = lend(1 << 20);
        for _ in 0..LOG_LINES_MAX + 7 {
            loan.write(Level::Debug, "a");
        }
        assert_eq!(loan.cut_bytes, 7);
        assert_eq!(lines(loan).len(), LOG_LINES_MAX);
    }

    #[test]
    fn lines_with_nothing_in_them_are_lines_too() {
        let mut loan = lend(1 << 20);
        (0..LOG_LINES_MAX + 7).for_each(|_| loan.write(Level::Debug, ""));
        assert_eq!(lines(loan).len(), LOG_LINES_MAX);
    }

    #[test]
    fn a_line_cannot_forge_another_one() {
        let mut loan = lend(1 << 20);
        loan.write(Level::Info, "a\n2026-11-24 ERROR b\u{1b}[31m\r\n");
        assert_eq!(lines(loan), ["a 2026-11-24 ERROR b [31m"]);
    }
}

//! Code tables of a site, from CSV.
//!
//! ```text
//! from,to
//! 1,outp
//! "7","emd"
//! ```
//!
//! The first line is the header. Fields may stand in double quotes (RFC 4180, on one line); lines
//! end with LF or CRLF; an empty line is skipped. What is wrong is noted with its line.

use std::collections::BTreeMap;
use std::sync::Arc;

use hilum_words::{Place, Problems};

/// Bytes of a table's file.
pub const TABLE_BYTES_MAX: u64 = 16 << 20;

/// Bytes of one code.
const CODE_BYTES_MAX: usize = 1_024;

/// Problems of one file that are worth printing.
const PROBLEMS_MAX: usize = 20;

/// A code table, frozen for all runs of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Whether what it answers is open even where the code is sealed: `[table.x] opens = true`.
    pub opens: bool,
    rows: BTreeMap<String, String>,
}

impl Table {
    /// A table with these rows.
    pub fn new(opens: bool, rows: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { opens, rows: rows.into_iter().collect() }
    }

    /// Reads a table from CSV; none if anything is wrong with it. `file` is its name in problems.
    pub fn read_csv(file: &str, bytes: &[u8], opens: bool, problems: &Problems) -> Option<Self> {
        let mut reader = Reader { file: Arc::from(file), problems, wrong: 0 };
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > TABLE_BYTES_MAX {
            reader.problem(0, format!("is longer than {TABLE_BYTES_MAX} bytes"));
            return None;
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut rows = BTreeMap::new();
        let mut has_header = false;
        for (number, line) in (1u32..).zip(bytes.split(|byte| *byte == b'\n')) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            let Some((from, to)) = reader.row(number, line) else { continue };
            if !has_header {
                has_header = true;
                if (from.as_str(), to.as_str()) != ("from", "to") {
                    reader.problem(number, "the first line must be the header \"from,to\"");
                }
            } else if from.is_empty() {
                reader.problem(number, "\"from\" is empty");
            } else if rows.insert(from, to).is_some() {
                reader.problem(number, "this \"from\" stands in an earlier line too");
            }
        }
        if !has_header && reader.wrong == 0 {
            reader.problem(0, "is empty; it needs the header \"from,to\"");
        }
        (reader.wrong == 0).then_some(Self { opens, rows })
    }

    /// What stands for a code.
    pub fn translate(&self, code: &str) -> Option<&str> {
        self.rows.get(code).map(String::as_str)
    }

    /// How many codes it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no code.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

struct Reader<'a> {
    file: Arc<str>,
    problems: &'a Problems,
    wrong: usize,
}

impl Reader<'_> {
    fn problem(&mut self, line: u32, text: impl Into<String>) {
        self.wrong += 1;
        let place = Place { file: Arc::clone(&self.file), line };
        match self.wrong {
            more if PROBLEMS_MAX < more => {}
            PROBLEMS_MAX => self.problems.push(&place, "", "and more of this kind below"),
            _ => self.problems.push(&place, "", text),
        }
    }

    /// The two fields of a line.
    fn row(&mut self, number: u32, line: &[u8]) -> Option<(String, String)> {
        let Ok(text) = std::str::from_utf8(line) else {
            self.problem(number, "is not UTF-8");
            return None;
        };
        let fields = match fields(text) {
            Ok(fields) => fields,
            Err(why) => {
                self.problem(number, why);
                return None;
            }
        };
        let count = fields.len();
        let Ok([from, to]) = <[String; 2]>::try_from(fields) else {
            self.problem(number, format!("has {count} fields, not two"));
            return None;
        };
        if CODE_BYTES_MAX < from.len().max(to.len()) {
            self.problem(number, format!("a code has at most {CODE_BYTES_MAX} bytes"));
            return None;
        }
        Some((from, to))
    }
}

/// Cuts a line at its commas.
fn fields(line: &str) -> Result<Vec<String>, &'static str> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (field, after) = rest.split_at(end);
                if field.contains('"') {
                    return Err("has a quote inside a field that does not begin with one");
                }
                (field.trim().to_owned(), after)
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(fields),
            None => return Err("has text after a closing quote"),
        }
    }
}

fn quoted_field(quoted: &str) -> Result<(String, &str), &'static str> {
    let mut field = String::new();
    let mut rest = quoted;
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            return Err("has a quote that is not closed on its line");
        };
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(csv: &str, expected: Expect) {
        let problems = Problems::default();
        let shown = match Table::read_csv("t.csv", csv.as_bytes(), false, &problems) {
            Some(table) => format!("{:?}", table.rows),
            None => problems
                .into_sorted()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn rows_are_read_with_quotes_and_either_line_end() {
        check(
            "\u{feff}from,to\r\n1,outp\n\"a,\"\"b\",\"c\"\n\n 7 , emd\n9,\n",
            expect![[r#"{"1": "outp", "7": "emd", "9": "", "a,\"b": "c"}"#]],
        );
    }

    #[test]
    fn every_problem_has_its_line() {
        check(
            "code,text\n1\n1,2,3\n\"x,y\n,z\n5,a\n5,b\n\"5\"x,b\na\"b,c\n",
            expect![[r#"
                t.csv:1  the first line must be the header "from,to"
                t.csv:2  has 1 fields, not two
                t.csv:3  has 3 fields, not two
                t.csv:4  has a quote that is not closed on its line
                t.csv:5  "from" is empty
                t.csv:7  this "from" stands in an earlier line too
                t.csv:8  has text after a closing quote
                t.csv:9  has a quote inside a field that does not begin with one"#]],
        );
    }

    #[test]
    fn an_empty_file_and_bytes_that_are_no_text_are_problems() {
        check("", expect![[r#"t.csv  is empty; it needs the header "from,to""#]]);
        let problems = Problems::default();
        assert!(Table::read_csv("t.csv", b"from,to\n\xff,1\n", false, &problems).is_none());
        assert_eq!(problems.into_sorted()[0].to_string(), "t.csv:2  is not UTF-8");
    }

    #[test]
    fn a_code_and_a_file_have_a_longest_length() {
        let long = "x".repeat(CODE_BYTES_MAX + 1);
        check(&format!("from,to\n{long},1\n"), expect!["t.csv:2  a code has at most 1024 bytes"]);
        let file = vec![b'\n'; usize::try_from(TABLE_BYTES_MAX).expect("fits") + 1];
        let problems = Problems::default();
        assert!(Table::read_csv("t.csv", &file, false, &problems).is_none());
    }

    #[test]
    fn a_file_of_garbage_is_not_printed_whole() {
        let problems = Problems::default();
        let csv = format!("from,to\n{}", "garbage\n".repeat(1_000));
        assert!(Table::read_csv("t.csv", csv.as_bytes(), false, &problems).is_none());
        assert_eq!(problems.len(), PROBLEMS_MAX);
    }
}

//! Tables from CSV.
//!
//! ```text
//! from,to
//! 1,outp
//! "7","emd"
//! ```
//!
//! The first line is the header. Fields may stand in double quotes (RFC 4180, on one line); lines
//! end with LF or CRLF; an empty line is skipped.

use std::collections::BTreeMap;

use super::{CODE_BYTES_MAX, Notes, Table, Unmapped};

/// Reads it; what is wrong is noted with its line.
pub(super) fn read(bytes: &[u8], opens: bool, notes: &mut Notes<'_>) -> Table {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rows = BTreeMap::new();
    let mut has_header = false;
    for (number, line) in (1u32..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let Some((from, to)) = row(number, line, notes) else { continue };
        if !has_header {
            has_header = true;
            if (from.as_str(), to.as_str()) != ("from", "to") {
                notes.problem(number, "the first line must be the header \"from,to\"");
            }
        } else if from.is_empty() {
            notes.problem(number, "\"from\" is empty");
        } else if rows.insert(from, Some(to)).is_some() {
            notes.problem(number, "this \"from\" stands in an earlier line too");
        }
    }
    if !has_header && notes.are_none() {
        notes.problem(0, "is empty; it needs the header \"from,to\"");
    }
    Table { opens, rows, unmapped: Unmapped::None }
}

/// The two fields of a line.
fn row(number: u32, line: &[u8], notes: &mut Notes<'_>) -> Option<(String, String)> {
    let Ok(text) = std::str::from_utf8(line) else {
        notes.problem(number, "is not UTF-8");
        return None;
    };
    let fields = match fields(text) {
        Ok(fields) => fields,
        Err(why) => {
            notes.problem(number, why);
            return None;
        }
    };
    let count = fields.len();
    let Ok([from, to]) = <[String; 2]>::try_from(fields) else {
        notes.problem(number, format!("has {count} fields, not two"));
        return None;
    };
    if CODE_BYTES_MAX < from.len().max(to.len()) {
        notes.problem(number, format!("a code has at most {CODE_BYTES_MAX} bytes"));
        return None;
    }
    Some((from, to))
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

    use hilum_words::Problems;

    use super::*;
    use crate::table::{PROBLEMS_MAX, TABLE_BYTES_MAX};

    #[track_caller]
    fn check(csv: &str, expected: Expect) {
        let problems = Problems::default();
        let shown = match Table::read("t.csv", csv.as_bytes(), false, &problems) {
            Some(table) => {
                let rows = table.rows.iter().map(|(from, to)| (from, to.as_deref().unwrap_or("-")));
                format!("{:?}", rows.collect::<BTreeMap<_, _>>())
            }
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
        assert!(Table::read("t.csv", b"from,to\n\xff,1\n", false, &problems).is_none());
        assert_eq!(problems.into_sorted()[0].to_string(), "t.csv:2  is not UTF-8");
    }

    #[test]
    fn a_code_and_a_file_have_a_longest_length() {
        let long = "x".repeat(CODE_BYTES_MAX + 1);
        check(&format!("from,to\n{long},1\n"), expect!["t.csv:2  a code has at most 1024 bytes"]);
        let file = vec![b'\n'; usize::try_from(TABLE_BYTES_MAX).expect("fits") + 1];
        let problems = Problems::default();
        assert!(Table::read("t.csv", &file, false, &problems).is_none());
    }

    #[test]
    fn a_file_of_garbage_is_not_printed_whole() {
        let problems = Problems::default();
        let csv = format!("from,to\n{}", "garbage\n".repeat(1_000));
        assert!(Table::read("t.csv", csv.as_bytes(), false, &problems).is_none());
        assert_eq!(problems.len(), PROBLEMS_MAX);
    }
}

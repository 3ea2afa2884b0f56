//! What a negative answer means: a table that a site may change, since receivers swap AE and AR.

use std::collections::BTreeMap;

use hilum_words::AckCode;
use hilum_words::config::Section;

use super::answer::Answer;
use crate::SendFault;

/// What becomes of a message that was answered in the negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The content is at fault: a person looks.
    Park,
    /// The receiver is: the same message is sent again.
    Retry,
}

const WORDS: &[&str] = &["park", "retry"];

/// What negative answers mean: by MSA-1, and by the numbers of table 0357 in ERR-3, which win.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnAnswer {
    ae: Then,
    ar: Then,
    ce: Then,
    cr: Then,
    numbers: BTreeMap<u16, Then>,
}

impl Default for OnAnswer {
    /// HL7 v2.5.1 ch. 2, 2.9.2.2: an error is about the content, a reject about the receiver. Type,
    /// event, processing id and version (200 to 203) will be as unknown to it the next time.
    fn default() -> Self {
        let numbers = (200..=203).map(|number| (number, Then::Park)).collect();
        Self { ae: Then::Park, ar: Then::Retry, ce: Then::Park, cr: Then::Retry, numbers }
    }
}

impl OnAnswer {
    /// Reads `on_answer = { AE = "park", AR = "retry", 206 = "retry" }`.
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mut table = Self::default();
        let mut section = section.section_or_empty("on_answer");
        for code in ["AA", "CA"] {
            if section.has(code) {
                section.problem_at(code, "always means that the message is delivered");
                section.text(code);
            }
        }
        let then = |section: &mut Section<'_>, key: &str| {
            section.word(key, WORDS).map(|it| if it.value == 0 { Then::Park } else { Then::Retry })
        };
        let codes = [
            ("AE", &mut table.ae),
            ("AR", &mut table.ar),
            ("CE", &mut table.ce),
            ("CR", &mut table.cr),
        ];
        for (code, slot) in codes {
            section.default(code, if *slot == Then::Park { "park" } else { "retry" });
            *slot = then(&mut section, code).unwrap_or(*slot);
        }
        for key in section.keys() {
            let is_number = key.len() <= 3 && key.bytes().all(|it| it.is_ascii_digit());
            if is_number
                && let Ok(number) = key.parse()
                && let Some(then) = then(&mut section, &key)
            {
                table.numbers.insert(number, then);
            }
        }
        section.finish();
        table
    }

    /// The fault that a negative answer stands for. Of several numbers one that parks is enough:
    /// what it is about will not go away.
    pub(super) fn fault(&self, code: AckCode, answer: &Answer) -> SendFault {
        let numbers = answer.said.iter().filter_map(|it| self.numbers.get(&it.number?));
        let by_number = numbers.copied().reduce(|one, other| match (one, other) {
            (Then::Retry, Then::Retry) => Then::Retry,
            _ => Then::Park,
        });
        let by_code = match code {
            AckCode::AE => self.ae,
            AckCode::AR => self.ar,
            AckCode::CE => self.ce,
            AckCode::CR => self.cr,
            // Positive answers are none of this table's.
            AckCode::AA | AckCode::CA => Then::Park,
        };
        let code = answer.summary(code);
        match by_number.unwrap_or(by_code) {
            Then::Park => SendFault::Refused { code },
            // It may be this content that upsets it, so other lanes are not kept waiting.
            Then::Retry => SendFault::Busy { code, after: None, whole: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use hilum_words::config::Document;
    use hilum_words::{Problem, Problems};

    use super::*;

    fn read(text: &str) -> (OnAnswer, String) {
        let problems = Problems::default();
        let document = Document::parse("hilum.toml", text, &problems);
        let mut root = document.root(&problems);
        let table = OnAnswer::read(&mut root);
        let said: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
        (table, said.join("\n"))
    }

    /// What a table makes of MSA-1 and the numbers in ERR-3.
    fn then(table: &OnAnswer, code: AckCode, numbers: &[u16]) -> String {
        let errors: String = numbers.iter().map(|it| format!("ERR|||{it}\r")).collect();
        let text = format!("MSH|^~\\&|A|B|C|D|2026||ACK|9|P|2.5\rMSA|{}|7\r{errors}", code.word());
        let answer = Answer::read(text.into_bytes().into()).expect("an acknowledgement");
        table.fault(code, &answer).to_string()
    }

    #[test]
    fn the_standard_holds_where_nothing_is_said() {
        let table = read("").0;
        assert_eq!(table, OnAnswer::default());
        let rows: &[(AckCode, &[u16], &str)] = &[
            (AckCode::AE, &[], "rejected: AE"),
            (AckCode::CE, &[], "rejected: CE"),
            (AckCode::AR, &[], "busy: AR"),
            (AckCode::CR, &[], "busy: CR"),
            (AckCode::AE, &[101], "rejected: AE (101)"),
            (AckCode::AE, &[207], "rejected: AE (207)"),
            (AckCode::AR, &[200], "rejected: AR (200)"),
            (AckCode::AR, &[201], "rejected: AR (201)"),
            (AckCode::CR, &[202], "rejected: CR (202)"),
            (AckCode::CR, &[203], "rejected: CR (203)"),
            (AckCode::AR, &[204], "busy: AR (204)"),
            (AckCode::AR, &[205], "busy: AR (205)"),
            (AckCode::AR, &[206], "busy: AR (206)"),
            (AckCode::AR, &[207], "busy: AR (207)"),
            (AckCode::AR, &[207, 203], "rejected: AR (207, 203)"),
            (AckCode::AR, &[999], "busy: AR"),
        ];
        for (code, numbers, expected) in rows {
            assert_eq!(then(&table, *code, numbers), *expected, "{code:?} {numbers:?}");
        }
    }

    #[test]
    fn a_site_may_say_otherwise() {
        let (table, problems) =
            read("on_answer = { AE = \"retry\", AR = \"park\", 206 = \"retry\", 203 = \"retry\" }");
        assert_eq!(problems, "");
        assert_eq!(then(&table, AckCode::AE, &[]), "busy: AE");
        assert_eq!(then(&table, AckCode::AR, &[]), "rejected: AR");
        assert_eq!(then(&table, AckCode::AR, &[206]), "busy: AR (206)", "a number wins");
        assert_eq!(then(&table, AckCode::AR, &[203]), "busy: AR (203)");
        assert_eq!(then(&table, AckCode::AE, &[200]), "rejected: AE (200)", "the others stay");
        assert_eq!(then(&table, AckCode::CE, &[]), "rejected: CE");
    }

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&read(text).1);
    }

    #[test]
    fn what_is_no_answer_or_no_word_is_a_problem() {
        check(
            "[on_answer]\nAE = \"parc\"\nAA = \"retry\"\nAX = \"park\"\n2007 = \"park\"\n207 = true\n",
            expect![[r#"
                hilum.toml:2  on_answer.AE  must be one of "park", "retry"; did you mean "park"?
                hilum.toml:3  on_answer.AA  always means that the message is delivered
                hilum.toml:4  on_answer.AX  unknown key
                hilum.toml:5  on_answer.2007  unknown key; did you mean "207"?
                hilum.toml:6  on_answer.207  must be a string, not true or false"#]],
        );
        check(
            "on_answer = \"park\"\n",
            expect!["hilum.toml:1  on_answer  must be a table, not a string"],
        );
    }
}

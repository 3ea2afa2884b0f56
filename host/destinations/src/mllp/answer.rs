//! Reading an acknowledgement.
//!
//! Texts of MSA-3 and ERR may quote the message, so they go no further than the stored answer. What
//! is said about an answer is made of the codes of tables 0008 and 0357 and of places.

use std::fmt;

use bytes::Bytes;
use hilum_hl7::{Message, Path, SegmentName};
use hilum_words::AckCode;

use super::outgoing::Outgoing;

/// What one ERR segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// The number of table 0357, if it is one of up to three digits.
    pub(super) number: Option<u16>,
    /// Where: ERR-2.
    at: Option<Path>,
}

/// Numbers that are printed: HL7 v2.8.2, table 0357, and 104, 198 and 199, which profiles add.
/// Another could be anything that stands in the message.
const KNOWN: &[u16] =
    &[0, 100, 101, 102, 103, 104, 198, 199, 200, 201, 202, 203, 204, 205, 206, 207];

/// What is printed of many ERR segments.
const SAID_MAX: usize = 4;

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.number.filter(|it| KNOWN.contains(it)), self.at) {
            (Some(number), Some(at)) => write!(f, "{number} at {at}"),
            (Some(number), None) => write!(f, "{number}"),
            (None, Some(at)) => write!(f, "at {at}"),
            (None, None) => Ok(()),
        }
    }
}

/// An acknowledgement.
pub(super) struct Answer {
    /// MSA-1; none if it is not in table 0008.
    pub(super) code: Option<AckCode>,
    /// MSA-2, as it stands there.
    pub(super) control_id: Bytes,
    control_id_text: Option<String>,
    /// What ERR says, or what older versions have in its place.
    pub(super) said: Vec<Said>,
    /// The whole answer.
    pub(super) content: Bytes,
}

impl Answer {
    /// Reads a frame's content; none if it is no acknowledgement of one message.
    pub(super) fn read(content: Bytes) -> Option<Self> {
        let message = Message::parse(content.clone()).ok()?;
        let msa = message.segment(SegmentName::new(b"MSA")?, 1)?;
        if message.is_batch() {
            return None;
        }
        let range = |number| msa.field(number).unwrap_or_default();
        let code = AckCode::of(content.get(range(1)).unwrap_or_default());
        let control_id = content.slice(range(2));
        let control_id_text = message.text(range(2)).ok();
        let said = said(&message);
        Some(Self { code, control_id, control_id_text, said, content })
    }

    /// Whether it is named an acknowledgement: MSH-9.1 is `ACK`, or `MCF` of older versions. Only such
    /// a one settles a message from elsewhere.
    pub(super) fn is_named(&self) -> bool {
        let kind = Path { component: Some(1), ..Path::field_of(SegmentName::MSH, 9) };
        let message = Message::parse(self.content.clone()).ok();
        let kind = message.as_ref().and_then(|it| it.bytes().get(it.find(&kind)?));
        kind.is_some_and(|it| matches!(it.trim_ascii(), b"ACK" | b"MCF"))
    }

    /// Whether it is about this message.
    pub(super) fn is_to(&self, outgoing: &Outgoing) -> bool {
        self.is_about(&outgoing.control_id, outgoing.control_id_text.as_deref())
    }

    /// Whether it is about the message with this MSH-10, as it stands there or unescaped.
    pub(super) fn is_about(&self, control_id: &Bytes, text: Option<&str>) -> bool {
        self.control_id == control_id
            || self.control_id_text.is_some() && self.control_id_text.as_deref() == text
    }

    /// AckCode, numbers and places: `AE (101 at PID-5)`.
    pub(super) fn summary(&self, code: AckCode) -> String {
        let mut parts: Vec<String> = Vec::new();
        for said in self.said.iter().map(Said::to_string).filter(|it| !it.is_empty()) {
            if parts.len() < SAID_MAX && !parts.contains(&said) {
                parts.push(said);
            }
        }
        let more = parts.join(", ");
        if more.is_empty() { code.word().into() } else { format!("{} ({more})", code.word()) }
    }
}

/// Bounded, so that an answer of a million ERR segments costs no more than its bytes.
const ERR_MAX: usize = 64;

fn said(message: &Message) -> Vec<Said> {
    let value = |path: Path| {
        let range = message.find(&path)?;
        message.bytes().get(range)
    };
    let part = |segment, occurrence, field, component| Path {
        occurrence: Some(occurrence),
        component: Some(component),
        ..Path::field_of(segment, field)
    };
    let (Some(err), Some(msa)) = (SegmentName::new(b"ERR"), SegmentName::new(b"MSA")) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let errors = message.segments().filter(|it| it.segment_name() == err).take(ERR_MAX).count();
    for occurrence in (1..).take(errors) {
        let of = |field, component| value(part(err, occurrence, field, component));
        // From 2.5 on ERR-2 and ERR-3; before, ERR-1 held segment, sequence, field and code.
        let number = of(3, 1).or_else(|| of(1, 4)).and_then(number);
        let field = if of(2, 1).is_some() { 2 } else { 1 };
        let at = place(of(field, 1), of(field, 2), of(field, 3));
        all.push(Said { number, at });
    }
    // 2.4 and before: MSA-6 may hold the number.
    if all.iter().all(|it| it.number.is_none())
        && let Some(number) = value(part(msa, 1, 6, 1)).and_then(number)
    {
        all.push(Said { number: Some(number), at: None });
    }
    all
}

fn number(field: &[u8]) -> Option<u16> {
    let field = field.trim_ascii();
    let is_number = field.len() <= 3 && field.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(field).ok()?.parse().ok()).flatten()
}

fn place(segment: Option<&[u8]>, occurrence: Option<&[u8]>, field: Option<&[u8]>) -> Option<Path> {
    let segment = SegmentName::new(segment?)?;
    let positive =
        |field: Option<&[u8]>| field.and_then(number).filter(|it| 0 < *it).map(u32::from);
    Some(Path {
        segment,
        occurrence: positive(occurrence).filter(|it| 1 < *it),
        field: positive(field),
        repetition: None,
        component: None,
        subcomponent: None,
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn read(segments: &str) -> Option<Answer> {
        let text = format!("MSH|^~\\&|A|B|C|D|2026||ACK|9|P|2.5\r{segments}");
        Answer::read(text.into_bytes().into())
    }

    #[track_caller]
    fn check(segments: &str, expected: Expect) {
        let answer = read(segments).expect("an acknowledgement");
        let said = answer.code.map_or("no code".into(), |code| answer.summary(code));
        expected.assert_eq(&format!("{said} to {:?}", answer.control_id));
    }

    #[test]
    fn codes_numbers_and_places_are_read_in_every_version() {
        check("MSA|AA|7\r", expect![[r#"AA to b"7""#]]);
        check("SFT|x\rMSA| ae |7\r", expect![[r#"AE to b"7""#]]);
        check("MSA|AE|7\rERR||PID^1^5|101|E\r", expect![[r#"AE (101 at PID-5) to b"7""#]]);
        check(
            "MSA|AE|7\rERR||OBX^3^5|102\rERR||OBX^4|103\r",
            expect![[r#"AE (102 at OBX[3]-5, 103 at OBX[4]) to b"7""#]],
        );
        check(
            "MSA|AR|7\rERR|MSH^1^12^203&Unsupported\r",
            expect![[r#"AR (203 at MSH-12) to b"7""#]],
        );
        check("MSA|AR|7||||207^Internal\r", expect![[r#"AR (207) to b"7""#]]);
        check("MSA|CR|7\rERR|||207^Application internal error\r", expect![[r#"CR (207) to b"7""#]]);
    }

    #[test]
    fn nothing_that_could_be_content_is_said() {
        check(
            "MSA|AE|7|Zwiebelfisch\rERR||Zwiebelfisch^1^5|Zwiebelfisch||||Zwiebelfisch\r",
            expect![[r#"AE to b"7""#]],
        );
        check("MSA|AE|7\rERR||PID^4711^0815|471\r", expect![[r#"AE (at PID) to b"7""#]]);
        check("MSA|Zwiebelfisch|7\r", expect![[r#"no code to b"7""#]]);
        let many = "ERR||PID^1^5|101\r".repeat(1_000) + &"ERR||PID^1^3|101\r".repeat(10);
        check(&format!("MSA|AE|7\r{many}"), expect![[r#"AE (101 at PID-5) to b"7""#]]);
    }

    #[test]
    fn what_is_no_acknowledgement_of_one_message_is_not_read() {
        assert!(read("PID|1\r").is_none());
        assert!(read("MSA|AA|7\rMSH|^~\\&|A\rMSA|AA|8\r").is_none());
        for junk in ["", "\u{6}", "HTTP/1.1 400 Bad Request", "MSA|AA|7"] {
            assert!(Answer::read(Bytes::from_static(junk.as_bytes())).is_none(), "{junk:?}");
        }
    }
}

//! Whatever a message holds: its answers can be read, refer to it, and hold nothing else of it.

use proptest::prelude::*;

use super::*;

/// Fields of MSH that the standard wants back, whole.
const GIVEN_BACK: [usize; 7] = [3, 4, 5, 6, 10, 11, 12];

/// A value that says where it stands: `M7Q` in MSH-7, longer than any event. Between its parts is anything.
fn value(mark: String) -> impl Strategy<Value = Vec<u8>> {
    let odd = prop::collection::vec(
        prop::sample::select(b"^~\\&$%#\"' \xe4\xff\x0b\x1cAB1".to_vec()),
        0..6,
    );
    odd.prop_map(move |odd| [mark.as_bytes(), &odd, mark.as_bytes()].concat())
}

prop_compose! {
    fn message()(
        declared in prop::sample::select(vec!["|^~\\&", "$%~\\&", "|^~\\", "!$r?@", "|^~\\&#", "*^~#&"]),
        fields in (3..22_usize).map(|it| value(format!("M{it}QQQQQQQ"))).collect::<Vec<_>>(),
        pid in value("PIDQ".to_owned()),
        accept in prop::sample::select(vec!["", "AL", "NE", "ER", "SU"]),
        application in prop::sample::select(vec!["", "AL", "NE", "ER", "SU"]),
        version in prop::sample::select(vec!["2.1", "2.3", "2.3.1", "2.5.1", "2.8"]),
    ) -> Vec<u8> {
        let separator = declared.as_bytes()[0];
        let mut message = format!("MSH{declared}").into_bytes();
        for (number, field) in (3..22).zip(fields) {
            message.push(separator);
            match number {
                12 => message.extend(version.as_bytes()),
                15 => message.extend(accept.as_bytes()),
                16 => message.extend(application.as_bytes()),
                // What stands in a field of MSH is no separator.
                _ => message.extend(field.iter().filter(|it| **it != separator)),
            }
        }
        message.extend(b"\rPID");
        message.push(separator);
        message.extend(pid);
        message.push(b'\r');
        message
    }
}

proptest! {
    #[test]
    fn an_answer_refers_to_its_message_and_holds_nothing_else_of_it(
        message in message(),
        number in 0..every_refusal().len(),
    ) {
        let parsed = Message::parse(message.into()).expect("HL7");
        let header = parsed.header();
        let refusal = every_refusal().swap_remove(number);
        for verdict in [
            Verdict::Accepted,
            Verdict::Committed,
            Verdict::Processed,
            Verdict::Rejected(&refusal),
            Verdict::Refused(&refusal),
        ] {
            for answer in answers(Some(&header), verdict) {
                let text = String::from_utf8_lossy(&answer).into_owned();
                for field in (3..22).filter(|it| !GIVEN_BACK.contains(it)) {
                    prop_assert!(!text.contains(&format!("M{field}Q")), "{text}");
                }
                prop_assert!(!text.contains("PIDQ"), "{text}");
                let read = Message::parse(answer.into()).expect("HL7");
                let msa = read.segments().find(|it| it.name() == "MSA").expect("MSA");
                let id = read.bytes().slice(msa.field(2).unwrap_or_default());
                let framed = |it: &u8| matches!(it, 0x0b | 0x1c);
                let mut wanted = header.control_id.to_vec();
                wanted.retain(|it| !framed(it));
                prop_assert_eq!(id.as_ref(), wanted.as_slice());
            }
        }
    }
}

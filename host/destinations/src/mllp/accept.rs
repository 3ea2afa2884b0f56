//! The acknowledgement of an acknowledgement: HL7 v2.5.1 ch. 2, 2.9.3.2. In the enhanced mode the
//! application's acknowledgement is a message of its own, and its MSH-15 may ask for a commit
//! acknowledgement (`CA`) back. A commit acknowledgement is never acknowledged.
//!
//! Not here: when it is sent ([`Destination::recorded`](crate::Destination::recorded): once what the
//! acknowledgement settled is durable).

use bytes::Bytes;
use hilum_hl7::{Message, SegmentName};
use hilum_words::Stamp;

use super::expected::wants_commit;

/// Whether an acknowledgement asks for one back.
pub(super) fn is_asked_for(acknowledgement: &Bytes) -> bool {
    Message::parse(acknowledgement.clone()).is_ok_and(|it| {
        let header = it.header();
        wants_commit(&header) && !header.control_id.trim_ascii().is_empty()
    })
}

/// The frame of the `CA` to an acknowledgement, in its own delimiters.
pub(super) fn frame(acknowledgement: &Bytes, stamp: &Stamp) -> Option<Vec<u8>> {
    let message = Message::parse(acknowledgement.clone()).ok()?;
    let header = message.header();
    let declared = message.segment(SegmentName::MSH, 1)?.field(2)?;
    let declared = message.bytes().slice(declared);
    let (field, component) = (header.delimiters.field, header.delimiters.component);
    let event = header.message_type.split(|it| *it == component).nth(1).unwrap_or_default();
    let kind = if event.is_empty() {
        b"ACK".to_vec()
    } else {
        [b"ACK", &[component][..], event, &[component], b"ACK"].concat()
    };
    let at = stamp.at.hl7();
    let fields: [&[u8]; 17] = [
        &declared,
        &header.receiving_application,
        &header.receiving_facility,
        &header.sending_application,
        &header.sending_facility,
        at.as_bytes(),
        b"",
        &kind,
        stamp.control_id.as_bytes(),
        &header.processing_id,
        &header.version,
        b"",
        b"",
        // Nothing more is wanted of it.
        b"NE",
        b"NE",
        b"",
        &header.character_set,
    ];
    let mut text = b"MSH".to_vec();
    for value in fields {
        text.push(field);
        text.extend_from_slice(value);
    }
    if header.character_set.is_empty() {
        text.truncate(text.len() - 2);
    }
    text.extend_from_slice(b"\rMSA");
    for value in [b"CA".as_slice(), &header.control_id] {
        text.push(field);
        text.extend_from_slice(value);
    }
    text.push(b'\r');
    hilum_mllp::encode(&text).ok()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use hilum_words::Timestamp;

    use super::*;

    #[track_caller]
    fn check(acknowledgement: &'static str, expected: Expect) {
        let acknowledgement = Bytes::from_static(acknowledgement.as_bytes());
        let stamp =
            Stamp { at: Timestamp::from_micros(1_795_511_008_123_456), control_id: "OURS".into() };
        let said = match is_asked_for(&acknowledgement) {
            true => frame(&acknowledgement, &stamp).expect("a frame"),
            false => b"nothing".to_vec(),
        };
        let said =
            String::from_utf8_lossy(&said).replace(['\u{b}', '\u{1c}'], "").replace('\r', "\n");
        expected.assert_eq(said.trim_end());
    }

    #[test]
    fn one_that_asks_for_it_gets_a_commit_acknowledgement() {
        check(
            "MSH|^~\\&|LAB^1.2^ISO|L|HIS|H|2026||ACK^A01^ACK|K1|P|2.5.1|||AL|NE\rMSA|AA|7\r",
            expect![[r#"
                MSH|^~\&|HIS|H|LAB^1.2^ISO|L|20261124090328.123+0000||ACK^A01^ACK|OURS|P|2.5.1|||NE|NE
                MSA|CA|K1"#]],
        );
        check(
            "MSH$%~!@$LAB$L$HIS$H$2026$$ORR%O02$K$T$2.3$$$su$$$UNICODE UTF-8\rMSA$AE$7\r",
            expect![[r#"
                MSH$%~!@$HIS$H$LAB$L$20261124090328.123+0000$$ACK%O02%ACK$OURS$T$2.3$$$NE$NE$$UNICODE UTF-8
                MSA$CA$K"#]],
        );
    }

    #[test]
    fn one_that_does_not_gets_nothing() {
        for acknowledgement in [
            "MSH|^~\\&|LAB|L|HIS|H|2026||ACK|K1|P|2.5\rMSA|AA|7\r",
            "MSH|^~\\&|LAB|L|HIS|H|2026||ACK|K1|P|2.5|||NE|AL\rMSA|AA|7\r",
            "MSH|^~\\&|LAB|L|HIS|H|2026||ACK|K1|P|2.5|||ER|AL\rMSA|AA|7\r",
            "MSH|^~\\&|LAB|L|HIS|H|2026||ACK||P|2.5|||AL|NE\rMSA|AA|7\r",
            "nothing",
        ] {
            check(acknowledgement, expect!["nothing"]);
        }
    }
}

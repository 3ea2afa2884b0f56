//! Acknowledgements that others send to us.

use bytes::Bytes;
use hilum_hl7::{Header, Message, SegmentName};
use hilum_words::AckCode;

use crate::ack::component;

/// What an acknowledgement says, and about which message.
#[derive(Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// MSA-2 as it stands there.
    pub control_id: Bytes,
    /// MSA-1; none if it is not in table 0008.
    pub code: Option<AckCode>,
}

/// Whether a message is an answer to another: MSH-9.1 is ACK, or it carries an MSA. Some responses
/// (RSP, ORR) carry an MSA too; to a listener, which asked nothing, they are answers all the same.
/// Nobody acknowledges one.
pub fn is_acknowledgement(message: &Message) -> bool {
    is_named(&message.header()) || msa().is_some_and(|msa| message.segment(msa, 1).is_some())
}

/// Whether MSH-9.1 is ACK.
pub(crate) fn is_named(header: &Header) -> bool {
    component(header, &header.message_type, 1) == b"ACK"
}

fn msa() -> Option<SegmentName> {
    SegmentName::new(b"MSA")
}

impl Acknowledged {
    /// Reads a message; none if it is no acknowledgement, or has no MSA.
    pub fn of(message: &Message) -> Option<Self> {
        let msa = message.segment(msa()?, 1)?;
        let field = |number| message.bytes().slice(msa.field(number).unwrap_or_default());
        Some(Self { control_id: field(2), code: AckCode::of(&field(1)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Message {
        Message::parse(text.to_owned().into()).expect("HL7")
    }

    #[test]
    fn an_answer_is_one_by_name_or_by_its_msa() {
        for text in [
            "MSH|^~\\&|A||||||ACK|7\r",
            "MSH|^~\\&|A||||||ACK^A01^ACK|7\rMSA|AA|1\r",
            "MSH|^~\\&|A||||||RSP^K21|7\rSFT|x\rMSA|AA|1\r",
        ] {
            assert!(is_acknowledgement(&parse(text)), "{text}");
        }
        assert!(!is_acknowledgement(&parse("MSH|^~\\&|A||||||ADT^A01|7\rPID|MSA|1\r")));
    }

    #[test]
    fn what_an_answer_says_is_read() {
        let read = |text: &str| {
            Acknowledged::of(&parse(text))
                .map(|it| (it.code, String::from_utf8_lossy(&it.control_id).into_owned()))
        };
        let ack = "MSH|^~\\&|A||||||ACK|7\rERR|\rMSA|ae|X\\T\\1\r";
        assert_eq!(read(ack), Some((Some(AckCode::AE), "X\\T\\1".to_owned())));
        assert_eq!(read("MSH|^~\\&|A||||||ACK|7\rMSA\r"), Some((None, String::new())));
        assert_eq!(read("MSH|^~\\&|A||||||ACK|7\r"), None);
    }
}

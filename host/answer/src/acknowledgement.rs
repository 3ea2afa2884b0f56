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

/// Segments that say nothing but how another message fared, and who says so.
const OF_ACKNOWLEDGEMENTS: [&str; 6] = ["MSH", "MSA", "ERR", "SFT", "UAC", "NTE"];

/// Whether a message is an acknowledgement and nothing else: it is named one, or it has an MSA and
/// nothing that could be content. Nobody acknowledges one.
///
/// Responses (RSP, ORR, ORF) carry an MSA too, and results or orders beside it: they are messages like
/// any other. What answers them is named ACK, so that no two gateways answer each other for ever.
pub fn is_acknowledgement(message: &Message) -> bool {
    let is_bare = || message.segments().all(|it| OF_ACKNOWLEDGEMENTS.contains(&it.name()));
    let has_msa = || msa().is_some_and(|msa| message.segment(msa, 1).is_some());
    is_named(&message.header()) || has_msa() && is_bare()
}

/// Whether MSH-9.1 is ACK, or MCF, the delayed acknowledgement of older versions.
pub(crate) fn is_named(header: &Header) -> bool {
    matches!(component(header, &header.message_type, 1), b"ACK" | b"MCF")
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
    fn an_acknowledgement_is_one_by_name_or_has_nothing_beside_its_msa() {
        for text in [
            "MSH|^~\\&|A||||||ACK|7\r",
            "MSH|^~\\&|A||||||ACK^A01^ACK|7\rMSA|AA|1\r",
            "MSH|^~\\&|A||||||MCF^Q02|7\rMSA|AA|1\r",
            "MSH|^~\\&|A||||||ACK^O01|7\rMSA|AA|1\rPID|1\r",
            "MSH|^~\\&|A||||||ORR^O02|7\rSFT|x\rUAC|x\rMSA|AE|1\rERR|x\rNTE|1\r",
        ] {
            assert!(is_acknowledgement(&parse(text)), "{text}");
        }
        for text in [
            "MSH|^~\\&|A||||||ADT^A01|7\rPID|MSA|1\r",
            "MSH|^~\\&|A||||||ADT^A01|7\r",
            "MSH|^~\\&|A||||||ORF^R04|7\rMSA|AA|1\rQRD|1\rOBR|1\rOBX|1\r",
            "MSH|^~\\&|A||||||RSP^K22|7\rMSA|AA|1\rQAK|1\rQPD|1\rPID|1\r",
            "MSH|^~\\&|A||||||ORR^O02|7\rMSA|AA|1\rORC|OK\r",
            "MSH|^~\\&|A||||||ORR^O02|7\rMSA|AA|1\rZZZ|1\r",
            "MSH|^~\\&|A||||||ACKNOWLEDGE|7\rPID|1\r",
        ] {
            assert!(!is_acknowledgement(&parse(text)), "{text}");
        }
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

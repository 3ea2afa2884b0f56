//! Who a message goes to, and who an acknowledgement is from: MSH-5 and MSH-6, MSH-3 and MSH-4.
//!
//! Receivers give them back as they were, without the universal id, or not at all, so that only
//! components that stand in both speak for or against.

use bytes::Bytes;
use hilum_hl7::{Message, Path, SegmentName};

use crate::destination::Fit;

/// Components of HD: namespace, universal id, its type.
const COMPONENTS: u32 = 3;

/// An application and a facility, each of HL7's type HD, unescaped. Values of the message: never printed.
pub(super) struct Parties([[Option<String>; COMPONENTS as usize]; 2]);

impl Parties {
    /// Who the message goes to.
    pub(super) fn receiving(message: &Message) -> Self {
        Self::read(message, [5, 6])
    }

    /// Who the acknowledgement is from.
    pub(super) fn sending(acknowledgement: &Bytes) -> Option<Self> {
        Some(Self::read(&Message::parse(acknowledgement.clone()).ok()?, [3, 4]))
    }

    fn read(message: &Message, fields: [u32; 2]) -> Self {
        let component = |field, number| {
            let path = Path { component: Some(number), ..Path::field_of(SegmentName::MSH, field) };
            let text = message.find(&path).and_then(|it| message.text(it).ok())?;
            let text = text.trim();
            (!text.is_empty() && text != "\"\"").then(|| text.to_owned())
        };
        Self(fields.map(|field| [1, 2, 3].map(|number| component(field, number))))
    }

    /// How well one who sends fits one who was sent to.
    pub(super) fn fit(&self, other: &Self) -> Fit {
        let mut fit = Fit::Unknown;
        for (here, there) in self.0.iter().flatten().zip(other.0.iter().flatten()) {
            match (here, there) {
                (Some(here), Some(there)) if here == there => fit = Fit::Same,
                (Some(_), Some(_)) => return Fit::Other,
                _ => {}
            }
        }
        fit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(receiving: &str, sending: &str, expected: Fit) {
        let sent = format!("MSH|^~\\&|A|B|{receiving}|2026||ADT^A01|7|P|2.5\r");
        let sent = Message::parse(sent.into_bytes().into()).expect("a message");
        let came = format!("MSH$%~!@${sending}$A$B$2026$$ACK$9$P$2.5\rMSA$AA$7\r");
        let came = Parties::sending(&came.into_bytes().into()).expect("a message");
        assert_eq!(Parties::receiving(&sent).fit(&came), expected, "{receiving} {sending}");
    }

    #[test]
    fn what_stands_in_both_speaks_for_or_against() {
        check("LAB|H", "LAB$H", Fit::Same);
        check("LAB^1.2^ISO|H", "LAB$H", Fit::Same);
        check("LAB^1.2^ISO|H", "LAB%1.2%ISO$H", Fit::Same);
        check("LAB|", "LAB$H", Fit::Same);
        check("L\\T\\B|H", "L&B$H", Fit::Same);
        check("LAB^1.2|H", "LAB%1.3$H", Fit::Other);
        check("LAB|H", "LAB$G", Fit::Other);
        check("LAB|H", "lab$H", Fit::Other);
        check("|", "LAB$H", Fit::Unknown);
        check("LAB|\"\"", "$H", Fit::Unknown);
    }
}

//! Batches of acknowledgements: HL7 v2 chapter 2, 2.10.3.

use bytes::Bytes;
use hilum_hl7::Header;
use hilum_words::Stamp;

use crate::Ack;
use crate::segment::Writing;

/// The acknowledgements of one batch, and what they answer.
#[derive(Default)]
pub struct AckBatch<'a> {
    /// The BHS that the messages came under; for messages without one, the MSH of the first.
    pub header: Option<&'a Header>,
    /// Whether `header` is a BHS, to which BHS-12 refers.
    pub is_named: bool,
    /// The acknowledgements; may be none.
    pub acks: Vec<Ack>,
}

/// Writes batches of acknowledgements as one message, unframed: each between BHS and BTS, all between
/// FHS and FTS if what is answered was a file. BHS-12 and FHS-12 refer to the control ids of what is
/// answered. Every header takes a stamp of its own.
pub fn write_batches(
    file: Option<&Header>,
    batches: &[AckBatch<'_>],
    stamp: &mut dyn FnMut() -> Stamp,
) -> Bytes {
    let mut out = Vec::new();
    let writing = Writing::of(file);
    if let Some(file) = file {
        out.extend(header(&writing, "FHS", Some(file), true, stamp()));
    }
    for batch in batches {
        let writing = Writing::of(batch.header);
        out.extend(header(&writing, "BHS", batch.header, batch.is_named, stamp()));
        batch.acks.iter().for_each(|ack| out.extend_from_slice(&ack.bytes));
        let count = batch.acks.len().to_string();
        out.extend(writing.segment("BTS", vec![writing.text(&count)]));
    }
    if file.is_some() {
        let count = batches.len().to_string();
        out.extend(writing.segment("FTS", vec![writing.text(&count)]));
    }
    out.into()
}

/// FHS and BHS have the same fields: 3 to 6 as in MSH, 7 the time, 11 the control id, 12 the one that
/// is referred to.
fn header(
    writing: &Writing,
    name: &str,
    answered: Option<&Header>,
    is_named: bool,
    stamp: Stamp,
) -> Vec<u8> {
    let given_back =
        |field: fn(&Header) -> &Bytes| answered.map(|it| field(it).to_vec()).unwrap_or_default();
    let named = answered.filter(|_| is_named);
    writing.segment(
        name,
        vec![
            // The first field is the separator itself.
            writing.encoding_characters().to_vec(),
            given_back(|it| &it.receiving_application),
            given_back(|it| &it.receiving_facility),
            given_back(|it| &it.sending_application),
            given_back(|it| &it.sending_facility),
            writing.text(&stamp.at.hl7()),
            Vec::new(),
            Vec::new(),
            Vec::new(),
            writing.text(&stamp.control_id),
            named.map(|it| it.control_id.to_vec()).unwrap_or_default(),
        ],
    )
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use hilum_hl7::Message;
    use hilum_words::Timestamp;

    use super::*;
    use crate::Refusal;

    fn stamps() -> impl FnMut() -> Stamp {
        let mut count = 0;
        move || {
            count += 1;
            Stamp { at: Timestamp::from_micros(0), control_id: format!("OURS{count}") }
        }
    }

    /// Answers each message of a batch with AR, in one batch for each of theirs.
    #[track_caller]
    fn check(text: &str, expected: Expect) {
        let whole = Message::parse(text.to_owned().into()).expect("HL7");
        let headers: Vec<_> = whole
            .segments()
            .map(|it| (it.name().to_owned(), whole.header_at(it.number())))
            .collect();
        let mut stamp = stamps();
        let mut file = None;
        let mut batches: Vec<AckBatch<'_>> = Vec::new();
        for (name, header) in &headers {
            match name.as_str() {
                "FHS" => file = Some(header),
                "BHS" => {
                    batches.push(AckBatch { header: Some(header), is_named: true, acks: vec![] });
                }
                "MSH" => {
                    let acks = Ack::refuse(Some(header), &Refusal::Busy, &mut stamp);
                    batches.last_mut().expect("a batch").acks.extend(acks);
                }
                _ => {}
            }
        }
        let answer = write_batches(file, &batches, &mut stamp);
        let read = Message::parse(answer.clone()).expect("HL7").batch();
        assert!(read.findings.is_empty(), "{:?}", read.findings);
        expected.assert_eq(&String::from_utf8_lossy(&answer).replace('\r', "\n"));
    }

    #[test]
    fn a_file_of_batches_is_answered_by_a_file_of_batches() {
        check(
            "FHS|^~\\&|A|B|C|D|2026||||F1\rBHS|^~\\&|A|B|C|D|2026||||B1\rMSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.3\rBTS|1\rBHS$%~\\&$A$B$C$D$2026$$$$B2\rBTS$0\rFTS|2\r",
            expect![[r#"
                FHS|^~\&|C|D|A|B|19700101000000.000+0000||||OURS2|F1
                BHS|^~\&|C|D|A|B|19700101000000.000+0000||||OURS3|B1
                MSH|^~\&|C|D|A|B|19700101000000.000+0000||ACK^A01|OURS1|P|2.3
                MSA|AR|7|busy: try again later
                ERR|^^^207&Application internal error&HL70357
                BTS|1
                BHS$%~\&$C$D$A$B$19700101000000.000+0000$$$$OURS4$B2
                BTS$0
                FTS|2
            "#]],
        );
    }
}

//! A message that may go out: framed, with what its answers will be known by.

use bytes::Bytes;
use hilum_hl7::{EditLimits, Message, Path, SegmentName};

use super::FORMAT;
use super::expected::Expected;
use super::parties::Parties;
use crate::{Delivery, SendFault};

/// A message, ready to be written.
pub(super) struct Outgoing {
    /// The whole frame.
    pub(super) frame: Vec<u8>,
    /// MSH-10, as it stands in the message.
    pub(super) control_id: Bytes,
    /// The same, unescaped: a receiver with other delimiters escapes it in its own way.
    pub(super) control_id_text: Option<String>,
    /// Which answers come.
    pub(super) expected: Expected,
    /// Who it goes to.
    pub(super) parties: Parties,
}

impl Outgoing {
    /// Looks at a body. What cannot be answered, or would be cut off, is refused with its cause.
    pub(super) fn of(delivery: &Delivery, is_enhanced: bool) -> Result<Self, SendFault> {
        let refused = |code: String| SendFault::Refused { code };
        if delivery.format.as_str() != FORMAT {
            let code = format!("an MLLP receiver takes {FORMAT}, not {}", delivery.format);
            return Err(refused(code));
        }
        let mut frame = hilum_mllp::encode(&delivery.body).map_err(|it| refused(it.to_string()))?;
        let mut message =
            Message::parse(delivery.body.clone()).map_err(|it| refused(it.to_string()))?;
        if message.is_batch() {
            let code = "a batch cannot be sent yet: no single answer speaks for all of it";
            return Err(refused(code.into()));
        }
        if is_enhanced {
            message = enhanced(&message).ok_or_else(|| {
                refused("MSH-15 and MSH-16 of the copy that is sent cannot be set".into())
            })?;
            frame = hilum_mllp::encode(message.bytes()).map_err(|it| refused(it.to_string()))?;
        }
        let header = message.header();
        if header.control_id.trim_ascii().is_empty() {
            return Err(refused(
                "MSH-10 is empty, so no answer could be told to be its own".into(),
            ));
        }
        let expected = Expected::of(&header);
        let control_id_text = control_id_text(&message);
        let parties = Parties::receiving(&message);
        Ok(Self { frame, control_id: header.control_id, control_id_text, expected, parties })
    }
}

fn control_id_text(message: &Message) -> Option<String> {
    let msh = message.segment(SegmentName::MSH, 1);
    msh.and_then(|it| it.field(10)).and_then(|it| message.text(it).ok())
}

/// MSH-10 of a message, as it stands there and unescaped.
pub(super) fn control_ids(body: &Bytes) -> Option<(Bytes, Option<String>)> {
    let message = Message::parse(body.clone()).ok()?;
    let id = message.header().control_id;
    (!id.trim_ascii().is_empty()).then(|| (id, control_id_text(&message)))
}

/// The message with `AL` in MSH-15 and MSH-16; all else as it stands.
fn enhanced(message: &Message) -> Option<Message> {
    let bytes_max = message.bytes().len().saturating_add(64);
    let mut draft = message.edit(EditLimits { bytes_max, number_max: 32 });
    for field in [15, 16] {
        draft.set(&Path::field_of(SegmentName::MSH, field), "AL").ok()?;
    }
    draft.finish().ok()
}

//! A message that may go out: framed, with what its answers will be known by.

use bytes::Bytes;
use hilum_hl7::Message;

use super::FORMAT;
use super::expected::Expected;
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
}

impl Outgoing {
    /// Looks at a body. What cannot be answered, or would be cut off, is refused with its cause.
    pub(super) fn of(delivery: &Delivery) -> Result<Self, SendFault> {
        let refused = |code: String| SendFault::Refused { code };
        if delivery.format.as_str() != FORMAT {
            let code = format!("an MLLP receiver takes {FORMAT}, not {}", delivery.format);
            return Err(refused(code));
        }
        let frame = hilum_mllp::encode(&delivery.body).map_err(|it| refused(it.to_string()))?;
        let message =
            Message::parse(delivery.body.clone()).map_err(|it| refused(it.to_string()))?;
        if message.is_batch() {
            let code = "a batch cannot be sent yet: no single answer speaks for all of it";
            return Err(refused(code.into()));
        }
        let header = message.header();
        if header.control_id.trim_ascii().is_empty() {
            return Err(refused(
                "MSH-10 is empty, so no answer could be told to be its own".into(),
            ));
        }
        let expected = Expected::of(&header);
        let msh = message.segment(hilum_hl7::SegmentName::MSH, 1);
        let text = msh.and_then(|it| it.field(10)).and_then(|it| message.text(it).ok());
        Ok(Self { frame, control_id: header.control_id, control_id_text: text, expected })
    }
}

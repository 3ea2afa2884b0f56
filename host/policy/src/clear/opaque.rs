use std::ops::Range;
use std::sync::Arc;

use hilum_message::{At, Message};

use super::writer::raw;
use super::{Job, MASK};
use crate::seals::{Plain, Seal};
use crate::{Class, Clear, ClearFault, Cleared};

/// A format without a reader: the message goes or does not; what a plugin made goes if no token is
/// in it.
pub(super) fn clear(job: &Job<'_>) -> Result<Cleared, ClearFault> {
    let bytes = job.body().bytes();
    let mut writer = job.writer();
    if job.is_original {
        let classes = Class::Body.into();
        let denied = |classes| ClearFault::Denied { classes, at: "the body".to_owned() };
        match job.clearance.clear_of(classes).map_err(denied)? {
            Clear::Open => writer.keep_to(bytes.len()),
            Clear::Mask => {
                writer.put(MASK.as_bytes());
                writer.skip_to(bytes.len());
            }
            // Nothing would be left to send.
            Clear::Withhold => return Err(denied(classes)),
        }
        writer.mark(0, classes);
        return Ok(job.cleared(writer));
    }
    let tokens = job.seals().tokens_in(bytes);
    if let [(range, token)] = tokens.as_slice()
        && range.len() == bytes.len()
        && let Some(seal) = job.seals().get(token)
        && let Some((message, range)) = whole_document(seal)
    {
        // A document too big to be handed over, handed on.
        let denied = |classes| ClearFault::Denied { classes, at: "the body".to_owned() };
        return match job.clearance.clear_of(seal.classes).map_err(denied)? {
            Clear::Open => {
                writer.put_raw(message, range);
                writer.mark(0, seal.classes);
                writer.skip_to(bytes.len());
                Ok(job.cleared(writer))
            }
            Clear::Mask | Clear::Withhold => Err(denied(seal.classes)),
        };
    }
    if let Some((range, _)) = tokens.first() {
        return Err(ClearFault::CannotUnseal {
            at: format!("byte {}", range.start),
            why: "a token stands here, and no value can be put into this format yet",
        });
    }
    let held = job.search(&String::from_utf8_lossy(bytes), || "the body".to_owned())?;
    writer.keep_to(bytes.len());
    writer.mark(0, held);
    Ok(job.cleared(writer))
}

/// The body that a token stands for, if it is one as a whole.
fn whole_document(seal: &Seal) -> Option<(&Arc<Message>, &Range<usize>)> {
    let Plain::Of(_, found) = &seal.plain else { return None };
    let (message, range, _) = raw(&seal.plain).filter(|_| found.at == At::Body)?;
    Some((message, range))
}

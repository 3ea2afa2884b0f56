use crate::{Class, Clear, ClearFault, Cleared};

use super::{Job, MASK};

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
    if let Some((range, _)) = job.seals().tokens_in(bytes).first() {
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

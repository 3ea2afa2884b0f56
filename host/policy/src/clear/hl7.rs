//! HL7 v2: values are escaped with the output's delimiters, and split nothing.

use std::ops::Range;
use std::sync::Arc;

use hilum_message::hl7v2::{Delimiters, Message as Hl7, SegmentName};
use hilum_message::{At, Found, Message};

use super::writer::{Writer, raw};
use super::{Job, MASK};
use crate::seals::Seal;
use crate::token::Token;
use crate::view::gaps;
use crate::{Classes, Clear, ClearFault, Cleared};

pub(super) fn clear(job: &Job<'_>) -> Result<Cleared, ClearFault> {
    let mut pass = Pass::new(job, true);
    let cleared = pass.run()?;
    if !pass.may_split || segments_of(job, &cleared) == job.body().as_hl7().map(names) {
        return Ok(cleared);
    }
    // Senders do put a bare LF into free text. Where it stood in the message it ended nothing; where
    // a plugin has put the value it would.
    let cleared = Pass::new(job, false).run()?;
    // A line without a name may have lost all it had; it is a blank line then, and no segment.
    let named = |mut names: Vec<(SegmentName, usize)>| {
        names.retain(|(name, _)| !name.is_unnamed());
        names
    };
    if segments_of(job, &cleared).map(named) == job.body().as_hl7().map(names).map(named) {
        return Ok(cleared);
    }
    Err(ClearFault::CannotUnseal {
        at: job.body().format().to_owned(),
        why: "with its values put in, the body would fall into other segments",
    })
}

fn segments_of(job: &Job<'_>, cleared: &Cleared) -> Option<Vec<(SegmentName, usize)>> {
    let bytes = cleared.assemble(job.original.bytes())?;
    // In its own character set: in some, a delimiter's byte may be half of a letter.
    let reading = job.seals().source.message().made_with();
    Hl7::parse_with(bytes, &reading).ok().as_ref().map(names)
}

/// Each segment's name, and how many fields it has.
fn names(hl7: &Hl7) -> Vec<(SegmentName, usize)> {
    hl7.segments().map(|it| (it.segment_name(), it.fields())).collect()
}

/// One way over the values of a body.
struct Pass<'a> {
    job: &'a Job<'a>,
    /// Whether a raw LF of a value is written as it is. It keeps an untouched value untouched.
    keep_line_feeds: bool,
    /// Whether a value went where it could end a segment, or begin one.
    may_split: bool,
    /// Tokens that were met in values.
    tokens: usize,
}

impl<'a> Pass<'a> {
    fn new(job: &'a Job<'a>, keep_line_feeds: bool) -> Self {
        Self { job, keep_line_feeds, may_split: false, tokens: 0 }
    }

    fn run(&mut self) -> Result<Cleared, ClearFault> {
        let job = self.job;
        let mut writer = job.writer();
        for found in job.body().values() {
            self.value(&found, &mut writer)?;
        }
        let all = job.seals().tokens_in(job.body().bytes());
        if all.len() != self.tokens {
            return Err(ClearFault::CannotUnseal {
                at: job.body().format().to_owned(),
                why: "a token stands outside of any value",
            });
        }
        Ok(job.cleared(writer))
    }

    fn value(&mut self, found: &Found, writer: &mut Writer<'_>) -> Result<(), ClearFault> {
        let job = self.job;
        let bytes = job.body().bytes().get(found.range.clone()).unwrap_or_default();
        if bytes == b"\"\"" {
            return Ok(());
        }
        let at = || job.place(found.at);
        let tokens = job.seals().tokens_in(bytes);
        self.tokens += tokens.len();
        let literals: Vec<_> = gaps(&tokens, bytes.len()).filter(|it| !it.is_empty()).collect();
        let says = |piece: &Range<usize>| {
            let piece = bytes.get(piece.clone()).unwrap_or_default();
            piece.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
        };
        let is_classed = tokens.is_empty() || literals.iter().any(says);
        let own = if is_classed { job.classer.classes(found.at) } else { Classes::NONE };
        let sealed = tokens.iter().filter_map(|(_, token)| job.seals().get(token));
        let classes = sealed.fold(own, |all, seal| all.and(seal.classes));
        let denied = |classes| ClearFault::Denied { classes, at: at() };
        let clear = job.clearance.clear_of(classes).map_err(denied)?;
        // A line without a name can get one from a value, or become a blank line.
        let is_unnamed = matches!(found.at, At::Hl7(place) if place.segment.is_unnamed());
        self.may_split |= is_unnamed && (!tokens.is_empty() || clear == Clear::Withhold);
        if clear == Clear::Withhold {
            writer.keep_to(found.range.start);
            writer.skip_to(found.range.end);
            return Ok(());
        }
        if job.clearance.clear_of(own) == Ok(Clear::Mask) {
            writer.keep_to(found.range.start);
            writer.put(MASK.as_bytes());
            writer.skip_to(found.range.end);
            return Ok(());
        }
        let mut marked = classes;
        for piece in literals {
            marked = marked.and(self.search(found, piece, &at)?);
        }
        writer.keep_to(found.range.start);
        let start = writer.at();
        for (range, token) in &tokens {
            writer.keep_to(found.range.start + range.start);
            self.unseal(token, found, writer)?;
            writer.skip_to(found.range.start + range.end);
        }
        writer.keep_to(found.range.end);
        writer.mark(start, marked);
        Ok(())
    }

    fn search(
        &self,
        found: &Found,
        piece: Range<usize>,
        at: &impl Fn() -> String,
    ) -> Result<Classes, ClearFault> {
        if self.job.is_original {
            return Ok(Classes::NONE);
        }
        let start = found.range.start;
        let range = start + piece.start..start + piece.end;
        let text = self.job.body().as_hl7().and_then(|hl7| hl7.text(range.clone()).ok());
        let raw = || self.job.body().bytes().get(range).unwrap_or_default();
        let text = text.unwrap_or_else(|| String::from_utf8_lossy(raw()).into_owned());
        self.job.search(&text, at)
    }

    fn unseal(
        &mut self,
        token: &Token,
        found: &Found,
        writer: &mut Writer<'_>,
    ) -> Result<(), ClearFault> {
        let job = self.job;
        let Some(seal) = job.seals().get(token) else { return Ok(()) };
        if job.clearance.clear_of(seal.classes) == Ok(Clear::Mask) {
            writer.put(MASK.as_bytes());
            return Ok(());
        }
        let cannot = |why| ClearFault::CannotUnseal { at: job.place(found.at), why };
        let (Some(hl7), Some(delimiters)) =
            (job.body().as_hl7(), job.classer.delimiters_at(found.range.start))
        else {
            return Err(cannot("the output has no delimiters"));
        };
        if let Some((message, range)) = self.as_it_stands(seal, hl7, delimiters) {
            writer.put_raw(message, range);
            return Ok(());
        }
        let text = seal.plain.text();
        let text = text.ok_or_else(|| cannot("the value is no text in its own character set"))?;
        let written = delimiters.escape_into(hl7.charset(), &text, writer.buffer());
        written
            .map_err(|_| cannot("the output's character set or delimiters cannot hold the value"))
    }

    /// The raw value, if it means the same in the output: it then goes byte for byte, with escapes
    /// that nothing here understands.
    fn as_it_stands<'b>(
        &mut self,
        seal: &'b Seal,
        hl7: &Hl7,
        delimiters: &Delimiters,
    ) -> Option<(&'b Arc<Message>, &'b Range<usize>)> {
        let (message, range, raw) = raw(&seal.plain)?;
        let source = &self.job.seals().source;
        let its = match message.as_hl7()? {
            _ if Arc::ptr_eq(message, source.message()) => {
                source.classer.delimiters_at(range.start)?
            }
            other if other.is_batch() => return None,
            other => other.delimiters(),
        };
        let is_alike = message.as_hl7()?.charset() == hl7.charset() || raw.is_ascii();
        let ends = |byte: &u8| matches!(byte, b'\r' | 0x0b | 0x1c);
        if its != delimiters || !is_alike || raw.iter().any(ends) {
            return None;
        }
        let has_line_feed = memchr::memchr(b'\n', raw).is_some();
        if has_line_feed && !self.keep_line_feeds {
            return None;
        }
        self.may_split |= has_line_feed;
        Some((message, range))
    }
}

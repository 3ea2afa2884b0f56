use crate::{CR, FS, VT};

/// The content holds a byte of the framing, so a receiver would cut it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content holds a byte of the framing (VT or FS) at offset {offset}")]
pub struct HoldsFraming {
    /// Where.
    pub offset: usize,
}

/// A frame around this content. Content that holds VT or FS is never sent.
pub fn encode(content: &[u8]) -> Result<Vec<u8>, HoldsFraming> {
    if let Some(offset) = memchr::memchr2(VT, FS, content) {
        return Err(HoldsFraming { offset });
    }
    let mut frame = Vec::with_capacity(content.len() + 3);
    frame.push(VT);
    frame.extend_from_slice(content);
    frame.extend_from_slice(&[FS, CR]);
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_put_around_the_content() {
        assert_eq!(encode(b"MSH|").expect("fits"), b"\x0bMSH|\x1c\r");
    }

    #[test]
    fn content_with_framing_in_it_is_refused() {
        assert_eq!(encode(b"a\x1cb"), Err(HoldsFraming { offset: 1 }));
        assert_eq!(encode(b"ab\x0b"), Err(HoldsFraming { offset: 2 }));
    }
}

//! Search for field separators and line ends, eight bytes at a time.
//!
//! A message has a delimiter every few bytes. A search that starts anew at each find, as `memchr`
//! does, spends its time on starting; measured on an ADT this takes half as long (`benches`).

use crate::index::wide;

const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The positions of a byte, and of all bytes up to CR (0x0d), in order. The other control
/// characters among these are rare, and for the caller to skip.
pub(crate) struct Finds<'a> {
    words: std::slice::Iter<'a, [u8; 8]>,
    tail: Option<[u8; 8]>,
    /// The wanted byte in each of the eight.
    wanted: u64,
    /// Bit 7 of each byte of the word at hand that is found and not yet handed out.
    found: u64,
    /// Where the word at hand starts.
    start: usize,
    /// Where the next one starts.
    next: usize,
}

pub(crate) fn finds(bytes: &[u8], wanted: u8) -> Finds<'_> {
    let (words, rest) = bytes.as_chunks::<8>();
    // 0xff is not ASCII, and so is never found.
    let mut tail = [0xff; 8];
    for (padded, &byte) in tail.iter_mut().zip(rest) {
        *padded = byte;
    }
    Finds {
        words: words.iter(),
        tail: (!rest.is_empty()).then_some(tail),
        wanted: u64::from_le_bytes([wanted; 8]),
        found: 0,
        start: 0,
        next: 0,
    }
}

impl Iterator for Finds<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let word = self.words.next().copied().or_else(|| self.tail.take())?;
            self.found = found(u64::from_le_bytes(word), self.wanted);
            self.start = self.next;
            self.next += 8;
        }
        let position = self.start + wide(self.found.trailing_zeros() / 8);
        self.found &= self.found - 1;
        Some(position)
    }
}

/// Bit 7 of each byte that is the wanted one (which is ASCII) or at most 0x0d. The additions cannot
/// carry from one byte into the next, so every byte is judged alone.
#[inline]
fn found(word: u64, wanted: u64) -> u64 {
    let differs = word ^ wanted;
    let equal = !((differs & LOW_BITS).wrapping_add(LOW_BITS) | differs);
    let up_to_cr = !((word & LOW_BITS).wrapping_add(0x7272_7272_7272_7272) | word);
    (equal | up_to_cr) & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_finds_what_a_look_at_each_byte_finds(
            bytes in proptest::collection::vec(any::<u8>(), 0..100),
            wanted in 0..0x80u8,
        ) {
            let found: Vec<_> = finds(&bytes, wanted).collect();
            let looked = bytes.iter().enumerate().filter(|(_, byte)| **byte == wanted || **byte <= b'\r');
            let looked: Vec<_> = looked.map(|(at, _)| at).collect();
            prop_assert_eq!(found, looked);
        }
    }

    #[test]
    fn every_byte_is_judged_alone_whatever_stands_beside_it() {
        for byte in 0..=255 {
            for beside in [0, 0x0d, 0x0e, b'{', b'|', b'}', 0x7f, 0x80, 0xfc, 0xff] {
                let word = [beside, byte, beside, byte, beside, byte, byte, beside];
                let is_found = |byte: u8| byte == b'|' || byte <= b'\r';
                let looked: Vec<_> = (0..8).filter(|&at| is_found(word[at])).collect();
                assert_eq!(finds(&word, b'|').collect::<Vec<_>>(), looked, "{word:x?}");
            }
        }
    }
}

//! Name-based UUIDs (RFC 9562): the same message and name always give the same id.
//!
//! [`urn`] is version 5, which anybody can make again. [`Space::urn`] is version 8 with a hash of our
//! own: a bundle has dozens of ids, and SHA-1 would be a tenth of what its mapping costs.

use std::rc::Rc;

/// What a message's own id is to the ids that are made of it.
#[derive(Clone, Debug)]
pub(crate) struct Space([u64; 2]);

/// Odd numbers without a pattern: the fractions of the golden ratio and of the square root of 3.
const FACTORS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xbb67_ae85_84ca_a73b];

impl Space {
    /// The space of a message's id.
    pub(crate) fn new(id: &str) -> Self {
        Self(hash(FACTORS, id))
    }

    /// The id of `name` in this space, version 8. Not made for enemies: whoever could choose names
    /// so that two meet would confuse their own message alone.
    #[inline(never)]
    pub(crate) fn urn(&self, name: &str) -> Rc<str> {
        let [high, low] = hash(self.0, name);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&high.to_be_bytes());
        id[8..].copy_from_slice(&low.to_be_bytes());
        Rc::from(text(id, 0x80))
    }
}

/// Two lanes of multiply and shift over eight bytes at a time, each lane fed by the other.
fn hash([mut a, mut b]: [u64; 2], text: &str) -> [u64; 2] {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    for (padded, byte) in last.iter_mut().zip(rest) {
        *padded = *byte;
    }
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    let words = words.iter().map(|it| u64::from_le_bytes(*it));
    for word in words.chain([u64::from_le_bytes(last), length, FACTORS[1]]) {
        a = (a ^ word).wrapping_mul(FACTORS[0]);
        b = (b.rotate_left(29) ^ a ^ word).wrapping_mul(FACTORS[1]);
        a ^= b >> 32;
        b ^= a >> 29;
    }
    [a, b]
}

/// `urn:uuid:…` of a version.
fn text(mut id: [u8; 16], version: u8) -> String {
    id[6] = id[6] & 0x0f | version;
    id[8] = id[8] & 0x3f | 0x80;
    let mut urn = String::with_capacity(45);
    urn.push_str("urn:uuid:");
    for (index, byte) in id.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            urn.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            urn.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    urn
}

/// The id of `name` in the space of a message's own id, version 5.
pub(crate) fn urn(space: &str, name: &str) -> String {
    let space = uuid(space).unwrap_or_else(|| space.as_bytes().to_vec());
    let digest = sha1(&[&space, name.as_bytes()]);
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    text(id, 0x50)
}

/// The bytes of a hyphenated UUID.
fn uuid(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(16);
    let mut high = None;
    for letter in text.bytes().filter(|it| *it != b'-') {
        let digit = match letter {
            b'0'..=b'9' => letter - b'0',
            b'a'..=b'f' => letter - b'a' + 10,
            b'A'..=b'F' => letter - b'A' + 10,
            _ => return None,
        };
        match high.take() {
            None => high = Some(digit << 4),
            Some(high) => bytes.push(high | digit),
        }
    }
    (bytes.len() == 16 && high.is_none()).then_some(bytes)
}

/// SHA-1 (FIPS 180-4), because version 5 is made of it. It protects nothing here.
fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut padded = Vec::with_capacity(128);
    for part in parts {
        padded.extend_from_slice(part);
    }
    let bits = padded.len() as u64 * 8;
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend_from_slice(&bits.to_be_bytes());

    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded.as_chunks::<64>().0 {
        compress(&mut state, block);
    }
    let mut digest = [0; 20];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// One block. The schedule is kept as the last sixteen words: a guest pays for each one.
fn compress(state: &mut [u32; 5], block: &[u8; 64]) {
    let mut words = [0_u32; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for at in 0..80 {
        if 16 <= at {
            let mixed = words[(at + 13) & 15]
                ^ words[(at + 8) & 15]
                ^ words[(at + 2) & 15]
                ^ words[at & 15];
            words[at & 15] = mixed.rotate_left(1);
        }
        let (mixed, constant) = match at {
            0..20 => (b & c | !b & d, 0x5a82_7999),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(mixed)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(words[at & 15]);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
        *sum = sum.wrapping_add(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn sha1_is_the_standard_one() {
        // FIPS 180-4's own examples, and one that fills a block to the brim.
        assert_eq!(hex(&sha1(&[b"a", b"bc"])), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(&sha1(&[])), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(
            hex(&sha1(&[b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"])),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        );
    }

    #[test]
    fn version_5_is_the_standard_one() {
        // RFC 9562, appendix A.4: the name `www.example.com` in the space of host names.
        assert_eq!(
            urn("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com"),
            "urn:uuid:2ed6657d-e927-568b-95e1-2665a8aea6a2"
        );
    }

    #[test]
    fn names_of_a_bundle_do_not_meet() {
        let mut all = std::collections::BTreeSet::new();
        for message in 0..100 {
            let space = Space::new(&format!("019a0000-0000-7000-8000-{message:012x}"));
            for kind in ["Patient", "Condition", "Practitioner|urn:oid:1.2.3|"] {
                for number in 0..100 {
                    let urn = space.urn(&format!("{kind}[{number}]"));
                    assert_eq!((urn.len(), &urn[23..24]), (45, "8"), "{urn}");
                    assert!(matches!(&urn[28..29], "8" | "9" | "a" | "b"), "{urn}");
                    assert!(all.insert(urn), "{kind} {number} of message {message}");
                }
            }
        }
        // Every bit depends on every letter: half of them change, about.
        let space = Space::new("x");
        let bits = |name: &str| u128::from_str_radix(&space.urn(name)[9..].replace('-', ""), 16);
        let [a, b] = ["Patient[1]", "Patient[2]"].map(|it| bits(it).unwrap_or_default());
        assert!((40..84).contains(&(a ^ b).count_ones()), "{}", (a ^ b).count_ones());
        assert_ne!(space.urn("a"), space.urn("a\0"));
        assert_ne!(space.urn(""), space.urn("\0"));
    }

    #[test]
    fn names_and_messages_do_not_meet() {
        let [a, b] =
            ["019a0000-0000-7000-8000-000000000001", "019a0000-0000-7000-8000-000000000002"];
        assert_ne!(urn(a, "Patient"), urn(b, "Patient"));
        assert_ne!(urn(a, "Patient"), urn(a, "Encounter"));
        assert_eq!(urn(a, "Patient"), urn(a, "Patient"));
        assert_ne!(urn("no uuid", "Patient"), urn("another", "Patient"));
    }
}

//! Name-based UUIDs (RFC 9562, version 5): the same message and name always give the same id.

/// The id of `name` in the space of a message's own id.
pub(crate) fn urn(space: &str, name: &str) -> String {
    let space = uuid(space).map_or_else(|| space.as_bytes().to_vec(), |it| it.to_vec());
    let mut id = [0; 16];
    id.copy_from_slice(&sha1(&[space.as_slice(), name.as_bytes()].concat())[..16]);
    id[6] = id[6] & 0x0f | 0x50;
    id[8] = id[8] & 0x3f | 0x80;

    let mut urn = String::with_capacity(45);
    urn.push_str("urn:uuid:");
    for (index, byte) in id.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            urn.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            urn.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    urn
}

/// The bytes of a hyphenated UUID.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|it| *it != '-')
        .map(|it| it.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |all, it| all << 4 | it)).collect();
    (digits.len() == 32).then(|| bytes.try_into().ok()).flatten()
}

/// SHA-1 (FIPS 180-4), because version 5 is made of it. It protects nothing here.
fn sha1(content: &[u8]) -> [u8; 20] {
    let mut padded = content.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend_from_slice(&(content.len() as u64 * 8).to_be_bytes());

    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded.chunks_exact(64) {
        let mut words = [0_u32; 80];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = bytes.iter().fold(0, |all, byte| all << 8 | u32::from(*byte));
        }
        for at in 16..80 {
            words[at] =
                (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (mixed, constant) = match at / 20 {
                0 => (b & c | !b & d, 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let next = a
                .rotate_left(5)
                .wrapping_add(mixed)
                .wrapping_add(e)
                .wrapping_add(constant)
                .wrapping_add(*word);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        for (sum, part) in state.iter_mut().zip([a, b, c, d, e]) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut digest = [0; 20];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
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
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(&sha1(b"")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        assert_eq!(
            hex(&sha1(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
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
    fn names_and_messages_do_not_meet() {
        let [a, b] =
            ["019a0000-0000-7000-8000-000000000001", "019a0000-0000-7000-8000-000000000002"];
        assert_ne!(urn(a, "Patient"), urn(b, "Patient"));
        assert_ne!(urn(a, "Patient"), urn(a, "Encounter"));
        assert_eq!(urn(a, "Patient"), urn(a, "Patient"));
        assert_ne!(urn("no uuid", "Patient"), urn("another", "Patient"));
    }
}

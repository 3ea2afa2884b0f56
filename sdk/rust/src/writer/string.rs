//! A string of JSON (RFC 8259, section 7).

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The string with its quotes.
#[inline(never)]
pub(super) fn quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    // What needs no escape goes over in one piece.
    while let Some(at) = first_to_escape(rest) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, after)) = from.split_first() else {
            break;
        };
        escape(*byte, out);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Where the first control character, quote or backslash stands.
fn first_to_escape(text: &[u8]) -> Option<usize> {
    let (words, _) = text.as_chunks::<8>();
    let clean = words.iter().take_while(|it| !has_any(u64::from_le_bytes(**it))).count();
    // What is left is in the last eight bytes, of which some were looked at already.
    if clean == words.len()
        && let Some(last) = text.last_chunk::<8>()
        && !has_any(u64::from_le_bytes(*last))
    {
        return None;
    }
    let rest = text.get(clean * 8..).unwrap_or_default();
    let at = rest.iter().position(|it| *it < 0x20 || *it == b'"' || *it == b'\\')?;
    Some(clean * 8 + at)
}

/// Whether any of eight bytes needs an escape. A borrow makes wrong only what stands above a byte
/// that does.
fn has_any(word: u64) -> bool {
    let below = |it: u64, bound: u64| it.wrapping_sub(ONES.wrapping_mul(bound)) & !it & HIGH_BITS;
    let is = |byte: u8| below(word ^ ONES.wrapping_mul(u64::from(byte)), 1);
    below(word, 0x20) | is(b'"') | is(b'\\') != 0
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    out.push(b'\\');
    match byte {
        b'\n' => out.push(b'n'),
        b'\r' => out.push(b'r'),
        b'\t' => out.push(b't'),
        b'"' | b'\\' => out.push(byte),
        _ => {
            out.extend_from_slice(b"u00");
            for digit in [byte >> 4, byte & 0x0f] {
                out.push(b"0123456789abcdef"[usize::from(digit)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_judged_alone_wherever_it_stands() {
        for byte in 0..=0x7f_u8 {
            for at in 0..20 {
                let mut text = [b'x'; 20];
                text[at] = byte;
                let needs = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(first_to_escape(&text), needs.then_some(at), "{byte} at {at}");
            }
        }
        for letter in ["\u{7f}", "ü", "€", "😀", "\u{ffff}"] {
            assert_eq!(first_to_escape(letter.repeat(9).as_bytes()), None, "{letter}");
        }
    }
}

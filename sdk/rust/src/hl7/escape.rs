//! Escape sequences of HL7 v2 chapter 2, out of a value, as the gateway reads them.

use std::borrow::Cow;

use super::Delimiters;

/// What a raw value stands for. `\F\ \S\ \R\ \T\ \E\ \P\`, `\X…\` (if it is UTF-8) and `\.br\` are
/// replaced; any other sequence stays as it is, as does an escape character without a partner.
pub(super) fn unescape(raw: &str, delimiters: Delimiters) -> Cow<'_, str> {
    let escape = delimiters.escape;
    if escape == 0 || !raw.as_bytes().contains(&escape) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(replaced(raw, delimiters))
}

#[inline(never)]
fn replaced(raw: &str, delimiters: Delimiters) -> String {
    let escape = char::from(delimiters.escape);
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, after)) = rest.split_once(escape) {
        out.push_str(plain);
        let Some((sequence, after)) = after.split_once(escape) else {
            out.push(escape);
            rest = after;
            break;
        };
        if !one(sequence, delimiters, &mut out) {
            out.push(escape);
            out.push_str(sequence);
            out.push(escape);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Writes what a sequence stands for; false if it is kept.
fn one(sequence: &str, delimiters: Delimiters, out: &mut String) -> bool {
    let character = match sequence {
        "F" => delimiters.field,
        "S" => delimiters.component,
        "R" => delimiters.repetition,
        "T" => delimiters.subcomponent,
        "E" => delimiters.escape,
        "P" => delimiters.truncation,
        ".br" => b'\n',
        _ => {
            let Some(bytes) = sequence.strip_prefix('X').and_then(hex) else {
                return false;
            };
            let Ok(text) = std::str::from_utf8(&bytes) else {
                return false;
            };
            out.push_str(text);
            return true;
        }
    };
    if character == 0 {
        return false;
    }
    out.push(char::from(character));
    true
}

/// Pairs of hexadecimal digits, at least one.
fn hex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(pairs.len());
    for &[high, low] in pairs {
        bytes.push(digit(high)? << 4 | digit(low)?);
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

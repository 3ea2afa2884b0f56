//! Tokens: what stands in the place of a sealed value.
//!
//! ```text
//! token = "ZQ" 12 × ( "0"–"9" | "A"–"Z" )      read in any casing
//! ```
//!
//! Letters and digits alone survive JSON, XML, HL7 and URL escaping, so a plugin may bring any
//! library. The twelve characters are the first 128 bits of an HMAC-SHA256 under the run seed, in
//! base 36, cut to 12 digits: 62 bits, which nobody hits by chance within one message.

use std::fmt;
use std::hash::{self, BuildHasherDefault, Hash};
use std::ops::Range;

use aws_lc_rs::hmac;
use memchr::memchr2;

use crate::RunSeed;

pub(crate) const TOKEN_LEN: usize = 14;
pub(crate) const MARK: &[u8; 2] = b"ZQ";
const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// What twelve digits can say.
const DIGITS_MAX: u64 = 36u64.pow(12);

/// A token, in capitals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token([u8; TOKEN_LEN]);

impl Token {
    /// The token that a text is as a whole.
    pub(crate) fn exactly(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        (bytes.len() == TOKEN_LEN).then(|| Self::at(bytes)).flatten()
    }

    /// The token that the first bytes are.
    fn at(bytes: &[u8]) -> Option<Self> {
        let first: [u8; TOKEN_LEN] = bytes.get(..TOKEN_LEN)?.try_into().ok()?;
        let token = first.map(|byte| byte.to_ascii_uppercase());
        let is_one = token.starts_with(MARK) && token.iter().all(u8::is_ascii_alphanumeric);
        is_one.then_some(Self(token))
    }

    pub(crate) fn bytes(&self) -> &[u8; TOKEN_LEN] {
        &self.0
    }
}

/// Its first eight digits are random enough for any table: [`TokenHasher`] has little left to do.
impl Hash for Token {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        let [_, _, digits @ .., _, _, _, _] = self.0;
        state.write_u64(u64::from_le_bytes(digits));
    }
}

/// Hashes tokens. They come from a keyed hash, so nobody chooses where they lie in a table.
#[derive(Clone, Copy, Default)]
pub(crate) struct TokenHasher(u64);

impl hash::Hasher for TokenHasher {
    fn finish(&self) -> u64 {
        // Spreads what differs in a few bits of each letter over all bits.
        let mixed = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }
}

/// A table's hasher by tokens.
pub(crate) type ByToken = BuildHasherDefault<TokenHasher>;

/// A token is no PHI: it says nothing without the seed and the message.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| fmt::Write::write_char(f, char::from(*byte)))
    }
}

/// Makes the tokens of one step of one run.
pub(crate) struct Mint {
    key: hmac::Key,
    step: u32,
}

impl Mint {
    pub(crate) fn new(seed: RunSeed, step: usize) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &seed.0);
        Self { key, step: u32::try_from(step).unwrap_or(u32::MAX) }
    }

    pub(crate) fn step(&self) -> u32 {
        self.step
    }

    /// The token of the value at a path of the step's input.
    pub(crate) fn of_path(&self, path: &str) -> Token {
        self.sign(&[b"path\0", &self.step.to_be_bytes(), path.as_bytes()])
    }

    /// The token of what a conversion or table makes of another token's value.
    pub(crate) fn of_change(&self, from: Token, change: &str) -> Token {
        self.sign(&[b"change\0", from.bytes(), change.as_bytes()])
    }

    fn sign(&self, parts: &[&[u8]]) -> Token {
        let mut context = hmac::Context::with_key(&self.key);
        parts.iter().for_each(|part| context.update(part));
        let tag = context.sign();
        let number =
            tag.as_ref().iter().take(16).fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
        let mut token = [0; TOKEN_LEN];
        let (mark, digits) = token.split_at_mut(MARK.len());
        mark.copy_from_slice(MARK);
        // What the twelve digits say fits 64 bits, whose division is ten times as fast.
        let mut number = (number % u128::from(DIGITS_MAX)) as u64;
        for digit in digits {
            *digit = DIGITS[(number % 36) as usize];
            number /= 36;
        }
        Token(token)
    }
}

/// Every token of `bytes` that `is_known`, wherever it stands, in order.
pub(crate) fn tokens_in(
    bytes: &[u8],
    is_known: impl Fn(&Token) -> bool,
) -> Vec<(Range<usize>, Token)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(rest) = bytes.get(from..) {
        let Some(at) = memchr2(b'Z', b'z', rest).map(|it| from + it) else { break };
        match Token::at(&bytes[at..]).filter(&is_known) {
            Some(token) => {
                found.push((at..at + TOKEN_LEN, token));
                from = at + TOKEN_LEN;
            }
            None => from = at + 1,
        }
    }
    found
}

/// Whether a word of the bytes has the form of a token. Words are runs of letters and digits, so a
/// longer run that has the form somewhere inside (base 64 often does) is none.
pub(crate) fn looks_like_token(bytes: &[u8]) -> bool {
    lookalikes(bytes).next().is_some()
}

/// The words that have the form of a token.
pub(crate) fn lookalikes(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    words(bytes).filter(|word| {
        word.len() == TOKEN_LEN && bytes.get(word.clone()).is_some_and(|it| Token::at(it).is_some())
    })
}

/// Runs of ASCII letters and digits that are long enough to be a token or a good part of one.
pub(crate) fn words(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = bytes.get(at..)?;
            let start = at + rest.iter().position(u8::is_ascii_alphanumeric)?;
            let run = bytes.get(start..)?;
            let length = run.iter().position(|byte| !byte.is_ascii_alphanumeric());
            at = start + length.unwrap_or(run.len());
            if PART_LEN_MIN <= at - start {
                return Some(start..at);
            }
        }
    })
}

/// How much of a token has to be there to be recognised as its beginning.
pub(crate) const PART_LEN_MIN: usize = 6;
/// How much of its end.
pub(crate) const END_LEN_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const MINT_SEED: RunSeed = RunSeed([7; 16]);

    #[test]
    fn a_token_has_its_form_and_is_the_same_again() {
        let token = Mint::new(MINT_SEED, 0).of_path("PID-5.1");
        let text = token.to_string();
        assert_eq!(text, Mint::new(MINT_SEED, 0).of_path("PID-5.1").to_string());
        assert_eq!(Token::exactly(&text.to_lowercase()), Some(token));
        assert!(text.starts_with("ZQ") && text.len() == TOKEN_LEN);
    }

    #[test]
    fn every_part_of_an_origin_counts() {
        let mint = Mint::new(MINT_SEED, 0);
        let token = mint.of_path("PID-5.1");
        let others = [
            mint.of_path("PID-5.2"),
            Mint::new(MINT_SEED, 1).of_path("PID-5.1"),
            Mint::new(RunSeed([8; 16]), 0).of_path("PID-5.1"),
            mint.of_change(token, "upper-case"),
            mint.of_change(mint.of_change(token, "upper-case"), "trim"),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, token);
            assert!(!others[index + 1..].contains(other));
        }
    }

    #[test]
    fn tokens_are_found_in_any_surroundings() {
        let token = Mint::new(MINT_SEED, 0).of_path("PID-5.1");
        let text = format!("zq{token}DR{}zZQ", token.to_string().to_lowercase());
        let found = tokens_in(text.as_bytes(), |it| *it == token);
        assert_eq!(found, [(2..16, token), (18..32, token)]);
        assert!(tokens_in(text.as_bytes(), |_| false).is_empty());
    }

    #[test]
    fn only_a_whole_word_looks_like_a_token() {
        assert!(looks_like_token(b"a ZQ0123456789ab, b"));
        assert!(looks_like_token(b"zq0123456789ab"));
        assert!(!looks_like_token(b"ZQ0123456789abc"));
        assert!(!looks_like_token(b"ZQ0123456789a"));
        assert!(!looks_like_token(b"ZQF-5972"));
    }
}

use std::fmt;
use std::str::FromStr;

use crate::Timestamp;

/// Crockford's base 32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The text is not an id of this kind.
#[derive(Debug, thiserror::Error)]
#[error("an id of this kind is `{prefix}` and 26 letters and digits")]
pub struct IdError {
    prefix: &'static str,
}

/// 48 bits of milliseconds, version and variant, 74 random bits (RFC 9562 §5.7).
fn version_seven(at: Timestamp, random: [u8; 10]) -> u128 {
    let millis = u128::from(u64::try_from(at.micros() / 1000).unwrap_or(0)) & ((1 << 48) - 1);
    let random = random.iter().fold(0u128, |all, byte| all << 8 | u128::from(*byte));
    let high = (random >> 62) & 0xfff;
    let low = random & ((1 << 62) - 1);
    millis << 80 | 7 << 76 | high << 64 | 2 << 62 | low
}

fn crockford(mut value: u128) -> String {
    let mut text = [b'0'; 26];
    for place in text.iter_mut().rev() {
        let digit = usize::try_from(value & 31).unwrap_or(0);
        *place = ALPHABET.get(digit).copied().unwrap_or(b'0');
        value >>= 5;
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn from_crockford(text: &str) -> Option<u128> {
    if text.len() != 26 {
        return None;
    }
    let mut value = 0u128;
    for (index, letter) in text.bytes().enumerate() {
        let upper = letter.to_ascii_uppercase();
        let digit = ALPHABET.iter().position(|it| *it == upper)?;
        if index == 0 && 7 < digit {
            return None; // 26 letters hold 130 bits; an id has 128.
        }
        value = value << 5 | u128::try_from(digit).ok()?;
    }
    Some(value)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u128);

        impl $name {
            /// A new id: UUID version 7 from the time and ten random bytes.
            pub fn new(at: Timestamp, random: [u8; 10]) -> Self {
                Self(version_seven(at, random))
            }

            /// An id that was made before.
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// The 128 bits.
            pub const fn bits(self) -> u128 {
                self.0
            }

            /// The hyphenated form, as other systems write a UUID.
            pub fn hyphenated(self) -> String {
                let hex = format!("{:032x}", self.0);
                let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
                format!(
                    "{}-{}-{}-{}-{}",
                    part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)
                )
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, crockford(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .and_then(from_crockford)
                    .map(Self)
                    .ok_or(IdError { prefix: $prefix })
            }
        }
    )* };
}

ids! {
    /// One accepted message. Prints as `msg_` and 26 letters and digits.
    MessageId, "msg_";
    /// One message on one route. Prints as `run_` and 26 letters and digits.
    RunId, "run_";
    /// One output on its way to one destination. Prints as `dlv_` and 26 letters and digits.
    DeliveryId, "dlv_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_and_parses_back() {
        let id = MessageId::new(Timestamp::from_micros(1_795_510_800_000_000), [7; 10]);
        assert_eq!(id.to_string().parse::<MessageId>().expect("parses"), id);
        assert_eq!(id.to_string().len(), 30);
    }

    #[test]
    fn an_id_is_a_uuid_of_version_seven() {
        let id = RunId::new(Timestamp::from_micros(1_795_510_800_000_000), [0xff; 10]);
        assert_eq!(id.hyphenated().as_bytes()[14], b'7');
        assert!(b"89ab".contains(&id.hyphenated().as_bytes()[19]));
    }

    #[test]
    fn ids_sort_by_time() {
        let early = MessageId::new(Timestamp::from_micros(1_000_000), [0xff; 10]);
        let late = MessageId::new(Timestamp::from_micros(2_000_000), [0; 10]);
        assert!(early.to_string() < late.to_string());
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        let id = RunId::from_bits(5).to_string();
        assert!(id.parse::<MessageId>().is_err());
        assert!("msg_8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<MessageId>().is_err());
    }
}

//! Texts with places for ids and the like: `{message.id}`. Never for content.

use std::fmt;

use hilum_words::did_you_mean;

use crate::Delivery;

/// What can stand between braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Message,
    Delivery,
    Run,
    Format,
    Received,
}

const WORDS: &[(&str, Word)] = &[
    ("message.id", Word::Message),
    ("delivery.id", Word::Delivery),
    ("run.id", Word::Run),
    ("format", Word::Format),
    ("received", Word::Received),
];

impl Word {
    fn of(self, delivery: &Delivery) -> String {
        match self {
            Self::Message => delivery.message.to_string(),
            Self::Delivery => delivery.id.to_string(),
            Self::Run => delivery.run.to_string(),
            Self::Format => delivery.format.to_string(),
            Self::Received => delivery.received.to_string(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Word(Word),
}

/// A checked template. `{{` and `}}` stand for braces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

impl Template {
    /// Reads a template; the error is the sentence that an operator needs.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            let brace = from.get(..1).unwrap_or_default();
            let after = from.get(1..).unwrap_or_default();
            if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let inside = after.split_once('}').filter(|_| brace == "{");
            let Some((name, after)) = inside else {
                return Err("has a brace without its other; `{{` and `}}` stand for one".into());
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Word(word(name)?));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// The text for one delivery.
    pub(crate) fn fill(&self, delivery: &Delivery) -> String {
        self.fill_with(delivery, |value| value)
    }

    /// The text for one delivery, to stand in a URL.
    pub(crate) fn fill_url(&self, delivery: &Delivery) -> String {
        self.fill_with(delivery, |value| percent_encode(&value))
    }

    fn fill_with(&self, delivery: &Delivery, encode: impl Fn(String) -> String) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Word(word) => encode(word.of(delivery)),
        };
        self.0.iter().map(piece).collect()
    }

    /// The text with `x` in every place: whether what is around them is well formed.
    pub(crate) fn sample(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Word(_) => "x".into(),
        };
        self.0.iter().map(piece).collect()
    }
}

fn word(name: &str) -> Result<Word, String> {
    if let Some((_, word)) = WORDS.iter().find(|(it, _)| *it == name) {
        return Ok(*word);
    }
    let names = WORDS.iter().map(|(it, _)| *it);
    let meant = did_you_mean(name, names.clone()).map(|it| format!("; did you mean {{{it}}}?"));
    let all: Vec<_> = names.map(|it| format!("{{{it}}}")).collect();
    Err(format!("has {{{name}}}, which is none of {}{}", all.join(" "), meant.unwrap_or_default()))
}

/// All but the unreserved characters of RFC 3986 as `%XX`.
pub(crate) fn percent_encode(text: &str) -> String {
    struct Encoded<'a>(&'a str);
    impl fmt::Display for Encoded<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for byte in self.0.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    write!(f, "{}", char::from(byte))?;
                } else {
                    write!(f, "%{byte:02X}")?;
                }
            }
            Ok(())
        }
    }
    Encoded(text).to_string()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hilum_words::{DeliveryId, MessageId, RunId, Timestamp};

    use super::*;

    fn delivery() -> Delivery {
        Delivery {
            id: DeliveryId::from_bits(7),
            message: MessageId::from_bits(8),
            run: RunId::from_bits(9),
            ordinal: 1,
            received: Timestamp::from_micros(1_000_000),
            attempt: 1,
            format: "hl7v2".into(),
            body: Bytes::from_static(b"Zwiebelfisch"),
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let filled = Template::parse(text).map(|it| it.fill(&delivery()));
        assert_eq!(filled.unwrap_or_else(|it| it), expected);
    }

    #[test]
    fn ids_formats_and_times_are_filled_in() {
        check("", "");
        check("plain", "plain");
        check("{delivery.id}", "dlv_00000000000000000000000007");
        check("a {format}{{b}} {message.id}", "a hl7v2{b} msg_00000000000000000000000008");
        check("{run.id}", "run_00000000000000000000000009");
    }

    #[test]
    fn in_a_url_values_are_percent_encoded() {
        let filled = Template::parse("/x?t={received}").expect("a template").fill_url(&delivery());
        assert_eq!(filled, format!("/x?t={}", percent_encode(&delivery().received.to_string())));
        assert!(filled.contains("%3A"), "{filled}");
        assert_eq!(percent_encode("a b|\u{e4}"), "a%20b%7C%C3%A4");
    }

    #[test]
    fn what_is_no_template_is_said() {
        let brace = "has a brace without its other; `{{` and `}}` stand for one";
        for text in ["{", "a}", "{message.id", "}{"] {
            check(text, brace);
        }
        check(
            "{mesage.id}",
            "has {mesage.id}, which is none of {message.id} {delivery.id} {run.id} {format} {received}; did you mean {message.id}?",
        );
        check(
            "{PID-3}",
            "has {PID-3}, which is none of {message.id} {delivery.id} {run.id} {format} {received}",
        );
    }
}

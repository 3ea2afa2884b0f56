use proptest::prelude::*;

use super::*;
use crate::{Delimiters, EditLimits, FindingKind, Message, Options, Path, Unfit, Value};

fn each() -> impl Iterator<Item = Charset> {
    NAMES.iter().map(|it| it.1).chain([Unknown])
}

/// A message with this MSH-18, this PID-1, and `x` in PID-2.
fn message(name: &str, value: &[u8]) -> Message {
    let head = format!("MSH|^~\\&|A{}{name}\rPID|", "|".repeat(15));
    Message::parse([head.as_bytes(), value, b"|x\r"].concat().into()).unwrap()
}

/// The text of PID-1 if it is one value and PID-2 follows it.
#[track_caller]
fn check(name: &str, value: &[u8], text: &str) {
    let message = message(name, value);
    let find = |at: &str| message.find(&at.parse().unwrap()).unwrap();
    assert_eq!(message.text(find("PID-1")).unwrap(), text, "{name}");
    assert_eq!(message.text(find("PID-2")).unwrap(), "x", "{name}");
    assert_eq!(message.count(&"PID-1".parse().unwrap()), 1, "{name}");
    let odd = message
        .findings()
        .iter()
        .map(|it| it.kind)
        .find(|it| matches!(it, FindingKind::NotInCharset | FindingKind::UnknownCharset));
    assert_eq!(odd, None, "{name}");
}

#[test]
fn each_name_of_table_0211_is_read() {
    check("ASCII", b"Muller", "Muller");
    check("8859/1", b"M\xfcller", "Müller");
    check("8859/2", b"Dvo\xf8\xe1k", "Dvořák");
    check("8859/3", b"\xa6", "Ĥ");
    check("8859/4", b"\xa6", "Ļ");
    check("8859/5", b"\xb8\xd2\xd0\xdd", "Иван");
    check("8859/6", b"\xe5", "م");
    check("8859/7", b"\xc3\xe9", "Γι");
    check("8859/8", b"\xe0", "א");
    check("8859/9", b"\xd0\xfd\x85", "Ğı\u{85}");
    check("8859/15", b"10 \xa4", "10 €");
    check("UNICODE UTF-8", "Żółć".as_bytes(), "Żółć");
    check("KS X 1001", b"\xb1\xe8", "김");
}

#[test]
fn a_delimiter_inside_of_a_character_splits_nothing() {
    // The second bytes are `|`, `\` and `^`.
    check("GB 18030-2000", b"\x81\x7c\x81\x5c\x81\x5e", "亅乗乛");
    check("GB 18030-2000", b"\x81\x30\x81\x30\xc0\xee", "\u{80}李");
    check("BIG-5", b"\xa5\x5c\xb3\x5c\xa7\x7c", "功許坑");
    // 30 7C is a character, and so is 21 5E.
    check("~ISO IR87", b"YAMADA \x1b$B;30|!^\x1b(B!", "YAMADA 山淫±!");
    check("ISO IR87", b"\\M2442\\;30|\\C2842\\ a\\T\\b", "山淫 a&b");
    check("ISO IR6~ISO IR87", b"\x1b$B;3\x1b(B", "山");
}

#[test]
fn ascii_beside_other_sets_is_read_and_the_others_are_flagged() {
    for (name, charset) in [
        ("~ISO IR87", Jis),
        ("ASCII~ISO IR87", Jis),
        ("~ISO IR87~ISO IR159", Utf8),
        ("8859/1~ISO IR87", Latin1),
        ("8859/2~UNICODE UTF-8", Latin2),
    ] {
        let message = message(name, b"a");
        assert_eq!(message.charset(), charset, "{name}");
        let further = message.findings().iter().any(|it| it.kind == FindingKind::FurtherCharsets);
        assert_eq!(further, charset != Jis, "{name}");
    }
}

#[test]
fn bytes_that_are_no_text_are_kept_and_flagged() {
    for (name, value) in [
        ("ASCII", &b"a\xfc"[..]),
        ("UNICODE UTF-8", b"a\xfc"),
        ("8859/7", b"a\xff"),
        ("GB 18030-2000", b"a\xff"),
        ("KS X 1001", b"a\xff"),
        ("ISO IR87", b"a\xfc"),
        ("ISO IR87", b"a\x1b$(D"),
    ] {
        let message = message(name, value);
        let range = message.find(&"PID-1".parse().unwrap()).unwrap();
        assert_eq!(&message.bytes()[range.clone()], value);
        let refused = DecodeError::NotInCharset { offset: 1 };
        assert_eq!(message.text(range.clone()), Err(refused), "{name}");
        let finding = message.findings().iter().find(|it| it.kind == FindingKind::NotInCharset);
        assert_eq!(finding.unwrap().offset, range.start + 1, "{name}");
    }
}

#[test]
fn what_a_listener_knows_holds_where_msh_18_is_empty() {
    let options = Options { default_charset: Gb18030 };
    // The first `|` after the separators is the second byte of a character, before MSH-18.
    let read = |text: &[u8]| Message::parse_with(text.to_vec().into(), &options).unwrap();
    let message = read(b"MSH|^~\\&|\x81\x7c|B\r");
    assert_eq!(message.text(message.find(&"MSH-3".parse().unwrap()).unwrap()).unwrap(), "亅");
    assert_eq!(message.find(&"MSH-4".parse().unwrap()), Some(12..13));
    let named = read(format!("MSH|^~\\&|A{}UNICODE UTF-8\rPID|é\r", "|".repeat(15)).as_bytes());
    assert_eq!(named.charset(), Utf8);
    assert!(named.findings().is_empty());
}

#[test]
fn names_in_any_usual_spelling() {
    for (name, charset) in [
        ("utf-8", Some(Utf8)),
        ("ISO-8859-1", Some(Latin1)),
        ("latin2", Some(Latin2)),
        ("iso-8859-9", Some(Latin5)),
        ("windows-1252", Some(Windows1252)),
        ("cp1252", Some(Windows1252)),
        ("gb2312", Some(Gb18030)),
        ("iso-2022-jp", Some(Jis)),
        ("8859/15", Some(Latin9)),
        ("UNICODE UTF-16", None),
        ("utf-16", None),
        ("shift_jis", None),
        ("", None),
    ] {
        assert_eq!(Charset::from_any_name(name.as_bytes()), charset, "{name}");
    }
    for charset in each() {
        let named = charset.name().and_then(|name| Charset::from_name(name.as_bytes()));
        assert_eq!(named, Some(charset).filter(|it| !matches!(it, Unknown | Windows1252)));
    }
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    let written = |charset: Charset, text: &str| {
        let mut out = Vec::new();
        Delimiters::CUSTOMARY.escape_into(charset, text, &mut out).map(|()| out)
    };
    assert_eq!(written(Jis, "山川|x").unwrap(), b"\x1b$B;3@n\x1b(B\\F\\x");
    for (charset, text) in [
        (Jis, "¥"),
        (Jis, "\u{ff71}"),
        (Jis, "\u{1b}"),
        (KsX1001, "갂"),
        (Latin5, "ð"),
        (Latin9, "¤"),
        (Windows1252, "Ж"),
    ] {
        assert_eq!(written(charset, text), Err(Unfit::NotInCharset { index: 0 }), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_in_any_character_set_reads_back_and_splits_nowhere(
        which in 0..NAMES.len(),
        text in proptest::collection::vec(prop_oneof![
            Just("|".to_owned()), Just("\\".to_owned()), "[ -~]", "[ÄüŁ€я]", "[功許呂亅乗山ャ김±]", ".",
        ], 0..12),
    ) {
        let charset = NAMES[which].1;
        let mut fit = String::new();
        for piece in text {
            let mut out = Vec::new();
            if Delimiters::CUSTOMARY.escape_into(charset, &piece, &mut out).is_ok() {
                fit.push_str(&piece);
            }
        }
        let options = Options { default_charset: charset };
        let source = Message::parse_with(b"MSH|^~\\&|A\rPID||x\r".to_vec().into(), &options).unwrap();
        let mut draft = source.edit(EditLimits { bytes_max: 1_000, number_max: 10 });
        let at: Path = "PID-1".parse().unwrap();
        draft.set(&at, &fit).unwrap();
        draft.set(&"PID-1.2".parse().unwrap(), "second").unwrap();
        let edited = draft.finish().unwrap();
        match edited.value(&at) {
            Value::Text(range) => prop_assert_eq!(edited.text(range).unwrap(), fit),
            _ => prop_assert_eq!(fit, ""),
        }
        prop_assert_eq!(edited.leaves().count(), 4 - usize::from(edited.find(&at).is_none()));
    }

    #[test]
    fn any_bytes_in_any_character_set_are_kept(
        which in 0..NAMES.len(),
        bytes in proptest::collection::vec(prop_oneof![
            any::<u8>(), 0x20..0x7fu8, Just(b'|'), Just(b'\\'), Just(0x1b), Just(b'$'), Just(b'B'), Just(b'('),
        ], 0..40),
    ) {
        let charset = NAMES[which].1;
        let bytes = [b"MSH|^~\\&|", &bytes[..]].concat();
        let options = Options { default_charset: charset };
        let Ok(message) = Message::parse_with(bytes.clone().into(), &options) else {
            return Ok(());
        };
        prop_assert_eq!(message.structure().len(), bytes.len());
        prop_assert_eq!(&message.bytes()[..], &bytes[..]);
        for (at, &byte) in message.structure().iter().enumerate() {
            prop_assert!(byte == bytes[at] || byte == NO_DELIMITER);
            prop_assert_eq!(byte == b'\r', bytes[at] == b'\r', "lines end where they end");
        }
        for leaf in message.leaves() {
            let _ = message.text(leaf.range.clone());
            prop_assert_eq!(message.find(&leaf.place.into()), Some(leaf.range));
        }
        let mut draft = message.edit(EditLimits { bytes_max: 1_000, number_max: 10 });
        if draft.set(&"MSH-4.2".parse().unwrap(), "x").is_ok() && let Ok(edited) = draft.finish() {
            prop_assert_eq!(edited.charset(), message.charset());
        }
    }
}

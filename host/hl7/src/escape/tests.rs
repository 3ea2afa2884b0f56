use proptest::prelude::*;

use super::*;

const SEVEN: Delimiters = Delimiters { truncation: Some(b'#'), ..Delimiters::CUSTOMARY };

#[track_caller]
fn check(raw: &str, text: &str) {
    let bytes = SEVEN.unescape(raw.as_bytes());
    assert_eq!(std::str::from_utf8(&bytes).unwrap(), text, "{raw}");
}

#[test]
fn each_sequence_of_ours_stands_for_its_character() {
    check(r"a\F\b\S\c\R\d\T\e\E\f\P\g", r"a|b^c~d&e\f#g");
    check(r"\X41\\X4a4B\\X0D\", "AJK\r");
    check(r"one\.br\two", "one\ntwo");
    check(r"\F\", "|");
    check(r"\F\\F\", "||");
}

#[test]
fn what_is_not_ours_stays_with_both_its_escape_characters() {
    for raw in [
        r"\H\bold\N\",
        r"\.sp+3\x",
        r"\.in4\",
        r"\C2842\",
        r"\M254142\",
        r"\Z01\",
        r"\f\",
        r"\.BR\",
        r"\\",
        r"\X\",
        r"\X4\",
        r"\X4G\",
        r"\",
        r"C:\dir",
        r"trailing\",
        r"\H\text\N",
    ] {
        check(raw, raw);
    }
}

#[test]
fn each_sequence_of_chapter_2_is_told_apart() {
    let shown = |raw: &str| -> String {
        let pieces = SEVEN.pieces(raw.as_bytes()).map(|piece| match piece {
            Piece::Bytes(bytes) => format!("'{}' ", String::from_utf8_lossy(bytes)),
            Piece::Escape(Escape::Hex(hex)) => format!("Hex{:?} ", hex.bytes().collect::<Vec<_>>()),
            Piece::Escape(Escape::SingleByteSet(hex)) => {
                format!("C{:x?} ", hex.bytes().collect::<Vec<_>>())
            }
            Piece::Escape(Escape::MultiByteSet(hex)) => {
                format!("M{:x?} ", hex.bytes().collect::<Vec<_>>())
            }
            Piece::Escape(escape) => format!("{escape:?} "),
        });
        pieces.collect::<String>().trim_end().to_owned()
    };
    for (raw, expected) in [
        (r"a\F\b", "'a' Delimiter(124) 'b'"),
        (r"\H\x\N\", "Highlight 'x' Normal"),
        (r"\X0aFF\", "Hex[10, 255]"),
        (r"\.br\", "LineBreak"),
        (r"\.sp\\.sp3\\.sp+3\", "SkipLines(1) SkipLines(3) SkipLines(3)"),
        (r"\.in4\\.in-4\\.ti+2\", "Indent(4) Indent(-4) IndentOnce(2)"),
        (r"\.sk 5\\.sk5\", "SkipRight(5) SkipRight(5)"),
        (r"\.ce\\.fi\\.nf\", "Center Fill NoFill"),
        (r"\C2842\\M2442\\M242841\", "C[28, 42] M[24, 42] M[24, 28, 41]"),
        (r"\Z01\", "Local([48, 49])"),
        (r"\.sp-1\", "Unknown([46, 115, 112, 45, 49])"),
        (r"\.in\", "Unknown([46, 105, 110])"),
        (r"\C28\", "Unknown([67, 50, 56])"),
        (r"\", r"'\'"),
    ] {
        assert_eq!(shown(raw), expected, "{raw}");
    }
}

#[track_caller]
fn check_formatted(raw: &str, text: &str) {
    let message = crate::Message::parse(format!("MSH|^~\\&|{raw}").into()).unwrap();
    assert_eq!(message.formatted_text(9..9 + raw.len()).unwrap(), text, "{raw}");
    assert_eq!(message.formatted_text(9..9_999), Err(crate::DecodeError::NoSuchRange));
}

#[test]
fn formatted_text_is_laid_out_as_far_as_plain_text_can() {
    check_formatted(r"one\.br\two\.sp2\three\.sp\four", "one\ntwo\n\nthree\nfour");
    check_formatted(r"\.in2\a\.br\b\.in-1\c\.br\d\.in-9\\.br\e", "  a\n  bc\n d\ne");
    check_formatted(r"\.ti3\a\.br\b\.ti3\c", "   a\nbc");
    check_formatted(r"\H\Result:\N\\.sk3\high\F\low\T\", "Result:   high|low&");
    check_formatted(r"\.ce\Title\.ce\Sub\.fi\\.nf\", "Title\nSub");
    check_formatted(r"\Z01\\C2842\x\foo\y\", r"\Z01\\C2842\x\foo\y\");
    check_formatted(r"\XC3A9\", "é");
}

#[test]
fn a_few_bytes_do_not_become_a_page_of_blanks() {
    for piece in [r"\.sp99999\", r"\.sk99999\", r"\.in99999\", r"\.in80\\.br\", r"\.ti80\"] {
        let raw = piece.repeat(20_000);
        let message = crate::Message::parse(format!("MSH|^~\\&|{raw}").into()).unwrap();
        let text = message.formatted_text(9..9 + raw.len()).unwrap();
        assert!(text.len() <= 20 * raw.len(), "{piece}: {}", text.len());
    }
}

#[test]
fn escape_characters_pair_from_the_left_and_nothing_nests() {
    check(r"\H\F\N\", r"\H\F\N\");
    check(r"\E\F\E\", r"\F\");
    check(r"\E\X41\E\", r"\X41\");
    check(r"a\dir\F\b", r"a\dir\F\b");
}

#[test]
fn a_role_without_a_character_is_not_ours() {
    let none = Delimiters { subcomponent: None, truncation: None, ..SEVEN };
    assert_eq!(&*none.unescape(br"\T\\P\\F\"), br"\T\\P\|");
    let no_escape = Delimiters { escape: None, ..SEVEN };
    assert_eq!(&*no_escape.unescape(br"\F\"), br"\F\");
}

#[test]
fn a_value_without_escapes_is_not_copied() {
    assert!(matches!(SEVEN.unescape(b"EVERYWOMAN"), Cow::Borrowed(_)));
}

#[test]
fn what_would_split_a_segment_or_end_a_frame_is_escaped() {
    let mut out = b"kept ".to_vec();
    SEVEN.escape_into(Charset::Utf8, "a|b^c~d&e\\f#g\rh\ni\u{b}j\u{1c}k é", &mut out).unwrap();
    let expected = r"kept a\F\b\S\c\R\d\T\e\E\f\P\g\X0D\h\.br\i\X0B\j\X1C\k é";
    assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
}

#[test]
fn what_cannot_be_written_leaves_the_output_as_it_was() {
    let no_escape = Delimiters { escape: None, ..SEVEN };
    let mut out = b"kept".to_vec();
    let written = no_escape.escape_into(Charset::Utf8, "ab|", &mut out);
    assert_eq!(written, Err(Unfit::NoEscape { index: 2 }));
    let written = SEVEN.escape_into(Charset::Latin1, "ä€", &mut out);
    assert_eq!(written, Err(Unfit::NotInCharset { index: 1 }));
    let written = SEVEN.escape_into(Charset::Ascii, "ä", &mut out);
    assert_eq!(written, Err(Unfit::NotInCharset { index: 0 }));
    let written = SEVEN.escape_into(Charset::Unknown, "ä", &mut out);
    assert_eq!(written, Err(Unfit::NotInCharset { index: 0 }));
    assert_eq!(out, b"kept");
}

#[test]
fn where_a_letter_is_a_delimiter_another_spelling_is_found_or_none() {
    let r = Delimiters { repetition: b'R', ..SEVEN };
    let mut out = Vec::new();
    r.escape_into(Charset::Utf8, "R", &mut out).unwrap();
    assert_eq!(out, br"\X52\");
    let x = Delimiters { repetition: b'R', component: b'X', ..SEVEN };
    let written = x.escape_into(Charset::Utf8, "R", &mut Vec::new());
    assert_eq!(written, Err(Unfit::NoEscape { index: 0 }));
}

#[test]
fn a_character_set_reads_what_it_has_and_replaces_nothing() {
    let decode = |charset: Charset, bytes: &'static [u8]| charset.decode(bytes.into());
    assert_eq!(decode(Charset::Latin1, b"M\xfcller \x80").unwrap(), "Müller \u{80}");
    assert_eq!(decode(Charset::Utf8, "Müller €".as_bytes()).unwrap(), "Müller €");
    assert_eq!(decode(Charset::Ascii, b"Muller").unwrap(), "Muller");
    assert_eq!(decode(Charset::Unknown, b"Muller").unwrap(), "Muller");
    let not_in_charset = Err(crate::DecodeError::NotInCharset { offset: 1 });
    assert_eq!(decode(Charset::Utf8, b"M\xfcller"), not_in_charset);
    assert_eq!(decode(Charset::Ascii, b"M\xfcller"), not_in_charset);
    assert_eq!(decode(Charset::Unknown, b"M\xfcller"), Err(crate::DecodeError::UnknownCharset));
}

fn delimiters() -> impl Strategy<Value = Delimiters> {
    let six = proptest::sample::subsequence((0x20..0x7f).collect::<Vec<u8>>(), 6).prop_shuffle();
    (six, 3..=5usize).prop_filter_map("the separator is a letter", |(six, count)| {
        let mut segment = b"MSH".to_vec();
        segment.extend(six.get(..=count)?);
        Delimiters::declared(&segment).map(|(delimiters, _)| delimiters)
    })
}

proptest! {
    #[test]
    fn a_written_text_splits_nowhere_and_reads_back(
        delimiters in delimiters(),
        text in "([|^~\\\\&#XFSTREP.br0-9A-F\r\n\u{b}\u{1c}]|.){0,24}",
    ) {
        let mut out = Vec::new();
        if delimiters.escape_into(Charset::Utf8, &text, &mut out).is_ok() {
            let split = |&byte: &u8| {
                delimiters.splits(byte) || matches!(byte, b'\r' | b'\n' | 0x0b | 0x1c)
            };
            prop_assert!(!out.iter().any(split));
            let read = Charset::Utf8.decode(delimiters.unescape(&out));
            prop_assert_eq!(read.unwrap(), text);
        } else {
            prop_assert!(out.is_empty());
        }
    }

    #[test]
    fn unescaping_never_makes_a_value_longer(raw in "[\\\\XFE.br0-9A-F]{0,32}") {
        prop_assert!(SEVEN.unescape(raw.as_bytes()).len() <= raw.len());
    }
}

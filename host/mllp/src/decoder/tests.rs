use super::*;
use proptest::prelude::*;

const LIMITS: Limits = Limits { frame_bytes_max: 64, junk_bytes_max: 16, strict: false };

/// What a stream amounts to when it arrives in pieces of these lengths and then ends.
fn decode(limits: Limits, pieces: &[&[u8]], close: bool) -> (Vec<String>, u64) {
    let mut decoder = Decoder::new(limits);
    let mut seen = Vec::new();
    let show = |event: Event| match event {
        Event::Frame(frame) => {
            let content = String::from_utf8_lossy(&frame.content).replace('\r', "/");
            format!("{content} {:?}", frame.findings)
        }
        other => format!("{other:?}"),
    };
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => seen.push(show(event)),
                Ok(None) => break,
                Err(fault) => {
                    seen.push(format!("{fault:?}"));
                    return (seen, decoder.skipped());
                }
            }
        }
    }
    if close {
        match decoder.end() {
            Ok(Some(event)) => seen.push(show(event)),
            Ok(None) => {}
            Err(fault) => seen.push(format!("{fault:?}")),
        }
    }
    (seen, decoder.skipped())
}

/// Feeds the stream whole, byte by byte, and cut in two at every place: all must amount to the same.
#[track_caller]
fn check_with(limits: Limits, stream: &[u8], expected: &[&str], skipped: u64) {
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    let mut ways: Vec<Vec<&[u8]>> = vec![vec![stream], bytes];
    ways.extend((0..=stream.len()).map(|at| {
        let (left, right) = stream.split_at(at);
        vec![left, right]
    }));
    for pieces in ways {
        let lengths: Vec<usize> = pieces.iter().map(|it| it.len()).collect();
        let (seen, counted) = decode(limits, &pieces, true);
        assert_eq!(seen, expected, "in pieces of {lengths:?}");
        assert_eq!(counted, skipped, "skipped, in pieces of {lengths:?}");
    }
}

#[track_caller]
fn check(stream: &[u8], expected: &[&str], skipped: u64) {
    check_with(LIMITS, stream, expected, skipped);
}

#[test]
fn frames_follow_each_other() {
    check(b"\x0bMSH|1\r\x1c\r\x0bMSH|2\x1c\r", &["MSH|1/ []", "MSH|2 []"], 0);
}

#[test]
fn blanks_tabs_and_line_ends_before_vt_are_skipped_and_counted() {
    check(b" \t\r\n\x0bA\x1c\r\r\n\x0bB\x1c\r", &["A []", "B []"], 6);
}

#[test]
fn other_bytes_before_vt_are_skipped_up_to_their_bound() {
    check(b"GET / HTTP/1.1\r\n\x0bA\x1c\r", &["A [Junk]"], 16);
    let expected = "Junk { junk_bytes_max: 16 }";
    check(b"0123456789abcdef\x0bA\x1c\r", &["A [Junk]"], 16);
    let (seen, _) = decode(LIMITS, &[b"0123456789abcdefg\x0bA\x1c\r"], true);
    assert_eq!(seen, [expected]);
    // Blanks do not count as junk: keep-alives may go on for days.
    check(&[b" ".repeat(40).as_slice(), b"\x0bA\x1c\r"].concat(), &["A []"], 40);
}

#[test]
fn fs_then_lf_vt_or_close_ends_the_frame_with_a_finding() {
    check(b"\x0bA\x1c\n\x0bB\x1c\r", &["A [EndedByLf]", "B []"], 0);
    check(b"\x0bA\x1c\x0bB\x1c\r", &["A [EndedByNextFrame]", "B []"], 0);
    check(b"\x0bA\x1c", &["A [EndedByClose]"], 0);
}

#[test]
fn fs_then_silence_ends_the_frame_with_a_finding() {
    let mut decoder = Decoder::new(LIMITS);
    decoder.feed(b"\x0bA\x1c");
    assert_eq!(decoder.next_event(), Ok(None));
    assert_eq!(decoder.waiting(), Waiting::AfterSeparator);
    let Ok(Some(Event::Frame(frame))) = decoder.silence() else { panic!("a frame") };
    assert_eq!(frame.findings, [Finding::EndedBySilence]);
    // The CR that comes late is a blank before the next frame.
    decoder.feed(b"\r\x0bB\x1c\r");
    let Ok(Some(Event::Frame(frame))) = decoder.next_event() else { panic!("a frame") };
    assert_eq!(frame.content, "B");
    assert_eq!(decoder.silence(), Ok(None), "silence between frames means nothing");
}

#[test]
fn fs_then_anything_else_is_content_with_a_finding() {
    check(b"\x0bA\x1cB\x1c\r", &["A\u{1c}B [SeparatorInside]"], 0);
    check(b"\x0bA\x1c\x1c\r", &["A\u{1c} [SeparatorInside]"], 0);
}

#[test]
fn vt_inside_a_frame_drops_the_unfinished_message() {
    check(b"\x0bMSH|lost\x0bMSH|2\x1c\r", &["Dropped { bytes: 8 }", "MSH|2 []"], 0);
    check(b"\x0b\x0bA\x1c\r", &["Dropped { bytes: 0 }", "A []"], 0);
}

#[test]
fn an_empty_frame_is_no_message() {
    check(b"\x0b\x1c\r\x0bA\x1c\r", &["Empty", "A []"], 0);
}

#[test]
fn a_frame_may_be_as_long_as_its_limit_and_no_longer() {
    let frame = |bytes: usize| [b"\x0b", b"x".repeat(bytes).as_slice(), b"\x1c\r"].concat();
    check(&frame(64), &[&format!("{} []", "x".repeat(64))], 0);
    check(&frame(65), &["TooLong { frame_bytes_max: 64 }"], 0);
    // It does not have to end to be too long.
    let (seen, _) = decode(LIMITS, &[&b"\x0b"[..], &b"x".repeat(65)], false);
    assert_eq!(seen, ["TooLong { frame_bytes_max: 64 }"]);
}

#[test]
fn what_has_begun_is_kept_for_a_refusal() {
    let mut decoder = Decoder::new(LIMITS);
    decoder.feed(b"\x0bMSH|^~\\&|A");
    decoder.feed(&b"x".repeat(100));
    assert!(decoder.next_event().is_err());
    assert!(decoder.beginning().starts_with(b"MSH|^~\\&|A"));
}

#[test]
fn a_long_frame_leaves_no_room_behind() {
    let limits = Limits { frame_bytes_max: 1 << 20, ..LIMITS };
    let mut decoder = Decoder::new(limits);
    decoder.feed(b"\x0b");
    for _ in 0..64 {
        decoder.feed(&[b'x'; 16 << 10]);
        assert_eq!(decoder.next_event(), Ok(None));
        assert!(decoder.buffer.capacity() <= decoder.buffered() * 9 / 8 + (16 << 10));
    }
    decoder.feed(b"\x1c\r\x0bMSH");
    let Ok(Some(Event::Frame(frame))) = decoder.next_event() else { panic!("a frame") };
    assert_eq!(frame.content.len(), 1 << 20);
    decoder.feed(b"|");
    assert!(decoder.buffer.capacity() <= KEPT_BYTES);
    decoder.feed(b"\x1c\r");
    let Ok(Some(Event::Frame(frame))) = decoder.next_event() else { panic!("a frame") };
    assert_eq!(frame.content, "MSH|");
}

#[test]
fn nothing_prints_content() {
    let mut decoder = Decoder::new(LIMITS);
    decoder.feed(b"\x0bEVERYWOMAN\x1c\r\x0bEVERYWOMAN");
    let event = decoder.next_event().expect("no fault").expect("a frame");
    assert!(!format!("{event:?} {decoder:?}").contains("EVERYWOMAN"));
    assert_eq!(decoder.buffered(), 11);
}

#[test]
fn the_end_of_the_stream_inside_a_frame_stores_nothing() {
    check(b"\x0bMSH|1\r", &["CutOff"], 0);
    check(b"\x0bMSH|1\r\x1c\rrest", &["MSH|1/ []"], 4);
}

#[test]
fn strict_turns_each_finding_into_a_close() {
    let strict = Limits { strict: true, ..LIMITS };
    check_with(strict, b" \r\n\x0bA\x1c\r", &["A []"], 3);
    for (stream, fault) in [
        (&b"junk\x0bA\x1c\r"[..], "Strict(Junk)"),
        (b"\x0bA\x1c\n", "Strict(EndedByLf)"),
        (b"\x0bA\x1c\x0b", "Strict(EndedByNextFrame)"),
        (b"\x0bA\x1c", "Strict(EndedByClose)"),
        (b"\x0bA\x1cB", "Strict(SeparatorInside)"),
        (b"\x0bA\x0bB\x1c\r", "Dropped"),
    ] {
        let (seen, _) = decode(strict, &[stream], true);
        assert_eq!(seen, [fault]);
    }
}

proptest! {
    #[test]
    fn any_stream_means_the_same_in_any_pieces(
        stream in proptest::collection::vec(
            prop_oneof![Just(VT), Just(FS), Just(CR), Just(b'\n'), Just(b'M'), any::<u8>()],
            0..120,
        ),
        cut in 1usize..20,
    ) {
        let whole = decode(LIMITS, &[&stream], true);
        let pieces: Vec<&[u8]> = stream.chunks(cut).collect();
        // After an error the rest of a piece is not looked at, so only the events are compared.
        prop_assert_eq!(decode(LIMITS, &pieces, true).0, whole.0);
    }
}

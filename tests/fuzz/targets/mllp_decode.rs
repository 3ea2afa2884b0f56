//! However a stream is cut into reads, it holds the same frames, and each within its bound.

#![no_main]

use hilum_mllp::{Decoder, Event, FrameError, Limits, VT, encode};
use libfuzzer_sys::fuzz_target;

type Outcome = (Vec<Event>, Result<(), FrameError>);

/// All events of a stream that arrives in reads of `size` bytes.
fn decode(stream: &[u8], size: usize, limits: Limits) -> Outcome {
    let mut decoder = Decoder::new(limits);
    let mut events = Vec::new();
    for read in stream.chunks(size) {
        decoder.feed(read);
        loop {
            match decoder.next_event() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return (events, Err(error)),
            }
        }
        let _ = (decoder.waiting(), decoder.beginning());
    }
    match decoder.end() {
        Ok(event) => events.extend(event),
        Err(error) => return (events, Err(error)),
    }
    (events, Ok(()))
}

fuzz_target!(|bytes: &[u8]| {
    let [size, flags, stream @ ..] = bytes else {
        return;
    };
    let limits = Limits {
        frame_bytes_max: 1 + usize::from(flags >> 1),
        junk_bytes_max: 16,
        strict: flags & 1 == 1,
    };
    let at_once = decode(stream, stream.len().max(1), limits);
    let in_pieces = decode(stream, usize::from(*size).max(1), limits);
    assert_eq!(at_once, in_pieces);
    for event in &at_once.0 {
        let Event::Frame(frame) = event else { continue };
        assert!(!frame.content.is_empty() && frame.content.len() <= limits.frame_bytes_max);
        assert!(!frame.content.contains(&VT));
    }
    if let Ok(framed) = encode(stream) {
        let whole = Limits {
            frame_bytes_max: stream.len(),
            ..limits
        };
        let (events, outcome) = decode(&framed, usize::from(*size).max(1), whole);
        assert_eq!(outcome, Ok(()));
        match &events[..] {
            [Event::Empty] => assert!(stream.is_empty()),
            [Event::Frame(frame)] => assert_eq!(frame.content, stream),
            other => panic!("{} events of one frame", other.len()),
        }
    }
});

//! Whatever comes, the answer is HTTP or the end of the connection, and never a panic.

use super::*;
use hilum_env::twin::Dice;

/// Pieces of which requests are made, and unmade.
const PIECES: &[&str] = &[
    "POST /in HTTP/1.1\r\n",
    "POST /in HTTP/1.0\r\n",
    "GET ",
    "/in",
    " HTTP/1.1",
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "host: a\r\n",
    "content-type: application/hl7-v2\r\n",
    "content-type: application/fhir+json; charset=\"",
    "content-type: */*;q=\r\n",
    "content-length: 3\r\n",
    "content-length: 18446744073709551615\r\n",
    "content-length: 18446744073709551616\r\n",
    "transfer-encoding: chunked\r\n",
    "transfer-encoding: gzip, chunked\r\n",
    "expect: 100-continue\r\n",
    "connection: close\r\n",
    "connection: keep-alive, upgrade\r\n",
    "upgrade: h2c\r\n",
    "accept: text/html;q=0, */*\r\n",
    "accept: \"\\\"\r\n",
    "idempotency-key: \"\r\n",
    "traceparent: 00-\r\n",
    "x-request-id: x\r\n",
    "abc",
    "3\r\nabc\r\n",
    "0\r\n\r\n",
    "fffffffffffffff\r\n",
    ";",
    "\0",
    "\u{b}MSH|^~\\&|",
    "\u{1c}\r",
    "{\"resourceType\":\"Patient\"}",
];

fn bytes(dice: &mut Dice) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Half of them begin as a request does, so that what follows is reached.
    if dice.one_in(2) {
        bytes.extend(post(if dice.one_in(2) { HL7 } else { "" }, "abc").into_bytes());
        bytes.truncate(dice.below(bytes.len() + 1));
    }
    for _ in 0..dice.below(30) {
        bytes.extend(PIECES[dice.below(PIECES.len())].bytes());
        if dice.one_in(8) {
            bytes.push(u8::try_from(dice.below(256)).expect("a byte"));
        }
    }
    if dice.one_in(4) && !bytes.is_empty() {
        let at = dice.below(bytes.len());
        bytes[at] ^= u8::try_from(1 + dice.below(255)).expect("a byte");
    }
    bytes
}

/// Whether this is a row of whole answers and nothing else.
fn is_http(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        let Some(end) = rest.windows(4).position(|it| it == b"\r\n\r\n") else { return false };
        let (head, body) = rest.split_at(end + 4);
        let head = String::from_utf8_lossy(head).into_owned();
        if !head.starts_with("HTTP/1.1 ") && !head.starts_with("HTTP/1.0 ") {
            return false;
        }
        if !(100..=599).contains(&status(&head)) {
            return false;
        }
        let length = header(&head, "content-length").map_or(0, |it| it.parse().unwrap_or(0));
        // Answers to HEAD announce a body that does not follow; nothing here asks by HEAD.
        let Some(after) = body.get(length..) else { return false };
        rest = after;
    }
    true
}

#[test]
fn whatever_comes_is_answered_in_http_or_not_at_all() {
    let mut dice = Dice::new(0x48_54_54_50);
    let (mut answered, mut taken) = (0, 0);
    for round in 0..12_000 {
        let mut bench = Bench::new();
        let request = bytes(&mut dice);
        // Small pipes cut what comes at every place. But where a peer that wished for another
        // protocol does not read either, the server lets the rest of its answer go.
        let wishes = request.windows(7).any(|it| it.eq_ignore_ascii_case(b"upgrade"));
        if !wishes {
            bench.pipe_bytes = 1 + dice.below(300);
        }
        let (mut peer, to_write) = (bench.connect(), request.clone());
        let answer = bench.run(async move {
            let (mut reading, mut writing) = tokio::io::split(&mut peer);
            let mut answer = Vec::new();
            let write = async {
                let _ = writing.write_all(&to_write).await;
                let _ = writing.shutdown().await;
            };
            let read = async { reading.read_to_end(&mut answer).await };
            let _ = tokio::join!(write, read);
            answer
        });
        let text = String::from_utf8_lossy(&answer);
        let said = String::from_utf8_lossy(&request);
        assert!(
            is_http(&answer),
            "round {round}: {said:?}
{text}"
        );
        bench.twin.advance(Duration::from_secs(300));
        assert!(bench.twin.tasks().names().is_empty(), "round {round}: it ends");
        assert_eq!(bench.budget.left(), 4 << 20, "round {round}: bytes are given back");
        answered += usize::from(!answer.is_empty());
        taken += bench.received();
    }
    assert!(1_000 < answered && 100 < taken, "{answered} answered, {taken} taken");
}

//! Requests that mean harm.

use super::*;

#[test]
fn a_request_within_a_request_is_never_taken() {
    // RFC 9112 §6.1: where both are there, chunks win, and the connection ends.
    let inner = post(HL7, "smuggled");
    let head = format!("POST /in HTTP/1.1\r\nhost: a\r\n{HL7}");
    for both in [
        format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", inner.len() + 5),
        format!("transfer-encoding: chunked\r\ncontent-length: {}\r\n", inner.len() + 5),
        format!("Transfer-Encoding: CHUNKED\r\nContent-Length: {}\r\n", inner.len() + 5),
    ] {
        let bench = Bench::new();
        let answer = bench.ask(format!("{head}{both}\r\n1\r\nx\r\n0\r\n\r\n{inner}"));
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        assert_eq!(header(&answer, "connection"), Some("close"), "{answer}");
        assert!(bench.received() <= 1);
        assert!(bench.received() == 0 || bench.last(|it| it.content == "x"));
    }
    for bad in [
        "content-length: 1\r\ncontent-length: 40\r\n",
        "content-length: 1, 40\r\n",
        "content-length: +1\r\n",
        "content-length: 0x1\r\n",
        "content-length: -1\r\n",
        "content-length: \r\n",
        "content-length : 1\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding : chunked\r\n",
        "transfer-encoding:\u{b}chunked\r\n",
        "x: y\r\n transfer-encoding: chunked\r\n",
        "x: y\n\rcontent-length: 40\r\n",
        "x\r\n",
        "x\u{0}y: z\r\n",
        "x: y\u{0}z\r\n",
    ] {
        let bench = Bench::new();
        let answer = bench.ask(format!("{head}{bad}\r\nx{inner}"));
        assert_eq!(status(&answer), 400, "{bad:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{bad:?}: {answer}");
        assert_eq!(bench.received(), 0, "{bad:?}");
    }
}

#[test]
fn chunks_that_are_none_end_the_connection() {
    let head = format!("POST /in HTTP/1.1\r\nhost: a\r\n{FHIR}transfer-encoding: chunked\r\n\r\n");
    for bad in [
        "x\r\n",
        "-1\r\nx\r\n0\r\n\r\n",
        "1 1\r\nx\r\n0\r\n\r\n",
        "1\r\nxyz\r\n0\r\n\r\n",
        "1\nx\n0\n\n",
        "ffffffffffffffffff\r\nx\r\n0\r\n\r\n",
        "\r\n",
        "0x1\r\nx\r\n0\r\n\r\n",
    ] {
        let bench = Bench::new();
        let answer = bench.ask(format!("{head}{bad}{}", post(HL7, "smuggled")));
        assert_eq!(status(&answer), 400, "{bad:?}: {answer}");
        assert!(answer.contains("OperationOutcome"), "{bad:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{bad:?}: {answer}");
        assert_eq!((bench.received(), bench.troubles(Trouble::Junk)), (0, 1), "{bad:?}");
    }
    // What stands around chunks is bounded, too.
    for flood in [
        format!("1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(1 << 20)),
        format!("1\r\nx\r\n0\r\n{}\r\n", "t: t\r\n".repeat(1 << 16)),
    ] {
        let bench = Bench::new();
        assert_eq!(status(&bench.ask(format!("{head}{flood}"))), 400);
        assert_eq!(bench.received(), 0);
    }
}

#[test]
fn what_is_not_http_is_answered_or_closed() {
    for garbage in [
        &b"\x0bMSH|^~\\&|LAB\r\x1c\r"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /\r\n",
        b"POST /in HTTP/3.7\r\nhost: a\r\n\r\n",
        b"POST  /in  HTTP/1.1\r\nhost: a\r\n\r\n",
        b"\r\n\r\n\r\n\r\n\0",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        &[0xff; 100_000],
    ] {
        let bench = Bench::new();
        let answer = bench.ask(garbage);
        assert!(answer.is_empty() || (400..=505).contains(&status(&answer)), "{answer}");
        assert_eq!(bench.received(), 0);
        assert!(bench.twin.tasks().names().is_empty());
    }
}

#[test]
fn a_coded_body_is_not_taken_for_the_message() {
    for coded in
        ["gzip, chunked", "gzip,chunked", "chunked, chunked", "gzip\r\ntransfer-encoding: chunked"]
    {
        let bench = Bench::new();
        let headers = format!("{FHIR}transfer-encoding: {coded}\r\n");
        let request = format!("POST /in HTTP/1.1\r\nhost: a\r\n{headers}\r\n1\r\nx\r\n0\r\n\r\n");
        let answer = bench.ask(request + &post(HL7, "smuggled"));
        assert_eq!((status(&answer), bench.received()), (501, 0), "{coded}: {answer}");
        assert_eq!(header(&answer, "connection"), Some("close"));
        assert!(answer.contains("OperationOutcome") && answer.contains("chunked"), "{answer}");
    }
    for plain in ["chunked", " Chunked "] {
        let bench = Bench::new();
        let headers = format!("{HL7}transfer-encoding: {plain}\r\n");
        let request = format!("POST /in HTTP/1.1\r\nhost: a\r\n{headers}\r\n1\r\nx\r\n0\r\n\r\n");
        assert_eq!(status(&bench.ask(request)), 202, "{plain}");
    }
}

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What comes through of a stream in pieces of this length, and what was found.
async fn check(speech: Speech, bytes: &[u8], piece: usize) -> (Vec<u8>, Option<Foreign>) {
    let (near, mut far) = tokio::io::duplex(1 << 10);
    let (mut sniffed, found) = Sniffed::new(Box::new(near), speech);
    let mut read = Vec::new();
    for piece in bytes.chunks(piece) {
        far.write_all(piece).await.expect("written");
        let mut some = [0; 64];
        let count = sniffed.read(&mut some).await.expect("read");
        read.extend_from_slice(&some[..count]);
        if count == 0 {
            break;
        }
    }
    if found.get().is_some() {
        assert!(sniffed.write_all(b"an answer").await.is_err(), "nothing is answered");
        drop(sniffed);
        let mut rest = Vec::new();
        far.read_to_end(&mut rest).await.expect("closed");
        assert!(rest.is_empty());
    }
    (read, found.get().copied())
}

#[tokio::test]
async fn another_protocol_is_known_however_its_bytes_come() {
    for (speech, bytes, foreign) in [
        (Speech::Mllp, &b"\x16\x03\x01\x02\x00\x01"[..], Foreign::Tls),
        (Speech::Mllp, b"GET / HTTP/1.1\r\n\r\n", Foreign::Http),
        (Speech::Mllp, b"POST /hl7 HTTP/1.1\r\n", Foreign::Http),
        (Speech::Mllp, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Foreign::Http),
        (Speech::Mllp, b"\r\nOPTIONS * HTTP/1.1\r\n", Foreign::Http),
        (Speech::Http, b"\x16\x03\x01\x02\x00\x01", Foreign::Tls),
        (Speech::Http, b"\x0bMSH|^~\\&|", Foreign::Mllp),
        (Speech::Http, b"\r\n\x0bMSH|^~\\&|", Foreign::Mllp),
        (Speech::Tls, b"\x0bMSH|^~\\&|", Foreign::Plain),
        (Speech::Tls, b"GET / HTTP/1.1\r\n", Foreign::Plain),
        (Speech::Tls, b"\r\n", Foreign::Plain),
    ] {
        for piece in [1, 3, 64] {
            let (_, found) = check(speech, bytes, piece).await;
            assert_eq!(found, Some(foreign), "{speech:?} {bytes:?} in pieces of {piece}");
        }
        // Whole, not a byte of it comes through.
        assert!(check(speech, bytes, 64).await.0.is_empty());
    }
}

#[tokio::test]
async fn what_belongs_here_comes_through_as_it_was() {
    for (speech, bytes) in [
        (Speech::Mllp, &b"\x0bMSH|^~\\&|\x1c\r\x0bGET / HTTP\x1c\r"[..]),
        (Speech::Mllp, b" \r\n\t\x0bMSH\x1c\r"),
        // Junk, but no other protocol: the decoder has its own rules for it.
        (Speech::Mllp, b"\x16\x16junk\x0bMSH\x1c\r"),
        (Speech::Mllp, b"GETTER\x0bMSH\x1c\r"),
        (Speech::Mllp, b"P\x0bMSH\x1c\r"),
        (Speech::Http, b"POST / HTTP/1.1\r\n\r\n\x16\x03\x0b"),
        (Speech::Http, b"\r\nGET / HTTP/1.1\r\n"),
        (Speech::Tls, b"\x16\x03\x01\x0b\x00GET / "),
    ] {
        for piece in [1, 3, 64] {
            let expected = (bytes.to_vec(), None);
            assert_eq!(check(speech, bytes, piece).await, expected, "in pieces of {piece}");
        }
    }
}

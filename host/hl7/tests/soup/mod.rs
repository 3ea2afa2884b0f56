//! Messages for property tests.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Bytes that reach deep: pieces of messages in any order, now and then something else.
pub fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"|",
        b"^",
        b"~",
        b"\\",
        b"&",
        b"#",
        b"$",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\r\n",
        b"\"\"",
        b"PID|",
        b"\rPID|",
        b"\nOBX|",
        b"\rMSH|^~\\&|",
        b"\rMSH$%~\\&#$",
        b"\rMSH|^&&^|",
        b"\nFHS|^~\\&|",
        b"MSH",
        b"\rMSH|x",
        b"\\F\\",
        b"\\X0D\\",
        b"\\.br\\",
        b"\\T",
        b"A",
        b"Zedlitz",
        "\u{e9}".as_bytes(),
        b"\xfc",
        b"\0",
        b"\x0b",
        b"\x1c",
        b"||||||||||||||||8859/1|",
    ];
    let piece = prop_oneof![
        12 => select(pieces).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..4),
    ];
    let heads: Vec<&'static [u8]> = vec![
        b"",
        b"MSH|^~\\&|",
        b"MSH|^~\\&|",
        b"\xef\xbb\xbfMSH$%~\\&$",
        b" \r\nBHS|^~\\|",
        b"MSH!$r?@!",
    ];
    (select(heads), vec(piece, 0..60)).prop_map(|(head, body)| [head, &body.concat()].concat())
}

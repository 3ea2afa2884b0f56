//! Documents in a message, and pointers to them: `datatypes/ED[Attachment]`, `RP[Attachment]`.
//!
//! A document is not read here: its data is a token, and the host puts the bytes in.
//!
//! Not here: data that is neither Base64 nor readable by this plugin (`A`, `Hex` and sealed): it
//! would have to be encoded anew, so it is left out.

use std::borrow::Cow;

use crate::hl7::Field;
use crate::v2_to_fhir::rows::row;
use crate::{Writer, is_token};

/// Writes the attachment of an ED.
pub fn ed_attachment(w: &mut Writer, key: &str, ed: Field<'_>) -> bool {
    let [kind, subtype, encoding] = [2, 3, 4].map(|number| ed.component(number).text());
    w.object_if(key, |w| {
        match &subtype {
            Some(subtype) => {
                let media = media_type(kind.as_deref(), subtype);
                row("datatypes/ED[Attachment]#4", w.text("contentType", Some(media)));
            }
            None => alternate_codes(w, kind.as_deref()),
        }
        let data = data(ed.component(5).text(), encoding.as_deref());
        row("datatypes/ED[Attachment]#6", w.text("data", data))
    })
}

/// Writes the attachment of an RP.
pub fn rp_attachment(w: &mut Writer, key: &str, rp: Field<'_>) -> bool {
    let [url, kind, subtype] = [1, 3, 4].map(|number| rp.component(number).text());
    w.object_if(key, |w| {
        let media = match (&kind, &subtype) {
            (kind, Some(subtype)) => Some(media_type(kind.as_deref(), subtype)),
            (Some(kind), None) if kind.contains('/') => Some(kind.to_string()),
            _ => None,
        };
        row("datatypes/RP[Attachment]#3", w.text("contentType", media));
        row("datatypes/RP[Attachment]#1", w.text("url", url))
    })
}

/// Without a subtype the guide keeps the type of table 0191 beside an element that is not there.
fn alternate_codes(w: &mut Writer, kind: Option<&str>) {
    w.array("extension", |w| {
        w.element_if(|w| {
            let url = "https://hl7.org/fhir/StructureDefinition/alternate-codes";
            w.text("url", Some(url));
            let is_written = w.object("valueCodeableConcept", |w| {
                w.array("coding", |w| {
                    w.element_if(|w| {
                        w.text("system", Some("http://terminology.hl7.org/CodeSystem/v2-0191"));
                        w.text("code", kind)
                    });
                });
            });
            row("datatypes/ED[Attachment]#2", is_written);
            row("datatypes/ED[Attachment]#3", is_written)
        });
    });
}

/// The media types of tables 0191 and 0291 that have another name on the internet.
const MEDIA_TYPES: [(&str, &str); 14] = [
    ("basic", "audio/basic"),
    ("dicom", "application/dicom"),
    ("gif", "image/gif"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("msword", "application/msword"),
    ("octet-stream", "application/octet-stream"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("postscript", "application/postscript"),
    ("rtf", "application/rtf"),
    ("tiff", "image/tiff"),
    ("x-hl7-cda-level-one", "text/xml"),
];

/// Type and subtype, as a media type.
fn media_type(kind: Option<&str>, subtype: &str) -> String {
    const TOP: [&str; 7] = ["application", "audio", "image", "model", "multipart", "text", "video"];
    if subtype.contains('/') {
        return subtype.to_owned();
    }
    let kind = kind.unwrap_or_default();
    if is_token(kind) || is_token(subtype) {
        return [kind, "/", subtype].concat();
    }
    let [kind_lower, lower] = [kind, subtype].map(str::to_ascii_lowercase);
    if TOP.contains(&kind_lower.as_str()) {
        return [&kind_lower, "/", &lower].concat();
    }
    match MEDIA_TYPES.iter().find(|(name, _)| *name == lower) {
        Some((_, media)) => (*media).to_owned(),
        None if matches!(kind_lower.as_str(), "ft" | "tx") => ["text/", &lower].concat(),
        None if kind.is_empty() => ["application/", &lower].concat(),
        None => [kind, "/", subtype].concat(),
    }
}

/// The data in base 64. `A` is plain text, `Hex` pairs of digits.
fn data<'m>(data: Option<Cow<'m, str>>, encoding: Option<&str>) -> Option<Cow<'m, str>> {
    let data = data?;
    match encoding {
        None | Some("Base64") => Some(data),
        Some(it) if it.eq_ignore_ascii_case("base64") || is_token(it) => Some(data),
        Some(_) if is_token(&data) => None,
        Some("Hex") => Some(Cow::Owned(base_64(&from_hex(&data)?))),
        Some("A") => Some(Cow::Owned(base_64(data.as_bytes()))),
        Some(_) => None,
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// RFC 4648, with padding.
fn base_64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let all = three.iter().fold(0_u32, |all, it| all << 8 | u32::from(*it));
        let all = all << (8 * (3 - three.len()));
        for at in 0..4 {
            let index = (all >> (18 - 6 * at) & 63) as usize;
            let letter = if at <= three.len() { LETTERS[index] } else { b'=' };
            out.push(char::from(letter));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_is_the_standard_one() {
        // RFC 4648, section 10.
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base_64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_media_type_is_one_of_the_internet() {
        for (kind, subtype, expected) in [
            (Some("text"), "plain", "text/plain"),
            (Some("Image"), "JPEG", "image/jpeg"),
            (Some("AP"), "PDF", "application/pdf"),
            (Some("NS"), "Octet-stream", "application/octet-stream"),
            (Some("TX"), "plain", "text/plain"),
            (Some("SD"), "PICT", "SD/PICT"),
            (None, "application/pdf", "application/pdf"),
            (Some("application"), "ZQ7K3M9XA2WB4T", "application/ZQ7K3M9XA2WB4T"),
        ] {
            assert_eq!(media_type(kind, subtype), expected);
        }
    }

    #[test]
    fn data_is_encoded_anew_only_if_it_can_be_read() {
        let of = |it: &'static str, encoding| data(Some(Cow::Borrowed(it)), encoding);
        assert_eq!(of("Zg==", Some("Base64")).as_deref(), Some("Zg=="));
        assert_eq!(of("66", Some("Hex")).as_deref(), Some("Zg=="));
        assert_eq!(of("6", Some("Hex")), None);
        assert_eq!(of("f", Some("A")).as_deref(), Some("Zg=="));
        assert_eq!(of("ZQ7K3M9XA2WB4T", Some("Base64")).as_deref(), Some("ZQ7K3M9XA2WB4T"));
        assert_eq!(of("ZQ7K3M9XA2WB4T", Some("A")), None);
    }
}

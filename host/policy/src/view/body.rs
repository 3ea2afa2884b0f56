//! The whole body under a grant, in one pass.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::hl7v2::{self, Charset};
use hilum_message::{At, Found, Json, Kind, Message};

use super::judge::Shown;
use super::{Access, View};
use crate::Sight;
use crate::origin::Shape;

/// A body being written: what is as it came is copied in one piece.
struct Pass<'a> {
    bytes: &'a Bytes,
    out: Vec<u8>,
    from: usize,
}

impl<'a> Pass<'a> {
    fn new(bytes: &'a Bytes) -> Self {
        Self { bytes, out: Vec::with_capacity(bytes.len() + bytes.len() / 4), from: 0 }
    }

    fn keep_to(&mut self, end: usize) {
        self.out.extend_from_slice(self.bytes.get(self.from..end).unwrap_or_default());
    }

    fn finish(mut self) -> Bytes {
        if self.from == 0 {
            return self.bytes.clone();
        }
        self.keep_to(self.bytes.len());
        Bytes::from(self.out)
    }
}

impl View {
    /// The whole body: sealed values are tokens in their places, withheld ones are empty (a number
    /// or boolean of JSON is `null`).
    pub fn body(&mut self) -> Bytes {
        if let Some(rendered) = &self.rendered {
            return rendered.clone();
        }
        let message = Arc::clone(self.message());
        let body = match message.as_json() {
            Some(json) => self.body_of_json(json),
            None => {
                let mut pass = Pass::new(message.bytes());
                for found in message.values() {
                    self.put(&found, &mut pass);
                }
                pass.finish()
            }
        };
        self.rendered = Some(body.clone());
        body
    }

    /// In the order of the bytes: the name of a member, then what it is.
    fn body_of_json(&mut self, json: &Json) -> Bytes {
        let mut pass = Pass::new(json.bytes());
        for (id, node) in json.nodes() {
            if let Some(name) = &node.name
                && let Some(shown) = self.shown_name(json, id)
            {
                pass.keep_to(name.start);
                pass.out.extend_from_slice(&hilum_message::json_string(&shown));
                pass.from = name.end;
            }
            if let Some(found) = json.leaf(id) {
                self.put(&found, &mut pass);
            }
        }
        pass.finish()
    }

    fn put(&mut self, found: &Found, pass: &mut Pass<'_>) {
        let shown = self.show(found);
        if matches!(shown, Shown::Plain) {
            return;
        }
        if matches!(shown, Shown::Withheld) {
            self.left_out.push(found.range.start);
        }
        pass.keep_to(found.range.start);
        self.write(found, &shown, &mut pass.out);
        pass.from = found.range.end;
    }

    /// Whether the body has no places and the grant does not open it: [`Self::body`] is empty then.
    pub fn is_body_withheld(&self) -> bool {
        let found = match &**self.message() {
            Message::Opaque(_) => self.message().values().next(),
            Message::Hl7(_) | Message::Fhir(_) => None,
        };
        found.is_some_and(|found| self.judge(&found).sight == Sight::Withhold)
    }

    /// The whole body as text, decoded by the message's own character set.
    pub fn text(&mut self) -> Result<String, Access> {
        let body = self.body();
        if self.is_body_withheld() {
            return Err(Access::Withheld);
        }
        match self.message().as_hl7() {
            Some(hl7) => {
                hl7.charset().decode(Cow::Borrowed(&body)).map_err(|_| Access::Unstructured)
            }
            None => match std::str::from_utf8(&body) {
                Ok(text) => Ok(text.to_owned()),
                Err(_) => Err(Access::Unstructured),
            },
        }
    }

    /// A text that a plugin hands back, as bytes: HL7 v2 in the character set in which it will be
    /// read. None if that lacks a letter of it.
    pub fn encoded(&self, format: &str, text: String) -> Option<Bytes> {
        if format == "hl7v2" && !text.is_ascii() {
            let bytes = Bytes::copy_from_slice(text.as_bytes());
            let read = hl7v2::Message::parse_with(bytes, &self.message().made_with());
            let charset = read.map_or_else(|_| Charset::default(), |it| it.charset());
            // What is not known cannot be written otherwise.
            if !matches!(charset, Charset::Utf8 | Charset::Ascii | Charset::Unknown) {
                return charset.encode_text(&text).map(Bytes::from);
            }
        }
        Some(Bytes::from(text))
    }

    /// Writes what is shown in the place of a value.
    fn write(&self, found: &Found, shown: &Shown, out: &mut Vec<u8>) {
        let message = self.message();
        // No delimiter is a letter or digit, and every character set has those of ASCII.
        if let (Shown::Sealed(token), At::Hl7(_)) = (shown, found.at) {
            return out.extend_from_slice(token.bytes());
        }
        let (text, shape) = match shown {
            Shown::Plain | Shown::Withheld => ("", Shape::Text),
            Shown::Text(text, shape) => (text.as_str(), *shape),
            Shown::Sealed(token) => (&*token.to_string(), Shape::Text),
        };
        let is_withheld = matches!(shown, Shown::Withheld);
        match found.at {
            At::Json(_) if is_withheld && message.json_kind(found.at) != Some(Kind::Text) => {
                out.extend_from_slice(b"null");
            }
            At::Json(_) if shape.fits(text) => out.extend_from_slice(text.as_bytes()),
            At::Json(_) => out.extend_from_slice(&hilum_message::json_string(text)),
            At::Hl7(_) => {
                let (Some(hl7), Some(delimiters)) =
                    (message.as_hl7(), self.classer.delimiters_at(found.range.start))
                else {
                    return;
                };
                // What this message cannot hold stays empty, as if it were withheld.
                let _unfit = delimiters.escape_into(hl7.charset(), text, out);
            }
            At::Body => out.extend_from_slice(text.as_bytes()),
        }
    }
}

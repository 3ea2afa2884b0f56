use hilum_hl7::{Charset, Delimiters, Header};

/// The characters that our own message is written with.
#[derive(Clone, Copy)]
pub(crate) struct Writing {
    pub(crate) delimiters: Delimiters,
    pub(crate) charset: Charset,
    encoding_characters: [u8; 5],
    encoding_characters_count: usize,
}

/// Tried in this order where the sender declares no escape character of its own.
const ESCAPES: &[u8] = b"\\%$!*@#/:;";

impl Writing {
    /// What a sender writes with, or what everybody does.
    pub(crate) fn of(header: Option<&Header>) -> Self {
        let (delimiters, charset) = match header {
            Some(header) => (own_delimiters(header), header.charset),
            None => (Delimiters::CUSTOMARY, Charset::Ascii),
        };
        let characters = delimiters.encoding_characters().unwrap_or_default();
        let mut encoding_characters = [0; 5];
        let count = characters.len().min(5);
        for (to, from) in encoding_characters.iter_mut().zip(characters) {
            *to = from;
        }
        Self { delimiters, charset, encoding_characters, encoding_characters_count: count }
    }

    /// MSH-2.
    pub(crate) fn encoding_characters(&self) -> &[u8] {
        self.encoding_characters.get(..self.encoding_characters_count).unwrap_or_default()
    }

    /// A text of ours as a value. A character that the sender's character set does not have
    /// becomes a question mark: an answer without it is better than none.
    pub(crate) fn text(&self, text: &str) -> Vec<u8> {
        let mut value = Vec::new();
        for letter in text.chars() {
            let mut buffer = [0; 4];
            let letter: &str = letter.encode_utf8(&mut buffer);
            if self.delimiters.escape_into(self.charset, letter, &mut value).is_err() {
                let _ = self.delimiters.escape_into(self.charset, "?", &mut value);
            }
        }
        value
    }

    /// Texts of ours as the components of a field, empty ones at its end left out.
    pub(crate) fn components(&self, texts: &[&str]) -> Vec<u8> {
        let values = texts.iter().map(|text| self.text(text)).collect();
        join(values, self.delimiters.component)
    }

    /// Texts of ours as the subcomponents of a component; the first alone if there is no character
    /// for more.
    pub(crate) fn subcomponents(&self, texts: &[&str]) -> Vec<u8> {
        let Some(separator) = self.delimiters.subcomponent else {
            return texts.first().map(|text| self.text(text)).unwrap_or_default();
        };
        join(texts.iter().map(|text| self.text(text)).collect(), separator)
    }

    /// A segment of these fields, empty ones at its end left out, with its CR.
    pub(crate) fn segment(&self, name: &str, fields: Vec<Vec<u8>>) -> Vec<u8> {
        let mut all = vec![name.as_bytes().to_vec()];
        all.extend(fields);
        let mut segment = join(all, self.delimiters.field);
        // A frame cannot carry VT or FS, and a field that we give back may hold FS.
        segment.retain(|byte| !matches!(byte, 0x0b | 0x1c));
        segment.push(b'\r');
        segment
    }
}

/// The sender's delimiters. Without an escape character one of our own is added, which stands in
/// none of the fields that are given back as they came.
fn own_delimiters(header: &Header) -> Delimiters {
    let theirs = header.delimiters;
    if theirs.escape.is_some() {
        return theirs;
    }
    let given_back = [
        &header.sending_application,
        &header.sending_facility,
        &header.receiving_application,
        &header.receiving_facility,
        &header.message_type,
        &header.control_id,
        &header.processing_id,
        &header.version,
        &header.character_set,
    ];
    let is_free = |byte: &&u8| {
        let byte = **byte;
        let taken = [Some(theirs.field), Some(theirs.component), Some(theirs.repetition)];
        !taken.contains(&Some(byte))
            && theirs.subcomponent != Some(byte)
            && theirs.truncation != Some(byte)
            && !given_back.iter().any(|field| field.contains(&byte))
    };
    Delimiters { escape: ESCAPES.iter().find(is_free).copied().or(Some(b'\\')), ..theirs }
}

fn join(mut values: Vec<Vec<u8>>, separator: u8) -> Vec<u8> {
    while values.last().is_some_and(Vec::is_empty) {
        values.pop();
    }
    values.join(&separator)
}

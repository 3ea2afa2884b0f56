use crate::Value;

impl Value {
    /// The value as compact JSON: members in order, numbers as their text stood.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }

    /// The value as JSON for people: two blanks a level.
    pub fn to_pretty(&self) -> String {
        let mut out = Vec::new();
        self.write_pretty(&mut out, 0);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Appends the value as compact JSON.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Boolean(true) => out.extend_from_slice(b"true"),
            Self::Boolean(false) => out.extend_from_slice(b"false"),
            Self::Number(text) => out.extend_from_slice(text.as_bytes()),
            Self::Text(text) => write_string(text, out),
            Self::Array(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if 0 < index {
                        out.push(b',');
                    }
                    item.write_to(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (index, member) in members.iter().enumerate() {
                    if 0 < index {
                        out.push(b',');
                    }
                    write_string(&member.name, out);
                    out.push(b':');
                    member.value.write_to(out);
                }
                out.push(b'}');
            }
        }
    }

    fn write_pretty(&self, out: &mut Vec<u8>, level: usize) {
        let newline = |out: &mut Vec<u8>, level: usize| {
            out.push(b'\n');
            out.extend(std::iter::repeat_n(b' ', 2 * level));
        };
        match self {
            Self::Array(items) if !items.is_empty() => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if 0 < index {
                        out.push(b',');
                    }
                    newline(out, level + 1);
                    item.write_pretty(out, level + 1);
                }
                newline(out, level);
                out.push(b']');
            }
            Self::Object(members) if !members.is_empty() => {
                out.push(b'{');
                for (index, member) in members.iter().enumerate() {
                    if 0 < index {
                        out.push(b',');
                    }
                    newline(out, level + 1);
                    write_string(&member.name, out);
                    out.extend_from_slice(b": ");
                    member.value.write_pretty(out, level + 1);
                }
                newline(out, level);
                out.push(b'}');
            }
            scalar => scalar.write_to(out),
        }
    }
}

/// Appends a JSON string with its quotes; escapes what RFC 8259 §7 asks for and nothing else.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

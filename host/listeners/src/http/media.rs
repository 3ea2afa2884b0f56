//! Media types, as `Content-Type` and `Accept` have them (RFC 9110 §8.3 and §12.5.1).

/// A media type or range with its parameters. Names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Media {
    /// `type/subtype`.
    pub(super) essence: String,
    parameters: Vec<(String, String)>,
}

impl Media {
    /// Reads one media type; none if it is not well-formed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = split(text, ';');
        let essence = parts.next()?.trim().to_ascii_lowercase();
        let (major, minor) = essence.split_once('/')?;
        if !is_token(major) || !is_token(minor) {
            return None;
        }
        let mut parameters = Vec::new();
        for part in parts {
            let part = part.trim();
            if part.is_empty() {
                continue; // RFC 9110 §5.6.6 allows a semicolon with nothing behind it.
            }
            // Spaces around the sign are against the rule, and common.
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim(), value.trim());
            if !is_token(name) {
                return None;
            }
            parameters.push((name.to_ascii_lowercase(), unquoted(value)?));
        }
        Some(Self { essence, parameters })
    }

    /// A parameter by its name in lower case.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// How well this range fits a type: 3 exactly, 2 by its major type, 1 as one that fits all.
    pub(super) fn fits(&self, essence: &str) -> Option<u8> {
        if self.essence == essence {
            return Some(3);
        }
        if self.essence == "*/*" {
            return Some(1);
        }
        let major = self.essence.strip_suffix("/*")?;
        essence.split_once('/').is_some_and(|(it, _)| it == major).then_some(2)
    }
}

/// The parts of a header between separators that stand outside of quotes.
pub(super) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |letter| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match letter {
            '\\' if is_quoted && !was_escaped => is_escaped = true,
            '"' if !was_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        !is_quoted && letter == separator
    })
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return is_token(value).then(|| value.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let mut text = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.push(letters.next()?),
            '"' => return None,
            _ => text.push(letter),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_with_its_parameters() {
        let media = Media::parse("Application/HL7-v2; Charset = \"UTF-8\" ;x=\"a\\\";b\"").unwrap();
        assert_eq!(media.essence, "application/hl7-v2");
        assert_eq!(media.parameter("charset"), Some("UTF-8"));
        assert_eq!(media.parameter("x"), Some("a\";b"));
        assert_eq!(media.parameter("y"), None);
    }

    #[test]
    fn what_is_no_media_type_is_none() {
        for text in [
            "",
            "text",
            "text/",
            "/plain",
            "te xt/plain",
            "a/b; c",
            "a/b; c=\"d",
            "a/b; c=d e",
            "a/b;c=\"d\"e\"",
        ] {
            assert_eq!(Media::parse(text), None, "{text}");
        }
        assert!(Media::parse("a/b;").is_some());
    }

    #[test]
    fn a_range_says_how_well_it_fits() {
        let fits = |range: &str| Media::parse(range).unwrap().fits("application/fhir+json");
        assert_eq!(fits("application/fhir+json;q=0.5"), Some(3));
        assert_eq!(fits("application/*"), Some(2));
        assert_eq!(fits("*/*"), Some(1));
        assert_eq!(fits("text/*"), None);
        assert_eq!(fits("application/json"), None);
    }

    #[test]
    fn separators_in_quotes_separate_nothing() {
        assert_eq!(split("a;\"b,c\", d", ',').collect::<Vec<_>>(), ["a;\"b,c\"", " d"]);
    }
}

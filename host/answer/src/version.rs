use hilum_hl7::Header;

/// The version of HL7 that an answer is written in: the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u32, u32, u32);

impl Version {
    /// From here on MSH-9 names the structure too.
    pub(crate) const WITH_STRUCTURE: Self = Self(2, 3, 1);
    /// From here on MSH-9 names the event.
    pub(crate) const WITH_EVENT: Self = Self(2, 2, 0);
    /// From here on ERR has a field each for place, code and text.
    pub(crate) const WITH_LONG_ERR: Self = Self(2, 5, 0);
    /// Where a sender does not say, the form that everybody reads today.
    const ASSUMED: Self = Self(2, 5, 1);

    /// The version in MSH-12.1: `2.5.1`, also of `2.5.1^USA`.
    pub(crate) fn of(header: &Header) -> Self {
        let delimiters = &header.delimiters;
        let first = delimiters.repetition_of(&header.version, 1);
        let version = first.and_then(|it| delimiters.component_of(it, 1));
        version.and_then(Self::parse).unwrap_or(Self::ASSUMED)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.trim();
        let mut parts = text.split('.').map(|part| part.parse::<u32>().ok());
        let version = Self(
            parts.next()??,
            parts.next().unwrap_or(Some(0))?,
            parts.next().unwrap_or(Some(0))?,
        );
        parts.next().is_none().then_some(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let parse = |text: &str| Version::parse(text.as_bytes());
        assert_eq!(parse("2.5.1"), Some(Version(2, 5, 1)));
        assert_eq!(parse(" 2.3 "), Some(Version(2, 3, 0)));
        assert!(parse("2.10") > parse("2.9"));
        assert!(parse("2.3").is_some_and(|it| it < Version::WITH_STRUCTURE));
        for text in ["", "x", "2.x", "2.5.1.1", "-2", "99999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

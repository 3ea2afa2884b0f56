use std::fmt;

/// The name of a segment: a capital letter and two capital letters or digits, or
/// [`SegmentName::UNNAMED`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentName([u8; 3]);

impl SegmentName {
    /// A segment whose name is none. It prints as `?`, and the bytes where its name should be are its
    /// first field, so that they are not overlooked: it may be a line of somebody's free text.
    pub const UNNAMED: Self = Self(*b"?  ");
    /// `MSH`.
    pub const MSH: Self = Self(*b"MSH");
    /// `FHS`.
    pub const FHS: Self = Self(*b"FHS");
    /// `BHS`.
    pub const BHS: Self = Self(*b"BHS");

    /// `FTS`.
    pub const FTS: Self = Self(*b"FTS");
    /// `BTS`.
    pub const BTS: Self = Self(*b"BTS");
    /// `ADD`, which continues the segment before it.
    pub const ADD: Self = Self(*b"ADD");
    /// `DSC`, which says that another message continues this one.
    pub const DSC: Self = Self(*b"DSC");

    /// The name with these bytes, or `None` if they are no name.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let &[first, second, third] = bytes else {
            return None;
        };
        let rest = [second, third];
        let named = first.is_ascii_uppercase()
            && rest.iter().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
        named.then_some(Self([first, second, third]))
    }

    /// The name as text; `?` for [`Self::UNNAMED`].
    pub fn as_str(&self) -> &str {
        if self.is_unnamed() { "?" } else { std::str::from_utf8(&self.0).unwrap_or("?") }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this stands for a name that is none.
    pub fn is_unnamed(&self) -> bool {
        *self == Self::UNNAMED
    }

    /// Whether the segment declares delimiters and its field 1 is the separator itself.
    pub fn is_header(&self) -> bool {
        matches!(*self, Self::MSH | Self::FHS | Self::BHS)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<str> for SegmentName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for SegmentName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

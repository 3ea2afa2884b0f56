use std::fmt;

/// HL7 table 0008: what an acknowledgement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AckCode {
    /// Application accept.
    AA,
    /// Application error: the content is wrong, so the same bytes will not do better.
    AE,
    /// Application reject: for another reason than the content, or an unsupported kind of message.
    AR,
    /// Commit accept: the message is safely stored.
    CA,
    /// Commit error.
    CE,
    /// Commit reject.
    CR,
}

impl AckCode {
    /// Every code.
    pub const ALL: [Self; 6] = [Self::AA, Self::AE, Self::AR, Self::CA, Self::CE, Self::CR];

    /// The code as it stands in MSA-1.
    pub fn word(self) -> &'static str {
        match self {
            Self::AA => "AA",
            Self::AE => "AE",
            Self::AR => "AR",
            Self::CA => "CA",
            Self::CE => "CE",
            Self::CR => "CR",
        }
    }

    /// The code in a field MSA-1, whatever its case and the blanks around it. None if it is not in
    /// the table.
    pub fn of(field: &[u8]) -> Option<Self> {
        let field = field.trim_ascii();
        Self::ALL.into_iter().find(|it| field.eq_ignore_ascii_case(it.word().as_bytes()))
    }

    /// Whether it says yes.
    pub fn is_positive(self) -> bool {
        matches!(self, Self::AA | Self::CA)
    }

    /// Whether it speaks of storing alone, and an application acknowledgement may follow.
    pub fn is_commit(self) -> bool {
        matches!(self, Self::CA | Self::CE | Self::CR)
    }

    /// The same verdict as a commit acknowledgement.
    pub fn commit(self) -> Self {
        match self {
            Self::AA | Self::CA => Self::CA,
            Self::AE | Self::CE => Self::CE,
            Self::AR | Self::CR => Self::CR,
        }
    }
}

impl fmt::Display for AckCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_read_as_it_is_written() {
        for code in AckCode::ALL {
            assert_eq!(AckCode::of(code.word().as_bytes()), Some(code));
            assert!(code.commit().is_commit());
            assert_eq!(code.commit().is_positive(), code.is_positive());
        }
        assert_eq!(AckCode::of(b" ae "), Some(AckCode::AE));
        for other in [b"".as_slice(), b"A", b"AAA", b"AX", b"\"\""] {
            assert_eq!(AckCode::of(other), None);
        }
    }
}

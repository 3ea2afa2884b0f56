use std::fmt;

/// What kind of patient data a value is. The words are API: grants, clearances and the trail use
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// Names of people, and of organisations that identify one.
    Name,
    /// Everything of an address below the state, and locations.
    Address,
    /// The date of birth.
    BirthDate,
    /// Any other date of a person's life and care.
    Date,
    /// Telephone, fax, mail, messenger.
    Contact,
    /// Numbers and codes that stand for one person, visit, policy or device.
    Identifier,
    /// Free text.
    Text,
    /// Documents, images, recordings, and pointers to them.
    Image,
    /// A body without a structure that could be classed piece by piece.
    Body,
    /// What no table knows.
    Unknown,
}

impl Class {
    /// Every class, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Name,
        Self::Address,
        Self::BirthDate,
        Self::Date,
        Self::Contact,
        Self::Identifier,
        Self::Text,
        Self::Image,
        Self::Body,
        Self::Unknown,
    ];

    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The word as it is configured, printed and stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::BirthDate => "birth-date",
            Self::Date => "date",
            Self::Contact => "contact",
            Self::Identifier => "identifier",
            Self::Text => "text",
            Self::Image => "image",
            Self::Body => "body",
            Self::Unknown => "unknown",
        }
    }

    /// The class with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.word() == word)
    }

    /// Its number, which is its bit in [`Classes`] and on disk.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A set of classes. A value that was put together from several has all of theirs; a value without
/// any is open to everybody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Classes(u16);

impl Classes {
    /// No class: the value says nothing about a person.
    pub const NONE: Self = Self(0);

    /// The set of one.
    pub const fn of(class: Class) -> Self {
        Self(1 << class.index())
    }

    /// All that are in one or the other.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are in both.
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of it is in the other.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the class is in it.
    pub const fn has(self, class: Class) -> bool {
        self.0 & Self::of(class).0 != 0
    }

    /// Whether it has no class at all.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The classes in it, in the order of [`Class::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL.iter().copied().filter(move |class| self.has(*class))
    }

    /// The set as bits, one per class in the order of [`Class::ALL`]. The order never changes, so
    /// this is what goes to disk.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set with these bits. None if a bit stands for no class.
    pub const fn from_bits(bits: u16) -> Option<Self> {
        if bits >> Class::COUNT == 0 { Some(Self(bits)) } else { None }
    }
}

impl From<Class> for Classes {
    fn from(class: Class) -> Self {
        Self::of(class)
    }
}

impl FromIterator<Class> for Classes {
    fn from_iter<T: IntoIterator<Item = Class>>(classes: T) -> Self {
        classes.into_iter().fold(Self::NONE, |all, class| all.and(class.into()))
    }
}

/// `name`, or `name+date`; `open` if there is none.
impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("open");
        }
        for (index, class) in self.iter().enumerate() {
            if index != 0 {
                f.write_str("+")?;
            }
            f.write_str(class.word())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_bits_read_back() {
        for class in Class::ALL {
            assert_eq!(Class::from_word(class.word()), Some(*class));
            assert_eq!(Classes::from_bits(Classes::of(*class).bits()), Some(Classes::of(*class)));
        }
        assert_eq!(Classes::from_bits(1 << Class::COUNT), None);
        assert_eq!(Class::from_word("Name"), None);
    }

    #[test]
    fn a_set_prints_its_words() {
        let set: Classes = [Class::Date, Class::Name].into_iter().collect();
        assert_eq!(set.to_string(), "name+date");
        assert_eq!(Classes::NONE.to_string(), "open");
    }
}

//! Where something stands: `PID-3[2].4.1`.
//!
//! ```text
//! path       = segment [ "[" occurrence "]" ] [ "-" field [ "[" repetition "]" ]
//!              [ "." component [ "." subcomponent ] ] ]
//! segment    = a capital letter, 2 capital letters or digits | "?" for a segment without a name
//! the others = 1 to 4294967295, without sign or leading zero
//! ```
//!
//! A [`Path`] asks (what is left out means "the first" or "each"), a [`Place`] answers.

use std::fmt;
use std::str::FromStr;

use crate::SegmentName;

/// A question for a place in a message, as people write it: `PID-3[2].4`, `OBX[3]-5`, `OBX`.
///
/// All numbers count from 1. What a left-out number means is said by the function that takes the
/// path. A part below one that is left out belongs to that one's first: no path is meaningless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// The segment's name.
    pub segment: SegmentName,
    /// Which of the segments with this name.
    pub occurrence: Option<u32>,
    /// The field; MSH-1 is the separator itself.
    pub field: Option<u32>,
    /// Which repetition of the field.
    pub repetition: Option<u32>,
    /// The component of the repetition.
    pub component: Option<u32>,
    /// The subcomponent of the component.
    pub subcomponent: Option<u32>,
}

impl Path {
    /// The path of a segment's field: `Path::field_of(SegmentName::MSH, 10)` is `MSH-10`.
    pub const fn field_of(segment: SegmentName, field: u32) -> Self {
        Self {
            segment,
            occurrence: None,
            field: Some(field),
            repetition: None,
            component: None,
            subcomponent: None,
        }
    }

    /// The place as ERR-2 (data type ERL) names it, with the message's component separator:
    /// `PID^1^3^2^4`. Numbers that ERL needs to hold the later ones are 1 where the path leaves
    /// them out.
    pub fn erl(&self, component_separator: char) -> String {
        let numbers =
            [self.occurrence, self.field, self.repetition, self.component, self.subcomponent];
        let count = numbers.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let mut erl = self.segment.as_str().to_owned();
        for number in numbers.into_iter().take(count.max(1)) {
            erl.push(component_separator);
            erl.push_str(&number.unwrap_or(1).to_string());
        }
        erl
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.segment)?;
        if let Some(occurrence) = self.occurrence {
            write!(f, "[{occurrence}]")?;
        }
        let below = [self.repetition, self.component, self.subcomponent];
        if self.field.is_none() && below.iter().all(Option::is_none) {
            return Ok(());
        }
        write!(f, "-{}", self.field.unwrap_or(1))?;
        if let Some(repetition) = self.repetition {
            write!(f, "[{repetition}]")?;
        }
        if self.component.is_some() || self.subcomponent.is_some() {
            write!(f, ".{}", self.component.unwrap_or(1))?;
        }
        if let Some(subcomponent) = self.subcomponent {
            write!(f, ".{subcomponent}")?;
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut reader = Reader { text, position: 0 };
        let segment = reader.segment()?;
        let mut path = Self {
            segment,
            occurrence: reader.bracketed()?,
            field: None,
            repetition: None,
            component: None,
            subcomponent: None,
        };
        if reader.take(b'-') {
            path.field = Some(reader.number()?);
            path.repetition = reader.bracketed()?;
            if reader.take(b'.') {
                path.component = Some(reader.number()?);
                if reader.take(b'.') {
                    path.subcomponent = Some(reader.number()?);
                }
            }
        }
        if reader.position == text.len() { Ok(path) } else { Err(reader.error()) }
    }
}

/// The text is not a path of HL7 v2. It does not repeat the text, which may have come from a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path like PID-3[2].4.1: byte {offset} is not what may stand there")]
pub struct PathError {
    /// How many bytes of the text were understood.
    pub offset: usize,
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.position..).unwrap_or_default()
    }

    fn error(&self) -> PathError {
        PathError { offset: self.position }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest().first() == Some(&byte);
        self.position += usize::from(found);
        found
    }

    fn segment(&mut self) -> Result<SegmentName, PathError> {
        if self.take(b'?') {
            return Ok(SegmentName::UNNAMED);
        }
        let name = self.rest().get(..3).and_then(SegmentName::new).ok_or(self.error())?;
        self.position += 3;
        Ok(name)
    }

    fn bracketed(&mut self) -> Result<Option<u32>, PathError> {
        if !self.take(b'[') {
            return Ok(None);
        }
        let number = self.number()?;
        if self.take(b']') { Ok(Some(number)) } else { Err(self.error()) }
    }

    /// A number from 1. `03` and `+3` are refused, or two texts would name one place.
    fn number(&mut self) -> Result<u32, PathError> {
        let mut number = 0u32;
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        for byte in self.rest().iter().take(digits) {
            number = number
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(u32::from(byte - b'0')))
                .ok_or(self.error())?;
        }
        if digits == 0 || self.rest().first() == Some(&b'0') {
            return Err(self.error());
        }
        self.position += digits;
        Ok(number)
    }
}

/// Where a value stands, to the subcomponent. All numbers count from 1.
///
/// It prints as the shortest path that names it and its component: `PID-5.1`, `PID-3[2].4`,
/// `OBX[3]-5.1`. [`Path::from`] keeps every number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The segment's name.
    pub segment: SegmentName,
    /// Which of the segments with this name.
    pub occurrence: u32,
    /// The field; MSH-1 is the separator itself.
    pub field: u32,
    /// Which repetition of the field.
    pub repetition: u32,
    /// The component of the repetition.
    pub component: u32,
    /// The subcomponent of the component.
    pub subcomponent: u32,
}

impl From<Place> for Path {
    fn from(place: Place) -> Self {
        Self {
            segment: place.segment,
            occurrence: Some(place.occurrence),
            field: Some(place.field),
            repetition: Some(place.repetition),
            component: Some(place.component),
            subcomponent: Some(place.subcomponent),
        }
    }
}

impl Place {
    /// Appends the place as it prints, without the machinery of formatting: every sealed value of
    /// every message has its place written.
    pub fn write_to(&self, out: &mut String) {
        let index = |number: u32, out: &mut String| {
            if 1 < number {
                out.push('[');
                push_number(number, out);
                out.push(']');
            }
        };
        out.push_str(self.segment.as_str());
        index(self.occurrence, out);
        out.push('-');
        push_number(self.field, out);
        index(self.repetition, out);
        out.push('.');
        push_number(self.component, out);
        if 1 < self.subcomponent {
            out.push('.');
            push_number(self.subcomponent, out);
        }
    }
}

fn push_number(number: u32, out: &mut String) {
    if 10 <= number {
        push_number(number / 10, out);
    }
    out.push(char::from(b'0' + u8::try_from(number % 10).unwrap_or_default()));
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write_to(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use crate::Value;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// The member's name.
    pub name: String,
    /// Which item, counted from 0; none if the path leaves it open.
    pub index: Option<usize>,
}

/// A place in a resource, as FHIR people write it: `Patient.name[0].family`.
///
/// The first step may name the resource's type; it then has to be that type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// The steps, at least one.
    pub steps: Vec<Step>,
}

/// The text is not a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path is names with optional indices, such as Patient.name[0].family")]
pub struct PathError;

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let steps = text.split('.').map(parse_step).collect::<Option<Vec<_>>>().ok_or(PathError)?;
        Ok(Self { steps })
    }
}

fn parse_step(text: &str) -> Option<Step> {
    let (name, index) = match text.split_once('[') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(']')?.parse().ok()?)),
        None => (text, None),
    };
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    is_name.then(|| Step { name: name.to_owned(), index })
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            if 0 < number {
                f.write_str(".")?;
            }
            f.write_str(&step.name)?;
            if let Some(index) = step.index {
                write!(f, "[{index}]")?;
            }
        }
        Ok(())
    }
}

impl Path {
    /// Everything that stands at this place, in order. An index that is left out means each item.
    pub fn all<'a>(&self, resource: &'a Value) -> Vec<&'a Value> {
        let mut steps = self.steps.as_slice();
        if let (Some(first), [head, rest @ ..]) = (resource.resource_type(), steps)
            && head.name == first
            && head.index.is_none()
        {
            steps = rest;
        }
        let mut here = vec![resource];
        for step in steps {
            let below = here.iter().filter_map(|value| value.member(&step.name));
            here = below.flat_map(|value| pick(value, step.index)).collect();
        }
        here
    }

    /// The first thing that stands at this place.
    pub fn first<'a>(&self, resource: &'a Value) -> Option<&'a Value> {
        self.all(resource).into_iter().next()
    }
}

fn pick(value: &Value, index: Option<usize>) -> Vec<&Value> {
    match (value, index) {
        (Value::Array(items), None) => items.iter().collect(),
        (Value::Array(items), Some(index)) => items.get(index).into_iter().collect(),
        (single, None | Some(0)) => vec![single],
        (_, Some(_)) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_prints_and_finds() {
        let text = "Patient.name[1].given[0]";
        let path: Path = text.parse().expect("a path");
        assert_eq!(path.to_string(), text);
        let patient = crate::parse(
            br#"{"resourceType":"Patient","name":[{"family":"A"},{"given":["B","C"]}]}"#,
        )
        .expect("JSON");
        assert_eq!(path.first(&patient).and_then(Value::text), Some("B"));
        let every: Path = "name.given".parse().expect("a path");
        assert_eq!(every.all(&patient).len(), 2);
        let single: Path = "Patient.resourceType[1]".parse().expect("a path");
        assert_eq!(single.first(&patient), None);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".", "a..b", "a[", "a[x]", "a[0", "a b", "a[0]b"] {
            assert_eq!(text.parse::<Path>(), Err(PathError), "{text}");
        }
    }
}

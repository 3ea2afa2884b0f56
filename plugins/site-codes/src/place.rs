//! Where codes stand, as the settings say it: `PV1-2`, `OBX-3.1`, `PID[1]-10[2].1`.

/// A place of a code. What has no number means each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    segment: String,
    occurrence: Option<u32>,
    field: u32,
    repetition: Option<u32>,
    /// Component and subcomponent with their dots: `.1`, `.1.2`, or nothing.
    below: String,
}

impl Place {
    /// Reads it; none if it is no place of a value.
    pub fn parse(path: &str) -> Option<Self> {
        let (head, rest) = path.split_once('-')?;
        let (segment, occurrence) = numbered(head)?;
        let is_name = segment.len() == 3
            && segment.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
        let (field, below) = match rest.split_once('.') {
            Some((field, below)) => (field, format!(".{below}")),
            None => (rest, String::new()),
        };
        let parts: Vec<&str> = below.split('.').skip(1).collect();
        let is_below = parts.len() <= 2 && parts.iter().all(|it| number(it).is_some());
        let (field, repetition) = numbered(field)?;
        let field = number(field)?;
        let is_place = is_name && is_below && (segment != "MSH" || 2 < field);
        let segment = segment.to_owned();
        is_place.then_some(Self { segment, occurrence, field, repetition, below })
    }

    /// The paths of all that it means. `count` tells how many there are of a segment or field.
    pub fn each(&self, count: impl Fn(&str) -> u32) -> Vec<String> {
        let occurrences = match self.occurrence {
            Some(one) => one..=one,
            None => 1..=count(&self.segment),
        };
        let mut paths = Vec::new();
        for occurrence in occurrences {
            let field = format!("{}[{occurrence}]-{}", self.segment, self.field);
            let repetitions = match self.repetition {
                Some(one) => one..=one,
                None => 1..=count(&field),
            };
            for repetition in repetitions {
                // The first one is called as people call it.
                let number =
                    if repetition == 1 { String::new() } else { format!("[{repetition}]") };
                paths.push(format!("{field}{number}{}", self.below));
            }
        }
        paths
    }
}

/// `OBX[2]` as `OBX` and 2.
fn numbered(text: &str) -> Option<(&str, Option<u32>)> {
    match text.strip_suffix(']') {
        None => Some((text, None)),
        Some(text) => {
            let (name, inside) = text.split_once('[')?;
            Some((name, Some(number(inside)?)))
        }
    }
}

/// A number from 1, written as one.
fn number(text: &str) -> Option<u32> {
    let is_digits = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    text.parse().ok().filter(|it| is_digits && (1..=1_000).contains(it))
}

#[cfg(test)]
mod tests {
    use super::Place;

    /// Two OBX; the second one's third field has two repetitions.
    fn each(path: &str) -> Vec<String> {
        let count = |path: &str| match path {
            "OBX" | "OBX[2]-3" => 2,
            "OBX[1]-3" | "PID" => 1,
            _ => 0,
        };
        Place::parse(path).expect("a place").each(count)
    }

    #[test]
    fn a_place_means_each_segment_and_each_repetition() {
        assert_eq!(each("OBX-3.1"), ["OBX[1]-3.1", "OBX[2]-3.1", "OBX[2]-3[2].1"]);
        assert_eq!(each("OBX[2]-3"), ["OBX[2]-3", "OBX[2]-3[2]"]);
        assert_eq!(each("OBX-3[2].1.2"), ["OBX[1]-3[2].1.2", "OBX[2]-3[2].1.2"]);
        assert!(each("PV1-2").is_empty());
        assert!(each("PID-10.1").is_empty());
    }

    #[test]
    fn what_is_no_place_of_a_value_is_told_from_one() {
        for wrong in [
            "",
            "OBX",
            "OBX-",
            "OBX-x",
            "obx-3",
            "OBX-0",
            "OBX-3.",
            "OBX-3.1.2.3",
            "OBX[]-3",
            "OBXX-1",
        ] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
        // The delimiters are nobody's to exchange.
        assert_eq!(Place::parse("MSH-2"), None);
        assert!(Place::parse("MSH-9.1").is_some());
    }
}

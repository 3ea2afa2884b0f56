//! What became of each value of a message: moved, read, or nowhere. The loss report.
//!
//! A value is *moved* if its token, or the value itself, stands in an output; *read* if the plugin
//! says so (an SDK that notes places) or the host opened it for the plugin; else it went *nowhere*.
//! The same value may stand in several places of a message (a guarantor who is the patient). Where the
//! plugin notes what it uses, a value that stands in an output is moved only if it was used there, or
//! in another repeat of the same place (a laboratory that each result names).
//!
//! Promises: holds places, never a value.
//! Not here: rows of the guide (`coverage`).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use hilum_hl7::{Path, Place};
use hilum_message::{At, Message};

/// A shorter value that nobody sealed is not searched for in the outputs: it stands in almost any.
const VALUE_CHARACTERS_MIN: usize = 3;

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// Its token, or the value itself, stands in an output.
    Moved,
    /// The plugin read it, for a condition or to look it up.
    Read,
    /// Neither.
    Nowhere,
}

impl How {
    /// The word that is printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Read => "read",
            Self::Nowhere => "nowhere",
        }
    }
}

/// What is known about where the values went.
pub struct Traces<'a> {
    /// Places whose tokens stand in what the plugin made.
    pub carried: &'a BTreeSet<Arc<str>>,
    /// Places that the plugin says it used.
    pub noted: &'a BTreeSet<String>,
    /// Paths that the host opened for the plugin.
    pub opened: &'a BTreeSet<String>,
    /// Whether the plugin notes every place that it uses.
    pub is_noted: bool,
    /// What stands at the same place of an output that is HL7 v2: place and text.
    pub copied: &'a BTreeSet<(String, String)>,
    /// Texts of the outputs as they would leave, whole: JSON's strings, HL7's values.
    pub texts: &'a BTreeSet<String>,
}

/// What became of each value, in the order of the message.
pub fn loss(message: &Arc<Message>, traces: &Traces<'_>) -> Vec<(Arc<str>, How)> {
    let message = message.joined();
    let noted = Paths::of(traces.noted);
    let opened = Paths::of(traces.opened);
    let mut all = Vec::new();
    let mut moved = BTreeSet::new();
    let mut repeats = Vec::new();
    for found in message.values() {
        // HL7's `""` deletes: there is no value that could be moved.
        let Ok(Some(text)) = message.text_of(&found) else { continue };
        if text.trim().is_empty() {
            continue;
        }
        let name: Arc<str> = message.place_name(found.at).into();
        let is_long = VALUE_CHARACTERS_MIN <= text.chars().count();
        let is_copied = || traces.copied.contains(&(name.to_string(), text.clone()));
        let stands = traces.carried.contains(&name)
            || is_long && traces.texts.contains(&text)
            || is_copied();
        let is_used = noted.hold(&name, found.at) || opened.hold(&name, found.at);
        let how = match (stands, is_used) {
            (true, true) => How::Moved,
            (true, false) if !traces.is_noted => How::Moved,
            (false, true) => How::Read,
            _ => How::Nowhere,
        };
        if stands {
            match how {
                How::Moved => drop(moved.insert((general(&name), text))),
                _ => repeats.push((all.len(), general(&name), text)),
            }
        }
        all.push((name, how));
    }
    for (index, place, text) in repeats {
        if moved.contains(&(place, text)) {
            all[index].1 = How::Moved;
        }
    }
    all
}

/// How many places there are of each kind.
pub fn count(places: &[(Arc<str>, How)]) -> BTreeMap<How, usize> {
    let mut count = BTreeMap::from([(How::Moved, 0), (How::Read, 0), (How::Nowhere, 0)]);
    places.iter().for_each(|(_, how)| *count.entry(*how).or_default() += 1);
    count
}

/// The same place in every message: `OBX[3]-5[2].1` becomes `OBX-5.1`, `name[0].family` `name.family`.
pub fn general(place: &str) -> String {
    let mut depth = 0_usize;
    let keep = |letter: &char| {
        match letter {
            '[' => depth += 1,
            ']' => {
                depth = depth.saturating_sub(1);
                return false;
            }
            _ => {}
        }
        depth == 0
    };
    place.chars().filter(keep).collect()
}

/// Paths as a plugin or the trail writes them.
struct Paths<'a> {
    texts: &'a BTreeSet<String>,
    hl7: Vec<Path>,
}

impl<'a> Paths<'a> {
    fn of(texts: &'a BTreeSet<String>) -> Self {
        Self { texts, hl7: texts.iter().filter_map(|it| Path::from_str(it).ok()).collect() }
    }

    fn hold(&self, name: &str, at: At) -> bool {
        let At::Hl7(place) = at else { return self.texts.contains(name) };
        self.hl7.iter().any(|path| holds(path, place))
    }
}

/// Whether a place is at a path. What a path leaves out is the first: that is what reading it gives.
fn holds(path: &Path, place: Place) -> bool {
    let first = |number: Option<u32>| number.unwrap_or(1);
    path.segment == place.segment
        && first(path.occurrence) == place.occurrence
        && path.field == Some(place.field)
        && first(path.repetition) == place.repetition
        && first(path.component) == place.component
        && first(path.subcomponent) == place.subcomponent
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const MESSAGE: &str =
        "MSH|^~\\&|LAB||||||ADT^A01|7\rPID|||4711^^^HOSP~99||EVE^ADAM\rNK1|1\rNK1|2||SPO";

    fn set(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|it| (*it).to_owned()).collect()
    }

    fn check(carried: &[&str], noted: &[&str], opened: &[&str], texts: &[&str]) -> Vec<String> {
        all(carried, noted, opened, texts, false)
    }

    fn all(
        carried: &[&str],
        noted: &[&str],
        opened: &[&str],
        texts: &[&str],
        is_noted: bool,
    ) -> Vec<String> {
        let message = Message::parse("hl7v2", Bytes::from_static(MESSAGE.as_bytes()));
        let message = Arc::new(message.expect("a message"));
        let carried: BTreeSet<Arc<str>> = carried.iter().map(|it| Arc::from(*it)).collect();
        let traces = Traces {
            carried: &carried,
            noted: &set(noted),
            opened: &set(opened),
            is_noted,
            copied: &BTreeSet::new(),
            texts: &set(texts),
        };
        let all = loss(&message, &traces);
        all.iter().map(|(place, how)| format!("{place} {}", how.word())).collect()
    }

    #[test]
    fn what_nobody_took_went_nowhere() {
        let expected = [
            "MSH-3.1",
            "MSH-9.1",
            "MSH-9.2",
            "MSH-10.1",
            "PID-3.1",
            "PID-3.4",
            "PID-3[2].1",
            "PID-5.1",
            "PID-5.2",
            "NK1-1.1",
            "NK1[2]-1.1",
            "NK1[2]-3.1",
        ];
        let expected: Vec<String> = expected.iter().map(|it| format!("{it} nowhere")).collect();
        assert_eq!(check(&[], &[], &[], &[]), expected);
    }

    #[test]
    fn each_way_of_taking_a_value_counts_for_its_own_place_alone() {
        let taken =
            check(&["PID-3[2].1"], &["PID[1]-5[1].2.1"], &["NK1[2]-3"], &["LAB", "7", "4711x"]);
        let taken: Vec<&str> =
            taken.iter().filter(|it| !it.ends_with("nowhere")).map(String::as_str).collect();
        // "7" stands in the outputs, but so short a value may be any other.
        let expected = ["MSH-3.1 moved", "PID-3[2].1 moved", "PID-5.2 read", "NK1[2]-3.1 read"];
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_value_that_stands_in_an_output_was_moved_from_where_the_plugin_took_it() {
        // EVE and NK1[2]-3 stand in the output, but nobody took them from here.
        let taken = all(
            &["PID-3.1", "NK1[2]-3.1"],
            &["PID[1]-3[1].1.1"],
            &["PID-5.2"],
            &["LAB", "EVE", "ADAM"],
            true,
        );
        let taken: Vec<&str> =
            taken.iter().filter(|it| !it.ends_with("nowhere")).map(String::as_str).collect();
        assert_eq!(taken, ["PID-3.1 moved", "PID-5.2 moved"]);
    }

    #[test]
    fn what_stands_in_a_copy_as_it_stood_is_moved_however_short() {
        let message = Message::parse("hl7v2", Bytes::from_static(MESSAGE.as_bytes()));
        let (nothing, of) =
            (set(&[]), |place: &str, text: &str| (place.to_owned(), text.to_owned()));
        let traces = Traces {
            carried: &BTreeSet::new(),
            noted: &nothing,
            opened: &nothing,
            is_noted: false,
            copied: &BTreeSet::from([of("NK1-1.1", "1"), of("NK1[2]-1.1", "3")]),
            texts: &nothing,
        };
        let all = loss(&Arc::new(message.expect("a message")), &traces);
        let moved: Vec<&str> =
            all.iter().filter(|it| it.1 == How::Moved).map(|it| &*it.0).collect();
        assert_eq!(moved, ["NK1-1.1"]);
    }

    #[test]
    fn a_repeat_of_what_was_moved_is_moved_too() {
        let text = b"MSH|^~\\&|LAB\rNK1|1||LAB-1\rNK1|2||LAB-1";
        let message = Message::parse("hl7v2", Bytes::from_static(text)).expect("a message");
        let (noted, nothing, texts) = (set(&["NK1[1]-3"]), set(&[]), set(&["LAB-1"]));
        let traces = Traces {
            carried: &BTreeSet::new(),
            noted: &noted,
            opened: &nothing,
            is_noted: true,
            copied: &BTreeSet::new(),
            texts: &texts,
        };
        let all = loss(&Arc::new(message), &traces);
        let of = |place: &str| all.iter().find(|it| &*it.0 == place).map(|it| it.1);
        assert_eq!([of("NK1-3.1"), of("NK1[2]-3.1")], [Some(How::Moved); 2]);
    }

    #[test]
    fn a_deleted_value_is_none() {
        let bytes = Bytes::from_static(b"MSH|^~\\&|LAB\rPID|||\"\"^x| ");
        let message = Arc::new(Message::parse("hl7v2", bytes).expect("a message"));
        let nothing = BTreeSet::new();
        let none = Traces {
            carried: &BTreeSet::new(),
            noted: &nothing,
            opened: &nothing,
            is_noted: false,
            copied: &BTreeSet::new(),
            texts: &nothing,
        };
        let places: Vec<_> = loss(&message, &none).into_iter().map(|it| it.0.to_string()).collect();
        assert_eq!(places, ["MSH-3.1", "PID-3.2"]);
    }

    #[test]
    fn a_general_place_has_no_numbers_of_repeats() {
        assert_eq!(general("OBX[3]-5[2].1"), "OBX-5.1");
        assert_eq!(
            general("Bundle.entry[0].resource.name[1].family"),
            "Bundle.entry.resource.name.family"
        );
    }
}

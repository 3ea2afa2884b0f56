//! What an answer means, where the site knows better than the standard.

use std::collections::BTreeMap;

use hilum_words::config::Section;

use crate::{SendFault, Whose};

/// The words of the table, in the order of [`WORDS`].
const WORDS: &[&str] = &["park", "retry", "setup"];
const MEANINGS: [Meaning; 3] = [Meaning::Park, Meaning::Retry, Meaning::SetUp];

/// What becomes of a delivery that was answered so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The content is at fault: a person looks.
    Park,
    /// This moment is: it is sent again.
    Retry,
    /// The set-up is: it is sent again slowly, and a person is told.
    SetUp,
}

/// The codes that a kind of destination answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codes {
    /// Table 0008 in MSA-1 (`AE`), and the numbers of table 0357 in ERR-3 (`207`).
    Hl7,
    /// A status of HTTP (`404`), or a class of them (`5xx`).
    Http,
}

impl Codes {
    fn has(self, key: &str) -> bool {
        let digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
        match self {
            Self::Hl7 => {
                ["AE", "AR", "CE", "CR"].contains(&key)
                    || (1..=3).contains(&key.len()) && digits(key)
            }
            Self::Http => match key.strip_suffix("xx") {
                Some(class) => ["3", "4", "5"].contains(&class),
                None => key.len() == 3 && digits(key) && (b'3'..=b'5').contains(&key.as_bytes()[0]),
            },
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Self::Hl7 => "is none of AE, AR, CE, CR, and no number of table 0357 such as 207",
            Self::Http => "is no status such as 404, and no class such as 5xx",
        }
    }
}

/// `[destination.x.classify]`: what answers mean, by their codes. What is not in it means what its
/// kind says ([`SendFault::whose`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classify(BTreeMap<String, Meaning>);

impl Classify {
    pub(super) fn read(section: &mut Section<'_>, codes: Codes) -> Self {
        let mut table = Self::default();
        let Some(mut section) = section.section("classify") else {
            return table;
        };
        for key in section.keys() {
            let meaning = section.word(&key, WORDS).and_then(|it| MEANINGS.get(it.value).copied());
            if !codes.has(&key) {
                let is_positive = matches!(key.as_str(), "AA" | "CA") || key.starts_with('2');
                let text = match is_positive {
                    true => "always means that it is delivered",
                    false => codes.wanted(),
                };
                section.problem_at(&key, text);
            } else if let Some(meaning) = meaning {
                table.0.insert(key, meaning);
            }
        }
        section.finish();
        table
    }

    /// Whose fault it is: the site's word about its code, else the fault's own.
    ///
    /// What is more particular wins: a number of ERR over MSA-1, a status over its class. Of several
    /// numbers, one that parks is enough: what it is about will not go away.
    pub fn whose(&self, fault: &SendFault) -> Whose {
        match (self.meaning(fault), fault.whose()) {
            (Some(Meaning::Park), _) => Whose::Content,
            (Some(Meaning::SetUp), _) => Whose::SetUp,
            // It is busy as a whole: asking with each delivery would not make it less so.
            (Some(Meaning::Retry), Whose::Destination) => Whose::Destination,
            (Some(Meaning::Retry), _) => Whose::Moment,
            (None, whose) => whose,
        }
    }

    /// The table with these words.
    #[cfg(test)]
    pub(crate) fn of(table: &[(&str, &str)]) -> Self {
        let meaning =
            |word: &str| MEANINGS[WORDS.iter().position(|it| *it == word).expect("a word")];
        Self(table.iter().map(|(code, word)| ((*code).to_owned(), meaning(word))).collect())
    }

    fn meaning(&self, fault: &SendFault) -> Option<Meaning> {
        if self.0.is_empty() {
            return None;
        }
        let code = fault.code()?;
        let find = |word: &str| self.0.get(word).copied();
        let details: Vec<Meaning> = code.details().filter_map(find).collect();
        let parks = details.contains(&Meaning::Park).then_some(Meaning::Park);
        parks
            .or(details.first().copied())
            .or_else(|| find(code.word()))
            .or_else(|| find(&format!("{}xx", code.word().get(..1)?)))
    }
}

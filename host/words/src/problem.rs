use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use crate::config::Asked;

/// Where something stands in an operator's file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the operator named it.
    pub file: Arc<str>,
    /// The line, counted from 1; 0 means the file as a whole.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return f.write_str(&self.file);
        }
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One thing that is wrong with an operator's files, where it is, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// Which key, written out whole: `route.adt.to[1]`. Empty for a file as a whole.
    pub key: String,
    /// What is wrong, and what to do about it.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if !self.key.is_empty() {
            write!(f, "  {}", self.key)?;
        }
        write!(f, "  {}", self.text)
    }
}

/// All problems of a configuration, collected while it is read. Nothing starts until it is empty.
///
/// Many readers write to one list, so it is shared by reference.
#[derive(Debug, Default)]
pub struct Problems {
    all: RefCell<Vec<Problem>>,
    asked: Option<RefCell<Asked>>,
}

impl Problems {
    /// A list that also notes which keys the readers ask for.
    pub fn recording() -> Self {
        Self { all: RefCell::default(), asked: Some(RefCell::default()) }
    }

    /// What the readers asked for so far, if this list notes it.
    pub fn take_asked(&self) -> Asked {
        self.asked.as_ref().map(RefCell::take).unwrap_or_default()
    }

    /// Notes what a reader asks for.
    pub(crate) fn ask(&self, note: impl FnOnce(&mut Asked)) {
        if let Some(asked) = &self.asked {
            note(&mut asked.borrow_mut());
        }
    }

    /// Notes a problem.
    pub fn push(&self, place: &Place, key: impl Into<String>, text: impl Into<String>) {
        let problem = Problem { place: place.clone(), key: key.into(), text: text.into() };
        self.all.borrow_mut().push(problem);
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.all.borrow().is_empty()
    }

    /// How many there are so far.
    pub fn len(&self) -> usize {
        self.all.borrow().len()
    }

    /// All of them, sorted by file, line and key, each once.
    pub fn into_sorted(self) -> Vec<Problem> {
        let mut all = self.all.into_inner();
        all.sort();
        all.dedup();
        all
    }
}

/// The candidate closest to `word`, if one is close enough to be what was meant.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = match word.chars().count() {
        0..=2 => return None,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .map(|it| (distance(word, it), it))
        .filter(|(far, _)| *far <= allowed)
        .min_by_key(|(far, _)| *far)
        .map(|(_, it)| it)
}

/// What to add to a sentence about `word`: `; did you mean "…"?`, or nothing.
pub fn meant<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let found = did_you_mean(word, candidates);
    found.map(|it| format!("; did you mean \"{it}\"?")).unwrap_or_default()
}

/// Edits between two words: insert, delete, replace, and swap of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if 1 < i && 1 < j && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let names = ["registry", "research"];
        assert_eq!(did_you_mean("regstry", names), Some("registry"));
        assert_eq!(did_you_mean("reserach", names), Some("research"));
        assert_eq!(did_you_mean("laboratory", names), None);
    }

    #[test]
    fn problems_come_sorted_and_once() {
        let problems = Problems::default();
        let at = |line| Place { file: Arc::from("hilum.toml"), line };
        problems.push(&at(9), "b", "wrong");
        problems.push(&at(2), "a", "wrong");
        problems.push(&at(9), "b", "wrong");
        let all: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
        assert_eq!(all, ["hilum.toml:2  a  wrong", "hilum.toml:9  b  wrong"]);
    }
}

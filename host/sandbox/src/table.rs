//! Code tables of a site, from CSV or from a FHIR ConceptMap.
//!
//! A file whose name ends with `.json` is a ConceptMap ([`concept_map`]), any other one CSV ([`csv`]).
//! Either is read whole before anything starts, and what is wrong is noted with its line.
//!
//! Promises: a table is frozen for all runs of a generation; problems hold no code of the file.
//! Not here: who may use a table (`capability::tables`), what becomes of a sealed code
//! (`hilum_policy`).

mod concept_map;
mod csv;

use std::collections::BTreeMap;
use std::sync::Arc;

use hilum_words::{Place, Problems};

/// Bytes of a table's file.
pub const TABLE_BYTES_MAX: u64 = 16 << 20;

/// Bytes of one code.
const CODE_BYTES_MAX: usize = 1_024;

/// Problems of one file that are worth printing.
const PROBLEMS_MAX: usize = 20;

/// A code table, frozen for all runs of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Whether what it answers is open even where the code is sealed: `[table.x] opens = true`.
    pub opens: bool,
    /// Nothing where the table says that nothing fits: that is not the same as a code that it lacks.
    rows: BTreeMap<String, Option<String>>,
    unmapped: Unmapped,
}

/// What a table answers for a code that it does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Unmapped {
    /// That it has none.
    None,
    /// The code itself (FHIR: `provided`).
    Itself,
    /// Always the same one (FHIR: `fixed`).
    Fixed(String),
}

impl Table {
    /// A table with these rows.
    pub fn new(opens: bool, rows: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            opens,
            rows: rows.into_iter().map(|(from, to)| (from, Some(to))).collect(),
            unmapped: Unmapped::None,
        }
    }

    /// Reads a table; none if anything is wrong with it. `file` is its name in problems, and says by
    /// its ending what it is.
    pub fn read(file: &str, bytes: &[u8], opens: bool, problems: &Problems) -> Option<Self> {
        let mut notes = Notes { file: Arc::from(file), problems, wrong: 0 };
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > TABLE_BYTES_MAX {
            notes.problem(0, format!("is longer than {TABLE_BYTES_MAX} bytes"));
            return None;
        }
        let is_json = file.rsplit('.').next().is_some_and(|it| it.eq_ignore_ascii_case("json"));
        let table = if is_json {
            concept_map::read(bytes, opens, &mut notes)?
        } else {
            csv::read(bytes, opens, &mut notes)
        };
        notes.are_none().then_some(table)
    }

    /// What stands for a code.
    pub fn translate<'a>(&'a self, code: &'a str) -> Option<&'a str> {
        match (self.rows.get(code), &self.unmapped) {
            (Some(found), _) => found.as_deref(),
            (None, Unmapped::None) => None,
            (None, Unmapped::Itself) => Some(code),
            (None, Unmapped::Fixed(fixed)) => Some(fixed),
        }
    }

    /// How many codes it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no code.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// What is wrong with one file.
struct Notes<'a> {
    file: Arc<str>,
    problems: &'a Problems,
    wrong: usize,
}

impl Notes<'_> {
    fn are_none(&self) -> bool {
        self.wrong == 0
    }

    /// Something in this line; 0 is the file as a whole.
    fn problem(&mut self, line: u32, text: impl Into<String>) {
        self.wrong += 1;
        let place = Place { file: Arc::clone(&self.file), line };
        match self.wrong {
            more if PROBLEMS_MAX < more => {}
            PROBLEMS_MAX => self.problems.push(&place, "", "and more of this kind below"),
            _ => self.problems.push(&place, "", text),
        }
    }
}

//! The guide: its maps as they are published, one row after the other.
//!
//! A row's id is the path of its file and its number among the rows of data: `segments/PID[Patient]#3`.
//! References between maps are spelled with other blanks, slashes and capitals than the files are; they
//! are compared without.
//!
//! Some cells say what cannot be meant: a typing error, an element that R4 does not have, an address of
//! a page in the place of a URI. `corrections.toml` says for such a row what is meant, and why; a
//! condition that is written for people has its reading in `readings.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::csv;
use crate::notes::{self, Notes};

/// One row: what is taken from where, under which condition.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// `segments/PID[Patient]#3`
    pub id: String,
    /// The v2 element: `PID-3`, `CX.4`, `ADT_A01.PID`; a code in a table.
    pub source: String,
    /// What the segment or group is called; the FHIR display of a code.
    pub name: String,
    /// The v2 data type; the syntax of a segment in its message.
    pub source_type: String,
    /// The condition that can be computed; the reading of a narrative one.
    pub condition: String,
    /// Why a person has to decide whether the row holds.
    pub person: Option<String>,
    /// The FHIR element, or a code.
    pub target: String,
    /// The FHIR type.
    pub target_type: String,
    /// Whether the target takes one value alone.
    pub is_single: bool,
    /// The map that is run on the value.
    pub uses: String,
    /// The table that its code is looked up in.
    pub vocabulary: String,
    /// What is written in the place of the source's value.
    pub assignment: String,
    /// The references that a message's row sets.
    pub references: String,
    /// The code system of a code.
    pub system: String,
}

/// Maps by their names.
pub type Maps = BTreeMap<String, Vec<Row>>;

/// All maps.
#[derive(Debug, Default)]
pub struct Guide {
    /// By message structure: `ADT_A01`. All rows, mapped or not: they are the structure, too.
    pub messages: Maps,
    /// By `PID[Patient]`, each name as [`key`] has it.
    pub segments: Maps,
    /// By `CX[Identifier]`, likewise.
    pub datatypes: Maps,
    /// By `AdministrativeSex`, likewise.
    pub tables: Maps,
}

/// A map's name without what is spelled differently.
pub fn key(name: &str) -> String {
    let letters = name.chars().filter(|it| !it.is_whitespace() && *it != '/');
    letters.collect::<String>().to_lowercase()
}

impl Guide {
    /// Reads the maps below `folder`, with the corrections and readings of `ours`.
    pub fn read(folder: &Path, ours: &Path) -> anyhow::Result<Self> {
        let mut guide = Self {
            messages: maps(&folder.join("messages"), "messages", message_row, str::to_owned)?,
            segments: maps(&folder.join("segments"), "segments", field_row, key)?,
            datatypes: maps(&folder.join("datatypes"), "datatypes", field_row, key)?,
            tables: maps(&folder.join("codesystems"), "codesystems", code_row, key)?,
        };
        guide.correct(&notes::read(&ours.join("corrections.toml"))?)?;
        guide.understand(&notes::read(&ours.join("readings.toml"))?)?;
        Ok(guide)
    }

    fn rows_mut(&mut self) -> impl Iterator<Item = &mut Row> {
        let maps = [&mut self.messages, &mut self.segments, &mut self.datatypes, &mut self.tables];
        maps.into_iter().flat_map(|it| it.values_mut().flatten())
    }

    fn correct(&mut self, corrections: &Notes) -> anyhow::Result<()> {
        for (id, correction) in corrections {
            let text = |key: &str| correction.get(key).map(String::as_str);
            let row = self.rows_mut().find(|it| it.id == *id);
            let row = row.with_context(|| format!("corrections.toml: no row is called {id}"))?;
            if text("why").is_none_or(str::is_empty) {
                bail!("corrections.toml: {id} does not say why");
            }
            for (cell, key) in [
                (&mut row.target, "target"),
                (&mut row.assignment, "assignment"),
                (&mut row.uses, "uses"),
                (&mut row.vocabulary, "vocabulary"),
                (&mut row.condition, "condition"),
                (&mut row.references, "references"),
            ] {
                if let Some(meant) = text(key) {
                    meant.clone_into(cell);
                }
            }
        }
        Ok(())
    }

    /// A reading is a condition, `true` where nothing is asked beside the condition that can be computed, or
    /// `person: why`. It is for a row, or for all rows whose narrative is its key, or begins so (`*`).
    fn understand(&mut self, readings: &Notes) -> anyhow::Result<()> {
        let mut unused: Vec<&String> = readings.keys().collect();
        for row in self.rows_mut() {
            let Some(narrative) = row.person.take() else { continue };
            let by_id = readings.get_key_value(&row.id);
            let fits = |key: &str| match key.strip_suffix('*') {
                Some(beginning) => narrative.starts_with(beginning),
                None => narrative == key,
            };
            let found = by_id.or_else(|| readings.iter().find(|(key, _)| fits(key)));
            let Some((key, reading)) = found else {
                row.person = Some(format!("\"{narrative}\""));
                continue;
            };
            unused.retain(|it| *it != key);
            let reading = reading.get("").context("readings.toml: a reading is a text")?;
            match reading.strip_prefix("person:") {
                Some(why) => row.person = Some(why.trim().to_owned()),
                None if reading == "true" => {}
                None => reading.clone_into(&mut row.condition),
            }
        }
        if let Some(key) = unused.first() {
            bail!("readings.toml: \"{key}\" is no row with a narrative condition");
        }
        Ok(())
    }
}

fn maps(
    folder: &Path,
    kind: &str,
    read: impl Fn(&[String]) -> Row,
    name_of: impl Fn(&str) -> String,
) -> anyhow::Result<Maps> {
    let mut maps = Maps::new();
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        let name =
            path.file_name().and_then(|it| it.to_str()).and_then(|it| it.strip_suffix(".csv"));
        let Some(name) = name else { continue };
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        // Two rows of headings.
        let cells = csv::rows(&text).into_iter().skip(2).enumerate();
        let rows =
            cells.map(|(at, it)| Row { id: format!("{kind}/{name}#{}", at + 1), ..read(&it) });
        maps.insert(name_of(name), rows.collect());
    }
    Ok(maps)
}

fn cell(cells: &[String], number: usize) -> String {
    cells.get(number).cloned().unwrap_or_default()
}

/// A narrative stands where [`Row::person`] will say why a person is needed, until it is read.
fn narrative(cells: &[String], number: usize) -> Option<String> {
    Some(cell(cells, number)).filter(|it| !it.is_empty())
}

fn message_row(cells: &[String]) -> Row {
    Row {
        source: cell(cells, 1),
        source_type: cell(cells, 2),
        condition: cell(cells, 6),
        person: narrative(cells, 8),
        target: cell(cells, 9),
        uses: cell(cells, 10),
        references: cell(cells, 11),
        name: cell(cells, 3),
        ..Row::default()
    }
}

fn field_row(cells: &[String]) -> Row {
    let target = cell(cells, 9);
    // Some rows write the constant behind the element: `status="finished"`.
    let (target, constant) = match target.split_once('=') {
        Some((target, constant)) => (target.to_owned(), constant.to_owned()),
        None => (target, String::new()),
    };
    let assignment = cell(cells, 16);
    Row {
        source: cell(cells, 1),
        source_type: cell(cells, 3),
        condition: cell(cells, 6),
        person: narrative(cells, 8),
        target,
        target_type: cell(cells, 11),
        is_single: cell(cells, 13) == "1",
        uses: cell(cells, 14),
        vocabulary: cell(cells, 15).replace('\n', " "),
        assignment: if assignment.is_empty() { constant } else { assignment },
        ..Row::default()
    }
}

fn code_row(cells: &[String]) -> Row {
    Row {
        source: cell(cells, 0),
        target: cell(cells, 6),
        name: cell(cells, 8),
        system: cell(cells, 9),
        ..Row::default()
    }
}

//! A host for tests: one message, settings, tables, and everything open or what is to be sealed.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{AccessError, Conversion, Host, Level, TableError};
use crate::hl7::{self, Hl7};
use crate::{Facts, Sight};

/// A desk with one HL7 v2 message on it. Every value is open.
#[derive(Debug)]
pub struct Desk {
    id: String,
    kind: String,
    text: String,
    hl7: Option<Hl7>,
    settings: BTreeMap<String, String>,
    tables: BTreeMap<String, BTreeMap<String, String>>,
    lines: RefCell<Vec<(Level, String)>>,
}

impl Desk {
    /// A desk with this message.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let hl7 = Hl7::parse(text.to_owned()).ok();
        let msh = hl7.as_ref().and_then(|it| it.segment(0));
        let kind = msh.map(|msh| {
            let [code, event] = [1, 2].map(|it| msh.field(9).component(it).text());
            [code.unwrap_or_default(), event.unwrap_or_default()].join("^")
        });
        Self {
            id: "01a00000-0000-7000-8000-000000000001".to_owned(),
            kind: kind.unwrap_or_default(),
            text: text.to_owned(),
            hl7,
            settings: BTreeMap::new(),
            tables: BTreeMap::new(),
            lines: RefCell::new(Vec::new()),
        }
    }

    /// With a setting of the route.
    #[must_use]
    pub fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With a table of the site.
    #[must_use]
    pub fn table(mut self, name: &str, rows: &[(&str, &str)]) -> Self {
        let rows = rows.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
        self.tables.insert(name.to_owned(), rows.collect());
        self
    }

    /// What was written to the log.
    pub fn lines(&self) -> Vec<(Level, String)> {
        self.lines.borrow().clone()
    }

    fn all_of(&self, path: &str) -> Result<Vec<Option<String>>, AccessError> {
        let hl7 = self.hl7.as_ref().ok_or(AccessError::Unstructured)?;
        hl7::values_at(hl7, path).ok_or_else(|| AccessError::MalformedPath("no path".to_owned()))
    }
}

impl Host for Desk {
    fn about(&self) -> Facts {
        Facts {
            id: self.id.clone(),
            format: "hl7v2".to_owned(),
            kind: self.kind.clone(),
            received: "2026-01-02T03:04:05Z".to_owned(),
        }
    }

    fn get(&self, path: &str) -> Result<Option<String>, AccessError> {
        self.all_of(path).map(|it| it.into_iter().next().flatten())
    }

    fn all(&self, path: &str) -> Result<Vec<Option<String>>, AccessError> {
        self.all_of(path)
    }

    fn count(&self, path: &str) -> Result<u32, AccessError> {
        let hl7 = self.hl7.as_ref().ok_or(AccessError::Unstructured)?;
        let count = hl7::count_at(hl7, path);
        let count = count.ok_or_else(|| AccessError::MalformedPath("no path".to_owned()))?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn outline(&self) -> Vec<String> {
        let segments = self.hl7.as_ref().map(Hl7::segments);
        segments.into_iter().flatten().map(|it| it.name().to_owned()).collect()
    }

    fn sight_of(&self, path: &str) -> Result<Sight, AccessError> {
        Ok(if self.get(path)?.is_some() { Sight::Open } else { Sight::Absent })
    }

    fn body(&self) -> Vec<u8> {
        self.text.clone().into_bytes()
    }

    fn text(&self) -> Result<String, AccessError> {
        Ok(self.text.clone())
    }

    fn convert(&self, conversion: Conversion, value: &str) -> Option<String> {
        conversion.apply(value)
    }

    fn translate(&self, table: &str, code: &str) -> Result<Option<String>, TableError> {
        let table = self.tables.get(table).ok_or(TableError::UnknownTable)?;
        Ok(table.get(code).cloned())
    }

    fn setting(&self, key: &str) -> Option<String> {
        self.settings.get(key).cloned()
    }

    fn log(&self, level: Level, text: &str) {
        self.lines.borrow_mut().push((level, text.to_owned()));
    }
}

//! The report over all messages: how many rows are exercised and satisfied, which fail and why.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};

use crate::evaluate::Found;
use crate::notes::Notes;
use crate::value::Wrong;

/// The share of exercised rows that must be satisfied, in per cent.
pub const SATISFIED_PERCENT_MIN: usize = 90;

/// What all messages say about one row.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Places at which it is satisfied.
    pub satisfied: usize,
    /// Places at which it is not, by what is wrong, with the first one of each.
    pub failed: BTreeMap<Wrong, (usize, String)>,
}

/// What all messages say.
#[derive(Debug, Default)]
pub struct Report {
    rows: BTreeMap<String, Tally>,
    persons: BTreeMap<String, String>,
    /// Messages that were judged.
    pub messages: usize,
    /// Messages that were refused, or whose run failed, and why.
    pub refused: Vec<(String, String)>,
    /// Messages that a plugin takes and the guide has no map for.
    pub unmapped: Vec<(String, String)>,
}

impl Report {
    /// Adds what was found about one message.
    pub fn add(&mut self, message: &str, found: Found) {
        self.messages += 1;
        for outcome in found.outcomes {
            let tally = self.rows.entry(outcome.id).or_default();
            match outcome.found {
                Ok(()) => tally.satisfied += 1,
                Err(wrong) => {
                    let detail = match wrong {
                        Wrong::Value => format!(": {}", outcome.detail),
                        _ => String::new(),
                    };
                    let first = || (0, format!("{message} {}{detail}", outcome.place));
                    tally.failed.entry(wrong).or_insert_with(first).0 += 1;
                }
            }
        }
        self.persons.extend(found.persons);
    }

    /// How many rows are exercised, and how many of them satisfied.
    pub fn count(&self) -> (usize, usize) {
        count(self.rows.values())
    }

    /// Prints it. `reasons` say why rows are not satisfied; one for a row that is, or that nothing
    /// exercises, is an error.
    pub fn print(&self, reasons: &Notes) -> anyhow::Result<String> {
        let mut out = String::new();
        let mut maps: BTreeMap<&str, Vec<(&str, &Tally)>> = BTreeMap::new();
        for (id, tally) in &self.rows {
            let (map, number) = id.split_once('#').unwrap_or((id, ""));
            maps.entry(map).or_default().push((number, tally));
        }
        for (map, rows) in &maps {
            let (exercised, satisfied) = count(rows.iter().map(|it| it.1));
            out.push_str(&format!("{satisfied:>4} of {exercised:>4}  {map}\n"));
        }
        out.push_str("\nNot satisfied:\n");
        for (map, rows) in &mut maps {
            rows.retain(|it| !it.1.failed.is_empty());
            rows.sort_by_key(|it| (it.0.len(), it.0));
            for (number, tally) in rows {
                let id = format!("{map}#{number}");
                let places = tally.satisfied + tally.failed.values().map(|it| it.0).sum::<usize>();
                let wrongs = tally.failed.iter().map(|(wrong, (count, first))| {
                    format!("{} at {count} of {places} (first: {first})", wrong.word())
                });
                out.push_str(&format!("{id}: {}\n", wrongs.collect::<Vec<_>>().join("; ")));
                if let Some(reason) = reasons.get(&id).and_then(|it| it.get("")) {
                    out.push_str(&format!("    because {reason}\n"));
                }
            }
        }
        if !self.persons.is_empty() {
            out.push_str("\nNot counted, since a person has to decide:\n");
            self.persons.iter().for_each(|(id, why)| out.push_str(&format!("{id}: {why}\n")));
        }
        for (title, all) in [("refused", &self.refused), ("without a map", &self.unmapped)] {
            if !all.is_empty() {
                out.push_str(&format!("\n{} messages {title}:\n", all.len()));
                all.iter().for_each(|(message, why)| out.push_str(&format!("{message}: {why}\n")));
            }
        }
        let known: BTreeSet<&String> = reasons.keys().collect();
        let failing = |id: &str| self.rows.get(id).is_some_and(|it| !it.failed.is_empty());
        if let Some(stale) = known.iter().find(|id| !failing(id)) {
            bail!("reasons.toml: {stale} is satisfied, or exercised by nothing");
        }
        Ok(out)
    }

    /// Whether enough rows are satisfied, in a sentence.
    pub fn verdict(&self) -> anyhow::Result<String> {
        let (exercised, satisfied) = self.count();
        let percent = (satisfied * 100).checked_div(exercised).context("no row is exercised")?;
        let sentence = format!(
            "{satisfied} of {exercised} rows that {} messages exercise are satisfied: {percent} %",
            self.messages
        );
        if percent < SATISFIED_PERCENT_MIN {
            bail!("{sentence}, and {SATISFIED_PERCENT_MIN} % must be");
        }
        Ok(sentence)
    }
}

fn count<'t>(rows: impl Iterator<Item = &'t Tally>) -> (usize, usize) {
    rows.fold((0, 0), |(exercised, satisfied), it| {
        (exercised + 1, satisfied + usize::from(it.failed.is_empty()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Outcome;

    fn report(outcomes: &[(&str, Result<(), Wrong>)]) -> Report {
        let outcome = |(id, found): &(&str, Result<(), Wrong>)| Outcome {
            id: (*id).to_owned(),
            place: "PID-3".to_owned(),
            found: *found,
            detail: String::new(),
        };
        let mut report = Report::default();
        let outcomes = outcomes.iter().map(outcome).collect();
        report.add("a.hl7", Found { outcomes, persons: BTreeMap::new() });
        report
    }

    #[test]
    fn a_row_that_fails_at_one_place_is_not_satisfied() {
        let report = report(&[("a#1", Ok(())), ("a#1", Err(Wrong::Empty)), ("a#2", Ok(()))]);
        assert_eq!(report.count(), (2, 1));
        assert!(report.verdict().is_err(), "50 % are not enough");
        let printed = report.print(&Notes::new()).expect("no stale reasons");
        assert!(printed.contains("a#1: empty at 1 of 2 (first: a.hl7 PID-3)"), "{printed}");
    }

    #[test]
    fn nothing_at_all_is_not_enough() {
        assert!(Report::default().verdict().is_err());
    }

    #[test]
    fn a_reason_for_what_is_satisfied_or_not_exercised_is_stale() {
        let report = report(&[("a#1", Err(Wrong::Value)), ("a#2", Ok(()))]);
        let print = |reasons: &str| report.print(&crate::notes::parse(reasons).expect("TOML"));
        let printed = print("\"a#1\" = \"it must\"").expect("a good reason");
        assert!(printed.contains("because it must"), "{printed}");
        assert!(print("\"a#2\" = \"it is\"").is_err() && print("\"a#3\" = \"it is\"").is_err());
    }
}

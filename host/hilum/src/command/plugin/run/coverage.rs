//! `hilum plugin run --coverage`: which rows of the mapping guide a plugin used, and which values of
//! the message went nowhere. For one message, and for a folder of them.
//!
//! A plugin that is made with the SDK's `v2_to_fhir` notes its rows and places when the reserved
//! setting `hilum.coverage` asks for it, and writes them to its log: `hilum.coverage rows …`. Each id
//! is one word of letters and digits there, what is neither being written `z2f`: so no value of the
//! message that is searched for in logs can be a part of it. For any other plugin there are no rows,
//! and what it moved and opened is told all the same.
//!
//! Promises: a report for people holds places, what has the form of a row's id, and why a message was
//! refused (searched for values, as for a sender); never a value of the message.
//! Not here: what a rehearsal shows beside it (`show`), whether a row *is* satisfied (`make coverage`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::Message;
use hilum_pipeline::{Fate, Parcel, Rehearsal, Route, Run, StepPlan, carried, rehearse};
use hilum_policy::Policy;
use hilum_sandbox::Budget;
use serde_json::{Map, Value, json};

use super::loss::{self, How, Traces};
use super::show;
use crate::arguments::PluginRun;
use crate::command::Context;
use crate::exit::{Exit, failed};
use crate::output::{Output, counted, printable};

/// The setting that asks for notes. No configuration of a site can answer it with anything that
/// changes what a plugin makes.
const SETTING: &str = "hilum.coverage";

/// What became of one message.
struct Report {
    /// The file, and which of its messages if there are several.
    label: String,
    kind: String,
    fate: &'static str,
    why: Option<String>,
    rows: BTreeSet<String>,
    places: Vec<(Arc<str>, How)>,
    /// Everything that `plugin run` tells.
    document: Value,
    is_fault: bool,
}

/// What was not run.
#[derive(Default)]
struct Left {
    /// Messages of a kind that the manifest does not take.
    not_taken: Vec<(String, String)>,
    /// Files that are no message.
    unread: Vec<(String, String)>,
}

/// The route of a coverage run: the same step, asked for its notes, with room for them. Notes cost
/// fuel, so fuel is not judged here.
pub fn route_of(route: Route) -> Route {
    let mut settings = BTreeMap::clone(&route.settings);
    settings.insert(SETTING.to_owned(), "rows".to_owned());
    let max = Budget::GATEWAY_MAX;
    let roomy = |step: StepPlan| StepPlan {
        budget: Budget { fuel: max.fuel, wall: max.wall, log_bytes: max.log_bytes, ..step.budget },
        ..step
    };
    let steps = route.steps.into_iter().map(roomy).collect();
    Route { settings: Arc::new(settings), steps, ..route }
}

/// Runs the message, or each message of the folder, and prints the report. Exits 1 if a message could
/// not be mapped for another reason than that the plugin refused it.
pub fn run(
    context: &Context,
    arguments: &PluginRun,
    policy: &Policy,
    route: Route,
    takes: &[String],
) -> anyhow::Result<Exit> {
    let route = Arc::new(route_of(route));
    let is_folder = arguments.message.is_dir();
    let files =
        if is_folder { files(&arguments.message)? } else { vec![arguments.message.clone()] };
    let mut reports = Vec::new();
    let mut left = Left::default();
    for file in &files {
        let label = file.strip_prefix(&arguments.message).ok().filter(|_| is_folder);
        let label = label.unwrap_or(file).display().to_string();
        let bytes = super::super::read_file(context, file, super::MESSAGE_BYTES_MAX)?;
        let message = match super::read_as(bytes, takes) {
            Ok(message) => message,
            Err(fault) if is_folder => {
                left.unread.push((label, fault.to_string()));
                continue;
            }
            Err(fault) => return Err(failed(Exit::Failure, format!("{label}: {fault}"))),
        };
        let messages = messages(message);
        let several = 1 < messages.len();
        for (number, message) in messages.into_iter().enumerate() {
            let label = if several { format!("{label}#{}", number + 1) } else { label.clone() };
            if is_folder && !is_taken(takes, &message) {
                left.not_taken.push((label, message.kind()));
                continue;
            }
            reports.push(report(policy, &super::rehearsed(&route), Arc::new(message), label));
        }
    }
    if context.output.is_json() {
        context.output.json(&document(&reports, &left))?;
    } else {
        context.output.text(&describe(&context.output, &reports, &left))?;
    }
    let is_fault = reports.iter().any(|it| it.is_fault);
    Ok(if is_fault || reports.is_empty() { Exit::Failure } else { Exit::Success })
}

/// Every file of a folder and its folders, in order; none whose name begins with a dot.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable =
        |fault: std::io::Error| failed(Exit::Io, format!("{}: {fault}", folder.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        // A link is not followed: it may lead back.
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            found.extend(files(&entry.path())?);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The messages of one input: a batch of HL7 v2 is its messages.
fn messages(message: Message) -> Vec<Message> {
    let Some(hl7) = message.as_hl7().filter(|it| it.is_batch()) else { return vec![message] };
    let part = |range: std::ops::Range<usize>| hl7.bytes().slice(range);
    let ranges = hl7.batch().messages.into_iter().map(|it| it.range);
    ranges.filter_map(|range| Message::parse("hl7v2", part(range)).ok()).collect()
}

/// Whether a manifest takes a message: by its format, or format and kind. One that says nothing takes
/// all.
fn is_taken(takes: &[String], message: &Message) -> bool {
    let of_kind = format!("{}:{}", message.format(), message.kind());
    takes.is_empty() || takes.iter().any(|it| *it == of_kind || it == message.format())
}

fn report(policy: &Policy, run: &Run, message: Arc<Message>, label: String) -> Report {
    let mut rehearsal = rehearse(policy, run, &message);
    let (rows, noted) = take_notes(&mut rehearsal);
    let parcels: &[Parcel] = match &rehearsal.fate {
        Fate::Dispatched(parcels) => parcels,
        _ => &[],
    };
    let mut texts = BTreeSet::new();
    let mut copied = BTreeSet::new();
    for parcel in parcels {
        if let Some(body) = show::body(parcel, message.bytes()) {
            add_texts(body, &mut texts, &mut copied);
        }
    }
    let opened = rehearsal.reports.iter().flat_map(|it| it.report.sights.paths.keys().cloned());
    let traces = Traces {
        carried: &carried(policy, run, &message),
        noted: &noted,
        opened: &opened.collect(),
        // What is copied whole is not noted, and a plugin without notes may use anything.
        is_noted: !noted.is_empty() && copied.is_empty(),
        copied: &copied,
        texts: &texts,
    };
    let places = loss::loss(&message, &traces);
    let is_well =
        matches!(&rehearsal.fate, Fate::Dispatched(all) if all.iter().all(|it| it.content.is_ok()));
    Report {
        label,
        kind: message.kind(),
        fate: rehearsal.fate.word(),
        why: show::reason(&rehearsal),
        rows,
        places,
        document: show::document(run, &rehearsal, parcels, message.bytes()),
        is_fault: !is_well && !matches!(rehearsal.fate, Fate::Refused(_)),
    }
}

/// Takes the notes out of the log: rows, and places.
fn take_notes(rehearsal: &mut Rehearsal) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut rows, mut places) = (BTreeSet::new(), BTreeSet::new());
    for step in &mut rehearsal.reports {
        step.report.log.retain(|line| {
            let mut words = line.text.split(' ');
            let notes = match (words.next(), words.next()) {
                (Some(SETTING), Some("rows")) => &mut rows,
                (Some(SETTING), Some("places")) => &mut places,
                _ => return true,
            };
            notes.extend(words.filter_map(decoded));
            false
        });
    }
    rows.retain(|it| is_row(it));
    (rows, places)
}

/// Whether a text has the form of a row's id, `segments/PID[Patient]#3`: what else a plugin notes as
/// a row may be anything that it has read.
fn is_row(text: &str) -> bool {
    let Some((map, number)) = text.rsplit_once('#') else { return false };
    let kinds = ["messages/", "segments/", "datatypes/", "codesystems/"];
    (1..=4).contains(&number.len())
        && number.bytes().all(|it| it.is_ascii_digit())
        && kinds.iter().any(|kind| map.starts_with(kind))
}

/// An id as it was before it became one word: `z` and two digits stand for another sign, `z7a` for a
/// `z`. What is not so written is taken as it is. None if it is no id: a plugin may write anything, and
/// it goes to a terminal.
fn decoded(word: &str) -> Option<String> {
    if !word.bytes().all(|it| it.is_ascii_alphanumeric()) {
        return Some(word.to_owned());
    }
    let mut text = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('z') {
        text.push_str(before);
        let code = after.get(..2).and_then(|it| u8::from_str_radix(it, 16).ok())?;
        text.push(Some(char::from(code)).filter(char::is_ascii_graphic)?);
        rest = after.get(2..)?;
    }
    text.push_str(rest);
    Some(text)
}

/// The texts that stand in a body, whole: JSON's strings and numbers, the values of HL7 v2, these
/// with their places as well.
fn add_texts(body: Bytes, texts: &mut BTreeSet<String>, copied: &mut BTreeSet<(String, String)>) {
    let parsed = ["hl7v2", "json"].into_iter().find_map(|it| Message::parse(it, body.clone()).ok());
    let Some(message) = parsed else { return };
    for found in message.values() {
        if let Ok(Some(text)) = message.text_of(&found) {
            if message.as_hl7().is_some() {
                copied.insert((message.place_name(found.at), text.clone()));
            }
            texts.insert(text);
        }
    }
}

/// In how many messages each row was used.
fn rows_of(reports: &[Report]) -> BTreeMap<&str, usize> {
    let mut rows = BTreeMap::new();
    for row in reports.iter().flat_map(|it| &it.rows) {
        *rows.entry(row.as_str()).or_default() += 1;
    }
    rows
}

/// Which places went nowhere, whatever repeat they are in, and in how many messages.
fn nowhere_of(reports: &[Report]) -> BTreeMap<String, usize> {
    let mut places = BTreeMap::new();
    for report in reports {
        let lost = report.places.iter().filter(|(_, how)| *how == How::Nowhere);
        let general: BTreeSet<String> = lost.map(|(place, _)| loss::general(place)).collect();
        general.into_iter().for_each(|place| *places.entry(place).or_default() += 1);
    }
    places
}

fn document(reports: &[Report], left: &Left) -> Value {
    let pairs = |all: &[(String, String)], key: &str| -> Vec<Value> {
        all.iter().map(|(file, what)| json!({ "message": file, key: what })).collect()
    };
    let message = |report: &Report| {
        let places: Map<String, Value> = report
            .places
            .iter()
            .map(|(place, how)| (place.to_string(), how.word().into()))
            .collect();
        json!({
            "message": report.label,
            "kind": report.kind,
            "rows": report.rows,
            "places": places,
            "run": report.document,
        })
    };
    json!({
        "messages": reports.iter().map(message).collect::<Vec<_>>(),
        "rows": rows_of(reports),
        "nowhere": nowhere_of(reports),
        "not_taken": pairs(&left.not_taken, "kind"),
        "unread": pairs(&left.unread, "why"),
    })
}

fn describe(output: &Output, reports: &[Report], left: &Left) -> String {
    let mut out = String::new();
    let heading = |out: &mut String, text: &str| {
        let blank = if out.is_empty() { "" } else { "\n" };
        out.push_str(&format!("{blank}{}\n", output.bold(text)));
    };
    for report in reports {
        let count = loss::count(&report.places);
        let words: Vec<String> =
            count.iter().map(|(how, count)| format!("{count} {}", how.word())).collect();
        let (label, kind) = (printable(&report.label), printable(&report.kind));
        heading(&mut out, &format!("{label}: {kind}, {}", report.fate));
        report.why.iter().for_each(|why| out.push_str(&format!("{}\n", printable(why))));
        let rows = counted(report.rows.len() as u64, "row", "rows");
        out.push_str(&format!("{rows} of the guide; values: {}\n", words.join(", ")));
        let lost = report.places.iter().filter(|(_, how)| *how == How::Nowhere);
        let lost: Vec<&str> = lost.map(|(place, _)| &**place).collect();
        wrapped(&mut out, "nowhere", &lost);
    }
    let rows = rows_of(reports);
    heading(
        &mut out,
        &format!("rows used in {}", counted(reports.len() as u64, "message", "messages")),
    );
    let mut maps: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows.keys() {
        let (map, number) = row.rsplit_once('#').unwrap_or((row, ""));
        maps.entry(map).or_default().push(number);
    }
    if maps.is_empty() {
        out.push_str("none: the plugin names none\n");
    }
    for (map, mut numbers) in maps {
        numbers.sort_by_key(|it| (it.len(), *it));
        wrapped(&mut out, map, &numbers);
    }
    if 1 < reports.len() {
        heading(&mut out, "values that went nowhere, and in how many messages");
        let nowhere = nowhere_of(reports);
        let mut fields: Vec<(&String, &usize)> = nowhere.iter().collect();
        fields.sort_by_key(|(place, count)| (std::cmp::Reverse(**count), (*place).clone()));
        for (place, count) in fields {
            out.push_str(&format!("{count:>6}  {place}\n"));
        }
    }
    for (title, all) in [("not taken", &left.not_taken), ("no message", &left.unread)] {
        if !all.is_empty() {
            heading(&mut out, title);
            let line = |(file, what): &(String, String)| printable(&format!("{file}: {what}\n"));
            all.iter().for_each(|it| out.push_str(&line(it)));
        }
    }
    out
}

/// Words after a label, broken into lines.
fn wrapped(out: &mut String, label: &str, words: &[&str]) {
    const WIDTH: usize = 100;
    if words.is_empty() {
        return;
    }
    let mut line = format!("  {label}:");
    for word in words {
        if WIDTH < line.len() + 1 + word.len() {
            out.push_str(&line);
            out.push('\n');
            line = "   ".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_word_in_the_log() {
        let check = |word: &str| decoded(word).unwrap_or_default();
        assert_eq!(check("segmentsz2fPIDz5bPatientz5dz233"), "segments/PID[Patient]#3");
        assert_eq!(check("z7aoo"), "zoo");
        assert_eq!(check("segments/PID[Patient]#3"), "segments/PID[Patient]#3");
        assert_eq!(decoded("z2"), None);
        // What would move the cursor, or begin a line, is no id.
        for word in ["z1bz5b2J", "z0a", "z9b31m", "az20b"] {
            assert_eq!(decoded(word), None, "{word}");
        }
    }

    #[test]
    fn what_has_not_the_form_of_an_id_is_no_row() {
        for row in ["segments/PID[Patient]#3", "codesystems/PatientClass[EncounterStatus]#12"] {
            assert!(is_row(row), "{row}");
        }
        for text in
            ["Zedlitz", "Zedlitz#3", "segments/PID[Patient]", "segments/PID#x", "segments/PID#"]
        {
            assert!(!is_row(text), "{text}");
        }
    }

    #[test]
    fn a_kind_is_taken_by_format_or_by_format_and_kind() {
        let message =
            Message::parse("hl7v2", Bytes::from_static(b"MSH|^~\\&|||||||ADT^A01^ADT_A01"));
        let message = message.expect("a message");
        let check = |takes: &[&str]| {
            let takes: Vec<String> = takes.iter().map(|it| (*it).to_owned()).collect();
            is_taken(&takes, &message)
        };
        assert!(check(&[]) && check(&["hl7v2"]) && check(&["csv", "hl7v2:ADT^A01"]));
        assert!(!check(&["hl7v2:ADT^A04"]) && !check(&["fhir-json"]));
    }

    #[test]
    fn a_batch_is_its_messages() {
        let bytes = b"BHS|^~\\&\rMSH|^~\\&|A\rPID|1\rMSH|^~\\&|B\rBTS|2";
        let batch = Message::parse("hl7v2", Bytes::from_static(bytes)).expect("a batch");
        let all: Vec<Option<String>> =
            messages(batch).iter().map(|it| it.get("MSH-3").expect("a path")).collect();
        assert_eq!(all, [Some("A".to_owned()), Some("B".to_owned())]);
    }
}

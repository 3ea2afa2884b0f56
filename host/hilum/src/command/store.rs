//! `hilum store`: the data folder of a gateway that is not running.

use std::path::PathBuf;
use std::sync::Arc;

use hilum_store::{OpenError, Place, Reader, Report, Wrong};
use serde_json::{Value, json};

use super::Context;
use crate::arguments::Store;
use crate::client::data_folder;
use crate::exit::{Exit, failed};
use crate::output::{counted, size, thousands};

/// Checks. Exits 1 if anything is damaged, or trail and state disagree.
pub fn run(context: &Context, command: Store) -> anyhow::Result<Exit> {
    let Store::Check { folder } = command;
    let folder: PathBuf = match folder {
        Some(folder) => folder,
        None => data_folder(&context.doors, &context.common.config)?,
    };
    let report = Reader::open(Arc::clone(&context.doors.disk), &folder)
        .and_then(|reader| reader.check())
        .map_err(not_read)?;
    if context.output.is_json() {
        context.output.json(&document(&report))?;
    } else {
        context.output.text(&format!("{}\n{}", folder.display(), describe(&report)))?;
    }
    Ok(if report.is_sound() { Exit::Success } else { Exit::Failure })
}

fn not_read(fault: OpenError) -> anyhow::Error {
    let exit = match fault {
        OpenError::InUse { .. } => Exit::Temporary,
        OpenError::Disk { .. } => Exit::Io,
        OpenError::Damaged { .. } | OpenError::Newer { .. } => Exit::Failure,
    };
    let sentence = match std::error::Error::source(&fault) {
        Some(source) => format!("{fault}: {source}"),
        None => fault.to_string(),
    };
    failed(exit, sentence)
}

fn document(report: &Report) -> Value {
    let place = |at: &Place| json!({ "segment": at.segment, "offset": at.offset });
    let wrong = |all: &[Wrong]| -> Vec<Value> {
        all.iter()
            .map(|it| json!({ "segment": it.at.segment, "offset": it.at.offset, "what": it.what }))
            .collect()
    };
    let unfinished = &report.unfinished;
    json!({
        "sound": report.is_sound(),
        "complete": report.is_complete,
        "segments": report.segments,
        "bytes": report.bytes,
        "frames": report.frames,
        "messages": report.messages,
        "runs": report.runs,
        "deliveries": report.deliveries,
        "delivered": report.delivered,
        "records": report.records,
        "unfinished": {
            "undecided": unfinished.undecided,
            "queued": unfinished.queued,
            "parked": unfinished.parked,
            "held": unfinished.held,
        },
        "torn": report.torn.as_ref().map(place),
        "damage": wrong(&report.damage),
        "disagreements": wrong(&report.disagreements),
        "more": report.more,
    })
}

fn describe(report: &Report) -> String {
    let mut out = String::new();
    let mut line = |label: &str, text: String| out.push_str(&format!("{label:<12}{text}\n"));
    line(
        "journal",
        format!(
            "{} in {}, {}",
            counted(report.frames, "frame", "frames"),
            counted(report.segments, "segment", "segments"),
            size(report.bytes)
        ),
    );
    line(
        "state",
        format!(
            "{}, {}, {} of which {} arrived",
            counted(report.messages, "message", "messages"),
            counted(report.runs, "run", "runs"),
            counted(report.deliveries, "delivery", "deliveries"),
            thousands(report.delivered)
        ),
    );
    let unfinished = &report.unfinished;
    line(
        "unfinished",
        format!(
            "{} undecided, {} queued, {} parked, {} held",
            unfinished.undecided, unfinished.queued, unfinished.parked, unfinished.held
        ),
    );
    line("trail", counted(report.records, "record", "records"));
    if let Some(at) = &report.torn {
        let at = format!("segment {:08}, byte {}", at.segment, at.offset);
        line("torn", format!("{at}: nobody was told of it; the gateway cuts it when it starts"));
    }
    for (label, all) in [("damage", &report.damage), ("disagrees", &report.disagreements)] {
        for wrong in all {
            let at = &wrong.at;
            line(label, format!("segment {:08}, byte {}: {}", at.segment, at.offset, wrong.what));
        }
    }
    if 0 < report.more {
        line("", format!("… and {} more", thousands(report.more)));
    }
    out.push_str(match (report.is_sound(), report.is_complete) {
        (true, _) => "Every frame is whole, and the trail agrees with the state.\n",
        (false, true) => "Something is wrong. Nothing was changed.\n",
        (false, false) => {
            "The journal is damaged; behind the damage state and trail were not followed. Nothing was \
             changed: restore the folder from a backup.\n"
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Place {
        Place { segment: 3, offset }
    }

    #[test]
    fn a_sound_journal_says_so() {
        let report = Report { messages: 10, frames: 41, is_complete: true, ..Report::default() };
        assert_eq!(
            describe(&report).lines().last(),
            Some("Every frame is whole, and the trail agrees with the state.")
        );
        assert_eq!(document(&report)["sound"], true);
    }

    #[test]
    fn a_torn_tail_is_no_damage_and_damage_is_named_with_its_place() {
        let torn = Report { torn: Some(at(7)), is_complete: true, ..Report::default() };
        assert!(torn.is_sound());
        let what = "the checksum does not fit".to_owned();
        let damaged = Report { damage: vec![Wrong { at: at(96), what }], ..Report::default() };
        let told = describe(&damaged);
        assert!(
            told.contains("damage      segment 00000003, byte 96: the checksum does not fit\n"),
            "{told}"
        );
        assert_eq!(document(&damaged)["damage"][0]["offset"], 96);
    }
}

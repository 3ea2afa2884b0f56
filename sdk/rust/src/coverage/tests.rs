use std::rc::Rc;

use super::*;
use crate::hl7::Hl7;
use crate::native::{self, Desk, Level};
use crate::v2_to_fhir::{Bundle, Context, Identity, codes, row};
use crate::{Message, Writer};

const ADT: &str = "MSH|^~\\&|\rPID|1||7^^^MR~8||Z^Q|||F";

/// What a mapping says that it used, put back as ids and paths.
fn told(coverage: Option<&str>, map: impl FnOnce(&Message)) -> Vec<String> {
    let mut desk = Desk::new(ADT);
    if let Some(coverage) = coverage {
        desk = desk.setting("hilum.coverage", coverage);
    }
    let desk = Rc::new(desk);
    native::call(desk.clone(), map);
    let lines = desk.lines();
    assert!(lines.iter().all(|(level, _)| *level == Level::Debug));
    lines.into_iter().map(|(_, line)| line).collect()
}

fn words(kind: &str, ids: &[&str]) -> String {
    let words: Vec<_> = ids.iter().map(|it| word(it)).collect();
    format!("hilum.coverage {kind} {}", words.join(" "))
}

fn example(message: &Message) {
    let hl7 = Hl7::read(message).expect("a message");
    let pid = hl7.first("PID").expect("a PID");
    let mut w = Writer::new();
    row("segments/PID[Patient]#3", w.text("a", pid.field(3).text()));
    row("segments/PID[Patient]#3", w.text("b", pid.repetitions(3).nth(1).and_then(|it| it.text())));
    row("segments/PID[Patient]#9", w.text("c", pid.field(30).text()));
    codes::value_of(&codes::ADMINISTRATIVE_SEX, pid.field(8));
}

#[test]
fn what_was_used_is_told_in_order_and_once() {
    assert_eq!(
        told(Some("rows"), example),
        [
            words("rows", &["codesystems/AdministrativeSex#1", "segments/PID[Patient]#3"]),
            words("places", &["PID-3[1].1", "PID-3[2].1", "PID-8.1"]),
        ]
    );
}

#[test]
fn nobody_asked_and_nothing_is_told() {
    assert!(told(None, example).is_empty());
    assert!(told(Some("no"), example).is_empty());
    // Nor does one call tell what the one before it used.
    assert!(told(Some("rows"), |_| ()).is_empty());
}

#[test]
fn a_row_of_what_is_taken_back_is_not_satisfied() {
    let told = told(Some("rows"), |message| {
        let hl7 = Hl7::read(message).expect("a message");
        let ctx = Context::new(message, &hl7);
        let mut bundle = Bundle::new(&ctx);
        bundle.add("Basic", "Basic[1]", Identity::None, |w, refs| {
            w.element_if(|w| {
                row("a#1", w.text("a", Some("x")));
                false
            });
            row("a#2", w.text("a", Some("x")));
            refs.mention(w, "b", "Basic", None, |w, refs| {
                row("a#3", w.text("a", Some("x")));
                refs.leave_out();
            });
        });
        bundle.add("Basic", "Basic[2]", Identity::None, |w, refs| {
            row("a#4", w.text("a", Some("x")));
            refs.leave_out();
        });
    });
    assert_eq!(told, [words("rows", &["a#2"])]);
}

#[test]
fn lines_are_cut_before_they_are_too_long() {
    let told = told(Some("rows"), |_| {
        for number in 1..2_000 {
            super::row("x", number);
        }
    });
    assert!(1 < told.len());
    assert!(told.iter().all(|it| it.len() <= LINE_BYTES_MAX));
    let count: usize = told.iter().map(|it| it.split(' ').count() - 2).sum();
    assert_eq!(count, 1_999);
}

#[test]
fn an_id_is_one_word() {
    assert_eq!(word("segments/PID[Patient]#3"), "segmentsz2fPIDz5bPatientz5dz233");
    assert_eq!(word("codesystems/Zz#1"), "codesystemsz2fZz7az231");
}

//! The shared samples: messages of other projects, and messages with planted identifiers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use hilum_message::{Json, Message, TimeZone};

use crate::{Class, Clear, Clearance, Grant, Input, Policy, RunSeed};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)
}

#[expect(clippy::disallowed_methods, reason = "a test reads its samples")]
fn read(path: &Path) -> Bytes {
    Bytes::from(std::fs::read(path).expect("a sample"))
}

fn samples(of: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(of).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            samples(&path, found);
        } else if path.extension().is_some_and(|it| it == "hl7") {
            found.push(path);
        }
    }
    found.sort();
}

fn policy() -> Policy {
    Policy::new(TimeZone::UTC)
}

#[test]
fn every_sample_clears_to_its_bytes_after_an_untouched_view() {
    let mut files = Vec::new();
    samples(&folder("hl7v2-messages"), &mut files);
    samples(&folder("phi"), &mut files);
    let mut count = 0;
    for file in &files {
        let bytes = read(file);
        let Ok(message) = Message::parse("hl7v2", bytes.clone()) else { continue };
        if bytes.contains(&0x1c) {
            // A raw FS is escaped on its way out: it would end the frame.
            continue;
        }
        let message = Arc::new(message);
        let input = Input::Message(Arc::clone(&message));
        let mut view = policy().view(input, &Grant::sealed_by_default(), RunSeed([5; 16]), 0);
        let body = view.body();
        let (seals, _) = view.finish();
        let template = policy().output(&seals, "hl7v2", body).expect("untouched");
        let input = Input::Template(Arc::new(template));
        let cleared = policy().clear(&input, &message, &Clearance::treatment()).expect("cleared");
        assert_eq!(cleared.assemble(&bytes).as_ref(), Some(&bytes), "{}", file.display());
        count += 1;
    }
    assert!(200 < count, "{count} of {}", files.len());
}

#[test]
fn planted_identifiers_are_in_no_view_and_in_no_restricted_output() {
    let list = read(&folder("phi/canaries-sample/canaries.json"));
    let list = Message::parse("json", list).expect("JSON");
    let list = list.as_json().expect("JSON");
    let text =
        |of, name: &str| list.member(of, name).and_then(|it| list.scalar(it)).unwrap_or_default();
    let withheld =
        Class::ALL.iter().fold(Clearance::none(), |it, class| it.with(*class, Clear::Withhold));
    let mut planted = 0;
    for sample in list.children(Json::ROOT) {
        if text(sample, "format") != "hl7v2" {
            continue;
        }
        let bytes = read(&folder("phi/canaries-sample").join(text(sample, "file")));
        let message = Arc::new(Message::parse("hl7v2", bytes.clone()).expect("parses"));
        let input = Input::Message(Arc::clone(&message));
        let mut view =
            policy().view(input.clone(), &Grant::sealed_by_default(), RunSeed([5; 16]), 0);
        let cleared = policy().clear(&input, &message, &withheld).expect("cleared");
        let seen = [
            String::from_utf8_lossy(&view.body()).into_owned(),
            String::from_utf8_lossy(&cleared.assemble(&bytes).expect("whole")).into_owned(),
            policy().shown(&message),
        ];
        let canaries = list.member(sample, "must_not_survive").expect("a list");
        for canary in list.children(canaries) {
            let token = text(canary, "token");
            let (plain, place) = (text(canary, "encoding") == "plain", text(canary, "where"));
            if !plain || token.len() < 4 {
                continue;
            }
            planted += 1;
            for seen in &seen {
                assert!(!seen.contains(&token), "{} {place}", text(sample, "file"));
            }
        }
    }
    assert!(100 < planted, "{planted}");
}

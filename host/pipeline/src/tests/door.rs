//! What senders are told, and when.

mod batches;
mod http;
mod told;

use std::sync::Mutex;

use hilum_answer::AckCode;
use hilum_policy::Grant;
use hilum_sandbox::{Sandbox, World};

use super::plugins::{accepts, holds, refuses, step};
use super::*;

/// A middle whose listener answers after processing, with one route of these steps.
pub(super) fn processed(steps: &[(World, String)]) -> Middle {
    with(steps, |it| it.ack = AckPoint::Processed)
}

pub(super) fn with(steps: &[(World, String)], change: impl FnOnce(&mut IntakeOptions)) -> Middle {
    let twin = Twin::with_seed(7);
    let steps = if steps.is_empty() {
        Vec::new()
    } else {
        let sandbox = Sandbox::new(&twin.doors()).expect("a sandbox");
        let grant = Grant::sealed_by_default;
        steps.iter().map(|it| step(&sandbox, "check", it.clone(), grant())).collect()
    };
    let plain = route("adt", "MSH-9.1 == 'ADT'", &[("ehr", Clearance::treatment())]);
    let mut route = Arc::into_inner(plain).expect("nobody else has it");
    route.steps = steps;
    Middle::open(twin, vec![Arc::new(route)], change, 10_000)
}

pub(super) fn peer() -> Peer {
    Peer { address: "10.0.0.1:9".into(), ip: None, uid: None, identity: None }
}

impl Middle {
    pub(super) fn receive(&self, message: &str) -> Answer {
        let inbound = Inbound {
            content: Bytes::copy_from_slice(message.as_bytes()),
            findings: Vec::new(),
            peer: peer(),
            received: Timestamp::from_micros(self.twin.doors().clock.now_micros()),
        };
        let intake = Arc::clone(&self.intake);
        self.twin.block_on(async move { intake.receive(inbound).await })
    }

    /// What is said later, if anything is to follow.
    pub(super) fn later(&self, answer: Answer) -> Vec<Reply> {
        answer.later.map(|later| self.twin.block_on(later.replies)).unwrap_or_default()
    }

    /// `CA > AA`, as the table writes it.
    fn codes(&self, message: &str) -> String {
        let answer = self.receive(message);
        let now = codes(&answer.now);
        let later = codes(&self.later(answer));
        match (now.as_str(), later.as_str()) {
            ("", "") => ".".to_owned(),
            (now, "") => now.to_owned(),
            ("", later) => format!(". > {later}"),
            (now, later) => format!("{now} > {later}"),
        }
    }
}

fn codes(replies: &[Reply]) -> String {
    let code = |reply: &Reply| {
        let text = String::from_utf8_lossy(&reply.bytes).into_owned();
        let msa = text.split("\rMSA|").nth(1).expect("an MSA").to_owned();
        msa.get(..2).expect("a code").to_owned()
    };
    replies.iter().map(code).collect::<Vec<_>>().join(" ")
}

pub(super) fn texts(replies: &[Reply]) -> Vec<String> {
    replies.iter().map(|it| String::from_utf8_lossy(&it.bytes).replace('\r', "\n")).collect()
}

/// An ADT with this id, MSH-15 and MSH-16.
fn adt(id: &str, accept: &str, application: &str) -> String {
    format!(
        "MSH|^~\\&|ADT|WARD|HILUM|ST-ANNA|20261124||ADT^A01^ADT_A01|{id}|P|2.5.1|||{accept}|{application}\r\
         PID|1||4711^^^WARD^MR||EVERYWOMAN^EVE\r"
    )
}

#[test]
fn msh_15_and_msh_16_choose_what_goes_out_at_the_door() {
    let table = include_str!("../../../../tests/golden/answers/acknowledgements.table");
    let unknown = |text: String| text.replace("ADT^A01^ADT_A01", "");
    let worker = |middle: Middle| {
        middle.start_worker();
        middle
    };
    let quick = |it: &mut IntakeOptions| {
        it.ack = AckPoint::Processed;
        it.processed_timeout = Duration::from_secs(1);
    };
    // A column: whose answers, and whether the message is wrong.
    let no_disk = |middle: Middle| {
        middle.send(&adt("FIRST", "NE", "NE"));
        let next = middle.twin.disk().operations();
        middle.twin.disk().fail_at(next);
        middle.send(&adt("LAST", "NE", "NE"));
        middle
    };
    let columns: [(Middle, bool); 8] = [
        (with(&[], |_| {}), false),
        (with(&[], |_| {}), true),
        (no_disk(with(&[], |_| {})), false),
        (worker(processed(&[])), false),
        (worker(processed(&[refuses()])), false),
        (with(&[], quick), false),
        (worker(processed(&[])), true),
        (no_disk(processed(&[])), false),
    ];
    for (number, line) in table.lines().filter(|it| !it.starts_with('#')).enumerate() {
        let mut cells = line.split('|').map(str::trim);
        let fields = cells.next().expect("fields").replace('-', "");
        let mut fields = fields.split(' ').filter(|it| !it.is_empty());
        let is_empty = |at: usize| line.get(at..=at) == Some("-");
        let accept = if is_empty(2) { "" } else { fields.next().expect("MSH-15") };
        let application = if is_empty(8) { "" } else { fields.next().expect("MSH-16") };
        for (column, (expected, (middle, is_wrong))) in cells.zip(&columns).enumerate() {
            let text = adt(&format!("N{number}"), accept, application);
            let text = if *is_wrong { unknown(text) } else { text };
            let said = middle.codes(&text);
            assert_eq!(said, expected, "column {column} of {accept:?} {application:?}");
        }
    }
}

#[test]
fn a_refusal_that_is_told_is_final_and_one_that_is_not_waits_for_a_person() {
    let middle = processed(&[refuses()]);
    middle.start_worker();
    let answer = middle.receive(&adt("1", "", ""));
    assert!(answer.now.is_empty());
    assert!(answer.later.as_ref().is_some_and(|it| it.holds_reading), "the original mode");
    assert_eq!(answer.is_stored, Some(true));
    let said = texts(&middle.later(answer)).concat();
    assert!(said.contains("MSA|AE|1\nERR||PID^1^3|101^Required field missing^HL70357|E"), "{said}");
    assert!(said.ends_with("missing\n"), "{said}");
    assert!(matches!(middle.only_run().state, RunState::Refused(_)));
    assert!(middle.store.parked().is_empty());

    // Nobody wants to hear of a refusal: MSH-16 is SU.
    let middle = processed(&[refuses()]);
    middle.start_worker();
    assert_eq!(middle.codes(&adt("1", "AL", "SU")), "CA");
    assert!(matches!(middle.only_run().state, RunState::Parked(_)));

    // The sender hangs up before the decision.
    let middle = processed(&[refuses()]);
    drop(middle.receive(&adt("1", "", "")));
    middle.start_worker();
    assert!(matches!(middle.only_run().state, RunState::Parked(_)));
}

#[test]
fn in_the_enhanced_mode_the_next_message_need_not_wait() {
    let middle = processed(&[]);
    let first = middle.receive(&adt("1", "AL", "AL"));
    assert!(first.later.as_ref().is_some_and(|it| !it.holds_reading));
    let second = middle.receive(&adt("2", "AL", "AL"));
    middle.start_worker();
    for (answer, id) in [(second, "2"), (first, "1")] {
        let (now, later) = (texts(&answer.now).concat(), texts(&middle.later(answer)).concat());
        assert!(now.contains(&format!("MSA|CA|{id}\n")), "{now}");
        assert!(later.contains(&format!("MSA|AA|{id}\n")), "{later}");
        let own_id = |text: &str| text.split('|').nth(9).expect("MSH-10").to_owned();
        assert_ne!(own_id(&now), own_id(&later), "a new message has an id of its own");
    }
}

#[test]
fn a_decision_that_takes_too_long_is_busy_and_the_same_message_waits_again() {
    let middle = with(&[], |it| {
        it.ack = AckPoint::Processed;
        it.processed_timeout = Duration::from_secs(5);
    });
    let before = middle.twin.doors().clock.instant();
    assert_eq!(middle.codes(&adt("1", "", "")), ". > AR");
    let waited = middle.twin.doors().clock.instant().since(before);
    assert_eq!(waited.as_secs(), 5, "time stands still but for the wait");
    assert_eq!(middle.store.recent(10, None).len(), 1, "it is stored all the same");
    middle.start_worker();
    assert_eq!(middle.codes(&adt("1", "", "")), ". > AA");
    assert_eq!(middle.store.recent(10, None).len(), 1, "and known");
}

#[test]
fn the_same_message_is_told_the_same_from_what_became_of_it() {
    // Two runs: one is refused, the other goes on.
    let twin = Twin::with_seed(7);
    let sandbox = Sandbox::new(&twin.doors()).expect("a sandbox");
    let steps = |plugin| vec![step(&sandbox, "check", plugin, Grant::sealed_by_default())];
    let to = [("ehr", Clearance::treatment())];
    let own = |name, plugin| {
        let mut route = Arc::into_inner(route(name, "MSH-9.1 == 'ADT'", &to)).expect("ours");
        route.steps = steps(plugin);
        Arc::new(route)
    };
    let routes = vec![own("bad", refuses()), own("good", accepts())];
    let middle = Middle::open(twin, routes, |it| it.ack = AckPoint::Processed, 100);
    middle.start_worker();
    let said = |message: &str| {
        let answer = middle.receive(message);
        let said = texts(&middle.later(answer)).concat();
        said.split_once("MSA|").map(|it| it.1.to_owned()).expect("an MSA")
    };
    let first = said(&adt("1", "", ""));
    assert!(first.starts_with("AE|1\nERR||PID^1^3|101"), "{first}");
    assert_eq!(middle.store.queued("ehr").len(), 1, "the other run goes on");
    assert_eq!(said(&adt("1", "", "")), first);
    assert_eq!(middle.store.recent(10, None).len(), 1, "nothing else happens");
}

#[test]
fn what_is_held_counts_as_accepted() {
    let middle = processed(&[holds()]);
    middle.start_worker();
    assert_eq!(middle.codes(&adt("1", "", "")), ". > AA");
    assert!(matches!(middle.only_run().state, RunState::Held { .. }));
}

#[test]
fn when_too_many_are_waited_for_the_door_is_busy() {
    let middle = processed(&[]);
    let all: Vec<Answer> =
        (0..1_000).map(|id| middle.receive(&adt(&id.to_string(), "", ""))).collect();
    assert!(all.iter().all(|it| it.later.is_some()));
    let one_more = middle.receive(&adt("X", "", ""));
    assert_eq!(codes(&one_more.now), "AR");
    assert_eq!(one_more.is_stored, Some(false));
    drop(all);
    assert!(middle.receive(&adt("X", "", "")).later.is_some());
}

#[test]
fn a_part_of_a_message_is_refused_and_a_continued_segment_is_read_as_one() {
    let middle = with(&[], |it| it.unrouted = Unrouted::Accept);
    let part = middle.send(&format!("{}DSC|7|F\r", adt("1", "", "")));
    assert!(part[0].starts_with("MSA|AE|1 ERR||DSC^1^1|207^"), "{part:?}");
    assert!(part[0].ends_with("send it whole"), "{part:?}");
    let next = adt("2", "", "").replace("2.5.1|||", "2.5.1||7|");
    assert!(middle.send(&next)[0].starts_with("MSA|AE|2 ERR||MSH^1^14|207^"));
    assert_eq!(middle.store.recent(10, None).len(), 0);

    let continued = format!("{}NTE|1||half a te\rADD|xt\r", adt("3", "", ""));
    assert_eq!(middle.send(&continued), ["MSA|AA|3"]);
    let id = middle.store.recent(1, None)[0].message;
    assert_eq!(middle.store.body(id).expect("there"), continued, "kept as it came");
    let findings = middle.store.message(id).expect("known").findings;
    assert_eq!(findings, ["segments continued by ADD are read as one"]);
}

#[test]
fn a_wide_character_set_is_refused_with_a_reason_and_others_are_flagged() {
    let middle = with(&[], |it| it.charset = Some(hilum_message::hl7v2::Charset::Ascii));
    let wide: Vec<u8> = ADT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let said = middle.send(&String::from_utf8(wide).expect("ASCII between zeros"));
    assert!(said[0].starts_with("MSA|AR ERR|||207^"), "{said:?}");
    assert!(said[0].contains("send UTF-8"), "{said:?}");
    let umlaut = ADT.replace("EVERYWOMAN", "JÄGER");
    assert_eq!(middle.send(&umlaut), ["MSA|AA|7"]);
    let id = middle.store.recent(1, None)[0].message;
    assert_eq!(middle.store.body(id).expect("there"), umlaut, "kept, never replaced");
    let findings = middle.store.message(id).expect("known").findings;
    assert_eq!(findings.len(), 1);
    assert!(findings[0].ends_with("a byte is not of the message's character set"), "{findings:?}");
    let latin = with(&[], |it| it.charset = Some(hilum_message::hl7v2::Charset::Latin1));
    assert_eq!(latin.send(&umlaut), ["MSA|AA|7"]);
    let id = latin.store.recent(1, None)[0].message;
    assert!(latin.store.message(id).expect("known").findings.is_empty());
}

#[test]
fn an_acknowledgement_goes_to_who_waits_for_it_and_is_answered_by_nobody() {
    let seen: Arc<Mutex<Vec<AckCode>>> = Arc::default();
    let told = Arc::clone(&seen);
    let mut middle = with(&[], |_| {});
    let intake = Arc::into_inner(middle.intake).expect("nobody else has it");
    middle.intake = Arc::new(intake.with_replies(Arc::new(move |id: &[u8], code, _| {
        told.lock().expect("ours").push(code);
        id == b"OURS"
    })));
    let written = |middle: &Middle| {
        middle.twin.run_until_idle();
        middle.store.counts().sequence
    };
    let before = written(&middle);
    let ack = |id: &str, code: &str| {
        format!("MSH|^~\\&|A|B|C|D|2026||ACK^A01|9|P|2.5|||AL|AL\rMSA|{code}|{id}\r")
    };
    assert!(middle.send(&ack("OURS", "AA")).is_empty());
    assert_eq!(written(&middle), before, "whoever waited writes what happened");
    assert!(middle.send(&ack("FOREIGN", "CE")).is_empty());
    assert!(before < written(&middle), "the trail has it");
    assert!(middle.send(&ack("OURS", "??")).is_empty());
    let bare = "MSH|^~\\&|A|B|C|D|2026||ORR^O02|9|P|2.5\rMSA|AR|OURS\rERR|x\r";
    assert!(middle.send(bare).is_empty());
    assert_eq!(*seen.lock().expect("ours"), [AckCode::AA, AckCode::CE, AckCode::AR]);
    // For the commit byte of MLLP release 2.
    assert_eq!(middle.receive(&ack("OURS", "AA")).is_stored, Some(true));
    assert_eq!(middle.receive(&ack("FOREIGN", "AA")).is_stored, Some(false));
}

#[test]
fn a_response_with_content_is_a_message_like_any_other() {
    const RESULT: &str = "MSH|^~\\&|LAB|L|HIS|H|2026||ORF^R04|R1|P|2.5\rMSA|AA|Q1\rQRD|x\r\
                          PID|1||4711\rOBR|1\rOBX|1|NM|x||7.1\r";
    let mut middle = with(&[], |it| it.unrouted = Unrouted::Accept);
    let intake = Arc::into_inner(middle.intake).expect("nobody else has it");
    middle.intake = Arc::new(intake.with_replies(Arc::new(|id: &[u8], _, _| id == b"Q1")));
    assert_eq!(middle.send(RESULT), ["MSA|AA|R1"]);
    let id = middle.store.recent(1, None)[0].message;
    assert_eq!(middle.store.message(id).expect("known").kind, "ORF^R04");
    assert_eq!(middle.store.body(id).expect("read"), RESULT);
    let refusing = with(&[], |_| {});
    assert!(refusing.send(RESULT)[0].starts_with("MSA|AR|R1 ERR|"), "no route takes it");
    // Our answer to it ends it.
    let answer = refusing.receive(RESULT).now.pop().expect("an answer");
    assert!(middle.send(&String::from_utf8_lossy(&answer.bytes)).is_empty());
    // One that is too long is refused; the answer to that is named ACK, and nobody answers it.
    let cut = Bytes::from_static(b"MSH|^~\\&|LAB|L|HIS|H|2026||ORF^R04|R1|P|2.5\rMSA|AA|Q1\r");
    let refused = middle.intake.fault(FrameFault::TooLong { bytes_max: 7 }, cut);
    assert!(texts(&refused.now)[0].contains("\nMSA|AR|R1\n"), "{refused:?}");
    let cut = Bytes::from_static(b"MSH|^~\\&|LAB|L|HIS|H|2026||ACK^R04|R1|P|2.5\rMSA|AA|Q1\r");
    assert!(middle.intake.fault(FrameFault::TooLong { bytes_max: 7 }, cut).now.is_empty());
}

#[test]
fn no_value_of_a_message_stands_in_any_answer() {
    let canary = "Zwiebelfisch";
    let wrong = |text: &str| text.replace("EVERYWOMAN^EVE", canary);
    let mut said = Vec::new();
    for ack in [AckPoint::Stored, AckPoint::Processed] {
        for steps in [&[][..], &[refuses()], &[holds()]] {
            let middle = with(steps, |it| it.ack = ack);
            middle.start_worker();
            for text in [
                wrong(ADT),
                wrong(ADT).replace("ADT^A01^ADT_A01", ""),
                wrong(ADT).replace("|7|", "||"),
                wrong(ADT).replace("ADT^A01^ADT_A01", "ORU^Zwiebelfisch"),
                wrong(ADT).replace("2.5.1", "2.5.1||||||Zwiebelfisch"),
                wrong(ADT).replace("2.5.1", "2.3||Zwiebelfisch"),
                wrong(ADT).replace("\rPID", "\rDSC|Zwiebelfisch|F\rPID"),
                wrong(ADT).replace("\rPID", "\rMSA|AA|Zwiebelfisch\rPID"),
                format!("{}{}", wrong(ADT), wrong(ADT).replace("|7|", "|8|")),
                format!("BHS|^~\\&\r{}BTS|Zwiebelfisch\r", wrong(ADT)),
                format!("{canary}{}", wrong(ADT)),
            ] {
                let answer = middle.receive(&text);
                said.extend(texts(&answer.now));
                said.extend(texts(&middle.later(answer)));
            }
        }
    }
    assert!(50 < said.len(), "{}", said.len());
    for text in said {
        assert!(!text.contains(canary), "{text}");
        assert!(!text.contains("4711"), "{text}");
    }
}

#[test]
fn a_continued_segment_is_one_for_plugins_and_leaves_as_it_came_where_none_looks() {
    let text = format!("{}NTE|1||half a te\rADD|xt\r", adt("3", "", ""));
    let passed = |steps: &[(World, String)]| {
        let middle = with(steps, |_| {});
        middle.send(&text);
        middle.start_worker();
        let queued = middle.store.queued("ehr");
        middle.store.delivery(queued[0].delivery).expect("there").body
    };
    assert_eq!(passed(&[]), text);
    assert_eq!(passed(&[super::plugins::passes_on()]), text.replace("\rADD|", ""));
}

#[test]
fn a_field_that_an_answer_would_give_back_has_a_bound() {
    let middle = with(&[], |_| {});
    let long = |bytes: usize| ADT.replace("|7|", &format!("|{}|", "7".repeat(bytes)));
    assert!(middle.send(&long(4_096))[0].starts_with("MSA|AA|777"));
    let refused = middle.send(&long(4_097));
    assert!(refused[0].contains("ERR||MSH^1^10|102^Data type error"), "{}", refused[0].len());
    let facility = ADT.replace("|WARD|", &format!("|{}|", "W".repeat(5_000)));
    assert!(middle.send(&facility)[0].contains("ERR||MSH^1^4|102^"));
    assert_eq!(middle.store.recent(10, None).len(), 1);
}

#[test]
fn whoever_waits_keeps_no_message_in_memory() {
    let middle = processed(&[]);
    let document = format!("{}OBX|1|ED|||{}\r", adt("1", "AL", "AL"), "A".repeat(1 << 20));
    let content = Bytes::from(document);
    let inbound = Inbound {
        content: content.clone(),
        findings: Vec::new(),
        peer: peer(),
        received: Timestamp::from_micros(0),
    };
    let intake = Arc::clone(&middle.intake);
    let answer = middle.twin.block_on(async move { intake.receive(inbound).await });
    assert!(answer.later.is_some());
    // The journal has a copy of its own; the waiter holds none.
    assert!(content.is_unique(), "the frame's bytes are free while the sender waits");
    drop(answer);
}

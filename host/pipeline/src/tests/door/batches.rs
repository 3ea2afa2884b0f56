//! Batches at the door.

use expect_test::{Expect, expect};

use super::*;

/// The answers, without times and our own ids.
fn shown(replies: &[Reply]) -> String {
    let line = |line: &str| {
        let mut fields: Vec<&str> = line.split('|').collect();
        match fields.first() {
            Some(&"MSH") => ["MSH", fields.get(9).map_or("", |_| "…")].join("|"),
            Some(&"BHS" | &"FHS") => {
                fields.drain(6..11.min(fields.len()));
                fields.join("|")
            }
            Some(&"ERR") => fields.iter().take(4).copied().collect::<Vec<_>>().join("|"),
            _ => line.to_owned(),
        }
    };
    let one = |text: &String| text.lines().map(line).collect::<Vec<_>>().join("\n");
    texts(replies).iter().map(one).collect::<Vec<_>>().join("\n--\n")
}

#[track_caller]
fn check(middle: &Middle, batch: &str, expected: Expect) {
    let answer = middle.receive(batch);
    let now = shown(&answer.now);
    let later = shown(&middle.later(answer));
    let both = if later.is_empty() { now } else { format!("{now}\nlater\n{later}") };
    expected.assert_eq(&both);
}

fn message(id: &str) -> String {
    ADT.replace("|7|", &format!("|{id}|"))
}

/// Three messages of which the second has no type.
fn three() -> String {
    let second = message("2").replace("ADT^A01^ADT_A01", "");
    format!(
        "FHS|^~\\&|A|B|C|D|2026||||F1\rBHS|^~\\&|A|B|C|D|2026||||B1\r{}{second}{}BTS|3\rFTS|1\r",
        message("1"),
        message("3")
    )
}

fn kept(middle: &Middle) -> Vec<hilum_store::MessageRecord> {
    let all = middle.store.recent(100, None).into_iter().rev();
    all.map(|it| middle.store.message(it.message).expect("known")).collect()
}

#[test]
fn each_message_is_stored_by_itself_and_all_are_answered_in_one_batch() {
    let middle = with(&[], |_| {});
    check(
        &middle,
        &three(),
        expect![[r#"
            FHS|^~\&|C|D|A|B|F1
            BHS|^~\&|C|D|A|B|B1
            MSH|…
            MSA|AA|1
            MSH|…
            MSA|AE|2
            ERR||MSH^1^9|101^Required field missing^HL70357
            MSH|…
            MSA|AA|3
            BTS|3
            FTS|1"#]],
    );
    let kept = kept(&middle);
    assert_eq!(kept.len(), 2, "one that is wrong does not lose the others");
    let first = kept[0].envelope.message;
    assert!(kept.iter().all(|it| it.envelope.correlation == Some(first)));
    assert_eq!(middle.store.body(first).expect("there"), message("1"), "byte for byte");
    assert_eq!(middle.receive(&three()).is_stored, Some(false));
}

#[test]
fn a_batch_is_answered_by_its_errors_or_singly_as_configured() {
    let errors = with(&[], |it| it.batch_answer = BatchAnswer::Errors);
    check(
        &errors,
        &three(),
        expect![[r#"
            FHS|^~\&|C|D|A|B|F1
            BHS|^~\&|C|D|A|B|B1
            MSH|…
            MSA|AE|2
            ERR||MSH^1^9|101^Required field missing^HL70357
            BTS|1
            FTS|1"#]],
    );
    check(
        &errors,
        &format!("{}{}", message("7"), message("8")),
        expect![[r#"
            BHS|^~\&|HILUM|ST-ANNA|ADT|WARD
            BTS|0"#]],
    );
    let singly = with(&[], |it| it.batch_answer = BatchAnswer::Singly);
    check(
        &singly,
        &three(),
        expect![[r#"
            MSH|…
            MSA|AA|1
            --
            MSH|…
            MSA|AE|2
            ERR||MSH^1^9|101^Required field missing^HL70357
            --
            MSH|…
            MSA|AA|3"#]],
    );
}

#[test]
fn every_way_of_packing_is_answered_in_its_own() {
    let middle = with(&[], |_| {});
    // A bare run, and a message whose text holds another: it splits nothing.
    let inside = format!("{}OBX|1|TX|||MSH\\.br\\MSH|||||F\r", message("2"));
    check(
        &middle,
        &format!("{}{inside}", message("1")),
        expect![[r#"
            BHS|^~\&|HILUM|ST-ANNA|ADT|WARD
            MSH|…
            MSA|AA|1
            MSH|…
            MSA|AA|2
            BTS|2"#]],
    );
    // Two batches without a file, then a message without a batch.
    check(
        &middle,
        &format!(
            "BHS|^~\\&|A|B|C|D|2026||||B1\r{}BTS|1\rBHS|^~\\&|A|B|C|D|2026||||B2\rBTS|0\r{}",
            message("3"),
            message("4")
        ),
        expect![[r#"
            BHS|^~\&|C|D|A|B|B1
            MSH|…
            MSA|AA|3
            BTS|1
            BHS|^~\&|C|D|A|B|B2
            BTS|0
            BHS|^~\&|HILUM|ST-ANNA|ADT|WARD
            MSH|…
            MSA|AA|4
            BTS|1"#]],
    );
    // A file, then a batch after it.
    check(
        &middle,
        &format!(
            "FHS|^~\\&|A|B|C|D|2026||||F1\r{}FTS|1\rBHS|^~\\&|A|B|C|D|2026||||B3\r{}BTS|1\r",
            message("5"),
            message("6")
        ),
        expect![[r#"
            FHS|^~\&|C|D|A|B|F1
            BHS|^~\&|HILUM|ST-ANNA|ADT|WARD
            MSH|…
            MSA|AA|5
            BTS|1
            FTS|1
            BHS|^~\&|C|D|A|B|B3
            MSH|…
            MSA|AA|6
            BTS|1"#]],
    );
    assert_eq!(kept(&middle).len(), 6);
}

#[test]
fn a_batch_of_nobody_who_wants_an_answer_gets_none() {
    let middle = with(&[], |_| {});
    let silent = |id| message(id).replace("2.5.1", "2.5.1|||NE|NE");
    check(&middle, &format!("{}{}", silent("1"), silent("2")), expect![""]);
    assert_eq!(kept(&middle).len(), 2);
    // One of them does.
    check(
        &middle,
        &format!("{}{}", silent("3"), message("4")),
        expect![[r#"
            BHS|^~\&|HILUM|ST-ANNA|ADT|WARD
            MSH|…
            MSA|AA|4
            BTS|1"#]],
    );
}

#[test]
fn a_wrong_count_is_found_or_refused_as_configured() {
    let batches = format!(
        "FHS|^~\\&\rBHS|^~\\&|A|B|C|D|2026||||B1\r{}BTS|2\rBHS|^~\\&|A|B|C|D|2026||||B2\r{}BTS|1\rFTS|2\r",
        message("1"),
        message("2")
    );
    let middle = with(&[], |_| {});
    middle.receive(&batches);
    let kept_by_default = kept(&middle);
    assert_eq!(kept_by_default.len(), 2);
    let found = &kept_by_default[0].findings;
    assert!(found[0].contains("BTS-1 is not the number of messages"), "{found:?}");

    let strict = with(&[], |it| it.on_batch_count = OnBatchCount::Refuse);
    check(
        &strict,
        &batches,
        expect![[r#"
            FHS|^~\&||||
            BHS|^~\&|C|D|A|B|B1
            MSH|…
            MSA|AE|1
            ERR||BTS^1^1|100^Segment sequence error^HL70357
            BTS|1
            BHS|^~\&|C|D|A|B|B2
            MSH|…
            MSA|AA|2
            BTS|1
            FTS|2"#]],
    );
    let file = batches.replace("BTS|2", "BTS|1").replace("FTS|2", "FTS|7");
    let answer = strict.receive(&file);
    let said = shown(&answer.now);
    assert_eq!(said.matches("ERR||FTS^1^1|100").count(), 2, "{said}");
    check(
        &strict,
        "BHS|^~\\&|A|B|C|D|2026||||B9\rBTS|5\r",
        expect![[r#"
            BHS|^~\&|C|D|A|B|B9
            MSH|…
            MSA|AE|B9
            ERR||BTS^1^1|100^Segment sequence error^HL70357
            BTS|1"#]],
    );
}

#[test]
fn a_repeat_of_a_batch_that_was_half_taken_neither_skips_nor_repeats() {
    let middle = with(&[], |_| {});
    assert_eq!(middle.send(&message("2")), ["MSA|AA|2"]);
    let batch: String = ["1", "2", "3"].map(message).concat();
    for _ in 0..2 {
        let answer = middle.receive(&batch);
        assert_eq!(texts(&answer.now).concat().matches("MSA|AA|").count(), 3);
        assert_eq!(kept(&middle).len(), 3);
    }
}

#[test]
fn a_batch_that_is_cut_off_by_a_crash_goes_on_where_it_was() {
    let batch: String = (0..600).map(|id| message(&id.to_string())).collect();
    let middle = with(&[], |_| {});
    // The disk fails while the batch is being stored.
    let next = middle.twin.disk().operations();
    middle.twin.disk().fail_at(next + 4);
    let first = texts(&middle.receive(&batch).now).concat();
    let taken = first.matches("MSA|AA|").count();
    assert_eq!(taken + first.matches("MSA|AR|").count(), 600);
    assert!(0 < taken && taken < 600, "{taken}");
    middle.twin.tasks().kill_all();
    middle.twin.disk().crash(Unsynced::Lost);
    let routes = middle.current.current().routes.iter().cloned().collect();
    let again = Middle::open(middle.twin, routes, |_| {}, 10_000);
    let second = texts(&again.receive(&batch).now).concat();
    assert_eq!(second.matches("MSA|AA|").count(), 600);
    let counts = again.store.counts();
    assert!(u64::try_from(taken).expect("small") <= counts.known, "what was promised is known");
    assert_eq!(again.store.recent(1_000, None).len(), 600);
}

#[test]
fn a_batch_has_a_bound() {
    let middle = with(&[], |_| {});
    let small = "MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5\r";
    check(
        &middle,
        &small.repeat(10_001),
        expect![[r#"
            MSH|…
            MSA|AE|7
            ERR|||207^Application internal error^HL70357"#]],
    );
    assert_eq!(kept(&middle).len(), 0);
    let answer = middle.receive(&small.repeat(10_000));
    let said = texts(&answer.now).concat();
    assert!(said.ends_with("BTS|10000\n"), "all are answered");
    assert_eq!(kept(&middle).len(), 1, "and are one message");
}

#[test]
fn headers_of_a_batch_have_a_bound_as_each_may_be_answered_by_itself() {
    let middle = with(&[], |_| {});
    let batch = |headers: usize| format!("{}{}", message("1"), "FHS\rZZZ|x\r".repeat(headers));
    check(
        &middle,
        &batch(257),
        expect![[r#"
            MSH|…
            MSA|AE|1
            ERR|||207^Application internal error^HL70357"#]],
    );
    assert_eq!(kept(&middle).len(), 0);
    let said = texts(&middle.receive(&batch(256)).now).concat();
    assert_eq!(said.matches("FHS|").count(), 256, "all are answered");
    // And the message that the first of them may have cut off.
    assert_eq!(said.matches("\nERR|").count(), 257);
}

#[test]
fn others_get_their_turn_between_the_messages_of_a_batch() {
    // The disk is not asked, so that nothing but courtesy stops it.
    let wrong = message("1").replace("ADT^A01^ADT_A01", "");
    let few = polls(&wrong.repeat(2));
    let many = polls(&wrong.repeat(1_002));
    // Once each to take it, to say what became of it, and to pack that.
    assert_eq!(many - few, 3 * 1_000);
    assert!(2 * 255 <= polls(&format!("{}{}", message("1"), "FHS\rZZZ|x\r".repeat(255))));
}

/// How often others got their turn until a batch was answered.
fn polls(batch: &str) -> usize {
    let middle = with(&[], |_| {});
    let (intake, content) = (Arc::clone(&middle.intake), Bytes::copy_from_slice(batch.as_bytes()));
    let received = Timestamp::from_micros(0);
    let inbound = Inbound { content, findings: Vec::new(), peer: peer(), received };
    middle.twin.block_on(async move {
        let mut receiving = Box::pin(intake.receive(inbound));
        let mut polls = 0;
        std::future::poll_fn(|context| {
            polls += 1;
            receiving.as_mut().poll(context).map(|_| ())
        })
        .await;
        polls
    })
}

#[test]
fn after_processing_the_original_mode_gets_one_batch_and_the_enhanced_mode_two() {
    let middle = processed(&[refuses()]);
    middle.start_worker();
    let wrong = message("2").replace("ADT^A01^ADT_A01", "");
    check(
        &middle,
        &format!("{}{wrong}", message("1")),
        expect![[r#"

            later
            BHS|^~\&|HILUM|ST-ANNA|ADT|WARD
            MSH|…
            MSA|AE|1
            ERR||PID^1^3|101^Required field missing^HL70357
            MSH|…
            MSA|AE|2
            ERR||MSH^1^9|101^Required field missing^HL70357
            BTS|2"#]],
    );
    let enhanced = |text: &str| text.replace("2.5.1", "2.5.1|||AL|AL");
    check(
        &middle,
        &enhanced(&format!("{}{}", message("3"), wrong.replace("|2|", "|4|"))),
        expect![[r#"
            BHS|^~\&|HILUM|ST-ANNA|ADT|WARD
            MSH|…
            MSA|CA|3
            MSH|…
            MSA|CE|4
            ERR||MSH^1^9|101^Required field missing^HL70357
            BTS|2
            later
            BHS|^~\&|HILUM|ST-ANNA|ADT|WARD
            MSH|…
            MSA|AE|3
            ERR||PID^1^3|101^Required field missing^HL70357
            BTS|1"#]],
    );
}

#[test]
fn a_message_of_a_batch_whose_delimiters_cannot_be_used_is_refused_alone() {
    let middle = with(&[], |_| {});
    let bad = "MSH|^^^&|A|B|C|D|2026||ADT^A01|2|P|2.5\r";
    let answer = middle.receive(&format!("{}{bad}{}", message("1"), message("3")));
    let said = texts(&answer.now).concat();
    assert!(said.contains("MSA|AR|2\n"), "{said}");
    assert_eq!(said.matches("MSA|AA|").count(), 2, "{said}");
    assert_eq!(kept(&middle).len(), 2);
}

#[test]
fn two_gateways_that_answer_each_other_stop() {
    let middle = with(&[], |_| {});
    let ack = "MSH|^~\\&|A|B|C|D|2026||ACK|9|P|2.5\rMSA|AA|1\r";
    let acks = format!("BHS|^~\\&|A|B|C|D|2026||||B1\r{ack}{ack}BTS|2\r");
    check(&middle, &acks, expect![""]);
    let nothing = "BHS|^~\\&|A|B|C|D|2026||||B1\rBTS|0\r";
    check(
        &middle,
        nothing,
        expect![[r#"
            BHS|^~\&|C|D|A|B|B1
            BTS|0"#]],
    );
    let answer = middle.receive(nothing).now.pop().expect("an answer");
    let answer = String::from_utf8(answer.bytes.to_vec()).expect("ASCII");
    check(&middle, &answer, expect![""]);
    check(&middle, "BHS|^~\\&|A|B|C|D|2026\rBTS|0\r", expect![""]);
}

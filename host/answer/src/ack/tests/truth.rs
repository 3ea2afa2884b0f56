//! MSH-15 × MSH-16 × outcome: what goes out, and when.

use super::*;

/// The table itself, which the system tests read too.
const TABLE: &str = include_str!("../../../../../tests/golden/answers/acknowledgements.table");

/// What happens to a message, in the order of the columns.
const OUTCOMES: [&str; 8] = [
    "stored: accepted",
    "stored: wrong",
    "stored: not stored",
    "processed: accepted",
    "processed: refused by a plugin",
    "processed: busy",
    "processed: wrong",
    "processed: not stored",
];

/// MSH-15, MSH-16, and what is said for each outcome.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, Vec<&'static str>)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let mut cells = line.split('|').map(str::trim);
        let fields = cells.next().expect("MSH-15 and MSH-16");
        let mut fields = fields.split_whitespace().map(|it| if it == "-" { "" } else { it });
        let (accept, application) = (fields.next().expect("15"), fields.next().expect("16"));
        (accept, application, cells.collect())
    })
}

/// The codes that go out; each is a message with an id of its own that refers to the one answered.
fn codes(header: &Header, verdicts: &[Verdict<'_>]) -> String {
    let mut count = 0;
    let mut stamp = || {
        count += 1;
        Stamp { at: Timestamp::from_micros(0), control_id: format!("OURS{count}") }
    };
    let mut when = Vec::new();
    let mut number = 0;
    for verdict in verdicts {
        let acks = write_all(Some(header), *verdict, &mut stamp);
        for ack in &acks {
            number += 1;
            let text = String::from_utf8_lossy(&ack.bytes);
            assert!(text.contains(&format!("|OURS{number}|")), "{text}");
            assert!(text.contains(&format!("\rMSA|{}|7\r", ack.code)), "{text}");
        }
        when.push(acks.iter().map(|ack| ack.code.word()).collect::<Vec<_>>().join(" "));
    }
    let dotted = |said: &String| if said.is_empty() { ".".to_owned() } else { said.clone() };
    match when.as_slice() {
        [now] => dotted(now),
        [now, later] if later.is_empty() => dotted(now),
        [now, later] => format!("{} > {later}", dotted(now)),
        _ => unreachable!("at most twice"),
    }
}

#[test]
fn msh_15_and_msh_16_choose_what_goes_out_and_when() {
    let (wrong, busy, no_disk) = (MISSING(), Refusal::Busy, Refusal::NotStored);
    let rejected = Refusal::Rejected(vec![Rejection {
        reason: Reason::ValueInvalid,
        at: Some("PID-7".to_owned()),
        text: "no date".to_owned(),
    }]);
    let outcomes: [&[Verdict<'_>]; 8] = [
        &[Verdict::Accepted],
        &[Verdict::Refused(&wrong)],
        &[Verdict::Refused(&no_disk)],
        &[Verdict::Committed, Verdict::Processed],
        &[Verdict::Committed, Verdict::Rejected(&rejected)],
        &[Verdict::Committed, Verdict::Rejected(&busy)],
        &[Verdict::Refused(&wrong)],
        &[Verdict::Refused(&no_disk)],
    ];
    assert!(25 <= rows().count());
    for (accept, application, row) in rows() {
        assert_eq!(row.len(), OUTCOMES.len(), "{accept} {application}");
        let text = format!("MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5.1|||{accept}|{application}\r");
        let header = header(text.as_bytes());
        for ((expected, verdicts), outcome) in row.into_iter().zip(outcomes).zip(OUTCOMES) {
            let case = format!("MSH-15 {accept:?}, MSH-16 {application:?}, {outcome}");
            assert_eq!(codes(&header, verdicts), expected, "{case}");
        }
    }
}

#[test]
fn what_is_waited_for_is_what_would_be_said() {
    let rejected = Refusal::Rejected(Vec::new());
    for (accept, application, _) in rows() {
        let text = format!("MSH|^~\\&|A||||||ADT^A01|7|P|2.5.1|||{accept}|{application}\r");
        let header = header(text.as_bytes());
        let wanted = crate::Wanted::of(&header);
        let says = |verdict| codes(&header, &[verdict]) != ".";
        assert_eq!(wanted.acceptance, says(Verdict::Processed));
        assert_eq!(wanted.refusal, says(Verdict::Rejected(&rejected)));
        let all = [Verdict::Accepted, Verdict::Refused(&rejected)];
        assert_eq!(wanted.anything, all.into_iter().any(says), "{accept} {application}");
    }
}

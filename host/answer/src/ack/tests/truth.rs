//! MSH-15 × MSH-16 × outcome: what goes out, and when.

use super::*;

/// What happens to a message, in the order of the columns.
const OUTCOMES: [&str; 8] = [
    // ack = "stored"
    "accepted",
    "wrong",
    "not stored",
    // ack = "processed"
    "accepted",
    "refused by plugin",
    "busy",
    "wrong",
    "not stored",
];

/// HL7 v2.5.1 ch. 2, 2.9.2 and 2.9.3, and table 0155. A dot is silence; `CA > AA`: the one when the
/// message is stored, the other when it is decided. What is not stored gets no further, so a CE or CR is
/// the last word, and what is refused later is refused by the application.
#[rustfmt::skip]
const TABLE: &[(&str, &str, [&str; 8])] = &[
// MSH-15 MSH-16     ack = "stored"          ack = "processed"
//                   accepted  wrong  no disk  accepted     plugin       busy         wrong  no disk
    ("",   "",   ["AA",     "AE",  "AR",    ". > AA",    ". > AE",    ". > AR",    "AE",  "AR"]),
    ("",   "NE", [".",      ".",   ".",     ".",         ".",         ".",         ".",   "."]),
    ("",   "AL", ["AA",     "AE",  "AR",    ". > AA",    ". > AE",    ". > AR",    "AE",  "AR"]),
    ("",   "ER", [".",      "AE",  "AR",    ".",         ". > AE",    ". > AR",    "AE",  "AR"]),
    ("",   "SU", ["AA",     ".",   ".",     ". > AA",    ".",         ".",         ".",   "."]),
    ("NE", "",   [".",      ".",   ".",     ".",         ".",         ".",         ".",   "."]),
    ("NE", "NE", [".",      ".",   ".",     ".",         ".",         ".",         ".",   "."]),
    ("NE", "AL", ["AA",     "AE",  "AR",    ". > AA",    ". > AE",    ". > AR",    "AE",  "AR"]),
    ("NE", "ER", [".",      "AE",  "AR",    ".",         ". > AE",    ". > AR",    "AE",  "AR"]),
    ("NE", "SU", ["AA",     ".",   ".",     ". > AA",    ".",         ".",         ".",   "."]),
    ("AL", "",   ["CA",     "CE",  "CR",    "CA",        "CA",        "CA",        "CE",  "CR"]),
    ("AL", "NE", ["CA",     "CE",  "CR",    "CA",        "CA",        "CA",        "CE",  "CR"]),
    ("AL", "AL", ["CA AA",  "CE",  "CR",    "CA > AA",   "CA > AE",   "CA > AR",   "CE",  "CR"]),
    ("AL", "ER", ["CA",     "CE",  "CR",    "CA",        "CA > AE",   "CA > AR",   "CE",  "CR"]),
    ("AL", "SU", ["CA AA",  "CE",  "CR",    "CA > AA",   "CA",        "CA",        "CE",  "CR"]),
    ("ER", "",   [".",      "CE",  "CR",    ".",         ".",         ".",         "CE",  "CR"]),
    ("ER", "NE", [".",      "CE",  "CR",    ".",         ".",         ".",         "CE",  "CR"]),
    ("ER", "AL", ["AA",     "CE",  "CR",    ". > AA",    ". > AE",    ". > AR",    "CE",  "CR"]),
    ("ER", "ER", [".",      "CE",  "CR",    ".",         ". > AE",    ". > AR",    "CE",  "CR"]),
    ("ER", "SU", ["AA",     "CE",  "CR",    ". > AA",    ".",         ".",         "CE",  "CR"]),
    ("SU", "",   ["CA",     ".",   ".",     "CA",        "CA",        "CA",        ".",   "."]),
    ("SU", "NE", ["CA",     ".",   ".",     "CA",        "CA",        "CA",        ".",   "."]),
    ("SU", "AL", ["CA AA",  "AE",  "AR",    "CA > AA",   "CA > AE",   "CA > AR",   "AE",  "AR"]),
    ("SU", "ER", ["CA",     "AE",  "AR",    "CA",        "CA > AE",   "CA > AR",   "AE",  "AR"]),
    ("SU", "SU", ["CA AA",  ".",   ".",     "CA > AA",   "CA",        "CA",        ".",   "."]),
    // Case does not matter; `""` is empty; what is not in table 0155 means always.
    ("al", "ne", ["CA",     "CE",  "CR",    "CA",        "CA",        "CA",        "CE",  "CR"]),
    ("\"\"", " ", ["AA",    "AE",  "AR",    ". > AA",    ". > AE",    ". > AR",    "AE",  "AR"]),
    ("??", "NE", ["CA",     "CE",  "CR",    "CA",        "CA",        "CA",        "CE",  "CR"]),
];

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
    for (accept, application, row) in TABLE {
        let text = format!("MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5.1|||{accept}|{application}\r");
        let header = header(text.as_bytes());
        for ((expected, verdicts), outcome) in row.iter().zip(outcomes).zip(OUTCOMES) {
            let case = format!("MSH-15 {accept:?}, MSH-16 {application:?}, {outcome}");
            assert_eq!(codes(&header, verdicts), *expected, "{case}");
        }
    }
}

#[test]
fn what_is_waited_for_is_what_would_be_said() {
    let rejected = Refusal::Rejected(Vec::new());
    for (accept, application, _) in TABLE {
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

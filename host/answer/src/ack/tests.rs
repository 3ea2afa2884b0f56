use super::*;
use expect_test::{Expect, expect};
use hilum_hl7::Message;
use hilum_words::{Reason, Rejection, Timestamp};

const MISSING: fn() -> Refusal =
    || Refusal::RequiredFieldMissing { at: "MSH-10".parse().expect("a path") };

/// One of each kind.
fn every_refusal() -> Vec<Refusal> {
    let at = || "BTS-1".parse().expect("a path");
    let json = hilum_fhir::parse(b"{").expect_err("cut off");
    let mut all = vec![
        Refusal::NotHl7,
        Refusal::WideCharset,
        Refusal::OtherCharset,
        Refusal::BadFrame,
        Refusal::TooLong { bytes_max: 7 },
        Refusal::HeadTooLong { bytes_max: 7, headers_max: 7 },
        Refusal::TooManyValues { places_max: 7 },
        Refusal::BatchTooLong { most: 7, of: "messages" },
        Refusal::BatchCount { at: at() },
        Refusal::Stray,
        Refusal::Fragment { at: at() },
        MISSING(),
        Refusal::FieldTooLong { at: at(), bytes_max: 7 },
        Refusal::NoRoute,
        Refusal::Reused,
        Refusal::ReusedKey,
        Refusal::NotJson(json),
        Refusal::NotFhir,
        Refusal::OtherResource,
        Refusal::Busy,
        Refusal::NotStored,
        Refusal::Rejected(Vec::new()),
    ];
    all.extend(crate::RequestFault::ALL.map(Refusal::Request));
    all
}

fn header(message: &[u8]) -> Header {
    Message::parse(Bytes::copy_from_slice(message)).expect("HL7").header()
}

fn answers(header: Option<&Header>, verdict: Verdict<'_>) -> Vec<Vec<u8>> {
    let mut count = 0;
    let mut stamp = || {
        count += 1;
        Stamp { at: Timestamp::from_micros(0), control_id: format!("OURS{count}") }
    };
    write_all(header, verdict, &mut stamp).iter().map(|it| it.bytes.to_vec()).collect()
}

fn shown(answers: &[Vec<u8>]) -> String {
    let texts = answers.iter().map(|it| String::from_utf8_lossy(it).replace('\r', "\n"));
    texts.collect::<Vec<_>>().join("--\n")
}

#[track_caller]
fn accepted(message: &str, expected: Expect) {
    let header = header(message.as_bytes());
    expected.assert_eq(&shown(&answers(Some(&header), Verdict::Accepted)));
}

#[track_caller]
fn refused(message: &str, refusal: &Refusal, expected: Expect) {
    let header = header(message.as_bytes());
    expected.assert_eq(&shown(&answers(Some(&header), Verdict::Refused(refusal))));
}

#[test]
fn the_header_is_turned_round_with_all_components() {
    accepted(
        "MSH|^~\\&|LAB^1.2.3^ISO|ST&A^4.5^ISO|EHR^6.7^ISO|MAIN|20260101||ADT^A01^ADT_A01|7|T^A|2.5.1^USA|||||USA|UNICODE UTF-8\r",
        expect![[r#"
            MSH|^~\&|EHR^6.7^ISO|MAIN|LAB^1.2.3^ISO|ST&A^4.5^ISO|19700101000000.000+0000||ACK^A01^ACK|OURS1|T^A|2.5.1^USA||||||UNICODE UTF-8
            MSA|AA|7
        "#]],
    );
}

#[test]
fn msh_9_has_what_the_version_has() {
    let of = |version: &str, kind: &str| {
        let text = format!("MSH|^~\\&|A|B|C|D|2026||{kind}|7|P|{version}\r");
        let all = answers(Some(&header(text.as_bytes())), Verdict::Accepted);
        let text = String::from_utf8(all.concat()).expect("ASCII");
        text.split('|').nth(8).expect("MSH-9").to_owned()
    };
    for version in ["2.3.1", "2.4", "2.5", "2.8.2", "2.5.1^USA", "", "whatever"] {
        assert_eq!(of(version, "ADT^A01"), "ACK^A01^ACK", "{version}");
    }
    assert_eq!(of("2.3", "ADT^A01"), "ACK^A01");
    assert_eq!(of("2.2", "ADT^A01"), "ACK^A01");
    assert_eq!(of("2.1", "ADT^A01"), "ACK");
    assert_eq!(of("2.5", "ORU"), "ACK");
}

#[test]
fn msa_2_is_msh_10_byte_for_byte() {
    let message = b"MSH|^~\\&|A|B|C|D|2026||ADT^A01| \\T\\7\xe4\xff^x~y |P|2.5.1||||||8859/1\r";
    let all = answers(Some(&header(message)), Verdict::Accepted);
    let wanted = b"\rMSA|AA| \\T\\7\xe4\xff^x~y \r";
    assert!(all[0].windows(wanted.len()).any(|it| it == wanted), "{}", shown(&all));
}

#[test]
fn the_senders_delimiters_are_used() {
    refused(
        "MSH#*~\\&#A*x#B#C#D#20260101##ADT*A01*ADT_A01##P#2.5.1\r",
        &MISSING(),
        expect![[r#"
            MSH#*~\&#C#D#A*x#B#19700101000000.000+0000##ACK*A01*ACK#OURS1#P#2.5.1
            MSA#AE
            ERR##MSH*1*10#101*Required field missing*HL70357#E####MSH-10: required field is missing
        "#]],
    );
    accepted(
        "MSH|^~\\&#|A|B|C|D|2026||ADT^A01|7|P|2.7\r",
        expect![[r#"
            MSH|^~\&#|C|D|A|B|19700101000000.000+0000||ACK^A01^ACK|OURS1|P|2.7
            MSA|AA|7
        "#]],
    );
    accepted(
        "MSH|^~\\|A|B|C|D|2026||ADT^A01|7|P|2.5\r",
        expect![[r#"
            MSH|^~\|C|D|A|B|19700101000000.000+0000||ACK^A01^ACK|OURS1|P|2.5
            MSA|AA|7
        "#]],
    );
}

#[test]
fn a_text_of_ours_is_escaped_with_the_senders_delimiters() {
    let text = Rejection {
        reason: Reason::ValueInvalid,
        at: Some("PID-3[2].4".to_owned()),
        text: "a|b & ü €".to_owned(),
    };
    refused(
        "MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5.1||||||ASCII\r",
        &Refusal::Rejected(vec![text]),
        expect![[r#"
            MSH|^~\&|C|D|A|B|19700101000000.000+0000||ACK^A01^ACK|OURS1|P|2.5.1||||||ASCII
            MSA|AE|7
            ERR||PID^1^3^2^4|102^Data type error^HL70357|E||||a\F\b \T\ ? ?
        "#]],
    );
}

#[test]
fn an_escape_character_is_added_where_the_sender_has_none() {
    // The third character of MSH-2 is the second one again; `\` stands in what is given back.
    refused(
        "MSH|^~~&|A\\x|B|C|D|2026||ADT^A01|7|P|2.5.1\r",
        &Refusal::Rejected(vec![Rejection {
            reason: Reason::Application,
            at: Some("no path".to_owned()),
            text: "a|b".to_owned(),
        }]),
        expect![[r#"
            MSH|^~%&|C|D|A\x|B|19700101000000.000+0000||ACK^A01^ACK|OURS1|P|2.5.1
            MSA|AE|7
            ERR|||207^Application internal error^HL70357|E||||a%F%b
        "#]],
    );
}

#[test]
fn versions_before_2_5_have_their_own_err() {
    refused(
        "MSH|^~\\&|A|B|C|D|2026||ADT^A01||P|2.4\r",
        &MISSING(),
        expect![[r#"
            MSH|^~\&|C|D|A|B|19700101000000.000+0000||ACK^A01^ACK|OURS1|P|2.4
            MSA|AE||MSH-10: required field is missing
            ERR|MSH^1^10^101&Required field missing&HL70357
        "#]],
    );
    refused(
        "MSH|^~\\|A|B|C|D|2026||ADT^A01|7|P|2.3\r",
        &Refusal::Busy,
        expect![[r#"
            MSH|^~\|C|D|A|B|19700101000000.000+0000||ACK^A01|OURS1|P|2.3
            MSA|AR|7|busy: try again later
            ERR|^^^207
        "#]],
    );
}

#[test]
fn a_frame_without_msh_is_rejected_with_an_empty_msa_2() {
    expect![[r#"
        MSH|^~\&|||||19700101000000.000+0000||ACK|OURS1|P|2.5.1
        MSA|AR
        ERR|||100^Segment sequence error^HL70357|E||||this is no HL7 v2 message: no usable MSH
    "#]]
    .assert_eq(&shown(&answers(None, Verdict::Refused(&Refusal::NotHl7))));
}

#[test]
fn each_rejection_has_an_err_of_its_own() {
    let rejection =
        |reason, at: &str| Rejection { reason, at: Some(at.to_owned()), text: "no".to_owned() };
    let refusal = Refusal::Rejected(vec![
        rejection(Reason::RequiredMissing, "PID-5"),
        rejection(Reason::UnknownCode, "PV1[2]-4"),
        rejection(Reason::Inconsistent, "PV1"),
    ]);
    refused(
        "MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5.1\r",
        &refusal,
        expect![[r#"
            MSH|^~\&|C|D|A|B|19700101000000.000+0000||ACK^A01^ACK|OURS1|P|2.5.1
            MSA|AE|7
            ERR||PID^1^5|101^Required field missing^HL70357|E||||no
            ERR||PV1^2^4|103^Table value not found^HL70357|E||||no
            ERR||PV1^1|207^Application internal error^HL70357|E||||no
        "#]],
    );
    assert_eq!(refusal.reply().0, AckCode::AE);
}

#[test]
fn in_enhanced_mode_no_acknowledgement_of_ours_is_asked_for() {
    accepted(
        "MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5.1|||AL|NE||8859/1\r",
        expect![[r#"
            MSH|^~\&|C|D|A|B|19700101000000.000+0000||ACK^A01^ACK|OURS1|P|2.5.1|||NE|NE||8859/1
            MSA|CA|7
        "#]],
    );
}

#[test]
fn an_acknowledgement_is_never_acknowledged() {
    for kind in ["ACK", "ACK^A01", "ACK^A01^ACK", "ACK^A01~x"] {
        let text = format!("MSH|^~\\&|A|B|C|D|2026||{kind}|7|P|2.5.1|||AL|AL\rMSA|AA|1\r");
        let header = header(text.as_bytes());
        assert!(answers(Some(&header), Verdict::Accepted).is_empty(), "{kind}");
        let refusal = Refusal::TooLong { bytes_max: 7 };
        assert!(answers(Some(&header), Verdict::Refused(&refusal)).is_empty(), "{kind}");
    }
}

#[test]
fn what_no_frame_can_carry_is_not_given_back() {
    let all = answers(
        Some(&header(b"MSH|^~\\&|A\x1cB|B|C|D|2026||ADT^A01|7\x1c|P|2.5.1\r")),
        Verdict::Accepted,
    );
    assert!(!all.concat().contains(&0x1c), "{}", shown(&all));
}

#[test]
fn nobody_acknowledges_an_acknowledgement() {
    for mode in ["", "|||AL|AL"] {
        for (kind, refusal) in [
            ("ACK", Refusal::Busy),
            ("MCF^Q02", Refusal::Busy),
            // One by its segments alone.
            ("ORR^O02", Refusal::NotAwaited),
        ] {
            let text = format!("MSH|^~\\&|A|B|C|D|2026||{kind}|7|P|2.5.1{mode}\r");
            let all = answers(Some(&header(text.as_bytes())), Verdict::Refused(&refusal));
            assert!(all.is_empty(), "{}", shown(&all));
        }
    }
    assert_eq!(Refusal::NotAwaited.status().0, 409);
}

#[test]
fn every_answer_reads_back_as_hl7_with_its_codes() {
    let refusals = every_refusal();
    for refusal in &refusals {
        for version in ["2.1", "2.3", "2.3.1", "2.4", "2.5", "2.8.2", ""] {
            let text = format!("MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|{version}\r");
            let all = answers(Some(&header(text.as_bytes())), Verdict::Refused(refusal));
            let answer = Message::parse(all[0].clone().into()).expect("HL7");
            assert!(answer.findings().is_empty(), "{:?}", answer.findings());
            let find = |path: &str| {
                let range = answer.find(&path.parse().expect("a path")).expect(path);
                answer.text(range).expect("text")
            };
            let (code, error) = refusal.reply();
            assert_eq!(find("MSA-1"), code.word());
            let at = if text.contains("|2.5\r") || text.contains("|2.8.2\r") || version.is_empty() {
                "ERR-3.1"
            } else {
                "ERR-1.4.1"
            };
            assert_eq!(find(at), error.word(), "{refusal} in {version}");
        }
    }
}

#[test]
fn what_may_be_anything_is_not_given_back() {
    // Segments that have run together: MSH-18 is what should have been PID-6.
    let text = "MSH|^~\\&|A|B|C|D|2026||ADT^EVERYWOMAN7654321|7|P|2.5 PID|1||4711|||Zwiebel|||\r";
    let all = answers(Some(&header(text.as_bytes())), Verdict::Accepted);
    let said = shown(&all);
    assert!(said.contains("||ACK|OURS1|") && !said.contains("Zwiebel"), "{said}");
    for (field, is_given_back) in [
        ("8859/1", true),
        ("UNICODE UTF-8", true),
        ("ASCII~ISO IR87", true),
        ("~ISO IR159", true),
        ("windows-1252", true),
        ("Zwiebel", false),
        ("ASCII~Zwiebel", false),
    ] {
        let text = format!("MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5||||||{field}\r");
        let all = answers(Some(&header(text.as_bytes())), Verdict::Accepted);
        assert_eq!(shown(&all).contains(&format!("|{field}\n")), is_given_back, "{field}");
    }
}

mod echoes;
mod truth;

//! Wrong input of each kind gets a clear error in the right place, and stops nothing.

use hilum_tests::{Site, adt};

const SITE: &str = r#"
[gateway]
name = "wrong-input"
data = "data"
timezone = "UTC"

[admin]
bind = "127.0.0.1:0"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"
frame_bytes_max = "64 KiB"
read_timeout = "1s"
connections_max = 4

[destination.out]
kind = "file"
folder = "out"
clearance = "treatment"

[route.all]
from = "adt-in"
when = "MSH-9.1 == 'ADT'"
to = ["out"]
"#;

/// Sends raw bytes on a connection of their own and gives the answer, with our times and ids left out.
fn answer(running: &hilum_tests::Running<'_>, content: &[u8]) -> String {
    let mut client = running.client("adt-in").expect("connected");
    let answer = client.send(content).expect("answered");
    answer
        .split('\r')
        .map(|segment| {
            let separator = answer.chars().nth(3).expect("MSH-1").to_string();
            let mut fields: Vec<&str> = segment.split(&separator).collect();
            let id = match fields[0] {
                "MSH" => Some(9),
                "BHS" | "FHS" => Some(10),
                _ => None,
            };
            if let Some(id) = id {
                fields[6] = "<time>";
                fields[id] = "<id>";
            }
            fields.join(&separator) + "\n"
        })
        .collect::<String>()
        .trim_end()
        .to_owned()
}

#[test]
fn each_wrong_message_is_answered_in_the_senders_protocol() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let check = |content: &[u8], expected: expect_test::Expect| {
        expected.assert_eq(&answer(&running, content));
    };
    check(
        b"this is no HL7",
        expect_test::expect![[r#"
            MSH|^~\&|||||<time>||ACK|<id>|P|2.5.1
            MSA|AR
            ERR|||100^Segment sequence error^HL70357|E||||this is no HL7 v2 message: no usable MSH"#]],
    );
    check(
        b"MSH|^~\\&|A|B|C|D|20260101||ORU^R01^ORU_R01|7|P|2.5.1\r",
        expect_test::expect![[r#"
            MSH|^~\&|C|D|A|B|<time>||ACK^R01^ACK|<id>|P|2.5.1
            MSA|AR|7
            ERR||MSH^1^9|200^Unsupported message type^HL70357|E||||no route takes this kind of message"#]],
    );
    check(
        b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01^ADT_A01||P|2.5.1\r",
        expect_test::expect![[r#"
            MSH|^~\&|C|D|A|B|<time>||ACK^A01^ACK|<id>|P|2.5.1
            MSA|AE
            ERR||MSH^1^10|101^Required field missing^HL70357|E||||MSH-10: required field is missing"#]],
    );
    check(
        b"MSH#*~\\&#A#B#C#D#20260101##ADT*A01*ADT_A01##P#2.3\r",
        expect_test::expect![[r#"
            MSH#*~\&#C#D#A#B#<time>##ACK*A01#<id>#P#2.3
            MSA#AE##MSH-10: required field is missing
            ERR#MSH*1*10*101&Required field missing&HL70357"#]],
    );
    // A batch whose segments are of no message, and a message that comes in parts.
    check(
        b"BHS|^~\\&|A|B|C|D|2026||||B1\rEVN|A01\rPID|1||4711\rBTS|1\r",
        expect_test::expect![[r#"
            BHS|^~\&|C|D|A|B|<time>||||<id>|B1
            MSH|^~\&|C|D|A|B|<time>||ACK|<id>|P|2.5.1
            MSA|AE|B1
            ERR|||100^Segment sequence error^HL70357|E||||segments stand outside of all messages
            BTS|1"#]],
    );
    check(
        b"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|8|P|2.5.1\rDSC|7|F\r",
        expect_test::expect![[r#"
            MSH|^~\&|C|D|A|B|<time>||ACK^A01^ACK|<id>|P|2.5.1
            MSA|AE|8
            ERR||DSC^1^1|207^Application internal error^HL70357|E||||DSC-1: a message that comes in several parts is not put together: send it whole"#]],
    );
    // After all that the gateway still takes what is right.
    let mut client = running.client("adt-in").expect("connected");
    let right = client.send(&adt("W1", "4711")).expect("answered");
    assert!(right.contains("\rMSA|AA|W1"), "{right}");
    running.wait_until_idle().expect("idle");
    let listed = running.list("message").expect("listed");
    assert_eq!(listed.as_array().expect("a list").len(), 1, "only what was accepted is stored");
}

#[test]
fn what_is_no_mllp_is_not_answered_and_closed() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    client.write(&vec![b'G'; 4096]).expect("written");
    assert!(client.is_closed(), "more than 1 KiB of junk closes the connection");

    let mut client = running.client("adt-in").expect("connected");
    client.write(b"\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A01|8|P|2.5.1\r").expect("written");
    assert!(client.is_closed(), "a frame without an end closes the connection after read_timeout");
}

#[test]
fn a_frame_over_its_limit_is_refused_by_its_control_id_and_closed() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    let mut message = adt("LONG1", "4711");
    message.extend(vec![b'X'; 70_000]);
    client.write(&[b"\x0b", message.as_slice()].concat()).expect("written");
    let answer = client.answer().expect("answered");
    assert!(answer.contains("\rMSA|AR|LONG1"), "{answer}");
    assert!(answer.contains("longer than the 65536 bytes that this listener takes"), "{answer}");
    assert!(client.is_closed());
    let listed = running.list("message").expect("listed");
    assert_eq!(listed.as_array().expect("a list").len(), 0);
}

#[test]
fn a_message_that_does_not_end_in_time_is_cut_and_the_log_says_whose() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    client.write(b"\x0bMSH|^~\\&|ZWIEBELFISCH").expect("written");
    assert!(client.is_closed(), "without an answer");
    let is_told = |line: &&str| {
        let parts = [
            "\"WARN\"",
            "its message did not end in time",
            "\"listener\":\"adt-in\"",
            "\"peer\":\"127.0.0.1:",
        ];
        parts.iter().all(|it| line.contains(it))
    };
    let told = || site.log().lines().filter(is_told).count();
    running.wait("the line in the log", |_| Ok(0 < told())).expect("told");
    assert_eq!(told(), 1);
    let log = site.log();
    assert!(!log.contains("ZWIEBELFISCH"), "{log}");
    assert_eq!(running.terminate().expect("stopped"), 0);
}

#[test]
fn a_connection_over_the_limit_is_closed_at_once_and_the_others_go_on() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let mut first = running.client("adt-in").expect("connected");
    assert!(first.send(&adt("C0", "1")).expect("answered").contains("|AA|"));
    let mut others: Vec<_> = (0..3).map(|_| running.client("adt-in").expect("connected")).collect();
    for (number, client) in others.iter_mut().enumerate() {
        let answer = client.send(&adt(&format!("C{}", number + 1), "1")).expect("answered");
        assert!(answer.contains("|AA|"), "{answer}");
    }
    let mut fifth = running.client("adt-in").expect("connected");
    assert!(fifth.is_closed());
    assert!(first.send(&adt("C9", "1")).expect("answered").contains("|AA|"));
}

#[test]
fn the_same_message_twice_is_answered_alike_and_delivered_once() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    for _ in 0..3 {
        let answer = client.send(&adt("D1", "4711")).expect("answered");
        assert!(answer.contains("\rMSA|AA|D1"), "{answer}");
    }
    running.wait_until_idle().expect("idle");
    let files = std::fs::read_dir(site.path().join("out")).expect("out/").count();
    assert_eq!(files, 1);
}

#[test]
fn an_acknowledgement_is_not_acknowledged() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    client
        .write(b"\x0bMSH|^~\\&|A|B|C|D|20260101||ACK^A01^ACK|8|P|2.5.1\rMSA|AA|1\r\x1c\r")
        .expect("written");
    // The next answer on this connection belongs to the next message.
    let answer = client.send(&adt("AFTER", "4711")).expect("answered");
    assert!(answer.contains("\rMSA|AA|AFTER"), "{answer}");
}

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use bytes::Bytes;
use hilum_peers::{Ack, MllpReceiver};
use hilum_words::config::Document;
use hilum_words::{DeliveryId, MessageId, Problems, RunId, Timestamp};

use super::*;

mod enhanced;
mod unframed;

fn message(control_id: &str, accept: &str, application: &str) -> String {
    format!(
        "MSH|^~\\&|A|B|C|D|2026||ADT^A01^ADT_A01|{control_id}|P|2.5.1|||{accept}|{application}\r\
         PID|1||4711||Zwiebelfisch\r"
    )
}

fn delivery(body: &str) -> Delivery {
    Delivery {
        id: DeliveryId::from_bits(7),
        message: MessageId::from_bits(8),
        run: RunId::from_bits(9),
        ordinal: 1,
        received: Timestamp::from_micros(0),
        attempt: 1,
        format: FORMAT.into(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

/// What sends, to whatever listens at an address.
struct Sender {
    runtime: tokio::runtime::Runtime,
    destination: Arc<MllpDestination>,
    metrics: Metrics,
}

impl Sender {
    fn to(address: &str, more: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("tokio");
        let problems = Problems::default();
        let text = format!("address = \"{address}\"\n{more}");
        let document = Document::parse("hilum.toml", &text, &problems);
        let config = MllpConfig::read(&mut document.root(&problems)).expect("a destination");
        assert!(problems.is_empty(), "{problems:?}");
        let doors = hilum_env::system::doors(runtime.handle().clone());
        let destination = MllpDestination::new(&"lab".into(), &config, &Secrets::default(), &doors);
        let metrics = Metrics::default();
        destination.count_with(&metrics);
        Self { runtime, destination: Arc::new(destination), metrics }
    }

    fn deliver(&self, delivery: &Delivery) -> Result<Delivered, SendFault> {
        let one = std::slice::from_ref(delivery);
        let mut results = self.runtime.block_on(self.destination.send_many(one));
        assert_eq!(results.len(), 1);
        results.remove(0)
    }

    /// Sends a message and says what came of it.
    fn send(&self, control_id: &str, accept: &str, application: &str) -> String {
        self.say(&delivery(&message(control_id, accept, application)))
    }

    fn say(&self, delivery: &Delivery) -> String {
        match self.deliver(delivery) {
            Ok(delivered) => delivered.code,
            Err(fault) => format!("{:?}: {fault}", fault.whose()),
        }
    }

    /// The strays that were counted, in the order of their words.
    fn strays(&self) -> Vec<String> {
        let mut registry = prometheus_client::registry::Registry::default();
        self.metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("encoded");
        let start = "stray_answers_total{destination=\"lab\",answer=\"";
        let mut all: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix(start))
            .map(|line| line.replace("\"}", ""))
            .collect();
        all.sort();
        all
    }
}

struct Site {
    receiver: MllpReceiver,
    sender: Sender,
}

impl Site {
    fn new(more: &str) -> Self {
        let receiver = MllpReceiver::start().expect("a receiver");
        let sender = Sender::to(&receiver.address().to_string(), more);
        Self { receiver, sender }
    }

    fn send(&self, control_id: &str) -> String {
        self.sender.send(control_id, "", "")
    }

    /// Waits until the receiver has read so many messages.
    #[track_caller]
    fn wait_for(&self, count: usize) {
        for _ in 0..10_000 {
            if self.receiver.received().len() == count {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        panic!("the receiver does not get {count} messages");
    }

    /// What one answer of the receiver makes of one message.
    #[track_caller]
    fn check(&self, control_id: &str, ack: Ack, expected: &str) {
        self.receiver.answer_next([ack]);
        assert_eq!(self.send(control_id), expected);
    }
}

/// Gives what the peer has said or done the time to arrive.
fn let_it_arrive() {
    std::thread::park_timeout(Duration::from_millis(100));
}

const QUICK: &str = "timeout = \"500ms\"\n";

fn raw(text: &str) -> Ack {
    Ack::Raw(text.as_bytes().to_vec())
}

fn acknowledgement(msa: &str) -> String {
    format!("\u{b}MSH|^~\\&|P|P|H|H|2026||ACK|9|P|2.5.1\rMSA|{msa}\r\u{1c}\r")
}

#[test]
fn messages_go_out_byte_for_byte_on_one_connection_and_answers_are_kept() {
    let site = Site::new("");
    for number in 0..5 {
        let body = message(&format!("M{number}"), "", "");
        let delivered = site.sender.deliver(&delivery(&body)).expect("delivered");
        assert_eq!(delivered.code, "AA");
        let (format, answer) = delivered.answer.expect("an answer");
        assert_eq!(format.as_str(), "hl7v2");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("MSH|") && answer.contains("\rMSA|AA|M"), "{answer}");
        assert_eq!(site.receiver.received().last(), Some(&body.into_bytes()));
    }
    assert_eq!(site.receiver.connections(), 1);
    assert!(site.sender.strays().is_empty());
}

#[test]
fn negative_answers_mean_what_the_table_says_and_quote_nothing() {
    let site = Site::new("");
    site.check("1", Ack::Error("AE", "101"), "Content: rejected: AE (101 at PID-5)");
    site.check("2", Ack::Code("AR"), "Moment: busy: AR");
    site.check("3", Ack::Error("AR", "203"), "Content: rejected: AR (203 at PID-5)");
    site.check("4", Ack::Error("AR", "207"), "Moment: busy: AR (207 at PID-5)");
    site.check("5", Ack::Error("CE", "Zwiebelfisch"), "Content: rejected: CE (at PID-5)");
    site.check("6", Ack::Code("CR"), "Moment: busy: CR");
    assert_eq!(site.receiver.connections(), 1, "an answer is an answer");
    let swapped = Site::new("on_answer = { AE = \"retry\", AR = \"park\" }\n");
    swapped.check("1", Ack::Code("AE"), "Moment: busy: AE");
    swapped.check("2", Ack::Code("AR"), "Content: rejected: AR");
}

#[test]
fn an_answer_with_other_delimiters_is_known_by_its_text() {
    let site = Site::new("");
    let ack = "\u{b}MSH$%~!@$P$P$H$H$2026$$ACK$9$P$2.5.1\rMSA$AA$A&B!F!7\r\u{1c}\r";
    site.receiver.answer_next([raw(&ack.replace("!F!", "|"))]);
    let body = message("A\\T\\B\\F\\7", "", "");
    assert_eq!(site.sender.say(&delivery(&body)), "AA");
}

#[test]
fn what_is_not_the_answer_to_this_message_settles_nothing() {
    let site = Site::new(QUICK);
    let unknown = |came: &str| format!("Unknown: outcome unknown: no answer in time{came}");
    site.check("1", Ack::Silence, &unknown(""));
    site.check("2", Ack::Of("ANOTHER"), &unknown("; came: 1 to another message"));
    site.check("3", raw("\u{b}\u{1c}\r"), &unknown("; came: 1 empty"));
    site.check("4", raw(&acknowledgement("AA|")), &unknown("; came: 1 without a control id"));
    site.check("5", raw("\u{b}\u{6}\u{1c}\r"), &unknown("; came: 1 that is no acknowledgement"));
    let question = format!("\u{b}{}\u{1c}\r", message("6", "", ""));
    site.check("6", raw(&question), &unknown("; came: 1 that is no acknowledgement"));
    site.check("7", raw("\u{b}MSH|^~\\&|P\u{b}\u{1c}\r"), &unknown("; came: 1 empty, 1 cut off"));
    assert_eq!(
        site.sender.strays(),
        ["cut_off 1", "empty 2", "foreign 1", "no_acknowledgement 2", "no_control_id 1"]
    );
    assert_eq!(site.receiver.connections(), 7, "a connection without its answer is not used again");
    // The right one among others is found.
    let all = vec![Ack::Of("ANOTHER"), raw("\u{b}\u{1c}\r"), Ack::Code("AA")];
    site.check("8", Ack::All(all), "AA");
}

#[test]
fn late_double_and_unsolicited_answers_settle_no_other_message() {
    let site = Site::new("");
    site.check("1", Ack::All(vec![Ack::Code("AA"), Ack::Code("AA")]), "AA");
    let_it_arrive();
    site.receiver.say(acknowledgement("AA|2").as_bytes());
    let_it_arrive();
    // An answer to it came before it was sent: that was no answer to it.
    site.check("2", Ack::Error("AE", "102"), "Content: rejected: AE (102 at PID-5)");
    assert_eq!(site.sender.strays(), ["repeated 1", "unsolicited 1"]);
    // One that asked for no answer gets one, after the next has gone out.
    site.receiver.answer_next([Ack::Silence, Ack::All(vec![Ack::Of("3"), Ack::Code("AR")])]);
    assert_eq!(site.sender.send("3", "NE", "NE"), "unconfirmed");
    assert_eq!(site.send("4"), "Moment: busy: AR");
    assert_eq!(site.sender.strays(), ["late 1", "repeated 1", "unsolicited 1"]);
    assert_eq!(site.receiver.connections(), 1);
}

#[test]
fn a_late_answer_finds_its_connection_closed() {
    let site = Site::new(QUICK);
    let late = Ack::After(Duration::from_millis(800), Box::new(Ack::Code("AA")));
    site.receiver.answer_next([late, Ack::Code("AE")]);
    assert!(site.send("1").starts_with("Unknown"));
    std::thread::park_timeout(Duration::from_millis(500));
    assert_eq!(site.send("1"), "Content: rejected: AE");
    assert_eq!(site.receiver.connections(), 2);
    assert!(site.sender.strays().is_empty());
}

#[test]
fn the_same_control_id_goes_out_once_on_a_connection() {
    let site = Site::new("");
    // The second answer to the first attempt must not settle the second attempt.
    let twice = Ack::All(vec![
        Ack::Code("AR"),
        Ack::After(Duration::from_millis(200), Box::new(Ack::Code("AA"))),
    ]);
    site.receiver.answer_next([twice, Ack::Code("AE")]);
    assert_eq!(site.send("1"), "Moment: busy: AR");
    assert_eq!(site.send("1"), "Content: rejected: AE");
    assert_eq!(site.receiver.connections(), 2);
    let received = site.receiver.received();
    assert_eq!(received[0], received[1], "the same bytes on each attempt");
}

#[test]
fn enhanced_mode_waits_for_what_was_asked() {
    let site = Site::new(QUICK);
    let send = |control_id: &str, accept: &str, application: &str, acks: &[Ack]| {
        site.receiver.answer_next([Ack::All(acks.to_vec())]);
        site.sender.send(control_id, accept, application)
    };
    let (ca, aa, ae) = (Ack::Code("CA"), Ack::Code("AA"), Ack::Code("AE"));
    assert_eq!(send("1", "AL", "NE", std::slice::from_ref(&ca)), "CA");
    assert_eq!(send("2", "AL", "AL", &[ca.clone(), aa.clone()]), "AA");
    assert_eq!(send("3", "AL", "AL", &[ca.clone(), ae.clone()]), "Content: rejected: AE");
    assert_eq!(send("4", "NE", "AL", std::slice::from_ref(&aa)), "AA");
    assert_eq!(send("5", "AL", "AL", &[Ack::Code("CE")]), "Content: rejected: CE");
    assert_eq!(send("6", "AL", "NE", &[Ack::Code("CR")]), "Moment: busy: CR");
    // An application acknowledgement alone speaks for the message, and so does a commit where
    // nobody has asked for one.
    assert_eq!(send("7", "AL", "AL", std::slice::from_ref(&aa)), "AA");
    assert_eq!(send("8", "", "", std::slice::from_ref(&ca)), "CA");
    assert_eq!(send("9", "ER", "NE", std::slice::from_ref(&ae)), "Content: rejected: AE");
    assert_eq!(send("10", "ER", "NE", &[]), "unconfirmed");
    assert_eq!(send("11", "NE", "NE", &[]), "unconfirmed");
    // It was not waited for, and the next answers are for the next message.
    site.wait_for(11);
    assert_eq!(site.receiver.connections(), 1);
    // Each answer has its own time.
    let slow = Ack::After(Duration::from_millis(300), Box::new(aa.clone()));
    let later = Ack::After(Duration::from_millis(300), Box::new(ca.clone()));
    assert_eq!(send("12", "AL", "AL", &[later, slow]), "AA");
    assert!(site.sender.strays().is_empty());
    assert_eq!(
        send("13", "AL", "AL", &[ca.clone(), ca.clone(), Ack::Of("2")]),
        "Stored: stored there, outcome unknown: CA, then no answer in time; came: 2 repeated"
    );
    assert_eq!(
        send("14", "AL", "AL", &[ca, Ack::HangUp]),
        "Stored: stored there, outcome unknown: CA, then the connection closed without an answer"
    );
}

#[test]
fn a_kept_connection_that_was_closed_meanwhile_costs_nothing() {
    let site = Site::new("");
    assert_eq!(site.send("1"), "AA");
    site.receiver.hang_up();
    let_it_arrive();
    assert_eq!(site.send("2"), "AA", "it went out on a fresh connection");
    assert_eq!((site.receiver.connections(), site.receiver.received().len()), (2, 2));
}

#[test]
fn a_connection_that_closes_on_the_message_leaves_the_outcome_unknown() {
    let site = Site::new("");
    assert_eq!(site.send("1"), "AA");
    let closed = "Unknown: outcome unknown: the connection closed without an answer";
    site.check("2", Ack::HangUp, closed);
    let half = Ack::All(vec![raw("\u{b}MSH|^~\\&|P|P"), Ack::HangUp]);
    site.check("3", half, "Unknown: outcome unknown: the connection closed inside an answer");
    assert_eq!(site.receiver.received().len(), 3, "none was sent again behind the courier's back");
    let code = acknowledgement("OK|4");
    site.check(
        "4",
        raw(&code),
        "Unknown: outcome unknown: MSA-1 of the answer is not in table 0008",
    );
    // FS without CR ends an answer, too, if nothing follows it.
    let cut = acknowledgement("AA|5").trim_end().to_owned();
    site.check("5", Ack::All(vec![raw(&cut), Ack::HangUp]), "AA");
    let cut = acknowledgement("AA|6").trim_end().to_owned();
    site.check("6", raw(&cut), "AA");
}

#[test]
fn nobody_there_is_not_reached() {
    let site = Site::new("");
    assert_eq!(site.send("1"), "AA");
    site.receiver.down();
    let_it_arrive();
    assert_eq!(site.send("2"), "Destination: not reached: connection refused");
    site.receiver.recover().expect("it listens again");
    assert_eq!(site.send("2"), "AA");
}

#[test]
fn every_bound_of_an_answer_bites() {
    let site = Site::new("answer_bytes_max = 256\ntimeout = \"2s\"\n");
    let long = acknowledgement(&format!("AA|1|{}", "x".repeat(300)));
    let fault = "Unknown: outcome unknown: what came back is not MLLP: ";
    site.check("1", raw(&long), &format!("{fault}a frame is longer than 256 bytes"));
    let junk = "x".repeat(2_000);
    let said = format!("{fault}more than 1024 bytes stood where a frame should begin");
    site.check("2", raw(&junk), &said);
    assert_eq!(site.send("3"), "AA");
    site.receiver.say(acknowledgement("AA|9").repeat(9).as_bytes());
    let_it_arrive();
    assert_eq!(site.send("4"), "AA", "who says so much unasked is dialled anew");
    assert_eq!(site.receiver.connections(), 4);
}

#[test]
fn what_cannot_be_answered_or_would_be_cut_off_is_refused_unsent() {
    let site = Site::new("");
    let refused = |body: &str| site.sender.say(&delivery(body));
    let body = message("1", "", "");
    let framing = "Content: rejected: the content holds a byte of the framing (VT or FS) at offset";
    assert!(refused(&body.replace("fisch", "\u{1c}fisch")).starts_with(framing));
    assert!(refused(&format!("{body}\u{b}")).starts_with(framing));
    assert_eq!(
        refused(&message("", "", "")),
        "Content: rejected: MSH-10 is empty, so no answer could be told to be its own"
    );
    let batch =
        "Content: rejected: a batch cannot be sent yet: no single answer speaks for all of it";
    assert_eq!(refused(&format!("{body}{body}")), batch);
    assert_eq!(refused(&format!("BHS|^~\\&\r{body}")), batch);
    assert_eq!(refused("PID|1\r"), "Content: rejected: the message does not begin with MSH");
    let other = Delivery { format: "fhir-json".into(), ..delivery("{}") };
    assert_eq!(
        site.sender.say(&other),
        "Content: rejected: an MLLP receiver takes hl7v2, not fhir-json"
    );
    assert_eq!(site.receiver.connections(), 0, "nothing was dialled");
}

/// A receiver that refuses a message at its head: it reads 1 KiB, says `msa`, and reads no more.
fn refuses_early(msa: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("an address").to_string();
    let serve = move || {
        let (mut stream, _) = listener.accept().expect("accepted");
        stream.read_exact(&mut [0; 1 << 10]).expect("read");
        stream.write_all(acknowledgement(msa).as_bytes()).expect("written");
        std::thread::park_timeout(Duration::from_secs(2));
    };
    std::thread::Builder::new().spawn(serve).expect("a thread");
    address
}

#[test]
fn a_refusal_at_the_head_of_a_message_is_heard_and_an_acceptance_is_not_believed() {
    let long = message("1", "", "") + "OBX|1|ED|||" + &"x".repeat(32 << 20) + "\r";
    let sender = Sender::to(&refuses_early("AE|1"), "timeout = \"500ms\"\n");
    assert_eq!(sender.say(&delivery(&long)), "Content: rejected: AE");
    let sender = Sender::to(&refuses_early("AA|1"), "timeout = \"500ms\"\n");
    assert_eq!(
        sender.say(&delivery(&long)),
        "Unknown: outcome unknown: broke off while the message was written: could not be written in time"
    );
}

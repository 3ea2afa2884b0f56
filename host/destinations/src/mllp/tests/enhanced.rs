//! The enhanced mode: two acknowledgements, the second of which may come another way.

use std::thread::scope;

use super::*;

const ELSEWHERE: &str = "ack_listener = \"acks-in\"\napplication_timeout = \"500ms\"\n";

fn ack(msa: &str) -> Bytes {
    let text = format!("MSH|^~\\&|P|P|H|H|2026||ACK^A01^ACK|9|P|2.5.1\rMSA|{msa}\r");
    Bytes::from(text.into_bytes())
}

impl Site {
    /// An acknowledgement comes to the listener that the destination names.
    fn comes(&self, msa: &str) -> bool {
        self.sender.destination.answered(&ack(msa))
    }

    /// Sends a message that asks for both, while something else happens.
    fn send_while(&self, control_id: &str, act: impl FnOnce(&Self)) -> String {
        scope(|scope| {
            let sending = scope.spawn(|| self.sender.send(control_id, "AL", "AL"));
            act(self);
            sending.join().expect("no panic")
        })
    }
}

#[test]
fn the_copy_that_is_sent_asks_for_both_and_is_else_the_same() {
    let site = Site::new("enhanced = true\n");
    site.receiver.answer_next([Ack::All(vec![Ack::Code("CA"), Ack::Code("AA")])]);
    assert_eq!(site.send("1"), "AA");
    let short = "MSH|^~\\&|A|B|C|D|2026||ADT^A01|2|P|2.5\rPID|1||4711^^^A&1.2&ISO\rZZZ||\r\r";
    site.receiver.answer_next([Ack::All(vec![Ack::Code("CA"), Ack::Code("AE")])]);
    assert_eq!(site.sender.say(&delivery(short)), "Content: rejected: AE");
    let received = site.receiver.received();
    let text = |index: usize| String::from_utf8_lossy(&received[index]).into_owned();
    assert_eq!(text(0), message("1", "AL", "AL"));
    assert_eq!(text(1), short.replace("|2.5\r", "|2.5|||AL|AL\r"));
}

#[test]
fn the_applications_comes_to_the_listener_that_is_named() {
    let site = Site::new(ELSEWHERE);
    site.receiver.answer(Ack::Code("CA"));
    let said = site.send_while("1", |site| {
        site.wait_for(1);
        for stray in ["AA|2", "AA|", "CA|1", "XX|1"] {
            assert!(!site.comes(stray), "{stray} settles nothing");
        }
        assert!(!site.sender.destination.answered(&Bytes::from_static(b"nothing")));
        assert!(site.comes("AA|1"));
        assert!(!site.comes("AA|1"), "once is enough");
    });
    assert_eq!(said, "AA");
    let said = site.send_while("2", |site| {
        site.wait_for(2);
        assert!(site.comes("AE|2"));
    });
    assert_eq!(said, "Content: rejected: AE");
    assert!(!site.comes("AA|2"), "nobody waits any more");
    assert_eq!(site.receiver.connections(), 1);
    let strays = site.sender.strays();
    // Commit acknowledgements that came after the application's are counted as repeated.
    let named: Vec<_> = strays.iter().filter(|it| !it.starts_with("repeated")).collect();
    assert_eq!(named, ["no_acknowledgement 1", "no_control_id 1", "unsolicited 5"]);
}

#[test]
fn the_applications_may_overtake_the_commit() {
    let site = Site::new(ELSEWHERE);
    let late = Ack::After(Duration::from_millis(300), Box::new(Ack::Code("CA")));
    site.receiver.answer_next([late]);
    let said = site.send_while("1", |site| {
        site.wait_for(1);
        assert!(site.comes("AA|1"));
    });
    assert_eq!(said, "AA");
}

#[test]
fn a_connection_that_ends_after_the_commit_is_not_needed_for_the_applications() {
    let site = Site::new(ELSEWHERE);
    let ends = Ack::All(vec![Ack::Code("CA"), Ack::HangUp]);
    site.receiver.answer_next([ends.clone(), Ack::HangUp, ends]);
    let after_a_while = |site: &Site, count: usize, msa: &str| {
        site.wait_for(count);
        let_it_arrive();
        assert!(site.comes(msa));
    };
    assert_eq!(site.send_while("1", |site| after_a_while(site, 1, "AA|1")), "AA");
    // It asked for a commit acknowledgement and got none: anybody may say that the application has it.
    let said = site.send_while("2", |site| {
        site.wait_for(2);
        site.comes("AA|2");
    });
    let unknown = "Unknown: outcome unknown: the connection closed without an answer";
    assert!(said.starts_with(unknown), "{said}");
    let said = site.send_while("3", |_| {});
    assert_eq!(said, "Stored: stored there, outcome unknown: CA, then no answer in time");
    assert_eq!(site.receiver.connections(), 3);
    assert!(!site.comes("AA|3"), "too late: a person looks at it");
}

#[test]
fn the_applications_may_come_on_another_of_our_connections() {
    let site = Site::new("connections_max = 2\napplication_timeout = \"20s\"\n");
    let both = Ack::All(vec![Ack::Of("1"), Ack::Code("CA"), Ack::Code("AA")]);
    site.receiver.answer_next([Ack::Code("CA"), both]);
    let said = site.send_while("1", |site| {
        site.wait_for(1);
        assert_eq!(site.sender.send("2", "AL", "AL"), "AA");
    });
    assert_eq!(said, "AA");
    assert_eq!(site.receiver.connections(), 2);
    assert!(site.sender.strays().is_empty(), "{:?}", site.sender.strays());
}

#[test]
fn without_the_enhanced_mode_nothing_from_elsewhere_settles_a_message() {
    let site = Site::new("ack_listener = \"acks-in\"\ntimeout = \"300ms\"\n");
    site.receiver.answer(Ack::Silence);
    let said = scope(|scope| {
        let sending = scope.spawn(|| site.send("1"));
        site.wait_for(1);
        assert!(!site.comes("AA|1"));
        sending.join().expect("no panic")
    });
    assert_eq!(said, "Unknown: outcome unknown: no answer in time");
}

#[test]
fn two_messages_of_one_control_id_do_not_wait_together() {
    let site = Site::new(ELSEWHERE);
    site.receiver.answer(Ack::Code("CA"));
    let said = site.send_while("1", |site| {
        site.wait_for(1);
        assert_eq!(
            site.sender.send("1", "AL", "AL"),
            "Moment: busy: another message with this MSH-10 waits for its acknowledgement"
        );
        assert!(site.comes("AA|1"));
    });
    assert_eq!(said, "AA");
    assert_eq!(site.receiver.received().len(), 1);
}

#[test]
fn a_connection_that_waited_for_too_long_is_not_used_again() {
    let site = Site::new("idle_timeout = \"50ms\"\n");
    assert_eq!(site.send("1"), "AA");
    let_it_arrive();
    assert_eq!(site.send("2"), "AA");
    assert_eq!(site.receiver.connections(), 2);
}

/// An application acknowledgement that asks for one back.
fn asking(control_id: &str) -> Ack {
    let text = format!(
        "\u{b}MSH|^~\\&|P|P|H|H|2026||ACK^A01^ACK|K{control_id}|P|2.5.1|||AL|NE\rMSA|AA|{control_id}\r\u{1c}\r"
    );
    Ack::All(vec![Ack::Code("CA"), Ack::Raw(text.into_bytes()), Ack::Silence])
}

/// The receiver takes what comes back for a message, too: it must not answer it.
fn after(count: usize, ack: Ack) -> impl Iterator<Item = Ack> {
    std::iter::repeat_n(Ack::Silence, count).chain([ack])
}

#[test]
fn an_acknowledgement_that_asks_for_one_back_gets_it_once_the_outcome_is_durable() {
    let site = Site::new("");
    site.receiver.answer_next([asking("1")]);
    assert_eq!(site.sender.send("1", "AL", "AL"), "AA");
    let_it_arrive();
    assert_eq!(site.receiver.received().len(), 1, "nothing is durable yet");
    // What became of another delivery is not what it waits for.
    assert!(site.sender.destination.recorded(DeliveryId::from_bits(8)).is_none());
    site.receiver.answer_next(after(1, asking("2")));
    let recorded = site.sender.destination.recorded(DeliveryId::from_bits(7));
    site.sender.runtime.block_on(recorded.expect("it is owed"));
    site.wait_for(2);
    let said = String::from_utf8_lossy(&site.receiver.received()[1]).into_owned();
    assert!(said.starts_with("MSH|^~\\&|H|H|P|P|"), "{said}");
    assert!(said.contains("||ACK^A01^ACK|"), "{said}");
    assert!(said.ends_with("|P|2.5.1|||NE|NE\rMSA|CA|K1\r"), "{said}");
    assert!(site.sender.destination.recorded(DeliveryId::from_bits(7)).is_none(), "once");
    // The same connection serves the next message.
    assert_eq!(site.sender.send("2", "AL", "AL"), "AA");
    assert_eq!(site.receiver.connections(), 1);
    assert!(site.sender.strays().is_empty());
}

#[test]
fn a_connection_that_owes_an_acknowledgement_is_waited_for_and_not_for_ever() {
    let site = Site::new("connect_timeout = \"300ms\"\n");
    site.receiver.answer_next([asking("1"), Ack::Silence, Ack::Code("AA")]);
    assert_eq!(site.sender.send("1", "AL", "AL"), "AA");
    // The next message waits for the one connection that there may be.
    let said = scope(|scope| {
        let sending = scope.spawn(|| site.send("2"));
        let recorded = site.sender.destination.recorded(DeliveryId::from_bits(7));
        site.sender.runtime.block_on(recorded.expect("it is owed"));
        sending.join().expect("no panic")
    });
    assert_eq!((said.as_str(), site.receiver.connections()), ("AA", 1));
    // An outcome that is never written down must not hold it for ever.
    site.receiver.answer_next([asking("3"), Ack::Code("AA")]);
    assert_eq!(site.sender.send("3", "AL", "AL"), "AA");
    assert_eq!(site.send("4"), "AA");
    assert_eq!(site.receiver.connections(), 2, "the first was closed");
}

#[test]
fn what_comes_elsewhere_is_acknowledged_where_it_came() {
    let site = Site::new(ELSEWHERE);
    site.receiver.answer(Ack::Code("CA"));
    let said = site.send_while("1", |site| {
        site.wait_for(1);
        let asks = "MSH|^~\\&|P|P|H|H|2026||ACK|K1|P|2.5|||AL|NE\rMSA|AA|1\r";
        assert!(site.sender.destination.answered(&Bytes::from_static(asks.as_bytes())));
    });
    assert_eq!(said, "AA");
    assert!(site.sender.destination.recorded(DeliveryId::from_bits(7)).is_none());
}

#[test]
fn what_comes_elsewhere_settles_nothing_before_the_receiver_said_that_it_has_the_message() {
    let site = Site::new("ack_listener = \"acks-in\"\ntimeout = \"500ms\"\n");
    site.receiver.answer_next([Ack::Silence, Ack::Code("CE")]);
    let said = site.send_while("1", |site| {
        site.wait_for(1);
        assert!(site.comes("AA|1"));
    });
    assert_eq!(
        said,
        "Unknown: outcome unknown: no answer in time; came: 1 from elsewhere before any commit \
         acknowledgement"
    );
    // What the receiver says itself is worth more.
    let said = site.send_while("2", |site| {
        // Before the message is on its way nobody waits for anything.
        site.wait_for(2);
        site.comes("AA|2");
    });
    assert_eq!(said, "Content: rejected: CE");
}

#[test]
fn where_no_commit_acknowledgement_is_asked_for_none_is_waited_for() {
    let site = Site::new("ack_listener = \"acks-in\"\n");
    site.receiver.answer(Ack::Silence);
    for (control_id, accept) in [("1", "NE"), ("2", "ER"), ("3", "")] {
        let said = scope(|scope| {
            let sending = scope.spawn(|| site.sender.send(control_id, accept, "AL"));
            site.wait_for(control_id.parse().expect("a number"));
            assert!(site.comes(&format!("AA|{control_id}")));
            sending.join().expect("no panic")
        });
        assert_eq!(said, "AA", "{accept}");
    }
}

#[test]
fn only_what_is_named_an_acknowledgement_settles_a_message_from_elsewhere() {
    let site = Site::new(ELSEWHERE);
    site.receiver.answer(Ack::Code("CA"));
    let said = site.send_while("1", |site| {
        site.wait_for(1);
        for other in ["ORR^O02", "ADT^A01", "", "ACKNOWLEDGE"] {
            let text = format!("MSH|^~\\&|P|P|H|H|2026||{other}|9|P|2.5.1\rMSA|AA|1\r");
            let came = Bytes::from(text.into_bytes());
            assert_eq!(site.sender.destination.awaits(&came), None, "{other}");
            assert!(!site.sender.destination.answered(&came), "{other}");
        }
        assert!(site.comes("AA|1"));
    });
    assert_eq!(said, "AA");
}

/// A message to somebody, and an acknowledgement from somebody.
fn to_whom(whom: &str) -> Delivery {
    delivery(&format!("MSH|^~\\&|A|B|{whom}|2026||ADT^A01|1|P|2.5|||AL|AL\rPID|1\r"))
}

fn from_whom(whom: &str, msa: &str) -> Bytes {
    format!("MSH|^~\\&|{whom}|A|B|2026||ACK|9|P|2.5\rMSA|{msa}\r").into_bytes().into()
}

/// What becomes of the copies of one message at two destinations that share a listener.
fn shared(
    [one, two]: [&str; 2],
    comes: impl FnOnce(&dyn Fn(&str, &str) -> bool) + Send,
) -> ([String; 2], Vec<String>) {
    let (a, b) = (Site::new(ELSEWHERE), Site::new(ELSEWHERE));
    for site in [&a, &b] {
        site.receiver.answer(Ack::Code("CA"));
    }
    let sharing: Vec<Arc<dyn Destination>> =
        vec![Arc::clone(&a.sender.destination) as _, Arc::clone(&b.sender.destination) as _];
    let said = scope(|scope| {
        let first = scope.spawn(|| a.sender.say(&to_whom(one)));
        let second = scope.spawn(|| b.sender.say(&to_whom(two)));
        a.wait_for(1);
        b.wait_for(1);
        comes(&|whom, msa| crate::answer_one(&sharing, &from_whom(whom, msa)));
        [first.join().expect("no panic"), second.join().expect("no panic")]
    });
    let mut strays = a.sender.strays();
    strays.extend(b.sender.strays());
    (said, strays)
}

const NOTHING: &str = "Stored: stored there, outcome unknown: CA, then no answer in time";

#[test]
fn copies_of_one_message_are_told_apart_by_who_acknowledges_them() {
    let (said, strays) = shared(["LAB-A|H", "LAB-B|H"], |comes| {
        assert!(!comes("LAB-C|H", "AR|1"), "to neither was it sent");
        assert!(comes("LAB-B|H", "AE|1"));
        assert!(!comes("LAB-B|H", "AE|1"), "the other's is not this");
        assert!(comes("LAB-A|H", "AA|1"));
    });
    assert_eq!(said, ["AA", "Content: rejected: AE"]);
    assert_eq!(strays, ["foreign 2", "foreign 1"]);
}

#[test]
fn an_acknowledgement_that_may_be_to_two_copies_settles_neither() {
    for whom in ["LAB|H", "|"] {
        let (said, strays) = shared([whom, whom], |comes| {
            assert!(!comes("LAB|H", "AE|1"));
            assert!(!comes("LAB|H", "AA|1"));
            assert!(!comes("LAB|H", "AA|2"), "nobody waits for it");
        });
        assert_eq!(said, [NOTHING, NOTHING]);
        assert_eq!(strays, ["ambiguous 2", "unsolicited 1", "ambiguous 2", "unsolicited 1"]);
    }
}

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
    let named: Vec<_> = strays.iter().filter(|it| !it.starts_with("Repeated")).collect();
    assert_eq!(named, ["NoAcknowledgement 1", "NoControlId 1", "Unsolicited 5"]);
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
    // It asked for a commit acknowledgement and got none, but the application has it.
    assert_eq!(site.send_while("2", |site| after_a_while(site, 2, "AA|2")), "AA");
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

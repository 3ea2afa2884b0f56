//! What comes back and is no answer in a frame is told, without its content.

use super::*;

#[test]
fn what_is_not_mllp_is_told_and_not_quoted() {
    let site = Site::new(QUICK);
    let unknown = |what: &str| format!("Unknown: outcome unknown: no answer in time{what}");
    let outside = "; what came back is not MLLP: ";
    let http = format!("{outside}15 bytes outside of a frame; it speaks HTTP there");
    site.check("1", raw("HTTP/1.1 400 Bad"), &unknown(&http.replace("15", "14")));
    let alert = Ack::Raw(vec![0x15, 3, 3, 0, 2, 2, 10]);
    let tls = format!("{outside}6 bytes outside of a frame; it speaks TLS there");
    site.check("2", alert, &unknown(&tls));
    let said = format!("{outside}12 bytes outside of a frame");
    site.check("3", raw("Zwiebelfisch"), &unknown(&said));
    site.check("4", raw("\r\n \r\n"), &unknown(""));
    let half = "\u{b}MSH|^~\\&|Zwiebelfisch";
    site.check("5", raw(half), &unknown("; an answer began and did not end"));
    let long = "HTTP/1.1 400 Bad Request\r\n\r\n".repeat(99);
    let junk = "what came back is not MLLP: more than 1024 bytes stood where a frame should begin";
    let said = format!("Unknown: outcome unknown: {junk}; it speaks HTTP there");
    site.check("7", raw(&long), &said);
    // What stands before the right answer harms nobody.
    site.check("6", Ack::All(vec![raw("Zwiebelfisch"), Ack::Code("AA")]), "AA");
}

#[test]
fn a_connection_that_closes_after_what_is_not_mllp_says_both() {
    let site = Site::new("");
    let closed = "Unknown: outcome unknown: the connection closed without an answer; \
                  what came back is not MLLP: 14 bytes outside of a frame; it speaks HTTP there";
    site.check("1", Ack::All(vec![raw("HTTP/1.1 400 Bad"), Ack::HangUp]), closed);
}

#[test]
fn a_connection_that_closes_before_the_commit_is_told_though_a_listener_is_named() {
    let site = Site::new("ack_listener = \"acks-in\"\nenhanced = true\ntimeout = \"60s\"\n");
    let half = Ack::All(vec![raw("\u{b}MSH|^~\\&|P|P"), Ack::HangUp]);
    site.check("1", half, "Unknown: outcome unknown: the connection closed inside an answer");
}

#[test]
fn a_connection_that_closed_while_the_answer_may_come_elsewhere_is_told_at_the_end() {
    let site = Site::new("ack_listener = \"acks-in\"\ntimeout = \"200ms\"\n");
    let half = Ack::All(vec![raw("\u{b}MSH|^~\\&|P|P"), Ack::HangUp]);
    site.receiver.answer_next([half, Ack::HangUp]);
    let late = "and no answer in time came to the listener";
    let closed =
        format!("Unknown: outcome unknown: the connection closed inside an answer, {late}");
    assert_eq!(site.sender.send("1", "NE", "AL"), closed);
    assert_eq!(site.sender.send("2", "NE", "AL"), closed.replace("inside", "without"));
}

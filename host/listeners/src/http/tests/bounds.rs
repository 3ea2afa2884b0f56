//! Every bound, where it bites.

use super::*;
use crate::budget::STEP_BYTES;
use crate::mllp::testing::Breakable;

/// Sends this, then says nothing more; what comes back until the end, and after how long.
fn wait(bench: &Bench, request: impl Into<Vec<u8>>) -> (String, Duration) {
    let (mut peer, request) = (bench.connect(), request.into());
    let clock = bench.twin.doors().clock;
    let began = clock.instant();
    let answer = bench.run(async move {
        let _ = peer.write_all(&request).await;
        rest(&mut peer).await
    });
    (answer, clock.instant().since(began))
}

#[test]
fn a_body_may_have_so_many_bytes_and_no_more() {
    let bench = Bench::new();
    let most = 1 << 20;
    let at = bench.ask(post(HL7, &"x".repeat(most)));
    assert!(at.ends_with(&format!("took {most}")), "{at}");
    // One that says so is refused before it is read.
    let over = bench.ask(post(HL7, &"x".repeat(most + 1)));
    assert_eq!((status(&over), header(&over, "connection")), (413, Some("close")));
    assert!(over.contains("longer than the 1048576 bytes that this listener takes"), "{over}");
    // One that does not, when it gets there.
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 19, "x".repeat(1 << 19));
    let chunks = |tail: &str| {
        format!(
            "POST /in HTTP/1.1\r\nhost: a\r\n{HL7}transfer-encoding: chunked\r\n\r\n\
             {chunk}{chunk}{tail}0\r\n\r\n"
        )
    };
    assert_eq!(status(&bench.ask(chunks(""))), 202);
    assert_eq!(status(&bench.ask(chunks("1\r\nx\r\n"))), 413);
    assert_eq!(bench.troubles(Trouble::TooLong), 2);
    assert_eq!(bench.received(), 2);
    // A length beyond all numbers is no length.
    let huge = post(HL7, "x").replace("content-length: 1", "content-length: 99999999999999999999");
    assert_eq!(status(&bench.ask(huge)), 400);
}

#[test]
fn a_head_may_have_so_many_bytes_and_headers_and_no_more() {
    let bench = Bench::new();
    let with = |padding: usize| post(&format!("{HL7}x: {}\r\n", "x".repeat(padding)), "body");
    let beside = with(0).len() - "body".len();
    assert_eq!(status(&bench.ask(with((8 << 10) - beside))), 202);
    let over = bench.ask(with((8 << 10) - beside + 1));
    assert_eq!((status(&over), header(&over, "connection")), (431, Some("close")));
    assert_eq!(header(&over, "content-type"), Some("application/problem+json"));
    assert!(over.contains("longer than 8192 bytes, or more than 100\""), "{over}");
    assert_eq!(over.matches("HTTP/1.1").count(), 1, "{over}");
    // Behind a good one, which is answered.
    let second = bench.ask(with(0) + &with(8 << 10));
    assert_eq!(status(&second), 202);
    assert!(second.contains("HTTP/1.1 431 ") && second.contains("8192 bytes"), "{second}");
    assert_eq!(status(&bench.ask(with(1 << 20))), 431);
    let many = |count: usize| post(&format!("{HL7}{}", "x: y\r\n".repeat(count)), "body");
    assert_eq!(status(&bench.ask(many(97))), 202);
    assert_eq!(status(&bench.ask(many(98))), 431);
    assert_eq!(bench.troubles(Trouble::TooLong), 4);
}

#[test]
fn a_head_has_to_come_in_time() {
    let bench = Bench::new();
    let (answer, after) = wait(&bench, "POST /in HT");
    assert_eq!(status(&answer), 408, "{answer}");
    assert!((READ_TIMEOUT..READ_TIMEOUT + Duration::from_secs(1)).contains(&after), "{after:?}");
    assert_eq!(bench.troubles(Trouble::TimedOut), 1);
    // Bytes that trickle do not help.
    let mut peer = bench.connect();
    let clock = bench.twin.doors().clock;
    let answer = bench.run(async move {
        for byte in b"POST /in HTTP/1.1\r\nhost: a\r\n" {
            if peer.write_all(&[*byte]).await.is_err() {
                break;
            }
            clock.sleep_until(clock.instant().plus(Duration::from_secs(5))).await;
        }
        rest(&mut peer).await
    });
    assert_eq!(status(&answer), 408, "{answer}");
}

#[test]
fn a_body_may_not_pause_for_long() {
    let bench = Bench::new();
    let head = format!("POST /in HTTP/1.1\r\nhost: a\r\n{FHIR}content-length: 9\r\n\r\n");
    let (answer, after) = wait(&bench, head + "half");
    assert_eq!((status(&answer), header(&answer, "connection")), (408, Some("close")));
    assert!(answer.contains("OperationOutcome"), "{answer}");
    assert!((READ_TIMEOUT..READ_TIMEOUT + Duration::from_secs(1)).contains(&after), "{after:?}");
    assert_eq!(bench.troubles(Trouble::TimedOut), 1);
    assert_eq!(bench.received(), 0);
}

#[test]
fn a_body_that_trickles_ends_with_its_request() {
    let bench = Bench::new();
    let mut peer = bench.connect();
    let clock = bench.twin.doors().clock;
    let began = clock.instant();
    let answer = bench.run(async move {
        let head = format!("POST /in HTTP/1.1\r\nhost: a\r\n{HL7}content-length: 99\r\n\r\n");
        peer.write_all(head.as_bytes()).await.expect("written");
        for _ in 0..99 {
            clock.sleep_until(clock.instant().plus(Duration::from_secs(20))).await;
            if peer.write_all(b"x").await.is_err() {
                break;
            }
        }
        (rest(&mut peer).await, clock.instant().since(began))
    });
    assert_eq!(status(&answer.0), 408, "{}", answer.0);
    assert_eq!(bench.received(), 0);
    // What is written into a closed pipe is noticed at the next byte.
    assert!(answer.1 <= REQUEST_TIMEOUT + Duration::from_secs(20), "{:?}", answer.1);
}

#[test]
fn between_requests_a_peer_may_be_silent_as_long_as_the_site_says() {
    let mut bench = Bench::new();
    bench.idle_timeout = Some(Duration::from_secs(7));
    let (answer, after) = wait(&bench, post(HL7, "x"));
    assert!(answer.ends_with("took 1"), "{answer}");
    assert!((7..9).contains(&after.as_secs()), "{after:?}");
    // Without a bound it is as long as it likes: a day, here.
    bench.idle_timeout = None;
    let mut peer = bench.connect();
    let clock = bench.twin.doors().clock;
    let answers = bench.run(async move {
        let mut answers = Vec::new();
        for _ in 0..2 {
            peer.write_all(post(HL7, "x").as_bytes()).await.expect("written");
            answers.push(one_answer(&mut peer).await);
            clock.sleep_until(clock.instant().plus(Duration::from_secs(86_400))).await;
        }
        answers
    });
    assert!(answers.iter().all(|it| it.ends_with("took 1")), "{answers:?}");
}

#[test]
fn who_does_not_take_an_answer_is_let_go() {
    let mut bench = Bench::new();
    bench.pipe_bytes = 64;
    let mut peer = bench.connect();
    let clock = bench.twin.doors().clock;
    bench.run(async move {
        peer.write_all(post(HL7, "x").as_bytes()).await.expect("written");
        clock.sleep_until(clock.instant().plus(READ_TIMEOUT + Duration::from_secs(2))).await;
        drop(peer);
    });
    assert_eq!(bench.troubles(Trouble::Unread), 1);
    assert!(bench.twin.tasks().names().is_empty(), "{:?}", bench.twin.tasks().names());
}

#[test]
fn bytes_in_flight_are_taken_as_they_come_and_given_back() {
    let bench = Bench::new();
    let whole = bench.budget.left();
    // A length that is only announced takes nothing.
    let mut peer = bench.connect();
    let head = format!("POST /in HTTP/1.1\r\nhost: a\r\n{HL7}content-length: {}\r\n\r\n", 1 << 20);
    let mut peer = bench.run(async move {
        peer.write_all(head.as_bytes()).await.expect("written");
        peer
    });
    bench.twin.run_until_idle();
    assert_eq!(bench.budget.left(), whole);
    // Bytes that come do.
    let mut peer = bench.run(async move {
        peer.write_all(&[b'x'; 512 << 10]).await.expect("written");
        peer
    });
    bench.twin.run_until_idle();
    let taken = whole - bench.budget.left();
    assert!((448 << 10..=1 << 20).contains(&taken), "{taken}");
    let answer = bench.run(async move {
        peer.write_all(&[b'x'; 512 << 10]).await.expect("written");
        one_answer(&mut peer).await
    });
    assert_eq!(status(&answer), 202, "{answer}");
    assert_eq!(bench.budget.left(), whole);
}

#[test]
fn bytes_are_in_flight_until_they_are_answered() {
    let mut bench = Bench::new();
    Arc::get_mut(&mut bench.story).expect("nobody else has it").gate = Semaphore::new(0);
    let whole = bench.budget.left();
    let mut peer = bench.connect();
    let mut peer = bench.run(async move {
        peer.write_all(post(HL7, &"x".repeat(512 << 10)).as_bytes()).await.expect("written");
        peer
    });
    bench.twin.run_until_idle();
    assert!(bench.budget.left() < whole);
    bench.story.gate.add_permits(1);
    assert_eq!(status(&bench.run(async move { one_answer(&mut peer).await })), 202);
    assert_eq!(bench.budget.left(), whole);
}

#[test]
fn where_the_budget_is_spent_a_sender_is_told_to_come_again() {
    let mut bench = Bench::new();
    bench.budget = ByteBudget::new(STEP_BYTES as u64);
    let budget = bench.budget.clone();
    // Somebody else has all of it.
    let other = bench.run(async move {
        let mut lease = budget.share().lease(None, usize::MAX);
        lease.cover(2 * STEP_BYTES).await;
        lease
    });
    let answer = bench.ask(post(FHIR, &"x".repeat(200 << 10)));
    assert_eq!((status(&answer), header(&answer, "retry-after")), (503, Some("5")), "{answer}");
    assert!(answer.contains("OperationOutcome"), "{answer}");
    assert_eq!(bench.troubles(Trouble::Budget), 1);
    // A small one needs none.
    assert_eq!(status(&bench.ask(post(FHIR, &"x".repeat(20 << 10)))), 202);
    drop(other);
    assert_eq!(status(&bench.ask(post(FHIR, &"x".repeat(60 << 10)))), 202);
}

#[test]
fn a_stop_lets_the_request_that_is_in_finish_and_no_other_begin() {
    let mut bench = Bench::new();
    Arc::get_mut(&mut bench.story).expect("nobody else has it").gate = Semaphore::new(0);
    let (mut idle, mut half, mut busy) = (bench.connect(), bench.connect(), bench.connect());
    let (half_request, rest_of_it) = (post(HL7, "abc"), "def");
    let half_request = half_request.replace("content-length: 3", "content-length: 6");
    let (mut half, mut busy) = bench.run(async move {
        half.write_all(half_request.as_bytes()).await.expect("written");
        let two = post(HL7, "first") + &post(HL7, "second");
        busy.write_all(two.as_bytes()).await.expect("written");
        (half, busy)
    });
    bench.twin.run_until_idle();
    bench.stop.send_replace(true);
    assert_eq!(bench.run(async move { rest(&mut idle).await }), "");
    bench.story.gate.add_permits(9);
    let answer = bench.run(async move { rest(&mut busy).await });
    assert!(answer.ends_with("took 5"), "{answer}");
    assert_eq!(header(&answer, "connection"), Some("close"));
    let answer = bench.run(async move {
        half.write_all(rest_of_it.as_bytes()).await.expect("written");
        rest(&mut half).await
    });
    assert!(answer.ends_with("took 6"), "{answer}");
    assert_eq!(bench.received(), 2);
}

#[test]
fn what_is_being_stored_is_finished_though_the_peer_has_gone() {
    let mut bench = Bench::new();
    Arc::get_mut(&mut bench.story).expect("nobody else has it").gate = Semaphore::new(0);
    let mut peer = bench.connect();
    bench.run(async move {
        peer.write_all(post(HL7, "x").as_bytes()).await.expect("written");
        drop(peer);
    });
    bench.twin.run_until_idle();
    bench.story.gate.add_permits(1);
    bench.twin.advance(Duration::from_secs(1));
    assert_eq!(bench.received(), 1);
    assert!(bench.twin.tasks().names().is_empty());
}

#[test]
fn who_leaves_in_the_middle_of_a_body_leaves_nothing_behind() {
    let bench = Bench::new();
    let mut peer = bench.connect();
    let half = post(HL7, "abc").replace("content-length: 3", "content-length: 6");
    let request = half.clone();
    bench.run(async move {
        peer.write_all(request.as_bytes()).await.expect("written");
        drop(peer);
    });
    bench.twin.advance(Duration::from_secs(1));
    assert_eq!(bench.received(), 0);
    assert_eq!(bench.troubles(Trouble::CutOff), 1);
    assert_eq!(bench.budget.left(), 4 << 20);
    assert!(bench.twin.tasks().names().is_empty());
    // Who has only closed its half is told.
    assert_eq!(status(&bench.ask(half)), 400);
}

#[test]
fn a_head_that_began_behind_another_request_has_its_time_too() {
    let chunked =
        format!("POST /in HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n{HL7}\r\n");
    let firsts = [
        post(HL7, "a\n\nb"),
        post(HL7, "x") + &post(HL7, "y"),
        format!("{chunked}3\r\nx\n\n\r\n0\r\n\r\n"),
        format!("{chunked}1\r\nx\r\n0\r\nlast: of all\r\n\r\n"),
        "GET /in HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(),
    ];
    for first in firsts {
        let bench = Bench::new();
        let mut peer = bench.connect();
        let (clock, request) = (bench.twin.doors().clock, format!("{first}POST /in HT"));
        let late = bench.run(async move {
            peer.write_all(request.as_bytes()).await.expect("written");
            let began = clock.instant();
            let said = rest(&mut peer).await;
            assert!(said.contains("HTTP/1.1 408 "), "{said}");
            clock.instant().since(began)
        });
        assert!(READ_TIMEOUT <= late && late < READ_TIMEOUT * 2, "{late:?} of the twin's clock");
        assert_eq!(bench.troubles(Trouble::TimedOut), 1, "{first}");
        // A line of its own, as old clients end a body, is no head.
        let bench = Bench::new();
        let (mut peer, clock) = (bench.connect(), bench.twin.doors().clock);
        let end = format!("{first}\r\n");
        bench.run(async move {
            peer.write_all(end.as_bytes()).await.expect("written");
            clock.sleep_until(clock.instant().plus(READ_TIMEOUT * 9)).await;
        });
        assert_eq!(bench.troubles(Trouble::TimedOut), 0, "{first}");
    }
}

#[test]
fn whoever_is_gone_while_its_request_is_worked_on_waits_for_nothing() {
    let mut bench = Bench::new();
    Arc::get_mut(&mut bench.story).expect("nobody else has it").gate = Semaphore::new(0);
    let (near, mut peer) = tokio::io::duplex(64 << 10);
    let (near, cut) = Breakable::new(near);
    bench.serve(Box::new(near));
    let mut peer = bench.run(async move {
        peer.write_all(post(HL7, "x").as_bytes()).await.expect("written");
        peer
    });
    bench.twin.run_until_idle();
    assert_eq!(bench.twin.tasks().names(), ["connection"]);
    // What it says meanwhile is kept, and half a farewell is none.
    let mut peer = bench.run(async move {
        peer.write_all(post(HL7, "next").as_bytes()).await.expect("written");
        peer
    });
    bench.twin.run_until_idle();
    assert_eq!(bench.twin.tasks().names(), ["connection"]);
    bench.story.gate.add_permits(1);
    let (answer, peer) = bench.run(async move { (one_answer(&mut peer).await, peer) });
    assert!(answer.ends_with("took 1"), "{answer}");
    bench.twin.run_until_idle();
    cut.send(()).expect("waited for");
    bench.twin.advance(LINGER_AND_MORE);
    assert!(bench.twin.tasks().names().is_empty(), "the door has dropped it");
    assert_eq!((bench.received(), bench.troubles(Trouble::Unread)), (1, 1));
    drop(peer);
}

/// After which a connection that ends has ended.
const LINGER_AND_MORE: Duration = Duration::from_secs(1);

#[test]
fn a_sender_that_has_said_all_still_gets_its_answer() {
    let mut bench = Bench::new();
    Arc::get_mut(&mut bench.story).expect("nobody else has it").gate = Semaphore::new(0);
    let mut peer = bench.connect();
    let mut peer = bench.run(async move {
        peer.write_all(post(HL7, "x").as_bytes()).await.expect("written");
        peer.shutdown().await.expect("shut down");
        peer
    });
    bench.twin.run_until_idle();
    bench.story.gate.add_permits(1);
    assert!(bench.run(async move { rest(&mut peer).await }).ends_with("took 1"));
}

//! Answers that come when their messages are decided, and commit bytes.

use super::*;
use crate::farewell::LINGER;
use crate::mllp::later::LATER_MAX;
use crate::mllp::testing::Breakable;
use tokio::sync::oneshot;

/// An answer that is said now, and one that is said when the test says it.
fn promise(now: &'static [u8], holds_reading: bool) -> (Answer, oneshot::Sender<&'static [u8]>) {
    let (tell, told) = oneshot::channel::<&'static [u8]>();
    let replies = async move {
        let text = told.await.unwrap_or_default();
        vec![Reply { bytes: bytes::Bytes::from_static(text) }]
    };
    let later = Some(Later { replies: Box::pin(replies), holds_reading });
    (Answer { later, ..answer(now) }, tell)
}

fn expect(bench: &Bench, answers: impl IntoIterator<Item = Answer>) {
    bench.story.answers.lock().expect("held by nobody").extend(answers);
}

#[tokio::test]
async fn in_the_enhanced_mode_answers_come_when_they_are_ready() {
    let bench = Bench::new(Story::open());
    let ((a, tell_a), (b, tell_b)) = (promise(b"CA A", false), promise(b"CA B", false));
    expect(&bench, [a, b]);
    let rest = bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r\x0bB\x1c\r\x0bC\x1c\r").await;
            assert_eq!(client.seen().await, "<CA A><CA B><ok C>");
            tell_b.send(b"AA B").expect("waited for");
            assert_eq!(client.seen().await, "<AA B>");
            // Neither an answer nor a frame that is half read gets in the way of the other.
            client.send(b"\x0bha").await;
            tell_a.send(b"AA A").expect("waited for");
            assert_eq!(client.seen().await, "<AA A>");
            client.send(b"lf\x1c\r").await;
            client.finish().await
        })
        .await;
    assert_eq!(rest, "<ok half>");
}

#[tokio::test]
async fn in_the_original_mode_nothing_is_read_before_the_answer() {
    let bench = Bench::new(Story::open());
    let ((earlier, tell_earlier), (a, tell_a)) = (promise(b"CA", false), promise(b"", true));
    expect(&bench, [earlier, Answer { now: Vec::new(), ..a }]);
    let rest = bench
        .talk(async |mut client| {
            client.send(b"\x0b0\x1c\r\x0bA\x1c\r\x0bB\x1c\r").await;
            assert_eq!(client.seen().await, "<CA>");
            assert_eq!(bench.story.contents(), ["0", "A"], "B waits");
            // An answer to an earlier message names its message, and may come.
            tell_earlier.send(b"AA 0").expect("waited for");
            assert_eq!(client.seen().await, "<AA 0>");
            tell_a.send(b"AE A").expect("waited for");
            client.finish().await
        })
        .await;
    assert_eq!(rest, "<AE A><ok B>");
}

#[tokio::test]
async fn outstanding_answers_are_bounded_and_past_the_bound_nothing_is_read() {
    let bench = Bench::new(Story::open());
    let (answers, mut tell): (Vec<_>, Vec<_>) =
        (0..LATER_MAX + 1).map(|_| promise(b"CA", false)).unzip();
    expect(&bench, answers);
    bench
        .talk(async |mut client| {
            let frames = b"\x0bA\x1c\r".repeat(LATER_MAX + 2);
            client.send(&frames).await;
            assert_eq!(client.seen().await, "<CA>".repeat(LATER_MAX));
            assert_eq!(bench.story.contents().len(), LATER_MAX);
            tell.remove(7).send(b"AA").expect("waited for");
            assert_eq!(client.seen().await, "<AA><CA>");
            assert_eq!(bench.story.contents().len(), LATER_MAX + 1);
            tell.remove(0).send(b"AA").expect("waited for");
            assert_eq!(client.seen().await, "<AA><ok A>");
            drop(tell);
            let rest = client.finish().await;
            assert_eq!(rest, "<>".repeat(LATER_MAX - 1), "what is promised is said to the end");
        })
        .await;
}

#[tokio::test]
async fn stopping_waits_for_what_was_promised() {
    let bench = Bench::new(Story::open());
    let (a, tell) = promise(b"CA", false);
    expect(&bench, [a]);
    bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r").await;
            bench.stop.send_replace(true);
            assert_eq!(client.seen().await, "<CA>");
            client.send(b"\x0bB\x1c\r").await;
            tell.send(b"AA").expect("waited for");
            assert_eq!(client.rest().await, "<AA>");
        })
        .await;
    assert_eq!(bench.story.contents(), ["A"], "what came after the stop was not read");
}

#[tokio::test]
async fn who_does_not_take_an_answer_waits_for_no_other() {
    let mut bench = Bench::new(Story::open());
    bench.pipe_bytes = 16;
    let ((a, tell_a), (b, tell_b)) = (promise(b"CA", false), promise(b"CA", false));
    expect(&bench, [a, b]);
    bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r\x0bB\x1c\r").await;
            assert_eq!(client.seen().await, "<CA><CA>");
            tell_a.send(&[b'a'; 64]).expect("waited for");
            client.wait(READ_TIMEOUT).await;
            assert!(tell_b.is_closed(), "nobody waits for the decision any more");
            client.rest().await
        })
        .await;
    assert_eq!(bench.troubles(Trouble::Unread), 1);
}

#[tokio::test]
async fn silence_is_bounded_where_the_site_says_so() {
    let mut bench = Bench::new(Story::open());
    let idle = Duration::from_secs(600);
    bench.idle_timeout = Some(idle);
    let (a, tell) = promise(b"CA", false);
    expect(&bench, [a]);
    let almost = idle - Duration::from_millis(1);
    bench
        .talk(async |mut client| {
            client.wait(almost).await;
            // A blank byte is a sign of life, as some devices give it.
            client.send(b"\r").await;
            client.wait(almost).await;
            client.send(b"\x0bA\x1c\r").await;
            // While an answer is due, the silence is ours.
            client.wait(idle * 2).await;
            assert_eq!(client.seen().await, "<CA>");
            tell.send(b"AA").expect("waited for");
            assert_eq!(client.seen().await, "<AA>");
            client.wait(almost).await;
            assert_eq!(bench.troubles(Trouble::Idle), 0);
            client.wait(Duration::from_millis(1)).await;
            assert_eq!(client.rest().await, "");
        })
        .await;
    assert_eq!(bench.troubles(Trouble::Idle), 1);
}

#[tokio::test]
async fn a_commit_byte_says_what_is_stored_before_anything_else() {
    let mut bench = Bench::new(Story::open());
    bench.config.commit_bytes = true;
    bench.config.frame_bytes_max = 8;
    let (late, tell) = promise(b"CA", false);
    expect(
        &bench,
        [
            Answer { is_stored: Some(true), ..answer(b"AA") },
            Answer { is_stored: Some(false), ..answer(b"AR") },
            Answer { is_stored: Some(true), ..late },
            // An acknowledgement: nothing of it is to be stored, and the peer is not left waiting.
            Answer::default(),
        ],
    );
    let rest = bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r\x0bB\x1c\r\x0bC\x1c\r\x0bACK\x1c\r").await;
            assert_eq!(client.seen().await, "<\x06><AA><\x15><AR><\x06><CA><\x06>");
            tell.send(b"AA").expect("waited for");
            assert_eq!(client.seen().await, "<AA>");
            // The peer commits our answers in turn; nobody answers that.
            client.send(b"\x0b\x06\x1c\r\x0b\x15\x1c\r").await;
            assert_eq!(client.seen().await, "");
            client.send(b"\x0btoo long\x1c\r\x0bmuch too long").await;
            client.rest().await
        })
        .await;
    assert!(rest.ends_with("<\x15><no>"), "{rest:?}");
    assert_eq!(bench.story.contents(), ["A", "B", "C", "ACK", "too long"]);
    assert_eq!(bench.troubles(Trouble::NotCommitted), 1);
}

#[tokio::test]
async fn without_commit_bytes_one_byte_is_a_message_like_any_other() {
    let bench = Bench::new(Story::open());
    expect(&bench, [Answer { is_stored: Some(true), ..answer(b"AR") }]);
    let rest = bench
        .talk(async |mut client| {
            client.send(b"\x0b\x06\x1c\r").await;
            client.finish().await
        })
        .await;
    assert_eq!(rest, "<AR>");
    assert_eq!(bench.story.contents(), ["\x06"]);
}

#[tokio::test]
async fn whoever_is_gone_while_its_message_is_decided_waits_for_nothing() {
    for holds_reading in [true, false] {
        let bench = Bench::new(Story::open());
        let (a, mut tell_a) = promise(b"CA A", holds_reading);
        expect(&bench, [a]);
        let (near, far) = tokio::io::duplex(1 << 10);
        let (near, cut) = Breakable::new(near);
        let mut client = Client { stream: far, clock: bench.clock.clone() };
        let script = async {
            client.send(b"\x0bA\x1c\r").await;
            assert_eq!(client.seen().await, "<CA A>");
            cut.send(()).expect("waited for");
            // The waiter is dropped, so that a refusal waits for a person.
            tell_a.closed().await;
            client.wait(LINGER).await;
        };
        tokio::join!(bench.run(Box::new(near)), script);
    }
}

#[tokio::test]
async fn so_many_answers_outstanding_do_not_hide_that_the_peer_is_gone() {
    let bench = Bench::new(Story::open());
    let (answers, mut tells): (Vec<_>, Vec<_>) =
        (0..LATER_MAX).map(|_| promise(b"", false)).unzip();
    expect(&bench, answers.into_iter().map(|it| Answer { now: Vec::new(), ..it }));
    let (near, far) = tokio::io::duplex(1 << 10);
    let (near, cut) = Breakable::new(near);
    let mut client = Client { stream: far, clock: bench.clock.clone() };
    let script = async {
        client.send(&b"\x0bA\x1c\r".repeat(LATER_MAX)).await;
        assert_eq!(bench.story.contents().len(), LATER_MAX);
        cut.send(()).expect("waited for");
        tells[0].closed().await;
        client.wait(LINGER).await;
    };
    tokio::join!(bench.run(Box::new(near)), script);
}

#[tokio::test]
async fn what_a_peer_says_while_it_waits_is_kept_and_a_half_close_is_no_farewell() {
    let bench = Bench::new(Story::open());
    let (a, tell_a) = promise(b"", true);
    expect(&bench, [Answer { now: Vec::new(), ..a }]);
    let rest = bench
        .talk(async |mut client| {
            client.send(b"\x0bA\x1c\r").await;
            client.send(b"\x0bB").await;
            client.send(b"B\x1c\r\x0bC\x1c\r").await;
            client.stream.shutdown().await.expect("shut down");
            settle().await;
            assert_eq!(bench.story.contents(), ["A"], "the others wait");
            tell_a.send(b"AA A").expect("waited for");
            client.rest().await
        })
        .await;
    assert_eq!(rest, "<AA A><ok BB><ok C>");
}

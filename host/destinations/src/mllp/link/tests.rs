//! What a socket does at the one byte that decides whether a message may go out again.

use std::io::{Error, ErrorKind, Result as IoResult};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hilum_words::{DeliveryId, MessageId, RunId, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::*;
use crate::{Delivery, Whose};

/// A connection whose other side is gone, which shows once so many bytes are written; a read
/// finds nothing before that, and what is left to hear after it.
struct Stale {
    takes: usize,
    says: Vec<u8>,
    is_broken: bool,
    written: Arc<Mutex<usize>>,
}

impl AsyncRead for Stale {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<IoResult<()>> {
        if !self.is_broken {
            return Poll::Pending;
        }
        into.put_slice(&std::mem::take(&mut self.says));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stale {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<IoResult<usize>> {
        let mut written = self.written.lock().expect("the count");
        let count = bytes.len().min(self.takes - *written);
        *written += count;
        drop(written);
        if count == 0 {
            self.is_broken = true;
            return Poll::Ready(Err(Error::from(ErrorKind::BrokenPipe)));
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<IoResult<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<IoResult<()>> {
        Poll::Ready(Ok(()))
    }
}

fn outgoing() -> Outgoing {
    let body = "MSH|^~\\&|A|B|C|D|2026||ADT^A01|7|P|2.5\rPID|1\r";
    let delivery = Delivery {
        id: DeliveryId::from_bits(7),
        message: MessageId::from_bits(8),
        run: RunId::from_bits(9),
        ordinal: 1,
        received: Timestamp::from_micros(0),
        attempt: 1,
        format: FORMAT.into(),
        body: Bytes::from_static(body.as_bytes()),
    };
    Outgoing::of(&delivery, false).expect("a message")
}

/// What comes of a message on a connection that takes so many bytes; none if it was not begun.
fn sent(takes: usize, says: &str) -> Option<String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("tokio");
    let doors = hilum_env::system::doors(runtime.handle().clone());
    let written = Arc::default();
    let says = says.as_bytes().to_vec();
    let stale = Stale { takes, says, is_broken: false, written: Arc::clone(&written) };
    let mut link = Link::new(Box::new(stale), 1 << 10, Awaited::default());
    let times = Times {
        clock: &*doors.clock,
        answer: Duration::from_secs(5),
        application: Duration::from_secs(5),
    };
    let (outgoing, mut elsewhere) = (outgoing(), Elsewhere::nothing());
    let on_answer = OnAnswer::default();
    let exchanged = link.exchange(&outgoing, &mut elsewhere, &on_answer, times);
    let result = runtime.block_on(exchanged);
    assert_eq!(*written.lock().expect("the count"), takes, "nothing was written twice");
    assert!(!link.is_usable(), "a connection that broke is not kept");
    let fault = result.ok()?.expect_err("a fault");
    let whose = fault.whose();
    assert!(matches!(whose, Whose::Unknown | Whose::Content), "{whose:?}");
    Some(fault.to_string())
}

#[test]
fn a_message_is_begun_anew_only_if_not_one_byte_went_out() {
    assert_eq!(sent(0, ""), None);
    let unknown = "outcome unknown: broke off while the message was written: broken pipe";
    let whole = outgoing().frame.len();
    for takes in [1, 2, whole - 1] {
        assert_eq!(sent(takes, "").as_deref(), Some(unknown), "{takes} bytes");
    }
}

#[test]
fn what_was_said_before_it_broke_counts_only_if_it_is_negative() {
    let answer =
        |msa: &str| format!("\u{b}MSH|^~\\&|P|P|H|H|2026||ACK|9|P|2.5\rMSA|{msa}\r\u{1c}\r");
    assert_eq!(sent(9, &answer("AE|7")).as_deref(), Some("rejected: AE"));
    let unknown = "outcome unknown: broke off while the message was written: broken pipe";
    for other in ["AA|7", "CA|7", "AE|8", "AE|", "XX|7"] {
        assert_eq!(sent(9, &answer(other)).as_deref(), Some(unknown), "{other}");
    }
}

/// A connection that notes how much it is given at once, and takes nothing.
struct Narrow(Arc<Mutex<Vec<usize>>>);

impl AsyncRead for Narrow {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<IoResult<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Narrow {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<IoResult<usize>> {
        self.0.lock().expect("the sizes").push(bytes.len());
        Poll::Ready(Err(Error::from(ErrorKind::BrokenPipe)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<IoResult<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<IoResult<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn the_first_write_is_one_record_of_tls_at_most() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("tokio");
    let doors = hilum_env::system::doors(runtime.handle().clone());
    let sizes = Arc::default();
    let narrow = Box::new(Narrow(Arc::clone(&sizes)));
    let mut link = Link::new(narrow, 1 << 10, Awaited::default());
    let frame = vec![b'x'; 100_000];
    let times = Times {
        clock: &*doors.clock,
        answer: Duration::from_secs(5),
        application: Duration::from_secs(5),
    };
    let deadline = times.after(times.answer);
    let wrote = runtime.block_on(link.write(&frame, deadline, times));
    assert_eq!(wrote.expect_err("a fault").0, 0);
    assert_eq!(*sizes.lock().expect("the sizes"), [16 << 10]);
}

/// A connection over TLS whose other side takes all, says something, and ends without an alert.
struct Torn(&'static [u8]);

impl AsyncRead for Torn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<IoResult<()>> {
        if self.0.is_empty() {
            return Poll::Ready(Err(Error::from(ErrorKind::UnexpectedEof)));
        }
        into.put_slice(std::mem::take(&mut self.0));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Torn {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, b: &[u8]) -> Poll<IoResult<usize>> {
        Poll::Ready(Ok(b.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<IoResult<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<IoResult<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn an_end_without_an_alert_of_tls_is_an_end() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("tokio");
    let doors = hilum_env::system::doors(runtime.handle().clone());
    let time = Duration::from_secs(5);
    let times = Times { clock: &*doors.clock, answer: time, application: time };
    let said = |says: &'static [u8]| {
        let mut link = Link::new(Box::new(Torn(says)), 1 << 10, Awaited::default());
        let until = times.after(time);
        match runtime.block_on(link.listen(&outgoing(), until, times)) {
            Heard::Ended(why) => why,
            _ => "no end".into(),
        }
    };
    assert_eq!(said(b""), "the connection closed without an answer");
    assert_eq!(said(b"\x0bMSH|^"), "the connection closed inside an answer");
}

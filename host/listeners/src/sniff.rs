//! Who speaks something else at a port is found out by its first bytes, and gets no answer that
//! could be mistaken for one.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use hilum_env::ByteStream;
use hilum_mllp::VT;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is spoken at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    Mllp,
    Http,
    Tls,
}

/// What a peer speaks instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// TLS at a port without it.
    Tls,
    /// Anything else at a port with TLS.
    Plain,
    /// HTTP at an MLLP port.
    Http,
    /// MLLP at an HTTP port.
    Mllp,
}

/// The type of a TLS record with a handshake, and the first byte of every version since SSL 3.0.
const TLS: [u8; 2] = [0x16, 0x03];
/// How HTTP requests begin. The last one is the preface of HTTP/2.
const METHODS: [&[u8]; 10] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"PATCH ",
    b"DELETE ",
    b"OPTIONS ",
    b"CONNECT ",
    b"TRACE ",
    b"PRI * HT",
];
/// The longest of all beginnings.
const BEGINNING_BYTES: usize = 8;

/// What the first bytes say; none while more are needed.
fn judge(speech: Speech, beginning: &[u8]) -> Option<Result<(), Foreign>> {
    let first = beginning.first()?;
    match speech {
        Speech::Tls if *first == TLS[0] => Some(Ok(())),
        Speech::Tls => Some(Err(Foreign::Plain)),
        Speech::Http if *first == VT => Some(Err(Foreign::Mllp)),
        Speech::Http if *first == TLS[0] => Some(Err(Foreign::Tls)),
        Speech::Http => Some(Ok(())),
        Speech::Mllp => {
            if beginning.starts_with(&TLS) {
                return Some(Err(Foreign::Tls));
            }
            if METHODS.iter().any(|method| beginning.starts_with(method)) {
                return Some(Err(Foreign::Http));
            }
            let may_become = |whole: &[u8]| whole.starts_with(beginning);
            let is_open = may_become(&TLS) || METHODS.iter().any(|method| may_become(method));
            if is_open { None } else { Some(Ok(())) }
        }
    }
}

/// A stream that ends where its first bytes are of another protocol; nothing is written to it any
/// more.
pub(crate) struct Sniffed {
    stream: Box<dyn ByteStream>,
    speech: Speech,
    beginning: [u8; BEGINNING_BYTES],
    length: usize,
    is_judged: bool,
    found: Arc<OnceLock<Foreign>>,
}

impl Sniffed {
    /// The stream, and where it is noted what was found.
    pub(crate) fn new(
        stream: Box<dyn ByteStream>,
        speech: Speech,
    ) -> (Self, Arc<OnceLock<Foreign>>) {
        let found = Arc::new(OnceLock::new());
        let sniffed = Self {
            stream,
            speech,
            beginning: [0; BEGINNING_BYTES],
            length: 0,
            is_judged: false,
            found: Arc::clone(&found),
        };
        (sniffed, found)
    }

    /// Looks at bytes that came; whether they may be handed on.
    fn look(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            // Blank bytes before a frame or a request are nobody's.
            let is_blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            if self.length == 0 && is_blank && self.speech != Speech::Tls {
                continue;
            }
            let Some(place) = self.beginning.get_mut(self.length) else { break };
            *place = *byte;
            self.length += 1;
            match judge(self.speech, self.beginning.get(..self.length).unwrap_or_default()) {
                None => {}
                Some(Ok(())) => {
                    self.is_judged = true;
                    return true;
                }
                Some(Err(foreign)) => {
                    // Set once: after it nothing is read.
                    let _ = self.found.set(foreign);
                    return false;
                }
            }
        }
        true
    }
}

impl AsyncRead for Sniffed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.found.get().is_some() {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if !self.is_judged {
            let may_pass = self.look(buffer.filled().get(before..).unwrap_or_default());
            if !may_pass {
                buffer.set_filled(before);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sniffed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.found.get().is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;

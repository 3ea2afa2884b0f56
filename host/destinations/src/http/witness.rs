//! A connection that is watched: what TLS says of its end would be lost inside the HTTP library.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use hilum_env::ByteStream;
use hilum_env::tls::TlsFault;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The first fault of TLS on a connection.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<OnceLock<TlsFault>>);

impl Seen {
    pub(super) fn fault(&self) -> Option<TlsFault> {
        self.0.get().copied()
    }

    fn look<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && let Some(fault) = TlsFault::of(error)
        {
            // The first says why; others follow from it.
            let _ = self.0.set(fault);
        }
        result
    }
}

/// A connection that is watched.
pub(super) struct Witness {
    stream: Box<dyn ByteStream>,
    seen: Seen,
}

impl Witness {
    pub(super) fn of(stream: Box<dyn ByteStream>) -> (Self, Seen) {
        let seen = Seen::default();
        (Self { stream, seen: seen.clone() }, seen)
    }
}

impl AsyncRead for Witness {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = ready!(Pin::new(&mut this.stream).poll_read(context, into));
        Poll::Ready(this.seen.look(read))
    }
}

impl AsyncWrite for Witness {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let wrote = ready!(Pin::new(&mut this.stream).poll_write(context, bytes));
        Poll::Ready(this.seen.look(wrote))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = ready!(Pin::new(&mut this.stream).poll_flush(context));
        Poll::Ready(this.seen.look(flushed))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}

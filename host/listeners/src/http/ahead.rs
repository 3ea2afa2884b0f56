//! The bytes of one connection before the server sees them: piece by piece, and never more of them than
//! belong to the request that it reads. What follows waits here, so that it is known whether another
//! request has begun; and while a request is worked on, its sender is watched.
//!
//! Promises: no byte is lost or changed; at most [`AHEAD_BYTES_MAX`] are read before they are wanted.
//! Not here: what a request is. A piece ends where one may end, and the server may always ask for more.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use hilum_env::ByteStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::wire::{Pace, Phase};

/// Bytes that are read while nobody wants them, to see whether the sender is still there.
const AHEAD_BYTES_MAX: usize = 16 << 10;
/// Bytes of one such read.
const READ_BYTES: usize = 2 << 10;

/// The stream of one connection. Its clones are the same stream.
#[derive(Clone)]
pub(super) struct Ahead(Arc<Mutex<Inner>>);

struct Inner {
    stream: Box<dyn ByteStream>,
    pace: Arc<Pace>,
    /// What was read and not yet wanted.
    held: BytesMut,
    /// Bytes of a body of which the length is known that have not been handed over.
    body_left: u64,
    /// Whether the line that is read has nothing in it so far.
    is_blank: bool,
    has_ended: bool,
}

impl Ahead {
    pub(super) fn new(stream: Box<dyn ByteStream>, pace: Arc<Pace>) -> Self {
        let (held, body_left) = (BytesMut::new(), 0);
        let inner = Inner { stream, pace, held, body_left, is_blank: true, has_ended: false };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Ready once the connection is broken while a request is worked on: nobody waits for the answer. A
    /// sender that has only closed its half may still read it.
    pub(super) fn poll_broken(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        if inner.pace.phase() != Phase::Working {
            return Poll::Pending;
        }
        while inner.held.len() < AHEAD_BYTES_MAX && !inner.has_ended {
            let mut space = [0; READ_BYTES];
            let mut read = ReadBuf::new(&mut space);
            match Pin::new(&mut inner.stream).poll_read(context, &mut read) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if read.filled().is_empty() => inner.has_ended = true,
                Poll::Ready(Ok(())) => inner.held.extend_from_slice(read.filled()),
                // TLS that ends without a word is a stream that ends.
                Poll::Ready(Err(fault)) if fault.kind() == io::ErrorKind::UnexpectedEof => {
                    inner.has_ended = true;
                }
                Poll::Ready(Err(_)) => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// How many of these bytes are handed over: the rest of a body whose length is known; else up to
    /// the next empty line, with which every head and every body in chunks ends.
    fn piece(&mut self, bytes: &[u8]) -> usize {
        if 0 < self.body_left {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX).min(self.body_left);
            self.body_left -= length;
            self.is_blank = true;
            return usize::try_from(length).unwrap_or(bytes.len());
        }
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' if self.is_blank => return at + 1,
                b'\n' => self.is_blank = true,
                b'\r' => {}
                _ => self.is_blank = false,
            }
        }
        bytes.len()
    }
}

impl AsyncRead for Ahead {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut inner = self.lock();
        if let Some(length) = inner.pace.take_body() {
            inner.body_left = length;
        }
        if inner.held.is_empty() {
            let before = buffer.filled().len();
            let polled = Pin::new(&mut inner.stream).poll_read(context, buffer);
            let read = buffer.filled().get(before..).unwrap_or_default();
            let piece = inner.piece(read);
            inner.held.extend_from_slice(read.get(piece..).unwrap_or_default());
            buffer.set_filled(before + piece);
            return polled;
        }
        let fits = inner.held.len().min(buffer.remaining());
        let held = std::mem::take(&mut inner.held);
        let piece = inner.piece(held.get(..fits).unwrap_or_default());
        inner.held = held;
        buffer.put_slice(inner.held.get(..piece).unwrap_or_default());
        inner.held.advance(piece);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Ahead {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.lock().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.lock().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_shutdown(context)
    }
}

//! A request's body, within its bounds.
//!
//! Room is taken from the process's bytes in flight before it is allocated, and grows as bytes
//! come: a length that is only announced costs nothing.

use std::error::Error;
use std::io;

use bytes::{Bytes, BytesMut};
use hilum_pipeline::{Refusal, RequestFault};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::wire::{Pace, Phase};
use crate::budget::Lease;

/// What is allocated first, where no length is announced.
const FIRST_BYTES: usize = 16 << 10;
/// How much of a body that nobody wants is read, so that the connection can go on.
const WASTE_BYTES_MAX: u64 = 64 << 10;

/// What a body may take.
pub(super) struct Bounds<'a> {
    /// Bytes of the body.
    pub(super) body_bytes_max: usize,
    /// What the connection holds beside the body.
    pub(super) beside: usize,
    pub(super) pace: &'a Pace,
}

/// Reads a body whole.
pub(super) async fn collect(
    mut body: Incoming,
    bounds: &Bounds<'_>,
    lease: &mut Lease,
) -> Result<Bytes, Refusal> {
    let too_long = Refusal::TooLong { bytes_max: bounds.body_bytes_max };
    let announced = body.size_hint().exact().and_then(|it| usize::try_from(it).ok());
    if announced.is_some_and(|it| bounds.body_bytes_max < it) {
        return Err(too_long);
    }
    let most = announced.unwrap_or(bounds.body_bytes_max);
    let mut buffer = BytesMut::new();
    bounds.pace.at(Phase::Body);
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = bounds.pace.late() => return Err(Refusal::Request(RequestFault::TimedOut)),
        };
        let Some(frame) = frame else { return Ok(whole(buffer)) };
        let Ok(data) = frame.map_err(|fault| broken(&fault))?.into_data() else {
            continue; // Trailers say nothing that we use.
        };
        bounds.pace.at(Phase::Body);
        let needed = buffer.len().saturating_add(data.len());
        if bounds.body_bytes_max < needed {
            return Err(too_long);
        }
        if buffer.capacity() < needed {
            let room = needed.max(buffer.capacity() * 2).max(FIRST_BYTES).min(most.max(needed));
            tokio::select! {
                biased;
                () = lease.cover(room.saturating_add(bounds.beside)) => {}
                () = bounds.pace.late() => return Err(Refusal::Busy),
            }
            buffer.reserve(room - buffer.len());
        }
        buffer.extend_from_slice(&data);
    }
}

/// A message may be kept for long, and is counted by its length: room that it does not need goes.
fn whole(buffer: BytesMut) -> Bytes {
    let spare = buffer.capacity().saturating_sub(buffer.len());
    if spare <= buffer.len() / 8 { buffer.freeze() } else { Bytes::copy_from_slice(&buffer) }
}

/// Reads what is left of a small body that nobody wants. Whether the connection can go on.
pub(super) async fn waste(mut body: Incoming, bounds: &Bounds<'_>) -> bool {
    if body.is_end_stream() {
        return true;
    }
    if body.size_hint().exact().is_none_or(|it| WASTE_BYTES_MAX < it) {
        return false;
    }
    bounds.pace.at(Phase::Body);
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = bounds.pace.late() => return false,
        };
        match frame {
            None => return true,
            Some(Ok(_)) => bounds.pace.at(Phase::Body),
            Some(Err(_)) => return false,
        }
    }
}

/// Whether the peer went away in the middle, or wrote what is no chunk.
fn broken(fault: &hyper::Error) -> Refusal {
    let mut source = fault.source();
    while let Some(fault) = source {
        let kind = fault.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)) {
            return Refusal::Request(RequestFault::Chunks);
        }
        source = fault.source();
    }
    Refusal::Request(RequestFault::CutOff)
}

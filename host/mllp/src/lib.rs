//! MLLP framing: bytes in, frames out.
//!
//! A frame is `<VT> content <FS><CR>`. The [`Decoder`] owns no socket and no clock: a connection
//! feeds it bytes and takes [`Event`]s, says when the stream has ended, and asks what it is waiting
//! for, so a test can feed it one byte at a time.
//!
//! Promises: no frame longer than `frame_bytes_max`; every skipped byte is counted; each byte is
//! looked at once; what was cut off is never handed out as a frame.
//! Not here: character sets and messages (`hilum_hl7`), what a sender is told (`hilum_answer`),
//! time and sockets (`hilum_listeners`).

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

mod decoder;
mod encode;

pub use decoder::{Decoder, Event, Finding, Frame, FrameError, Limits, Waiting};
pub use encode::{HoldsFraming, encode};

/// Starts a frame.
pub const VT: u8 = 0x0b;
/// Ends a frame, together with [`CR`].
pub const FS: u8 = 0x1c;
/// Follows [`FS`].
pub const CR: u8 = 0x0d;

/// MLLP release 2: the content of the frame is in safe storage. No content begins like that.
pub const COMMITTED: [u8; 4] = [VT, 0x06, FS, CR];
/// MLLP release 2: it is not.
pub const NOT_COMMITTED: [u8; 4] = [VT, 0x15, FS, CR];

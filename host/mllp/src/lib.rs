//! MLLP framing: bytes in, frames out.

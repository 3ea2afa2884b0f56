//! HL7 v2: read and edited without losing a byte.
//!
//! [`Message::parse`] makes one pass over the bytes and keeps an index of segments and fields; a
//! value is a range of those bytes until somebody asks for its [text](Message::text). What is odd
//! about the bytes stands beside them as [`Finding`]s.
//!
//! ```
//! use hilum_hl7::{Message, Path, Value};
//!
//! let bytes = b"MSH|^~\\&|LAB||||||ORU^R01|7|P|2.5.1\rPID|||17^^^A~18^^^B||EVERY\\T\\WOMAN\r";
//! let message = Message::parse(bytes.to_vec().into())?;
//! let path: Path = "PID-3[2].1".parse()?;
//! let Value::Text(range) = message.value(&path) else { panic!("PID-3 repeats") };
//! assert_eq!(message.text(range)?, "18");
//! assert_eq!(message.kind(), "ORU^R01");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Message::edit`] begins a [`Draft`], which keeps every byte that is not edited:
//!
//! ```
//! # use hilum_hl7::{EditLimits, Message};
//! let message = Message::parse(b"MSH|^~\\&|LAB\rPID|1||17^^^A\r".to_vec().into())?;
//! let mut draft = message.edit(EditLimits { bytes_max: 1 << 20, number_max: 1_000 });
//! draft.set(&"PID-5.2".parse()?, "A&B")?;
//! assert_eq!(draft.finish()?.bytes(), "MSH|^~\\&|LAB\rPID|1||17^^^A||^A\\T\\B\r");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Promises: prefix, segments and terminators put together are the input, byte for byte; any bytes
//! return, in time and memory linear in their length; nothing is guessed; no error, finding or
//! `Debug` holds content.
//! Not here: frames (`hilum_mllp`), what a sender is told (`hilum_answer`), who may see what
//! (`hilum_policy`).

#![warn(clippy::indexing_slicing, clippy::as_conversions)]

mod batch;
mod charset;
mod delimiters;
mod edit;
mod escape;
mod finding;
mod header;
mod index;
mod leaves;
mod message;
mod name;
mod path;
mod read;
mod respell;
mod scan;
mod segment;

pub use batch::{Batch, BatchMessage, Stray, Wrapper};
pub use charset::{Charset, DecodeError};
pub use delimiters::Delimiters;
pub use edit::{Draft, EditError, EditLimits, Position};
pub use escape::{Escape, Hex, Piece, Unfit};
pub use finding::{Finding, FindingKind, Role};
pub use header::Header;
pub use leaves::{Leaf, Leaves};
pub use message::{Message, Options, ParseError};
pub use name::SegmentName;
pub use path::{Path, PathError, Place};
pub use read::Value;
pub use segment::{Segment, Segments};

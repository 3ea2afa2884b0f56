//! Lines that are kept with the message's trace. Never write a value into one: say its path.

use crate::host::log::{Level, write};

/// For the developer.
pub fn debug(text: &str) {
    write(Level::Debug, text);
}

/// For the operator.
pub fn info(text: &str) {
    write(Level::Info, text);
}

/// Something was left out or guessed.
pub fn warn(text: &str) {
    write(Level::Warn, text);
}

/// Why this call fails.
pub fn error(text: &str) {
    write(Level::Error, text);
}

//! One message, whatever its format.

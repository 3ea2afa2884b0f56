//! The hilum command.
fn main() {}

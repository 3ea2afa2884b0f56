use std::fmt;

/// The seed of a run's tokens: 128 random bits, drawn once per run and kept in its record, so that
/// every attempt, step and replay of the run makes the same tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RunSeed(pub [u8; 16]);

/// Does not print: who knows the seed can tell what a token stands for, by trying.
impl fmt::Debug for RunSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunSeed")
    }
}

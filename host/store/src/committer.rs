use hilum_env::{Machine, Next};

/// Writes what waits: one write and one sync for all of it. It owns the end of the journal.
pub struct Committer {}

impl Machine for Committer {
    fn step(&mut self) -> Next {
        todo!("being written")
    }
}

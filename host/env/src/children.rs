use std::io;
use std::time::Duration;

/// Children: this program once more, to do one thing that may end badly, away from everything else.
///
/// The child bounds its own memory and processor time first ([`bound_myself`]); whoever waits for it
/// bounds its time by the wall.
///
/// [`bound_myself`]: crate::system::bound_myself
pub trait Children: Send + Sync {
    /// Runs one to its end and tells how it ended. Blocks. `Unsupported`: this process has no program
    /// of its own to run, as in a test.
    fn run(&self, errand: &Errand<'_>) -> io::Result<Ended>;
}

/// What a child is started for.
#[derive(Clone, Copy, Debug)]
pub struct Errand<'a> {
    /// Its arguments. It has no environment, and no open file but the three.
    pub arguments: &'a [&'a str],
    /// What it reads from its standard input.
    pub input: &'a [u8],
    /// How long it may take by the wall; then it is killed.
    pub wall: Duration,
    /// How much is kept of what it writes, of each of the two.
    pub output_bytes_max: usize,
}

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub how: How,
    /// What it wrote to its standard output, as far as it was kept.
    pub output: Vec<u8>,
    /// What it wrote to its standard error, as far as it was kept.
    pub errors: Vec<u8>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
    /// It was still at it when its time was over.
    TimedOut,
}

/// No children at all: for a process that is not the gateway's program.
pub struct NoChildren;

impl Children for NoChildren {
    fn run(&self, _: &Errand<'_>) -> io::Result<Ended> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

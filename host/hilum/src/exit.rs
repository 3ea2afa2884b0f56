//! Exit codes, and how a failure is printed.
//!
//! 0 is success, 1 failure, 2 wrong usage (by clap); the others are those of `sysexits.h` that
//! help a supervisor to decide whether to try again.

use std::fmt;
use std::process::ExitCode;

/// How a command ended, if it got as far as a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for was done.
    Success,
    /// It was done, and the answer is no: a message refused, a problem found.
    Failure,
    /// What the command line asks for makes no sense (clap finds most of these by itself).
    Usage,
    /// A file or socket could not be read or written.
    Io,
    /// It may work later: the gateway is not running, or busy.
    Temporary,
    /// The user may not do this.
    Permission,
    /// The configuration has problems. A supervisor should not restart.
    Configuration,
    /// Ended by this signal before it was through.
    Signal(u8),
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Io => 74,
            Self::Temporary => 75,
            Self::Permission => 77,
            Self::Configuration => 78,
            Self::Signal(number) => 128 + (number & 127),
        }
    }
}

/// A failure that has a code of its own. Everything else exits 1.
#[derive(Debug)]
pub struct Failed {
    exit: Exit,
    sentence: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Failed {}

/// A failure with its code and the sentence that the user reads.
pub fn failed(exit: Exit, sentence: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Failed { exit, sentence: sentence.into() })
}

/// Prints what went wrong and picks the code. An empty sentence was printed already.
pub fn report(result: anyhow::Result<Exit>) -> ExitCode {
    let error = match result {
        Ok(exit) => return ExitCode::from(exit.code()),
        Err(error) => error,
    };
    let exit = of(&error);
    if is_broken_pipe(&error) {
        // `hilum message list | head`: whoever reads has had enough.
        return ExitCode::from(Exit::Success.code());
    }
    let sentence = format!("{error:#}");
    if !sentence.is_empty() {
        eprintln!("hilum: {sentence}");
    }
    ExitCode::from(exit.code())
}

/// How a command ended that failed with this.
pub fn of(error: &anyhow::Error) -> Exit {
    error.downcast_ref::<Failed>().map_or(Exit::Failure, |failed| failed.exit)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|it| it.kind() == std::io::ErrorKind::BrokenPipe)
}

//! Compiling is tried in a child of the gateway before the gateway does it itself.
//!
//! A stranger's component decides what compiling it costs: a function made for that takes minutes and
//! gigabytes. So a child, which is this program once more with [`TRIAL`] as its command, compiles it
//! first, within bounds that the operating system holds. What passes is compiled again here; compiled
//! code is never taken from outside, and so not from a child either.
//!
//! Promises: what does not pass within [`CompileLimits`] is not compiled in the gateway; a child that
//! cannot be started lets nothing pass.
//! Not here: how a process bounds itself (`hilum_env::system`), whether a plugin fits the contract.

use std::fmt;
use std::io::{self, ErrorKind};

use hilum_env::system::{ABORTED, OUT_OF_TIME};
use hilum_env::{Children, Ended, Errand, How};
use wasmtime::{Engine, InstanceAllocationStrategy};

use crate::capability::log::plain;
use crate::engine::{config, told};
use crate::{CompileLimits, LoadProblem};

/// The command of the program that tries; its two arguments are bytes of memory and seconds of
/// processor time, and it reads the component from its standard input.
pub const TRIAL: &str = "compile-trial";

/// The exit code of a trial whose component the compiler does not take; what it says about it is on
/// its standard output.
pub const NOT_TAKEN: u8 = 3;

/// The stack that a trial compiles on: half of what any thread of the gateway has, so that what passes
/// fits there as well.
pub const TRIAL_STACK_BYTES: usize = 1 << 20;

/// Bytes of what a child says that are kept.
const SAID_BYTES_MAX: usize = 4 << 10;

/// What compiling a plugin has more of than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Excess {
    /// Memory.
    Memory,
    /// Time of the processor, or by the wall.
    Time,
    /// It ended the compiler itself.
    Stopped,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "compiling it takes more memory than a plugin may have compiled with",
            Self::Time => "compiling it takes longer than a plugin may have compiled with",
            Self::Stopped => "compiling it ended the compiler",
        })
    }
}

/// Compiles a component as a child does it, and forgets what comes out. To be called on a thread with
/// [`TRIAL_STACK_BYTES`] of stack, in a process that is bounded.
pub fn compile_trial(component: &[u8]) -> Result<(), String> {
    let mut config = config(1);
    // A pool would reserve more address space than the child has.
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    let compiled = Engine::new(&config).and_then(|engine| engine.precompile_component(component));
    compiled.map(drop).map_err(|error| told(&error))
}

/// Has a child compile a component; an error if it did not pass. Without children (in a test, or
/// where the gateway is part of another program) everything passes.
pub(crate) fn pass(
    children: &dyn Children,
    component: &[u8],
    limits: &CompileLimits,
) -> Result<(), LoadProblem> {
    let (memory, seconds) = (limits.memory_bytes.to_string(), limits.processor_seconds.to_string());
    let errand = Errand {
        arguments: &[TRIAL, &memory, &seconds],
        input: component,
        wall: limits.wall,
        output_bytes_max: SAID_BYTES_MAX,
    };
    judged(children.run(&errand), *limits)
}

fn judged(ended: io::Result<Ended>, limits: CompileLimits) -> Result<(), LoadProblem> {
    let ended = match ended {
        Ok(ended) => ended,
        Err(fault) if fault.kind() == ErrorKind::Unsupported => return Ok(()),
        Err(fault) => return Err(LoadProblem::NotTried(fault.kind())),
    };
    let excess = match ended.how {
        How::Exited(0) => return Ok(()),
        How::Exited(code) if code == i32::from(NOT_TAKEN) => {
            let said = String::from_utf8_lossy(&ended.output);
            return Err(LoadProblem::Compile(plain(&said)));
        }
        How::TimedOut => Excess::Time,
        How::Killed(signal) if signal == OUT_OF_TIME => Excess::Time,
        // Rust's own words for memory that was refused; there is no code for it.
        How::Killed(signal) if signal == ABORTED && says(&ended.errors, "memory allocation of") => {
            Excess::Memory
        }
        How::Exited(_) | How::Killed(_) => Excess::Stopped,
    };
    Err(LoadProblem::TooDear { excess, limits })
}

fn says(errors: &[u8], words: &str) -> bool {
    String::from_utf8_lossy(errors).contains(words)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use expect_test::{Expect, expect};

    use super::*;

    const LIMITS: CompileLimits = CompileLimits {
        memory_bytes: 512 << 20,
        processor_seconds: 20,
        wall: Duration::from_secs(60),
    };

    #[track_caller]
    fn check(how: How, output: &str, errors: &str, expected: Expect) {
        let ended = Ended { how, output: output.into(), errors: errors.into() };
        let shown = match judged(Ok(ended), LIMITS) {
            Ok(()) => "passed".to_owned(),
            Err(problem) => problem.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn how_a_trial_ends_is_told_in_words() {
        check(How::Exited(0), "", "", expect!["passed"]);
        check(
            How::Exited(3),
            "unknown\nopcode",
            "",
            expect!["the engine does not take the plugin: unknown opcode"],
        );
        check(
            How::Killed(ABORTED),
            "",
            "memory allocation of 7 bytes failed\n",
            expect![
                "compiling it takes more memory than a plugin may have compiled with (512 MiB): make its functions smaller, or of several plugins one each"
            ],
        );
        for how in [How::Killed(OUT_OF_TIME), How::TimedOut] {
            check(
                how,
                "",
                "",
                expect![
                    "compiling it takes longer than a plugin may have compiled with (20s of the processor, 60s in all): make its functions smaller, or of several plugins one each"
                ],
            );
        }
        for how in [How::Killed(ABORTED), How::Killed(11), How::Exited(101), How::Exited(-1)] {
            check(
                how,
                "",
                "a bug",
                expect![
                    "compiling it ended the compiler: it is made to do that, or the compiler has a bug; the gateway does not compile it"
                ],
            );
        }
    }

    #[test]
    fn a_child_that_cannot_be_started_lets_nothing_pass() {
        let refused = judged(Err(ErrorKind::PermissionDenied.into()), LIMITS);
        expect!["compiling could not be tried in a process of its own (permission denied); nothing is compiled without that"]
            .assert_eq(&refused.expect_err("not passed").to_string());
        assert!(judged(Err(ErrorKind::Unsupported.into()), LIMITS).is_ok());
    }
}

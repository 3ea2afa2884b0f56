//! The `hilum` command: arguments in, one command run, one exit code out.
//!
//! [`arguments`] says what can be typed, [`command`] has one file per command. `serve` starts the
//! gateway; `check`, `config …`, `plugin …`, `pki …` and `store …` work without one; `send` is an MLLP
//! client; the others (`status`, `message …`, `apply` …) are clients of a running gateway's control
//! socket.
//!
//! Promises: standard output holds data, standard error everything else; the exit codes are those
//! of [`exit`]. Not here: what becomes of a message.

mod arguments;
mod client;
mod command;
mod exit;
mod log;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // A panic's own text may quote what it stumbled over, and that may be a patient's name: it says
    // where, never what.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed").to_owned();
        tracing::error!(thread = name, place, "a bug: the thread ended");
    }));
    let arguments = arguments::Arguments::parse();
    if let arguments::Command::CompileTrial(bounds) = arguments.command {
        // Before anything else takes memory, threads or files.
        return command::compile_trial::run(bounds);
    }
    exit::report(command::run(arguments))
}

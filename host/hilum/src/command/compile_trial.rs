//! `hilum compile-trial`: what the gateway starts as a child of its own, to compile a plugin within
//! bounds before it does so itself. Nobody types it.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use hilum_sandbox::{EngineLimits, NOT_TAKEN, TRIAL_STACK_BYTES, compile_trial};

use crate::arguments::CompileTrial;

/// Compiles what its standard input has, and forgets what comes out. The exit code says how it went.
pub fn run(bounds: CompileTrial) -> ExitCode {
    match tried(bounds) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(why)) => {
            // Whoever started it may be gone.
            let _ = io::stdout().write_all(why.as_bytes());
            ExitCode::from(NOT_TAKEN)
        }
        Err(fault) => {
            eprintln!("hilum: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn tried(bounds: CompileTrial) -> io::Result<Result<(), String>> {
    hilum_env::system::bound_myself(bounds.memory_bytes, bounds.processor_seconds)?;
    let most = EngineLimits::for_cores(1).component_bytes_max;
    let mut component = Vec::new();
    io::stdin().take(most).read_to_end(&mut component)?;
    let compiler = std::thread::Builder::new()
        .stack_size(TRIAL_STACK_BYTES)
        .spawn(move || compile_trial(&component))?;
    compiler.join().map_err(|_| io::Error::other("the compiler has ended with a bug"))
}

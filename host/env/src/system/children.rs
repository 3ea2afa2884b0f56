use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, kill_process_group,
    set_parent_process_death_signal, setrlimit, waitid,
};

use crate::{Children, Ended, Errand, How};

/// How often is looked whether a child that is not heard any more has ended.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Children that are this very program, also after its file was replaced by a newer one.
pub struct SystemChildren {
    program: PathBuf,
}

impl SystemChildren {
    /// Children that are the program of this process.
    pub fn of_this_program() -> Self {
        let itself = Path::new("/proc/self/exe");
        let program = if itself.exists() {
            itself.to_owned()
        } else {
            std::env::current_exe().unwrap_or_else(|_| itself.to_owned())
        };
        Self { program }
    }

    /// Children that are another program.
    pub fn of(program: PathBuf) -> Self {
        Self { program }
    }
}

impl Children for SystemChildren {
    fn run(&self, errand: &Errand<'_>) -> io::Result<Ended> {
        let mut child = Command::new(&self.program)
            .args(errand.arguments)
            .env_clear()
            // A group of its own: whatever it starts ends with it.
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(refused)?;
        let ended = attend(&mut child, errand);
        if ended.is_err() {
            // Whatever went wrong on our side, it does not go on alone.
            let _ = child.kill();
            let _ = child.wait();
        }
        ended
    }
}

/// Why it was not started. A system that has no processes to give refuses; it does not say that this
/// program has no children.
fn refused(fault: io::Error) -> io::Error {
    match fault.kind() {
        io::ErrorKind::Unsupported => io::Error::new(io::ErrorKind::PermissionDenied, fault),
        _ => fault,
    }
}

/// Feeds it, listens to it, and waits for its end or for the end of its time.
fn attend(child: &mut Child, errand: &Errand<'_>) -> io::Result<Ended> {
    let gone = || io::Error::other("a pipe to the child is missing");
    let mut stdin = child.stdin.take().ok_or_else(gone)?;
    let mut stdout = child.stdout.take().ok_or_else(gone)?;
    let mut stderr = child.stderr.take().ok_or_else(gone)?;
    let most = errand.output_bytes_max;
    thread::scope(|scope| {
        // Three pipes, and none may wait for another one. It may have seen enough, or be gone, before
        // it has read everything: how it ended says so.
        let feeding = in_scope(scope, move || drop(stdin.write_all(errand.input)));
        let (said, heard) = channel();
        let errors = in_scope(scope, move || read_some(&mut stderr, most));
        let output = in_scope(scope, move || {
            let output = read_some(&mut stdout, most);
            let _ = said.send(());
            output
        });
        let (Ok(_), Ok(errors), Ok(output)) = (feeding, errors, output) else {
            // Whoever feeds it or listens to it stops when it is gone.
            kill_group(child);
            return Err(io::Error::other("the operating system gives no thread"));
        };
        let is_late = is_late(child, &heard, errand.wall);
        // What it started may hold its pipes open, and whoever listens to them would listen for ever.
        kill_group(child);
        let is_late = is_late?;
        let status = child.wait()?;
        let how = if is_late { How::TimedOut } else { how(status) };
        let lost = |_| io::Error::other("a reader of the child's output is gone");
        Ok(Ended {
            how,
            output: output.join().map_err(lost)?,
            errors: errors.join().map_err(lost)?,
        })
    })
}

/// Waits for its end or for the end of its time, and tells whether it was the latter.
fn is_late(child: &Child, heard: &Receiver<()>, wall: Duration) -> io::Result<bool> {
    let started = Instant::now();
    let mut is_late = heard.recv_timeout(wall) == Err(RecvTimeoutError::Timeout);
    // Its output ends with it, unless it has closed that itself to go on unheard.
    while !is_late && !has_ended(child)? {
        thread::sleep(LOOK_EVERY);
        is_late = wall <= started.elapsed();
    }
    Ok(is_late)
}

/// Whether it has ended. It is not waited for yet, so that its number stays its own.
fn has_ended(child: &Child) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
}

/// Kills it and what it started. To be called before it is waited for: then its number is its own.
fn kill_group(child: &Child) {
    // It fails only if nobody is left.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}

fn in_scope<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    thread::Builder::new().name("child".to_owned()).spawn_scoped(scope, work)
}

/// The first bytes; what is more is read and dropped, so that its writer need not wait.
fn read_some(from: &mut impl Read, most: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    if from.by_ref().take(limit).read_to_end(&mut kept).is_ok() {
        let _ = io::copy(from, &mut io::sink());
    }
    kept
}

fn how(status: ExitStatus) -> How {
    match status.signal() {
        Some(signal) => How::Killed(signal),
        None => How::Exited(status.code().unwrap_or(-1)),
    }
}

/// The signal of a process that has used up its processor time.
pub const OUT_OF_TIME: i32 = Signal::XCPU.as_raw();

/// The signal of a process that has ended itself: in ours, because memory was refused.
pub const ABORTED: i32 = Signal::ABORT.as_raw();

/// Bounds this process for the rest of its life: its address space, its processor time, and that it
/// writes no file, leaves no core dump, and does not outlive whoever started it.
pub fn bound_myself(memory_bytes: u64, processor_seconds: u64) -> io::Result<()> {
    let bound = |resource, at_most| {
        let limit = Rlimit { current: Some(at_most), maximum: Some(at_most) };
        setrlimit(resource, limit).map_err(io::Error::from)
    };
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from)?;
    bound(Resource::Core, 0)?;
    bound(Resource::Fsize, 0)?;
    // The soft limit's signal says what happened; the hard one ends it if that was not enough.
    let cpu = Rlimit {
        current: Some(processor_seconds),
        maximum: Some(processor_seconds.saturating_add(1)),
    };
    setrlimit(Resource::Cpu, cpu).map_err(io::Error::from)?;
    bound(Resource::As, memory_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_starts_no_process_does_not_say_that_there_are_no_children() {
        // ENOSYS, which is `Unsupported` to the standard library: a filter of system calls says so.
        let fault = refused(io::Error::from_raw_os_error(rustix::io::Errno::NOSYS.raw_os_error()));
        assert_eq!(fault.kind(), io::ErrorKind::PermissionDenied);
        let fault = refused(io::ErrorKind::NotFound.into());
        assert_eq!(fault.kind(), io::ErrorKind::NotFound);
    }
}

use rustix::process::{Resource, getrlimit, setrlimit};

/// Lets this process open as many files and sockets as it may at all, and says how many that is;
/// none: without a limit. What a shell or a supervisor gives at first is often 1,024, which one
/// listener's connections fill.
pub fn raise_open_files() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    let given = limit.current;
    limit.current = limit.maximum;
    // It may be refused where another program forbids it: then what was given stays.
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => limit.maximum,
        Err(_) => given,
    }
}

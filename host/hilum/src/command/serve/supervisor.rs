//! What systemd wants to know: `sd_notify(3)`, without its library.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Tells the supervisor, if there is one. That it cannot be told is no reason to stop.
pub fn tell(state: &str) {
    let Ok(path) = std::env::var("NOTIFY_SOCKET") else { return };
    if let Err(fault) = send(&path, state) {
        tracing::warn!(%fault, "the supervisor could not be told");
    }
}

/// `path` begins with `@` where the socket has a name in no file system.
fn send(path: &str, state: &str) -> io::Result<usize> {
    let address = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_is_told_in_one_datagram() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let supervisor = UnixDatagram::bind(&path).expect("bound");
        send(&path.to_string_lossy(), "READY=1").expect("sent");
        let mut told = [0; 16];
        let count = supervisor.recv(&mut told).expect("told");
        assert_eq!(&told[..count], b"READY=1");
    }
}

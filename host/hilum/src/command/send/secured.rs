//! TLS of the client: what it trusts, and what it shows.

use std::io;
use std::path::Path;

use hilum_env::tls::{ClientMaterial, ClientTls, is_server_name};
use hilum_env::{ByteStream, Disk};

use crate::arguments::Tls;
use crate::exit::{Exit, failed};

/// The longest file of certificates.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// TLS to one receiver.
pub struct Secured {
    tls: ClientTls,
    name: String,
}

impl Secured {
    /// What the command line asks for; none if it asks for no TLS.
    pub fn new(arguments: &Tls, to: &str, disk: &dyn Disk) -> anyhow::Result<Option<Self>> {
        let Tls { tls, ca, certificate, key, server_name } = arguments;
        let files = [ca, certificate, key];
        if !tls && server_name.is_none() && files.iter().all(|it| it.is_none()) {
            return Ok(None);
        }
        let read = |path: &Path| {
            let fault = |fault| format!("{} cannot be read: {fault}", path.display());
            disk.read(path, FILE_BYTES_MAX).map_err(|it| failed(Exit::Io, fault(it)))
        };
        let material = ClientMaterial {
            ca: ca.as_deref().map(read).transpose()?,
            certificate: certificate.as_deref().map(read).transpose()?,
            key: key.as_deref().map(read).transpose()?,
        };
        let tls =
            ClientTls::new(&material).map_err(|fault| failed(Exit::Usage, fault.to_string()))?;
        let name = server_name.as_deref().unwrap_or_else(|| host(to)).to_owned();
        if !is_server_name(&name) {
            let text = format!("{name} is no name that a certificate could have");
            return Err(failed(Exit::Usage, text));
        }
        Ok(Some(Self { tls, name }))
    }

    /// The handshake. Callers bound the time.
    pub async fn shake(&self, stream: Box<dyn ByteStream>) -> io::Result<Box<dyn ByteStream>> {
        self.tls.connect(&self.name, stream).await
    }
}

/// The host of `host:port`, without the brackets of IPv6.
fn host(to: &str) -> &str {
    let host = to.rsplit_once(':').map_or(to, |(host, _)| host);
    host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_what_stands_before_the_port() {
        assert_eq!(host("lab.example:2575"), "lab.example");
        assert_eq!(host("[::1]:2575"), "::1");
        assert_eq!(host("192.0.2.7:1"), "192.0.2.7");
    }

    #[test]
    fn nobody_who_asks_for_no_tls_gets_any() {
        let twin = hilum_env::twin::Twin::with_seed(1);
        let disk = twin.doors().disk;
        let secured = Secured::new(&Tls::default(), "lab.example:1", &*disk).expect("nothing");
        assert!(secured.is_none());
        let ca = Some("/nowhere/ca.pem".into());
        let asked = Tls { ca, ..Tls::default() };
        let fault = Secured::new(&asked, "lab.example:1", &*disk).err().map(|it| it.to_string());
        assert!(fault.is_some_and(|it| it.starts_with("/nowhere/ca.pem cannot be read")));
    }
}

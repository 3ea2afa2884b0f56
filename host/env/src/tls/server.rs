use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::TlsAcceptor;

use super::{Identity, Own, TlsError, VERSIONS, authorities, provider, refused};
use crate::{BoxFuture, ByteStream, WallClock};

/// Whether peers show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// They are not asked for one.
    None,
    /// They need one that an authority of `client_ca` vouches for.
    Required,
}

/// What a server's TLS is made of, in PEM.
#[derive(Clone)]
pub struct ServerMaterial {
    /// The certificate and those between it and its authority.
    pub certificate: Vec<u8>,
    /// Its private key.
    pub key: Vec<u8>,
    /// Who vouches for clients.
    pub client_ca: Option<Vec<u8>>,
    /// Whether clients show a certificate.
    pub client: ClientAuth,
}

impl fmt::Debug for ServerMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerMaterial({:?})", self.client)
    }
}

/// The server's end of TLS. Cheap to clone; clones share what [`replace`](Self::replace) changes.
#[derive(Clone)]
pub struct ServerTls(Arc<Mutex<Current>>);

#[derive(Clone)]
struct Current {
    config: Arc<ServerConfig>,
    expires: WallClock,
}

impl Current {
    fn new(material: &ServerMaterial) -> Result<Self, TlsError> {
        let Own { chain, key, expires } = Own::read(&material.certificate, &material.key)?;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(refused)?;
        let mut config = match (material.client, &material.client_ca) {
            (ClientAuth::None, _) => {
                builder.with_no_client_auth().with_single_cert(chain, key).map_err(refused)?
            }
            (ClientAuth::Required, None) => return Err(TlsError::NoClientAuthorities),
            (ClientAuth::Required, Some(ca)) => {
                let roots = authorities(ca)?;
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider())
                    .build()
                    .map_err(|_| TlsError::BadAuthorities)?;
                let builder = builder.with_client_cert_verifier(verifier);
                builder.with_single_cert(chain, key).map_err(refused)?
            }
        };
        if material.client == ClientAuth::Required {
            // A session that is taken up again would not show its certificate again, and so live
            // longer than the certificate.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Self { config: Arc::new(config), expires })
    }
}

impl ServerTls {
    /// TLS of this material.
    pub fn new(material: &ServerMaterial) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(Mutex::new(Current::new(material)?))))
    }

    /// Other material, for handshakes from now on. After an error the old one stays.
    pub fn replace(&self, material: &ServerMaterial) -> Result<(), TlsError> {
        let new = Current::new(material)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// The handshake. Callers bound the time.
    pub fn accept(&self, stream: Box<dyn ByteStream>) -> BoxFuture<'static, Accepted> {
        let acceptor = TlsAcceptor::from(self.current().config);
        Box::pin(async move {
            let stream = acceptor.accept(stream).await?;
            let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let identity = match certificates.first() {
                None => None,
                // What was verified and still cannot be read is nobody that could be let in.
                Some(first) => Some(Identity::of(first).ok_or_else(|| {
                    let text = "the peer's certificate has names that cannot be read";
                    io::Error::new(io::ErrorKind::InvalidData, text)
                })?),
            };
            Ok((Box::new(stream) as Box<dyn ByteStream>, identity))
        })
    }

    /// When the first certificate of the chain expires, in microseconds since the Unix epoch.
    pub fn expires(&self) -> WallClock {
        self.current().expires
    }

    fn current(&self) -> Current {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a handshake ends with.
pub type Accepted = io::Result<(Box<dyn ByteStream>, Option<Identity>)>;

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerTls")
    }
}

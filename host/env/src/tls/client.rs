use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::{Own, TlsError, VERSIONS, authorities, provider, refused};
use crate::{BoxFuture, ByteStream, WallClock};

/// What a client's TLS is made of, in PEM.
#[derive(Clone, Default)]
pub struct ClientMaterial {
    /// Who vouches for servers; none: the authorities of this system.
    pub ca: Option<Vec<u8>>,
    /// The certificate that is shown, with those between it and its authority.
    pub certificate: Option<Vec<u8>>,
    /// Its private key.
    pub key: Option<Vec<u8>>,
}

impl fmt::Debug for ClientMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientMaterial")
    }
}

/// The client's end of TLS. Cheap to clone; clones share what [`replace`](Self::replace) changes.
#[derive(Clone)]
pub struct ClientTls(Arc<Mutex<Current>>);

#[derive(Clone)]
struct Current {
    config: Arc<ClientConfig>,
    expires: Option<WallClock>,
}

impl Current {
    fn new(material: &ClientMaterial) -> Result<Self, TlsError> {
        let roots = match &material.ca {
            Some(ca) => authorities(ca)?,
            None => system_authorities()?,
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(refused)?
            .with_root_certificates(roots);
        let (config, expires) = match (&material.certificate, &material.key) {
            (None, None) => (builder.with_no_client_auth(), None),
            (Some(certificate), Some(key)) => {
                let Own { chain, key, expires } = Own::read(certificate, key)?;
                let config = builder.with_client_auth_cert(chain, key).map_err(refused)?;
                (config, Some(expires))
            }
            _ => return Err(TlsError::Half),
        };
        Ok(Self { config: Arc::new(config), expires })
    }
}

/// The authorities that the system trusts. Those that cannot be read are left out, as every
/// client on the system does.
fn system_authorities() -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    let (added, _) =
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err(TlsError::NoSystemAuthorities);
    }
    Ok(Arc::new(store))
}

/// Whether a certificate could be for this name: a DNS name or an IP address.
pub fn is_server_name(name: &str) -> bool {
    ServerName::try_from(name).is_ok()
}

impl ClientTls {
    /// TLS of this material.
    pub fn new(material: &ClientMaterial) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(Mutex::new(Current::new(material)?))))
    }

    /// Other material, for handshakes from now on. After an error the old one stays.
    pub fn replace(&self, material: &ClientMaterial) -> Result<(), TlsError> {
        let new = Current::new(material)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// The handshake; the server has to show a certificate for `server_name`. Callers bound the
    /// time.
    pub fn connect(
        &self,
        server_name: &str,
        stream: Box<dyn ByteStream>,
    ) -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>> {
        let connector = TlsConnector::from(self.current().config);
        let name = ServerName::try_from(server_name.to_owned());
        Box::pin(async move {
            let name = name.map_err(|fault| io::Error::new(io::ErrorKind::InvalidInput, fault))?;
            let stream = connector.connect(name, stream).await?;
            Ok(Box::new(stream) as Box<dyn ByteStream>)
        })
    }

    /// When the first certificate of its own chain expires, in microseconds since the Unix epoch.
    pub fn expires(&self) -> Option<WallClock> {
        self.current().expires
    }

    fn current(&self) -> Current {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientTls")
    }
}

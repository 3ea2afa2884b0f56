//! TLS over any stream of bytes: rustls on aws-lc-rs, versions 1.2 and 1.3.
//!
//! [`ServerTls`] and [`ClientTls`] hold what they were made of and can be given other material
//! while they are used: connections that are open go on with what they began with.
//!
//! Promises: the provider is named, never a default of the process; material that does not fit
//! together is an error before it is used, and what was there stays; no error holds key material.
//! Not here: which files (`hilum_listeners`, `hilum_destinations`), time limits, who may connect.

mod client;
mod fault;
mod identity;
mod server;

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::WallClock;

pub use client::{ClientMaterial, ClientTls, is_server_name};
pub use fault::TlsFault;
pub use identity::Identity;
pub use server::{ClientAuth, ServerMaterial, ServerTls};

/// The versions that are spoken.
const VERSIONS: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS13, &rustls::version::TLS12];

/// Why TLS cannot be set up. Whose fault it is: the operator's files'.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is no certificate in the file.
    #[error("the certificate file holds no certificate in PEM")]
    NoCertificate,
    /// A certificate cannot be read.
    #[error("a certificate cannot be read")]
    BadCertificate,
    /// There is no private key, or one of a kind that is not known.
    #[error("the key file holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1)")]
    BadKey,
    /// A client certificate without its key, or the other way round.
    #[error("a certificate needs its key, and a key its certificate")]
    Half,
    /// The key is not the certificate's.
    #[error("the key does not belong to the certificate")]
    KeyMismatch,
    /// There is no certificate of an authority.
    #[error("the file of authorities holds no certificate in PEM")]
    BadAuthorities,
    /// Clients are to be known, and nobody vouches for them.
    #[error("clients need a certificate, and no authority is named that vouches for them")]
    NoClientAuthorities,
    /// The system has no authorities.
    #[error("the system's certificate authorities cannot be read; name them with \"ca\"")]
    NoSystemAuthorities,
    /// What a section refers to, or does not refer to, is something else than what is in hand.
    #[error("the certificate, key or secret of this section is not in hand")]
    NotInHand,
    /// The library says no for another reason.
    #[error("TLS cannot be set up")]
    Refused(#[source] rustls::Error),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// A chain and its key, and when the first certificate of it expires.
struct Own {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    expires: WallClock,
}

impl Own {
    fn read(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain).map_err(|()| TlsError::BadCertificate)?;
        let mut expires = Vec::new();
        for certificate in &chain {
            expires.push(identity::expires(certificate).ok_or(TlsError::BadCertificate)?);
        }
        let expires = expires.into_iter().min().ok_or(TlsError::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::BadKey)?;
        Ok(Self { chain, key, expires })
    }
}

/// Every certificate of a PEM file, in its order.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ()> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(drop)
}

fn authorities(pem: &[u8]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem).map_err(|()| TlsError::BadAuthorities)? {
        store.add(certificate).map_err(|_| TlsError::BadAuthorities)?;
    }
    if store.is_empty() {
        return Err(TlsError::BadAuthorities);
    }
    Ok(Arc::new(store))
}

fn refused(fault: rustls::Error) -> TlsError {
    match fault {
        rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch,
        rustls::Error::General(_) => TlsError::BadKey,
        fault => TlsError::Refused(fault),
    }
}

#[cfg(test)]
mod tests;

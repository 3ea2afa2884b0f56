//! TLS in front of any peer: what comes in encrypted goes to the plain peer behind it, and back.

#![expect(
    clippy::disallowed_methods,
    reason = "the other side of a socket is no part of the gateway and goes through no door"
)]

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::Identity;

/// A TLS server on a loopback port that passes everything on, until it is dropped.
pub struct TlsFront {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    handshakes: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

impl TlsFront {
    /// Stands before `behind` with this certificate.
    pub fn start(behind: SocketAddr, identity: &Identity) -> Result<Self> {
        Self::with(behind, identity, None)
    }

    /// The same, and only clients with a certificate of this authority are let in.
    pub fn mutual(behind: SocketAddr, identity: &Identity, client_ca: &str) -> Result<Self> {
        Self::with(behind, identity, Some(client_ca))
    }

    fn with(behind: SocketAddr, identity: &Identity, client_ca: Option<&str>) -> Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(config(identity, client_ca)?));
        let listener = TcpListener::bind("127.0.0.1:0").context("binds a loopback port")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    _ = stopped => {}
                    () = accept(listener, acceptor, behind, served) => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("tls-front".into()).spawn(serve)?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many handshakes came to a good end.
    pub fn handshakes(&self) -> usize {
        self.shared.handshakes.load(Ordering::SeqCst)
    }

    /// Why the others did not.
    pub fn failures(&self) -> Vec<String> {
        self.shared.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn config(identity: &Identity, client_ca: Option<&str>) -> Result<rustls::ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(pem.as_bytes())?)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build()?)
        }
    };
    let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
    Ok(builder.with_single_cert(chain, key)?)
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    behind: SocketAddr,
    shared: Arc<Shared>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let mut encrypted = match acceptor.accept(stream).await {
                Ok(encrypted) => encrypted,
                Err(error) => {
                    let mut failures =
                        shared.failures.lock().unwrap_or_else(PoisonError::into_inner);
                    failures.push(error.to_string());
                    return;
                }
            };
            shared.handshakes.fetch_add(1, Ordering::SeqCst);
            if let Ok(mut plain) = tokio::net::TcpStream::connect(behind).await {
                let _ = plain.set_nodelay(true);
                let _ = tokio::io::copy_bidirectional(&mut encrypted, &mut plain).await;
            }
        });
    }
}

//! A listener, its intake and a journal on the real machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hilum_env::tls::{ClientAuth, ClientMaterial, ClientTls, ServerMaterial};
use hilum_env::{Address, Doors};
use hilum_listeners::mllp::MllpConfig;
use hilum_listeners::{
    ByteBudget, KindConfig, Listener, ListenerConfig, Materials, Metrics, TlsConfig,
};
use hilum_message::TimeZone;
use hilum_peers::Authority;
use hilum_pipeline::{
    Backlog, Current, Generation, Intake, IntakeOptions, Routes, Unrouted, Waiters,
};
use hilum_policy::Policy;
use hilum_store::{Options, Store, open};
use hilum_words::config::{Placed, SecretRef};
use hilum_words::{Digest, Name, Place};

/// Both ends of this many connections, and what a process has open besides.
const FILES: u64 = 2 * 1_024 + 512;

/// A journal in a folder of its own, and doors.
pub struct World {
    pub doors: Doors,
    pub store: Store,
    pub metrics: Metrics,
    current: Arc<Current>,
    _folder: tempfile::TempDir,
}

impl World {
    pub fn open() -> Self {
        raise_file_limit();
        let doors = hilum_env::system::doors(tokio::runtime::Handle::current());
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options { syncs_measured: 0, ..Options::new(folder.path().join("data")) };
        let (store, committer) = open(&doors, options, Box::new(|_| {})).expect("opened");
        store.attach(doors.tasks.drive("committer", Box::new(committer)));
        let options = IntakeOptions { unrouted: Unrouted::Accept, ..IntakeOptions::default() };
        let generation = Generation {
            digest: Digest::of(b"test"),
            routes: Routes::new(Vec::new()),
            policy: Policy::new(TimeZone::UTC),
            plugins: BTreeMap::new(),
            intakes: BTreeMap::from([(Name::from("lab"), Arc::new(options))]),
        };
        let current = Arc::new(Current::new(Arc::new(generation)));
        Self { doors, store, metrics: Metrics::default(), current, _folder: folder }
    }

    /// Listens on a loopback port.
    pub async fn listen(&self, connections_max: usize, materials: &Materials) -> Listener {
        let kind = KindConfig::Mllp(MllpConfig::default());
        let tls = materials.tls.as_ref().map(|_| section());
        let config =
            ListenerConfig { connections_max, tls, ..ListenerConfig::plain("127.0.0.1:0", kind) };
        let intake = Arc::new(Intake::new(
            Name::from("lab"),
            self.store.clone(),
            Arc::clone(&self.current),
            Arc::new(Backlog::new(1 << 20)),
            Arc::new(Waiters::new(100)),
            Arc::clone(&self.doors.clock),
            Arc::clone(&self.doors.entropy),
            hilum_pipeline::Metrics::default(),
        ));
        let (budget, metrics) = (ByteBudget::new(256 << 20), self.metrics.clone());
        let doors = &self.doors;
        Listener::start("lab".into(), &config, materials, intake, doors, budget, metrics)
            .await
            .expect("bound")
    }
}

/// A section that refers to files: what is in them is in hand.
fn section() -> TlsConfig {
    let place = || Place { file: Arc::from("hilum.toml"), line: 1 };
    let key = SecretRef::File("server.key".into());
    TlsConfig {
        certificate: Placed { value: "server.pem".into(), place: place(), key: String::new() },
        key: Placed { value: key, place: place(), key: String::new() },
        client_ca: None,
        identities: None,
        handshake_timeout: Duration::from_secs(30),
    }
}

pub fn address(listener: &Listener) -> SocketAddr {
    let Address::Tcp(address) = listener.address() else { unreachable!("listeners are on TCP") };
    address.parse().expect("an address")
}

/// A server that clients know, and a client.
pub fn tls() -> (Materials, ClientTls) {
    let authority = Authority::new().expect("made");
    let server = authority.issue(&["hilum.example"]).expect("signed");
    let material = ServerMaterial {
        certificate: server.certificate.into_bytes(),
        key: server.key.into_bytes(),
        client_ca: None,
        client: ClientAuth::None,
    };
    let ca = Some(authority.pem().into_bytes());
    let client = ClientTls::new(&ClientMaterial { ca, ..ClientMaterial::default() });
    (Materials { tls: Some(material), auth: None }, client.expect("fits"))
}

/// Lets the test have as many sockets as it needs, where the machine's usual limit is lower.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|it| it < FILES) {
        let raised = Rlimit { current: Some(FILES), maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).expect("1,000 connections need 2,048 files");
    }
}

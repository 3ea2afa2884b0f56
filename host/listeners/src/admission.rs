//! How many connections are open, in all and by address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hilum_env::Peer;
use prometheus_client::metrics::gauge::Gauge;

use crate::ListenerConfig;
use crate::metrics::Trouble;

/// Counts the connections of one listener. Bounded by `connections_max`.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: BTreeMap<IpAddr, usize>,
}

impl Admission {
    /// Connections that are open.
    pub(crate) fn open(&self) -> usize {
        self.lock().all
    }

    /// Lets a peer in, or says why not.
    pub(crate) fn admit(
        self: &Arc<Self>,
        peer: &Peer,
        config: &ListenerConfig,
        gauge: Gauge,
    ) -> Result<Admitted, Trouble> {
        // A local socket has no address; there is none at a listener.
        let address = peer.ip.map(|it| it.to_canonical());
        if let Some(allow) = &config.allow {
            let is_allowed = address.is_some_and(|it| allow.iter().any(|network| network.has(it)));
            if !is_allowed {
                return Err(Trouble::NotAllowed);
            }
        }
        let mut counts = self.lock();
        if config.connections_max <= counts.all {
            return Err(Trouble::Connections);
        }
        if let Some(address) = address {
            let here = counts.by_address.get(&address).copied().unwrap_or(0);
            if config.connections_per_peer_max.is_some_and(|most| most <= here) {
                return Err(Trouble::PeerConnections);
            }
            counts.by_address.insert(address, here + 1);
        }
        counts.all += 1;
        drop(counts);
        gauge.inc();
        Ok(Admitted { admission: Arc::clone(self), address, gauge })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open connection, counted until it is dropped.
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    address: Option<IpAddr>,
    gauge: Gauge,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.admission.lock();
        counts.all = counts.all.saturating_sub(1);
        if let Some(address) = self.address
            && let Some(here) = counts.by_address.get_mut(&address)
        {
            *here = here.saturating_sub(1);
            if *here == 0 {
                counts.by_address.remove(&address);
            }
        }
        self.gauge.dec();
    }
}

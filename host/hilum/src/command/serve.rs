//! `hilum serve`: the gateway and its operator's side, until a signal.
//!
//! SIGTERM or SIGINT: stop accepting, readiness 503, drain within the deadline, exit 0. A second
//! signal ends the process at once, with 128 and its number. SIGHUP: the site's folder becomes the
//! running configuration, certificates and secrets are read again; where that goes wrong, the old
//! one goes on and the log says why.

mod supervisor;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hilum_admin::{Admin, AdminError};
use hilum_gateway::{Gateway, ListenError, Source, StartError, Wanted};
use hilum_store::OpenError;
use hilum_words::{Actor, chain};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tracing::{info, warn};

use super::{Context, check};
use crate::exit::{Exit, failed};

/// How long a drain may take: systemd kills after 90 seconds.
const DRAIN_MAX: Duration = Duration::from_secs(60);

/// Files that a gateway has open beside its connections: journal, blobs, catalogue, destinations.
const OPEN_FILES: u64 = 256;

/// Runs the gateway.
pub async fn run(context: &Context) -> anyhow::Result<Exit> {
    let site = match hilum_gateway::check(&context.common.config, &context.doors) {
        Ok(site) => site,
        Err(problems) => {
            check::complain(&problems);
            return Ok(Exit::Configuration);
        }
    };
    check_open_files(&site);
    let mut signals = Signals::new().context("signals cannot be received")?;
    let gateway =
        Gateway::start(site, context.doors.clone()).await.map_err(|fault| not_started(&fault))?;
    let gateway = Arc::new(gateway);
    let admin = Admin::start(Arc::clone(&gateway), &context.doors).await.map_err(|fault| {
        let AdminError::Control { source, .. } = &fault;
        failed(of_system(source), chain(&fault))
    })?;
    let (reloading, wanted) = (Arc::clone(&gateway), Arc::clone(&signals.wanted));
    let reload = async move {
        loop {
            // One wish is kept while another is fulfilled: the folder is read once more.
            wanted.notified().await;
            reload(&reloading).await;
        }
    };
    context.doors.tasks.spawn("reload", Box::pin(reload));
    supervisor::tell("READY=1");
    info!(version = env!("CARGO_PKG_VERSION"), "ready");

    let (name, _) = signals.stop().await;
    info!(signal = name, "stopping: what is under way comes to its end first");
    supervisor::tell("STOPPING=1");
    let exit = tokio::select! {
        biased;
        (name, number) = signals.stop() => {
            warn!(signal = name, "stopped without waiting; the journal has what was acknowledged");
            Exit::Signal(number)
        }
        () = gateway.stop(DRAIN_MAX) => {
            info!("stopped");
            Exit::Success
        }
    };
    // Health answers until the end, so that a load balancer sees the drain.
    admin.stop().await;
    Ok(exit)
}

/// A data folder that another gateway uses is free again later; the rest needs a person.
fn not_started(fault: &StartError) -> anyhow::Error {
    let exit = match fault {
        StartError::Open(OpenError::InUse { .. }) => Exit::Temporary,
        StartError::Open(OpenError::Disk { source, .. })
        | StartError::Listen(ListenError { source, .. })
        | StartError::Admin { source, .. } => of_system(source),
        _ => Exit::Failure,
    };
    failed(exit, chain(fault))
}

fn of_system(fault: &io::Error) -> Exit {
    match fault.kind() {
        io::ErrorKind::PermissionDenied => Exit::Permission,
        _ => Exit::Io,
    }
}

/// Makes the site's folder the running configuration, without a question.
async fn reload(gateway: &Arc<Gateway>) {
    info!("SIGHUP: the configuration is read again");
    let wanted = Wanted {
        source: Source::Folder,
        expect: None,
        is_rehearsal: false,
        is_patient: true,
        actor: Actor::system("sighup"),
        reason: None,
    };
    // What came of it is in the log and in the metrics already.
    if gateway.change(wanted).await.is_err() {
        warn!("SIGHUP: nothing was changed");
    }
}

/// Raises the limit of open files. Where it is lower than what the listeners may take, peers could
/// leave the journal without a file to open.
fn check_open_files(site: &hilum_gateway::Checked) {
    let Some(files_max) = hilum_env::system::raise_open_files() else { return };
    let connections = site.site.listeners.iter().map(|it| it.config.connections_max as u64);
    let needed = connections.sum::<u64>() + OPEN_FILES;
    if files_max < needed {
        warn!(files_max, needed, "the limit of open files is lower than connections_max asks for");
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// Told when the configuration is to be read again.
    wanted: Arc<Notify>,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            wanted: Arc::default(),
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The name and number of the next signal that asks to stop.
    async fn stop(&mut self) -> (&'static str, u8) {
        loop {
            tokio::select! {
                biased;
                _ = self.terminate.recv() => return ("SIGTERM", 15),
                _ = self.interrupt.recv() => return ("SIGINT", 2),
                _ = self.hang_up.recv() => self.wanted.notify_one(),
            }
        }
    }
}

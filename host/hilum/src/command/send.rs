//! `hilum send`: an MLLP client that sends files and measures.
//!
//! One file is one message, sent byte for byte. With `--repeat` everything is sent so many times,
//! and each message gets a control id of its own (MSH-10; nothing else changes), or a gateway
//! would rightly take the second one for the first. Every connection sends one message, waits for
//! its answers, and takes the next one from the common list: with one connection, messages arrive
//! in order.
//!
//! Promises: a message is counted as accepted only when its own AA or CA came back.
//! Not here: sending again what was not answered; the receiver might have it.

mod link;
mod messages;
mod secured;
mod tally;

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hilum_env::{Address, Doors};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

use super::Context;
use crate::arguments::Send;
use crate::exit::{Exit, failed};

use link::{Link, LinkFault};
use messages::{ControlIds, Prepared};
use secured::Secured;
use tally::{Outcome, Sent, Tally};

/// Exchanges that fail one after the other before a connection gives up.
const FAILURES_MAX: u32 = 3;

/// Sends, shows progress, prints the tally.
pub async fn run(context: &Context, arguments: Send) -> anyhow::Result<Exit> {
    let (tally, interrupted) = send(&context.doors, &arguments, context.output.is_quiet()).await?;
    if let Some(why) = tally.nothing_was_sent() {
        return Err(failed(Exit::Io, format!("{}: {why}", arguments.to)));
    }
    tally.print(&context.output)?;
    Ok(match (interrupted, tally.all_accepted()) {
        // SIGINT
        (true, _) => Exit::Signal(2),
        (false, true) => Exit::Success,
        (false, false) => Exit::Failure,
    })
}

/// Sends everything. The answer says, too, whether SIGINT ended it early.
async fn send(doors: &Doors, arguments: &Send, is_quiet: bool) -> anyhow::Result<(Tally, bool)> {
    let messages = messages::gather(&*doors.disk, &arguments.paths)?;
    let control_ids = arguments.repeat.map(|_| ControlIds::new(doors.entropy.bytes()));
    let total = messages.len() as u64 * u64::from(arguments.repeat.unwrap_or(1));
    let work = Arc::new(Work {
        messages,
        control_ids,
        total,
        next: AtomicU64::new(0),
        to: Address::Tcp(arguments.to.clone()),
        tls: Secured::new(&arguments.tls, &arguments.to, &*doors.disk)?,
        timeout: arguments.timeout,
        doors: doors.clone(),
    });

    let started = doors.clock.instant();
    let (outcomes, mut arriving) = mpsc::channel(1024);
    let connections = u64::from(arguments.connections).min(total);
    for number in 1..=connections {
        let sending = Arc::clone(&work).send_all(outcomes.clone());
        doors.tasks.spawn(&format!("send/{number}"), Box::pin(sending));
    }
    drop(outcomes);

    let mut tally = Tally::new(connections, total)?;
    let bar = bar(total, is_quiet);
    let mut interrupted = false;
    loop {
        let arrived = tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c(), if !interrupted => {
                interrupted = true;
                work.next.store(total, Ordering::Relaxed);
                // What is under way gets its answer, or runs into its time-out.
                continue;
            }
            arrived = arriving.recv() => arrived,
        };
        let Some(sent) = arrived else { break };
        tally.add(sent);
        bar.inc(1);
    }
    bar.finish_and_clear();
    tally.seconds = doors.clock.instant().since(started).as_secs_f64();
    Ok((tally, interrupted))
}

/// What all connections share.
struct Work {
    messages: Vec<Prepared>,
    control_ids: Option<ControlIds>,
    total: u64,
    next: AtomicU64,
    to: Address,
    tls: Option<Secured>,
    timeout: Duration,
    doors: Doors,
}

impl Work {
    fn take(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.total).then_some(number)
    }

    /// One connection's life: takes messages until there are none, dials again where the link broke.
    async fn send_all(self: Arc<Self>, outcomes: mpsc::Sender<Sent>) {
        let mut link = None;
        let mut failures = 0;
        while failures < FAILURES_MAX {
            let Some(number) = self.take() else { return };
            let sent = self.send_one(number, &mut link).await;
            failures = if matches!(sent.outcome, Outcome::Failed(_)) { failures + 1 } else { 0 };
            if outcomes.send(sent).await.is_err() {
                return;
            }
        }
    }

    async fn send_one(&self, number: u64, link: &mut Option<Link>) -> Sent {
        let count = self.messages.len() as u64;
        let index = usize::try_from(number % count).unwrap_or_default();
        let Some(message) = self.messages.get(index) else {
            unreachable!("a remainder is smaller than its divisor");
        };
        let prepared = match &self.control_ids {
            Some(ids) => message.with_control_id(&ids.of(number)),
            None => message.clone(),
        };
        let fault = |fault: LinkFault| Sent::failed(message.name(), fault.to_string());
        let mut open = match link.take() {
            Some(open) => open,
            None => {
                match Link::dial(&self.doors, &self.to, self.tls.as_ref(), self.timeout).await {
                    Ok(open) => open,
                    Err(not_open) => return fault(not_open),
                }
            }
        };
        let started = self.doors.clock.instant();
        match open.exchange(&prepared).await {
            Ok(answered) => {
                let latency = self.doors.clock.instant().since(started);
                *link = open.is_usable().then_some(open);
                Sent::answered(message.name(), answered, latency, prepared.bytes())
            }
            Err(broken) => fault(broken),
        }
    }
}

fn bar(total: u64, is_quiet: bool) -> ProgressBar {
    let target = if is_quiet || !std::io::stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let template = "{bar:40} {pos}/{len} messages  {per_sec}  {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests;

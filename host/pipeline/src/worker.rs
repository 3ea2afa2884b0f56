//! Works on runs: calls the steps of a route and decides the fate.
//!
//! [`process`] is the decision: pure, on one screen. The [`Worker`] around it is a machine: it takes
//! the next run that its lanes allow, notes the start, decides, submits the step and takes the next
//! run without waiting for the sync.
//!
//! Promises: one decision for each run; steps of one lane are submitted in the lane's order; at
//! most `commits_in_flight_max` decisions wait for the disk.
//! Not here: the evidence's form (`evidence`), sending (`hilum_destinations`).

mod backlog;
mod process;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hilum_env::{Clock, Entropy, Machine, Next};
use hilum_message::Message;
use hilum_store::{Committed, Effect, Outgoing, RunRecord, Step, Store, StoreError, Ticket};
use hilum_words::{Cause, CauseWord, DeliveryId, Rejection, RunId, Timestamp};
use tracing::{error, info, warn};

pub use backlog::Backlog;
pub(crate) use process::call_first;
pub use process::{Run, process};

use crate::evidence::Evidence;
use crate::metrics::Decided;
use crate::{Current, Fate, Metrics, Parcel, Reports, Waiters};

/// How often a worker with nothing else to do looks whether its decisions are on disk.
const REAP_EVERY: Duration = Duration::from_millis(2);

/// Bounds of a worker.
#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// How often a run may be started before it is parked: crashes and wall time-outs share them.
    pub starts_max: u32,
    /// Decisions that may wait for the disk.
    pub commits_in_flight_max: usize,
}

/// One worker thread's machine.
pub struct Worker {
    /// The journal.
    pub store: Store,
    /// Runs that wait, shared by all workers.
    pub backlog: Arc<Backlog>,
    /// The loaded generations.
    pub current: Arc<Current>,
    /// Who waits for a decision.
    pub waiters: Arc<Waiters>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes, for ids.
    pub entropy: Arc<dyn Entropy>,
    /// What is counted.
    pub metrics: Metrics,
    /// Bounds.
    pub options: WorkerOptions,
    /// Decisions that wait for the disk, oldest first.
    pub in_flight: VecDeque<Ticket<Committed>>,
}

impl Machine for Worker {
    fn step(&mut self) -> Next {
        self.reap();
        let soon = || Next::At(self.clock.instant().plus(REAP_EVERY));
        if self.backlog.is_stopping() {
            return if self.in_flight.is_empty() { Next::Done } else { soon() };
        }
        if self.options.commits_in_flight_max <= self.in_flight.len() {
            return soon();
        }
        let Some((run, body)) = self.backlog.take() else {
            return if self.in_flight.is_empty() { Next::Rest } else { soon() };
        };
        self.work(run, body);
        Next::Again
    }
}

impl Worker {
    /// Decides one run and submits the decision.
    fn work(&mut self, id: RunId, body: Option<Bytes>) {
        let Some(record) = self.store.run(id).filter(|it| it.is_undecided()) else {
            self.backlog.done(id);
            return;
        };
        let (fate, reports) = match self.prepare(&record, body) {
            Ok((run, message, generation)) => {
                let mut starts = record.starts;
                loop {
                    if self.options.starts_max <= starts {
                        let detail = format!("started {starts} times and never decided");
                        let cause = Cause::new(CauseWord::Crashed, detail);
                        break (Fate::Parked(cause), Reports::new());
                    }
                    self.store.note_start(id);
                    starts += 1;
                    let mut reports = Reports::new();
                    match process(&generation.policy, &run, &message, &mut reports) {
                        Fate::Again if starts < self.options.starts_max => {
                            self.metrics.decided(&record.route, Decided::Again);
                            warn!(run = %id, starts, "plugin call timed out; trying again");
                        }
                        Fate::Again => {
                            let detail =
                                format!("the wall time ran out in each of {starts} starts");
                            let cause = Cause::new(CauseWord::PluginFault, detail);
                            break (Fate::Parked(cause), reports);
                        }
                        fate => break (fate, reports),
                    }
                }
            }
            Err(cause) => (Fate::Parked(cause), Reports::new()),
        };
        // A refusal is final where somebody waits to tell the sender.
        let is_told = matches!(fate, Fate::Refused(_)) && self.waiters.is_awaited(id);
        self.count(&record, &fate, is_told, &reports);
        let step = self.step_of(&record, fate, is_told, &reports);
        self.submit(&record, step);
        self.backlog.done(id);
    }

    /// Submits a decision. One that is larger than the journal takes parks the run: it is the
    /// plugin's doing, and must not stop the work of others.
    fn submit(&mut self, record: &RunRecord, step: Step) {
        let ticket = if self.waiters.waits_for(record.run) {
            self.store.commit(step)
        } else {
            self.store.commit_soon(step)
        };
        let refused = match ticket.now() {
            Err(ticket) => return self.in_flight.push_back(ticket),
            Ok(Ok(_)) => return,
            Ok(Err(refused)) => refused,
        };
        let StoreError::TooLarge { what } = refused else { return self.stop(&refused) };
        let cause = Cause::new(
            CauseWord::PluginFault,
            format!("its outputs are more than the journal takes at once: {what}"),
        );
        let step = self.step_of(record, Fate::Parked(cause), false, &Reports::new());
        self.in_flight.push_back(self.store.commit(step));
    }

    /// Ends the work of all: what cannot be stored must not be decided.
    fn stop(&self, fault: &StoreError) {
        // The run stays undecided; it is decided again after the next start.
        error!(%fault, "a decision could not be stored; working stops");
        self.backlog.stop();
    }

    /// What a run needs before a plugin is called: its bytes, its generation, its route.
    fn prepare(
        &self,
        record: &RunRecord,
        body: Option<Bytes>,
    ) -> Result<(Run, Arc<Message>, Arc<crate::Generation>), Cause> {
        let gone = |what: &str| Cause::new(CauseWord::Gone, what);
        let generation = self
            .current
            .find(record.generation)
            .ok_or_else(|| gone("the generation that accepted the message cannot be loaded"))?;
        let route = generation
            .routes
            .named(&record.route)
            .ok_or_else(|| gone("the generation has no such route"))?;
        let stored = self.store.message(record.message);
        let stored = stored.ok_or_else(|| gone("the message is not in the journal"))?;
        let body = match body {
            Some(body) => body,
            None => self
                .store
                .body(record.message)
                .map_err(|_| gone("the message's bytes cannot be read from the journal"))?,
        };
        // As it was stored: `process` joins continued segments for plugins, and clears parts of an output
        // as ranges of these bytes.
        let intake = generation.intake(&stored.envelope.listener);
        let reading = intake.map(|it| it.reading()).unwrap_or_default();
        let read = Message::parse_with(&stored.format, body, &reading);
        let message = read.map_err(|_| gone("the stored message does not parse"))?;
        let run = Run {
            id: record.run,
            message: record.message,
            received: stored.envelope.received,
            seed: record.seed,
            route: Arc::clone(route),
            from_step: usize::try_from(record.from_step).unwrap_or(usize::MAX),
        };
        Ok((run, Arc::new(message), generation))
    }

    fn step_of(&self, record: &RunRecord, fate: Fate, is_told: bool, reports: &Reports) -> Step {
        let at = Timestamp::from_micros(self.clock.now_micros());
        let generation = self.current.find(record.generation);
        let policy = generation.map(|it| it.policy.version());
        let evidence = Evidence { at, record, reports, policy };
        let (effect, records) = match fate {
            Fate::Dispatched(parcels) => {
                let (deliveries, parked) = self.outgoing(record, parcels);
                let records = evidence.dispatched(&deliveries, &parked);
                (Effect::Dispatched { deliveries, parked }, records)
            }
            Fate::Refused(rejections) if is_told => {
                let stored = self.store.message(record.message);
                let is_hl7 = stored.is_none_or(|it| it.format.as_str() == "hl7v2");
                let told = if is_hl7 { "AE" } else { "HTTP 422" };
                let records = evidence.refused(&rejections, told);
                (Effect::Refused(rejections), records)
            }
            // The sender has its acknowledgement already, so a person has to know: DESIGN §3,
            // Answers.
            Fate::Refused(rejections) => {
                let cause = Cause::new(CauseWord::Refused, said(&rejections));
                let records = evidence.parked(&cause);
                (Effect::Parked(cause), records)
            }
            Fate::Held { why, step } => {
                let records = evidence.held(&why);
                (Effect::Held { why, step: u32::try_from(step).unwrap_or(u32::MAX) }, records)
            }
            Fate::Parked(cause) => {
                let records = evidence.parked(&cause);
                (Effect::Parked(cause), records)
            }
            Fate::Again => {
                let cause = Cause::new(CauseWord::Crashed, "no decision was made");
                let records = evidence.parked(&cause);
                (Effect::Parked(cause), records)
            }
        };
        Step { run: record.run, effects: vec![effect], records }
    }

    fn outgoing(
        &self,
        record: &RunRecord,
        parcels: Vec<Parcel>,
    ) -> (Vec<Outgoing>, Vec<(Outgoing, Cause)>) {
        let at = Timestamp::from_micros(self.clock.now_micros());
        let lanes = record.lanes.clone();
        let mut deliveries = Vec::new();
        let mut parked = Vec::new();
        for parcel in parcels {
            let delivery = DeliveryId::new(at, self.entropy.bytes());
            let outgoing = |cleared| Outgoing {
                delivery,
                destination: parcel.destination.clone(),
                lanes: lanes.clone(),
                ordinal: parcel.ordinal,
                cleared,
            };
            match parcel.content {
                Ok(cleared) => deliveries.push(outgoing(Some(cleared))),
                Err(cause) => parked.push((outgoing(None), cause)),
            }
        }
        (deliveries, parked)
    }

    /// Takes note of the decisions that are on disk by now, oldest first. Never waits: a machine
    /// that blocks would stop a world that is driven by hand.
    fn reap(&mut self) {
        while let Some(ticket) = self.in_flight.pop_front() {
            match ticket.now() {
                Ok(Ok(_)) => {}
                Ok(Err(fault)) => self.stop(&fault),
                Err(ticket) => {
                    self.in_flight.push_front(ticket);
                    return;
                }
            }
        }
    }

    fn count(&self, record: &RunRecord, fate: &Fate, is_told: bool, reports: &Reports) {
        let outcome = match fate {
            Fate::Dispatched(_) => Decided::Dispatched,
            Fate::Held { .. } => Decided::Held,
            Fate::Refused(_) if is_told => Decided::Refused,
            Fate::Refused(_) | Fate::Parked(_) | Fate::Again => Decided::Parked,
        };
        self.metrics.decided(&record.route, outcome);
        let (run, route) = (record.run, &record.route);
        match fate {
            Fate::Dispatched(_) => {}
            // The cause's word alone: its sentence is for the trail and its readers.
            Fate::Parked(cause) => error!(%run, %route, cause = cause.word.word(), "run parked"),
            Fate::Refused(_) if is_told => info!(%run, %route, "run refused to its sender"),
            Fate::Refused(_) => error!(%run, %route, cause = "refused", "run parked"),
            Fate::Again => error!(%run, %route, cause = "crashed", "run parked"),
            Fate::Held { .. } => error!(%run, %route, "run held: a validator wants a person"),
        }
        for step in reports {
            self.metrics.called(&step.step, step.fault.is_some(), &step.report);
        }
    }
}

/// All that a plugin has against a message, in one sentence.
fn said(rejections: &[Rejection]) -> String {
    rejections.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

//! The story of one message: intake, routes, worker.
//!
//! [`Intake`] takes what a listener read, has it made durable and says what to answer. [`Routes`]
//! decide which way a message goes. [`Worker`] calls the steps of a run and decides its fate, in
//! one function that neither waits, writes nor sends. [`rehearse`] does the same for one message
//! without a store.
//!
//! [`Waiters`] bring a decision to who waits for it.
//!
//! Promises: a positive answer is made from `Stored`; every run gets exactly one decision; every
//! decision is committed with its evidence.
//! Not here: sockets (`hilum_listeners`), sending (`hilum_destinations`), disk (`hilum_store`).

mod evidence;
mod fate;
mod generation;
mod intake;
mod lanes;
mod metrics;
mod rehearse;
mod routes;
mod waiters;
mod worker;

/// Why a listener says no before there is a message: the words are those of `hilum_answer`.
pub use hilum_answer::{Refusal, RequestFault};

pub use fate::{Fate, Parcel, Reports, StepReport};
pub use generation::{Current, Generation};
pub use intake::{
    AckPoint, Answer, BatchAnswer, BodyFormat, FrameFault, HttpAnswer, HttpInbound, Inbound,
    Intake, IntakeOptions, Later, OnBatchCount, Replies, Reply, ResourceUrl, Unrouted, Wish,
};
pub use lanes::{LANES_MAX, LanePlan, Lanes};
pub use metrics::Metrics;
pub use rehearse::{Rehearsal, carried, rehearse};
pub use routes::{DestinationPlan, Route, Routes, StepPlan};
pub use waiters::Waiters;
pub use worker::{Backlog, Run, Worker, WorkerOptions, process};

#[cfg(test)]
mod tests;

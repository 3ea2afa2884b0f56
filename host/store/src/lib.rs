//! The journal: what was accepted and all that happened to it.
//!
//! [`open`] reads the folder, cuts a torn tail, and gives a [`Store`] (cheap to clone, for everybody)
//! and a [`Committer`] (a machine, for a thread of its own). [`Store::accept`] makes a message
//! durable and answers [`Accepted`]; [`Store::commit`] makes a decision durable with its evidence.
//! Both answer a [`Ticket`], which is redeemed after the sync. What has to be done next is told to
//! the watcher that was given to [`open`], in the journal's order.
//!
//! Promises: [`Stored`] exists only for what is on disk; a change of state and its records are in
//! one frame; a failed write or sync ends writing for good; damage is refused with a sentence that
//! says what to do; memory is bounded by what is unfinished and by [`Options`].
//! Not here: what an answer says (`hilum_answer`), retries (`hilum_destinations`). Not built yet,
//! with room kept in the formats: encryption, pruning, checkpoints, the Merkle tree.

mod arrival;
mod blobs;
mod catalogue;
mod committer;
mod content;
mod deliveries;
mod error;
mod folder;
mod frame;
mod frames;
mod happened;
mod options;
mod reader;
mod records;
mod recover;
mod scan;
mod shared;
mod site;
mod state;
mod step;
mod store;
mod syncs;
mod tail;
mod ticket;
mod wire;

pub use arrival::{Accepted, Arrival, DuplicateKey, OnReused, RunStart, Stored};
pub use catalogue::{Batch, Entry, MemoryTable, OpenTable, Table, TableFault, Tree};
pub use committer::Committer;
pub use error::{OpenError, StoreError};
pub use happened::{Ahead, DeliveryReady, Happened, JournalPlace, RunReady, Standing, Watcher};
pub use options::Options;
pub use reader::{Place, Reader, Report, Wrong};
pub use records::{
    Counts, DeliveryRecord, DeliveryState, MessageRecord, MessageSummary, Parked, ParkedItem,
    RunRecord, RunState,
};
pub use site::{GenerationRecord, MarkKey, NoMarkKey};
pub use step::{Committed, Effect, Outgoing, Step};
pub use store::{Store, open, open_with};
pub use ticket::Ticket;

#[cfg(test)]
mod tests;

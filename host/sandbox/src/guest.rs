//! What one call of a plugin carries: its view, its loans, and the meters that stop it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hilum_policy::View;
use wasmtime::ResourceLimiter;

use crate::capability::{log, message, settings, tables};
use crate::limits::HOST_CALL_BYTES;
use crate::watch::Watch;
use crate::{Budget, Limit, PluginFault};

/// Elements of all tables of a plugin together.
const TABLE_ELEMENTS_MAX: usize = 20_000;

/// Core instances, memories and tables of one component. They hold every language we promise.
pub(crate) const CORE_INSTANCES_MAX: u32 = 40;
pub(crate) const MEMORIES_MAX: u32 = 4;
pub(crate) const TABLES_MAX: u32 = 8;

/// Why the host stopped a guest. Comes out of the engine as it went in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop(pub(crate) PluginFault);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Stop {}

/// The data of a store.
pub(crate) struct Guest {
    pub(crate) view: View,
    pub(crate) meter: Meter,
    pub(crate) memory: Memory,
    pub(crate) denials: BTreeMap<&'static str, u64>,
    pub(crate) message: message::Loan,
    pub(crate) log: log::Loan,
    pub(crate) tables: tables::Loan,
    pub(crate) settings: settings::Loan,
}

impl Guest {
    /// Counts a request that policy denied.
    pub(crate) fn denied(&mut self, capability: &'static str) {
        *self.denials.entry(capability).or_default() += 1;
    }
}

/// Counts calls of the host and looks at the watch. Fuel sees neither.
pub(crate) struct Meter {
    host_calls_left: u64,
    pub(crate) host_calls: u64,
    watch: Arc<Watch>,
    deadline: u64,
}

impl Meter {
    pub(crate) fn new(budget: &Budget, watch: Arc<Watch>, beats: u64) -> Self {
        let deadline = watch.now().saturating_add(beats);
        Self { host_calls_left: budget.host_calls, host_calls: 0, watch, deadline }
    }

    /// Pays for a call of the host that takes so many bytes.
    pub(crate) fn call(&mut self, bytes: usize) -> wasmtime::Result<()> {
        // The engine looks at its epoch in loops and at entries; a guest could be one long line of
        // host calls.
        if self.deadline <= self.watch.now() {
            return Err(Stop(PluginFault::TimedOut).into());
        }
        self.host_calls += 1;
        self.spend(1)?;
        self.moved(bytes)
    }

    /// Pays for bytes that move between host and guest, or that the host looks through.
    pub(crate) fn moved(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.spend(u64::try_from(bytes).unwrap_or(u64::MAX) / HOST_CALL_BYTES)
    }

    /// Pays for work that is worth so many calls.
    pub(crate) fn spend(&mut self, calls: u64) -> wasmtime::Result<()> {
        match self.host_calls_left.checked_sub(calls) {
            Some(left) => self.host_calls_left = left,
            None => return Err(Stop(PluginFault::OverLimit(Limit::HostCalls)).into()),
        }
        Ok(())
    }
}

/// Bounds memories and tables, all of a call together, and says why in our own words.
pub(crate) struct Memory {
    bytes_max: u64,
    pub(crate) bytes: u64,
    elements: usize,
}

impl Memory {
    pub(crate) fn new(budget: &Budget) -> Self {
        Self { bytes_max: budget.memory_bytes, bytes: 0, elements: 0 }
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // What the plugin's own maximum forbids is a plain "no", as its language expects.
        if maximum.is_some_and(|most| most < desired) {
            return Ok(false);
        }
        let more = u64::try_from(desired.saturating_sub(current)).unwrap_or(u64::MAX);
        let total = self.bytes.saturating_add(more);
        if self.bytes_max < total {
            return Err(Stop(PluginFault::OutOfMemory).into());
        }
        self.bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|most| most < desired) {
            return Ok(false);
        }
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if TABLE_ELEMENTS_MAX < total {
            return Err(Stop(PluginFault::OverLimit(Limit::TableElements)).into());
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }

    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }
}

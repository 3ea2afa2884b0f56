//! What one call of a plugin carries: its view, its loans, and the meters that stop it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hilum_policy::View;
use wasmtime::ResourceLimiter;

use crate::capability::{drafts, log, message, settings, tables};
use crate::limits::HOST_CALL_BYTES;
use crate::watch::Watch;
use crate::{Budget, Limit, PluginFault};

/// Elements of all tables of a plugin together.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 20_000;

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
    pub(crate) drafts: drafts::Loan,
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
        self.host_calls += 1;
        self.item()?;
        self.moved(bytes)
    }

    /// Pays for one look-up of several in a call, which may be many and long.
    pub(crate) fn item(&mut self) -> wasmtime::Result<()> {
        // The engine looks at its epoch in loops and at entries; a guest could be one long line of
        // host calls, or one call that asks for much.
        if self.deadline <= self.watch.now() {
            return Err(Stop(PluginFault::TimedOut).into());
        }
        self.spend(1)
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
    /// What lies in the host's memory for the guest.
    held: u64,
    elements: usize,
}

impl Memory {
    pub(crate) fn new(budget: &Budget) -> Self {
        Self { bytes_max: budget.memory_bytes, bytes: 0, held: 0, elements: 0 }
    }
}

impl Memory {
    /// Takes memory of the host for the guest, out of the same budget, until the call ends.
    pub(crate) fn hold(&mut self, bytes: usize) -> wasmtime::Result<()> {
        let more = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.held = self.held.saturating_add(more);
        if self.bytes_max < self.bytes.saturating_add(self.held) {
            return Err(Stop(PluginFault::OutOfMemory).into());
        }
        Ok(())
    }

    /// Whether the guest could take so many bytes from the host. What is gathered for it is bounded by
    /// this, since it lies in the host's memory first.
    pub(crate) fn could_take(&self, bytes: usize) -> wasmtime::Result<()> {
        if self.bytes_max < u64::try_from(bytes).unwrap_or(u64::MAX) {
            return Err(Stop(PluginFault::OutOfMemory).into());
        }
        Ok(())
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = u64::try_from(desired.saturating_sub(current)).unwrap_or(u64::MAX);
        let total = self.bytes.saturating_add(more);
        if self.bytes_max < total.saturating_add(self.held) {
            return Err(Stop(PluginFault::OutOfMemory).into());
        }
        // What the plugin's own maximum forbids is a plain "no", as its language expects.
        if maximum.is_some_and(|most| most < desired) {
            return Ok(false);
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
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if TABLE_ELEMENTS_MAX < total {
            return Err(Stop(PluginFault::OverLimit(Limit::TableElements)).into());
        }
        if maximum.is_some_and(|most| most < desired) {
            return Ok(false);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fault<T: fmt::Debug>(result: wasmtime::Result<T>) -> PluginFault {
        result.expect_err("stopped").downcast_ref::<Stop>().expect("by us").0
    }

    #[test]
    fn a_host_call_past_the_deadline_stops_the_guest_though_it_never_loops() {
        let watch = Watch::new(Duration::from_millis(5));
        let budget = Budget::DEFAULT;
        let mut meter = Meter::new(&budget, Arc::clone(&watch), 2);
        meter.call(0).expect("in time");
        watch.beat_once();
        meter.call(0).expect("in time");
        watch.beat_once();
        assert_eq!(fault(meter.call(0)), PluginFault::TimedOut);
    }

    #[test]
    fn host_calls_are_paid_by_number_and_by_weight() {
        let budget = Budget { host_calls: 10, ..Budget::DEFAULT };
        let mut meter = Meter::new(&budget, Watch::new(Duration::from_millis(5)), 9);
        meter.call(4095).expect("one");
        meter.call(4096).expect("two");
        meter.moved(6 * 4096).expect("six");
        meter.call(0).expect("the tenth");
        assert_eq!(fault(meter.call(0)), PluginFault::OverLimit(Limit::HostCalls));
        assert_eq!(meter.host_calls, 4);
    }

    #[test]
    fn memories_share_one_budget() {
        let mut memory = Memory::new(&Budget { memory_bytes: 3 << 16, ..Budget::DEFAULT });
        assert!(memory.memory_growing(0, 1 << 16, None).expect("fits"));
        assert!(memory.memory_growing(0, 2 << 16, None).expect("fits"));
        assert_eq!(fault(memory.memory_growing(1 << 16, 2 << 16, None)), PluginFault::OutOfMemory);
        assert_eq!(memory.bytes, 3 << 16);
    }

    #[test]
    fn what_the_host_holds_for_a_guest_is_of_the_same_budget() {
        let mut memory = Memory::new(&Budget { memory_bytes: 3 << 16, ..Budget::DEFAULT });
        memory.hold(1 << 16).expect("fits");
        assert!(memory.memory_growing(0, 2 << 16, None).expect("fits"));
        assert_eq!(fault(memory.hold(1)), PluginFault::OutOfMemory);
        assert_eq!(fault(memory.memory_growing(2 << 16, 3 << 16, None)), PluginFault::OutOfMemory);
    }

    #[test]
    fn a_memorys_own_maximum_is_a_plain_no() {
        let mut memory = Memory::new(&Budget::DEFAULT);
        assert!(!memory.memory_growing(0, 2 << 16, Some(1 << 16)).expect("no trap"));
        assert_eq!(memory.bytes, 0);
    }

    #[test]
    fn tables_share_one_limit() {
        let mut memory = Memory::new(&Budget::DEFAULT);
        assert!(memory.table_growing(0, TABLE_ELEMENTS_MAX, None).expect("fits"));
        let fault = fault(memory.table_growing(0, 1, None));
        assert_eq!(fault, PluginFault::OverLimit(Limit::TableElements));
    }
}

//! The canary: nothing of one call can be read by the next.
//!
//! Pools of instances have leaked between tenants before (CVE-2026-34988). So every tenant here first
//! looks whether anything is left of anybody: in its memory, also where it grows, in its table, its
//! globals, its passive segments and its frames. Then it reads a patient's message and dirties all of
//! these with it, and leaves in one of the ways there are. Whoever comes next into the same slot of the
//! pool would find it.
//!
//! This test stays, whatever it costs.

use std::sync::atomic::{AtomicU64, Ordering};

use hilum_contract::World;
use hilum_policy::{Class, Grant, Sight};
use hilum_sandbox::{Answered, Budget, Limit, Plugin, PluginFault};

use crate::support;

/// How a tenant leaves.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    Answering,
    GivingUp,
    OutOfFuel,
    OutOfMemory,
    OutOfCalls,
    OutOfStack,
}

impl Leaves {
    const ALL: [Self; 6] = [
        Self::Answering,
        Self::GivingUp,
        Self::OutOfFuel,
        Self::OutOfMemory,
        Self::OutOfCalls,
        Self::OutOfStack,
    ];

    fn code(self) -> &'static str {
        match self {
            Self::Answering => "",
            Self::GivingUp => "unreachable",
            Self::OutOfFuel => "(loop $ever (br $ever))",
            Self::OutOfMemory => "(loop $ever (drop (memory.grow (i32.const 64))) (br $ever))",
            Self::OutOfCalls => "(loop $ever (call $text (i32.const 64)) (br $ever))",
            Self::OutOfStack => "(drop (call $deep (i32.const 100000000) (i64.const 0)))",
        }
    }

    fn is(self, result: &Result<Answered, PluginFault>) -> bool {
        match self {
            Self::Answering => matches!(result, Ok(Answered::Routed(names)) if names.is_empty()),
            Self::GivingUp => is_trap(result, "gave up"),
            Self::OutOfFuel => matches!(result, Err(PluginFault::OutOfFuel)),
            Self::OutOfMemory => matches!(result, Err(PluginFault::OutOfMemory)),
            Self::OutOfCalls => {
                matches!(result, Err(PluginFault::OverLimit(Limit::HostCalls)))
            }
            Self::OutOfStack => is_trap(result, "call stack"),
        }
    }
}

fn is_trap(result: &Result<Answered, PluginFault>, words: &str) -> bool {
    matches!(result, Err(PluginFault::Trapped(kind)) if kind.contains(words))
}

/// A tenant with so many pages at first and so many more later. It divides by zero if it finds
/// something of somebody else: no other end of it looks like that.
fn tenant(pages: u32, more: u32, leaves: Leaves) -> Plugin {
    support::plugin(&text(pages, more, leaves.code(), ""), World::Router)
}

/// Its text; `dirt` is what it has from the beginning.
fn text(pages: u32, more: u32, ending: &str, dirt: &str) -> String {
    format!(
        r#"(module
        (import "hilum:plugin/message@0.1.0" "text" (func $text (param i32)))
        (type $none (func))
        (memory (export "memory") {pages})
        (table $table 700 5000 funcref)
        (global $seen (mut i64) (i64.const 0))
        (global $half (mut f64) (f64.const 0))
        (global $func (mut funcref) (ref.null func))
        (data $passive "fresh")
        (elem $some func $mark $mark $mark)
        (func $mark)
        {dirt}
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
        (func $found (drop (i32.div_u (i32.const 1) (i32.const 0))))

        ;; Everything from $at to $end is zero.
        (func $zero (param $at i32) (param $end i32)
            (local $any i64)
            (loop $again
                (local.set $any (i64.or (local.get $any) (i64.load (local.get $at))))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $again (i32.lt_u (local.get $at) (local.get $end))))
            (if (i64.ne (local.get $any) (i64.const 0)) (then (call $found))))
        (func $table-is-empty (param $at i32)
            (loop $again
                (if (i32.eqz (ref.is_null (table.get $table (local.get $at)))) (then (call $found)))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $at) (table.size $table)))))

        ;; A frame with sixty variables that nobody has set: each is zero, whatever the stack held.
        (func $frame (result i64)
            {locals}
            (i64.const 0) {all})
        ;; Frames that are full of $value, one above the other.
        (func $deep (param $depth i32) (param $value i64) (result i64)
            {locals}
            {set}
            (if (i32.eqz (local.get $depth)) (then (return (i64.const 0))))
            (i64.xor
                (call $deep (i32.sub (local.get $depth) (i32.const 1)) (local.get $value))
                (i64.const 0) {all_deep}))

        (func (export "hilum:plugin/route@0.1.0#run") (result i32)
            (local $at i32) (local $end i32) (local $value i64)
            ;; Is anything left of anybody?
            (local.set $end (i32.mul (memory.size) (i32.const 65536)))
            (call $zero (i32.const 0) (local.get $end))
            (if (i32.eq (memory.grow (i32.const {more})) (i32.const -1)) (then unreachable))
            (call $zero (local.get $end) (i32.add (local.get $end) (i32.const {more_bytes})))
            (call $table-is-empty (i32.const 0))
            (local.set $at (table.grow $table (ref.null func) (i32.const 3000)))
            (call $table-is-empty (local.get $at))
            (if (i64.ne (global.get $seen) (i64.const 0)) (then (call $found)))
            (if (f64.ne (global.get $half) (f64.const 0)) (then (call $found)))
            (if (i32.eqz (ref.is_null (global.get $func))) (then (call $found)))
            (if (i64.ne (call $frame) (i64.const 0)) (then (call $found)))
            ;; Segments are as they came: one that was dropped could not be copied.
            (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 5))
            (table.init $table $some (i32.const 0) (i32.const 0) (i32.const 3))

            ;; The patient, everywhere.
            (call $text (i32.const 64))
            (local.set $value (i64.load (i32.const 4200)))
            (if (i64.eqz (local.get $value)) (then unreachable))
            (local.set $end (i32.mul (memory.size) (i32.const 65536)))
            (local.set $at (i32.const 8192))
            (loop $again
                (i64.store (local.get $at) (local.get $value))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $again (i32.lt_u (local.get $at) (local.get $end))))
            (table.fill $table (i32.const 0) (ref.func $mark) (table.size $table))
            (global.set $seen (local.get $value))
            (global.set $half (f64.const 1))
            (global.set $func (ref.func $mark))
            (data.drop $passive)
            (elem.drop $some)
            (drop (call $deep (i32.const 100) (local.get $value)))
            {ending}
            (memory.fill (i32.const 0) (i32.const 0) (i32.const 64))
            (i32.const 0)))"#,
        locals = "(local i64)".repeat(60),
        all = (0..60).map(|it| format!("(i64.or (local.get {it}))")).collect::<String>(),
        set = (2..62)
            .map(|it| format!("(local.set {it} (i64.add (local.get $value) (i64.const {it})))"))
            .collect::<String>(),
        all_deep = (2..62).map(|it| format!("(i64.xor (local.get {it}))")).collect::<String>(),
        more_bytes = more << 16,
    )
}

/// Everything is open: it is the patient's own name that must not be found.
fn open() -> Grant {
    let sealed = Grant::sealed_by_default();
    Class::ALL.iter().fold(sealed, |grant, class| grant.with(*class, Sight::Open))
}

fn budget(leaves: Leaves) -> Budget {
    let few_calls = if matches!(leaves, Leaves::OutOfCalls) { 10 } else { 1_000 };
    // Enough to dirty everything; the rest is only burnt.
    let fuel = if matches!(leaves, Leaves::OutOfFuel) { 5_000_000 } else { Budget::DEFAULT.fuel };
    Budget { fuel, host_calls: few_calls, wall: Budget::GATEWAY_MAX.wall, ..Budget::DEFAULT }
}

#[test]
fn nothing_of_one_call_is_there_in_the_next_one() {
    const CALLS: u64 = 5_000;
    // Small ones, whose pages stay resident in the pool, and large ones beyond that.
    let sizes = [(2, 2), (2, 14), (17, 1), (10, 30)];
    let tenants: Vec<(Leaves, Plugin)> = sizes
        .iter()
        .flat_map(|(pages, more)| Leaves::ALL.map(|it| (it, tenant(*pages, *more, it))))
        .collect();
    let called = AtomicU64::new(0);
    let threads = support::sandbox().limits().calls_max + 1;
    std::thread::scope(|scope| {
        for thread in 0..u64::from(threads) {
            let (tenants, called) = (&tenants, &called);
            scope.spawn(move || {
                // Every thread goes its own way through the tenants; a large one is rare.
                let mut dice = 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(thread + 1);
                while called.fetch_add(1, Ordering::Relaxed) < CALLS {
                    dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(thread);
                    let many = if dice >> 60 == 0 { tenants.len() } else { tenants.len() * 3 / 4 };
                    let which = usize::try_from(dice >> 33).expect("fits") % many;
                    let (leaves, plugin) = &tenants[which];
                    let result = plugin.call(support::call(&open()), &budget(*leaves)).result;
                    assert!(leaves.is(&result), "tenant {which}, {leaves:?}: {result:?}");
                }
            });
        }
    });
}

/// The canary sings: a tenant that is given what another one left would say so.
#[test]
fn a_tenant_that_finds_something_says_so() {
    let found = |dirt: &str| {
        let plugin = support::plugin(&text(2, 2, "", dirt), World::Router);
        plugin.call(support::call(&open()), &budget(Leaves::Answering)).result
    };
    assert!(Leaves::Answering.is(&found("")), "clean");
    for dirt in [
        "(data (i32.const 131064) \"x\")",
        "(elem (table $table) (i32.const 699) func $mark)",
        "(global $dirty i32 (i32.const 1)) (start $dirt) (func $dirt (global.set $seen (i64.const 1)))",
    ] {
        assert!(is_trap(&found(dirt), "divided by zero"), "{dirt} is found: {:?}", found(dirt));
    }
}

//! Every function of the contract answers in a typed way where nothing is granted: a denial is a
//! result, never a trap, and is counted. The list of functions is the WIT's own.

use hilum_contract::World;
use hilum_policy::{Class, Grant, Sight};
use hilum_sandbox::{Budget, Called, Plugin};

use crate::offered;
use crate::probes::{PROBES, Probe};
use crate::support;

fn probe(function: &str) -> Probe {
    *PROBES.iter().find(|it| it.function == function).expect("there")
}

fn plugin(probe: &Probe, world: World) -> Plugin {
    support::plugin(&probe.module(world), world)
}

fn call(probe: &Probe, world: World, grant: &Grant) -> Called {
    plugin(probe, world).call(support::call(grant), &Budget::DEFAULT)
}

/// Each function × version of the contract × world: the typed answer, and the count in the report.
/// `tests/suites/denials.rs` finds the same in the trail.
#[test]
fn every_function_has_a_typed_denial_in_every_world() {
    let nothing = Class::ALL
        .iter()
        .fold(Grant::sealed_by_default(), |grant, class| grant.with(*class, Sight::Withhold));
    for offered in offered::functions() {
        let name = format!("{}.{} of {}", offered.interface, offered.function, offered.world);
        // An older version's functions are spoken to by its own adapter: they need probes of their own.
        assert_eq!(offered.version, hilum_contract::VERSION, "{name} has no denial test");
        let world = World::from_word(&offered.world).expect("a world that the gateway knows");
        let probe = PROBES
            .iter()
            .find(|it| (it.interface, it.function) == (&*offered.interface, &*offered.function))
            .unwrap_or_else(|| panic!("{name} has no denial test"));
        let called = call(probe, world, &nothing);
        assert!(called.result.is_ok(), "{name}: {:?}", called.result);
        let counted: Vec<_> = called.report.denials.into_iter().collect();
        assert_eq!(counted, probe.denied.counts(), "{name}");
    }
}

/// The other way round: where it is granted, the same call is not denied.
#[test]
fn what_is_granted_is_not_denied() {
    let open = Class::ALL
        .iter()
        .fold(Grant::sealed_by_default(), |grant, class| grant.with(*class, Sight::Open));
    for probe in PROBES.iter().filter(|it| it.denied == crate::probes::Denied::By("message")) {
        let called = call(probe, World::Transformer, &open);
        assert!(called.result.is_err(), "{}: the probe finds no denial", probe.function);
        assert!(called.report.denials.is_empty(), "{}", probe.function);
    }
}

#[test]
fn an_unknown_table_is_no_denial() {
    let unknown = Probe {
        // `PID-` is no table at all.
        arguments: "(i32.const 64) (i32.const 4) (i32.const 64) (i32.const 7) (i32.const 1024)",
        right: "(i32.and (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 1))
            (i32.eqz (i32.load8_u (i32.const 1028))))",
        ..probe("translate")
    };
    let called = call(&unknown, World::Router, &Grant::sealed_by_default());
    assert!(called.result.is_ok());
    assert!(called.report.denials.is_empty());
}

#[test]
fn a_body_that_nothing_here_reads_is_withheld_unless_it_is_opened() {
    // Empty, and an error.
    let empty = "(i32.eqz (i32.load (i32.const 1028)))";
    for (function, hidden) in [("body", empty), ("text", crate::probes::WITHHELD)] {
        let plugin = plugin(&Probe { right: hidden, ..probe(function) }, World::Transformer);
        let about = |grant: &Grant| hilum_sandbox::Call {
            view: support::view_as("csv", "id;name\n4711;EVE", grant),
            ..support::call(grant)
        };
        let called = plugin.call(about(&Grant::sealed_by_default()), &Budget::DEFAULT);
        assert!(called.result.is_ok(), "{function}: {:?}", called.result);
        assert_eq!(called.report.denials, [("message", 1)].into(), "{function}");
        let open = Grant::sealed_by_default().with(Class::Body, Sight::Open);
        let called = plugin.call(about(&open), &Budget::DEFAULT);
        assert!(called.result.is_err(), "{function}: it is there");
        assert!(called.report.denials.is_empty());
        assert_eq!(called.report.sights.opened.count(Class::Body), 1);
    }
}

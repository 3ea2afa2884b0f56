//! Every function of the contract answers in a typed way where nothing is granted: a denial is a
//! result, never a trap, and is counted.

use hilum_contract::{INTERFACES, World};
use hilum_policy::{Class, Grant, Sight};
use hilum_sandbox::{Answered, Budget, Called, Plugin};

use crate::support;

/// One function: how it is called, and what has to stand at 1,024 and behind afterwards.
struct Probe {
    interface: &'static str,
    function: &'static str,
    /// Core parameters as text; the answer goes to 1,024.
    signature: &'static str,
    arguments: &'static str,
    /// An expression that is 1 if the answer is right.
    right: &'static str,
    denials: &'static [(&'static str, u64)],
}

/// An error, and of what case.
const WITHHELD: &str = "(i32.and (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 1))
    (i32.eqz (i32.load8_u (i32.const 1028))))";
const UNGRANTED: &str = "(i32.and (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 1))
    (i32.eq (i32.load8_u (i32.const 1028)) (i32.const 1)))";
const UNFIT: &str = "(i32.and (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 1))
    (i32.eq (i32.load8_u (i32.const 1028)) (i32.const 4)))";
const ANYTHING: &str = "(i32.const 1)";
/// `PID-5.1`, which is at 64.
const PATH: &str = "(i32.const 64) (i32.const 7) (i32.const 1024)";
const ONE: &[(&str, u64)] = &[("message", 1)];

const PROBES: &[Probe] = &[
    probe("message", "about", "i32", "(i32.const 1024)", ANYTHING, &[]),
    probe("message", "get", "i32 i32 i32", PATH, WITHHELD, ONE),
    // One string at 128, which is the same path; one answer, where the list says.
    probe(
        "message",
        "get-many",
        "i32 i32 i32",
        "(i32.const 128) (i32.const 1) (i32.const 1024)",
        "(i32.and (i32.eq (i32.load8_u (i32.load (i32.const 1024))) (i32.const 1))
            (i32.eqz (i32.load8_u offset=4 (i32.load (i32.const 1024)))))",
        ONE,
    ),
    probe("message", "all", "i32 i32 i32", PATH, WITHHELD, ONE),
    // How many there are, and what they are called, is never hidden.
    probe("message", "count", "i32 i32 i32", PATH, "(i32.eqz (i32.load8_u (i32.const 1024)))", &[]),
    probe("message", "outline", "i32", "(i32.const 1024)", ANYTHING, &[]),
    probe(
        "message",
        "sight-of",
        "i32 i32 i32",
        PATH,
        "(i32.and (i32.eqz (i32.load8_u (i32.const 1024)))
            (i32.eq (i32.load8_u (i32.const 1028)) (i32.const 2)))",
        &[],
    ),
    probe("message", "body", "i32", "(i32.const 1024)", ANYTHING, &[]),
    probe("message", "text", "i32", "(i32.const 1024)", ANYTHING, &[]),
    probe("conversions", "fhir-date", "i32 i32 i32", PATH, ANYTHING, &[]),
    probe("conversions", "fhir-date-time", "i32 i32 i32", PATH, ANYTHING, &[]),
    probe("conversions", "hl7-date", "i32 i32 i32", PATH, ANYTHING, &[]),
    probe("conversions", "upper-case", "i32 i32 i32", PATH, ANYTHING, &[]),
    probe("conversions", "lower-case", "i32 i32 i32", PATH, ANYTHING, &[]),
    probe("conversions", "trim", "i32 i32 i32", PATH, ANYTHING, &[]),
    probe("conversions", "digits", "i32 i32 i32", PATH, ANYTHING, &[]),
    probe("conversions", "first-letter", "i32 i32 i32", PATH, ANYTHING, &[]),
    // What is withheld is left out of the copy.
    probe("drafts", "[static]draft.copy-of-message", "i32", "(i32.const 1024)", ANYTHING, &[]),
    probe(
        "drafts",
        "[static]draft.blank",
        "i32 i32 i32 i32 i32",
        "(i32.const 64) (i32.const 3) (i32.const 64) (i32.const 3) (i32.const 1024)",
        UNFIT,
        &[],
    ),
    // The table `kept`, which the site has and did not lend.
    probe(
        "tables",
        "translate",
        "i32 i32 i32 i32 i32",
        "(i32.const 72) (i32.const 4) (i32.const 64) (i32.const 7) (i32.const 1024)",
        UNGRANTED,
        &[("tables", 1)],
    ),
    probe("settings", "get", "i32 i32 i32", PATH, "(i32.eqz (i32.load8_u (i32.const 1024)))", &[]),
    probe(
        "log",
        "write",
        "i32 i32 i32",
        "(i32.const 1) (i32.const 64) (i32.const 7)",
        ANYTHING,
        &[],
    ),
];

/// What needs a draft first: `drafts.rs` has these.
const UNREACHABLE: &[&str] = &["[method]draft.set", "[method]draft.copy", "[method]draft.remove"];

const fn probe(
    interface: &'static str,
    function: &'static str,
    signature: &'static str,
    arguments: &'static str,
    right: &'static str,
    denials: &'static [(&'static str, u64)],
) -> Probe {
    Probe { interface, function, signature, arguments, right, denials }
}

fn call(probe: &Probe, grant: &Grant) -> Called {
    plugin(probe).call(support::call(grant), &Budget::DEFAULT)
}

fn plugin(probe: &Probe) -> Plugin {
    let Probe { function, signature, arguments, right, .. } = probe;
    let interface = hilum_contract::id_of(probe.interface);
    let text = format!(
        r#"(module
            (import "{interface}" "{function}" (func $it (param {signature})))
            (memory (export "memory") 2)
            (data (i32.const 64) "PID-5.1\00kept")
            (data (i32.const 128) "\40\00\00\00\07\00\00\00")
            (global $free (mut i32) (i32.const 4096))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $free)
                (global.set $free
                    (i32.and (i32.add (global.get $free) (i32.add (local.get 3) (i32.const 15)))
                        (i32.const -16))))
            (func (export "hilum:plugin/transform@0.1.0#run") (result i32)
                (call $it {arguments})
                (if (i32.eqz {right}) (then unreachable))
                (i32.const 2048)))"#
    );
    support::plugin(&text, World::Transformer)
}

#[test]
fn every_function_has_a_typed_denial() {
    let grant = Class::ALL
        .iter()
        .fold(Grant::sealed_by_default(), |grant, class| grant.with(*class, Sight::Withhold));
    for probe in PROBES {
        let called = call(probe, &grant);
        let name = format!("{}.{}", probe.interface, probe.function);
        assert!(
            matches!(&called.result, Ok(Answered::Mapped(made)) if made.is_empty()),
            "{name}: {:?}",
            called.result
        );
        assert_eq!(called.report.denials, probe.denials.iter().copied().collect(), "{name}");
    }
}

#[test]
fn no_function_of_the_contract_is_left_out() {
    let probed: Vec<_> = PROBES.iter().map(|it| (it.interface, it.function)).collect();
    for interface in INTERFACES {
        for function in interface.functions {
            let known =
                probed.contains(&(interface.name, function)) || UNREACHABLE.contains(function);
            assert!(known, "{}.{function} has no denial test", interface.name);
        }
    }
}

#[test]
fn an_unknown_table_is_no_denial() {
    let translate = PROBES.iter().find(|it| it.function == "translate").expect("there");
    let probe = Probe {
        // `PID-` is no table at all.
        arguments: "(i32.const 64) (i32.const 4) (i32.const 64) (i32.const 7) (i32.const 1024)",
        right: "(i32.and (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 1))
            (i32.eqz (i32.load8_u (i32.const 1028))))",
        ..*translate
    };
    let called = call(&probe, &Grant::sealed_by_default());
    assert!(called.result.is_ok());
    assert!(called.report.denials.is_empty());
}

#[test]
fn a_body_that_nothing_here_reads_is_withheld_unless_it_is_opened() {
    let probe = |function| PROBES.iter().find(|it| it.function == function).expect("there");
    // Empty, and an error.
    let empty = "(i32.eqz (i32.load (i32.const 1028)))";
    for (function, hidden) in [("body", empty), ("text", WITHHELD)] {
        let plugin = plugin(&Probe { right: hidden, ..*probe(function) });
        let about = |grant: &Grant| hilum_sandbox::Call {
            view: support::view_as("csv", "id;name\n4711;EVE", grant),
            ..support::call(grant)
        };
        let called = plugin.call(about(&Grant::sealed_by_default()), &Budget::DEFAULT);
        assert!(called.result.is_ok(), "{function}: {:?}", called.result);
        assert_eq!(called.report.denials, ONE.iter().copied().collect(), "{function}");
        let open = Grant::sealed_by_default().with(Class::Body, Sight::Open);
        let called = plugin.call(about(&open), &Budget::DEFAULT);
        assert!(called.result.is_err(), "{function}: it is there");
        assert!(called.report.denials.is_empty());
        assert_eq!(called.report.sights.opened.count(Class::Body), 1);
    }
}

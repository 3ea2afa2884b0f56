//! What is in a plugin's memory after a call: nothing that its grant hides, and nothing of anybody
//! else's call.
//!
//! The guest is its own witness: it reads everything in every way there is, never frees anything,
//! and hands back its whole memory. So what is searched is the memory of the product's own engine,
//! code and pool; a debugger's view (wasmtime's `debug` feature) would need another build of the
//! engine, and search another engine than the one that ships.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use hilum_contract::World;
use hilum_policy::{Class, Grant, Sight};
use hilum_sandbox::{Answered, Budget, Call, Called, Plugin};
use proptest::prelude::*;

use crate::support;

/// Each place of the message that has a class, and the class.
const PLACES: &[(&str, Class)] = &[
    ("PID-3.1", Class::Identifier),
    ("PID-5.1", Class::Name),
    ("PID-5.2", Class::Name),
    ("PID-7", Class::BirthDate),
    ("PID-11.1", Class::Address),
    ("PID-11.3", Class::Address),
    ("PID-11.5", Class::Address),
    ("NK1-2.1", Class::Name),
    ("PV1-19.1", Class::Identifier),
    ("ZZZ-1", Class::Unknown),
    ("NTE-3", Class::Text),
];

/// A plugin that reads these paths.
fn reader(paths: &[&str]) -> Plugin {
    let (mut at, mut strings) = (4096usize, String::new());
    for path in paths {
        for number in [at, path.len()] {
            let bytes = u32::try_from(number).expect("fits").to_le_bytes();
            strings.extend(bytes.iter().map(|byte| format!("\\{byte:02x}")));
        }
        at += path.len();
    }
    let text = include_str!("reader.wat")
        .replace("{paths}", &paths.concat())
        .replace("{strings}", &strings)
        .replace("{count}", &paths.len().to_string());
    support::plugin(&text, World::Transformer)
}

fn message(values: &[String]) -> String {
    let value = |index: usize| values.get(index).map_or("", String::as_str);
    format!(
        "MSH|^~\\&|ADT|ST-ANNA|HILUM|ST-ANNA|20261124090000+0100||ADT^A01^ADT_A01|c1|P|2.5.1\r\
         PID|1||{}^^^ST-ANNA^MR||{}^{}||{}|F|||{}^^{}^^{}^AUT\r\
         NK1|1|{}\r\
         PV1|1|I|||||||||||||||||{}\r\
         NTE|1||{}\r\
         ZZZ|{}\r",
        value(0),
        value(1),
        value(2),
        value(3),
        value(4),
        value(5),
        value(6),
        value(7),
        value(8),
        value(10),
        value(9),
    )
}

/// The whole memory of a guest that has handed it back.
fn memory(called: &Called) -> Bytes {
    match &called.result {
        Ok(Answered::Mapped(made)) if made.len() == 1 => made[0].body.clone(),
        other => panic!("the guest hands back its memory, not {other:?}"),
    }
}

/// Text in small letters, to be searched whatever its casing was.
fn folded(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_lowercase()
}

fn holds(folded: &[u8], value: &str) -> bool {
    memchr::memmem::find(folded, value.to_ascii_lowercase().as_bytes()).is_some()
}

fn budget() -> Budget {
    Budget { output_bytes: 64 << 20, fuel: 1_000_000_000, ..Budget::GATEWAY_MAX }
}

/// A value of four bytes or more that stands nowhere else. None looks like a token: one that does
/// is sealed even where it is open.
fn value(index: usize) -> impl Strategy<Value = String> {
    let letters =
        if index == 3 { "(19|20)[0-9]{2}0[1-9]1[0-9]" } else { "[A-Za-z][A-Za-z ]{2,30}[A-Za-z]" };
    letters
        .prop_map(move |text| if index == 3 { text } else { format!("{text}{index}q") })
        .prop_filter("looks like a token", |text| !text.to_ascii_lowercase().contains("zq"))
}

fn grant() -> impl Strategy<Value = Grant> {
    let sights = proptest::collection::vec(0..Sight::ALL.len(), Class::COUNT);
    (sights, any::<bool>()).prop_map(|(sights, big)| {
        let sealed = Grant::sealed_by_default().with_big(big);
        let chosen = Class::ALL.iter().zip(sights);
        chosen.fold(sealed, |grant, (class, sight)| grant.with(*class, Sight::ALL[sight]))
    })
}

fn values() -> impl Strategy<Value = Vec<String>> {
    (0..PLACES.len()).map(value).collect::<Vec<_>>()
}

#[test]
fn nothing_that_a_grant_hides_is_in_the_guests_memory() {
    // Whole segments too, and what is not there.
    let more = ["PID", "PID-5", "MSH-9", "QQQ-1", "PID.5", ""];
    let paths: Vec<&str> = PLACES.iter().map(|(path, _)| *path).chain(more).collect();
    let plugin = reader(&paths);
    let found = AtomicU32::new(0);
    let mut runner = proptest::test_runner::TestRunner::default();
    let checked = runner.run(&(values(), grant()), |(values, grant)| {
        let message = message(&values);
        let called = plugin.call(support::call_about(&message, &grant), &budget());
        let memory = folded(&memory(&called));
        let logged: String = called.report.log.iter().map(|it| it.text.clone() + "\n").collect();
        let logged = folded(logged.as_bytes());
        for ((path, class), value) in PLACES.iter().zip(&values) {
            if grant.sight(*class) == Sight::Open {
                prop_assert!(holds(&memory, value), "{path} is open, and the search finds it");
                found.fetch_add(1, Ordering::Relaxed);
            } else {
                prop_assert!(!holds(&memory, value), "{path} is hidden");
                prop_assert!(!holds(&logged, value), "{path} is in the log");
            }
        }
        Ok(())
    });
    checked.expect("no hidden value in the guest's memory");
    assert_ne!(found.into_inner(), 0, "a search that finds nothing says nothing");
}

/// A resource that nobody has classed piece by piece: all of it is hidden by default.
#[test]
fn nothing_of_a_sealed_json_body_is_in_the_guests_memory() {
    let plugin =
        reader(&["Patient.name[0].family", "Patient.birthDate", "Patient.name", "Patient"]);
    let hidden = ["Zedlitz-Quirina", "1980-03-12", "4711-0815", "Uhlenweg 7"];
    let body = format!(
        r#"{{"resourceType":"Patient","identifier":[{{"value":"{}"}}],"name":[{{"family":"{}"}}],
            "birthDate":"{}","address":[{{"line":["{}"]}}]}}"#,
        hidden[2], hidden[0], hidden[1], hidden[3]
    );
    let view = support::view_as("fhir-json", &body, &Grant::sealed_by_default());
    let called = plugin.call(Call { view, ..call() }, &budget());
    let memory = folded(&memory(&called));
    assert!(holds(&memory, "resourceType"), "the body is there");
    for value in hidden {
        assert!(!holds(&memory, value));
    }
}

/// Fills all the memory it can get with a pattern, and hands back what was there before.
const TENANT: &str = r#"(module
    (memory (export "memory") 64)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
    (func (export "hilum:plugin/transform@0.1.0#run") (result i32)
        (local $at i32) (local $end i32) (local $seen i64)
        (drop (memory.grow (i32.const 192)))
        (local.set $end (i32.mul (memory.size) (i32.const 65536)))
        (loop $again
            (local.set $seen (i64.or (local.get $seen) (i64.load (local.get $at))))
            (i64.store (local.get $at) (i64.const 0x5945544e414e4554))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $again (i32.lt_u (local.get $at) (local.get $end))))
        ;; One output: the eight bytes at 256.
        (memory.fill (i32.const 0) (i32.const 0) (i32.const 512))
        (i32.store (i32.const 4) (i32.const 64))
        (i32.store (i32.const 8) (i32.const 1))
        (i32.store (i32.const 88) (i32.const 256))
        (i32.store (i32.const 92) (i32.const 8))
        (i64.store (i32.const 256) (local.get $seen))
        (i32.const 0)))"#;

fn call() -> Call {
    support::call(&Grant::sealed_by_default())
}

#[test]
fn no_instance_finds_what_another_one_left() {
    let plugin = support::plugin(TENANT, World::Transformer);
    let seats = support::sandbox().limits().calls_max;
    std::thread::scope(|scope| {
        for _ in 0..seats + 2 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let called = plugin.call(call(), &budget());
                    assert_eq!(memory(&called), [0; 8].as_slice(), "all of it was zero");
                }
            });
        }
    });
}

#[test]
fn no_instance_finds_what_a_trapped_one_left() {
    let trap = TENANT.replace(
        ";; One output: the eight bytes at 256.",
        "(if (i64.eqz (local.get $seen)) (then unreachable))",
    );
    let trapped = support::plugin(&trap, World::Transformer);
    let plugin = support::plugin(TENANT, World::Transformer);
    for _ in 0..20 {
        assert!(trapped.call(call(), &budget()).result.is_err());
        assert_eq!(memory(&plugin.call(call(), &budget())), [0; 8].as_slice());
    }
}

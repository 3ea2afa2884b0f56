//! What one call sees, answers and costs.

use std::sync::Arc;
use std::time::Duration;

use hilum_contract::World;
use hilum_policy::{Class, Grant, Sight};
use hilum_sandbox::{Answered, Budget, Called, Level, Limit, Plugin, PluginFault};

use crate::support;

/// A plugin that hands back what one call of the host answers, as text: `call` leaves a pointer at
/// 1,032 and a length at 1,036.
fn echo(import: &str, call: &str) -> Plugin {
    support::plugin(&echo_text(import, call), World::Transformer)
}

fn echo_text(import: &str, call: &str) -> String {
    format!(
        r#"(module
            {import}
            (memory (export "memory") 4)
            (data (i32.const 64) "PID-5.1\00site\00lent\001\00MSH-9.1")
            (global $free (mut i32) (i32.const 4096))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $free)
                (global.set $free (i32.add (global.get $free) (local.get 3))))
            (func (export "hilum:plugin/transform@0.1.0#run") (result i32)
                {call}
                ;; One output at 2,064, its text where the answer says.
                (i32.store (i32.const 2052) (i32.const 2064))
                (i32.store (i32.const 2056) (i32.const 1))
                (i32.store (i32.const 2084) (i32.const 1))
                (i32.store (i32.const 2088) (i32.load (i32.const 1032)))
                (i32.store (i32.const 2092) (i32.load (i32.const 1036)))
                (i32.const 2048)))"#
    )
}

const GET: &str = r#"(import "hilum:plugin/message@0.1.0" "get" (func $get (param i32 i32 i32)))"#;

fn get(path: &str) -> Plugin {
    // The path goes where `PID-5.1` is.
    let letters = (64..).zip(path.bytes());
    let store: String = letters
        .map(|(at, byte)| format!("(i32.store8 (i32.const {at}) (i32.const {byte}))"))
        .collect();
    let length = path.len();
    echo(GET, &format!("{store} (call $get (i32.const 64) (i32.const {length}) (i32.const 1024))"))
}

fn text(called: &Called) -> String {
    match &called.result {
        Ok(Answered::Mapped(made)) => String::from_utf8_lossy(&made[0].body).into_owned(),
        other => panic!("it answers, not {other:?}"),
    }
}

fn open(class: Class) -> Grant {
    Grant::sealed_by_default().with(class, Sight::Open)
}

#[test]
fn a_granted_value_is_read_and_another_one_is_a_token() {
    let plugin = get("PID-5.1");
    let opened = plugin.call(support::call(&open(Class::Name)), &Budget::DEFAULT);
    assert_eq!(text(&opened), "EVERYWOMAN");
    assert_eq!(opened.report.sights.opened.count(Class::Name), 1);
    let sealed = support::run(&plugin);
    let token = text(&sealed);
    assert!(token.starts_with("ZQ") && token.len() == 14, "a token, not {token}");
    assert_eq!(sealed.report.sights.sealed.count(Class::Name), 1);
    assert_eq!(text(&support::run(&get("MSH-9.1"))), "ADT");
}

#[test]
fn the_same_call_twice_gives_the_same_answer_and_the_same_fuel() {
    let plugin = get("PID-5.1");
    let first = support::run(&plugin);
    assert!(0 < first.report.fuel && first.report.fuel < 10_000, "{}", first.report.fuel);
    for _ in 0..100 {
        let again = support::run(&plugin);
        assert_eq!(text(&again), text(&first));
        assert_eq!(again.report.fuel, first.report.fuel);
        assert_eq!(again.report.host_calls, 1);
    }
}

#[test]
fn a_path_that_is_no_path_is_a_typed_answer_at_any_length() {
    // An error, of the case `malformed-path`; its text stands where the answer says.
    let check = |length: u32| {
        let call = format!(
            "(memory.fill (i32.const 65536) (i32.const 88) (i32.const {length}))
             (call $get (i32.const 65536) (i32.const {length}) (i32.const 1024))
             (if (i32.ne (i32.load8_u (i32.const 1024)) (i32.const 1)) (then unreachable))
             (if (i32.ne (i32.load8_u (i32.const 1028)) (i32.const 1)) (then unreachable))"
        );
        text(&support::run(&echo(GET, &call)))
    };
    assert_ne!(check(500), "a path has at most 512 bytes");
    assert_eq!(check(513), "a path has at most 512 bytes");
    assert_eq!(check(100_000), "a path has at most 512 bytes");
}

#[test]
fn a_long_text_for_a_person_is_cut() {
    let text = r#"(module
        (memory (export "memory") 2)
        (data (i32.const 0) "\02\00\00\00\40\00\00\00\ff\ff\00\00")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
        (func (export "hilum:plugin/check@0.1.0#run") (result i32)
            (memory.fill (i32.const 64) (i32.const 120) (i32.const 65535))
            (i32.const 0)))"#;
    let called = support::run(&support::plugin(text, World::Validator));
    let Ok(Answered::Held(why)) = called.result else { panic!("it holds") };
    assert_eq!(why.len(), hilum_sandbox::TEXT_CHARACTERS_MAX);
}

#[test]
fn settings_of_the_route_are_lent() {
    let import = r#"(import "hilum:plugin/settings@0.1.0" "get" (func $get (param i32 i32 i32)))"#;
    // The answer is an option: its text lies four bytes earlier than in a result of an option.
    let plugin = echo(import, "(call $get (i32.const 72) (i32.const 4) (i32.const 1028))");
    assert_eq!(text(&support::run(&plugin)), "st-anna");
}

#[test]
fn a_table_that_is_lent_translates() {
    let import = r#"(import "hilum:plugin/tables@0.1.0" "translate"
        (func $it (param i32 i32 i32 i32 i32)))"#;
    let call =
        "(call $it (i32.const 77) (i32.const 4) (i32.const 82) (i32.const 1) (i32.const 1024))";
    assert_eq!(text(&support::run(&echo(import, call))), "outp");
}

#[test]
fn a_plugin_is_told_what_the_message_is() {
    let import = r#"(import "hilum:plugin/message@0.1.0" "about" (func $it (param i32)))"#;
    let field = |at: u32| {
        format!(
            "(call $it (i32.const 1040))
             (i32.store (i32.const 1032) (i32.load (i32.const {})))
             (i32.store (i32.const 1036) (i32.load (i32.const {})))",
            1040 + at,
            1044 + at
        )
    };
    let told = |at| text(&support::run(&echo(import, &field(at))));
    assert_eq!(told(0).len(), 36, "a UUID");
    assert_eq!(told(8), "hl7v2");
    assert_eq!(told(16), "ADT^A01");
    assert_eq!(told(24), "2026-11-24T09:00:00.000Z");
}

#[test]
fn log_lines_come_without_phi() {
    let import = r#"
        (import "hilum:plugin/message@0.1.0" "get" (func $get (param i32 i32 i32)))
        (import "hilum:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))"#;
    let call = "(call $get (i32.const 64) (i32.const 7) (i32.const 1024))
        (call $write (i32.const 2) (i32.load (i32.const 1032)) (i32.load (i32.const 1036)))";
    let plugin = echo(import, call);
    // Even an open value is not for a log.
    let called = plugin.call(support::call(&open(Class::Name)), &Budget::DEFAULT);
    assert_eq!(text(&called), "EVERYWOMAN");
    let [line] = called.report.log.as_slice() else { panic!("one line") };
    assert_eq!(line.level, Level::Warn);
    assert!(!line.text.contains("EVERYWOMAN"), "{}", line.text);
    assert_eq!(called.report.said, None, "it did not end badly");
}

#[test]
fn debug_prints_no_body_and_no_destination() {
    let called = get("PID-5.1").call(support::call(&open(Class::Name)), &Budget::DEFAULT);
    let printed = format!("{:?}", called.result);
    assert!(!printed.contains("EVERYWOMAN"), "{printed}");
    let routed = Answered::Routed(vec!["EVERYWOMAN".to_owned()]);
    assert_eq!(format!("{routed:?}"), "Routed(1 destinations)");
}

const FOREVER: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
    (func (export "hilum:plugin/route@0.1.0#run") (result i32) (loop $again (br $again)) (i32.const 0)))"#;

#[test]
fn the_wall_limit_is_kept_also_when_the_watch_was_resting() {
    let plugin = support::plugin(FOREVER, World::Router);
    let budget = Budget { wall: Duration::from_millis(50), ..Budget::GATEWAY_MAX };
    for _ in 0..3 {
        let called = plugin.call(support::call(&Grant::sealed_by_default()), &budget);
        assert_eq!(called.result.err(), Some(PluginFault::TimedOut));
        assert!(budget.wall <= called.report.wall, "{:?}", called.report.wall);
        assert!(called.report.wall < Duration::from_secs(10), "{:?}", called.report.wall);
    }
}

/// One call of the host for so many times the same path. The list stands at 4,096.
fn many(path: &str, times: u32) -> Plugin {
    let length = path.len();
    let text = format!(
        r#"(module
        (import "hilum:plugin/message@0.1.0" "get-many" (func $many (param i32 i32 i32)))
        (memory (export "memory") 16)
        (data (i32.const 64) "{path}")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "hilum:plugin/route@0.1.0#run") (result i32) (local $at i32)
            (loop $more
                (i32.store offset=4096 (local.get $at) (i32.const 64))
                (i32.store offset=4100 (local.get $at) (i32.const {length}))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $more (i32.lt_u (local.get $at) (i32.const {}))))
            (call $many (i32.const 4096) (i32.const {times}) (i32.const 1024))
            (i32.const 0)))"#,
        8 * times
    );
    support::plugin(&text, World::Router)
}

#[test]
fn the_wall_limit_is_kept_within_one_call_of_the_host() {
    let message = format!("{}{}", support::ADT, "ZZ1\r".repeat(20_000));
    let call = support::call_about(&message, &Grant::sealed_by_default());
    let budget = Budget { wall: Duration::from_millis(50), ..Budget::DEFAULT };
    // Each look-up walks all segments.
    let called = many("ZZ9-1", 90_000).call(call, &budget);
    assert_eq!(called.result.err(), Some(PluginFault::TimedOut));
    assert!(called.report.wall < Duration::from_secs(10), "{:?}", called.report.wall);
}

#[test]
fn the_host_gathers_no_more_than_the_guest_could_take() {
    let message = format!("{}ZZ1|{}\r", support::ADT, "x".repeat(60 << 10));
    let call = support::call_about(&message, &open(Class::Unknown));
    let budget = Budget { wall: Budget::GATEWAY_MAX.wall, ..Budget::DEFAULT };
    // Nearly 300 MiB; it ends before the guest is asked for a place that it does not have.
    let called = many("ZZ1-1", 5_000).call(call, &budget);
    assert_eq!(called.result.err(), Some(PluginFault::OutOfMemory));
}

#[test]
fn more_calls_than_seats_wait_and_none_fails() {
    let plugin = Arc::new(get("MSH-9.1"));
    std::thread::scope(|scope| {
        for _ in 0..3 * support::sandbox().limits().calls_max {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(text(&support::run(&plugin)), "ADT");
                }
            });
        }
    });
}

#[test]
fn a_plugin_may_export_more_than_its_world() {
    let text = r#"(component
        (import "hilum:plugin/types@0.1.0" (instance $types
            (type $reason' (enum "required-missing" "value-invalid" "unsupported" "unknown-code" "inconsistent" "application"))
            (export "reason" (type $reason (eq $reason')))
            (type $refusal' (record (field "reason" $reason) (field "text" string) (field "path" (option string))))
            (export "refusal" (type (eq $refusal')))))
        (alias export $types "refusal" (type $refusal))
        (core module $m
            (memory (export "memory") 1)
            (func (export "more") (result i32) unreachable)
            (func (export "run") (result i32) (i32.const 0)))
        (core instance $i (instantiate $m))
        (func $run (result (result (list string) (error $refusal)))
            (canon lift (core func $i "run") (memory (core memory $i "memory"))))
        (func $more (result u32) (canon lift (core func $i "more")))
        (instance $route (export "run" (func $run)))
        (export "hilum:plugin/route@0.1.0" (instance $route))
        (export "more" (func $more)))"#;
    let called = support::run(&support::plugin(text, World::Router));
    assert!(matches!(called.result, Ok(Answered::Routed(_))));
}

#[test]
fn a_validator_holds_with_a_question() {
    let text = r#"(module
        (memory (export "memory") 1)
        (data (i32.const 0) "\02\00\00\00\40\00\00\00\0d\00\00\00")
        (data (i32.const 64) "is she alive?")
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
        (func (export "hilum:plugin/check@0.1.0#run") (result i32) (i32.const 0)))"#;
    let called = support::run(&support::plugin(text, World::Validator));
    assert!(matches!(called.result, Ok(Answered::Held(why)) if why == "is she alive?"));
}

#[test]
fn an_output_has_a_format_that_its_manifest_names_or_the_gateway_knows() {
    // The message's own words stand for what a plugin could have read: `site` and `lent`.
    let made = |at: usize, length: usize, gives: &str| {
        let format = format!(
            "(i32.store8 (i32.const 2064) (i32.const 1))
             (i32.store (i32.const 2068) (i32.const {at}))
             (i32.store (i32.const 2072) (i32.const {length}))
             (i32.store (i32.const 1032) (i32.const 64))"
        );
        let component = support::component(&echo_text("", &format), Some(World::Transformer));
        let manifest = support::manifest(&World::Transformer.id(), &[]);
        let manifest = manifest.replace("[budget]", &format!("gives = [{gives}]\n[budget]"));
        let package = support::read(support::with_manifest(component, &manifest));
        let plugin = support::sandbox().load(&package.expect("a package")).expect("a plugin");
        support::run(&plugin).result
    };
    let formats = |result: Result<Answered, PluginFault>| match result {
        Ok(Answered::Mapped(made)) => made[0].format.clone().unwrap_or_default(),
        Ok(other) => other.word().to_owned(),
        Err(fault) => fault.to_string(),
    };
    assert_eq!(formats(made(72, 4, "\"site:Note\", \"text\"")), "site");
    for gives in ["", "\"lent\"", "\"sit\", \"sites\""] {
        let said = formats(made(72, 4, gives));
        assert!(said.contains("broke the contract") && !said.contains("site"), "{gives}: {said}");
    }
}

/// A guest that makes something of what stands in OBX-5 for ever: of what it made before, or anew.
fn converting(chained: bool) -> Plugin {
    let kept = if chained { "72" } else { "80" };
    let text = format!(
        r#"(module
        (import "hilum:plugin/message@0.1.0" "get" (func $get (param i32 i32 i32)))
        (import "hilum:plugin/conversions@0.1.0" "upper-case" (func $upper (param i32 i32 i32)))
        (import "hilum:plugin/conversions@0.1.0" "fhir-date" (func $date (param i32 i32 i32)))
        (memory (export "memory") 1)
        (data (i32.const 1024) "OBX-5")
        (global $free (mut i32) (i32.const 2048))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $free)
            (global.set $free (i32.const 3072)))
        (func (export "hilum:plugin/route@0.1.0#run") (result i32)
            (call $get (i32.const 1024) (i32.const 5) (i32.const 64))
            (loop $again
                (call $upper (i32.load (i32.const 72)) (i32.load (i32.const 76)) (i32.const {kept}))
                (call $date (i32.load (i32.const 72)) (i32.load (i32.const 76)) (i32.const 88))
                (br $again))
            (i32.const 0)))"#
    );
    support::plugin(&text, World::Router)
}

#[test]
fn a_long_value_is_paid_by_its_length_however_short_its_token_is() {
    let book = "x".repeat(8 << 20);
    let message = format!("{}OBX|1|TX|||{book}\r", support::ADT);
    let generous =
        Budget { memory_bytes: 64 << 20, wall: Budget::GATEWAY_MAX.wall, ..Budget::DEFAULT };
    let call = || support::call_about(&message, &Grant::sealed_by_default());
    // Each look at it counts as 2,048 calls of the host.
    let anew = converting(false).call(call(), &generous);
    assert_eq!(anew.result.err(), Some(PluginFault::OverLimit(Limit::HostCalls)));
    assert!(anew.report.host_calls < 60, "{}", anew.report.host_calls);
    // And each copy that is made of it lies in the host.
    let chained = converting(true).call(call(), &generous);
    assert_eq!(chained.result.err(), Some(PluginFault::OutOfMemory));
    assert!(chained.report.host_calls < 20, "{}", chained.report.host_calls);
}

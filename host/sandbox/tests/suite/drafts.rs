//! Drafts, from a component's side.

use hilum_contract::World;
use hilum_policy::{Class, Grant, Sight};
use hilum_sandbox::{Answered, Budget, Called, Limit, Plugin, PluginFault};

use crate::support;

/// A plugin that makes a draft, does something with it (`$draft`), and hands it back. `text` names
/// lie at 64: `PID-5.1` (7), `ZPI-1` (5, at 72), `A&B` (3, at 80), `OBX` (3, at 88), `PID-3` (5, at 96),
/// `PID-2` (5, at 104), `hl7v2` (5, at 112), `ADT^A08` (7, at 120), `ZPI-1000` (8, at 128).
fn plugin(make: &str, edits: &str) -> Plugin {
    let text = format!(
        r#"(module
            (import "hilum:plugin/drafts@0.1.0" "[static]draft.copy-of-message"
                (func $copy-of-message (param i32)))
            (import "hilum:plugin/drafts@0.1.0" "[static]draft.blank"
                (func $blank (param i32 i32 i32 i32 i32)))
            (import "hilum:plugin/drafts@0.1.0" "[method]draft.set"
                (func $set (param i32 i32 i32 i32 i32 i32)))
            (import "hilum:plugin/drafts@0.1.0" "[method]draft.copy"
                (func $copy (param i32 i32 i32 i32 i32 i32)))
            (import "hilum:plugin/drafts@0.1.0" "[method]draft.remove"
                (func $remove (param i32 i32 i32 i32)))
            (import "hilum:plugin/drafts@0.1.0" "[resource-drop]draft" (func $drop (param i32)))
            (memory (export "memory") 2)
            (data (i32.const 64) "PID-5.1\00ZPI-1\00\00\00A&B\00\00\00\00\00OBX\00\00\00\00\00PID-3")
            (data (i32.const 104) "PID-2\00\00\00hl7v2\00\00\00ADT^A08\00ZPI-1000")
            (global $free (mut i32) (i32.const 8192))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $free)
                (global.set $free
                    (i32.and (i32.add (global.get $free) (i32.add (local.get 3) (i32.const 15)))
                        (i32.const -16))))
            ;; The answer at 1,024 is no error, and has this number.
            (func $ok (param i32)
                (if (i32.load8_u (i32.const 1024)) (then unreachable))
                (if (i32.ne (i32.load (i32.const 1028)) (local.get 0)) (then unreachable)))
            ;; It is an error of this case.
            (func $error (param i32)
                (if (i32.eqz (i32.load8_u (i32.const 1024))) (then unreachable))
                (if (i32.ne (i32.load8_u (i32.const 1028)) (local.get 0)) (then unreachable)))
            (func (export "hilum:plugin/transform@0.1.0#run") (result i32)
                (local $draft i32)
                {make}
                (if (i32.load8_u (i32.const 1024)) (then unreachable))
                (local.set $draft (i32.load (i32.const 1028)))
                {edits}
                ;; One output at 2,064, whose body is the draft.
                (i32.store (i32.const 2052) (i32.const 2064))
                (i32.store (i32.const 2056) (i32.const 1))
                (i32.store8 (i32.const 2084) (i32.const 2))
                (i32.store (i32.const 2088) (local.get $draft))
                (i32.const 2048)))"#
    );
    support::plugin(&text, World::Transformer)
}

const COPY: &str = "(call $copy-of-message (i32.const 1024))";
const BLANK: &str =
    "(call $blank (i32.const 112) (i32.const 5) (i32.const 120) (i32.const 7) (i32.const 1024))";
/// `set("ZPI-1", "A&B")`.
const SET: &str = "(call $set (local.get $draft) (i32.const 72) (i32.const 5) (i32.const 80)
    (i32.const 3) (i32.const 1024))";
/// `copy("PID-5.1", "ZPI-1")`.
const COPY_NAME: &str = "(call $copy (local.get $draft) (i32.const 64) (i32.const 7)
    (i32.const 72) (i32.const 5) (i32.const 1024))";

fn made(called: &Called) -> (Option<String>, String) {
    match &called.result {
        Ok(Answered::Mapped(made)) => {
            let body = String::from_utf8_lossy(&made[0].body).into_owned();
            (made[0].format.clone(), body)
        }
        other => panic!("it answers, not {other:?}"),
    }
}

#[test]
fn a_copy_is_the_view_and_edits_touch_nothing_else() {
    let edits = format!(
        "{SET} (if (i32.load8_u (i32.const 1024)) (then unreachable))
         (call $remove (local.get $draft) (i32.const 96) (i32.const 5) (i32.const 1024))
         (call $ok (i32.const 1))
         (call $remove (local.get $draft) (i32.const 88) (i32.const 3) (i32.const 1024))
         (call $ok (i32.const 0))"
    );
    let called = plugin(COPY, &edits).call(support::call(&Grant::open_to_all()), &Budget::DEFAULT);
    let (format, body) = made(&called);
    assert_eq!(format.as_deref(), Some("hl7v2"));
    let expected = support::ADT.replace("4711-0815^^^ST-ANNA^MR", "") + "ZPI|A\\T\\B\r";
    assert_eq!(body, expected);
    assert_eq!(called.report.host_calls, 4);
}

#[test]
fn what_is_copied_is_never_opened() {
    let edits = format!(
        "{COPY_NAME} (call $ok (i32.const 1))
         (call $copy (local.get $draft) (i32.const 104) (i32.const 5) (i32.const 104) (i32.const 5)
             (i32.const 1024))
         (if (i32.load8_u (i32.const 1024)) (then unreachable))
         (if (i32.load8_u (i32.const 1028)) (then unreachable))"
    );
    let plugin = plugin(BLANK, &edits.replace("(call $ok (i32.const 1))", ""));
    let called = support::run(&plugin);
    let (_, body) = made(&called);
    let token = body.strip_prefix("MSH|^~\\&|||||||ADT^A08|||||||||UNICODE UTF-8\rZPI|");
    let token = token.and_then(|it| it.strip_suffix('\r')).expect("a head and one segment");
    assert!(token.starts_with("ZQ") && token.len() == 14, "{token}");
    assert!(called.report.sights.opened.is_empty());
    assert!(called.report.denials.is_empty());
}

#[test]
fn what_is_withheld_is_a_typed_denial_and_counted() {
    let grant = Grant::sealed_by_default().with(Class::Name, Sight::Withhold);
    let edits = format!("{COPY_NAME} (call $error (i32.const 0))");
    for make in [COPY, BLANK] {
        let called = plugin(make, &edits).call(support::call(&grant), &Budget::DEFAULT);
        let (_, body) = made(&called);
        assert!(!body.contains("EVERYWOMAN") && !body.contains("ZPI"), "{body}");
        assert_eq!(called.report.denials, [("message", 1)].into_iter().collect());
    }
}

#[test]
fn other_formats_have_no_draft_yet_and_say_so() {
    let copy = "(call $copy-of-message (i32.const 1024)) (call $error (i32.const 4))
        (call $blank (i32.const 64) (i32.const 3) (i32.const 120) (i32.const 7) (i32.const 1024))
        (call $error (i32.const 4))";
    let plugin = plugin(&format!("{copy} {BLANK}"), "");
    let grant = Grant::open_to_all();
    let call = hilum_sandbox::Call {
        view: support::view_as("fhir-json", "{\"resourceType\":\"Patient\"}", &grant),
        ..support::call(&grant)
    };
    let called = plugin.call(call, &Budget::DEFAULT);
    assert!(made(&called).1.contains("ADT^A08"));
}

#[test]
fn drafts_are_of_the_guests_memory() {
    let budget = Budget { memory_bytes: 1 << 20, ..Budget::DEFAULT };
    let run = |make: &str, edits: &str| {
        plugin(make, edits).call(support::call(&Grant::open_to_all()), &budget).result.err()
    };
    // One after another, each let go: what was taken stays taken until the call ends.
    let again =
        "(loop $again (call $blank (i32.const 112) (i32.const 5) (i32.const 120) (i32.const 7)
        (i32.const 1024)) (call $drop (i32.load (i32.const 1028))) (br $again))";
    assert_eq!(run(again, ""), Some(PluginFault::OutOfMemory));
    // A thousand fields for one value, again and again.
    let wide =
        "(loop $again (call $set (local.get $draft) (i32.const 128) (i32.const 8) (i32.const 80)
        (i32.const 3) (i32.const 1024)) (br $again))";
    assert_eq!(run(BLANK, wide), Some(PluginFault::OutOfMemory));
    let held = "(loop $again (call $copy-of-message (i32.const 1024)) (br $again))";
    let few = Budget { handles: 8, ..Budget::DEFAULT };
    let called = plugin(held, "").call(support::call(&Grant::open_to_all()), &few);
    assert_eq!(called.result.err(), Some(PluginFault::OverLimit(Limit::Handles)));
    let calls = Budget { host_calls: 50, ..Budget::DEFAULT };
    let called = plugin(BLANK, wide).call(support::call(&Grant::open_to_all()), &calls);
    assert_eq!(called.result.err(), Some(PluginFault::OverLimit(Limit::HostCalls)));
}

#[test]
fn a_draft_is_no_longer_than_an_output_may_be() {
    let budget = Budget { output_bytes: 50, ..Budget::DEFAULT };
    let edits = format!("{SET} (call $error (i32.const 3))");
    let called = plugin(BLANK, &edits).call(support::call(&Grant::open_to_all()), &budget);
    assert!(made(&called).1.ends_with("UTF-8\r"), "unfit, and nothing was changed");
}

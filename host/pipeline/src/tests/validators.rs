//! Validators: accept, hold and refuse, and what a person does about it.

use hilum_audit::{NonEmpty, Record};
use hilum_policy::Grant;
use hilum_sandbox::{Sandbox, World};
use hilum_store::{Effect, RunRecord, Step};
use hilum_words::{Actor, Reason};

use super::plugins::{accepts, holds, passes_on, refuses, step};
use super::*;

/// A middle with one route of these steps to one destination.
fn middle(steps: &[(&str, (World, String))]) -> Middle {
    let twin = Twin::with_seed(7);
    let sandbox = Sandbox::new(&twin.doors()).expect("a sandbox");
    let steps = steps
        .iter()
        .map(|(name, plugin)| step(&sandbox, name, plugin.clone(), Grant::sealed_by_default()));
    let plain = route("adt", "MSH-9.1 == 'ADT'", &[("ehr", Clearance::treatment())]);
    let mut route = Arc::into_inner(plain).expect("nobody else has it");
    route.steps = steps.collect();
    Middle::open(twin, vec![Arc::new(route)], |_| {}, 100)
}

/// A person lets a held run go on.
fn release(middle: &Middle) {
    let run = middle.only_run();
    let RunState::Held { step, .. } = run.state else { panic!("held, not {}", run.state.word()) };
    person(middle, &run, What::Released, Effect::Released { next: step + 1 });
}

fn person(middle: &Middle, run: &RunRecord, what: What, effect: Effect) {
    let at = Timestamp::from_micros(middle.twin.doors().clock.now_micros());
    let record = Record::new(at, what, Actor::system("test")).run(run.run).message(run.message);
    let step = Step { run: run.run, effects: vec![effect], records: NonEmpty::of(record) };
    let ticket = middle.store.commit(step);
    middle.twin.block_on(ticket).expect("committed");
    middle.twin.advance(Duration::from_millis(50));
}

/// The same gateway after `kill -9`.
fn killed(middle: Middle, unsynced: Unsynced) -> Middle {
    let routes = middle.current.current().routes.iter().cloned().collect();
    middle.twin.tasks().kill_all();
    middle.twin.disk().crash(unsynced);
    Middle::open(middle.twin, routes, |_| {}, 100)
}

/// The steps that were called, in order, and what each answered.
fn called(middle: &Middle) -> Vec<String> {
    let trail = middle.store.trail(middle.only_run().message).expect("a trail");
    let fact = |record: &Record, key: &str| {
        record.facts.iter().find(|(it, _)| it.to_string() == key).map(|(_, it)| it.to_string())
    };
    let named = |it: &Record| Some(format!("{} {}", fact(it, "step")?, fact(it, "answered")?));
    trail.iter().filter_map(named).collect()
}

fn delivered(middle: &Middle) -> Vec<Bytes> {
    let queued = middle.store.queued("ehr");
    queued.iter().map(|it| middle.store.delivery(it.delivery).expect("there").body).collect()
}

#[test]
fn what_a_validator_accepts_goes_as_it_came() {
    let middle = middle(&[("check", accepts())]);
    middle.send(ADT);
    middle.start_worker();
    assert_eq!(delivered(&middle), [ADT.as_bytes()]);
    assert_eq!(called(&middle), ["check accepted"]);
}

#[test]
fn a_held_run_waits_and_a_released_one_goes_on_behind_the_validator() {
    let middle = middle(&[("first", accepts()), ("second", holds()), ("third", accepts())]);
    assert_eq!(middle.send(ADT), ["MSA|AA|7"], "held counts as accepted");
    middle.start_worker();
    let held = middle.only_run();
    assert_eq!(held.state, RunState::Held { why: "sure?".to_owned(), step: 1 });
    assert!(delivered(&middle).is_empty());
    release(&middle);
    let released = middle.only_run();
    assert_eq!(released.state, RunState::Dispatched);
    assert_eq!((released.seed, released.generation), (held.seed, held.generation));
    assert_eq!(delivered(&middle), [ADT.as_bytes()]);
    // None that stood before is asked again.
    assert_eq!(called(&middle), ["first accepted", "second held", "third accepted"]);
    let last = middle.trail();
    assert!(last.contains(&What::Held) && last.contains(&What::Released), "{last:?}");
}

#[test]
fn a_run_may_be_held_more_than_once() {
    let middle = middle(&[("first", holds()), ("second", holds()), ("third", accepts())]);
    middle.send(ADT);
    middle.start_worker();
    release(&middle);
    assert!(matches!(middle.only_run().state, RunState::Held { step: 1, .. }));
    release(&middle);
    assert_eq!(middle.only_run().state, RunState::Dispatched);
    assert_eq!(called(&middle), ["first held", "second held", "third accepted"]);
    assert_eq!(delivered(&middle).len(), 1);
}

#[test]
fn a_released_run_goes_on_after_a_restart_too() {
    let middle = middle(&[("first", holds()), ("second", accepts())]);
    middle.send(ADT);
    middle.start_worker();
    // Released by one life, worked on by the next.
    let middle = killed(middle, Unsynced::Kept);
    person(&middle, &middle.only_run(), What::Released, Effect::Released { next: 1 });
    let middle = killed(middle, Unsynced::Lost);
    assert_eq!(middle.only_run().from_step, 1);
    middle.start_worker();
    assert_eq!(delivered(&middle).len(), 1);
    assert_eq!(called(&middle), ["first held", "second accepted"]);
}

#[test]
fn what_was_made_before_the_hold_is_made_again_and_comes_out_the_same() {
    let middle = middle(&[("map", passes_on()), ("check", holds()), ("last", accepts())]);
    middle.send(ADT);
    middle.start_worker();
    release(&middle);
    assert_eq!(called(&middle), ["map mapped", "check held", "map mapped", "last accepted"]);
    let trail = middle.store.trail(middle.only_run().message).expect("a trail");
    let outputs: Vec<String> = trail
        .iter()
        .filter(|it| it.what == What::Transformed)
        .flat_map(|it| it.facts.iter().filter(|(key, _)| key.to_string() == "output"))
        .map(|(_, digest)| digest.to_string())
        .collect();
    assert_eq!(outputs.len(), 2);
    assert_eq!(outputs[0], outputs[1], "with the same tokens");
    assert_eq!(delivered(&middle), [ADT.as_bytes()], "every value is in its place");
}

#[test]
fn a_held_run_finishes_on_the_generation_that_accepted_it() {
    let middle = middle(&[("check", holds()), ("last", accepts())]);
    middle.send(ADT);
    middle.start_worker();
    let other = Generation {
        digest: Digest::of(b"another"),
        routes: Routes::new(vec![route("other", "exists PID", &[])]),
        policy: Policy::new(TimeZone::UTC),
        plugins: BTreeMap::new(),
        intakes: BTreeMap::new(),
    };
    middle.current.swap(Arc::new(other));
    let is_held = |digest| middle.only_run().generation == digest;
    for _ in 0..3 {
        assert_eq!(middle.current.forget_unused(is_held), 0);
    }
    release(&middle);
    assert_eq!(delivered(&middle).len(), 1);
}

#[test]
fn a_refusal_that_nobody_waits_for_is_parked_with_its_reasons() {
    let middle = middle(&[("check", refuses()), ("last", accepts())]);
    assert_eq!(middle.send(ADT), ["MSA|AA|7"]);
    middle.start_worker();
    let RunState::Parked(cause) = middle.only_run().state else { panic!("parked") };
    assert_eq!(cause.to_string(), "refused: PID-3: required-missing: missing");
    assert_eq!(called(&middle), ["check refused"]);
}

#[test]
fn a_refusal_that_somebody_waits_for_is_final() {
    let middle = middle(&[("check", refuses())]);
    middle.send(ADT);
    let run = middle.only_run().run;
    let _waiter = middle.waiters.wait_for([run], true).expect("room");
    middle.start_worker();
    let RunState::Refused(rejections) = middle.only_run().state else { panic!("refused") };
    assert_eq!(rejections.len(), 1);
    assert_eq!(rejections[0].reason, Reason::RequiredMissing);
    assert_eq!(rejections[0].at.as_deref(), Some("PID-3"));
    assert!(middle.store.parked().is_empty());
    assert!(middle.trail().contains(&What::Refused));
}

#[test]
fn a_person_may_refuse_what_a_validator_held() {
    let middle = middle(&[("check", holds())]);
    middle.send(ADT);
    middle.start_worker();
    let run = middle.only_run();
    let why = hilum_words::Rejection {
        reason: Reason::Application,
        at: None,
        text: "not for us".to_owned(),
    };
    person(&middle, &run, What::Refused, Effect::Refused(vec![why]));
    assert!(matches!(middle.only_run().state, RunState::Refused(_)));
    assert!(delivered(&middle).is_empty());
}

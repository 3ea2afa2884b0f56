//! The story on the twin doors: a journal in memory, everything driven by hand.

mod door;
mod formats;
mod order;
mod plugins;
mod validators;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hilum_audit::What;
use hilum_env::Peer;
use hilum_env::twin::{Twin, Unsynced};
use hilum_message::{Predicate, TimeZone};
use hilum_policy::{Class, Clear, Clearance, Policy};
use hilum_store::{Happened, OnReused, Options, Parked, RunState, Store};
use hilum_words::{CauseWord, Digest, Name, Timestamp};

use crate::*;

const ADT: &str = "MSH|^~\\&|ADT|WARD|HILUM|ST-ANNA|20261124||ADT^A01^ADT_A01|7|P|2.5.1\r\
                   PID|1||4711^^^WARD^MR||EVERYWOMAN^EVE\r";

/// A gateway's middle: a journal, an intake and a worker, without sockets.
struct Middle {
    twin: Twin,
    store: Store,
    intake: Arc<Intake>,
    backlog: Arc<Backlog>,
    waiters: Arc<Waiters>,
    current: Arc<Current>,
}

fn route(name: &str, when: &str, to: &[(&str, Clearance)]) -> Arc<Route> {
    let plan = |(name, clearance): &(&str, Clearance)| DestinationPlan {
        name: Name::from(*name),
        clearance: Arc::new(clearance.clone()),
    };
    Arc::new(Route {
        name: Name::from(name),
        from: Name::from("adt-in"),
        when: Some(Predicate::parse(when).expect("a condition")),
        steps: Vec::new(),
        to: to.iter().map(plan).collect(),
        lane: LanePlan::Source,
        settings: Arc::new(BTreeMap::new()),
        owner: None,
        purpose: None,
    })
}

fn dates_alone() -> Clearance {
    Clearance::none().with(Class::Date, Clear::Open)
}

impl Middle {
    fn new(routes: Vec<Arc<Route>>) -> Self {
        Self::with(routes, |_| {}, 1_000)
    }

    fn with(
        routes: Vec<Arc<Route>>,
        change: impl FnOnce(&mut IntakeOptions),
        backlog_max: usize,
    ) -> Self {
        Self::open(Twin::with_seed(7), routes, change, backlog_max)
    }

    fn open(
        twin: Twin,
        routes: Vec<Arc<Route>>,
        change: impl FnOnce(&mut IntakeOptions),
        backlog_max: usize,
    ) -> Self {
        let doors = twin.doors();
        let backlog = Arc::new(Backlog::new(1 << 20));
        let waiters = Arc::new(Waiters::new(1_000));
        let (waiting, telling) = (Arc::clone(&backlog), Arc::clone(&waiters));
        let watcher = Box::new(move |happened| match happened {
            Happened::Run(ready) => {
                waiting.push(&ready.route, ready.run, &ready.lanes, ready.body);
            }
            Happened::Decided { run, state } => telling.decided(run, &state),
            _ => {}
        });
        let mut options = Options::new("/data");
        options.syncs_measured = 0;
        let (store, committer) = hilum_store::open(&doors, options, watcher).expect("opened");
        store.attach(doors.tasks.drive("committer", Box::new(committer)));
        for run in store.undecided() {
            let record = store.run(run).expect("an undecided run");
            backlog.push(&record.route, run, &record.lanes, None);
        }
        let mut options = IntakeOptions::default();
        change(&mut options);
        let generation = Generation {
            digest: Digest::of(b"generation"),
            routes: Routes::new(routes),
            policy: Policy::new(TimeZone::UTC),
            plugins: BTreeMap::new(),
            intakes: BTreeMap::from([(Name::from("adt-in"), Arc::new(options))]),
        };
        let current = Arc::new(Current::new(Arc::new(generation)));
        let intake = Intake::new(
            Name::from("adt-in"),
            store.clone(),
            Arc::clone(&current),
            Arc::clone(&backlog),
            Arc::clone(&waiters),
            doors.clock,
            doors.entropy,
            Metrics::default(),
        )
        .with_backlog_max(backlog_max);
        Self { twin, store, intake: Arc::new(intake), backlog, waiters, current }
    }

    /// Sends a message; the MSA and ERR of each answer.
    fn send(&self, message: &str) -> Vec<String> {
        let inbound = Inbound {
            content: Bytes::copy_from_slice(message.as_bytes()),
            findings: Vec::new(),
            peer: Peer { address: "10.0.0.1:9".into(), ip: None, uid: None, identity: None },
            received: Timestamp::from_micros(self.twin.doors().clock.now_micros()),
        };
        let intake = Arc::clone(&self.intake);
        let answer = self.twin.block_on(async move { intake.receive(inbound).await });
        let text = |reply: &Reply| String::from_utf8_lossy(&reply.bytes).into_owned();
        let short = |text: String| text.split('\r').skip(1).collect::<Vec<_>>().join(" ");
        answer.now.iter().map(|reply| short(text(reply)).trim_end().to_owned()).collect()
    }

    fn start_worker(&self) {
        let doors = self.twin.doors();
        let worker = Worker {
            store: self.store.clone(),
            backlog: Arc::clone(&self.backlog),
            current: Arc::clone(&self.current),
            waiters: Arc::clone(&self.waiters),
            clock: doors.clock,
            entropy: doors.entropy,
            metrics: Metrics::default(),
            options: WorkerOptions { starts_max: 3, commits_in_flight_max: 4 },
            in_flight: VecDeque::new(),
        };
        self.backlog.wake_with(doors.tasks.drive("worker", Box::new(worker)));
        self.twin.advance(Duration::from_millis(50));
    }

    fn only_run(&self) -> hilum_store::RunRecord {
        let message = self.store.recent(10, None).first().expect("a message").message;
        let record = self.store.message(message).expect("known");
        self.store.run(*record.runs.first().expect("a run")).expect("known")
    }

    fn trail(&self) -> Vec<What> {
        let message = self.store.recent(10, None).first().expect("a message").message;
        self.store.trail(message).expect("a trail").iter().map(|it| it.what).collect()
    }
}

#[test]
fn a_message_is_on_disk_when_it_is_acknowledged() {
    let middle = Middle::new(vec![route("adt", "MSH-9.1 == 'ADT'", &[])]);
    assert_eq!(middle.send(ADT), ["MSA|AA|7"]);
    middle.twin.disk().crash(Unsynced::Lost);
    let again = Middle::open(middle.twin, Vec::new(), |_| {}, 10);
    assert_eq!(again.store.recent(10, None).len(), 1, "a power cut did not take it");
}

#[test]
fn when_the_disk_fails_nobody_is_told_that_it_is_stored() {
    let middle = Middle::new(vec![route("adt", "MSH-9.1 == 'ADT'", &[])]);
    let next = middle.twin.disk().operations();
    middle.twin.disk().fail_at(next);
    let answers = middle.send(ADT);
    assert!(answers[0].starts_with("MSA|AR|7 ERR|||207^"), "{answers:?}");
    let later = middle.send(&ADT.replace("|7|", "|8|"));
    assert!(later[0].starts_with("MSA|AR|8 "), "a failed sync is never tried again: {later:?}");
}

#[test]
fn a_full_backlog_is_busy_and_nothing_is_lost() {
    let routes = vec![route("adt", "MSH-9.1 == 'ADT'", &[])];
    let middle = Middle::with(routes, |_| {}, 1);
    assert_eq!(middle.send(ADT), ["MSA|AA|7"]);
    let busy = middle.send(&ADT.replace("|7|", "|8|"));
    assert!(busy[0].starts_with("MSA|AR|8 ERR|||207^"), "{busy:?}");
    middle.start_worker();
    assert_eq!(middle.send(&ADT.replace("|7|", "|8|")), ["MSA|AA|8"]);
}

#[test]
fn the_same_message_is_known_and_another_under_its_id_is_as_configured() {
    let routes = || vec![route("adt", "MSH-9.1 == 'ADT'", &[])];
    let other = ADT.replace("EVERYWOMAN", "NOBODY");
    let middle = Middle::new(routes());
    assert_eq!(middle.send(ADT), ["MSA|AA|7"]);
    assert_eq!(middle.send(ADT), ["MSA|AA|7"]);
    assert_eq!(middle.store.recent(10, None).len(), 1);
    assert_eq!(middle.send(&other), ["MSA|AA|7"]);
    assert_eq!(middle.store.recent(10, None).len(), 2);

    let middle = Middle::with(routes(), |it| it.on_reused = OnReused::Refuse, 10);
    assert_eq!(middle.send(ADT), ["MSA|AA|7"]);
    let refused = middle.send(&other);
    assert!(refused[0].contains("MSH^1^10|205^"), "{refused:?}");
    assert_eq!(middle.store.recent(10, None).len(), 1);
}

#[test]
fn what_no_route_takes_is_refused_or_kept_as_configured() {
    let routes = || vec![route("lab", "MSH-9.1 == 'ORU'", &[])];
    let refused = Middle::new(routes()).send(ADT);
    assert!(refused[0].starts_with("MSA|AR|7 ERR||MSH^1^9|200^"), "{refused:?}");
    let middle = Middle::with(routes(), |it| it.unrouted = Unrouted::Accept, 10);
    assert_eq!(middle.send(ADT), ["MSA|AA|7"]);
    assert_eq!(middle.store.recent(10, None).len(), 1);
}

#[test]
fn what_is_refused_at_the_door_is_in_the_trail_once_a_second() {
    let middle = Middle::new(vec![route("adt", "MSH-9.1 == 'ADT'", &[])]);
    let written = |middle: &Middle| middle.store.counts().sequence;
    let before = written(&middle);
    for _ in 0..50 {
        assert!(middle.send("no HL7 at all")[0].starts_with("MSA|AR"));
    }
    middle.twin.run_until_idle();
    let first = written(&middle);
    assert!(before < first && first <= before + 3, "one record, not fifty: {before} to {first}");
    middle.twin.advance(Duration::from_secs(2));
    middle.send("no HL7 at all");
    middle.twin.run_until_idle();
    assert!(first < written(&middle), "a second later there is another");
}

#[test]
fn a_message_of_too_many_values_is_refused_before_anybody_looks_at_each() {
    let middle = Middle::new(vec![route("adt", "MSH-9.1 == 'ADT'", &[])]);
    for many in ["|a", "a~", "^b", "&c", "\rZZ1"] {
        let answer = middle.send(&format!("{ADT}PV1|1|{}", many.repeat(250_001)));
        assert!(answer[0].starts_with("MSA|AE|7 ERR|||207^"), "{many:?}: {answer:?}");
    }
    assert_eq!(middle.store.recent(10, None).len(), 0);
    // A long document is one value.
    let document = "A".repeat(2_000_000);
    assert_eq!(middle.send(&format!("{ADT}OBX|1|ED|||{document}\r")), ["MSA|AA|7"]);
}

#[test]
fn a_decision_larger_than_the_journal_takes_parks_its_run_and_stops_nobody() {
    let names: Vec<String> = (0..1_200).map(|number| format!("d{number}")).collect();
    let many: Vec<_> = names.iter().map(|it| (it.as_str(), Clearance::treatment())).collect();
    let middle = Middle::new(vec![
        route("many", "MSH-4 == 'WARD'", &many),
        route("one", "MSH-4 == 'LAB'", &[("ehr", Clearance::treatment())]),
    ]);
    middle.send(ADT);
    middle.start_worker();
    let RunState::Parked(cause) = middle.only_run().state else { panic!("parked") };
    assert_eq!(cause.word, CauseWord::PluginFault);
    middle.send(&ADT.replace("WARD", "LAB"));
    middle.twin.advance(Duration::from_millis(50));
    assert_eq!(middle.store.queued("ehr").len(), 1, "the worker goes on");
}

#[test]
fn a_denial_parks_that_destination_alone() {
    let to = [("ehr", Clearance::treatment()), ("research", dates_alone())];
    let middle = Middle::new(vec![route("adt", "exists PID", &to)]);
    middle.send(ADT);
    middle.start_worker();
    assert_eq!(middle.only_run().state, RunState::Dispatched);
    let queued = middle.store.queued("ehr");
    assert_eq!(queued.len(), 1);
    let delivery = middle.store.delivery(queued[0].delivery).expect("a delivery");
    assert_eq!(delivery.body, ADT.as_bytes(), "an untouched message leaves as it came");
    let parked = middle.store.parked();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].destination.as_ref().map(Name::as_str), Some("research"));
    let cause = parked[0].cause.as_ref().expect("a cause");
    assert_eq!(cause.word, CauseWord::Denied);
    assert!(!cause.detail.contains("EVERYWOMAN"), "{cause}");
    let trail = middle.trail();
    assert_eq!(trail, [What::Accepted, What::Dispatched, What::DeliveryParked]);
}

#[test]
fn a_run_that_was_started_three_times_and_never_decided_is_parked() {
    let routes = || vec![route("adt", "MSH-9.1 == 'ADT'", &[])];
    let mut middle = Middle::new(routes());
    middle.send(ADT);
    for _ in 0..3 {
        // A worker begins, and the process is killed: what was written without waiting survives.
        let run = middle.only_run().run;
        middle.store.note_start(run);
        middle.twin.run_until_idle();
        middle.twin.tasks().kill_all();
        middle.twin.disk().crash(Unsynced::Kept);
        middle = Middle::open(middle.twin, routes(), |_| {}, 10);
    }
    assert_eq!(middle.only_run().starts, 3);
    middle.start_worker();
    let RunState::Parked(cause) = middle.only_run().state else { panic!("parked") };
    assert_eq!(cause.word, CauseWord::Crashed);
    assert!(matches!(middle.store.parked()[0].item, Parked::Run(_)));
}

#[test]
fn a_run_of_a_generation_that_is_gone_is_parked() {
    let middle = Middle::new(vec![route("adt", "MSH-9.1 == 'ADT'", &[])]);
    middle.send(ADT);
    middle.twin.tasks().kill_all();
    middle.twin.disk().crash(Unsynced::Kept);
    let again = Middle::open(middle.twin, Vec::new(), |_| {}, 10);
    again.start_worker();
    let RunState::Parked(cause) = again.only_run().state else { panic!("parked") };
    assert_eq!(cause.word, CauseWord::Gone);
}

#[test]
fn a_message_that_several_routes_take_has_a_run_on_each() {
    let to = [("ehr", Clearance::treatment())];
    let middle = Middle::new(vec![
        route("one", "MSH-9.1 == 'ADT'", &to),
        route("two", "MSH-4 == 'WARD'", &to),
        route("three", "MSH-4 == 'OTHER'", &to),
    ]);
    middle.send(ADT);
    middle.start_worker();
    assert_eq!(middle.store.queued("ehr").len(), 2);
}

#[test]
fn more_decisions_than_may_be_in_flight_all_reach_the_disk() {
    let to = [("ehr", Clearance::treatment())];
    let middle = Middle::new(vec![route("adt", "MSH-9.1 == 'ADT'", &to)]);
    for number in 0..20 {
        middle.send(&ADT.replace("|7|", &format!("|N{number}|")));
    }
    middle.start_worker();
    middle.twin.advance(Duration::from_secs(1));
    assert_eq!(middle.store.queued("ehr").len(), 20);
    assert_eq!(middle.store.counts().undecided, 0);
}

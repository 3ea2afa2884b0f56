mod days;
mod lanes;
mod parking;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use hilum_env::BoxFuture;
use hilum_store::JournalPlace;
use hilum_words::{CauseWord, DeliveryId, MessageId, RunId};

use super::decide::Fate;
use super::journal::{NotWritten, Outcome, Standing, Unread};
use super::window::LaneKey;
use super::*;
use crate::{
    Backoff, BreakerConfig, Classify, Delivered, Delivery, OnAmbiguous, Retry, SendFault, Whose,
};

const MILLI: Duration = Duration::from_millis(1);

/// The journal, in memory.
#[derive(Default)]
struct Memory {
    /// What is queued, in order.
    queued: Mutex<BTreeMap<u64, Waiting>>,
    next: AtomicUsize,
    /// What is parked, by its place.
    parked: Mutex<BTreeMap<u64, Waiting>>,
    /// What became of what, in the order in which it was submitted.
    outcomes: Mutex<Vec<(u128, u32, String)>>,
    /// What was settled, and whether it was parked; the journal may not say so yet.
    submitted: Mutex<BTreeMap<u128, bool>>,
    /// How long it takes until the journal says what was submitted.
    late_micros: AtomicU64,
    /// Outcomes are not durable while this is set.
    stalls: AtomicBool,
    /// The next commit fails for good.
    is_poisoned: AtomicBool,
    body_bytes: AtomicUsize,
    /// The next reads fail so.
    unread: Mutex<Vec<Unread>>,
}

impl Memory {
    fn queue(&self, number: u128, lane: &str) -> Waiting {
        self.queue_in(number, &[lane])
    }

    fn queue_in(&self, number: u128, lanes: &[&str]) -> Waiting {
        let place = self.next.fetch_add(1, Ordering::SeqCst) as u64;
        let waiting = Waiting {
            delivery: DeliveryId::from_bits(number),
            run: RunId::from_bits(number),
            lanes: lanes.iter().map(|lane| LaneKey::from(lane.as_bytes())).collect(),
            order: (place, 0),
            is_again: false,
            attempts: 0,
            due: Timestamp::from_micros(0),
            since: Timestamp::from_micros(i64::MAX),
            place: 0,
        };
        lock(&self.queued).insert(place, waiting.clone());
        waiting
    }

    /// What was submitted is in the journal.
    fn apply(&self, outcomes: &[Outcome]) {
        let mut queued = lock(&self.queued);
        for outcome in outcomes {
            let is_it = |it: &Waiting| it.delivery == outcome.delivery;
            if let Fate::Deferred { due, .. } = &outcome.fate {
                for waiting in queued.values_mut().filter(|it| is_it(it)) {
                    (waiting.attempts, waiting.due) = (outcome.attempt, *due);
                }
                continue;
            }
            let settled = queued.extract_if(.., |_, it| is_it(it)).next();
            if let (Fate::Parked { .. }, Some((place, waiting))) = (&outcome.fate, settled) {
                lock(&self.parked).insert(place, waiting);
            }
        }
    }

    fn outcomes(&self) -> Vec<(u128, u32, String)> {
        lock(&self.outcomes).clone()
    }

    /// The numbers of what was delivered, in order.
    fn delivered(&self) -> Vec<u128> {
        let all = self.outcomes();
        all.into_iter().filter(|it| it.2 == "delivered").map(|it| it.0).collect()
    }
}

struct InMemory(Arc<Memory>, Arc<dyn Clock>);

impl Journal for InMemory {
    fn standing(&self, from: JournalPlace, max: usize, with_parked: bool) -> (Vec<Standing>, bool) {
        let listed = |set: &Mutex<BTreeMap<u64, Waiting>>, is_parked| {
            lock(set).values().map(|it| (it.clone(), is_parked)).collect::<Vec<_>>()
        };
        let mut all = listed(&self.0.queued, false);
        if with_parked {
            all.extend(listed(&self.0.parked, true));
        }
        all.retain(|(it, _)| from <= it.order);
        all.sort_by_key(|(it, _)| it.order);
        let is_all = all.len() <= max;
        all.truncate(max);
        let standing = |(waiting, is_parked)| Standing { waiting, is_parked, is_durable: true };
        (all.into_iter().map(standing).collect(), is_all)
    }

    fn read(&self, waiting: &Waiting) -> Result<Delivery, Unread> {
        let is_queued = lock(&self.0.queued).values().any(|it| it.delivery == waiting.delivery);
        if !is_queued {
            return Err(Unread::NotQueued);
        }
        if let Some(unread) = lock(&self.0.unread).pop() {
            return Err(unread);
        }
        let number = waiting.delivery.bits();
        Ok(Delivery {
            id: waiting.delivery,
            message: MessageId::from_bits(number),
            run: RunId::from_bits(number),
            ordinal: 1,
            received: Timestamp::from_micros(0),
            attempt: waiting.attempts + 1,
            format: "fhir-json".into(),
            body: vec![0; self.0.body_bytes.load(Ordering::SeqCst)].into(),
        })
    }

    fn commit(&self, outcomes: Vec<Outcome>) -> BoxFuture<'static, Result<(), NotWritten>> {
        let (memory, clock) = (Arc::clone(&self.0), Arc::clone(&self.1));
        if memory.is_poisoned.load(Ordering::SeqCst) {
            return Box::pin(async { Err(NotWritten("poisoned".into())) });
        }
        for outcome in &outcomes {
            let word = match &outcome.fate {
                Fate::Delivered { .. } => "delivered".to_owned(),
                Fate::Deferred { .. } => "deferred".to_owned(),
                Fate::Parked { cause } => cause.word.to_string(),
            };
            lock(&memory.outcomes).push((outcome.delivery.bits(), outcome.attempt, word));
            if !matches!(outcome.fate, Fate::Deferred { .. }) {
                let is_parked = matches!(outcome.fate, Fate::Parked { .. });
                lock(&memory.submitted).insert(outcome.delivery.bits(), is_parked);
            }
        }
        let late = Duration::from_micros(memory.late_micros.load(Ordering::SeqCst));
        if late.is_zero() {
            memory.apply(&outcomes);
        }
        Box::pin(async move {
            while memory.stalls.load(Ordering::SeqCst) {
                clock.sleep_until(clock.instant().plus(MILLI)).await;
            }
            if !late.is_zero() {
                clock.sleep_until(clock.instant().plus(late)).await;
                memory.apply(&outcomes);
            }
            Ok(())
        })
    }
}

type Act = Box<dyn Fn(&Delivery) -> Result<Delivered, SendFault> + Send + Sync>;

/// A destination that does what the test says.
struct Scripted {
    act: Act,
    together_max: usize,
    /// The groups that came, by number.
    groups: Mutex<Vec<Vec<u128>>>,
    /// Answers are held back while this is set.
    stalls: AtomicBool,
    at_once: AtomicUsize,
    at_once_max: AtomicUsize,
    clock: Arc<dyn Clock>,
}

impl Scripted {
    fn came(&self) -> Vec<u128> {
        lock(&self.groups).iter().flatten().copied().collect()
    }
}

impl Destination for Scripted {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    fn together_max(&self) -> usize {
        self.together_max
    }

    fn send_many<'a>(
        &'a self,
        deliveries: &'a [Delivery],
    ) -> BoxFuture<'a, Vec<Result<Delivered, SendFault>>> {
        Box::pin(async move {
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.at_once_max.fetch_max(now, Ordering::SeqCst);
            lock(&self.groups).push(deliveries.iter().map(|it| it.id.bits()).collect());
            while self.stalls.load(Ordering::SeqCst) {
                self.clock.sleep_until(self.clock.instant().plus(MILLI)).await;
            }
            self.clock.sleep_until(self.clock.instant().plus(MILLI / 10)).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            deliveries.iter().map(&self.act).collect()
        })
    }
}

struct Site {
    runtime: tokio::runtime::Runtime,
    doors: Doors,
    journal: Arc<Memory>,
    limits: Limits,
    rules: Rules,
    together_max: usize,
}

impl Site {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("tokio");
        let doors = hilum_env::system::doors(runtime.handle().clone());
        let backoff = Backoff { first: MILLI * 20, longest: MILLI * 40 };
        let retry = Retry { backoff, give_up_after: MILLI * 60_000, attempts_max: None };
        Self {
            runtime,
            doors,
            journal: Arc::default(),
            limits: Limits { window_max: 4_096, in_flight_max: 4, group_bytes_max: 1 << 20 },
            rules: standard(retry),
            together_max: 1,
        }
    }

    fn start(
        &self,
        act: impl Fn(&Delivery) -> Result<Delivered, SendFault> + Send + Sync + 'static,
    ) -> (Courier, Arc<Scripted>) {
        let plan = (self.rules.clone(), self.limits, self.together_max);
        start(&self.doors, &self.journal, plan, Box::new(act))
    }

    fn stop(&self, courier: &Courier, drain: Duration) {
        self.runtime.block_on(courier.stop(drain));
    }
}

fn start(
    doors: &Doors,
    memory: &Arc<Memory>,
    (rules, limits, together_max): (Rules, Limits, usize),
    act: Act,
) -> (Courier, Arc<Scripted>) {
    let destination = Arc::new(Scripted {
        act,
        together_max,
        groups: Mutex::default(),
        stalls: AtomicBool::new(false),
        at_once: AtomicUsize::new(0),
        at_once_max: AtomicUsize::new(0),
        clock: Arc::clone(&doors.clock),
    });
    let journal = Arc::new(InMemory(Arc::clone(memory), Arc::clone(&doors.clock)));
    let courier = Courier::over(
        &Name::from("ehr"),
        Plan { rules, limits, is_paused: false },
        Arc::clone(&destination) as Arc<dyn Destination>,
        journal,
        doors,
        Metrics::default(),
    );
    (courier, destination)
}

/// What a site gets that says nothing but how often to try.
fn standard(retry: Retry) -> Rules {
    Rules {
        retry,
        on_ambiguous: OnAmbiguous::Retry,
        on_park: OnPark::Pass,
        breaker: BreakerConfig::standard(&retry),
        classify: Classify::default(),
    }
}

fn offer(courier: &Courier, waiting: Waiting) {
    courier.take(waiting);
}

#[track_caller]
fn wait(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if done() {
            return;
        }
        std::thread::park_timeout(MILLI);
    }
    panic!("waited in vain for {what}");
}

fn well(_: &Delivery) -> Result<Delivered, SendFault> {
    Ok(Delivered { code: "200".into(), answer: None })
}

fn unreachable() -> SendFault {
    SendFault::Unreachable("connection refused".into())
}

fn lane_of(number: u128) -> String {
    format!("lane {}", number % 7)
}

#[track_caller]
fn check_order(numbers: &[u128], total: u128) {
    for lane in 0..7 {
        let expected: Vec<u128> = (0..total).filter(|it| it % 7 == lane).collect();
        let of_lane: Vec<u128> = numbers.iter().copied().filter(|it| it % 7 == lane).collect();
        assert_eq!(of_lane, expected, "lane {lane}");
    }
}

#[test]
fn what_was_queued_before_and_what_is_offered_goes_in_the_order_of_its_lane() {
    let site = Site::new();
    for number in 0..50 {
        site.journal.queue(number, &lane_of(number));
    }
    let (courier, destination) = site.start(well);
    for number in 50..100 {
        offer(&courier, site.journal.queue(number, &lane_of(number)));
    }
    wait("all to be delivered", || site.journal.delivered().len() == 100);
    check_order(&destination.came(), 100);
    let at_once = destination.at_once_max.load(Ordering::SeqCst);
    assert!((2..=4).contains(&at_once), "{at_once} at once");
    wait("the courier to be idle", || courier.status().state == State::Idle);
    let status = courier.status();
    assert_eq!((status.queued, status.in_flight, status.has_more), (0, 0, false));
    assert!(status.last_success.is_some());
}

#[test]
fn a_backlog_larger_than_the_window_is_held_in_part_and_delivered_whole() {
    let mut site = Site::new();
    site.limits.window_max = 8;
    for number in 0..100 {
        site.journal.queue(number, &lane_of(number));
    }
    let (courier, destination) = site.start(well);
    for number in 100..400 {
        offer(&courier, site.journal.queue(number, &lane_of(number)));
        assert!(courier.status().queued <= 8);
    }
    wait("all to be delivered", || site.journal.delivered().len() == 400);
    check_order(&destination.came(), 400);
}

#[test]
fn a_delivery_that_is_tried_again_holds_its_lane_and_no_other() {
    let site = Site::new();
    for (number, lane) in [(1, "a"), (2, "a"), (3, "b"), (4, "b")] {
        site.journal.queue(number, lane);
    }
    let (_courier, destination) = site.start(|it| match (it.id.bits(), it.attempt) {
        (1, 1..=2) => Err(SendFault::Busy { code: "500".into(), after: None, whole: false }),
        _ => well(it),
    });
    wait("all to be delivered", || site.journal.delivered().len() == 4);
    assert_eq!(site.journal.delivered(), [3, 4, 1, 2]);
    assert_eq!(destination.came().iter().filter(|it| **it == 1).count(), 3);
    let deferred: Vec<_> =
        site.journal.outcomes().into_iter().filter(|it| it.2 == "deferred").collect();
    assert_eq!(deferred, [(1, 1, "deferred".into()), (1, 2, "deferred".into())]);
}

#[test]
fn a_destination_that_is_down_is_tried_by_one_delivery_at_a_time() {
    let site = Site::new();
    for number in 0..40 {
        site.journal.queue(number, &lane_of(number));
    }
    let down = Arc::new(AtomicBool::new(true));
    let is_down = Arc::clone(&down);
    let (courier, destination) =
        site.start(
            move |it| {
                if is_down.load(Ordering::SeqCst) { Err(unreachable()) } else { well(it) }
            },
        );
    wait("some attempts", || 8 <= destination.came().len());
    wait("the fault to be shown", || courier.status().last_fault.is_some());
    let (_, why) = courier.status().last_fault.expect("a fault");
    assert_eq!(why, "not reached: connection refused");
    // At the start as many as may be in flight; from then on one after each pause.
    let first = destination.came();
    assert!(first.len() < 30, "{first:?}");
    down.store(false, Ordering::SeqCst);
    wait("all to be delivered", || site.journal.delivered().len() == 40);
    check_order(&site.journal.delivered(), 40);
    assert_eq!(courier.status().last_fault, None);
}

#[test]
fn a_rejected_delivery_is_parked_and_passed() {
    let site = Site::new();
    for number in 1..=3 {
        site.journal.queue(number, "a");
    }
    let (_courier, _) = site.start(|it| match it.id.bits() {
        2 => Err(SendFault::Refused { code: "422".into() }),
        _ => well(it),
    });
    wait("all outcomes", || site.journal.outcomes().len() == 3);
    let word = |word: &str| word.to_owned();
    assert_eq!(
        site.journal.outcomes(),
        [(1, 1, word("delivered")), (2, 1, word("rejected")), (3, 1, word("delivered"))]
    );
}

#[test]
fn attempts_run_out() {
    let mut site = Site::new();
    site.rules.retry.attempts_max = Some(3);
    site.journal.queue(1, "a");
    let (courier, _) = site.start(|_| Err(unreachable()));
    wait("it to be parked", || site.journal.outcomes().len() == 3);
    assert_eq!(site.journal.outcomes()[2], (1, 3, CauseWord::GaveUp.to_string()));
    let (_, why) = courier.status().last_fault.expect("a fault");
    assert_eq!(why, "gave-up: 3 attempts, the last: not reached: connection refused");
}

#[test]
fn after_a_restart_attempts_and_waits_go_on() {
    let site = Site::new();
    site.journal.queue(1, "a");
    let later = Timestamp::from_micros(site.doors.clock.now_micros()).plus(MILLI * 80);
    for waiting in lock(&site.journal.queued).values_mut() {
        (waiting.attempts, waiting.due) = (6, later);
    }
    let (courier, destination) = site.start(well);
    wait("the wait to be shown", || courier.status().next_attempt == Some(later));
    assert!(destination.came().is_empty());
    wait("it to be delivered", || site.journal.delivered() == [1]);
    assert!(later.micros() <= site.doors.clock.now_micros());
    assert_eq!(site.journal.outcomes()[0].1, 7);
}

#[test]
fn groups_keep_the_order_and_share_one_fault() {
    let mut site = Site::new();
    (site.together_max, site.limits.in_flight_max) = (8, 1);
    for number in 0..20 {
        site.journal.queue(number, &lane_of(number));
    }
    let failed = AtomicUsize::new(0);
    let (_courier, destination) = site.start(move |it| match it.id.bits() {
        // The disk is full in the middle of the first group, and so for all that follow in it.
        4.. if it.attempt == 1 && failed.fetch_add(1, Ordering::SeqCst) < 4 => Err(unreachable()),
        2 => Err(SendFault::Refused { code: "no".into() }),
        _ => well(it),
    });
    wait("all outcomes", || site.journal.delivered().len() == 19);
    let delivered = site.journal.delivered();
    for lane in 0..7 {
        let of_lane: Vec<_> = delivered.iter().filter(|it| *it % 7 == lane).collect();
        assert!(of_lane.is_sorted(), "{of_lane:?}");
    }
    let deferred: Vec<_> =
        site.journal.outcomes().into_iter().filter(|it| it.2 == "deferred").collect();
    assert_eq!(deferred, [(4, 1, "deferred".into())], "one speaks for all");
    let groups = lock(&destination.groups).clone();
    assert_eq!((groups[0].len(), groups[1].len()), (8, 1), "after the pause one tries: {groups:?}");
}

#[test]
fn a_group_is_bounded_in_bytes() {
    let mut site = Site::new();
    (site.together_max, site.limits.in_flight_max) = (100, 1);
    site.journal.body_bytes.store(400 << 10, Ordering::SeqCst);
    for number in 0..10 {
        site.journal.queue(number, "a");
    }
    let (_courier, destination) = site.start(well);
    wait("all to be delivered", || site.journal.delivered().len() == 10);
    assert_eq!(site.journal.delivered(), (0..10).collect::<Vec<_>>());
    let groups = lock(&destination.groups).clone();
    assert!(groups.iter().all(|it| it.len() <= 3), "{groups:?}");
}

#[test]
fn what_is_queued_again_while_its_outcome_is_on_its_way_to_the_disk_is_not_forgotten() {
    let site = Site::new();
    site.journal.stalls.store(true, Ordering::SeqCst);
    let (courier, destination) = site.start(well);
    offer(&courier, site.journal.queue(1, "a"));
    wait("it to be submitted", || site.journal.delivered() == [1]);
    offer(&courier, Waiting { is_again: true, ..site.journal.queue(1, "a") });
    wait("the offer to be looked at", || lock(&courier.shared.offers).waiting.is_empty());
    assert_eq!(destination.came(), [1]);
    site.journal.stalls.store(false, Ordering::SeqCst);
    wait("it to be delivered again", || site.journal.delivered() == [1, 1]);
}

#[test]
fn what_the_journal_has_lost_is_parked_and_what_it_cannot_read_now_is_tried_again() {
    let site = Site::new();
    for number in 1..=2 {
        site.journal.queue(number, "a");
    }
    let (gone, later) = (Unread::Gone("damaged".into()), Unread::Later("reading failed".into()));
    *lock(&site.journal.unread) = vec![gone, later];
    let (courier, destination) = site.start(well);
    wait("the fault to be shown", || courier.status().last_fault.is_some());
    wait("all outcomes", || site.journal.outcomes().len() == 2);
    let words: Vec<_> = site.journal.outcomes().into_iter().map(|it| (it.0, it.2)).collect();
    assert_eq!(words, [(1, "gone".into()), (2, "delivered".into())]);
    assert_eq!(destination.came(), [2]);
}

#[test]
fn what_an_operator_discarded_is_not_sent() {
    let site = Site::new();
    let (courier, destination) = site.start(well);
    let discarded = site.journal.queue(1, "a");
    lock(&site.journal.queued).clear();
    offer(&courier, discarded);
    offer(&courier, site.journal.queue(2, "a"));
    wait("the next to be delivered", || site.journal.delivered() == [2]);
    assert_eq!(destination.came(), [2]);
    wait("nothing to be held", || courier.status().queued == 0);
}

#[test]
fn a_stop_lets_what_is_on_its_way_arrive_and_starts_nothing_more() {
    let mut site = Site::new();
    site.limits.in_flight_max = 2;
    for number in 0..10 {
        site.journal.queue(number, &lane_of(number));
    }
    let (courier, destination) = site.start(well);
    destination.stalls.store(true, Ordering::SeqCst);
    wait("two on their way", || destination.at_once.load(Ordering::SeqCst) == 2);
    let came = destination.came().len();
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| site.stop(&courier, Duration::from_secs(60)));
        wait("it to be stopping", || courier.status().state == State::Stopped);
        destination.stalls.store(false, Ordering::SeqCst);
        stopping.join().expect("stopped");
    });
    assert_eq!((destination.came().len(), site.journal.delivered().len()), (came, came));
}

#[test]
fn a_stop_does_not_wait_for_ever() {
    let site = Site::new();
    site.journal.queue(1, "a");
    let (courier, destination) = site.start(well);
    destination.stalls.store(true, Ordering::SeqCst);
    wait("one on its way", || destination.came() == [1]);
    site.stop(&courier, MILLI * 30);
    assert!(site.journal.delivered().is_empty(), "it goes again after the next start");
    assert_eq!(courier.status().state, State::Stopped);
    site.stop(&courier, MILLI);
}

#[test]
fn a_journal_that_takes_no_more_ends_the_courier() {
    let site = Site::new();
    site.journal.is_poisoned.store(true, Ordering::SeqCst);
    site.journal.queue(1, "a");
    site.journal.queue(2, "a");
    let (courier, destination) = site.start(well);
    wait("it to end", || courier.status().state == State::Stopped);
    assert!(destination.came().len() <= 2);
    site.stop(&courier, Duration::from_secs(60));
}

#[test]
fn a_bug_in_a_destination_blocks_nothing() {
    let site = Site::new();
    for number in 1..=2 {
        site.journal.queue(number, &lane_of(number));
    }
    let (courier, _) = site.start(|it| match (it.id.bits(), it.attempt) {
        (1, 1..=2) => panic!("a bug"),
        _ => well(it),
    });
    wait("both to be delivered", || site.journal.delivered() == [2, 1]);
    let deferred = site.journal.outcomes().iter().filter(|it| it.2 == "deferred").count();
    assert_eq!(deferred, 2);
    site.stop(&courier, Duration::from_secs(1));
}

#[test]
fn a_status_holds_no_lane() {
    let waiting = Waiting {
        delivery: DeliveryId::from_bits(1),
        run: RunId::from_bits(1),
        lanes: [LaneKey::from(&b"MRN4711"[..])].into(),
        order: (0, 0),
        is_again: false,
        attempts: 0,
        due: Timestamp::from_micros(0),
        since: Timestamp::from_micros(0),
        place: 0,
    };
    let site = Site::new();
    let (courier, _) = site.start(well);
    offer(&courier, waiting);
    assert!(!format!("{:?}", courier.status()).contains("4711"));
}

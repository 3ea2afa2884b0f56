//! In no schedule does a delivery overtake another in any of its lanes; with `on_park = "block"` it
//! does not pass a parked one either. And in every schedule everything comes to an end.
//!
//! A schedule is played on a seed: deliveries in one to three lanes, answers of every kind, groups,
//! windows that are too small, a person who pauses, sends again and discards, and a process that
//! dies. The destination itself looks into the journal each time that something reaches it.

use std::collections::{BTreeSet, VecDeque};

use hilum_env::twin::{Dice, Twin};

use super::*;

/// A destination that answers as the dice fall, and notes every delivery that came too early.
struct Unruly {
    memory: Arc<Memory>,
    dice: Mutex<Dice>,
    blocks: bool,
    /// Nothing fails any more.
    is_well: AtomicBool,
    together_max: usize,
    clock: Arc<dyn Clock>,
    /// What a person has sent again after others had passed it: it has no place to keep.
    passed: Mutex<BTreeSet<u128>>,
    sent: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

impl Unruly {
    /// Notes what should have gone before this one.
    fn look(&self, delivery: &Delivery, before: &[Delivery]) {
        self.sent.fetch_add(1, Ordering::SeqCst);
        let (number, queued) = (delivery.id, lock(&self.memory.queued));
        let Some(this) = queued.values().find(|it| it.delivery == number) else {
            // Its outcome was known when the process died, and this is an echo of its last life.
            lock(&self.wrong).push(format!("{number} is not queued"));
            return;
        };
        let parked = lock(&self.memory.parked);
        let submitted = lock(&self.memory.submitted);
        let waits = queued.values().filter(|it| {
            let is_settled = match submitted.get(&it.delivery.bits()) {
                Some(is_parked) => !(self.blocks && *is_parked),
                None => false,
            };
            !is_settled && !before.iter().any(|sent| sent.id == it.delivery)
        });
        let holds = parked.values().filter(|_| self.blocks);
        let passed = lock(&self.passed);
        let is_free = |it: &Waiting| !self.blocks && passed.contains(&it.delivery.bits());
        for other in waits.chain(holds).filter(|it| it.order < this.order && !is_free(it)) {
            if other.lanes.iter().any(|lane| this.lanes.contains(lane)) {
                lock(&self.wrong).push(format!("{number} came before {}", other.delivery));
            }
        }
        let is_blocked = |sent: &&Delivery| {
            let sent = queued.values().find(|it| it.delivery == sent.id);
            sent.is_some_and(|it| it.lanes.iter().any(|lane| this.lanes.contains(lane)))
        };
        if self.blocks && before.iter().any(|it| is_blocked(&it)) {
            lock(&self.wrong).push(format!("{number} went together with one before it"));
        }
    }

    fn answer(&self) -> Result<Delivered, SendFault> {
        let code = || "of the dice".to_owned();
        if self.is_well.load(Ordering::SeqCst) {
            return Ok(Delivered { code: code(), answer: None });
        }
        match lock(&self.dice).below(24) {
            0 | 1 => Err(SendFault::Refused { code: code() }),
            2 | 3 => Err(SendFault::Busy { code: code(), after: None, whole: false }),
            4 => Err(SendFault::Busy { code: code(), after: Some(MILLI * 30), whole: true }),
            5 => Err(SendFault::Unreachable(code())),
            6 => Err(SendFault::Ambiguous(code())),
            7 => Err(SendFault::Unconfirmed(code())),
            8 => Err(SendFault::Misconfigured { code: code() }),
            _ => Ok(Delivered { code: code(), answer: None }),
        }
    }
}

impl Destination for Unruly {
    fn kind(&self) -> &'static str {
        "unruly"
    }

    fn together_max(&self) -> usize {
        self.together_max
    }

    fn send_many<'a>(
        &'a self,
        deliveries: &'a [Delivery],
    ) -> BoxFuture<'a, Vec<Result<Delivered, SendFault>>> {
        Box::pin(async move {
            let mut results = Vec::new();
            for (place, delivery) in deliveries.iter().enumerate() {
                self.look(delivery, deliveries.get(..place).unwrap_or_default());
                let pause = MILLI / 4 * u32::try_from(lock(&self.dice).below(40)).unwrap_or(0);
                self.clock.sleep_until(self.clock.instant().plus(pause)).await;
                let answer = self.answer();
                let stops = answer.as_ref().is_err_and(|it| it.whose() != Whose::Content);
                results.push(answer);
                if stops {
                    break;
                }
            }
            // As every kind does that takes several: what follows a fault was not sent.
            results.resize_with(deliveries.len(), || Err(unreachable()));
            results
        })
    }
}

/// What a watcher tells.
enum Told {
    Queued(Waiting),
    Unparked,
}

struct Schedule {
    twin: Twin,
    dice: Dice,
    memory: Arc<Memory>,
    destination: Arc<Unruly>,
    rules: Rules,
    limits: Limits,
    courier: Option<Courier>,
    /// What the watcher has not told yet: it tells in the journal's order.
    untold: VecDeque<Told>,
    numbers: u128,
}

impl Schedule {
    fn new(seed: u64, on_park: OnPark) -> Self {
        let (twin, mut dice) = (Twin::with_seed(seed), Dice::new(seed));
        let memory = Arc::new(Memory::default());
        let blocks = on_park == OnPark::Block;
        let backoff = Backoff { first: MILLI * 10, longest: MILLI * 100 };
        let retry = Retry { backoff, give_up_after: MILLI * 5_000, attempts_max: Some(6) };
        let rules = Rules { on_park, ..standard(retry) };
        let limits = Limits {
            window_max: [4, 16, 4_096][dice.below(3)],
            in_flight_max: 1 + dice.below(5),
            group_bytes_max: [60, 1 << 20][dice.below(2)],
        };
        memory.body_bytes.store(20, Ordering::SeqCst);
        memory.late_micros.store([0, 300, 20_000][dice.below(3)], Ordering::SeqCst);
        let destination = Arc::new(Unruly {
            memory: Arc::clone(&memory),
            dice: Mutex::new(Dice::new(seed + 1_000_000)),
            blocks,
            is_well: AtomicBool::new(false),
            together_max: [1, 1, 5][dice.below(3)],
            clock: twin.doors().clock,
            passed: Mutex::default(),
            sent: AtomicUsize::new(0),
            wrong: Mutex::default(),
        });
        let mut schedule = Self {
            twin,
            dice,
            memory,
            destination,
            rules,
            limits,
            courier: None,
            untold: VecDeque::new(),
            numbers: 0,
        };
        for _ in 0..schedule.dice.below(30) {
            schedule.queue();
        }
        schedule.start();
        schedule
    }

    /// The process starts, after it died if it did.
    fn start(&mut self) {
        self.courier = None;
        self.twin.tasks().kill_all();
        self.untold.clear();
        // What was on its way to the disk is lost.
        lock(&self.memory.submitted).clear();
        let doors = self.twin.doors();
        let clock = Arc::clone(&doors.clock);
        self.courier = Some(Courier::over(
            &Name::from("ehr"),
            Plan { rules: self.rules.clone(), limits: self.limits, is_paused: false },
            Arc::clone(&self.destination) as Arc<dyn Destination>,
            Arc::new(InMemory(Arc::clone(&self.memory), clock)),
            &doors,
            Metrics::default(),
        ));
    }

    fn courier(&self) -> &Courier {
        self.courier.as_ref().expect("it runs")
    }

    fn queue(&mut self) -> Waiting {
        let lanes = ["a", "b", "c", "d", "e"];
        let of: BTreeSet<&str> =
            (0..=self.dice.below(3)).map(|_| lanes[self.dice.below(5)]).collect();
        self.numbers += 1;
        let waiting = self.memory.queue_in(self.numbers, &of.into_iter().collect::<Vec<_>>());
        let since = Timestamp::from_micros(self.twin.doors().clock.now_micros());
        for queued in lock(&self.memory.queued).values_mut() {
            if queued.delivery == waiting.delivery {
                queued.since = since;
            }
        }
        Waiting { since, ..waiting }
    }

    /// A person decides about something that is parked; false if nothing is.
    fn decide(&mut self) -> bool {
        let parked: Vec<u64> = lock(&self.memory.parked).keys().copied().collect();
        let Some(place) = parked.get(self.dice.below(parked.len().max(1))) else {
            return false;
        };
        let Some(mut waiting) = lock(&self.memory.parked).remove(place) else {
            return false;
        };
        if self.dice.one_in(2) {
            self.untold.push_back(Told::Unparked);
            return true;
        }
        lock(&self.memory.submitted).remove(&waiting.delivery.bits());
        waiting.is_again = true;
        (waiting.attempts, waiting.due) = (0, Timestamp::from_micros(0));
        waiting.since = Timestamp::from_micros(self.twin.doors().clock.now_micros());
        lock(&self.destination.passed).insert(waiting.delivery.bits());
        lock(&self.memory.queued).insert(*place, waiting.clone());
        self.untold.push_back(Told::Queued(waiting));
        true
    }

    /// The watcher tells all that it has not told.
    fn tell(&mut self) {
        for told in std::mem::take(&mut self.untold) {
            match told {
                Told::Queued(waiting) => self.courier().take(waiting),
                Told::Unparked => self.courier().unparked(),
            }
        }
    }

    fn step(&mut self) {
        match self.dice.below(20) {
            0..9 => {
                let waiting = self.queue();
                self.untold.push_back(Told::Queued(waiting));
                // What is told may be overtaken by a look at the journal.
                if !self.dice.one_in(4) {
                    self.tell();
                }
            }
            9..11 => {
                self.decide();
            }
            11 => self.courier().pause(true),
            12 | 13 => self.courier().pause(false),
            14 if self.dice.one_in(4) => self.start(),
            _ => {
                self.tell();
                let span = u32::try_from(self.dice.below(40)).unwrap_or(0);
                self.twin.advance(MILLI * span);
            }
        }
    }

    fn check(&self, why: &str) {
        let wrong = lock(&self.destination.wrong);
        assert!(wrong.is_empty(), "{why}: {wrong:?}");
    }
}

fn play(seed: u64, on_park: OnPark) -> (usize, usize) {
    let why = format!("seed {seed}, {on_park:?}");
    let mut schedule = Schedule::new(seed, on_park);
    let mut parked_max = 0;
    for _ in 0..400 {
        schedule.step();
        parked_max = parked_max.max(lock(&schedule.memory.parked).len());
    }
    schedule.check(&why);
    // In the end all is well, and a person has decided about everything.
    schedule.courier().pause(false);
    schedule.destination.is_well.store(true, Ordering::SeqCst);
    for _ in 0..40 {
        schedule.tell();
        schedule.twin.advance(MILLI * 2_000);
        while schedule.decide() {}
    }
    schedule.check(&why);
    let left: Vec<_> = lock(&schedule.memory.queued).values().map(|it| it.delivery).collect();
    assert!(left.is_empty(), "{why}: {left:?} never went");
    let status = schedule.courier().status();
    assert_eq!((status.queued, status.has_more), (0, false), "{why}");
    (schedule.destination.sent.load(Ordering::SeqCst), parked_max)
}

fn play_all(on_park: OnPark) {
    let (mut sent, mut parked) = (0, 0);
    for seed in 0..120 {
        let (more, most) = play(seed, on_park);
        sent += more;
        parked += most;
    }
    assert!(20_000 < sent && 200 < parked, "{sent} sent, {parked} parked: nothing was tried");
}

#[test]
fn in_no_schedule_is_a_delivery_overtaken_in_any_of_its_lanes() {
    play_all(OnPark::Pass);
}

#[test]
fn in_no_schedule_is_a_parked_delivery_passed_where_it_blocks() {
    play_all(OnPark::Block);
}

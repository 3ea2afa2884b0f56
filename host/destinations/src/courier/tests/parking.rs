//! `on_park = "block"`, merges, pauses, the breaker, `classify`: one example each.

use hilum_env::twin::Twin;

use super::*;

struct Site {
    twin: Twin,
    memory: Arc<Memory>,
    rules: Rules,
}

const SECOND: Duration = Duration::from_secs(1);

impl Site {
    fn new() -> Self {
        let backoff = Backoff { first: SECOND, longest: SECOND * 8 };
        let retry = Retry { backoff, give_up_after: SECOND * 36_000, attempts_max: None };
        Self { twin: Twin::with_seed(1), memory: Arc::default(), rules: standard(retry) }
    }

    fn blocking() -> Self {
        let mut site = Self::new();
        site.rules.on_park = OnPark::Block;
        site
    }

    fn queue(&self, number: u128, lanes: &[&str]) -> Waiting {
        let mut waiting = self.memory.queue_in(number, lanes);
        waiting.since = Timestamp::from_micros(self.twin.doors().clock.now_micros());
        for queued in lock(&self.memory.queued).values_mut() {
            if queued.delivery == waiting.delivery {
                queued.since = waiting.since;
            }
        }
        waiting
    }

    fn start(
        &self,
        act: impl Fn(&Delivery) -> Result<Delivered, SendFault> + Send + Sync + 'static,
    ) -> (Courier, Arc<Scripted>) {
        let limits = Limits { window_max: 16, in_flight_max: 4, group_bytes_max: 1 << 20 };
        let plan = (self.rules.clone(), limits, 1);
        let started = start(&self.twin.doors(), &self.memory, plan, Box::new(act));
        self.twin.advance(MILLI * 10);
        started
    }

    fn delivered(&self) -> Vec<u128> {
        self.twin.advance(MILLI * 10);
        self.memory.delivered()
    }

    fn parked(&self) -> Vec<u128> {
        lock(&self.memory.parked).values().map(|it| it.delivery.bits()).collect()
    }

    /// A person sends a parked one again, or discards it.
    fn decide(&self, courier: &Courier, number: u128, is_again: bool) {
        let mut parked = lock(&self.memory.parked);
        let (place, mut waiting) =
            parked.extract_if(.., |_, it| it.delivery.bits() == number).next().expect("parked");
        waiting.is_again = true;
        if is_again {
            lock(&self.memory.queued).insert(place, waiting.clone());
            courier.take(waiting);
        } else {
            courier.unparked();
        }
    }
}

fn refused() -> SendFault {
    SendFault::Refused { code: "AE".into() }
}

/// Everything with this number is refused while it is set.
fn refusing(numbers: &'static [u128]) -> (Arc<AtomicBool>, Act) {
    let refuses = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&refuses);
    let act = move |it: &Delivery| match numbers.contains(&it.id.bits()) {
        true if switch.load(Ordering::SeqCst) => Err(refused()),
        _ => well(it),
    };
    (refuses, Box::new(act))
}

#[test]
fn a_parked_delivery_blocks_its_lane_alone_until_it_is_sent_again() {
    let site = Site::blocking();
    for (number, lane) in [(1, "a"), (2, "a"), (3, "b"), (4, "a"), (5, "b")] {
        site.queue(number, &[lane]);
    }
    let (refuses, act) = refusing(&[1]);
    let (courier, _) = site.start(act);
    assert_eq!((site.delivered(), site.parked()), (vec![3, 5], vec![1]));
    // What comes now waits, too, and holds no room in the window.
    for number in 10..60 {
        offer(&courier, site.queue(number, &["a"]));
    }
    offer(&courier, site.queue(60, &["b"]));
    assert_eq!(site.delivered(), [3, 5, 60]);
    assert_eq!(courier.status().queued, 0);
    refuses.store(false, Ordering::SeqCst);
    site.decide(&courier, 1, true);
    let expected: Vec<u128> = [3, 5, 60, 1, 2, 4].into_iter().chain(10..60).collect();
    assert_eq!(site.delivered(), expected);
}

#[test]
fn a_discarded_or_replayed_delivery_blocks_nothing_more() {
    let site = Site::blocking();
    for number in 1..=3 {
        site.queue(number, &["a"]);
    }
    let (_refuses, act) = refusing(&[1, 2]);
    let (courier, _) = site.start(act);
    assert_eq!((site.delivered(), site.parked()), (vec![], vec![1]));
    site.decide(&courier, 1, false);
    assert_eq!((site.delivered(), site.parked()), (vec![], vec![2]));
    site.decide(&courier, 2, false);
    assert_eq!(site.delivered(), [3]);
}

#[test]
fn after_a_restart_a_parked_delivery_blocks_as_before() {
    let site = Site::blocking();
    for (number, lane) in [(1, "a"), (2, "a"), (3, "b")] {
        site.queue(number, &[lane]);
    }
    // It was parked in an earlier life, perhaps before it ever came to a courier.
    let (place, waiting) = lock(&site.memory.queued).pop_first().expect("queued");
    lock(&site.memory.parked).insert(place, waiting);
    let (courier, _) = site.start(well);
    assert_eq!(site.delivered(), [3]);
    site.twin.tasks().kill_all();
    drop(courier);
    let (courier, _) = site.start(well);
    assert_eq!(site.delivered(), [3]);
    site.decide(&courier, 1, true);
    assert_eq!(site.delivered(), [3, 1, 2]);
}

#[test]
fn what_is_parked_while_it_is_dispatched_blocks_what_comes_after_it_and_not_before() {
    let site = Site::blocking();
    let slow = Arc::new(AtomicBool::new(true));
    let is_slow = Arc::clone(&slow);
    site.queue(1, &["a"]);
    let (courier, _) = site.start(move |it| match is_slow.load(Ordering::SeqCst) {
        true => Err(SendFault::Busy { code: "500".into(), after: None, whole: false }),
        false => well(it),
    });
    // Policy let nothing of the second leave.
    site.queue(2, &["a"]);
    let (place, waiting) = lock(&site.memory.queued).pop_last().expect("queued");
    lock(&site.memory.parked).insert(place, waiting);
    offer(&courier, site.queue(3, &["a"]));
    slow.store(false, Ordering::SeqCst);
    site.twin.advance(SECOND * 20);
    assert_eq!(site.delivered(), [1]);
    site.decide(&courier, 2, false);
    assert_eq!(site.delivered(), [1, 3]);
}

#[test]
fn a_merge_waits_for_both_patients_and_holds_both() {
    for on_park in [OnPark::Pass, OnPark::Block] {
        let mut site = Site::new();
        site.rules.on_park = on_park;
        let merge: &[&str] = &["new", "old"];
        let all: [(u128, &[&str]); 6] =
            [(1, &["old"]), (2, &["new"]), (3, merge), (4, &["old"]), (5, &["new"]), (6, &["x"])];
        for (number, lanes) in all {
            site.queue(number, lanes);
        }
        let old_is_slow = Arc::new(AtomicBool::new(true));
        let merge_is_slow = Arc::new(AtomicBool::new(true));
        let (old, merged) = (Arc::clone(&old_is_slow), Arc::clone(&merge_is_slow));
        let (_courier, _) = site.start(move |it| {
            let is_slow = match it.id.bits() {
                1 => &old,
                3 => &merged,
                _ => return well(it),
            };
            match is_slow.load(Ordering::SeqCst) {
                true => Err(SendFault::Busy { code: "500".into(), after: None, whole: false }),
                false => well(it),
            }
        });
        assert_eq!(site.delivered(), [2, 6], "{on_park:?}: the merge waits for the old number");
        old_is_slow.store(false, Ordering::SeqCst);
        site.twin.advance(SECOND * 20);
        assert_eq!(site.delivered(), [2, 6, 1], "{on_park:?}: both wait for the merge");
        merge_is_slow.store(false, Ordering::SeqCst);
        site.twin.advance(SECOND * 20);
        assert_eq!(site.delivered(), [2, 6, 1, 3, 4, 5], "{on_park:?}");
    }
}

#[test]
fn a_merge_behind_a_parked_delivery_holds_the_other_patient_too() {
    let site = Site::blocking();
    let all: [(u128, &[&str]); 4] =
        [(1, &["old"]), (2, &["new"]), (3, &["new", "old"]), (4, &["new"])];
    for (number, lanes) in all {
        site.queue(number, lanes);
    }
    let (refuses, act) = refusing(&[1]);
    let (courier, _) = site.start(act);
    assert_eq!(site.delivered(), [2]);
    refuses.store(false, Ordering::SeqCst);
    site.decide(&courier, 1, true);
    assert_eq!(site.delivered(), [2, 1, 3, 4]);
}

#[test]
fn a_person_pauses_a_destination_and_lets_it_go_on() {
    let site = Site::new();
    let (courier, destination) = site.start(well);
    courier.pause(true);
    for number in 1..=3 {
        offer(&courier, site.queue(number, &["a"]));
    }
    site.twin.advance(SECOND * 3_600);
    assert!(destination.came().is_empty());
    let status = courier.status();
    assert_eq!((status.state, status.is_paused, status.queued), (State::Paused, true, 3));
    courier.pause(false);
    assert_eq!(site.delivered(), [1, 2, 3]);
    assert_eq!((courier.status().state, courier.status().is_paused), (State::Idle, false));
}

#[test]
fn what_is_on_its_way_comes_to_its_end_when_a_person_pauses() {
    let site = Site::new();
    for number in 1..=2 {
        site.queue(number, &["a"]);
    }
    let limits = Limits { window_max: 16, in_flight_max: 4, group_bytes_max: 1 << 20 };
    let plan = (site.rules.clone(), limits, 1);
    let (courier, destination) = start(&site.twin.doors(), &site.memory, plan, Box::new(well));
    destination.stalls.store(true, Ordering::SeqCst);
    site.twin.advance(MILLI * 5);
    assert_eq!(destination.came(), [1]);
    courier.pause(true);
    destination.stalls.store(false, Ordering::SeqCst);
    assert_eq!(site.delivered(), [1]);
}

#[test]
fn the_breaker_opens_lets_one_try_and_closes() {
    let mut site = Site::new();
    site.rules.breaker.failures = 3;
    let pause = Backoff { first: SECOND * 60, longest: SECOND * 120 };
    site.rules.breaker.pause = pause;
    for number in 0..8 {
        site.queue(number, &[&lane_of(number)]);
    }
    let is_down = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&is_down);
    let (courier, destination) = site.start(move |it| match switch.load(Ordering::SeqCst) {
        true => Err(unreachable()),
        false => well(it),
    });
    // The first four were on their way together: that is one fault.
    assert_eq!((destination.came().len(), courier.status().breaker), (4, Breaker::Closed));
    site.twin.advance(SECOND * 10);
    assert_eq!((destination.came().len(), courier.status().breaker), (6, Breaker::Open));
    let next = courier.status().next_attempt.expect("it is left alone");
    let wait = next.since(Timestamp::from_micros(site.twin.doors().clock.now_micros()));
    assert!(SECOND * 15 < wait && wait <= SECOND * 60, "{wait:?}");
    // One tries, and it is left alone for longer.
    site.twin.advance(SECOND * 60);
    assert_eq!((destination.came().len(), courier.status().breaker), (7, Breaker::Open));
    is_down.store(false, Ordering::SeqCst);
    site.twin.advance(SECOND * 125);
    assert_eq!(site.delivered().len(), 8);
    assert_eq!(courier.status().breaker, Breaker::Closed);
}

#[test]
fn a_person_ends_the_wait_and_one_tries_before_the_rest() {
    let mut site = Site::new();
    site.rules.breaker.failures = 1;
    site.rules.breaker.pause = Backoff { first: SECOND * 3_600, longest: SECOND * 3_600 };
    for number in 0..8 {
        site.queue(number, &[&lane_of(number)]);
    }
    let is_down = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&is_down);
    let (courier, destination) = site.start(move |it| match switch.load(Ordering::SeqCst) {
        true => Err(unreachable()),
        false => well(it),
    });
    assert_eq!((destination.came().len(), courier.status().breaker), (4, Breaker::Open));
    is_down.store(false, Ordering::SeqCst);
    destination.stalls.store(true, Ordering::SeqCst);
    courier.hurry();
    site.twin.advance(MILLI * 10);
    assert_eq!((destination.came().len(), courier.status().breaker), (5, Breaker::HalfOpen));
    destination.stalls.store(false, Ordering::SeqCst);
    assert_eq!(site.delivered().len(), 8);
    assert_eq!(courier.status().breaker, Breaker::Closed);
}

#[test]
fn a_person_ends_the_wait_of_one_delivery_too() {
    let mut site = Site::new();
    site.rules.retry.backoff = Backoff { first: SECOND * 3_600, longest: SECOND * 3_600 };
    site.queue(0, &["a"]);
    let busy = || SendFault::Busy { code: "503".into(), after: None, whole: false };
    let (courier, _) = site.start(move |it| match it.attempt {
        1 => Err(busy()),
        _ => well(it),
    });
    assert_eq!(site.delivered(), [0; 0]);
    courier.hurry();
    assert_eq!(site.delivered(), [0]);
}

#[test]
fn while_it_is_half_open_only_one_goes() {
    let mut site = Site::new();
    site.rules.breaker.failures = 1;
    for number in 0..8 {
        site.queue(number, &[&lane_of(number)]);
    }
    let (courier, destination) = site.start(|it| match it.attempt {
        1 => Err(unreachable()),
        _ => well(it),
    });
    assert_eq!(courier.status().breaker, Breaker::Open);
    let first = destination.came().len();
    destination.stalls.store(true, Ordering::SeqCst);
    site.twin.advance(SECOND * 60);
    assert_eq!(
        (destination.came().len(), courier.status().breaker),
        (first + 1, Breaker::HalfOpen)
    );
    destination.stalls.store(false, Ordering::SeqCst);
    site.twin.advance(SECOND * 60);
    assert_eq!(courier.status().breaker, Breaker::Closed);
}

#[test]
fn a_destination_that_is_down_slows_no_other() {
    let site = Site::new();
    let other = Arc::new(Memory::default());
    for number in 0..200 {
        site.queue(number, &[&lane_of(number)]);
    }
    // It does not even refuse: whoever asks it waits.
    let limits = Limits { window_max: 16, in_flight_max: 4, group_bytes_max: 1 << 20 };
    let plan = (site.rules.clone(), limits, 1);
    let (down, destination) = start(&site.twin.doors(), &site.memory, plan.clone(), Box::new(well));
    destination.stalls.store(true, Ordering::SeqCst);
    let (well_courier, _) = start(&site.twin.doors(), &other, plan, Box::new(well));
    site.twin.advance(MILLI * 10);
    let before = site.memory.delivered().len();
    for number in 0..200 {
        offer(&well_courier, other.queue(number, &lane_of(number)));
        site.twin.advance(MILLI * 2);
        let delivered = other.delivered().len();
        assert_eq!(delivered, usize::try_from(number).expect("small") + 1, "it goes at once");
    }
    assert_eq!((site.memory.delivered().len(), down.status().in_flight), (before, 4));
}

#[test]
fn the_site_says_what_an_answer_means() {
    let mut site = Site::new();
    let table = [("AE", "retry"), ("AR", "setup"), ("207", "park"), ("5xx", "park")];
    site.rules.classify = Classify::of(&table);
    site.queue(1, &["a"]);
    site.queue(2, &["b"]);
    site.queue(3, &["c"]);
    let (courier, _) = site.start(|it| match (it.id.bits(), it.attempt) {
        (1, 1) => Err(SendFault::Refused { code: "AE (101 at PID-5)".into() }),
        (2, 1) => Err(SendFault::Refused { code: "AE (207, 101)".into() }),
        (3, 1) => Err(SendFault::Busy { code: "503".into(), after: None, whole: true }),
        _ => well(it),
    });
    site.twin.advance(SECOND * 20);
    assert_eq!((site.delivered(), site.parked()), (vec![1], vec![2, 3]));
    assert_eq!(courier.status().breaker, Breaker::Closed);
}

#[test]
fn a_lane_that_stands_still_leaves_room_for_the_others() {
    for on_park in [OnPark::Pass, OnPark::Block] {
        let mut site = Site::new();
        site.rules.on_park = on_park;
        // Three times what the window holds is behind one that is tried again and again.
        for number in 0..48 {
            site.queue(number, &["slow"]);
        }
        site.queue(48, &["slow", "other"]);
        site.queue(49, &["other"]);
        let is_slow = Arc::new(AtomicBool::new(true));
        let switch = Arc::clone(&is_slow);
        let (courier, _) = site.start(move |it| match it.id.bits() {
            0 if switch.load(Ordering::SeqCst) => {
                Err(SendFault::Busy { code: "500".into(), after: None, whole: false })
            }
            _ => well(it),
        });
        for number in 50..200 {
            offer(&courier, site.queue(number, &[&lane_of(number)]));
            site.twin.advance(MILLI * 2);
        }
        assert_eq!(site.delivered(), (50..200).collect::<Vec<_>>(), "{on_park:?}");
        let status = courier.status();
        assert!(status.queued <= 5 && status.has_more, "{on_park:?}: {status:?}");
        is_slow.store(false, Ordering::SeqCst);
        site.twin.advance(SECOND * 20);
        let expected: Vec<u128> = (50..200).chain(0..50).collect();
        assert_eq!(site.delivered(), expected, "{on_park:?}");
        assert_eq!((courier.status().queued, courier.status().has_more), (0, false));
    }
}

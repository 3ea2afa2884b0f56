//! Days of a courier, on a clock that is moved by hand: every wait is the real one.

use hilum_env::twin::Twin;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// What a site gets that says nothing about retries.
fn plan() -> (Rules, Limits, usize) {
    (
        standard(Retry::default()),
        Limits { window_max: 64, in_flight_max: 4, group_bytes_max: 1 << 20 },
        1,
    )
}

fn queue(twin: &Twin, memory: &Memory, number: u128) -> Waiting {
    let waiting = memory.queue(number, &lane_of(number));
    let since = Timestamp::from_micros(twin.doors().clock.now_micros());
    for waiting in lock(&memory.queued).values_mut().filter(|it| it.delivery == waiting.delivery) {
        waiting.since = since;
    }
    Waiting { since, ..waiting }
}

#[test]
fn a_destination_that_never_comes_back_gets_three_days() {
    let (twin, memory) = (Twin::with_seed(1), Arc::new(Memory::default()));
    for number in 0..20 {
        queue(&twin, &memory, number);
    }
    let (courier, destination) =
        start(&twin.doors(), &memory, plan(), Box::new(|_| Err(unreachable())));
    twin.advance(HOUR * 71);
    assert!(memory.outcomes().iter().all(|it| it.2 == "deferred"), "nobody gives up before");
    assert_eq!(courier.status().queued, 20);
    let attempts = destination.came().len();
    // Two and a half to five minutes between attempts, once the waits have grown.
    assert!((850..1750).contains(&attempts), "{attempts} attempts in 71 hours");

    twin.advance(HOUR * 4);
    let parked = memory.outcomes().into_iter().filter(|it| it.2 == "gave-up").count();
    assert_eq!(parked, 20);
    assert_eq!((courier.status().queued, courier.status().state), (0, State::Idle));
}

#[test]
fn after_an_outage_everything_follows_within_the_longest_wait() {
    let (twin, memory) = (Twin::with_seed(2), Arc::new(Memory::default()));
    let is_down = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&is_down);
    let act = move |it: &Delivery| {
        if switch.load(Ordering::SeqCst) { Err(unreachable()) } else { well(it) }
    };
    let (courier, _) = start(&twin.doors(), &memory, plan(), Box::new(act));
    for number in 0..200 {
        offer(&courier, queue(&twin, &memory, number));
        twin.advance(Duration::from_secs(60));
    }
    assert!(memory.delivered().is_empty());
    assert!(courier.status().has_more, "200 do not fit into a window of 64");
    is_down.store(false, Ordering::SeqCst);
    twin.advance(Duration::from_secs(301));
    check_order(&memory.delivered(), 200);
}

#[test]
fn a_wall_clock_that_jumps_delays_nothing_for_long() {
    let (twin, memory) = (Twin::with_seed(3), Arc::new(Memory::default()));
    let act = |it: &Delivery| if it.attempt == 1 { Err(unreachable()) } else { well(it) };
    queue(&twin, &memory, 1);
    let (_courier, _) = start(&twin.doors(), &memory, plan(), Box::new(act));
    twin.run_until_idle();
    twin.advance(Duration::from_millis(10));
    assert_eq!(memory.outcomes().len(), 1, "the first attempt failed");
    // Somebody sets the clock forward by a day: what was due in a second is due.
    twin.clock().jump(86_400_000_000);
    twin.advance(Duration::from_secs(2));
    assert_eq!(memory.delivered(), [1]);
}

#[test]
fn the_same_seed_gives_the_same_days() {
    let run = |seed: u64| {
        let (twin, memory) = (Twin::with_seed(seed), Arc::new(Memory::default()));
        for number in 0..60 {
            queue(&twin, &memory, number);
        }
        let act = |it: &Delivery| match (it.id.bits() % 5, it.attempt) {
            (0, 1..=3) => Err(unreachable()),
            (1, 1) => Err(SendFault::Ambiguous("no answer in time".into())),
            (2, 1..=2) => Err(SendFault::Busy { code: "500".into(), after: None, whole: false }),
            (3, _) => Err(SendFault::Refused { code: "422".into() }),
            _ => well(it),
        };
        let (_courier, destination) = start(&twin.doors(), &memory, plan(), Box::new(act));
        twin.advance(HOUR);
        (destination.came(), memory.outcomes())
    };
    let (came, outcomes) = run(7);
    assert_eq!((came, outcomes.clone()), run(7));
    let ended = outcomes.iter().filter(|it| it.2 != "deferred").count();
    assert_eq!(ended, 60, "each ends delivered or parked");
}

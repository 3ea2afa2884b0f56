use super::*;

struct Least;

impl Entropy for Least {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

const SECOND: Duration = Duration::from_secs(1);
const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

fn rules() -> Rules {
    let backoff = Backoff { first: SECOND * 2, longest: SECOND * 60 };
    let retry = Retry { backoff, give_up_after: SECOND * 3600, attempts_max: None };
    Rules {
        retry,
        on_ambiguous: OnAmbiguous::Retry,
        on_park: OnPark::Pass,
        breaker: BreakerConfig::standard(&retry),
        classify: Classify::default(),
    }
}

fn after(attempts: u32, age: Duration) -> Attempt {
    let age = i64::try_from(age.as_micros()).expect("small");
    Attempt { number: attempts + 1, since: Timestamp::from_micros(NOW.micros() - age) }
}

#[track_caller]
fn check(rules: &Rules, health: &mut Health, attempt: Attempt, fault: SendFault) -> String {
    match decide(rules, health, attempt, Err(fault), NOW, &Least).0 {
        Fate::Delivered { .. } => "delivered".into(),
        Fate::Deferred { due, why } => {
            format!("after {} in {} ms: {why}", attempt.number, due.since(NOW).as_millis())
        }
        Fate::Parked { cause } => cause.to_string(),
    }
}

fn unreachable() -> SendFault {
    SendFault::Unreachable("connection refused".into())
}

fn busy(whole: bool, after: Option<Duration>) -> SendFault {
    SendFault::Busy { code: "503".into(), after, whole }
}

#[test]
fn a_rejected_delivery_is_parked_at_once_and_the_destination_is_well() {
    let mut health =
        Health { faults: 3, paused_until: Some(NOW), is_misconfigured: true, openings: 2 };
    let fault = SendFault::Refused { code: "422 (invariant)".into() };
    let said = check(&rules(), &mut health, after(0, SECOND), fault);
    assert_eq!(said, "rejected: 422 (invariant)");
    assert_eq!((health.faults, health.paused_until), (0, None));
}

#[test]
fn what_the_destination_has_stored_is_parked_and_never_sent_again() {
    let fault = SendFault::Unconfirmed("CA, then no answer in time".into());
    let mut health =
        Health { faults: 3, paused_until: Some(NOW), is_misconfigured: false, openings: 0 };
    let said = check(&rules(), &mut health, after(0, SECOND), fault);
    assert_eq!(said, "gave-up: stored there, outcome unknown: CA, then no answer in time");
    assert_eq!((health.faults, health.paused_until), (0, None));
}

#[test]
fn faults_of_the_destination_pause_it_longer_each_time_until_it_is_cut_off() {
    let (mut health, mut now) = (Health::default(), NOW);
    let rules = rules();
    // Half of each wait is drawn, and here nothing is. From the fifth on the breaker's own pause
    // counts: 30 s, then 60 s, which is the longest that this site has chosen.
    for (expected, breaker) in [
        (1_000, Breaker::Closed),
        (2_000, Breaker::Closed),
        (4_000, Breaker::Closed),
        (8_000, Breaker::Closed),
        (16_000, Breaker::Open),
        (30_000, Breaker::Open),
        (30_000, Breaker::Open),
    ] {
        // Always another delivery's first attempt: the waits grow all the same.
        let attempt = Attempt { number: 1, since: now };
        let (fate, _) = decide(&rules, &mut health, attempt, Err(unreachable()), now, &Least);
        let Fate::Deferred { due, .. } = fate else { panic!("deferred") };
        assert_eq!((due.since(now).as_millis(), health.breaker(now)), (expected, breaker));
        assert_eq!(health.paused_until, Some(due));
        now = due;
    }
    assert_eq!(health.breaker(now), Breaker::HalfOpen, "the pause is over");
    let delivered = Ok(Delivered { code: "200".into(), answer: None });
    decide(&rules, &mut health, after(0, SECOND), delivered, now, &Least);
    assert_eq!((health.faults, health.paused_until), (0, None));
    assert_eq!(health.breaker(now), Breaker::Closed);
}

#[test]
fn what_was_on_its_way_when_it_failed_is_the_same_fault() {
    let mut health = Health::default();
    for _ in 0..200 {
        let said = check(&rules(), &mut health, after(0, SECOND), unreachable());
        assert_eq!(said, "after 1 in 1000 ms: not reached: connection refused");
    }
    assert_eq!((health.faults, health.breaker(NOW)), (1, Breaker::Closed));
}

#[test]
fn a_destination_that_does_not_answer_is_left_alone_even_where_a_person_looks_first() {
    let mut rules = rules();
    rules.on_ambiguous = OnAmbiguous::Park;
    rules.breaker.failures = 1;
    let mut health = Health::default();
    let fault = SendFault::Ambiguous("no answer in time".into());
    check(&rules, &mut health, after(0, SECOND), fault);
    assert_eq!(health.breaker(NOW), Breaker::Open, "or all of the queue would be parked");
}

#[test]
fn the_site_says_what_a_code_means() {
    let table = [("404", "retry"), ("409", "setup"), ("5xx", "park"), ("503", "retry")];
    let mut rules = rules();
    rules.classify = Classify::of(&table);
    let said = |fault: SendFault| check(&rules, &mut Health::default(), after(0, SECOND), fault);
    let refused = |code: &str| SendFault::Refused { code: code.into() };
    let code = |code: &str| SendFault::Busy { code: code.into(), after: None, whole: false };
    assert_eq!(
        said(SendFault::Misconfigured { code: "404 (not-found)".into() }),
        "after 1 in 1000 ms: the set-up is at fault: 404 (not-found); classify says \"retry\""
    );
    assert_eq!(
        said(refused("200, entry 3: 409")),
        "after 1 in 30000 ms: rejected: 200, entry 3: 409; classify says \"setup\""
    );
    assert_eq!(said(code("500")), "rejected: busy: 500; classify says \"park\"");
    // A status is more particular than its class, and a destination that is busy as a whole stays so.
    assert_eq!(said(busy(true, None)), "after 1 in 1000 ms: busy: 503");
    assert_eq!(said(refused("422")), "rejected: 422");
    assert_eq!(said(unreachable()), "after 1 in 1000 ms: not reached: connection refused");
}

#[test]
fn a_bad_moment_of_one_delivery_does_not_pause_the_others() {
    let mut health = Health::default();
    let said = check(&rules(), &mut health, after(2, SECOND), busy(false, None));
    assert_eq!(said, "after 3 in 4000 ms: busy: 503");
    assert_eq!(health.paused_until, None);
}

#[test]
fn retry_after_is_obeyed_even_beyond_the_longest_wait() {
    let mut health = Health::default();
    let fault = busy(true, Some(SECOND * 600));
    let said = check(&rules(), &mut health, after(0, SECOND), fault);
    assert_eq!(said, "after 1 in 600000 ms: busy: 503");
    assert_eq!(health.paused_until, Some(NOW.plus(SECOND * 600)));
}

#[test]
fn a_fault_of_the_set_up_is_shown_and_tried_slowly() {
    let mut health = Health::default();
    let fault = SendFault::Misconfigured { code: "401".into() };
    let said = check(&rules(), &mut health, after(0, SECOND), fault);
    assert_eq!(said, "after 1 in 30000 ms: the set-up is at fault: 401");
    assert!(health.is_misconfigured);
    check(&rules(), &mut health, after(0, SECOND), unreachable());
    assert!(!health.is_misconfigured, "another fault is another state");
}

#[test]
fn attempts_and_age_are_bounded() {
    let mut rules = rules();
    let said = check(&rules, &mut Health::default(), after(7, SECOND * 7200), unreachable());
    assert_eq!(said, "gave-up: 8 attempts in 2 h, the last: not reached: connection refused");
    rules.retry.attempts_max = Some(3);
    let mut health = Health::default();
    let said = check(&rules, &mut health, after(1, SECOND), unreachable());
    assert!(said.starts_with("after 2"), "{said}");
    let said = check(&rules, &mut health, after(2, SECOND), unreachable());
    assert_eq!(said, "gave-up: 3 attempts, the last: not reached: connection refused");
    assert!(health.paused_until.is_some(), "the others still wait for the destination");
}

#[test]
fn an_unknown_outcome_is_tried_again_unless_the_site_wants_a_person() {
    let mut rules = rules();
    let fault = || SendFault::Ambiguous("no answer in time".into());
    let said = check(&rules, &mut Health::default(), after(0, SECOND), fault());
    assert_eq!(said, "after 1 in 1000 ms: outcome unknown: no answer in time");
    rules.on_ambiguous = OnAmbiguous::Park;
    let said = check(&rules, &mut Health::default(), after(0, SECOND), fault());
    assert_eq!(said, "gave-up: outcome unknown: no answer in time; on_ambiguous = \"park\"");
}

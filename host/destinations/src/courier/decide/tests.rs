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
    let mut health = Health { faults: 3, paused_until: Some(NOW), is_misconfigured: true, openings: 2 };
    let fault = SendFault::Refused { code: "422 (invariant)".into() };
    let said = check(&rules(), &mut health, after(0, SECOND), fault);
    assert_eq!(said, "rejected: rejected: 422 (invariant)");
    assert_eq!((health.faults, health.paused_until), (0, None));
}

#[test]
fn what_the_destination_has_stored_is_parked_and_never_sent_again() {
    let fault = SendFault::Unconfirmed("CA, then no answer in time".into());
    let mut health = Health { faults: 3, paused_until: Some(NOW), is_misconfigured: false, openings: 0 };
    let said = check(&rules(), &mut health, after(0, SECOND), fault);
    assert_eq!(said, "gave-up: stored there, outcome unknown: CA, then no answer in time");
    assert_eq!((health.faults, health.paused_until), (0, None));
}

#[test]
fn faults_of_the_destination_pause_it_longer_each_time() {
    let mut health = Health::default();
    for expected in ["1000", "2000", "4000", "8000", "16000", "30000", "30000"] {
        // Always another delivery's first attempt: the waits grow all the same.
        let said = check(&rules(), &mut health, after(0, SECOND), unreachable());
        assert_eq!(said, format!("after 1 in {expected} ms: not reached: connection refused"));
        let wait = health.paused_until.expect("paused").since(NOW).as_millis();
        assert_eq!(wait.to_string(), expected);
    }
    let delivered = Ok(Delivered { code: "200".into(), answer: None });
    decide(&rules(), &mut health, after(0, SECOND), delivered, NOW, &Least);
    assert_eq!((health.faults, health.paused_until), (0, None));
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

use super::*;

fn waiting(number: u128, lane: &str, due: i64) -> Waiting {
    Waiting {
        delivery: DeliveryId::from_bits(number),
        run: RunId::from_bits(number),
        lanes: [LaneKey::from(lane.as_bytes())].into(),
        order: (0, 0),
        is_again: false,
        attempts: 0,
        due: Timestamp::from_micros(due),
        since: Timestamp::from_micros(0),
        place: 0,
    }
}

fn numbers(taken: &[Waiting]) -> Vec<u128> {
    taken.iter().map(|it| it.delivery.bits()).collect()
}

fn lanes(taken: &[Waiting]) -> BTreeSet<LaneKey> {
    taken.iter().flat_map(|it| it.lanes.iter().map(Arc::clone)).collect()
}

fn up_to(max: usize) -> Together {
    Together { max, of_one_lane: true }
}

const NOW: Timestamp = Timestamp::from_micros(100);

#[test]
fn of_a_lane_one_goes_at_a_time_and_lanes_do_not_wait_for_each_other() {
    let mut window = Window::new(9);
    for (number, lane) in [(1, "a"), (2, "a"), (3, "b"), (4, "b")] {
        assert_eq!(window.admit(waiting(number, lane, 0)), Admission::Taken);
    }
    let first = window.take(NOW, up_to(1));
    assert_eq!(numbers(&first), [1]);
    assert_eq!(numbers(&window.take(NOW, up_to(1))), [3]);
    assert!(window.take(NOW, up_to(1)).is_empty(), "both lanes are busy");
    window.release(&lanes(&first), Vec::new());
    assert_eq!(numbers(&window.take(NOW, up_to(1))), [2]);
}

#[test]
fn a_group_is_in_the_order_of_the_queue() {
    let mut window = Window::new(9);
    for number in 1..=6 {
        window.admit(waiting(number, if number % 2 == 0 { "a" } else { "b" }, 0));
    }
    assert_eq!(numbers(&window.take(NOW, up_to(4))), [1, 2, 3, 4]);
    assert!(window.take(NOW, up_to(4)).is_empty(), "both lanes are busy");
}

#[test]
fn one_that_waits_blocks_its_lane_alone() {
    let mut window = Window::new(9);
    window.admit(waiting(1, "a", 500));
    window.admit(waiting(2, "a", 0));
    window.admit(waiting(3, "b", 0));
    assert_eq!(numbers(&window.take(NOW, up_to(9))), [3]);
    assert_eq!(window.next_due(), Some(Timestamp::from_micros(500)));
    assert_eq!(numbers(&window.take(Timestamp::from_micros(500), up_to(9))), [1, 2]);
}

#[test]
fn what_goes_again_goes_first_and_in_order() {
    let mut window = Window::new(9);
    for number in 1..=4 {
        window.admit(waiting(number, "a", 0));
    }
    let group = window.take(NOW, up_to(3));
    assert_eq!(numbers(&group), [1, 2, 3]);
    let again = group.iter().skip(1).cloned().collect();
    window.release(&lanes(&group), again);
    assert_eq!(numbers(&window.take(NOW, up_to(9))), [2, 3, 4]);
}

#[test]
fn a_full_window_takes_no_more_until_outcomes_are_in_the_journal() {
    let mut window = Window::new(2);
    assert_eq!(window.admit(waiting(1, "a", 0)), Admission::Taken);
    assert_eq!(window.admit(waiting(1, "a", 0)), Admission::Known);
    assert_eq!(window.admit(waiting(2, "b", 0)), Admission::Taken);
    assert_eq!(window.admit(waiting(3, "c", 0)), Admission::Full);
    let group = window.take(NOW, up_to(1));
    window.release(&lanes(&group), Vec::new());
    assert_eq!(window.admit(waiting(3, "c", 0)), Admission::Full);
    window.forget(DeliveryId::from_bits(1));
    assert_eq!(window.admit(waiting(3, "c", 0)), Admission::Taken);
    assert_eq!(window.len(), 2);
}

#[test]
fn across_lanes_the_earliest_goes_first() {
    let mut window = Window::new(9);
    for number in 1..=5 {
        window.admit(waiting(number, &format!("{}", 9 - number), 0));
    }
    assert_eq!(numbers(&window.take(NOW, up_to(5))), [1, 2, 3, 4, 5]);
}

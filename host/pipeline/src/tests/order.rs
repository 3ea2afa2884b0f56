//! Lanes by path: one patient's messages in order, others beside them, merges in both lanes.

use std::collections::BTreeSet;

use hilum_env::twin::Dice;
use hilum_words::RunId;

use super::*;

const TO: &str = "ehr";

/// A message about these patients; the second and later ones are merged into the first.
fn about(control_id: usize, patients: &[usize]) -> String {
    let [stays, gone @ ..] = patients else { panic!("at least one patient") };
    let event = if gone.is_empty() { "A08" } else { "A40" };
    let merged: Vec<String> = gone.iter().map(|it| format!("MRG|{it}^^^WARD^MR\r")).collect();
    format!(
        "MSH|^~\\&|ADT|WARD|||20261124||ADT^{event}|{control_id}|P|2.5.1\r\
         PID|1||{stays}^^^WARD^MR\r{}",
        merged.concat()
    )
}

fn by_patient(seed: u64) -> Middle {
    by_patient_with(seed, 1_000)
}

fn by_patient_with(seed: u64, backlog_max: usize) -> Middle {
    let plain = route("adt", "MSH-9.1 == 'ADT'", &[(TO, Clearance::treatment())]);
    let mut route = Arc::into_inner(plain).expect("nobody else has it");
    route.lane = LanePlan::parse(&["PID-3.1"]).expect("a lane");
    Middle::open(Twin::with_seed(seed), vec![Arc::new(route)], |_| {}, backlog_max)
}

/// Accepts one message for each entry, and hands its run.
fn accepted(middle: &Middle, messages: &[Vec<usize>]) -> Vec<RunId> {
    let mut runs = Vec::new();
    for (number, patients) in messages.iter().enumerate() {
        assert_eq!(middle.send(&about(number, patients)).len(), 1);
        runs.push(middle.only_run().run);
    }
    runs
}

fn taken(middle: &Middle) -> Vec<RunId> {
    std::iter::from_fn(|| middle.backlog.take().map(|(run, _)| run)).collect()
}

#[test]
fn two_patients_run_side_by_side_and_a_merge_waits_for_both_and_holds_both() {
    let middle = by_patient(7);
    // Patients 1 and 2; 2 becomes 1; then each of them again, and a third who has no part in it.
    let runs = accepted(&middle, &[vec![1], vec![2], vec![1, 2], vec![1], vec![2], vec![3]]);
    assert_eq!(taken(&middle), [runs[0], runs[1], runs[5]]);
    middle.backlog.done(runs[0]);
    assert_eq!(taken(&middle), [], "the merge waits for the second patient too");
    middle.backlog.done(runs[1]);
    assert_eq!(taken(&middle), [runs[2]], "and both wait for the merge");
    middle.backlog.done(runs[2]);
    assert_eq!(taken(&middle), [runs[3], runs[4]]);
}

#[test]
fn nobody_overtakes_in_any_schedule() {
    for seed in 0..200 {
        let middle = by_patient(7);
        let mut dice = Dice::new(seed);
        let patients = 2 + dice.below(4);
        let messages: Vec<Vec<usize>> = (0..25)
            .map(|_| match dice.below(4) {
                0 => vec![dice.below(patients), dice.below(patients)],
                _ => vec![dice.below(patients)],
            })
            .collect();
        let runs = accepted(&middle, &messages);
        // Up to five workers, each as fast as the dice say.
        let mut at_work: Vec<RunId> = Vec::new();
        let mut begun: Vec<usize> = Vec::new();
        let mut most = 0;
        while begun.len() < runs.len() || !at_work.is_empty() {
            if at_work.len() < 5
                && dice.one_in(2)
                && let Some((run, _)) = middle.backlog.take()
            {
                let number = runs.iter().position(|it| *it == run).expect("one of ours");
                let mine: BTreeSet<_> = messages[number].iter().collect();
                let shares = |other: &usize| messages[*other].iter().any(|it| mine.contains(it));
                let earlier = (0..number).filter(shares);
                for other in earlier {
                    assert!(begun.contains(&other), "seed {seed}: {number} overtook {other}");
                    assert!(
                        !at_work.contains(&runs[other]),
                        "seed {seed}: {number} beside {other}"
                    );
                }
                begun.push(number);
                at_work.push(run);
            } else if !at_work.is_empty() {
                let done = at_work.swap_remove(dice.below(at_work.len()));
                middle.backlog.done(done);
            }
            most = most.max(at_work.len());
        }
        assert!(1 < most, "seed {seed}: nothing ran side by side");
        assert!(middle.backlog.is_empty());
    }
}

#[test]
fn what_several_workers_queue_is_in_order_in_each_lane() {
    for seed in 0..20 {
        let middle = by_patient(seed);
        let mut dice = Dice::new(seed);
        let messages: Vec<Vec<usize>> = (0..40)
            .map(|_| match dice.below(5) {
                0 => vec![dice.below(4), dice.below(4)],
                _ => vec![dice.below(4)],
            })
            .collect();
        let runs = accepted(&middle, &messages);
        for _ in 0..3 {
            middle.start_worker();
        }
        middle.twin.advance(Duration::from_secs(1));
        let queued = middle.store.queued(TO);
        assert_eq!(queued.len(), runs.len());
        let order: Vec<usize> = queued
            .iter()
            .map(|it| runs.iter().position(|run| *run == it.run).expect("one of ours"))
            .collect();
        for (place, number) in order.iter().enumerate() {
            for later in order.get(place + 1..).unwrap_or_default() {
                let shares = messages[*later].iter().any(|it| messages[*number].contains(it));
                assert!(
                    !shares || number < later,
                    "seed {seed}: {later} was queued after {number}"
                );
            }
        }
        for (ready, number) in queued.iter().zip(&order) {
            let patients: BTreeSet<_> = messages[*number].iter().collect();
            assert_eq!(ready.lanes.len(), patients.len(), "a lane for each patient");
        }
    }
}

#[test]
fn a_run_in_many_lanes_fills_the_backlog_by_each() {
    let middle = by_patient_with(7, 10);
    assert_eq!(middle.send(&about(1, &(0..9).collect::<Vec<_>>())), ["MSA|AA|1"]);
    assert_eq!(middle.send(&about(2, &[1])), ["MSA|AA|2"]);
    let busy = middle.send(&about(3, &[2]));
    assert!(busy[0].starts_with("MSA|AR|3 ERR|||207^"), "{busy:?}");
    middle.start_worker();
    assert_eq!(middle.send(&about(3, &[2])), ["MSA|AA|3"]);
}

#[test]
fn no_patient_number_is_on_disk_as_a_lane() {
    let middle = by_patient(7);
    middle.send(&about(1, &[47_110_815, 998_877]));
    let lanes = middle.only_run().lanes;
    assert_eq!(lanes.len(), 2);
    for lane in lanes {
        assert!(!String::from_utf8_lossy(&lane).contains("47110815"));
        assert!(!String::from_utf8_lossy(&lane).contains("998877"));
        assert_eq!(lane.len(), "adt-in".len() + 1 + 32, "a name and a digest");
    }
}

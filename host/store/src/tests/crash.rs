//! The disk stops at operation *n*, for every *n*; what was not synced is kept, lost, torn or
//! reordered; the journal opens again, and nothing that anybody was told is missing.
//!
//! A story is played on a seed: arrivals, repeats, decisions, deliveries, replays, pauses. A model
//! knows what was told. What was submitted and never told may have happened or not, but wholly.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use hilum_env::twin::{Dice, Unsynced};
use hilum_policy::Cleared;
use hilum_words::{CauseWord, Digest, Name, Timestamp};

use super::world::*;
use crate::{Accepted, Effect, Happened, MemoryTable, OpenError, Parked, Step, StoreError, Ticket};

/// Rounds of a story before and after the crash.
const ROUNDS: usize = 22;
const LATER_ROUNDS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Message(u64),
    Run(u64),
    Delivery(u64),
    Generation(u64),
    Mark(u64),
}

/// What a thing may be after a crash.
#[derive(Clone, Debug, Default)]
struct Possible {
    /// What was told last; none: it was never told of.
    told: Option<&'static str>,
    /// What it may be beside that, since somebody asked for it and got no answer.
    asked: Vec<&'static str>,
}

/// What somebody asked for: all of it happens or nothing.
type Wish = Vec<(Thing, &'static str)>;

enum Asked {
    Accept(Wish, Ticket<Accepted>),
    Commit(Wish, Ticket<crate::Committed>),
}

struct Story {
    world: World,
    dice: Dice,
    things: BTreeMap<Thing, Possible>,
    /// Which message a run is of, and which run a delivery.
    above: BTreeMap<Thing, u64>,
    bodies: BTreeMap<u64, Bytes>,
    outputs: BTreeMap<u64, Bytes>,
    /// The arrivals that a repeat may repeat.
    numbers: u64,
    unanswered: Vec<Wish>,
    told_of: Vec<Thing>,
    samples: Vec<Cleared>,
    lanes: BTreeMap<u64, Vec<Vec<u8>>>,
    /// Words of what was done.
    seen: BTreeSet<&'static str>,
    /// What the catalogue's table held at some time: a crash may bring it back.
    older_table: MemoryTable,
}

impl Story {
    fn new(seed: u64) -> Self {
        let world = World::closed(seed, |options| {
            options.segment_bytes = 4 << 10;
            options.group_requests_max = 3;
            // Half of the stories read everything back.
            options.bodies_in_memory_max = if seed.is_multiple_of(2) { 0 } else { 1 << 20 };
        });
        let samples = (0..4).map(|it| cleared(&"z".repeat(it * it * 150))).collect();
        Self {
            world,
            dice: Dice::new(seed),
            things: BTreeMap::new(),
            above: BTreeMap::new(),
            bodies: BTreeMap::new(),
            outputs: BTreeMap::new(),
            numbers: 0,
            unanswered: Vec::new(),
            told_of: Vec::new(),
            samples,
            lanes: BTreeMap::new(),
            seen: BTreeSet::new(),
            older_table: MemoryTable::default(),
        }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// One of the things that were last told to be in this state.
    fn pick(&mut self, is: fn(&Thing) -> bool, state: &str, busy: &[Thing]) -> Option<Thing> {
        let fit: Vec<Thing> = self
            .things
            .iter()
            .filter(|(thing, it)| is(thing) && it.told == Some(state) && !busy.contains(thing))
            .map(|(thing, _)| *thing)
            .collect();
        fit.get(self.dice.below(fit.len())).copied()
    }

    /// Asks for something and says what it touches; none if the dice found nothing to do.
    fn ask(&mut self, busy: &[Thing]) -> Option<Asked> {
        let is_run: fn(&Thing) -> bool = |it| matches!(it, Thing::Run(_));
        let is_delivery: fn(&Thing) -> bool = |it| matches!(it, Thing::Delivery(_));
        let is_message: fn(&Thing) -> bool = |it| matches!(it, Thing::Message(_));
        let store = self.world.store().clone();
        if self.dice.one_in(3)
            && let Some(asked) = self.release_or_refuse(is_run, busy)
        {
            return Some(asked);
        }
        match self.dice.below(20) {
            0..4 => {
                let number = self.number();
                let body = body_of(number);
                self.bodies.insert(number, body.clone());
                self.above.insert(Thing::Run(number), number);
                let wish =
                    vec![(Thing::Message(number), "there"), (Thing::Run(number), "undecided")];
                let ticket = store.accept(arrival_of(number, &number.to_string(), body));
                Some(Asked::Accept(wish, ticket))
            }
            4 => {
                let Thing::Message(of) = self.pick(is_message, "there", busy)? else { return None };
                let number = self.number();
                let body = self.bodies.get(&of)?.clone();
                self.bodies.insert(number, body.clone());
                self.above.insert(Thing::Run(number), number);
                let wish =
                    vec![(Thing::Message(number), "there"), (Thing::Run(number), "undecided")];
                // A repeat of a repeat has the first one's control id.
                let control_id = String::from_utf8_lossy(&body).split('|').nth(9)?.to_owned();
                let ticket = store.accept(arrival_of(number, &control_id, body));
                Some(Asked::Accept(wish, ticket))
            }
            5..8 => {
                let run = self.pick(is_run, "undecided", busy)?;
                let Thing::Run(number) = run else { return None };
                store.note_start(run_id(number));
                self.decide(number, run)
            }
            8..11 => {
                let Thing::Delivery(number) = self.pick(is_delivery, "queued", busy)? else {
                    return None;
                };
                let delivery = delivery_id(number);
                let (effect, state) = match self.dice.below(4) {
                    0 => {
                        let due = Timestamp::from_micros(at().micros() + 1_000);
                        let why = "busy: 503".to_owned();
                        (Effect::Deferred { delivery, attempt: 1, due, why }, "queued")
                    }
                    1 => {
                        let cause = cause(CauseWord::Rejected);
                        (Effect::DeliveryParked { delivery, cause }, "parked")
                    }
                    _ => {
                        let answer = Some((Name::from("text"), Bytes::from(vec![b'a'; 100])));
                        (Effect::Delivered { delivery, answer }, "delivered")
                    }
                };
                self.commit_delivery(number, effect, state)
            }
            11 | 12 => {
                let Thing::Delivery(number) = self.pick(is_delivery, "parked", busy)? else {
                    return None;
                };
                let delivery = delivery_id(number);
                if self.outputs.contains_key(&number) && self.dice.one_in(2) {
                    return self.commit_delivery(number, Effect::Requeued { delivery }, "queued");
                }
                let effect = Effect::Discarded(Parked::Delivery(delivery));
                self.commit_delivery(number, effect, "discarded")
            }
            13 => {
                let state = if self.dice.one_in(2) { "parked" } else { "held" };
                let Thing::Run(number) = self.pick(is_run, state, busy)? else { return None };
                let effect = Effect::Discarded(Parked::Run(run_id(number)));
                self.commit(number, vec![effect], vec![(Thing::Run(number), "discarded")])
            }
            14 => {
                let state = if self.dice.one_in(2) { "parked" } else { "dispatched" };
                let Thing::Run(parent) = self.pick(is_run, state, busy)? else { return None };
                self.replay(parent, state, busy)
            }
            15 => {
                let number = self.number();
                let (generation, records) = generation(number);
                let ticket = store.apply_generation(generation, records);
                Some(Asked::Commit(vec![(Thing::Generation(number), "there")], ticket))
            }
            16 => {
                let thing = Thing::Mark(self.dice.below(3) as u64);
                let Thing::Mark(number) = thing else { return None };
                if busy.contains(&thing) {
                    return None;
                }
                let state = *["off", "a", "b"].get(self.dice.below(3))?;
                let (key, records) = mark(&format!("mark {number}"));
                let value = (state != "off").then(|| state.to_owned());
                Some(Asked::Commit(vec![(thing, state)], store.mark(key, value, records)))
            }
            17 => {
                self.older_table = self.world.table.copy();
                None
            }
            18 => {
                let content = vec![b'b'; self.dice.below(2_000)];
                match store.put_blob(&content) {
                    Ok(digest) => assert_eq!(digest, Digest::of(&content)),
                    Err(fault) => {
                        assert!(matches!(fault, StoreError::BlobNotWritten(_)), "{fault}")
                    }
                }
                None
            }
            _ => {
                self.world.rest();
                None
            }
        }
    }

    /// A person decides about a held run.
    fn release_or_refuse(&mut self, is_run: fn(&Thing) -> bool, busy: &[Thing]) -> Option<Asked> {
        let Thing::Run(number) = self.pick(is_run, "held", busy)? else { return None };
        let (effect, state) = match self.dice.one_in(3) {
            true => (Effect::Refused(vec![rejection(1)]), "refused"),
            false => (Effect::Released { next: 2 }, "undecided"),
        };
        self.commit(number, vec![effect], vec![(Thing::Run(number), state)])
    }

    fn decide(&mut self, number: u64, run: Thing) -> Option<Asked> {
        match self.dice.below(8) {
            0 => {
                let effect = Effect::Parked(cause(CauseWord::PluginFault));
                self.commit(number, vec![effect], vec![(run, "parked")])
            }
            1 => {
                let effect = Effect::Refused(vec![rejection(1), rejection(2)]);
                self.commit(number, vec![effect], vec![(run, "refused")])
            }
            2 | 3 => {
                let effect = held("look at PV1");
                self.commit(number, vec![effect], vec![(run, "held")])
            }
            _ => {
                let mut wish = vec![(run, "dispatched")];
                let mut deliveries = Vec::new();
                let mut parked = Vec::new();
                for place in 0..self.dice.below(3) {
                    let delivery = self.number();
                    let message = *self.above.get(&run)?;
                    let body = self.bodies.get(&message)?.clone();
                    let output = if self.dice.one_in(3) {
                        passed_through(body.clone())
                    } else {
                        self.samples.get(self.dice.below(self.samples.len()))?.clone()
                    };
                    self.outputs.insert(delivery, output.assemble(&body)?);
                    let to = if place == 0 { "ehr" } else { "archive" };
                    let mut outgoing = outgoing(delivery, to, Some(output));
                    for more in 0..self.dice.below(3) as u64 {
                        outgoing.lanes.push(vec![b'l'; 1 + more as usize]);
                    }
                    self.lanes.insert(delivery, outgoing.lanes.clone());
                    deliveries.push(outgoing);
                    wish.push((Thing::Delivery(delivery), "queued"));
                    self.above.insert(Thing::Delivery(delivery), number);
                }
                if self.dice.one_in(4) {
                    let delivery = self.number();
                    parked.push((outgoing(delivery, "research", None), cause(CauseWord::Denied)));
                    wish.push((Thing::Delivery(delivery), "parked"));
                    self.above.insert(Thing::Delivery(delivery), number);
                }
                self.commit(number, vec![Effect::Dispatched { deliveries, parked }], wish)
            }
        }
    }

    fn replay(&mut self, parent: u64, state: &str, busy: &[Thing]) -> Option<Asked> {
        let new = self.number();
        let message = *self.above.get(&Thing::Run(parent))?;
        self.above.insert(Thing::Run(new), message);
        let mut wish = vec![(Thing::Run(new), "undecided")];
        if state == "parked" {
            wish.push((Thing::Run(parent), "replayed"));
        }
        for (thing, of) in &self.above {
            let it = self.things.get(thing).and_then(|it| it.told);
            if matches!(thing, Thing::Delivery(_)) && *of == parent {
                if busy.contains(thing) {
                    return None;
                }
                if it == Some("parked") {
                    wish.push((*thing, "replayed"));
                }
            }
        }
        let generation = Digest::of(b"next");
        let effect = Effect::Replayed { parent: run_id(parent), new: start(new), generation };
        self.commit(parent, vec![effect], wish)
    }

    fn commit_delivery(
        &mut self,
        number: u64,
        effect: Effect,
        state: &'static str,
    ) -> Option<Asked> {
        let run = *self.above.get(&Thing::Delivery(number))?;
        self.commit(run, vec![effect], vec![(Thing::Delivery(number), state)])
    }

    fn commit(&mut self, run: u64, effects: Vec<Effect>, wish: Wish) -> Option<Asked> {
        let message = *self.above.get(&Thing::Run(run))?;
        self.seen.extend(effects.iter().map(Effect::word));
        let mut step: Step = step(run, effects);
        let records = step.records.into_iter().map(|record| record.message(message_id(message)));
        step.records = hilum_audit::NonEmpty::from_vec(records.collect())?;
        Some(Asked::Commit(wish, self.world.store().commit(step)))
    }

    /// Asks for several things at once, lets the committer work, and notes what it said. False:
    /// the journal writes no more.
    fn round(&mut self) -> bool {
        let mut asked = Vec::new();
        let mut busy = Vec::new();
        for _ in 0..=self.dice.below(5) {
            if let Some(next) = self.ask(&busy) {
                let (Asked::Accept(wish, _) | Asked::Commit(wish, _)) = &next;
                busy.extend(wish.iter().map(|(thing, _)| *thing));
                // A replay looks at the deliveries of its run, so these are one thing.
                busy.extend(wish.iter().filter_map(|(thing, _)| match thing {
                    Thing::Delivery(_) => self.above.get(thing).map(|run| Thing::Run(*run)),
                    _ => None,
                }));
                asked.push(next);
            }
        }
        self.world.twin.run_until_idle();
        for one in asked {
            match one {
                Asked::Accept(wish, ticket) => {
                    let answer = ticket.now().unwrap_or_else(|_| panic!("no answer"));
                    match answer {
                        Ok(Accepted::New(_) | Accepted::Reused(_)) => self.tell(wish),
                        Ok(Accepted::Known(stored)) => {
                            // It was promised again, so it has to be there.
                            let first = stored.message().bits() & 0xffff;
                            let first = u64::try_from(first).expect("small");
                            self.tell(vec![(Thing::Message(first), "there")]);
                        }
                        Ok(Accepted::Conflict) => panic!("nothing conflicts"),
                        Err(fault) => self.not_told(wish, &fault),
                    }
                }
                Asked::Commit(wish, ticket) => {
                    let answer = ticket.now().unwrap_or_else(|_| panic!("no answer"));
                    match answer {
                        Ok(_) => self.tell(wish),
                        Err(fault) => self.not_told(wish, &fault),
                    }
                }
            }
        }
        for happened in self.world.take_happened() {
            self.told_of.extend(match happened {
                Happened::Run(ready) => {
                    Some(Thing::Run(u64::try_from(ready.run.bits() & 0xffff).expect("small")))
                }
                Happened::Queued(ready) => {
                    let number = ready.delivery.bits() & 0xffff;
                    Some(Thing::Delivery(u64::try_from(number).expect("small")))
                }
                Happened::Settled(_) | Happened::Decided { .. } | Happened::Unparked { .. } => None,
            });
        }
        self.world.store().poisoned().is_none()
    }

    fn tell(&mut self, wish: Wish) {
        for (thing, state) in wish {
            self.things.insert(thing, Possible { told: Some(state), asked: Vec::new() });
        }
    }

    fn not_told(&mut self, wish: Wish, fault: &StoreError) {
        assert!(matches!(fault, StoreError::Poisoned { .. }), "{fault}: {wish:?}");
        for (thing, state) in &wish {
            self.things.entry(*thing).or_default().asked.push(state);
        }
        self.unanswered.push(wish);
    }

    /// Compares the journal with what was told, and goes on from what there is.
    fn look(&mut self, why: &str) {
        let is_now = |story: &Self, thing: &Thing| {
            let store = story.world.store();
            match thing {
                Thing::Message(number) => store.message(message_id(*number)).map(|_| "there"),
                Thing::Run(number) => store.run(run_id(*number)).map(|it| it.state.word()),
                Thing::Delivery(number) => {
                    store.delivery(delivery_id(*number)).ok().map(|it| it.state.word())
                }
                Thing::Generation(number) => {
                    let known = store.generations(usize::MAX);
                    known.contains(&generation(*number).0).then_some("there")
                }
                Thing::Mark(number) => {
                    let marks = store.marks();
                    let value = marks.get(&format!("mark {number}")).map_or("off", String::as_str);
                    ["off", "a", "b"].into_iter().find(|it| *it == value)
                }
            }
        };
        for wish in std::mem::take(&mut self.unanswered) {
            let happened =
                |(thing, state): &(Thing, &'static str)| is_now(self, thing) == Some(*state);
            let before = |(thing, state): &(Thing, &'static str)| {
                self.things.get(thing).and_then(|it| it.told) == Some(*state)
            };
            let telling: Vec<bool> = wish.iter().filter(|it| !before(it)).map(happened).collect();
            let is_whole = telling.iter().all(|it| *it) || telling.iter().all(|it| !*it);
            assert!(is_whole, "{why}: half of {wish:?} happened");
        }
        let all: Vec<Thing> = self.things.keys().copied().collect();
        for thing in all {
            let now = is_now(self, &thing);
            let possible = self.things.get(&thing).cloned().unwrap_or_default();
            // A mark that was never set is off.
            let never = matches!(thing, Thing::Mark(_)) && possible.told.is_none();
            let is_possible = now == possible.told
                || never && now == Some("off")
                || now.is_some_and(|now| possible.asked.contains(&now));
            assert!(is_possible, "{why}: {thing:?} is {now:?}, and may be {possible:?}");
            match now {
                Some(state) => self.tell(vec![(thing, state)]),
                None => {
                    self.things.remove(&thing);
                }
            }
        }
        for thing in std::mem::take(&mut self.told_of) {
            assert!(self.things.contains_key(&thing), "{why}: {thing:?} was told of, and is gone");
        }
        let store = self.world.store();
        for (thing, possible) in &self.things {
            match thing {
                Thing::Message(number) => {
                    let body = store.body(message_id(*number)).expect("a body");
                    assert_eq!(Some(&body), self.bodies.get(number), "{why}: {thing:?}");
                    let trail = store.trail(message_id(*number)).expect("a trail");
                    assert_eq!(trail.first().map(|it| it.what.word()), Some("accepted"), "{why}");
                }
                Thing::Delivery(number) if possible.told == Some("queued") => {
                    let record = store.delivery(delivery_id(*number)).expect("a body");
                    assert_eq!(Some(&record.body), self.outputs.get(number), "{why}: {thing:?}");
                    assert_eq!(Some(&record.lanes), self.lanes.get(number), "{why}: {thing:?}");
                }
                _ => {}
            }
        }
        // The catalogue says what the journal says, wherever it was left behind.
        let (position, generations, marks) = self.world.catalogue();
        let known: Vec<_> = store.generations(usize::MAX).into_iter().rev().collect();
        assert_eq!((generations, marks), (known, store.marks()), "{why}");
        assert!(position <= store.counts().sequence, "{why}");
        let told = |thing: fn(&Thing) -> bool, state| {
            self.things.iter().filter(|(it, now)| thing(it) && now.told == Some(state)).count()
        };
        let undecided = told(|it| matches!(it, Thing::Run(_)), "undecided");
        let queued = told(|it| matches!(it, Thing::Delivery(_)), "queued");
        assert_eq!(store.undecided().len(), undecided, "{why}");
        assert_eq!(store.queued("ehr").len() + store.queued("archive").len(), queued, "{why}");
    }
}

/// Plays a story to its end, and says how many operations it took, and how many segments. Notes what
/// happened in it.
fn length(seed: u64, seen: &mut BTreeSet<&'static str>) -> (u64, u64) {
    let mut story = Story::new(seed);
    story.world.open().expect("it opens");
    for _ in 0..ROUNDS {
        assert!(story.round(), "nothing fails");
    }
    seen.append(&mut story.seen);
    (story.world.twin.disk().operations(), story.world.store().counts().segments)
}

/// Plays a story on a disk that stops, then goes on with it, cuts the power once more, and reads
/// the journal offline.
fn play(seed: u64, operation: u64, unsynced: Unsynced) {
    let why = format!("seed {seed}, operation {operation}, {unsynced:?}");
    let mut story = Story::new(seed);
    story.world.twin.disk().stop_at(operation);
    match story.world.open() {
        Ok(()) => {
            let mut rounds = 0;
            while rounds < ROUNDS && story.round() {
                rounds += 1;
            }
        }
        Err(OpenError::Disk { .. }) => {}
        Err(other) => panic!("{why}: {other}"),
    }
    story.world.crash(unsynced);
    if unsynced != Unsynced::Kept {
        // sled syncs when it likes: of what it was given the last may be lost.
        story.world.table = story.older_table.copy();
    }
    if let Err(refused) = story.world.open() {
        panic!("{why}: {refused}");
    }
    story.look(&why);
    // What was found after the death of the process is certain from then on.
    story.world.restart(Unsynced::Lost);
    story.look(&why);
    for _ in 0..LATER_ROUNDS {
        assert!(story.round(), "{why}: nothing fails any more");
    }
    story.world.restart(Unsynced::Lost);
    story.look(&why);
    story.world.stop();
    let report = story.world.check();
    assert!(report.is_sound() && report.is_complete, "{why}: {report:?}");
}

fn play_everywhere(seeds: std::ops::Range<u64>) {
    let mut seen = BTreeSet::new();
    for seed in seeds {
        let (operations, segments) = length(seed, &mut seen);
        assert!(2 < segments, "seed {seed}: the segments never rolled");
        for operation in 0..=operations {
            for unsynced in Unsynced::ALL {
                play(seed, operation, *unsynced);
            }
        }
    }
    for word in ["dispatched", "refused", "held", "released", "parked", "requeued", "discarded"] {
        assert!(seen.contains(word), "nothing was {word}: {seen:?}");
    }
}

#[test]
fn nothing_that_was_told_is_lost_wherever_the_disk_stops() {
    play_everywhere(0..3);
}

#[test]
fn a_disk_that_stops_while_the_journal_is_opened_changes_nothing() {
    for unsynced in Unsynced::ALL {
        for stop in 0..12 {
            let mut story = Story::new(7);
            story.world.open().expect("it opens");
            for _ in 0..6 {
                story.round();
            }
            // A torn tail to be cut.
            let more = story.world.twin.disk().operations();
            story.world.twin.disk().stop_at(more + 3);
            while story.round() {}
            story.world.crash(Unsynced::Torn);
            let now = story.world.twin.disk().operations();
            story.world.twin.disk().stop_at(now + stop);
            // It opens if it needs fewer operations than that.
            let _ = story.world.open();
            story.world.crash(*unsynced);
            story.world.open().unwrap_or_else(|fault| panic!("stop {stop}, {unsynced:?}: {fault}"));
            story.look(&format!("stop {stop}, {unsynced:?}"));
        }
    }
}

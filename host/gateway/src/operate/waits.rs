//! Why a delivery that is queued does not go at once.

use hilum_destinations::{Breaker, Courier, CourierStatus, OnPark, State};
use hilum_store::{DeliveryRecord, DeliveryState};
use hilum_words::Timestamp;

use crate::Gateway;

impl Gateway {
    /// What a queued delivery waits for, in words; none of one that is not queued.
    pub fn waits(&self, delivery: &DeliveryRecord) -> Option<String> {
        if delivery.state != DeliveryState::Queued {
            return None;
        }
        let (name, now) = (&delivery.destination, self.now());
        if let Some(mark) = self.plant.store.marks().get(&Courier::paused_mark(name)) {
            return Some(paused(mark));
        }
        let all = self.plant.dispatch.statuses();
        let Some((status, is_there)) = all.into_iter().find(|(it, _)| it.name == *name) else {
            return Some("its destination is not configured".to_owned());
        };
        if !is_there {
            return Some("its destination is being replaced".to_owned());
        }
        let ahead = self.plant.store.ahead(delivery.delivery, self.is_blocked_by_parked(name));
        match ahead {
            Some(it) if it.is_parked => {
                return Some(format!("stands behind {}, which is parked", it.delivery));
            }
            _ => {}
        }
        if let Some(said) = stopped(&status) {
            return Some(said);
        }
        if let Some(due) = delivery.due.filter(|it| now < *it) {
            return Some(format!("waits until {due}"));
        }
        Some(match ahead {
            Some(it) => match it.due.filter(|it| now < *it) {
                Some(due) => {
                    let why = it.why.map(|why| format!(": {why}")).unwrap_or_default();
                    format!("stands behind {}, which is tried again at {due}{why}", it.delivery)
                }
                None => format!("stands behind {}", it.delivery),
            },
            None => "is on its way, or goes next".to_owned(),
        })
    }

    /// Which destinations a person has paused, as it is now.
    pub fn paused(&self) -> impl Fn(&str) -> bool + use<> {
        let marks = self.plant.store.marks();
        move |destination| marks.contains_key(&Courier::paused_mark(destination))
    }

    /// Whether everything that is queued for a destination stands behind something parked. Its courier
    /// holds nothing then.
    pub(super) fn is_blocked(&self, status: &CourierStatus) -> bool {
        let name = &status.name;
        if status.state != State::Idle || !self.is_blocked_by_parked(name) {
            return false;
        }
        let (queued, _) = self.plant.store.queued_first(name, 1);
        let first = queued.first().and_then(|it| self.plant.store.ahead(it.delivery, true));
        first.is_some_and(|it| it.is_parked)
    }

    fn is_blocked_by_parked(&self, destination: &str) -> bool {
        let running = self.running();
        let site = running.site.destinations.iter().find(|it| it.name.as_str() == destination);
        site.is_some_and(|it| it.config.on_park == OnPark::Block)
    }
}

/// The mark says when, who and why: `2026-11-24T09:00:00.000Z uid:0: their upgrade`.
fn paused(mark: &str) -> String {
    match mark.split_once(' ') {
        Some((since, who)) => format!("its destination is paused since {since} by {who}"),
        None => "its destination is paused".to_owned(),
    }
}

/// Why nothing goes to this destination now, whatever it is.
fn stopped(status: &CourierStatus) -> Option<String> {
    let until = |until: Option<Timestamp>| match until {
        Some(until) => format!(" until {until}"),
        None => String::new(),
    };
    match (status.breaker, status.state) {
        (Breaker::Open, _) => Some(format!("the breaker is open{}", until(status.next_attempt))),
        (Breaker::HalfOpen, _) => Some("the breaker lets one delivery try".to_owned()),
        (Breaker::Closed, State::Misconfigured) => Some(format!(
            "its destination's set-up is at fault; it rests{}",
            until(status.next_attempt)
        )),
        (Breaker::Closed, State::Stopped) => Some("its courier has stopped".to_owned()),
        (Breaker::Closed, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_told_in_words() {
        assert_eq!(
            paused("2026-11-24T09:00:00.000Z uid:0: their upgrade"),
            "its destination is paused since 2026-11-24T09:00:00.000Z by uid:0: their upgrade"
        );
    }
}

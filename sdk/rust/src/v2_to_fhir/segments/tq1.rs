//! TQ1: `segments/TQ1[ServiceRequest]` of the guide.

use crate::Writer;
use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::codes::{self, EXTENDED_PRIORITY_CODES};
use crate::v2_to_fhir::results::text::whole;
use crate::v2_to_fhir::results::{noted, number, quantity as amounts, timing as timings};
use crate::v2_to_fhir::{Context, datatypes};

const TQ1: &str = "segments/TQ1[ServiceRequest]";

/// TQ1-9, as FHIR's priority.
pub(super) fn priority(tq1: Segment<'_>) -> Option<&'static str> {
    codes::value_of(&EXTENDED_PRIORITY_CODES, tq1.field(9))
}

/// `quantityQuantity`: TQ1-2.
pub(super) fn quantity(w: &mut Writer, ctx: &Context<'_>, tq1: Segment<'_>) -> bool {
    let amount = tq1.field(2);
    noted(TQ1, 2, w.object_if("quantityQuantity", |w| amounts::cq(w, ctx, amount)))
}

/// An element of `note`: TQ1-11.
pub(super) fn note(w: &mut Writer, tq1: Segment<'_>) {
    let written = w.element(|w| {
        w.text("text", whole(tq1.field(11)));
    });
    noted(TQ1, 13, written);
}

/// `occurrenceTiming`: the first repetition of TQ1-3, and what bounds it.
pub(super) fn timing(w: &mut Writer, tq1: Segment<'_>, moment: Option<&str>) -> bool {
    let pattern = tq1.field(3);
    w.object("occurrenceTiming", |w| {
        timings::event(w, moment);
        let coded = timings::repeat_pattern(w, pattern.component(1));
        noted("datatypes/RPT[Timing]", 1, coded);
        let repeated = w.object("repeat", |w| {
            bounds(w, tq1);
            let count = positive(tq1.field(14));
            noted(TQ1, 17, w.number("count", count));
            lasts(w, tq1);
            // tim-10: times of the day, or the event that it is tied to.
            let timed = noted(TQ1, 4, timings::times_of_day(w, tq1.repetitions(4)));
            noted(TQ1, 5, timings::rpt_repeat(w, pattern, timed, tq1.field(5)));
        });
        noted(TQ1, 3, coded || repeated && pattern.is_valued());
    })
}

/// FHIR takes one of period and duration.
fn bounds(w: &mut Writer, tq1: Segment<'_>) {
    let has_duration = tq1.is_valued(6);
    let period = w.object("boundsPeriod", |w| {
        noted(TQ1, 9, w.text("start", datatypes::date_time(tq1.field(7))));
        let end = w.text("end", datatypes::date_time(tq1.field(8)));
        noted(TQ1, 10, end && !has_duration);
    });
    if !period && has_duration {
        let duration = tq1.field(6);
        let written = w.object_if("boundsDuration", |w| {
            timings::duration(w, duration.component(1), duration.component(2))
        });
        noted(TQ1, 6, written);
    }
}

/// TQ1-13: how long it lasts. tim-1: only with a unit.
fn lasts(w: &mut Writer, tq1: Segment<'_>) {
    let duration = tq1.field(13);
    let amount = duration.component(1).text();
    if let (Some(amount), Some(unit)) = (amount, timings::unit_of_time(duration.component(2)))
        && let Some(amount) = number::decimal(&amount)
    {
        noted(TQ1, 15, w.number("duration", Some(amount)));
        noted(TQ1, 16, w.text("durationUnit", Some(unit)));
    }
}

fn positive(count: Field<'_>) -> Option<String> {
    let count = count.text()?;
    (crate::is_token(&count) || count.parse::<i32>().is_ok_and(|it| 0 < it))
        .then(|| count.into_owned())
}

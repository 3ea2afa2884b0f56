//! PR1: what was done to the patient.
//!
//! Setting of the route: `procedure.status`, such as `"completed"`, where the site knows what its
//! senders mean by a PR1. Else it is `unknown`, as the guide says.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::people;
use crate::v2_to_fhir::people::codings::codings;
use crate::v2_to_fhir::people::{location, practitioner};
use crate::v2_to_fhir::rows::rows;
use crate::v2_to_fhir::{Bundle, Identity, Refs, Urn, datatypes, row};

mod time;

const CODED: &str = "datatypes/CNE[CodeableConcept]";

/// `segments/PR1[Procedure]`. The subject is the bundle's last patient, the visit its last encounter.
pub fn procedure(bundle: &mut Bundle<'_>, pr1: Segment<'_>) -> Option<Urn> {
    if ![3, 4, 5, 19].into_iter().any(|it| pr1.is_valued(it)) {
        return None;
    }
    let name = ["Procedure[", &pr1.number().to_string(), "]"].concat();
    let number = pr1.field(19);
    let identity = match people::ei_key(bundle.ctx(), number) {
        Some(known) => Identity::Identifier(known),
        None => Identity::derived(&super::keys::key(pr1, |it| {
            let own = it.field(19).component(1).text().map(String::from);
            own.or_else(|| of_time(it))
        })),
    };
    bundle.add("Procedure", &name, identity, |w, refs| {
        w.array("identifier", |w| {
            refs.derived_identifier(w);
            let own = w.element_if(|w| people::ei_identifier(w, refs.ctx(), number));
            row("segments/PR1[Procedure]#27", own);
        });
        part_of(w, refs, pr1);
        row("segments/PR1[Procedure]#1", status(w, refs, pr1));
        let category =
            w.object_if("category", |w| datatypes::cwe_concept(w, refs.ctx(), pr1.field(6)));
        row("segments/PR1[Procedure]#9", category);
        code(w, refs, pr1);
        if !refs.to(w, "subject", "Patient") {
            return refs.leave_out();
        }
        refs.to(w, "encounter", "Encounter");
        time::performed(w, pr1);
        w.array("performer", |w| performers(w, refs, pr1));
        let place = location::pl(w, "location", refs, pr1.field(23));
        row("segments/PR1[Procedure]#31", place);
        let reason = w.array("reasonCode", |w| {
            for field in pr1.repetitions(15) {
                w.element_if(|w| datatypes::cwe_concept(w, refs.ctx(), field));
            }
        });
        row("segments/PR1[Procedure]#23", reason);
    })
}

/// The same procedure at another time is another one.
fn of_time(pr1: Segment<'_>) -> Option<String> {
    let code = pr1.field(3);
    let code = [code.component(1), code.component(2), pr1.field(4)];
    let code = code.into_iter().find_map(|it| it.text())?;
    Some(match pr1.field(5).text() {
        Some(time) => [&code, "-", &time].concat(),
        None => code.into_owned(),
    })
}

/// #1. A procedure that is deleted (PR1-20, table 0206) was none.
fn status(w: &mut Writer, refs: &mut Refs<'_, '_>, pr1: Segment<'_>) -> bool {
    if pr1.field(20).text().as_deref() == Some("D") {
        return w.text("status", Some("entered-in-error"));
    }
    const STATUSES: [&str; 7] =
        ["preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "unknown"];
    let known = refs.ctx().setting("procedure.status");
    let known = STATUSES.into_iter().find(|it| Some(*it) == known.as_deref());
    w.text("status", Some(known.unwrap_or("unknown")))
}

/// #4, #5, #24.
fn code(w: &mut Writer, refs: &mut Refs<'_, '_>, pr1: Segment<'_>) {
    let (code, description) = (pr1.field(3), pr1.field(4));
    w.object("code", |w| {
        w.array("coding", |w| {
            row("segments/PR1[Procedure]#4", codings(w, refs.ctx(), CODED, code));
            modified(w, refs, pr1);
        });
        match code.component(9).text() {
            Some(original) => w.text("text", Some(original)),
            None => row("segments/PR1[Procedure]#5", w.text("text", description.text())),
        };
    });
}

/// #24: the code with its modifiers, as CPT writes them.
fn modified(w: &mut Writer, refs: &mut Refs<'_, '_>, pr1: Segment<'_>) {
    let code = pr1.field(3);
    let (Some(mut all), true) = (code.component(1).text().map(String::from), pr1.is_valued(16))
    else {
        return;
    };
    for modifier in pr1.repetitions(16).filter_map(|it| it.component(1).text()) {
        all.push(':');
        all.push_str(&modifier);
    }
    let name = code.component(3).text();
    let system = name.and_then(|it| datatypes::system_of(refs.ctx(), &it));
    w.element(|w| {
        w.text("system", system);
        row("segments/PR1[Procedure]#24", w.text("code", Some(&all)));
    });
}

/// Who did what, by the field.
struct Performers {
    field: usize,
    /// A SNOMED CT code, and what it is called.
    function: Option<[&'static str; 2]>,
    rows: &'static [&'static str],
}

const PERFORMERS: [Performers; 3] = [
    Performers {
        field: 8,
        function: Some(["88189002", "Anesthesiologist"]),
        rows: &[
            "segments/PR1[Procedure]#12",
            "segments/PR1[Procedure]#13",
            "segments/PR1[Procedure]#14",
        ],
    },
    Performers {
        field: 11,
        function: Some(["304292004", "Surgeon"]),
        rows: &[
            "segments/PR1[Procedure]#17",
            "segments/PR1[Procedure]#18",
            "segments/PR1[Procedure]#19",
        ],
    },
    // The guide knows no function for a practitioner of whom PR1 says no more.
    Performers { field: 12, function: None, rows: &["segments/PR1[Procedure]#20"] },
];

/// #12 to #20.
fn performers(w: &mut Writer, refs: &mut Refs<'_, '_>, pr1: Segment<'_>) {
    for Performers { field, function, rows: ids } in PERFORMERS {
        for person in pr1.repetitions(field) {
            let Some(person) = practitioner::place(refs, person) else {
                continue;
            };
            let written = w.element(|w| {
                if let Some(function) = function {
                    w.object("function", |w| does(w, function));
                }
                w.object("actor", |w| {
                    w.text("reference", Some(&person));
                });
            });
            rows(ids, written);
        }
    }
}

fn does(w: &mut Writer, [code, display]: [&str; 2]) {
    w.array("coding", |w| {
        w.element(|w| {
            w.text("system", Some("http://snomed.info/sct"));
            w.text("code", Some(code));
            w.text("display", Some(display));
        });
    });
}

/// #33: the procedure that it belongs to, by its number.
fn part_of(w: &mut Writer, refs: &mut Refs<'_, '_>, pr1: Segment<'_>) {
    let written = w.array("partOf", |w| {
        w.element_if(|w| {
            w.text("type", Some("Procedure"));
            w.object_if("identifier", |w| people::ei_identifier(w, refs.ctx(), pr1.field(25)))
        });
    });
    row("segments/PR1[Procedure]#33", written);
}

#[cfg(test)]
mod tests;

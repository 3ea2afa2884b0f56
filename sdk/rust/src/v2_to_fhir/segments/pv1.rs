//! PV1: the Encounter, and what else a visit says of the patient.

mod history;
mod hospitalization;
mod whereabouts;

pub use history::{history, importance};

use crate::Writer;
use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::bundle::{Bundle, Identifier, Identity, Urn};
use crate::v2_to_fhir::people::practitioner;
use crate::v2_to_fhir::segments::{msh, pv2};
use crate::v2_to_fhir::{Context, Refs, codes, datatypes, row};

/// What a visit consists of besides PV1, as the message has it.
pub struct Visit<'m> {
    /// The visit itself.
    pub pv1: Segment<'m>,
    /// More of it.
    pub pv2: Option<Segment<'m>>,
    /// The row of the message map for PV2.
    pub pv2_row: &'static str,
    /// What the event says of the status: it decides against PV1-2.
    pub status: Option<&'static str>,
}

/// `PV1[Encounter]` and `PV2[Encounter]`. `participants` and `diagnoses` write further elements of
/// `participant` (ROL) and `diagnosis` (DG1). None where PV1 says that there is no visit: class N,
/// *not applicable*, without a number (A28, A31).
pub fn encounter<'m>(
    bundle: &mut Bundle<'m>,
    name: &str,
    visit: &Visit<'m>,
    participants: &mut dyn FnMut(&mut Writer, &mut Refs<'_, 'm>),
    diagnoses: &mut dyn FnMut(&mut Writer, &mut Refs<'_, 'm>),
) -> Option<Urn> {
    let pv1 = visit.pv1;
    let ctx = bundle.ctx();
    let identity = identity(pv1, ctx);
    if identity.is_none() && pv1.field(2).code() == Some("N") {
        return None;
    }
    let urn = bundle.urn(name);
    // Nothing names the visit, and a delivery may be repeated: the message's own id for it keeps the
    // repeat from making a second one.
    let own = identity.is_none();
    let identity = identity.unwrap_or_else(|| Identifier::new(Some("urn:ietf:rfc:3986"), &urn));
    bundle.add("Encounter", name, Identity::Identifier(identity), |w, refs| {
        if let Some(pv2) = visit.pv2 {
            row(visit.pv2_row, pv2.is_valued(3) || pv2.is_valued(8) || pv2.is_valued(9));
            pv2::protection(w, pv2);
            w.array("extension", |w| pv2::extensions(w, refs, pv2));
        }
        w.array("identifier", |w| {
            if own {
                w.element(|w| {
                    w.text("system", Some("urn:ietf:rfc:3986"));
                    w.text("value", Some(&urn));
                });
            }
            identifiers(w, refs, pv1);
        });
        status(w, visit);
        class(w, refs, pv1);
        w.array("type", |w| {
            let kind = w.element_if(|w| {
                datatypes::cwe_concept_of(w, refs.ctx(), pv1.field(4), &codes::ADMISSION_TYPE)
            });
            row("segments/PV1[Encounter]#7", kind);
        });
        let service = w.object_if("serviceType", |w| {
            datatypes::cwe_concept_of(w, refs.ctx(), pv1.field(10), &codes::HOSPITAL_SERVICE)
        });
        row("segments/PV1[Encounter]#23", service);
        if let Some(pv2) = visit.pv2 {
            pv2::priority(w, refs, pv2);
        }
        refs.to(w, "subject", "Patient");
        w.array("episodeOfCare", |w| episode(w, refs, pv1));
        w.array("participant", |w| {
            for role in &ROLES {
                role.participants(w, refs, pv1);
            }
            if let Some(pv2) = visit.pv2 {
                pv2::referrer(w, refs, pv2);
            }
            participants(w, refs);
        });
        w.object("period", |w| {
            row("segments/PV1[Encounter]#68", w.text("start", datatypes::date_time(pv1.field(44))));
            // Times of discharge may repeat in old versions: the last is the one that held.
            let end = pv1.repetitions(45).last().and_then(datatypes::date_time);
            row("segments/PV1[Encounter]#69", w.text("end", end));
        });
        if let Some(pv2) = visit.pv2 {
            pv2::length(w, pv2);
            pv2::reason(w, refs, pv2);
        }
        w.array("diagnosis", |w| diagnoses(w, refs));
        w.object("hospitalization", |w| hospitalization::members(w, refs, pv1));
        w.array("location", |w| {
            whereabouts::locations(w, refs, pv1);
            if let Some(pv2) = visit.pv2 {
                pv2::location(w, refs, pv2);
            }
        });
        if let Some(pv2) = visit.pv2 {
            pv2::narrative(w, pv2);
        }
    })
}

/// What names the visit: PV1-19, else PV1-50.
fn identity(pv1: Segment<'_>, ctx: &Context<'_>) -> Option<Identifier> {
    let mut numbers = [19, 50].into_iter().flat_map(|it| pv1.repetitions(it));
    numbers.find_map(|it| datatypes::cx_key(ctx, it))
}

/// #39 to #42: whatever its own type says, PV1-19 is the visit number. #75.
fn identifiers(w: &mut Writer, refs: &mut Refs<'_, '_>, pv1: Segment<'_>) {
    for number in pv1.repetitions(19) {
        let written = w.element_if(|w| {
            datatypes::cx_identifier_of(w, refs, number, |w| {
                w.object("type", |w| visit_number_type(w, number))
            })
        });
        for id in [
            "segments/PV1[Encounter]#39",
            "segments/PV1[Encounter]#40",
            "segments/PV1[Encounter]#41",
            "segments/PV1[Encounter]#42",
        ] {
            row(id, written);
        }
    }
    for other in pv1.repetitions(50) {
        let written = w.element_if(|w| datatypes::cx_identifier(w, refs, other));
        row("segments/PV1[Encounter]#75", written);
    }
}

/// The sender's own type stands beside it, if it says another thing.
fn visit_number_type(w: &mut Writer, number: Field<'_>) {
    w.array("coding", |w| {
        codes::coding(w, "", &codes::IDENTIFIER_TYPE, "VN");
        let own = number.component(5).text();
        row("datatypes/CX[Identifier]#8", own.is_some());
        if let Some(own) = own.filter(|it| it != "VN") {
            codes::coding(w, "", &codes::IDENTIFIER_TYPE, &own);
        }
    });
    w.text("text", Some("visit number"));
}

/// #3, #70. FHIR requires a status; where the table has none, it is unknown.
fn status(w: &mut Writer, visit: &Visit<'_>) {
    let pv1 = visit.pv1;
    let is_over = pv1.is_valued(45);
    let of_class = codes::value_of(&codes::PATIENT_CLASS_ENCOUNTER_STATUS, pv1.field(2));
    let status = match (visit.status, is_over) {
        (Some(status), _) => status,
        (None, true) => "finished",
        (None, false) => of_class.unwrap_or("unknown"),
    };
    w.text("status", Some(status));
    row("segments/PV1[Encounter]#70", is_over && status == "finished");
    let is_of_class = !is_over && of_class == Some(status);
    row("segments/PV1[Encounter]#3", is_of_class);
    row("datatypes/CWE[code]#1", is_of_class);
}

/// #2. FHIR requires a class: a local one is told as such, none at all is said to be unknown.
fn class(w: &mut Writer, refs: &mut Refs<'_, '_>, pv1: Segment<'_>) {
    let written = w.object_if("class", |w| {
        msh::coding_of(w, refs.ctx(), pv1.field(2), &codes::PATIENT_CLASS_ENCOUNTER_CLASS)
    });
    if !row("segments/PV1[Encounter]#2", written) {
        w.object("class", |w| {
            w.text("system", Some("http://terminology.hl7.org/CodeSystem/v3-NullFlavor"));
            w.text("code", Some("UNK"));
            w.text("display", Some("unknown"));
        });
    }
}

/// #83, #81 and #82: the episode by its number. FHIR's EpisodeOfCare asks for a status that no field
/// has, and a resource made here would replace the one that the master of episodes keeps.
fn episode(w: &mut Writer, refs: &mut Refs<'_, '_>, pv1: Segment<'_>) {
    let [description, number] = [53, 54].map(|it| pv1.field(it));
    let mut is_numbered = false;
    let mut is_described = false;
    w.element(|w| {
        is_described = w.array("extension", |w| {
            w.element_if(|w| {
                w.text(
                    "url",
                    Some("http://hl7.org/fhir/StructureDefinition/resource-instance-description"),
                );
                w.text("valueString", description.text())
            });
        });
        if number.is_valued() {
            w.text("type", Some("EpisodeOfCare"));
            is_numbered = w.object_if("identifier", |w| datatypes::cx_identifier(w, refs, number));
        }
    });
    row("segments/PV1[Encounter]#83", is_numbered);
    row("segments/PV1[Encounter]#81", is_described);
    row("segments/PV1[Encounter]#82", is_described);
}

/// A field that names persons, the role they have (table v3-ParticipationType), and its rows.
struct Role {
    field: usize,
    code: &'static str,
    display: &'static str,
    /// Whether the guide writes its name as a text of the type.
    is_text: bool,
    rows: [&'static str; 4],
}

macro_rules! role {
    ($field:literal, $code:literal, $display:literal, $is_text:literal, $($row:literal),*) => {
        Role {
            field: $field,
            code: $code,
            display: $display,
            is_text: $is_text,
            rows: [$(concat!("segments/PV1[Encounter]#", $row)),*],
        }
    };
}

const ROLES: [Role; 5] = [
    role!(7, "ATND", "attender", false, 11, 12, 13, 14),
    role!(8, "REF", "referrer", true, 15, 16, 17, 18),
    role!(9, "CON", "consultant", true, 19, 20, 21, 22),
    role!(17, "ADM", "admitter", true, 34, 35, 36, 37),
    role!(52, "PART", "Participation", true, 77, 78, 79, 80),
];

impl Role {
    fn participants(&self, w: &mut Writer, refs: &mut Refs<'_, '_>, pv1: Segment<'_>) {
        for who in pv1.repetitions(self.field) {
            let written = participant(w, refs, who, self.code, self.display, self.is_text);
            for id in self.rows {
                row(id, written);
            }
        }
    }
}

/// An element of `participant`, if the field names somebody.
pub(super) fn participant(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    who: Field<'_>,
    code: &str,
    display: &str,
    is_text: bool,
) -> bool {
    if !who.is_valued() {
        return false;
    }
    w.element_if(|w| {
        w.array("type", |w| {
            w.element(|w| {
                w.array("coding", |w| {
                    w.element(|w| {
                        let system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
                        w.text("system", Some(system));
                        w.text("code", Some(code));
                        w.text("display", Some(display));
                    });
                });
                w.text("text", Some(display).filter(|_| is_text));
            });
        });
        practitioner::xcn(w, "individual", refs, who)
    })
}

/// The status that the event alone decides (`MSH[Encounter]`), for a message map that has the row.
pub fn status_of_event(ctx: &Context<'_>) -> Option<&'static str> {
    ctx.hl7.segment(0).and_then(msh::encounter_status)
}

//! NK1: next of kin and associated parties, as contacts of the Patient and as RelatedPersons.

use crate::Writer;
use crate::hl7::Segment;
use crate::v2_to_fhir::bundle::{Bundle, Identity, Urn};
use crate::v2_to_fhir::people::organization;
use crate::v2_to_fhir::{Refs, codes, datatypes, row};

/// Whether NK1-3 says that it is no person but an organization: employer, insurance and the like.
pub fn is_organization(nk1: Segment<'_>) -> bool {
    matches!(nk1.field(3).code(), Some("EMR" | "E" | "F" | "I" | "S"))
}

/// `NK1[Patient]`: an element of `contact`. None without a name, an address, a telecom or an
/// organization: FHIR's pat-1 asks for one of them.
pub fn contact(w: &mut Writer, refs: &mut Refs<'_, '_>, nk1: Segment<'_>) -> bool {
    w.element_if(|w| {
        w.array("relationship", |w| relationships(w, refs, nk1, CONTACT));
        // One name and one address: FHIR has no room for more.
        let name = nk1.repetitions(2).next();
        let name = name.is_some_and(|it| w.object_if("name", |w| datatypes::xpn_name(w, it)));
        row("segments/NK1[Patient]#2", name);
        let telecom = w.array("telecom", |w| {
            telecoms(w, nk1, CONTACT);
        });
        let address = nk1.repetitions(4).next();
        let address =
            address.is_some_and(|it| w.object_if("address", |w| datatypes::xad_address(w, it)));
        row("segments/NK1[Patient]#4", address);
        row("segments/NK1[Patient]#16", gender(w, nk1));
        let organization = organization_of(w, refs, nk1);
        period(w, nk1, CONTACT);
        name || telecom || address || organization
    })
}

/// NK1-13, with its contact person of NK1-30 to NK1-32.
fn organization_of(w: &mut Writer, refs: &mut Refs<'_, '_>, nk1: Segment<'_>) -> bool {
    let written = organization::xon_with(w, "organization", refs, nk1.field(13), |w, _| {
        w.array("contact", |w| {
            w.element(|w| {
                let name = nk1.repetitions(30).next();
                let name =
                    name.is_some_and(|it| w.object_if("name", |w| datatypes::xpn_name(w, it)));
                row("segments/NK1[Patient]#31", name);
                let telecom = w.array("telecom", |w| {
                    for telecom in nk1.repetitions(31) {
                        w.element_if(|w| datatypes::xtn_contact_point(w, telecom, None));
                    }
                });
                row("segments/NK1[Patient]#32", telecom);
                let address = nk1.repetitions(32).next();
                let address = address
                    .is_some_and(|it| w.object_if("address", |w| datatypes::xad_address(w, it)));
                row("segments/NK1[Patient]#33", address);
            });
        });
    });
    row("segments/NK1[Patient]#14", written)
}

/// `NK1[RelatedPerson]`. It is found again by the patient and its place in the list: its own
/// identifiers may be those of the same person as a relative of another patient.
pub fn related_person(bundle: &mut Bundle<'_>, nk1: Segment<'_>, number: usize) -> Option<Urn> {
    let key = match nk1.field(1).text() {
        Some(set_id) => set_id.into_owned(),
        None => number.to_string(),
    };
    let name = ["RelatedPerson[", &(number + 1).to_string(), "]"].concat();
    bundle.add("RelatedPerson", &name, Identity::derived(&key), |w, refs| {
        w.array("identifier", |w| {
            refs.derived_identifier(w);
            identifiers(w, refs, nk1);
        });
        refs.to(w, "patient", "Patient");
        let related = w.array("relationship", |w| relationships(w, refs, nk1, RELATED));
        let names = w.array("name", |w| {
            for (field, id) in
                [(2, "segments/NK1[RelatedPerson]#2"), (30, "segments/NK1[RelatedPerson]#31")]
            {
                for name in nk1.repetitions(field) {
                    row(id, datatypes::xpn_names(w, name));
                }
            }
        });
        let telecoms = w.array("telecom", |w| telecoms(w, nk1, RELATED));
        row("segments/NK1[RelatedPerson]#16", gender(w, nk1));
        let born = datatypes::date(nk1.field(16));
        row("segments/NK1[RelatedPerson]#17", w.text("birthDate", born));
        let addresses = w.array("address", |w| {
            for (field, id) in
                [(4, "segments/NK1[RelatedPerson]#4"), (32, "segments/NK1[RelatedPerson]#33")]
            {
                for address in nk1.repetitions(field) {
                    row(id, w.element_if(|w| datatypes::xad_address(w, address)));
                }
            }
        });
        period(w, nk1, RELATED);
        w.array("communication", |w| {
            w.element(|w| {
                let language = super::pid::language(w, "language", refs, nk1.field(20));
                row("segments/NK1[RelatedPerson]#21", language);
            });
        });
        if !related && !names && !telecoms && !addresses && !nk1.is_valued(33) {
            refs.leave_out();
        }
    })
}

fn identifiers(w: &mut Writer, refs: &mut Refs<'_, '_>, nk1: Segment<'_>) {
    for (field, id) in
        [(12, "segments/NK1[RelatedPerson]#13"), (33, "segments/NK1[RelatedPerson]#34")]
    {
        for identifier in nk1.repetitions(field) {
            row(id, w.element_if(|w| datatypes::cx_identifier(w, refs, identifier)));
        }
    }
    let is_american = super::pid::is_american(refs.ctx());
    let social = w.element_if(|w| super::pid::social_security(w, refs.ctx(), nk1.field(37)));
    row("segments/NK1[RelatedPerson]#38", social);
    row("segments/NK1[RelatedPerson]#39", social && is_american);
    row("segments/NK1[RelatedPerson]#40", social && is_american);
    row("segments/NK1[RelatedPerson]#41", social && !is_american);
}

/// The rows of one map for what both maps have.
#[derive(Clone, Copy)]
struct Rows {
    relationship: [&'static str; 2],
    /// NK1-5, NK1-6 and its use, NK1-31, NK1-40, NK1-41.
    telecom: [&'static str; 6],
    period: [&'static str; 2],
    /// Whether the contact person's telephone (NK1-31) is one of these.
    has_contact_person: bool,
}

const CONTACT: Rows = Rows {
    relationship: ["segments/NK1[Patient]#3", "segments/NK1[Patient]#8"],
    telecom: [
        "segments/NK1[Patient]#5",
        "segments/NK1[Patient]#6",
        "segments/NK1[Patient]#7",
        "",
        "segments/NK1[Patient]#41",
        "segments/NK1[Patient]#42",
    ],
    period: ["segments/NK1[Patient]#9", "segments/NK1[Patient]#10"],
    has_contact_person: false,
};

const RELATED: Rows = Rows {
    relationship: ["segments/NK1[RelatedPerson]#3", "segments/NK1[RelatedPerson]#8"],
    telecom: [
        "segments/NK1[RelatedPerson]#5",
        "segments/NK1[RelatedPerson]#6",
        "segments/NK1[RelatedPerson]#7",
        "segments/NK1[RelatedPerson]#32",
        "segments/NK1[RelatedPerson]#44",
        "segments/NK1[RelatedPerson]#45",
    ],
    period: ["segments/NK1[RelatedPerson]#9", "segments/NK1[RelatedPerson]#10"],
    has_contact_person: true,
};

fn relationships(w: &mut Writer, refs: &mut Refs<'_, '_>, nk1: Segment<'_>, rows: Rows) {
    let kin = w.element_if(|w| {
        datatypes::cwe_concept_of(w, refs.ctx(), nk1.field(3), &codes::RELATIONSHIP)
    });
    row(rows.relationship[0], kin);
    let role = w.element_if(|w| {
        datatypes::cwe_concept_of(w, refs.ctx(), nk1.field(7), &codes::CONTACT_ROLE)
    });
    row(rows.relationship[1], role);
}

fn telecoms(w: &mut Writer, nk1: Segment<'_>, rows: Rows) {
    for (index, field, own_use) in
        [(0, 5, None), (1, 6, Some("work")), (3, 31, None), (4, 40, None), (5, 41, None)]
    {
        if field == 31 && !rows.has_contact_person {
            continue;
        }
        for telecom in nk1.repetitions(field) {
            let written = w.element_if(|w| datatypes::xtn_contact_point(w, telecom, own_use));
            row(rows.telecom[index], written);
            if own_use.is_some() {
                row(rows.telecom[2], written);
            }
        }
    }
}

fn gender(w: &mut Writer, nk1: Segment<'_>) -> bool {
    let code = nk1.field(15).text();
    let code = code.and_then(|it| codes::value(&codes::ADMINISTRATIVE_SEX, &it));
    row("datatypes/CWE[code]#1", w.text("gender", code))
}

fn period(w: &mut Writer, nk1: Segment<'_>, rows: Rows) {
    w.object("period", |w| {
        for (key, field, id) in [("start", 8, rows.period[0]), ("end", 9, rows.period[1])] {
            let date = datatypes::date_time(nk1.field(field));
            row(id, w.text(key, date));
        }
    });
}

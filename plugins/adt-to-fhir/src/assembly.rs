//! The bundle of a message: the segments' maps in the order in which their resources refer to each
//! other.

use hilum_sdk::hl7::Segment;
use hilum_sdk::v2_to_fhir::bundle::Urn;
use hilum_sdk::v2_to_fhir::segments::obx::{self, Keys, Observed};
use hilum_sdk::v2_to_fhir::segments::{
    al1, dg1, evn, in1, mrg, msh, nk1, pd1, pid, pr1, prt, pv1, rol,
};
use hilum_sdk::v2_to_fhir::{Bundle, Context, Refs, row};
use hilum_sdk::{Reason, Refusal, Writer, refuse};

use crate::groups::{self, Person};
use crate::structures::{self, Structure};

/// Everything that the message's map says.
pub fn bundle<'m>(
    ctx: &'m Context<'m>,
    msh: Segment<'m>,
    structure: &Structure,
) -> Result<Bundle<'m>, Refusal> {
    let persons = groups::persons(ctx.hl7, structure.persons.len());
    if persons.is_empty() {
        return Err(refuse(Reason::RequiredMissing, "a message needs a patient").at("PID"));
    }
    let mut bundle = Bundle::new(ctx);
    bundle.head(|w| msh::bundle(w, msh, ctx));
    row(structure.bundle, true);
    let mut focus = Vec::new();
    for (person, rows) in persons.iter().zip(structure.persons) {
        focus.extend(of_person(&mut bundle, structure, person, rows)?);
    }
    // These stand in a bundle of type message alone.
    if ctx.setting("message").is_some() {
        about_message(&mut bundle, msh, structure, &focus);
    }
    Ok(bundle)
}

fn about_message(bundle: &mut Bundle<'_>, msh: Segment<'_>, structure: &Structure, focus: &[Urn]) {
    row(structure.header, msh::message_header(bundle, msh, focus).is_some());
    row(structure.source, msh::source(bundle, msh, structure.software).is_some());
    let made = msh::transformation(bundle, msh, "Hilum adt-to-fhir");
    row(structure.transformation, made.is_some());
    if let Some(evn) = bundle.ctx().hl7.first("EVN") {
        row(structure.event, evn::provenance(bundle, evn, structure.operator).is_some());
    }
}

/// A patient and what belongs to the patient. Answers what the message is about.
fn of_person<'m>(
    bundle: &mut Bundle<'m>,
    structure: &Structure,
    person: &Person<'m>,
    rows: &structures::Person,
) -> Result<Vec<Urn>, Refusal> {
    let ctx = bundle.ctx();
    let identifier = pid::key(person.pid, ctx)?;
    let patient = bundle.patient(identifier, |w, refs| patient(w, refs, person, rows));
    row(rows.patient, patient.is_some());
    row(rows.demographics, patient.is_some() && person.pd1.is_some());
    row(rows.importance, patient.is_some() && person.pv1.is_some());
    if ctx.setting("message").is_some() {
        row(rows.updated, pid::updated(bundle, person.pid).is_some());
    }
    pid::mother(bundle, person.pid);
    row(rows.account, pid::account(bundle, person.pid).is_some());
    if let (Some(mrg), Some(id)) = (person.mrg, rows.merged_account) {
        row(id, mrg::account(bundle, mrg, person.pid).is_some());
    }
    if let (Some(pd1), Some(id)) = (person.pd1, rows.living_will) {
        row(id, pd1::living_will(bundle, pd1).is_some());
    }
    relatives(bundle, person, rows);
    let encounter = person.pv1.and_then(|pv1| visit(bundle, structure, person, rows, pv1));
    clinical(bundle, person, rows);
    covers(bundle, person, rows);
    Ok(patient.into_iter().chain(encounter).collect())
}

/// The Patient, of all the segments that say something of it.
fn patient<'m>(
    w: &mut Writer,
    refs: &mut Refs<'_, 'm>,
    person: &Person<'m>,
    rows: &structures::Person,
) {
    w.array("extension", |w| {
        pid::extensions(w, refs, person.pid);
        if let Some(pd1) = person.pd1 {
            pd1::extensions(w, refs, pd1);
        }
        if let Some(pv1) = person.pv1 {
            pv1::importance(w, refs, pv1);
        }
    });
    pid::patient(w, refs, person.pid);
    w.array("generalPractitioner", |w| {
        if let Some(pd1) = person.pd1 {
            pd1::general_practitioners(w, refs, pd1);
        }
        for role in &person.roles {
            if let Some([id, _]) = rows.roles
                && role.name() == "ROL"
                && rol::is_general_practitioner(*role)
            {
                row(id, rol::general_practitioner(w, refs, *role));
            }
            if let Some([id, _]) = rows.participations
                && role.name() == "PRT"
                && prt::is_general_practitioner(*role)
            {
                row(id, prt::general_practitioner(w, refs, *role));
            }
        }
    });
    if let Some(relative) = &rows.relative {
        w.array("contact", |w| {
            for nk1 in &person.nk1 {
                nk1::contact(w, refs, *nk1);
            }
        });
        for nk1 in &person.nk1 {
            let is_organization = relative.is_person_only && nk1::is_organization(*nk1);
            row(relative.contact[usize::from(is_organization)], true);
        }
    }
}

fn relatives(bundle: &mut Bundle<'_>, person: &Person<'_>, rows: &structures::Person) {
    let Some(relative) = rows.relative else {
        return;
    };
    for (number, nk1) in person.nk1.iter().enumerate() {
        if !relative.is_person_only || !nk1::is_organization(*nk1) {
            row(relative.person, nk1::related_person(bundle, *nk1, number + 1).is_some());
        }
    }
}

/// The Encounter, and where the patient was before it.
fn visit<'m>(
    bundle: &mut Bundle<'m>,
    structure: &Structure,
    person: &Person<'m>,
    rows: &structures::Person,
    pv1: Segment<'m>,
) -> Option<Urn> {
    let status = structure.status.and_then(|id| {
        let status = pv1::status_of_event(bundle.ctx());
        row(id, status.is_some());
        status
    });
    let visit = pv1::Visit { pv1, pv2: person.pv2, pv2_row: rows.visit, status };
    let name = ["Encounter[", &person.pid.number().to_string(), "]"].concat();
    let encounter = pv1::encounter(
        bundle,
        &name,
        &visit,
        &mut |w, refs| {
            for role in &person.visit_roles {
                if let Some(id) = rows.visit_role {
                    row(id, rol::participant(w, refs, *role));
                }
            }
        },
        &mut |w, refs| {
            for dg1 in &person.dg1 {
                if let Some([_, id]) = rows.diagnosis {
                    row(id, dg1::diagnosis(w, refs, *dg1));
                }
            }
        },
    );
    row(rows.encounter, encounter.is_some());
    if let Some(id) = rows.history {
        row(id, pv1::history(bundle, pv1).is_some());
    }
    encounter
}

/// What was found and done.
fn clinical<'m>(bundle: &mut Bundle<'m>, person: &Person<'m>, rows: &structures::Person) {
    let mut keys = Keys::new();
    for observed in &person.obx {
        let key = keys.key(*observed);
        let id = rows.observation[usize::from(obx::has_components(*observed))];
        row(id, obx::observation(bundle, &Observed::new(*observed, &key)).is_some());
    }
    if let Some(id) = rows.allergy {
        for allergy in &person.al1 {
            row(id, al1::allergy_intolerance(bundle, *allergy).is_some());
        }
    }
    if let Some([id, _]) = rows.diagnosis {
        for diagnosis in &person.dg1 {
            row(id, dg1::condition(bundle, *diagnosis).is_some());
        }
    }
    if let Some(id) = rows.procedure {
        for procedure in &person.pr1 {
            row(id, pr1::procedure(bundle, *procedure).is_some());
        }
    }
}

/// Who pays, and who takes care.
fn covers(bundle: &mut Bundle<'_>, person: &Person<'_>, rows: &structures::Person) {
    let pv1 = person.pv1.filter(|it| rows.class.is_some() && it.is_valued(20));
    let of_class = rows.class.unwrap_or_default();
    match rows.coverage {
        Some(id) if !person.insurances.is_empty() => {
            for (number, insurance) in person.insurances.iter().enumerate() {
                let pv1 = pv1.filter(|_| number == 0);
                let covered = in1::coverage(bundle, insurance.in1, insurance.in2, pv1);
                row(id, covered.is_some());
                row(of_class, covered.is_some() && pv1.is_some());
            }
        }
        _ => {
            if let Some(pv1) = pv1 {
                row(of_class, in1::coverage_of_class(bundle, pv1).is_some());
            }
        }
    }
    let mut team = Vec::new();
    for role in &person.roles {
        let is_member = match role.name() {
            "ROL" => rows.roles.is_some() && rol::is_care_team(*role),
            _ => rows.participations.is_some() && prt::is_care_team(*role),
        };
        if is_member {
            team.push(*role);
        }
    }
    if rows.case_manager.is_some() {
        team.extend(person.insurances.iter().filter_map(|it| it.in3));
    }
    if rol::care_team(bundle, &team).is_some() {
        for member in &team {
            let id = match member.name() {
                "ROL" => rows.roles.map(|it| it[1]),
                "PRT" => rows.participations.map(|it| it[1]),
                _ => rows.case_manager,
            };
            row(id.unwrap_or_default(), id.is_some());
        }
    }
}

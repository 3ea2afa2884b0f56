//! PID: the Patient, the Account, and who updated the record last.

use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::bundle::{Bundle, Identifier, Identity, Urn};
use crate::v2_to_fhir::people::organization;
use crate::v2_to_fhir::segments::msh;
use crate::v2_to_fhir::{Context, Refs, codes, datatypes, row};
use crate::{Reason, Refusal, Writer, conversions, is_token, refuse};

/// The identifier that finds the patient: the medical record number, else the first. A patient
/// without any is refused: nothing could be said about whom it is.
pub fn key(pid: Segment<'_>, ctx: &Context<'_>) -> Result<Identifier, Refusal> {
    let mut listed = pid.repetitions(3).filter_map(|it| Some((it, datatypes::cx_key(ctx, it)?)));
    let first = listed.next();
    let is_record = |it: &(Field<'_>, _)| it.0.component(5).code() == Some("MR");
    let found = match first {
        Some(first) if !is_record(&first) => listed.find(is_record).or(Some(first)),
        first => first,
    };
    match found {
        Some((_, identifier)) => Ok(identifier),
        None => {
            // Withheld is not missing: the sender did nothing wrong.
            ctx.message.get("PID-3.1")?;
            Err(refuse(Reason::RequiredMissing, "a patient needs an identifier").at("PID-3"))
        }
    }
}

/// `PID[Patient]`: what stands in PID alone. The elements that other segments add to are
/// [`extensions`] and the caller's.
pub fn patient(w: &mut Writer, refs: &mut Refs<'_, '_>, pid: Segment<'_>) {
    w.array("identifier", |w| identifiers(w, refs, pid));
    w.array("name", |w| {
        for (field, id) in [(5, "segments/PID[Patient]#5"), (9, "segments/PID[Patient]#12")] {
            for name in pid.repetitions(field) {
                row(id, datatypes::xpn_names(w, name));
            }
        }
    });
    w.array("telecom", |w| telecoms(w, pid));
    let sex = codes::value_of(&codes::ADMINISTRATIVE_SEX, pid.field(8));
    row("segments/PID[Patient]#11", w.text("gender", sex));
    row("datatypes/CWE[code]#1", sex.is_some());
    birth(w, pid);
    deceased(w, pid);
    w.array("address", |w| addresses(w, pid));
    let marital = w.object_if("maritalStatus", |w| {
        datatypes::cwe_concept_of(w, refs.ctx(), pid.field(16), &codes::MARITAL_STATUS)
    });
    row("segments/PID[Patient]#24", marital);
    multiple_birth(w, pid);
    w.array("communication", |w| {
        w.element(|w| {
            row("segments/PID[Patient]#23", language(w, "language", refs, pid.field(15)));
        });
    });
}

/// PID-3 is the list (#3); PID-2 and PID-4 are its old neighbours, PID-19 and PID-20 the numbers that
/// had fields of their own.
fn identifiers(w: &mut Writer, refs: &mut Refs<'_, '_>, pid: Segment<'_>) {
    let fields = [
        (2, "segments/PID[Patient]#2"),
        (3, "segments/PID[Patient]#3"),
        (4, "segments/PID[Patient]#4"),
    ];
    for (field, id) in fields {
        for identifier in pid.repetitions(field) {
            row(id, w.element_if(|w| datatypes::cx_identifier(w, refs, identifier)));
        }
    }
    let is_american = is_american(refs.ctx());
    let social = w.element_if(|w| social_security(w, refs.ctx(), pid.field(19)));
    row("segments/PID[Patient]#28", social);
    row("segments/PID[Patient]#29", social && is_american);
    row("segments/PID[Patient]#30", social && !is_american);
    row("segments/PID[Patient]#31", social);
    row("segments/PID[Patient]#32", social && is_american);
    row("segments/PID[Patient]#33", w.element_if(|w| datatypes::dln_identifier(w, pid.field(20))));
}

/// Whether the message says that it is from the United States (MSH-17): there PID-19 and NK1-37 are
/// the Social Security Administration's numbers, elsewhere another authority's.
pub(super) fn is_american(ctx: &Context<'_>) -> bool {
    let msh = ctx.hl7.segment(0);
    msh.is_some_and(|it| matches!(it.field(17).code(), Some("USA" | "US")))
}

/// Members of an Identifier of a social security number. Outside of the United States the system is
/// the site's to say: `system.social-security`.
pub(super) fn social_security(w: &mut Writer, ctx: &Context<'_>, number: Field<'_>) -> bool {
    let is_american = is_american(ctx);
    w.object("type", |w| {
        w.array("coding", |w| {
            w.element(|w| {
                w.text("system", Some("http://terminology.hl7.org/CodeSystem/v2-0203"));
                w.text("code", Some(if is_american { "SS" } else { "SB" }));
            });
        });
    });
    // The guide's `…/us-ssn.` has a full stop too many.
    match (ctx.setting("system.social-security"), is_american) {
        (Some(system), _) => w.text("system", Some(&*system)),
        (None, true) => w.text("system", Some("http://hl7.org/fhir/sid/us-ssn")),
        (None, false) => false,
    };
    w.text("value", number.text())
}

fn telecoms(w: &mut Writer, pid: Segment<'_>) {
    for telecom in pid.repetitions(13) {
        let written = w.element_if(|w| datatypes::xtn_contact_point(w, telecom, Some("home")));
        row("segments/PID[Patient]#19", written);
        row("segments/PID[Patient]#20", written && !telecom.component(2).is_valued());
    }
    for telecom in pid.repetitions(14) {
        let written = w.element_if(|w| datatypes::xtn_contact_point(w, telecom, Some("work")));
        row("segments/PID[Patient]#21", written);
        row("segments/PID[Patient]#22", written && !telecom.component(2).is_valued());
    }
    for telecom in pid.repetitions(40) {
        row(
            "segments/PID[Patient]#64",
            w.element_if(|w| datatypes::xtn_contact_point(w, telecom, None)),
        );
    }
}

/// PID-11 (#14), and the county of PID-12: with the one address that has none (#15), else as an
/// address of its own (#16 to #18).
fn addresses(w: &mut Writer, pid: Segment<'_>) {
    let county = pid.field(12);
    let mut given = pid.repetitions(11).filter(|it| it.is_valued());
    let (first, second) = (given.next(), given.next());
    let own = match (first, second) {
        _ if !county.is_valued() => None,
        (None, _) => Some("segments/PID[Patient]#18"),
        (Some(_), Some(_)) => Some("segments/PID[Patient]#17"),
        (Some(only), None) => {
            let district = only.component(9);
            if !district.is_valued() {
                let written = w.element(|w| {
                    let district = county.text();
                    row("segments/PID[Patient]#15", district.is_some());
                    row("datatypes/ID[string]#1", district.is_some());
                    datatypes::xad_address_in(w, only, district.as_deref());
                });
                row("segments/PID[Patient]#14", written);
                return;
            }
            (district.text() != county.text()).then_some("segments/PID[Patient]#16")
        }
    };
    for address in pid.repetitions(11) {
        row("segments/PID[Patient]#14", w.element_if(|w| datatypes::xad_address(w, address)));
    }
    if let Some(id) = own {
        let written = w.element(|w| {
            w.text("district", county.text());
        });
        row(id, written);
        row("datatypes/ID[string]#1", written);
    }
}

/// #8; and #9, #10, the time of birth, where there is one. The length of a token says nothing, so
/// that a sealed time of birth stays a date.
fn birth(w: &mut Writer, pid: Segment<'_>) {
    let Some(born) = pid.field(7).text() else {
        return;
    };
    row("segments/PID[Patient]#8", w.text("birthDate", conversions::fhir_date(&born)));
    if born.len() <= 8 || is_token(&born) {
        return;
    }
    let timed = w.object("_birthDate", |w| {
        w.array("extension", |w| {
            w.element_if(|w| {
                w.text("url", Some("http://hl7.org/fhir/StructureDefinition/patient-birthTime"));
                w.text("valueDateTime", conversions::fhir_date_time(&born))
            });
        });
    });
    row("segments/PID[Patient]#9", timed);
    row("segments/PID[Patient]#10", timed);
}

/// #47; and #48, if there is no time of death.
fn deceased(w: &mut Writer, pid: Segment<'_>) {
    let time = datatypes::date_time(pid.field(29));
    if !row("segments/PID[Patient]#47", w.text("deceasedDateTime", time)) {
        let written = w.flag("deceasedBoolean", codes::yes_no(pid.field(30)));
        row("segments/PID[Patient]#48", written);
        row("datatypes/ID[boolean]#1", written);
    }
}

/// #39; and #38, if there is no birth order.
fn multiple_birth(w: &mut Writer, pid: Segment<'_>) {
    let order = pid.field(25).text();
    let order = order.filter(|it| is_token(it) || it.bytes().all(|it| it.is_ascii_digit()));
    if !row("segments/PID[Patient]#39", w.number("multipleBirthInteger", order)) {
        let written = w.flag("multipleBirthBoolean", codes::yes_no(pid.field(24)));
        row("segments/PID[Patient]#38", written);
        row("datatypes/ID[boolean]#1", written);
    }
}

/// `codesystems/PrimaryLanguage` has languages by BCP 47 alone and no v2 codes to come from; a code
/// that has that form is one.
pub(super) fn language(
    w: &mut Writer,
    key: &str,
    refs: &mut Refs<'_, '_>,
    field: Field<'_>,
) -> bool {
    match field.component(1).text().filter(|it| msh::is_language(it)) {
        Some(code) => w.object(key, |w| {
            w.array("coding", |w| {
                w.element(|w| {
                    w.text("system", Some("urn:ietf:bcp:47"));
                    row("datatypes/CWE[CodeableConcept]#1", w.text("code", Some(code)));
                    let display = w.text("display", field.component(2).text());
                    row("datatypes/CWE[CodeableConcept]#2", display);
                });
            });
            row("datatypes/CWE[CodeableConcept]#9", w.text("text", field.component(9).text()));
        }),
        None => w.object_if(key, |w| {
            datatypes::cwe_concept_of(w, refs.ctx(), field, &codes::PRIMARY_LANGUAGE)
        }),
    }
}

/// `PID[Patient]`: elements of `extension`.
pub fn extensions(w: &mut Writer, refs: &mut Refs<'_, '_>, pid: Segment<'_>) {
    // `datatypes/XPN[string]`: XPN.11 says in which order, but a maiden name is a family name alone.
    let mother = pid.field(6).component(1).component(1).text();
    let maiden = extension(w, "mothersMaidenName", |w| w.text("valueString", mother));
    row("datatypes/XPN[string]#1", maiden);
    row("segments/PID[Patient]#6", maiden);
    row("segments/PID[Patient]#7", maiden);
    let religion = extension(w, "religion", |w| {
        w.object_if("valueCodeableConcept", |w| {
            datatypes::cwe_concept_of(w, refs.ctx(), pid.field(17), &codes::RELIGION)
        })
    });
    row("segments/PID[Patient]#25", religion);
    row("segments/PID[Patient]#26", religion);
    let born_at = extension(w, "birthPlace", |w| {
        w.object("valueAddress", |w| {
            w.text("text", pid.field(23).text());
        })
    });
    row("segments/PID[Patient]#36", born_at);
    row("segments/PID[Patient]#37", born_at);
    for country in pid.repetitions(26) {
        let written = coded(w, "citizenship", refs, country);
        for id in
            ["segments/PID[Patient]#40", "segments/PID[Patient]#41", "segments/PID[Patient]#42"]
        {
            row(id, written);
        }
    }
    let written = coded(w, "nationality", refs, pid.field(28));
    for id in ["segments/PID[Patient]#44", "segments/PID[Patient]#45", "segments/PID[Patient]#46"] {
        row(id, written);
    }
    animal(w, refs, pid);
    for tribe in pid.repetitions(39) {
        let written = coded(w, "citizenship", refs, tribe);
        for id in
            ["segments/PID[Patient]#61", "segments/PID[Patient]#62", "segments/PID[Patient]#63"]
        {
            row(id, written);
        }
    }
}

/// #53 to #58. A breed without a species is none: the extension requires the species.
fn animal(w: &mut Writer, refs: &mut Refs<'_, '_>, pid: Segment<'_>) {
    let mut is_bred = false;
    let written = w.element_if(|w| {
        w.text("url", Some("http://hl7.org/fhir/StructureDefinition/patient-animal"));
        let mut is_known = false;
        w.array("extension", |w| {
            is_known = part(w, "species", refs, pid.field(35));
            is_bred = part(w, "breed", refs, pid.field(36));
        });
        is_known
    });
    for id in ["segments/PID[Patient]#53", "segments/PID[Patient]#54", "segments/PID[Patient]#55"] {
        row(id, written);
    }
    for id in ["segments/PID[Patient]#56", "segments/PID[Patient]#57", "segments/PID[Patient]#58"] {
        row(id, written && is_bred);
    }
}

/// An extension of Patient that FHIR defines, if it has a value.
fn extension(w: &mut Writer, name: &str, value: impl FnOnce(&mut Writer) -> bool) -> bool {
    w.element_if(|w| {
        let url = ["http://hl7.org/fhir/StructureDefinition/patient-", name].concat();
        w.text("url", Some(url));
        value(w)
    })
}

/// An extension that has its code one extension deeper.
fn coded(w: &mut Writer, name: &str, refs: &mut Refs<'_, '_>, code: Field<'_>) -> bool {
    extension(w, name, |w| {
        w.array("extension", |w| {
            part(w, "code", refs, code);
        })
    })
}

fn part(w: &mut Writer, url: &str, refs: &mut Refs<'_, '_>, code: Field<'_>) -> bool {
    w.element_if(|w| {
        w.text("url", Some(url));
        w.object_if("valueCodeableConcept", |w| datatypes::cwe_concept(w, refs.ctx(), code))
    })
}

/// PID-21 (#34): the mother is a person of her own, known by her number alone.
pub fn mother(bundle: &mut Bundle<'_>, pid: Segment<'_>) -> Option<Urn> {
    let number = pid.field(21);
    if !number.is_valued() {
        return None;
    }
    let urn =
        bundle.add("RelatedPerson", "RelatedPerson[1]", Identity::derived("mother"), |w, refs| {
            w.array("identifier", |w| {
                refs.derived_identifier(w);
                w.element_if(|w| mothers_number(w, refs, number));
            });
            row("datatypes/CX[RelatedPerson-Mother]#1", refs.to(w, "patient", "Patient"));
            row("datatypes/CX[RelatedPerson-Mother]#2", true);
            row("datatypes/CX[RelatedPerson-Mother]#3", true);
            w.array("relationship", |w| {
                w.element(|w| {
                    w.array("coding", |w| {
                        w.element(|w| {
                            w.text(
                                "system",
                                Some("http://terminology.hl7.org/CodeSystem/v3-RoleCode"),
                            );
                            w.text("code", Some("MTH"));
                        });
                    });
                });
            });
        });
    row("segments/PID[Patient]#34", urn.is_some());
    urn
}

/// `datatypes/CX[RelatedPerson-Mother]`, which numbers the rows of an identifier in its own way.
fn mothers_number(w: &mut Writer, refs: &mut Refs<'_, '_>, number: Field<'_>) -> bool {
    const ROWS: [(usize, &str); 9] = [
        (2, "datatypes/CX[RelatedPerson-Mother]#5"),
        (2, "datatypes/CX[RelatedPerson-Mother]#6"),
        (3, "datatypes/CX[RelatedPerson-Mother]#7"),
        (3, "datatypes/CX[RelatedPerson-Mother]#8"),
        (4, "datatypes/CX[RelatedPerson-Mother]#9"),
        (4, "datatypes/CX[RelatedPerson-Mother]#10"),
        (5, "datatypes/CX[RelatedPerson-Mother]#11"),
        (7, "datatypes/CX[RelatedPerson-Mother]#13"),
        (8, "datatypes/CX[RelatedPerson-Mother]#14"),
    ];
    let written = datatypes::cx_identifier(w, refs, number);
    for (component, id) in ROWS {
        row(id, written && number.component(component).is_valued());
    }
    row("datatypes/CX[RelatedPerson-Mother]#4", written)
}

/// `PID[Account]`. None without a number: an account is nothing else.
pub fn account(bundle: &mut Bundle<'_>, pid: Segment<'_>) -> Option<Urn> {
    let ctx = bundle.ctx();
    let number = pid.field(18);
    let identity = datatypes::cx_key(ctx, number)?;
    let name = ["Account[", &pid.number().to_string(), "]"].concat();
    bundle.add("Account", &name, Identity::Identifier(identity), |w, refs| {
        let identified = w.array("identifier", |w| {
            w.element_if(|w| datatypes::cx_identifier(w, refs, number));
        });
        row("segments/PID[Account]#20", identified);
        row("segments/PID[Account]#1", w.text("status", Some("active")));
        w.array("subject", |w| {
            refs.to(w, "", "Patient");
        });
    })
}

/// `PID[Provenance-Patient]`: who updated the patient last (PID-33, PID-34).
pub fn updated(bundle: &mut Bundle<'_>, pid: Segment<'_>) -> Option<Urn> {
    if !pid.is_valued(33) || !pid.is_valued(34) {
        return None;
    }
    let name = ["Provenance[", &(3 + pid.number()).to_string(), "]"].concat();
    bundle.add("Provenance", &name, Identity::None, |w, refs| updated_by(w, pid, refs))
}

fn updated_by(w: &mut Writer, pid: Segment<'_>, refs: &mut Refs<'_, '_>) {
    w.array("target", |w| {
        refs.to(w, "", "Patient");
    });
    let time = datatypes::date_time(pid.field(33));
    row("segments/PID[Provenance-Patient]#45", w.text("occurredDateTime", time));
    row("segments/PID[Provenance-Patient]#1", msh::received(w, refs));
    w.object("activity", |w| {
        w.array("coding", |w| {
            w.element(|w| {
                w.text("system", Some("http://terminology.hl7.org/CodeSystem/v3-DataOperation"));
                w.text("code", Some("UPDATE"));
            });
        });
    });
    row("segments/PID[Provenance-Patient]#2", true);
    row("segments/PID[Provenance-Patient]#3", true);
    let known = w.array("agent", |w| {
        msh::agent(w, "performer", |w| organization::hd(w, "who", refs, pid.field(34)));
    });
    row("segments/PID[Provenance-Patient]#46", known);
    row("segments/PID[Provenance-Patient]#47", known);
    row("segments/PID[Provenance-Patient]#48", known);
    if !known {
        refs.leave_out();
    }
}

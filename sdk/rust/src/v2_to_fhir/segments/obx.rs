//! OBX: `segments/OBX[Observation]`, `OBX[Observation-Component]` of the guide.
//!
//! ```no_run
//! # use hilum_sdk::{hl7::Segment, v2_to_fhir::{Bundle, segments::obx}};
//! # fn example<'m>(bundle: &mut Bundle<'m>, all: impl Iterator<Item = Segment<'m>>) {
//! let mut keys = obx::Keys::new();
//! for obx in all {
//!     let key = keys.key(obx);
//!     obx::observation(bundle, &obx::Observed::new(obx, &key));
//! }
//! # }
//! ```
//!
//! OBX-5 is written by the type that OBX-2 names; a type that the guide does not map, and a value that
//! is not what its type says, stay a text. An OBX-5 that repeats becomes components.
//!
//! Promises: an observation always has a status and a code, and says that a value is missing where
//! none came; a status that the guide does not map is the nearest one of FHIR (`STATUSES`).
//! Not here: which OBX belongs to which order (the plugin).

mod performer;
mod value;
mod vital_signs;

use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::codes::{
    INTERPRETATION_CODES, NATURE_OF_ABNORMAL_TESTING,
    OBSERVATION_RESULT_STATUS_CODES_INTERPRETATION,
};
use crate::v2_to_fhir::datatypes::extension;
use crate::v2_to_fhir::results::text::whole;
use crate::v2_to_fhir::results::{
    DATA_ABSENT_REASON, concept, concept_of, document, ei, identifier, noted, unknown,
};
use crate::v2_to_fhir::segments::{nte, prt};
use crate::v2_to_fhir::{Bundle, Context, Identifier, Identity, Refs, Urn, codes, datatypes};
use crate::{Writer, is_token};
use value::Map;

/// One OBX and what stands around it.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a, 'm> {
    /// The segment itself.
    pub obx: Segment<'m>,
    /// PRT segments that follow it.
    pub participations: &'a [Segment<'m>],
    /// NTE segments that follow it.
    pub notes: &'a [Segment<'m>],
    /// What its derived identifier ends with.
    pub key: &'a str,
    /// Whether it refers to the last Encounter of the bundle.
    pub has_encounter: bool,
    /// The specimen that was examined.
    pub specimen: Option<&'a str>,
    /// What it is about, if that is not the patient.
    pub focus: Option<&'a str>,
    /// The observation that it is a part of: the culture of a susceptibility.
    pub derived_from: Option<&'a str>,
    /// When the specimen was taken, if OBX-14 does not say.
    pub observed_at: Field<'m>,
}

impl<'a, 'm> Observed<'a, 'm> {
    /// An OBX alone, of the visit of the message.
    pub fn new(obx: Segment<'m>, key: &'a str) -> Self {
        Self {
            obx,
            participations: &[],
            notes: &[],
            key,
            has_encounter: true,
            specimen: None,
            focus: None,
            derived_from: None,
            observed_at: Field::EMPTY,
        }
    }
}

/// What tells the observations of a message apart: their codes, and how many of the same code came
/// before.
#[derive(Debug, Default)]
pub struct Keys<'m> {
    known: Vec<(&'m str, &'m str, usize)>,
}

impl<'m> Keys<'m> {
    /// Before the first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Code and sub-identifier of an OBX (`8867-4`, `8867-4-1`, `8867-4-1-2`).
    pub fn key(&mut self, obx: Segment<'m>) -> String {
        let [code, sub] = [3, 4].map(|it| obx.field(it).code().unwrap_or_default());
        let is_it = |it: &&mut (&str, &str, usize)| (it.0, it.1) == (code, sub);
        let before = match self.known.iter_mut().find(is_it) {
            Some((_, _, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.known.push((code, sub, 1));
                1
            }
        };
        let mut key = code.to_owned();
        if !sub.is_empty() {
            key.push('-');
            key.push_str(sub);
        }
        if 1 < before {
            key.push('-');
            key.push_str(&before.to_string());
        }
        key
    }
}

/// The full URL's name of an observation.
pub fn name(obx: Segment<'_>) -> String {
    ["Observation[OBX ", &obx.position().to_string(), "]"].concat()
}

/// Whether OBX-5 has several values, each of which is a component of the Observation: the rows of
/// OBX[Observation-Component] apply. The repetitions of an NA are one array.
pub fn has_components(obx: Segment<'_>) -> bool {
    obx.repetitions(5).nth(1).is_some() && obx.field(2).code() != Some("NA")
}

/// Adds the Observation of an OBX. Its subject is the last Patient of the bundle.
pub fn observation<'m>(bundle: &mut Bundle<'m>, it: &Observed<'_, 'm>) -> Option<Urn> {
    let identity = match own_identifier(bundle, it.obx) {
        Some(identifier) => Identity::Identifier(identifier),
        None => Identity::derived(it.key),
    };
    bundle.add("Observation", &name(it.obx), identity, |w, refs| {
        fill(w, refs, it);
    })
}

/// OBX-21 finds it again, if it says in whose system.
fn own_identifier(bundle: &Bundle<'_>, obx: Segment<'_>) -> Option<Identifier> {
    let field = obx.field(21);
    let key = datatypes::ei_key(bundle.ctx(), field)?;
    key.system.is_some().then_some(key)
}

fn fill<'m>(w: &mut Writer, refs: &mut Refs<'_, 'm>, it: &Observed<'_, 'm>) {
    let Observed { obx, .. } = *it;
    let ctx = refs.ctx();
    let kind = obx.field(2).code().unwrap_or_default();
    let is_repeated = has_components(obx);
    let map = if is_repeated { &value::COMPONENT } else { &value::OBSERVATION };
    let note = |observation, component, written| {
        noted(map.id, if is_repeated { component } else { observation }, written)
    };
    let vital_sign = vital_signs::of(obx);

    extensions(w, refs, it, kind, map);
    identifiers(w, refs, obx, note);
    status(w, obx, note);
    w.array("category", |w| {
        let kind = obx.field(29).code();
        let written = w.element_if(|w| {
            w.array("coding", |w| {
                w.element_if(|w| {
                    let system = "http://terminology.hl7.org/CodeSystem/v2-0936";
                    w.text("system", Some(system));
                    w.text("code", kind.filter(|it| !is_token(it)))
                });
            })
        });
        note(72, 74, written);
        note(73, 75, written);
        vital_signs::category(w, vital_sign);
    });
    note(3, 3, code(w, refs, obx));
    refs.to(w, "subject", "Patient");
    reference_list(w, "focus", it.focus);
    if it.has_encounter {
        refs.to(w, "encounter", "Encounter");
    }
    let time = datatypes::date_time(obx.field(14));
    match note(48, 51, w.text("effectiveDateTime", time)) {
        true => {}
        false => {
            let written = w.text("effectiveDateTime", datatypes::date_time(it.observed_at));
            vital_signs::effective(w, vital_sign, written);
        }
    }
    performer::performers(w, refs, obx, is_repeated, it.participations, note);
    value_or_components(w, refs, it, kind, map);
    w.array("interpretation", |w| {
        for flag in obx.repetitions(8) {
            note(36, 39, concept_of(w, "", ctx, flag, &INTERPRETATION_CODES));
        }
    });
    w.array("note", |w| {
        for note in it.notes {
            nte::annotation(w, "", refs, *note);
        }
    });
    note(58, 60, concept(w, "bodySite", ctx, obx.field(20)));
    note(54, 56, concept(w, "method", ctx, obx.field(17)));
    specimen(w, ctx, it, note);
    device(w, refs, it, note);
    if !is_repeated {
        reference_range(w, obx, |written| note(35, 38, written));
    }
    reference_list(w, "derivedFrom", it.derived_from);
}

/// An Observation has to have a code.
fn code(w: &mut Writer, refs: &Refs<'_, '_>, obx: Segment<'_>) -> bool {
    if concept(w, "code", refs.ctx(), obx.field(3)) {
        return true;
    }
    w.object("code", unknown);
    false
}

fn reference_list(w: &mut Writer, key: &str, target: Option<&str>) {
    w.array(key, |w| {
        w.element(|w| {
            w.text("reference", target);
        });
    });
}

/// OBX-4 and OBX-5 (documents), OBX-10, OBX-19, OBX-30, OBX-33, and places of PRT.
fn extensions<'m>(
    w: &mut Writer,
    refs: &mut Refs<'_, 'm>,
    it: &Observed<'_, 'm>,
    kind: &str,
    map: &Map,
) {
    let Observed { obx, .. } = *it;
    let ctx = refs.ctx();
    let is_component = map.id == value::COMPONENT.id;
    let note = |observation, component, written| {
        noted(map.id, if is_component { component } else { observation }, written)
    };
    w.array("extension", |w| {
        if !is_component && value::is_document(kind) {
            attachment(w, map, kind, obx.field(5));
        }
        note(4, 5, identifier::og_extension(w, obx.field(4)));
        let nature = obx.field(10);
        let url = "http://hl7.org/fhir/StructureDefinition/observation-nature-of-abnormal-test";
        let written = extension(w, url, |w| {
            concept_of(w, "valueCodeableConcept", ctx, nature, &NATURE_OF_ABNORMAL_TESTING)
        });
        note(38, 41, written);
        note(39, 42, written);
        let url = "http://hl7.org/fhir/StructureDefinition/observation-analysis-date-time";
        let written =
            extension(w, url, |w| w.text("valueDateTime", datatypes::date_time(obx.field(19))));
        note(56, 58, written);
        note(57, 59, written);
        let url = "http://hl7.org/fhir/StructureDefinition/observation-structure-type";
        let written = extension(w, url, |w| {
            w.object("valueCodeableConcept", |w| {
                w.array("coding", |w| {
                    w.element_if(|w| {
                        w.text("system", Some(url));
                        w.text("code", obx.field(30).code().filter(|it| !is_token(it)))
                    });
                });
            })
        });
        note(74, 76, written);
        note(75, 77, written);
        note(76, 78, written);
        several_specimens(w, ctx, obx, note);
        for prt in it.participations {
            prt::observation_location(w, refs, *prt);
        }
    });
}

/// A document stands in an extension: R4's `value[x]` has no attachment.
fn attachment(w: &mut Writer, map: &Map, kind: &str, value: Field<'_>) -> bool {
    let url = "https://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.valueAttachment";
    let [url_row, value_row] = if kind == "ED" { map.ed } else { map.rp };
    let written = extension(w, url, |w| match kind {
        "ED" => document::ed_attachment(w, "valueAttachment", value),
        _ => document::rp_attachment(w, "valueAttachment", value),
    });
    noted(map.id, url_row, written);
    noted(map.id, value_row, written)
}

fn identifiers(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    obx: Segment<'_>,
    note: impl Fn(usize, usize, bool) -> bool,
) {
    let ctx = refs.ctx();
    w.array("identifier", |w| {
        let written = w.element_if(|w| {
            identifier::kind(w, "FILL");
            ei(w, ctx, obx.field(21))
        });
        note(59, 61, written);
        note(60, 62, written);
        refs.derived_identifier(w);
    });
}

/// What table 0085 has and the guide does not map. An observation has to have a status; these say
/// least that is wrong.
const STATUSES: [(&str, &str); 8] = [
    ("B", "amended"),
    ("I", "registered"),
    ("N", "cancelled"),
    ("O", "registered"),
    ("R", "preliminary"),
    ("S", "preliminary"),
    ("U", "final"),
    ("V", "final"),
];

/// Status of the observation; what is not in the guide's table is in [`STATUSES`].
fn status(w: &mut Writer, obx: Segment<'_>, note: impl Fn(usize, usize, bool) -> bool) {
    let code = obx.field(11).code().unwrap_or_default();
    let mapped = codes::value(&OBSERVATION_RESULT_STATUS_CODES_INTERPRETATION, code);
    let own = STATUSES.iter().find(|it| it.0 == code).map(|it| it.1);
    note(40, 43, w.text("status", mapped.or(own).or(Some("unknown"))) && !code.is_empty());
    if code != "X" {
        return;
    }
    let written = w.object("_status", |w| {
        w.array("extension", |w| {
            extension(w, "http://hl7.org/fhir/StructureDefinition/alternate-codes", |w| {
                w.object("valueCodeableConcept", |w| {
                    w.array("coding", |w| {
                        w.element(|w| {
                            let system = "http://terminology.hl7.org/CodeSystem/v2-0085";
                            w.text("system", Some(system));
                            w.text("code", Some("X"));
                        });
                    });
                })
            });
        });
    });
    note(41, 44, written);
    note(42, 45, written);
    note(43, 46, written);
}

fn value_or_components<'m>(
    w: &mut Writer,
    refs: &mut Refs<'_, 'm>,
    it: &Observed<'_, 'm>,
    kind: &str,
    map: &Map,
) {
    let Observed { obx, .. } = *it;
    let ctx = refs.ctx();
    if map.id != value::COMPONENT.id {
        let is_written = match value::is_document(kind) {
            true => false,
            false => value::value(w, map, ctx, obx, kind, obx.field(5)),
        };
        let is_document = value::is_document(kind) && obx.field(5).is_valued();
        if !is_written {
            absent_reason(w, obx, map, is_document && vital_signs::of(obx).is_none());
        }
        return;
    }
    w.array("component", |w| {
        for repetition in obx.repetitions(5) {
            w.element(|w| {
                if value::is_document(kind) {
                    w.array("extension", |w| {
                        attachment(w, map, kind, repetition);
                    });
                }
                if concept(w, "code", ctx, obx.field(3)) {
                    noted(map.id, 4, true);
                } else {
                    w.object("code", unknown);
                }
                if !value::is_document(kind) {
                    value::value(w, map, ctx, obx, kind, repetition);
                }
                reference_range(w, obx, |written| noted(map.id, 38, written));
            });
        }
    });
    if obx.field(11).code() == Some("N") {
        absent_reason(w, obx, map, false);
    }
}

/// Without a value FHIR wants to know why. A value that is a document stands elsewhere.
fn absent_reason(w: &mut Writer, obx: Segment<'_>, map: &Map, has_document: bool) {
    let status = obx.field(11).code().unwrap_or_default();
    let reason = match status {
        "N" => "not-asked",
        _ if has_document => return,
        "X" => "not-performed",
        "I" | "O" | "S" => "temp-unknown",
        _ => "unknown",
    };
    let written = w.object("dataAbsentReason", |w| {
        w.array("coding", |w| {
            w.element(|w| {
                w.text("system", Some(DATA_ABSENT_REASON));
                w.text("code", Some(reason));
            });
        });
    });
    if status == "N" {
        let rows = if map.id == value::COMPONENT.id { [47, 48] } else { [44, 45] };
        for number in rows {
            noted(map.id, number, written);
        }
    }
}

fn reference_range(w: &mut Writer, obx: Segment<'_>, note: impl Fn(bool) -> bool) {
    w.array("referenceRange", |w| {
        w.element(|w| {
            let text = whole(obx.field(7));
            note(w.text("text", text));
        });
    });
}

/// OBX-33 names one specimen: a reference by its number. Else the one of the order.
fn specimen(
    w: &mut Writer,
    ctx: &Context<'_>,
    it: &Observed<'_, '_>,
    note: impl Fn(usize, usize, bool) -> bool,
) {
    let mut all = it.obx.repetitions(33);
    if let (Some(only), None) = (all.next(), all.next()) {
        let [placer, filler] = [1, 2].map(|number| only.component(number).is_valued());
        // A reference takes one identifier; the laboratory's own is the one that it will be asked for.
        w.object("specimen", |w| {
            w.text("reference", it.specimen);
            w.object_if("identifier", |w| match filler {
                true => note(84, 86, datatypes::eip_filler(w, ctx, only)),
                false => note(83, 85, placer && datatypes::eip_placer(w, ctx, only)),
            });
        });
        return;
    }
    w.object("specimen", |w| {
        w.text("reference", it.specimen);
    });
}

/// OBX-33 names several.
fn several_specimens(
    w: &mut Writer,
    ctx: &Context<'_>,
    obx: Segment<'_>,
    note: impl Fn(usize, usize, bool) -> bool,
) {
    if obx.repetitions(33).count() < 2 {
        return;
    }
    let url = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Observation.specimen";
    for one in obx.repetitions(33) {
        let mut add = |rows: [usize; 4], fill: fn(&mut Writer, &Context<'_>, Field<'_>) -> bool| {
            let written = extension(w, url, |w| {
                w.object("valueReference", |w| {
                    w.object_if("identifier", |w| fill(w, ctx, one));
                })
            });
            note(rows[0], rows[1], written);
            note(rows[2], rows[3], written);
        };
        add([79, 81, 80, 82], datatypes::eip_placer);
        add([81, 83, 82, 84], datatypes::eip_filler);
    }
}

/// OBX-18: one device with all of its numbers; else the one of a PRT.
fn device(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    it: &Observed<'_, '_>,
    note: impl Fn(usize, usize, bool) -> bool,
) {
    let obx = it.obx;
    let ctx = refs.ctx();
    let written = refs.mention(w, "device", "Device", None, |w, _| {
        w.array("identifier", |w| {
            for number in obx.repetitions(18) {
                w.element_if(|w| ei(w, ctx, number));
            }
        });
    });
    if !note(55, 57, written) {
        let mut numbered = it.participations.iter().filter(|it| it.is_valued(10));
        numbered.any(|prt| prt::device(w, "device", refs, *prt));
    }
}

//! The segments of an ADT message, each with whom it belongs to.
//!
//! A site may leave out what it likes and send its segments in an order of its own, so that only the
//! order that carries a meaning is read: whose a segment is (the PID before it), and what a ROL, a
//! PRT or an IN3 stands behind.

use hilum_sdk::hl7::{Hl7, Segment};

/// A patient and what belongs to the patient.
pub struct Person<'m> {
    pub pid: Segment<'m>,
    pub pd1: Option<Segment<'m>>,
    pub mrg: Option<Segment<'m>>,
    pub nk1: Vec<Segment<'m>>,
    pub pv1: Option<Segment<'m>>,
    pub pv2: Option<Segment<'m>>,
    /// ROL and PRT behind PID and PD1.
    pub roles: Vec<Segment<'m>>,
    /// ROL behind PV1 and PV2.
    pub visit_roles: Vec<Segment<'m>>,
    pub obx: Vec<Segment<'m>>,
    pub al1: Vec<Segment<'m>>,
    pub dg1: Vec<Segment<'m>>,
    pub pr1: Vec<Segment<'m>>,
    pub insurances: Vec<Insurance<'m>>,
}

/// IN1, and what stands behind it.
pub struct Insurance<'m> {
    pub in1: Segment<'m>,
    pub in2: Option<Segment<'m>>,
    pub in3: Option<Segment<'m>>,
}

/// Those of a message, at most `persons_max`: what follows a PID too many belongs to nobody.
pub fn persons<'m>(hl7: &'m Hl7, persons_max: usize) -> Vec<Person<'m>> {
    let mut all: Vec<Person<'m>> = Vec::with_capacity(persons_max);
    let mut behind = Behind::Other;
    for segment in hl7.segments() {
        if segment.name() == "PID" {
            if all.len() == persons_max {
                break;
            }
            all.push(Person::new(segment));
            behind = Behind::Patient;
            continue;
        }
        if let Some(person) = all.last_mut() {
            behind = person.take(segment, behind);
        }
    }
    all
}

/// What the segments before this one were about.
#[derive(Clone, Copy)]
enum Behind {
    Patient,
    Visit,
    Insurance,
    Other,
}

impl<'m> Person<'m> {
    fn new(pid: Segment<'m>) -> Self {
        Self {
            pid,
            pd1: None,
            mrg: None,
            nk1: Vec::new(),
            pv1: None,
            pv2: None,
            roles: Vec::new(),
            visit_roles: Vec::new(),
            obx: Vec::new(),
            al1: Vec::new(),
            dg1: Vec::new(),
            pr1: Vec::new(),
            insurances: Vec::new(),
        }
    }

    fn take(&mut self, segment: Segment<'m>, behind: Behind) -> Behind {
        match (segment.name(), behind) {
            ("PD1", _) => {
                self.pd1.get_or_insert(segment);
                Behind::Patient
            }
            ("MRG", _) => {
                self.mrg.get_or_insert(segment);
                Behind::Other
            }
            ("NK1", _) => {
                self.nk1.push(segment);
                Behind::Other
            }
            ("PV1", _) => {
                self.pv1.get_or_insert(segment);
                Behind::Visit
            }
            ("PV2", _) => {
                self.pv2.get_or_insert(segment);
                Behind::Visit
            }
            ("ROL" | "PRT", Behind::Patient) => {
                self.roles.push(segment);
                behind
            }
            ("ROL", Behind::Visit) => {
                self.visit_roles.push(segment);
                behind
            }
            ("ROL" | "PRT", _) => behind,
            ("OBX", _) => {
                self.obx.push(segment);
                Behind::Other
            }
            ("AL1", _) => {
                self.al1.push(segment);
                Behind::Other
            }
            ("DG1", _) => {
                self.dg1.push(segment);
                Behind::Other
            }
            ("PR1", _) => {
                self.pr1.push(segment);
                Behind::Other
            }
            ("IN1", _) => {
                self.insurances.push(Insurance { in1: segment, in2: None, in3: None });
                Behind::Insurance
            }
            ("IN2" | "IN3", Behind::Insurance) => {
                if let Some(insurance) = self.insurances.last_mut() {
                    let place = match segment.name() {
                        "IN2" => &mut insurance.in2,
                        _ => &mut insurance.in3,
                    };
                    place.get_or_insert(segment);
                }
                behind
            }
            ("IN2" | "IN3", _) => behind,
            // The rest of the patient's own group: what stands between PD1 and its ROL.
            ("ARV" | "OH1" | "OH2" | "OH3" | "OH4", _) => behind,
            _ => Behind::Other,
        }
    }
}

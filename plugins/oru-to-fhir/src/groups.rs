//! The groups of ORU_R01, from the order of its segments.
//!
//! HL7 v2 marks no groups. Which segment belongs to which is in the structure of ORU_R01 (chapter 7):
//!
//! ```text
//! PATIENT_RESULT     { [ PID [PD1] {PRT} {NTE} {NK1} { OBX {PRT} } [ PV1 [PV2] {PRT} ] ]
//!  ORDER_OBSERVATION   { [ ORC {PRT} [ OBX {PRT} TXA ] ] OBR {NTE} {PRT} { TQ1 {TQ2} } [CTD]
//!   OBSERVATION          { OBX {PRT} {NTE} } {FT1} {CTI}
//!   SPECIMEN             { SPM { OBX {PRT} } } } }
//! ```
//!
//! Senders leave segments out: an OBR without an ORC, an ORC without an OBR, an OBX without either.
//! Segments that the structure does not have (Z segments) stand where they are and move nothing.
//!
//! Promises: every OBX, NTE, PRT and SPM is in one group, the nearest before it that can have it; one
//! walk over the message.

use hilum_sdk::hl7::{Hl7, Segment};

/// A patient and the orders of the patient. A message may be about nobody.
#[derive(Default)]
pub struct PatientResult<'m> {
    pub pid: Option<Segment<'m>>,
    pub pd1: Option<Segment<'m>>,
    pub nk1: Vec<Segment<'m>>,
    pub participations: Vec<Segment<'m>>,
    /// What was observed of the patient without an order.
    pub observations: Vec<Observation<'m>>,
    pub pv1: Option<Segment<'m>>,
    pub pv2: Option<Segment<'m>>,
    pub visit_participations: Vec<Segment<'m>>,
    pub orders: Vec<OrderGroup<'m>>,
}

/// An order and its results.
#[derive(Default)]
pub struct OrderGroup<'m> {
    pub orc: Option<Segment<'m>>,
    pub obr: Option<Segment<'m>>,
    pub participations: Vec<Segment<'m>>,
    pub notes: Vec<Segment<'m>>,
    pub timings: Vec<Segment<'m>>,
    pub observations: Vec<Observation<'m>>,
    pub specimens: Vec<SpecimenGroup<'m>>,
}

/// An OBX, and what stands behind it.
pub struct Observation<'m> {
    pub obx: Segment<'m>,
    pub participations: Vec<Segment<'m>>,
    pub notes: Vec<Segment<'m>>,
}

/// An SPM, and what was observed of the specimen itself.
pub struct SpecimenGroup<'m> {
    pub spm: Segment<'m>,
    pub observations: Vec<Observation<'m>>,
}

/// Where the walk is: what PRT and NTE belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Head,
    Patient,
    PatientObservation,
    Visit,
    Order,
    /// The document of an order: the guide has no map for it.
    Document,
    Request,
    Observation,
    Specimen,
    SpecimenObservation,
}

/// The groups of a message.
pub fn patient_results(hl7: &Hl7) -> Vec<PatientResult<'_>> {
    let mut walk = Walk { all: Vec::new(), behind: Behind::Head };
    for segment in hl7.segments() {
        walk.take(segment);
    }
    walk.all
}

struct Walk<'m> {
    all: Vec<PatientResult<'m>>,
    behind: Behind,
}

impl<'m> Walk<'m> {
    fn take(&mut self, segment: Segment<'m>) {
        match segment.name() {
            "PID" => {
                self.all.push(PatientResult { pid: Some(segment), ..PatientResult::default() });
                self.behind = Behind::Patient;
            }
            "PD1" => {
                self.patient().pd1.get_or_insert(segment);
            }
            "NK1" => self.patient().nk1.push(segment),
            "PV1" => {
                self.patient().pv1.get_or_insert(segment);
                self.behind = Behind::Visit;
            }
            "PV2" => {
                self.patient().pv2.get_or_insert(segment);
                self.behind = Behind::Visit;
            }
            "ORC" => {
                self.patient().orders.push(OrderGroup { orc: Some(segment), ..Default::default() });
                self.behind = Behind::Order;
            }
            "OBR" => self.request(segment),
            "TQ1" => self.order().timings.push(segment),
            "SPM" => {
                let group = SpecimenGroup { spm: segment, observations: Vec::new() };
                self.order().specimens.push(group);
                self.behind = Behind::Specimen;
            }
            "OBX" => self.observation(segment),
            "NTE" => self.note(segment),
            "PRT" => self.participation(segment),
            _ => {}
        }
    }

    /// The patient at hand; of a message that is about nobody, a group without one.
    fn patient(&mut self) -> &mut PatientResult<'m> {
        if self.all.is_empty() {
            self.all.push(PatientResult::default());
        }
        let last = self.all.len() - 1;
        &mut self.all[last]
    }

    /// The order at hand; of results without any, a group without one.
    fn order(&mut self) -> &mut OrderGroup<'m> {
        let orders = &mut self.patient().orders;
        if orders.is_empty() {
            orders.push(OrderGroup::default());
        }
        let last = orders.len() - 1;
        &mut orders[last]
    }

    /// An OBR belongs to the ORC before it, unless that has one already.
    fn request(&mut self, obr: Segment<'m>) {
        match self.patient().orders.last_mut() {
            Some(order) if order.orc.is_some() && order.obr.is_none() => order.obr = Some(obr),
            _ => {
                self.patient().orders.push(OrderGroup { obr: Some(obr), ..Default::default() });
            }
        }
        self.behind = Behind::Request;
    }

    fn observation(&mut self, obx: Segment<'m>) {
        let one = Observation { obx, participations: Vec::new(), notes: Vec::new() };
        self.behind = match self.behind {
            Behind::Patient | Behind::PatientObservation | Behind::Visit => {
                self.patient().observations.push(one);
                Behind::PatientObservation
            }
            // Between ORC and OBR stands a document. Without an OBR after it, it is a result.
            Behind::Order | Behind::Document if is_followed(obx, "TXA") => Behind::Document,
            Behind::Specimen | Behind::SpecimenObservation => {
                let specimens = &mut self.order().specimens;
                if let Some(specimen) = specimens.last_mut() {
                    specimen.observations.push(one);
                }
                Behind::SpecimenObservation
            }
            _ => {
                self.order().observations.push(one);
                Behind::Observation
            }
        };
    }

    /// The observation at hand.
    fn observed(&mut self) -> Option<&mut Observation<'m>> {
        match self.behind {
            Behind::PatientObservation => self.patient().observations.last_mut(),
            Behind::Observation => self.order().observations.last_mut(),
            Behind::SpecimenObservation => {
                self.order().specimens.last_mut()?.observations.last_mut()
            }
            _ => None,
        }
    }

    fn note(&mut self, nte: Segment<'m>) {
        if let Some(observed) = self.observed() {
            observed.notes.push(nte);
        } else if matches!(self.behind, Behind::Order | Behind::Request | Behind::Specimen) {
            self.order().notes.push(nte);
        }
        // A note on the patient has no place in a FHIR Patient.
    }

    fn participation(&mut self, prt: Segment<'m>) {
        match self.behind {
            Behind::Head | Behind::Patient => self.patient().participations.push(prt),
            Behind::Visit => self.patient().visit_participations.push(prt),
            Behind::Order | Behind::Request | Behind::Specimen => {
                self.order().participations.push(prt);
            }
            Behind::Document => {}
            Behind::PatientObservation | Behind::Observation | Behind::SpecimenObservation => {
                if let Some(observed) = self.observed() {
                    observed.participations.push(prt);
                }
            }
        }
    }
}

/// Whether a segment of this name stands behind one, before the next OBR.
fn is_followed(segment: Segment<'_>, name: &str) -> bool {
    let rest = segment.hl7().between(segment.position() + 1, usize::MAX);
    let mut rest = rest.map(|it| it.name()).take_while(|it| !matches!(*it, "OBR" | "ORC" | "PID"));
    rest.any(|it| it == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The groups of these segments (each with its number in the message), as text.
    #[track_caller]
    fn check(segments: &str, expected: &str) {
        let mut text = String::from("MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\r");
        for (number, name) in segments.split(' ').enumerate() {
            text.push_str(&format!("{name}|{}\r", number + 1));
        }
        let hl7 = Hl7::parse(text).expect("a message");
        let show = |all: &[Segment<'_>]| -> String {
            all.iter().map(|it| format!(" {}", it.position())).collect()
        };
        let observed = |all: &[Observation<'_>]| -> String {
            let one = |it: &Observation<'_>| {
                let [prt, nte] = [show(&it.participations), show(&it.notes)];
                format!(" OBX({}{prt}{nte})", it.obx.position())
            };
            all.iter().map(one).collect()
        };
        let mut shown = String::new();
        for group in patient_results(&hl7) {
            let own: Vec<_> =
                [group.pid, group.pd1, group.pv1, group.pv2].into_iter().flatten().collect();
            shown += &format!("PATIENT{}", show(&own));
            shown += &show(&group.participations);
            shown += &observed(&group.observations);
            for order in &group.orders {
                let own: Vec<_> = [order.orc, order.obr].into_iter().flatten().collect();
                shown += &format!("\n ORDER{}", show(&own));
                shown += &format!(" NTE{} PRT{}", show(&order.notes), show(&order.participations));
                shown += &observed(&order.observations);
                for specimen in &order.specimens {
                    shown += &format!(
                        " SPM({}{})",
                        specimen.spm.position(),
                        observed(&specimen.observations)
                    );
                }
            }
            shown.push('\n');
        }
        assert_eq!(shown.trim_end(), expected);
    }

    #[test]
    fn notes_and_participants_belong_to_what_stands_before_them() {
        check(
            "PID PV1 ORC OBR NTE PRT OBX PRT NTE NTE OBX NTE",
            "PATIENT 1 2\n ORDER 3 4 NTE 5 PRT 6 OBX(7 8 9 10) OBX(11 12)",
        );
    }

    #[test]
    fn an_order_begins_with_orc_or_else_with_obr() {
        check(
            "PID ORC OBR OBX OBR OBX ORC OBR OBX",
            "PATIENT 1\n ORDER 2 3 NTE PRT OBX(4)\n ORDER 5 NTE PRT OBX(6)\n ORDER 7 8 NTE PRT OBX(9)",
        );
    }

    #[test]
    fn an_obx_is_the_patients_the_orders_or_the_specimens() {
        check(
            "PID OBX PV1 OBR OBX SPM OBX SPM",
            "PATIENT 1 3 OBX(2)\n ORDER 4 NTE PRT OBX(5) SPM(6 OBX(7)) SPM(8)",
        );
    }

    #[test]
    fn a_document_between_orc_and_obr_is_no_result() {
        check("PID ORC OBX PRT TXA OBR OBX", "PATIENT 1\n ORDER 2 6 NTE PRT OBX(7)");
        check("PID ORC OBX NTE", "PATIENT 1\n ORDER 2 NTE PRT OBX(3 4)");
    }

    #[test]
    fn segments_that_the_structure_does_not_have_move_nothing() {
        check("PID OBR OBX ZPH NTE", "PATIENT 1\n ORDER 2 NTE PRT OBX(3 5)");
    }

    #[test]
    fn results_may_be_of_several_patients_and_of_none() {
        check("PID OBR PID OBR", "PATIENT 1\n ORDER 2 NTE PRT\nPATIENT 3\n ORDER 4 NTE PRT");
        check("OBX", "PATIENT\n ORDER NTE PRT OBX(1)");
    }
}

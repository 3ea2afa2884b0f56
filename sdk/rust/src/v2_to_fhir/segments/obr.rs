//! OBR: `segments/OBR[DiagnosticReport]`, `OBR[ServiceRequest]`, `OBR[Specimen]` of the guide, with
//! what ORC says of the same order.
//!
//! Promises: a report always has a status and a code; the status of a cancelled or corrected report is
//! FHIR's own.
//! Not here: which segments are one order (the plugin).

mod report;
mod request;
mod specimen;

use crate::hl7::{Field, Segment};
use crate::v2_to_fhir::Urn;

pub use report::diagnostic_report;
pub use request::service_request;
pub use specimen::{has_specimen, is_described, specimen};

/// ORC and OBR of one order, and what stands around them. One of the two is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order<'a, 'm> {
    /// The common order.
    pub orc: Option<Segment<'m>>,
    /// The observation request.
    pub obr: Option<Segment<'m>>,
    /// NTE segments after OBR.
    pub notes: &'a [Segment<'m>],
    /// PRT segments after ORC and OBR.
    pub participations: &'a [Segment<'m>],
    /// TQ1 segments.
    pub timings: &'a [Segment<'m>],
    /// What derived identifiers end with.
    pub key: &'a str,
    /// The full URL's names are made of it.
    pub number: usize,
}

/// What the report refers to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Made<'a> {
    /// The order, if it is a resource.
    pub request: Option<&'a str>,
    /// The specimens that were examined.
    pub specimens: &'a [Urn],
    /// The results.
    pub results: &'a [Urn],
    /// Answers to questions that were asked with the order.
    pub answers: &'a [Urn],
}

impl<'m> Order<'_, 'm> {
    fn orc(&self, number: usize) -> Field<'m> {
        self.orc.map_or(Field::EMPTY, |it| it.field(number))
    }

    fn obr(&self, number: usize) -> Field<'m> {
        self.obr.map_or(Field::EMPTY, |it| it.field(number))
    }

    /// Participations of this role (table 0443 or, since 2.8, 0912).
    fn of_role(&self, codes: &'static [&'static str]) -> impl Iterator<Item = Segment<'m>> {
        let all = self.participations.iter().copied();
        all.filter(move |it| {
            let role = it.field(4);
            role.component(1).code().is_some_and(|code| codes.contains(&code))
                && matches!(role.component(3).code(), Some("HL70443" | "HL70912"))
        })
    }
}

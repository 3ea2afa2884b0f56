//! XCN, XPN: somebody who is no professional.

use super::name::{self, Map};
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::Refs;

const RELATED_PERSON: Map = Map::without_authority("datatypes/XCN[RelatedPerson]");

/// `datatypes/XCN[RelatedPerson]`: the members `identifier` and `name` of a person. `more`: further
/// elements of `identifier`.
pub fn xcn_members(
    w: &mut Writer,
    refs: &mut Refs<'_, '_>,
    field: Field<'_>,
    more: impl FnOnce(&mut Writer, &mut Refs<'_, '_>),
) {
    w.array("identifier", |w| {
        name::identifier(w, RELATED_PERSON, refs, field);
        more(w, refs);
    });
    w.array("name", |w| {
        name::name(w, RELATED_PERSON, field, true);
    });
}

//! XCN, XPN: somebody who is no professional.

use super::name::{self, Map};
use super::noted;
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::{Refs, datatypes};

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

/// `datatypes/CX[RelatedPerson-Mother]`, filled: the identifier of a mother of whom nothing else is
/// known.
pub fn mother_identifier(w: &mut Writer, refs: &mut Refs<'_, '_>, field: Field<'_>) -> bool {
    const MOTHER: &str = "datatypes/CX[RelatedPerson-Mother]";
    let written = datatypes::cx_identifier(w, refs, field);
    // The rows of each component that is there: CX.4 is both the system and who assigned it.
    const ROWS: [(usize, &[usize]); 7] =
        [(1, &[4]), (2, &[5, 6]), (3, &[7, 8]), (4, &[9, 10]), (5, &[11]), (7, &[13]), (8, &[14])];
    for (component, rows) in ROWS {
        for row in rows {
            noted(MOTHER, *row, written && field.component(component).is_valued());
        }
    }
    written
}

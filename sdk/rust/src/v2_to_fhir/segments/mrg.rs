//! MRG: the account that was merged into another.

use crate::hl7::Segment;
use crate::v2_to_fhir::bundle::{Bundle, Identity, Urn};
use crate::v2_to_fhir::{datatypes, row};

/// `MRG[Account]`. None without an account number, or if it is that of the account it was merged
/// into: then that one is in the bundle.
pub fn account(bundle: &mut Bundle<'_>, mrg: Segment<'_>, pid: Segment<'_>) -> Option<Urn> {
    let ctx = bundle.ctx();
    let number = mrg.field(3);
    let identity = datatypes::cx_key(ctx, number)?;
    if pid.repetitions(18).any(|it| it.raw() == number.raw()) {
        return None;
    }
    bundle.add("Account", "Account[2]", Identity::Identifier(identity), |w, refs| {
        let identified = w.array("identifier", |w| {
            w.element_if(|w| datatypes::cx_identifier(w, refs, number));
        });
        row("segments/MRG[Account]#4", identified);
        row("segments/MRG[Account]#1", w.text("status", Some("unknown")));
        w.array("subject", |w| {
            refs.to(w, "", "Patient");
        });
    })
}

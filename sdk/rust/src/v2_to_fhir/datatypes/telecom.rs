//! XTN: telephones and mail.

use std::borrow::Cow;

use super::{extension, extension_text, period};
use crate::Writer;
use crate::hl7::Field;
use crate::v2_to_fhir::rows::rows;
use crate::v2_to_fhir::{codes, row};

const PREFERRED: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-preferred";

/// `datatypes/XTN[ContactPoint]`, filled. `own_use` is the use of the place (PID-13: home) where
/// XTN.2 has none.
pub fn xtn_contact_point(w: &mut Writer, field: Field<'_>, own_use: Option<&'static str>) -> bool {
    contact_point(w, field, own_use, false)
}

/// The same, of the one that the person prefers.
pub fn xtn_preferred(w: &mut Writer, field: Field<'_>) -> bool {
    contact_point(w, field, None, true)
}

#[inline(never)]
fn contact_point(
    w: &mut Writer,
    field: Field<'_>,
    own_use: Option<&'static str>,
    is_preferred: bool,
) -> bool {
    let part = |number| field.component(number);
    let equipment = part(3).text();
    let is_mail = match equipment.as_deref() {
        Some("Internet" | "X.400") => true,
        Some(_) => false,
        None => part(4).is_valued(), // #4
    };
    w.array("extension", |w| {
        extensions(w, field, is_mail);
        if is_preferred {
            extension(w, PREFERRED, |w| w.flag("valueBoolean", Some(true)));
        }
    });
    system(w, equipment.as_deref(), is_mail);
    let is_written = value(w, field, is_mail);
    let mobile = (equipment.as_deref() == Some("CP")).then_some("mobile");
    let purpose = codes::value_of(&codes::TELECOMMUNICATION_USE_CODE, part(2));
    row("datatypes/XTN[ContactPoint]#2", purpose.is_some() && mobile.is_none());
    let purpose = if part(2).is_valued() { purpose } else { own_use };
    w.text("use", mobile.or(purpose));
    let rank = part(18).text().filter(|it| is_positive(it));
    let of_rank = &["datatypes/XTN[ContactPoint]#28", "datatypes/NM[positiveInt]#1"];
    rows(of_rank, w.number("rank", rank));
    let dates = ["datatypes/XTN[ContactPoint]#23", "datatypes/XTN[ContactPoint]#24"];
    period(w, "period", [part(13), part(14)], dates);
    is_written
}

/// #3 to #5. Where the message does not say what it is, the number is one of a telephone: the guide
/// would leave the system out with a reason, and FHIR's validator takes no value without a system.
fn system(w: &mut Writer, equipment: Option<&str>, is_mail: bool) {
    // A mobile is a telephone whose use is mobile.
    let code = equipment.filter(|it| *it != "CP");
    let known = code.and_then(|it| codes::value(&codes::TELECOMMUNICATION_EQUIPMENT_TYPE, it));
    let code = match known {
        Some(code) => code,
        None if is_mail => "email",
        None => "phone",
    };
    let written = w.text("system", Some(code));
    row("datatypes/XTN[ContactPoint]#3", written && (known.is_some() || equipment == Some("CP")));
    row("datatypes/XTN[ContactPoint]#4", written && equipment.is_none() && is_mail);
}

fn value(w: &mut Writer, field: Field<'_>, is_mail: bool) -> bool {
    let part = |number| field.component(number).text();
    if is_mail {
        let mail = part(4);
        row("datatypes/XTN[ContactPoint]#6", mail.is_some());
        // Up to 2.5.1 an address may stand in XTN.1.
        return w.text("value", mail.or_else(|| part(1)));
    }
    if let Some(whole) = part(12) {
        return row("datatypes/XTN[ContactPoint]#22", w.text("value", Some(whole)));
    }
    if let Some(local) = part(7) {
        return composed(w, field, &local);
    }
    row("datatypes/XTN[ContactPoint]#1", w.text("value", part(1)))
}

/// #13 to #16: `+43 1 5550123 X12`, of what is there.
fn composed(w: &mut Writer, field: Field<'_>, local: &str) -> bool {
    let [country, area, extra] = [5, 6, 8].map(|it| field.component(it).text());
    let id = match (&country, &area, &extra) {
        (None, Some(_), None) => "datatypes/XTN[ContactPoint]#13",
        (Some(_), Some(_), None) => "datatypes/XTN[ContactPoint]#14",
        (Some(_), Some(_), Some(_)) => "datatypes/XTN[ContactPoint]#15",
        (None, Some(_), Some(_)) => "datatypes/XTN[ContactPoint]#16",
        _ => "",
    };
    let mut number = String::with_capacity(32);
    let mut add = |before: &str, part: &Option<Cow<'_, str>>| {
        if let Some(part) = part {
            if !number.is_empty() {
                number.push(' ');
            }
            number.push_str(before);
            number.push_str(part);
        }
    };
    add("+", &country);
    add("", &area);
    add("", &Some(Cow::Borrowed(local)));
    add("X", &extra);
    let written = w.text("value", Some(number));
    row(id, written && !id.is_empty()) || written
}

fn extensions(w: &mut Writer, field: Field<'_>, is_mail: bool) {
    for (number, url, of_guide) in PARTS {
        if number == 7 && is_mail {
            continue;
        }
        let part = field.component(number).text();
        let written = extension_text(w, url, "valueString", part.as_deref());
        rows(of_guide, written);
    }
}

/// Component of XTN, the extension that it is, the rows that say so.
const PARTS: [(usize, &str, &[&str]); 4] = [
    (
        5,
        "http://hl7.org/fhir/StructureDefinition/contactpoint-country",
        &["datatypes/XTN[ContactPoint]#7", "datatypes/XTN[ContactPoint]#8"],
    ),
    (
        6,
        "http://hl7.org/fhir/StructureDefinition/contactpoint-area",
        &["datatypes/XTN[ContactPoint]#9", "datatypes/XTN[ContactPoint]#10"],
    ),
    (
        7,
        "http://hl7.org/fhir/StructureDefinition/contactpoint-local",
        &["datatypes/XTN[ContactPoint]#11", "datatypes/XTN[ContactPoint]#12"],
    ),
    (
        8,
        "http://hl7.org/fhir/StructureDefinition/contactpoint-extension",
        &["datatypes/XTN[ContactPoint]#17", "datatypes/XTN[ContactPoint]#18"],
    ),
];

/// A whole number of at least 1. A token is not known to be one.
fn is_positive(text: &str) -> bool {
    !text.starts_with('0') && text.len() < 10 && text.bytes().all(|it| it.is_ascii_digit())
}

//! XTN: telephones and mail.

use hilum_sdk::{Message, Object, number};

use super::{dates, extension};
use crate::codes;

/// XTN: `datatypes/XTN[ContactPoint]`. `own_use` is the use of the field where XTN.2 has none.
pub fn telecoms(message: &Message, field: &str, own_use: Option<&'static str>) -> Vec<Object> {
    let parts = [".1", ".2", ".3", ".4", ".5", ".6", ".7", ".8", ".12", ".13", ".14", ".18"];
    message
        .each(field, parts)
        .into_iter()
        .filter_map(|parts| {
            let [
                whole,
                purpose,
                equipment,
                mail,
                country,
                area,
                local,
                extra,
                plain,
                from,
                until,
                rank,
            ] = parts;
            // Before 2.3 a number stood in XTN.1 alone; XTN.12 replaced it.
            let is_mail = match equipment.as_deref() {
                Some("Internet" | "X.400") => true,
                Some(_) => false,
                None => mail.is_some(), // #4
            };
            let value = match (is_mail, plain, &local) {
                (true, ..) => mail.or(whole), // 2.5.1 still allows an address in XTN.1
                (false, Some(plain), _) => Some(plain), // #22
                (false, None, Some(local)) => Some(composed(&country, &area, local, &extra)),
                (false, None, None) => whole, // #1
            };
            let value = value?;
            let parts = [
                ("country", country),
                ("area", area),
                ("local", local.filter(|_| !is_mail)),
                ("extension", extra),
            ];
            let extensions: Vec<Object> = parts
                .into_iter()
                .filter_map(|(name, part)| {
                    let url =
                        format!("http://hl7.org/fhir/StructureDefinition/contactpoint-{name}");
                    extension(&url, "valueString", part)
                })
                .collect();
            let system = match equipment.as_deref() {
                // The guide maps CP to `mobile`, which is a use: the system is a telephone.
                Some("CP") => Some("phone"),
                Some(code) => codes::value(codes::EQUIPMENT, code),
                None if is_mail => Some("email"),
                None => None,
            };
            let mobile = (equipment.as_deref() == Some("CP")).then_some("mobile");
            let purpose = match &purpose {
                Some(code) => codes::value(codes::TELECOM_USE, code),
                None => own_use,
            };
            // #5: FHIR wants a system beside a value, or the reason why there is none.
            let unknown = system.is_none().then(|| {
                let url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
                Object::new().set("extension", [extension(url, "valueCode", "unknown")])
            });
            let is_rank = rank.as_deref().is_some_and(|it| !it.starts_with(['-', '0']));
            Some(
                Object::new()
                    .set("extension", extensions)
                    .set("system", system)
                    .set("_system", unknown)
                    .set("value", value)
                    .set("use", mobile.or(purpose))
                    .set("rank", rank.as_deref().filter(|_| is_rank).and_then(number))
                    .set("period", dates(from, until)),
            )
        })
        .collect()
}

/// #13 to #16: `+43 1 5550123 X12`, of what is there.
fn composed(
    country: &Option<String>,
    area: &Option<String>,
    local: &str,
    extra: &Option<String>,
) -> String {
    let mut number = String::new();
    if let Some(country) = country {
        number.push('+');
        number.push_str(country);
        number.push(' ');
    }
    if let Some(area) = area {
        number.push_str(area);
        number.push(' ');
    }
    number.push_str(local);
    if let Some(extra) = extra {
        number.push_str(" X");
        number.push_str(extra);
    }
    number
}

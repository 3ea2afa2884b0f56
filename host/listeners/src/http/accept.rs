//! What the sender wants to read: `Accept`, with its weights (RFC 9110 §12.4.2 and §12.5.1).

use hilum_pipeline::{BodyFormat, Wish};

use super::media::{Media, split};

const HL7V2: &[&str] =
    &["application/hl7-v2", "application/hl7-v2+er7", "x-application/hl7-v2+er7"];
const FHIR: &[&str] = &["application/fhir+json"];
const FHIR_OR_JSON: &[&str] = &["application/fhir+json", "application/json"];
const PROBLEM: &[&str] = &["application/problem+json"];
const PROBLEM_OR_JSON: &[&str] = &["application/problem+json", "application/json"];

/// What a sender of this format can be answered with, its own format first.
fn offers(format: Option<&BodyFormat>) -> &'static [(Wish, &'static [&'static str])] {
    match format {
        Some(BodyFormat::Hl7v2) => {
            &[(Wish::Hl7v2, HL7V2), (Wish::Fhir, FHIR), (Wish::Problem, PROBLEM_OR_JSON)]
        }
        // An acknowledgement needs a header to answer, and only HL7 v2 has one.
        Some(BodyFormat::FhirJson) => &[(Wish::Fhir, FHIR_OR_JSON), (Wish::Problem, PROBLEM)],
        Some(BodyFormat::Opaque(_)) | None => {
            &[(Wish::Problem, PROBLEM_OR_JSON), (Wish::Fhir, FHIR)]
        }
    }
}

/// What to answer in if the sender has no wish.
pub(super) fn default_wish(format: Option<&BodyFormat>) -> Wish {
    offers(format).first().map_or(Wish::Problem, |(wish, _)| *wish)
}

/// What to answer in; none if nothing that the sender accepts can be had. Ranges that cannot be
/// read are passed over.
pub(super) fn wish<'a>(
    accept: impl Iterator<Item = &'a str>,
    format: Option<&BodyFormat>,
) -> Option<Wish> {
    let texts: Vec<&str> =
        accept.flat_map(|it| split(it, ',')).filter(|it| !it.trim().is_empty()).collect();
    let ranges: Vec<(Media, u16)> = texts.iter().filter_map(|it| range(it)).collect();
    if ranges.is_empty() {
        return Some(default_wish(format));
    }
    let mut best: Option<(Wish, u16)> = None;
    for (wish, types) in offers(format) {
        let weight = types.iter().map(|it| weight(&ranges, it)).max().unwrap_or(0);
        // The first of equals stands: the sender's own format.
        if best.map_or(0, |(_, it)| it) < weight {
            best = Some((*wish, weight));
        }
    }
    best.map(|(wish, _)| wish)
}

/// The weight of one type, in thousandths: that of the range that fits it best.
fn weight(ranges: &[(Media, u16)], essence: &str) -> u16 {
    let mut best = (0, 0);
    for (range, weight) in ranges {
        if let Some(fit) = range.fits(essence) {
            best = best.max((fit, *weight));
        }
    }
    best.1
}

fn range(text: &str) -> Option<(Media, u16)> {
    let media = Media::parse(text)?;
    let weight = media.parameter("q").map_or(Some(1000), thousandths)?;
    Some((media, weight))
}

/// `0`, `0.5`, `1.000`: at most three digits behind the point, at most one.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if 3 < rest.len() || !rest.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{rest:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilum_words::Name;

    #[track_caller]
    fn check(format: &BodyFormat, accept: &[&str], expected: Option<Wish>) {
        assert_eq!(wish(accept.iter().copied(), Some(format)), expected, "{accept:?}");
    }

    #[test]
    fn who_has_no_wish_reads_their_own_format() {
        for accept in [&[][..], &[""], &["*/*"], &["application/*"], &["*/*;q=0.1"], &["nonsense"]]
        {
            check(&BodyFormat::Hl7v2, accept, Some(Wish::Hl7v2));
            check(&BodyFormat::FhirJson, accept, Some(Wish::Fhir));
            check(&BodyFormat::Opaque(Name::from("text/plain")), accept, Some(Wish::Problem));
        }
    }

    #[test]
    fn the_highest_weight_wins_and_the_closest_range_gives_it() {
        let hl7 = BodyFormat::Hl7v2;
        check(&hl7, &["application/fhir+json"], Some(Wish::Fhir));
        check(&hl7, &["application/json"], Some(Wish::Problem));
        check(&hl7, &["x-application/hl7-v2+er7"], Some(Wish::Hl7v2));
        check(&hl7, &["application/hl7-v2;q=0.4, application/fhir+json;q=0.5"], Some(Wish::Fhir));
        check(&hl7, &["application/hl7-v2;q=0.4", "application/json; q=0.399"], Some(Wish::Hl7v2));
        check(
            &hl7,
            &[
                "*/*, application/hl7-v2;q=0, application/hl7-v2+er7;q=0, x-application/hl7-v2+er7;q=0",
            ],
            Some(Wish::Fhir),
        );
        check(&BodyFormat::FhirJson, &["application/json"], Some(Wish::Fhir));
        check(&BodyFormat::FhirJson, &["application/fhir+json; fhirVersion=4.0"], Some(Wish::Fhir));
        check(
            &BodyFormat::FhirJson,
            &["application/problem+json, application/json;q=0.9"],
            Some(Wish::Problem),
        );
    }

    #[test]
    fn where_nothing_fits_there_is_nothing() {
        check(&BodyFormat::Hl7v2, &["text/html"], None);
        check(&BodyFormat::Hl7v2, &["*/*;q=0"], None);
        check(&BodyFormat::FhirJson, &["application/hl7-v2", "text/*"], None);
        check(&BodyFormat::FhirJson, &["application/json;q=0.0"], None);
    }

    #[test]
    fn a_weight_that_is_none_takes_its_range_with_it() {
        for q in ["2", "1.1", "0.1234", "x", "-1", "+1", "0.x", "00"] {
            let accept = format!("text/plain, application/hl7-v2;q={q}");
            check(&BodyFormat::Hl7v2, &[&accept], None);
        }
        check(&BodyFormat::Hl7v2, &["application/hl7-v2;q=1.000"], Some(Wish::Hl7v2));
        check(&BodyFormat::Hl7v2, &["application/hl7-v2;q=0.001"], Some(Wish::Hl7v2));
    }
}

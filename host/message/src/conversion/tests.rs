use super::*;

#[track_caller]
fn check(conversion: Conversion, value: &str, expected: Option<&str>) {
    let zone = TimeZone::named("Europe/Vienna").expect("bundled");
    assert_eq!(conversion.apply(value, &zone).as_deref(), expected, "{value}");
}

#[test]
fn a_date_keeps_its_precision() {
    let date = Conversion::FhirDate;
    check(date, "1980", Some("1980"));
    check(date, "198003", Some("1980-03"));
    check(date, "19800312", Some("1980-03-12"));
    check(date, "198003121015", Some("1980-03-12"));
    check(date, "19800312101500.12-0500", Some("1980-03-12"));
    check(date, "1980-03-12", Some("1980-03-12"));
    check(date, " 19800312 ", Some("1980-03-12"));
}

#[test]
fn what_is_no_date_has_none() {
    for value in [
        "",
        "198",
        "19801",
        "19801301",
        "19800230",
        "00000101",
        "1980031225",
        "198003121060",
        "19800312x",
        "today",
        "1980-3-1",
        "1980-03-12T",
        "+1980",
        "1980031210150061",
        "ZQ000000000000",
        "19800312101500+1500",
        "19800312101500.",
        "\u{0661}\u{0669}\u{0668}\u{0660}",
        "1980-",
    ] {
        check(Conversion::FhirDate, value, None);
        check(Conversion::FhirDateTime, value, None);
        check(Conversion::Hl7Date, value, None);
    }
}

#[test]
fn a_moment_gets_the_offset_it_has_or_the_sites() {
    let moment = Conversion::FhirDateTime;
    check(moment, "20260912101500+0200", Some("2026-09-12T10:15:00+02:00"));
    check(moment, "20260912101500.1200-0330", Some("2026-09-12T10:15:00.1200-03:30"));
    check(moment, "202609121015", Some("2026-09-12T10:15:00+02:00"));
    check(moment, "202601121015", Some("2026-01-12T10:15:00+01:00"));
    check(moment, "2026091210", Some("2026-09-12T10:00:00+02:00"));
    check(moment, "20260912", Some("2026-09-12"));
    check(moment, "20260912+0200", Some("2026-09-12"));
    check(moment, "2026-0500", Some("2026"));
    check(moment, "202609", Some("2026-09"));
    check(moment, "2026-09-12T10:15:00Z", Some("2026-09-12T10:15:00+00:00"));
    check(moment, "20161231235960+0000", Some("2016-12-31T23:59:60+00:00"));
}

#[test]
fn hours_that_the_clock_has_twice_or_never() {
    // Vienna: back at 03:00 on 25 October 2026, forward at 02:00 on 29 March 2026.
    check(Conversion::FhirDateTime, "202610250230", Some("2026-10-25T02:30:00+02:00"));
    check(Conversion::FhirDateTime, "202603290230", Some("2026-03-29T02:30:00+01:00"));
}

#[test]
fn back_to_hl7() {
    let date = Conversion::Hl7Date;
    check(date, "1980-03-12", Some("19800312"));
    check(date, "1980-03", Some("198003"));
    check(date, "1980", Some("1980"));
    check(date, "2026-09-12T10:15:00+02:00", Some("20260912"));
    check(date, "19800312", Some("19800312"));
}

#[test]
fn texts_are_rewritten() {
    check(Conversion::UpperCase, "straße", Some("STRASSE"));
    check(Conversion::LowerCase, "ÉTÉ", Some("été"));
    check(Conversion::Trim, "  a b\n", Some("a b"));
    check(Conversion::Digits, "+43 (1) 40-400", Some("43140400"));
    check(Conversion::Digits, "none", Some(""));
    check(Conversion::FirstLetter, "  Évariste", Some("É"));
}

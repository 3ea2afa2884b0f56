use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::Class;

fn sensitive(message: &str) -> Sensitive {
    let message =
        Message::parse("hl7v2", Bytes::copy_from_slice(message.as_bytes())).expect("parses");
    Sensitive::of(&Arc::new(Classer::plain(Arc::new(message))))
}

#[track_caller]
fn check(message: &str, text: &str, expected: &[&str]) {
    let sensitive = sensitive(message);
    let found: Vec<_> = sensitive.find_all(text).into_iter().map(|it| &text[it.range]).collect();
    assert_eq!(found, expected, "{text}");
}

const PID: &str = "MSH|^~\\&|LAB^ANNA\rPID|||17||EVE^EVA MARIA^MARIA^-MARIE-^MARIA EVA||1980|F|||MAIN ST 1^^ANNA\r";

#[test]
fn values_are_found_as_whole_words() {
    check(PID, "EVA MARIA, x", &["EVA MARIA"]);
    check(PID, "(MARIA)", &["MARIA"]);
    check(PID, "MARIA EVA MARIA", &["MARIA EVA", "MARIA"]);
    check(PID, "MARIAN XMARIA MARIA1 MARIAÉ", &[]);
    check(PID, "MARIE MAIN ST 12 MAIN ST 1", &["MARIE", "MAIN ST 1"]);
    check(PID, "maria", &[]);
}

#[test]
fn short_and_open_values_are_not_searched_for() {
    check(PID, "EVE 17 ANNA", &[]);
    check(PID, "1980", &["1980"]);
}

#[test]
fn the_year_of_an_open_date_is_open_where_that_date_stands() {
    // MSH-7 is open, PV1-44 is not.
    let of = |time: &str| format!("MSH|^~\\&|LAB||||{time}||ADT^A01\rPV1|{}2013\r", "|".repeat(43));
    check(&of("20130101101500"), "2013-01-01T10:15:00+01:00", &[]);
    check(&of("20130101"), "on 2013-01-01, and 2013-01-01", &[]);
    check(&of("201301"), "2013-01", &[]);
    check(&of("2013"), "2013", &[]);
    // Nowhere else, and no other date of that year.
    check(&of("20130101101500+0100"), "2013", &["2013"]);
    check(&of("20130101101500"), "2013-01-02", &["2013"]);
    check(&of("20130101101500"), "2013-01", &["2013"]);
    check(&of("201301"), "2013-01-02", &["2013"]);
    check(&of("20140101101500"), "2013-01-01T10:15:00+01:00", &["2013"]);
    check(&of("20130199"), "2013", &["2013"]);
    check(&of("2013010110"), "20131", &[]);
    // A date that is open gives nothing but its year.
    let born = "MSH|^~\\&|LAB||||20130101101500||ADT^A01\rPID|||||||20130102\r";
    check(born, "20130102 2013", &["20130102"]);
    let said = "MSH|^~\\&|LAB||||20130101101500||ADT^A01\rNTE|1||2013-01-01\r";
    check(said, "2013-01-01", &["2013-01-01"]);
}

#[test]
fn a_group_of_a_uuid_is_no_word_and_a_whole_one_is() {
    let uuid = "0cd4359c-0bcb-5120-8be3-4dd082b6a1c0";
    let message = "MSH|^~\\&|LAB\rPV1||||||||5120\r";
    check(message, &format!("urn:uuid:{uuid}"), &[]);
    check(message, &format!("{uuid} 5120"), &["5120"]);
    check(message, "0cd4359c-0bcb-5120-8be3-4dd082b6a1c", &["5120"]);
    check(message, &format!("{uuid}0"), &["5120"]);
    check(&message.replace("5120", uuid), &format!("({uuid})"), &[uuid]);
}

#[test]
fn the_same_text_in_two_places_has_both_classes() {
    let sensitive = sensitive("MSH|^~\\&|LAB\rPID|||4711||4711\r");
    let found = sensitive.find_all("4711");
    let places: Vec<_> = found[0].value.places.iter().map(ToString::to_string).collect();
    assert_eq!(places, ["identifier", "name"]);
}

#[test]
fn of_a_long_value_the_beginning_is_enough() {
    let long = "word ".repeat(400);
    let message = format!("MSH|^~\\&|LAB\rNTE|1||{long}\r");
    check(&message, &long[..1030], &[&long[..1024]]);
    check(&message, &long[..1000], &[]);
}

#[test]
fn scrubbing_looks_past_casing_and_dates() {
    let sensitive = sensitive("MSH|^~\\&|LAB\rPID|||||İPEK^Eve||19800312\r");
    let scrub = |text: &str| {
        let mut out = String::new();
        sensitive.scrub_into(text, &mut out);
        out
    };
    assert_eq!(scrub("İPEK and eve, EVER"), "[phi:name] and [phi:name], EVER");
    assert_eq!(scrub("born 1980-03-12 (19800312)"), "born [phi:birth-date] ([phi:birth-date])");
    assert_eq!(scrub("ß and nothing"), "ß and nothing");
}

#[test]
fn values_within_values_do_not_slow_the_search_down() {
    // Each word of the text begins like all of them and is none.
    let segments = (1..500).map(|count| format!("NTE|1||a{}\r", " 0".repeat(count)));
    let sensitive = sensitive(&format!("MSH|^~\\&|LAB\r{}", segments.collect::<String>()));
    let text = "a a ".repeat(50_000);
    // One look-up for each word is some milliseconds; one for each value and word is minutes.
    assert!(sensitive.find_all(&text).is_empty());
    assert_eq!(sensitive.find_all("a 0 0 1").len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// The search agrees with looking for each value at each place.
    #[test]
    fn the_index_finds_what_a_naive_search_finds(
        values in proptest::collection::vec("[abé]{1,3}( [ab]{1,3}){0,2}", 1..8),
        text in "[abé ]{0,24}",
    ) {
        let mut words = Collected::default();
        values.iter().for_each(|value| words.add(value, Class::Name.into()));
        let words = words.sorted();
        let found: Vec<_> = words.find_all(&text).into_iter().map(|it| it.range).collect();
        let mut expected = Vec::new();
        let mut from = 0;
        for (at, letter) in text.char_indices() {
            let before = text[..at].chars().next_back();
            if at < from || !letter.is_alphanumeric() || before.is_some_and(char::is_alphanumeric) {
                continue;
            }
            let ends = |end: usize| !text[end..].chars().next().is_some_and(char::is_alphanumeric);
            let here = values.iter().filter(|it| text[at..].starts_with(*it) && ends(at + it.len()));
            if let Some(longest) = here.map(String::len).max() {
                from = at + longest;
                expected.push(at..from);
            }
        }
        prop_assert_eq!(found, expected);
    }

    /// No string that holds a value is passed over, whatever stands beside it.
    #[test]
    fn where_there_is_no_lead_there_is_no_value(
        values in proptest::collection::vec("[abZQ0é\\\\]{1,5}( [abZ]{1,4}){0,2}", 1..6),
        texts in proptest::collection::vec("[abZQzq0é \\\\\"-]{0,12}", 1..6),
        chosen in any::<prop::sample::Index>(),
    ) {
        let mut words = Collected::default();
        values.iter().for_each(|value| words.add(value, Class::Name.into()));
        let classer = Arc::clone(&sensitive(PID).classer);
        let sensitive = Sensitive { values: words.sorted(), open_dates: BTreeSet::new(), folded: OnceLock::new(), classer };
        let value = &values[chosen.index(values.len())];
        for text in texts.iter().flat_map(|it| [it.clone(), format!("{it} {value}"), format!("{value}{it}")]) {
            let body = [hilum_message::json_string("x"), hilum_message::json_string(&text)].concat();
            let has_lead = sensitive.leads(&body).iter().any(|at| 3 <= *at);
            prop_assert!(has_lead || sensitive.find_all(&text).is_empty(), "{:?}", text);
            let has_token = crate::token::tokens_in(text.as_bytes(), |_| true);
            prop_assert!(has_lead || has_token.is_empty(), "{:?}", text);
        }
    }
}

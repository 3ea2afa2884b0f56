use bytes::Bytes;
use expect_test::{Expect, expect};
use hilum_message::Conversion;
use hilum_words::Name;

use super::*;
use crate::{Class, Policy};

const SEED: RunSeed = RunSeed(*b"sixteen bytes ok");

const ADT: &str = "MSH|^~\\&|LAB|ANNA|||20260912101500||ADT^A01|7|P|2.5.1\r\
EVN|A01|202609121014\r\
PID|1||17^^^ANNA&1.2.3&ISO^MR||EVERYWOMAN^EVE^\"\"||19800312|F|||1 MAIN ST^^VIENNA^W^1010^AUT\r\
PV1|1|I|WARD^101^A||||||||||||||||V-99^^^ANNA\r\
OBX|1|NM|8867-4^RATE^LN||72|/min\r\
OBX|2|TX|NOTE||SEEN \\T\\ SENT\r\
ZPI|SECRET\r";

fn policy() -> Policy {
    Policy::new(TimeZone::named("Europe/Vienna").expect("bundled"))
}

fn view_of(format: &str, bytes: &str, grant: &Grant) -> View {
    let message = Message::parse(format, Bytes::copy_from_slice(bytes.as_bytes())).expect("parses");
    policy().view(Input::Message(Arc::new(message)), grant, SEED, 0)
}

fn adt(grant: &Grant) -> View {
    view_of("hl7v2", ADT, grant)
}

fn lines(body: &[u8]) -> String {
    String::from_utf8_lossy(body).replace('\r', "\n")
}

#[track_caller]
fn check_body(mut view: View, expected: Expect) {
    expected.assert_eq(&lines(&view.body()));
}

#[track_caller]
fn get(view: &mut View, path: &str) -> String {
    match view.get(path) {
        Ok(Some(text)) => text,
        Ok(None) => "none".to_owned(),
        Err(access) => access.to_string(),
    }
}

#[test]
fn the_default_grant_seals_every_class() {
    check_body(
        adt(&Grant::sealed_by_default()),
        expect![[r#"
        MSH|^~\&|LAB|ANNA|||20260912101500||ADT^A01|7|P|2.5.1
        EVN|A01|ZQAIYTW9C6WKAG
        PID|1||ZQ0BM0BC36QH5J^^^ANNA&1.2.3&ISO^MR||ZQV5WVFDJ4MIMW^ZQ8NHZMCL8NQFV^""||ZQPRRKCBAEWN1C|F|||ZQZ43K0A632IRR^^ZQYFRV77FWUQ4G^W^ZQXB3CG8LNF51Y^AUT
        PV1|1|I|ZQL5QRT4LQREGB^ZQGBYI01F684WM^ZQ8OE49O96M3MF||||||||||||||||ZQ9FB9V98NLKRL^^^ANNA
        OBX|1|NM|8867-4^RATE^LN||72|/min
        OBX|2|TX|NOTE||ZQXI4FNBVULNGP
        ZPI|ZQQ6LCJUMKT9TW
    "#]],
    );
}

#[test]
fn an_open_grant_shows_the_message_byte_for_byte() {
    let mut view = adt(&Grant::open_to_all());
    assert_eq!(view.body(), ADT);
    let (seals, sights) = view.finish();
    assert!(seals.is_empty() && sights.sealed.is_empty());
    assert_eq!(sights.opened.count(Class::Name), 2);
}

#[test]
fn what_is_withheld_leaves_its_place_empty() {
    let grant = Grant::sealed_by_default()
        .with(Class::Name, Sight::Withhold)
        .with(Class::Identifier, Sight::Open)
        .with(Class::Unknown, Sight::Withhold);
    check_body(
        adt(&grant),
        expect![[r#"
        MSH|^~\&|LAB|ANNA|||20260912101500||ADT^A01|7|P|2.5.1
        EVN|A01|ZQAIYTW9C6WKAG
        PID|1||17^^^ANNA&1.2.3&ISO^MR||^^""||ZQPRRKCBAEWN1C|F|||ZQZ43K0A632IRR^^ZQYFRV77FWUQ4G^W^ZQXB3CG8LNF51Y^AUT
        PV1|1|I|ZQL5QRT4LQREGB^ZQGBYI01F684WM^ZQ8OE49O96M3MF||||||||||||||||V-99^^^ANNA
        OBX|1|NM|8867-4^RATE^LN||72|/min
        OBX|2|TX|NOTE||ZQXI4FNBVULNGP
        ZPI|
    "#]],
    );
}

#[test]
fn a_value_has_one_token_wherever_it_is_met() {
    let mut view = adt(&Grant::sealed_by_default());
    let token = get(&mut view, "PID-5.1");
    assert_eq!(get(&mut view, "PID-5"), token);
    assert_eq!(get(&mut view, "PID[1]-5[1].1.1"), token);
    assert_eq!(view.all("PID-5").expect("a path"), [Some(token.clone())]);
    assert!(lines(&view.body()).contains(&token));
    assert!(view.text().expect("text").contains(&token));
    let mut again = adt(&Grant::sealed_by_default());
    assert!(lines(&again.body()).contains(&token), "the order of questions does not matter");
    let (seals, _) = view.finish();
    assert_eq!(seals.origin(&token.to_lowercase()).as_deref(), Some("step 0, PID-5.1"));
    assert_eq!(seals.classes(&token), Some(Class::Name.into()));
}

#[test]
fn a_step_has_tokens_of_its_own() {
    let message =
        Arc::new(Message::parse("hl7v2", Bytes::from_static(ADT.as_bytes())).expect("parses"));
    let token = |seed, step| {
        let input = Input::Message(Arc::clone(&message));
        get(&mut policy().view(input, &Grant::sealed_by_default(), seed, step), "PID-5")
    };
    assert_ne!(token(SEED, 0), token(SEED, 1));
    assert_ne!(token(SEED, 0), token(RunSeed([0; 16]), 0));
}

#[test]
fn places_are_told_apart_without_opening() {
    let grant = Grant::sealed_by_default()
        .with(Class::BirthDate, Sight::Open)
        .with(Class::Address, Sight::Withhold);
    let mut view = adt(&grant);
    for (path, expected) in [
        ("PID-7", Seen::Open),
        ("PID-8", Seen::Open),
        ("PID-5", Seen::Sealed),
        ("PID-5.3", Seen::Deleted),
        ("PID-11", Seen::Withheld),
        ("PID-11.4", Seen::Open),
        ("PID-9", Seen::Absent),
    ] {
        assert_eq!(view.sight_of(path), Ok(expected), "{path}");
    }
    assert_eq!(get(&mut view, "PID-7"), "19800312");
    assert_eq!(get(&mut view, "PID-5.3"), "none");
    assert_eq!(view.get("PID-11"), Err(Access::Withheld));
    assert_eq!(view.all("PID-11"), Err(Access::Withheld));
    assert!(matches!(view.get("PID.11"), Err(Access::MalformedPath(_))));
    let (_, sights) = view.finish();
    assert_eq!(sights.opened.iter().collect::<Vec<_>>(), [(Class::BirthDate, 1)]);
    assert_eq!(sights.withheld.count(Class::Address), 1);
    assert_eq!(sights.denied.count(Class::Address), 2);
    let paths: Vec<_> = sights.paths.keys().map(String::as_str).collect();
    assert_eq!(paths, ["PID-11.1", "PID-7.1"]);
}

#[test]
fn a_table_that_opens_does_so_for_whole_values_and_says_so() {
    let mut view = adt(&Grant::sealed_by_default());
    let name = get(&mut view, "PID-5");
    let first = view.convert(Conversion::FirstLetter, &name).expect("a letter");
    let table = Name::from("letters");
    let spell = |code: &str| Some(format!("letter-{code}"));
    let spelt = view.translate(&table, true, &spell, &first).expect("in the table");
    assert!(!spelt.contains("letter-"), "a part of a value stays closed: {spelt}");
    let whole = |code: &str| (code == "EVERYWOMAN").then(|| "known".to_owned());
    assert_eq!(view.translate(&table, true, &whole, &name).as_deref(), Some("known"));
    let (_, sights) = view.finish();
    assert_eq!(sights.opened.count(Class::Name), 1, "what a table opened is counted as opened");
}

#[test]
fn conversions_and_tables_work_on_tokens() {
    let mut view = adt(&Grant::sealed_by_default());
    let born = get(&mut view, "PID-7");
    let date = view.convert(Conversion::FhirDate, &born).expect("a date");
    assert_eq!(view.convert(Conversion::FhirDate, &born.to_lowercase()), Some(date.clone()));
    assert_ne!(date, born);
    let name = get(&mut view, "PID-5");
    assert_eq!(view.convert(Conversion::FhirDate, &name), None);
    assert_eq!(view.convert(Conversion::LowerCase, "EVE"), Some("eve".to_owned()));
    let mixed = format!("{name}!");
    assert_eq!(view.convert(Conversion::Trim, &mixed), Some(mixed.clone()));

    let lookup = |code: &str| (code == "EVERYWOMAN").then(|| "W".to_owned());
    let table = Name::from("initials");
    let code = view.translate(&table, false, &lookup, &name).expect("in the table");
    assert_ne!(code, "W");
    assert_eq!(view.translate(&table, true, &lookup, &name).as_deref(), Some("W"));
    assert_eq!(view.translate(&table, false, &lookup, "EVERYWOMAN").as_deref(), Some("W"));
    assert_eq!(view.translate(&table, false, &lookup, &born), None);

    let (seals, _) = view.finish();
    let plain = |text: &str| seals.get(&crate::token::Token::exactly(text)?)?.plain.text();
    assert_eq!(plain(&date).as_deref(), Some("1980-03-12"));
    assert_eq!(plain(&code).as_deref(), Some("W"));
    assert_eq!(seals.origin(&date).as_deref(), Some("step 0, PID-7.1, fhir-date"));
    assert_eq!(seals.classes(&code), Some(Class::Name.into()));
}

#[test]
fn an_open_value_that_looks_like_a_token_is_sealed() {
    let message = "MSH|^~\\&|zq7K3M9XA2WB4T|ZQ7K3M9XA2WB4TX|||\r";
    let mut view = view_of("hl7v2", message, &Grant::open_to_all());
    let token = get(&mut view, "MSH-3");
    assert_ne!(token.to_uppercase(), "ZQ7K3M9XA2WB4T");
    assert_eq!(view.sight_of("MSH-3"), Ok(Seen::Sealed));
    assert_eq!(get(&mut view, "MSH-4"), "ZQ7K3M9XA2WB4TX");
    let escaped = "MSH|^~\\&|\\X5A\\Q7K3M9XA2WB4T||||\r";
    let mut view = view_of("hl7v2", escaped, &Grant::open_to_all());
    assert_eq!(view.sight_of("MSH-3"), Ok(Seen::Sealed));
    assert!(!lines(&view.body()).contains("X5A"));
}

#[test]
fn a_big_value_is_a_token_unless_big_is_granted() {
    let big = "x".repeat(BIG_BYTES + 1);
    let message = format!("MSH|^~\\&|LAB||||\rNTE|1||{big}\r");
    let seen = |message: &str, grant: &Grant| view_of("hl7v2", message, grant).sight_of("NTE-3");
    let open = Grant::open_to_all();
    assert_eq!(seen(&message, &open), Ok(Seen::Open));
    assert_eq!(seen(&message, &open.clone().with_big(false)), Ok(Seen::Sealed));
    let at_the_limit = message.replace(&big, &big[1..]);
    assert_eq!(seen(&at_the_limit, &open.with_big(false)), Ok(Seen::Open));
}

#[test]
fn fhir_is_sealed_and_withheld_by_its_elements() {
    let bundle = r#"{ "resourceType": "Bundle", "type": "transaction", "entry": [ {
  "resource": { "resourceType": "Patient", "active": true, "gender": "female",
    "extension": [ { "url": "x", "valueBoolean": true }, { "url": "y", "valueInteger": 2 } ],
    "name": [ { "family": "EVERY\"WOMAN", "given": [ "" ] } ] },
  "request": { "method": "PUT", "url": "Patient?identifier=17" } } ] }"#;
    check_body(
        view_of("fhir-json", bundle, &Grant::sealed_by_default()),
        expect![[r#"
        { "resourceType": "Bundle", "type": "transaction", "entry": [ {
          "resource": { "resourceType": "Patient", "active": true, "gender": "female",
            "extension": [ { "url": "x", "valueBoolean": "ZQMOXBD9F390LY" }, { "url": "y", "valueInteger": "ZQTIXW54S015J3" } ],
            "name": [ { "family": "ZQ2UVP3DP0W504", "given": [ "" ] } ] },
          "request": { "method": "PUT", "url": "ZQRU945R5WQ55Z" } } ] }"#]],
    );
    let withheld = Class::ALL
        .iter()
        .fold(Grant::default(), |grant, class| grant.with(*class, Sight::Withhold));
    check_body(
        view_of("fhir-json", bundle, &withheld),
        expect![[r#"
        { "resourceType": "Bundle", "type": "transaction", "entry": [ {
          "resource": { "resourceType": "Patient", "active": true, "gender": "female",
            "extension": [ { "url": "x", "valueBoolean": null }, { "url": "y", "valueInteger": null } ],
            "name": [ { "family": "", "given": [ "" ] } ] },
          "request": { "method": "PUT", "url": "" } } ] }"#]],
    );
    let mut view = view_of("fhir-json", bundle, &Grant::open_to_all());
    assert_eq!(view.body(), bundle);
    assert_eq!(get(&mut view, "Bundle.entry[0].resource.name.family"), "EVERY\"WOMAN");
    assert_eq!(view.outline(), ["Patient"]);
}

#[test]
fn a_type_that_is_text_in_disguise_is_sealed() {
    let mut view =
        view_of("json", r#"{"resourceType":"Eve Everywoman"}"#, &Grant::sealed_by_default());
    assert_eq!(view.sight_of("resourceType"), Ok(Seen::Sealed));
    assert_eq!(view.kind(), "");
    assert!(!lines(&view.body()).contains("Eve"));
}

#[test]
fn a_body_without_places_is_one_value() {
    // There is no token for it: it is withheld unless it is open.
    let mut sealed = view_of("text", "EVE EVERYWOMAN", &Grant::sealed_by_default());
    assert!(sealed.is_body_withheld());
    assert_eq!(sealed.body().len(), 0);
    assert_eq!(sealed.text(), Err(Access::Withheld));
    assert_eq!(sealed.get("PID-5"), Err(Access::Unstructured));
    assert_eq!(sealed.finish().1.withheld.count(Class::Body), 1);
    let withheld = Grant::sealed_by_default().with(Class::Body, Sight::Withhold);
    assert_eq!(view_of("text", "EVE EVERYWOMAN", &withheld).body().len(), 0);
    assert!(!view_of("text", "", &withheld).is_body_withheld(), "nothing is no secret");
    assert_eq!(
        view_of("text", "EVE EVERYWOMAN", &Grant::open_to_all()).text().expect("text"),
        "EVE EVERYWOMAN"
    );
}

#[test]
fn text_is_decoded_by_the_messages_own_character_set() {
    let latin: Vec<u8> = ADT
        .replace("2.5.1", "2.5.1||||||8859/1")
        .replace("ANNA", "\u{e4}")
        .chars()
        .map(|it| it as u8)
        .collect();
    let message = Arc::new(Message::parse("hl7v2", latin.into()).expect("parses"));
    let mut view = policy().view(Input::Message(message), &Grant::sealed_by_default(), SEED, 0);
    assert!(view.text().expect("text").contains("|\u{e4}|"));
    let mut binary = view_of("binary", "x", &Grant::open_to_all());
    assert!(binary.text().is_ok());
    let message = Message::parse("binary", Bytes::from_static(b"\xff")).expect("any bytes");
    let mut view = policy().view(Input::Message(Arc::new(message)), &Grant::open_to_all(), SEED, 0);
    assert_eq!(view.text(), Err(Access::Unstructured));
}

#[test]
fn many_look_ups_give_the_same_answers() {
    let mut view = adt(&Grant::sealed_by_default());
    let paths = ["PID-5.1", "OBX[2]-5", "OBX[3]-5", "MSH-2", "MSH-1", "PID-3.4.2", "ZPI-1", "OBX"];
    let first: Vec<_> = paths.iter().map(|path| get(&mut view, path)).collect();
    for _ in 0..LOOK_UPS_MAX {
        view.get("PID-5.1").expect("a path");
    }
    assert!(view.places.is_some());
    let later: Vec<_> = paths.iter().map(|path| get(&mut view, path)).collect();
    assert_eq!(first, later);
    assert!(0 < view.bytes_held());
}

#[test]
fn texts_for_people_are_scrubbed() {
    let mut view = adt(&Grant::sealed_by_default());
    let token = get(&mut view, "PID-11");
    let text =
        format!("no ward for Everywoman, born 1980-03-12 at {token}; EVERYWOMEN and ANNA stay");
    expect!["no [phi:address] for [phi:name], born [phi:birth-date] at [phi:address]; EVERYWOMEN and ANNA stay"]
        .assert_eq(&view.scrub(&text));
    assert_eq!(view.scrub("PID-3.1"), "PID-3.1");
}

#[test]
fn a_view_is_owned_and_can_be_sent() {
    fn is_sent<T: Send + 'static>() {}
    is_sent::<View>();
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<Seals>();
    is_shared::<Template>();
    assert_eq!(
        format!("{:?}", adt(&Grant::default())),
        "View(Message(hl7v2, 286 bytes), Seals(0))"
    );
}

use super::*;
use hilum_env::twin::Twin;

fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in all {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
    }
    headers
}

fn format_of(value: &str) -> Result<BodyFormat, RequestFault> {
    format(&headers(&[("content-type", value)]), Json::Fhir).map(|(format, _)| format)
}

#[test]
fn the_content_type_says_what_the_body_is() {
    for text in [
        "application/hl7-v2",
        "application/HL7-v2; charset=utf-8",
        "application/hl7-v2+er7",
        "x-application/hl7-v2+er7;version=2.5.1",
    ] {
        assert_eq!(format_of(text), Ok(BodyFormat::Hl7v2), "{text}");
    }
    assert_eq!(format_of("application/fhir+json;fhirVersion=4.0"), Ok(BodyFormat::FhirJson));
    assert_eq!(format_of("application/json"), Ok(BodyFormat::FhirJson));
    assert_eq!(format_of("application/json+fhir"), Ok(BodyFormat::FhirJson));
    assert_eq!(format_of("Text/XML"), Ok(BodyFormat::Opaque(Name::from("text/xml"))));
    let json = headers(&[("content-type", "application/json")]);
    let format = format(&json, Json::Opaque).expect("a format").0;
    assert_eq!(format, BodyFormat::Opaque(Name::from("application/json")));
}

#[test]
fn without_one_readable_content_type_nothing_is_taken() {
    assert_eq!(format(&headers(&[]), Json::Fhir), Err(RequestFault::ContentType));
    let twice = [("content-type", "text/plain"), ("content-type", "text/plain")];
    assert_eq!(format(&headers(&twice), Json::Fhir), Err(RequestFault::ContentType));
    for text in ["", "hl7", "*/*", "text/*", "text/pl ain", "text/\u{e9}"] {
        assert_eq!(format_of(text), Err(RequestFault::ContentType), "{text}");
    }
    let long = |letters: usize| format_of(&format!("a/{}", "b".repeat(letters)));
    assert!(long(FORMAT_CHARS_MAX - 2).is_ok());
    assert_eq!(long(FORMAT_CHARS_MAX - 1), Err(RequestFault::ContentType));
    assert_eq!(format_of("multipart/form-data; boundary=x"), Err(RequestFault::Form));
    assert_eq!(format_of("application/x-www-form-urlencoded"), Err(RequestFault::Form));
    for text in
        ["application/fhir+xml", "Application/FHIR+XML; charset=utf-8", "application/xml+fhir"]
    {
        assert_eq!(format_of(text), Err(RequestFault::FhirXml), "{text}");
    }
}

#[test]
fn the_charset_is_read_from_its_parameter() {
    let charset =
        |text: &str| format(&headers(&[("content-type", text)]), Json::Fhir).expect("a format").1;
    assert_eq!(
        charset("application/hl7-v2; charset=\"ISO-8859-1\"").as_deref(),
        Some("ISO-8859-1")
    );
    assert_eq!(charset("application/hl7-v2"), None);
}

#[test]
fn a_key_is_printable_and_bounded() {
    let key = |value: &str| idempotency_key(&headers(&[("idempotency-key", value)]));
    assert_eq!(idempotency_key(&headers(&[])), Ok(None));
    assert_eq!(
        key("8e03978e-40d5-43dd-bc93-6894a57f9324").expect("one").as_deref(),
        Some("8e03978e-40d5-43dd-bc93-6894a57f9324")
    );
    assert_eq!(key("\"a b\"").expect("one").as_deref(), Some("a b"));
    assert!(key(&"k".repeat(KEY_CHARS_MAX)).is_ok());
    for bad in ["", "\"\"", "caf\u{e9}", "a\tb", &"k".repeat(KEY_CHARS_MAX + 1)] {
        assert_eq!(key(bad), Err(RequestFault::IdempotencyKey), "{bad}");
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "a")];
    assert_eq!(idempotency_key(&headers(&twice)), Err(RequestFault::IdempotencyKey));
}

#[test]
fn a_request_id_is_taken_if_it_is_sane_and_else_made() {
    let twin = Twin::with_seed(1);
    let entropy = twin.doors().entropy;
    let id = |value: &str| request_id(&headers(&[("x-request-id", value)]), &*entropy);
    assert_eq!(id("a1-B2_c3.d4:e/f+g=h@i~"), "a1-B2_c3.d4:e/f+g=h@i~");
    assert_eq!(id(&"x".repeat(128)), "x".repeat(128));
    let is_made = |it: &str| it.len() == 32 && it.bytes().all(|it| it.is_ascii_hexdigit());
    for bad in ["", "a b", "a\"b", "a<b>", "\u{e9}", &"x".repeat(129)] {
        assert!(is_made(&id(bad)), "{bad}");
    }
    let made = request_id(&headers(&[]), &*entropy);
    assert!(is_made(&made) && made != request_id(&headers(&[]), &*entropy));
}

#[test]
fn only_a_traceparent_of_the_standard_is_carried_on() {
    let id = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let of = |value: &str| trace(&headers(&[("traceparent", value)]));
    assert_eq!(of(id).as_deref(), Some(id));
    let later = id.replacen("00", "cc", 1);
    assert_eq!(of(&format!("{later}-what-ever")), Some(later));
    for bad in [
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
    ] {
        assert_eq!(of(bad), None, "{bad}");
    }
    assert_eq!(trace(&headers(&[("traceparent", id), ("traceparent", id)])), None);
}

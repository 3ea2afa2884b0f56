//! FHIR bundles: a transaction is written as a whole or not at all, a collection is only read.
//!
//! ```no_run
//! # use hilum_sdk::{Message, Object, Output, fhir};
//! # fn example(message: &Message, patient: Object, number: &str) -> Output {
//! let url = fhir::by_identifier("Patient", Some("urn:oid:1.2.3"), number);
//! Output::fhir(fhir::transaction([fhir::put(&message.urn("Patient"), &url, patient)]))
//! # }
//! ```

use crate::{Json, Object};

/// A transaction of these entries.
pub fn transaction<const N: usize>(entries: [Option<Object>; N]) -> Object {
    Object::new().set("resourceType", "Bundle").set("type", "transaction").set("entry", entries)
}

/// A collection of these entries: resources that belong together, for a reader and no server.
pub fn collection<const N: usize>(entries: [Option<Object>; N]) -> Object {
    Object::new().set("resourceType", "Bundle").set("type", "collection").set("entry", entries)
}

/// An entry of a collection.
pub fn entry(full_url: &str, resource: impl Json) -> Option<Object> {
    Some(Object::new().set("fullUrl", full_url).set("resource", resource))
}

/// An entry that creates or replaces what `url` finds (a conditional update), so that a repeat of
/// the message makes no second resource. Other entries refer to it by `full_url`.
pub fn put(full_url: &str, url: &str, resource: impl Json) -> Option<Object> {
    Some(
        Object::new()
            .set("fullUrl", full_url)
            .set("resource", resource)
            .set("request", Object::new().set("method", "PUT").set("url", url)),
    )
}

/// `Patient?identifier=system|value`. The value may be a token: the host encodes what it stands
/// for. Without a system the search is for an identifier that has none (`|value`): the bare value
/// would find, and overwrite, another system's patient of the same number.
pub fn by_identifier(resource_type: &str, system: Option<&str>, value: &str) -> String {
    let mut url = format!("{resource_type}?identifier=");
    encode(system.unwrap_or_default(), &mut url);
    url.push('|');
    encode(value, &mut url);
    url
}

/// Percent-encodes what may not stand in the value of a query (RFC 3986, section 3.4, less the
/// letters that separate parameters).
pub(crate) fn encode(text: &str, url: &mut String) {
    let stays = |it: u8| it.is_ascii_alphanumeric() || b"-._~:/@".contains(&it);
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|it| !stays(it)) {
        let (plain, from) = rest.split_at(at);
        url.push_str(plain);
        // All bytes of a letter that is not ASCII.
        let length = from.chars().next().map_or(0, char::len_utf8);
        let (letter, after) = from.split_at(length);
        for byte in letter.bytes() {
            url.push('%');
            for digit in [byte >> 4, byte & 0x0f] {
                url.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
        rest = after;
    }
    url.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_encoded_and_a_token_stays_whole() {
        assert_eq!(
            by_identifier("Patient", Some("urn:oid:1.2.3"), "ZQ7K3M9XA2WB4T"),
            "Patient?identifier=urn:oid:1.2.3|ZQ7K3M9XA2WB4T"
        );
        assert_eq!(
            by_identifier("Patient", Some("https://x.example/a b"), "4&7|ü"),
            "Patient?identifier=https://x.example/a%20b|4%267%7C%C3%BC"
        );
        assert_eq!(by_identifier("Encounter", None, "7"), "Encounter?identifier=|7");
    }

    #[test]
    fn a_transaction_has_the_entries_that_are_there() {
        let patient = Object::new().set("resourceType", "Patient");
        assert_eq!(
            transaction([put("urn:uuid:1", "Patient?identifier=|7", patient), None]).into_text(),
            r#"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient"},"request":{"method":"PUT","url":"Patient?identifier=|7"}}]}"#
        );
    }

    #[test]
    fn a_collection_asks_for_nothing() {
        let patient = Object::new().set("resourceType", "Patient");
        assert_eq!(
            collection([entry("urn:uuid:1", patient)]).into_text(),
            r#"{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient"}}]}"#
        );
    }
}

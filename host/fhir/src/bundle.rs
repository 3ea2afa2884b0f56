//! Bundles: what is in them, and what a server says became of each entry.

use crate::Value;

/// One entry of a Bundle.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// `Bundle.entry.fullUrl`
    pub full_url: Option<&'a str>,
    /// `Bundle.entry.resource`
    pub resource: Option<&'a Value>,
    /// `Bundle.entry.request.method`
    pub method: Option<&'a str>,
    /// `Bundle.entry.request.url`
    pub url: Option<&'a str>,
    /// `Bundle.entry.response`
    pub outcome: Option<EntryOutcome<'a>>,
}

/// What a server says became of one entry of a transaction or batch.
#[derive(Clone, Copy, Debug)]
pub struct EntryOutcome<'a> {
    /// `response.status`: the HTTP status code and, after a blank, anything.
    pub status: Option<u16>,
    /// `response.location`
    pub location: Option<&'a str>,
    /// `response.outcome`, an OperationOutcome.
    pub outcome: Option<&'a Value>,
}

/// The entries of a Bundle, in order; none if this is no Bundle.
pub fn entries(bundle: &Value) -> Vec<Entry<'_>> {
    if bundle.resource_type() != Some("Bundle") {
        return Vec::new();
    }
    bundle.member("entry").map(Value::items).unwrap_or_default().iter().map(entry).collect()
}

fn entry(value: &Value) -> Entry<'_> {
    let text = |of: Option<&'_ Value>, name: &str| -> Option<String> {
        of?.member(name)?.text().map(str::to_owned)
    };
    let request = value.member("request");
    let response = value.member("response");
    Entry {
        full_url: value.member("fullUrl").and_then(Value::text),
        resource: value.member("resource"),
        method: request.and_then(|it| it.member("method")).and_then(Value::text),
        url: request.and_then(|it| it.member("url")).and_then(Value::text),
        outcome: response.map(|response| EntryOutcome {
            status: text(Some(response), "status")
                .and_then(|status| status.get(..3).and_then(|code| code.parse().ok())),
            location: response.member("location").and_then(Value::text),
            outcome: response.member("outcome"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_their_outcome() {
        let bundle = crate::parse(
            br#"{"resourceType":"Bundle","entry":[
                {"fullUrl":"urn:uuid:1","response":{"status":"201 Created","location":"Patient/1"}},
                {"response":{"status":"4"}}]}"#,
        )
        .expect("JSON");
        let entries = entries(&bundle);
        assert_eq!(entries[0].outcome.and_then(|it| it.status), Some(201));
        assert_eq!(entries[0].outcome.and_then(|it| it.location), Some("Patient/1"));
        assert_eq!(entries[1].outcome.and_then(|it| it.status), None);
        assert!(super::entries(&Value::Null).is_empty());
    }
}

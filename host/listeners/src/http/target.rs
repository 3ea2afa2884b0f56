//! Where a request goes: the listener's path, or a resource below it as FHIR's clients write it.

use hilum_pipeline::ResourceUrl;

/// Letters of a type. FHIR's longest has 33.
const TYPE_CHARS_MAX: usize = 64;
/// Characters of a resource's id.
const ID_CHARS_MAX: usize = 64;

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The listener's own path: any message.
    Base,
    /// A type or a resource of FHIR.
    Resource(ResourceUrl),
}

impl Target {
    /// What is at this path of a listener at `base`; none: nothing. A slash at the end of the
    /// listener's own path makes no difference.
    pub(super) fn at(base: &str, path: &str) -> Option<Self> {
        let rest = path.strip_prefix(base.strip_suffix('/').unwrap_or(base))?;
        if rest.is_empty() || rest == "/" {
            return Some(Self::Base);
        }
        let mut parts = rest.strip_prefix('/')?.split('/');
        let resource_type = parts.next().filter(|it| is_type(it))?.to_owned();
        let id = parts.next();
        if parts.next().is_some() || id.is_some_and(|it| !is_id(it)) {
            return None;
        }
        Some(Self::Resource(ResourceUrl { resource_type, id: id.map(str::to_owned) }))
    }

    /// The one method that is taken here: what has an id is put.
    pub(super) fn method(&self) -> &'static str {
        match self {
            Self::Resource(ResourceUrl { id: Some(_), .. }) => "PUT",
            Self::Base | Self::Resource(_) => "POST",
        }
    }

    /// What a FHIR request names.
    pub(super) fn into_resource(self) -> Option<ResourceUrl> {
        match self {
            Self::Base => None,
            Self::Resource(url) => Some(url),
        }
    }
}

fn is_type(text: &str) -> bool {
    let is_letter = text.bytes().all(|byte| byte.is_ascii_alphabetic());
    (1..=TYPE_CHARS_MAX).contains(&text.len())
        && text.starts_with(|letter: char| letter.is_ascii_uppercase())
        && is_letter
}

/// FHIR R4, data type `id`.
fn is_id(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    (1..=ID_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, path: &str, expected: Option<(&str, Option<&str>)>) {
        let found = Target::at(base, path).map(Target::into_resource);
        let url = |(resource_type, id): (&str, Option<&str>)| ResourceUrl {
            resource_type: resource_type.to_owned(),
            id: id.map(str::to_owned),
        };
        assert_eq!(found, expected.map(|it| (!it.0.is_empty()).then(|| url(it))), "{path}");
    }

    #[test]
    fn a_slash_at_the_end_makes_no_difference() {
        let base = Some(("", None));
        for (at, path) in
            [("/", "/"), ("/", ""), ("/hl7", "/hl7/"), ("/hl7/", "/hl7"), ("/a/b", "/a/b")]
        {
            check(at, path, base);
        }
        for (at, path) in
            [("/hl7", "/"), ("/hl7", "/hl7//"), ("/hl7", "/HL7"), ("/", "/x"), ("/a", "/ab")]
        {
            check(at, path, None);
        }
    }

    #[test]
    fn a_resource_is_named_by_its_type_and_id() {
        check("/", "/Patient", Some(("Patient", None)));
        check("/fhir", "/fhir/Patient/a-1.B", Some(("Patient", Some("a-1.B"))));
        for path in [
            "/fhir/patient",
            "/fhir/Patient/",
            "/fhir/Patient/a/_history",
            "/fhir/Patient/a%20b",
            "/fhir/Patient/a_b",
            "/fhir/Pat1ent",
            "/fhirPatient",
            "/fhir//Patient",
            "/fhir/$process-message",
        ] {
            check("/fhir", path, None);
        }
        let long = |letters: usize| Target::at("/", &format!("/Patient/{}", "a".repeat(letters)));
        assert!(long(64).is_some() && long(65).is_none());
    }

    #[test]
    fn what_has_an_id_is_put() {
        let method = |path: &str| Target::at("/", path).expect("there").method();
        assert_eq!(
            [method("/"), method("/Patient"), method("/Patient/a")],
            ["POST", "POST", "PUT"]
        );
    }
}

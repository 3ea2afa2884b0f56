use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::WallClock;

/// Bytes of names that are kept of one certificate; a certificate with more has none.
const NAMES_BYTES_MAX: usize = 4 << 10;

/// Whom a certificate names. Only made of a certificate whose chain was verified and whose key the
/// peer proved to have.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The subject's parts, such as `CN=lab-1, O=Hospital`.
    pub subject: String,
    /// The alternative names: DNS names, URIs, mail and IP addresses.
    pub names: Vec<String>,
    /// SHA-256 of the certificate, 64 hexadecimal digits.
    pub fingerprint: String,
    /// The subject's parts one by one: what a text of them could hold by a comma in a name.
    parts: Vec<String>,
}

impl Identity {
    /// Whether this is the peer that an operator means by `wanted`: `sha256:` and a fingerprint,
    /// one part of the subject (`CN=lab-1`), or one alternative name.
    pub fn is(&self, wanted: &str) -> bool {
        if let Some(wanted) = wanted.strip_prefix("sha256:") {
            let digits = wanted.chars().filter(|it| *it != ':').map(|it| it.to_ascii_lowercase());
            return digits.eq(self.fingerprint.chars());
        }
        let is_type = |text: &str| text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'.');
        if wanted.split_once('=').is_some_and(|(before, _)| is_type(before)) {
            // A part of the subject, and never an alternative name that looks like one.
            return self.parts.iter().any(|part| part == wanted);
        }
        // DNS names and mail have no case; a URI has, and is known by its colon.
        let is_name = |name: &String| {
            name == wanted || (!wanted.contains(':') && name.eq_ignore_ascii_case(wanted))
        };
        self.names.iter().any(is_name)
    }

    /// Reads a certificate that was verified.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let mut parts = Vec::new();
        for attribute in parsed.subject().iter_attributes() {
            let value = attribute.as_str().ok()?;
            let key = x509_parser::objects::oid2abbrev(
                attribute.attr_type(),
                x509_parser::objects::oid_registry(),
            );
            let key = key.map_or_else(|_| attribute.attr_type().to_id_string(), str::to_owned);
            parts.push(format!("{key}={value}"));
        }
        let alternative = parsed.subject_alternative_name().ok()?;
        let names = alternative.map(|it| it.value.general_names.as_slice()).unwrap_or_default();
        let names: Vec<String> = names.iter().filter_map(name).collect();
        let bytes: usize = parts.iter().chain(&names).map(String::len).sum();
        if NAMES_BYTES_MAX < bytes {
            return None;
        }
        let fingerprint = digest(&SHA256, certificate);
        let fingerprint = fingerprint.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Self { subject: parts.join(", "), names, fingerprint, parts })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.fingerprint.get(..16).unwrap_or_default();
        write!(f, "{} sha256:{short}…", self.subject)
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) | GeneralName::RFC822Name(name) => {
            Some((*name).to_owned())
        }
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string()),
            _ => {
                let bytes: [u8; 16] = (*bytes).try_into().ok()?;
                Some(std::net::Ipv6Addr::from(bytes).to_string())
            }
        },
        _ => None,
    }
}

/// When a certificate stops being valid.
pub(super) fn expires(certificate: &CertificateDer<'_>) -> Option<WallClock> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    parsed.validity().not_after.timestamp().checked_mul(1_000_000)
}

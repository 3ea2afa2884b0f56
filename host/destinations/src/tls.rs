//! `[destination.x.tls]`: whom a destination believes, and how it shows who we are.

use std::path::PathBuf;

use hilum_env::tls::{ClientMaterial, ClientTls, is_server_name};
use hilum_words::config::{Placed, SecretRef, SecretSource, Section};
use hilum_words::{Place, Problems};

/// TLS as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// Where it is written.
    pub place: Place,
    /// Its key: `destination.ehr.tls`.
    pub key: String,
    /// The authorities that vouch for the server; none: the system's.
    pub ca: Option<Placed<PathBuf>>,
    /// Our certificate, with those between it and its authority.
    pub certificate: Option<Placed<PathBuf>>,
    /// The key of our certificate.
    pub private_key: Option<Placed<SecretRef>>,
    /// The name that the server's certificate has to bear, if it is not the one that is dialled.
    pub server_name: Option<String>,
}

impl TlsConfig {
    /// Reads the section, if it is there.
    pub(crate) fn read(section: &mut Section<'_>) -> Option<Self> {
        let mut section = section.section("tls")?;
        let path = |text: Placed<String>| text.map(PathBuf::from);
        let ca = section.text("ca").map(path);
        let certificate = section.text("certificate").map(path);
        let private_key = section.secret("key");
        let server_name = section.text("server_name");
        if let Some(name) = &server_name
            && !is_server_name(&name.value)
        {
            let text = "must be a DNS name or an IP address, without a port";
            name.problem(section.problems(), text);
        }
        match (&certificate, &private_key) {
            (Some(certificate), None) => {
                let text = "needs its key: \"key_file\", \"key_env\" or \"key_credential\"";
                certificate.problem(section.problems(), text);
            }
            (None, Some(key)) => {
                key.problem(section.problems(), "needs its certificate: \"certificate\"");
            }
            _ => {}
        }
        let (place, key) = (section.place(), section.key().to_owned());
        section.finish();
        let server_name = server_name.map(|it| it.value);
        Some(Self { place, key, ca, certificate, private_key, server_name })
    }

    /// Reads the files and makes TLS of them; none after a problem.
    pub(crate) fn load(&self, from: &dyn SecretSource, problems: &Problems) -> Option<ClientTls> {
        if self.certificate.is_some() != self.private_key.is_some() {
            return None; // It was said when it was read.
        }
        let file = |path: &Placed<PathBuf>| {
            let read = from.file(&path.value);
            read.map_err(|fault| {
                path.problem(problems, format!("cannot be read: {}", hilum_env::words(&fault)))
            })
        };
        let ca = self.ca.as_ref().map(file).transpose();
        let certificate = self.certificate.as_ref().map(file).transpose();
        let key = self.private_key.as_ref().map(|key| key.fetch(from, problems).ok_or(()));
        let (Ok(ca), Ok(certificate), Ok(key)) = (ca, certificate, key.transpose()) else {
            return None;
        };
        let key = key.map(|it| it.open_secret().as_bytes().to_vec());
        let made = ClientTls::new(&ClientMaterial { ca, certificate, key });
        made.map_err(|fault| problems.push(&self.place, &self.key, fault.to_string())).ok()
    }
}

#[cfg(test)]
mod tests;

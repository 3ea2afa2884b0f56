//! `hilum pki`: certificates to try TLS with.
//!
//! Promises: keys are for this user alone (mode 0600); nothing that is there is replaced unless that
//! is asked for.
//! Not here: certificates that anybody should rely on. The authority's key lies beside what it
//! signed.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use hilum_env::{Disk, OpenMode};
use hilum_words::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use serde_json::json;

use super::Context;
use crate::exit::{Exit, failed};

/// `hilum pki …`.
#[derive(Clone, Debug, Subcommand)]
pub enum Pki {
    /// Make an authority, a server's and a client's certificate, for tests alone
    Dev(Dev),
}

/// `hilum pki dev`.
#[derive(Clone, Debug, Args)]
pub struct Dev {
    /// Where the files go; made if it is not there
    pub folder: PathBuf,
    /// A name or an address of the server; may be repeated
    #[arg(long = "host", value_name = "NAME", default_values_t = LOCAL.map(str::to_owned))]
    pub hosts: Vec<String>,
    /// The client's name, as its certificate's common name
    #[arg(long = "client", value_name = "NAME", default_value = "test-client")]
    pub client: String,
    /// How long the certificates are valid
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=825))]
    pub days: u16,
    /// Replace the files that are there
    #[arg(long)]
    pub force: bool,
}

/// The server's names if nobody says others.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// A host name (RFC 1035 §2.3.4).
const HOST_BYTES_MAX: usize = 253;

/// Makes the files, and says which and how they are used.
pub fn run(context: &Context, command: &Pki) -> anyhow::Result<Exit> {
    let Pki::Dev(dev) = command;
    let made = make(dev, Timestamp::from_micros(context.doors.clock.now_micros()))?;
    write(context.doors.disk.as_ref(), &dev.folder, &made, dev.force)?;
    let paths: Vec<PathBuf> = made.iter().map(|(name, _)| dev.folder.join(name)).collect();
    if context.output.is_json() {
        let paths: Vec<_> = paths.iter().map(|it| it.display().to_string()).collect();
        context
            .output
            .json(&json!({ "folder": dev.folder.display().to_string(), "files": paths }))?;
    } else {
        context.output.text(&describe(dev, &paths))?;
    }
    Ok(Exit::Success)
}

/// File names and contents.
pub(super) type Made = Vec<(&'static str, String)>;

pub(super) fn make(dev: &Dev, now: Timestamp) -> anyhow::Result<Made> {
    for host in &dev.hosts {
        if !is_host(host) {
            return Err(failed(
                Exit::Usage,
                format!("--host {host} is no host name and no address"),
            ));
        }
    }
    if dev.client.trim().is_empty() || 64 < dev.client.len() {
        return Err(failed(Exit::Usage, "--client needs a name of at most 64 bytes"));
    }
    let validity = Validity::of(now, dev.days)?;
    let mut authority = validity.parameters("hilum test authority", &[])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_pem = authority.self_signed(&authority_key)?.pem();
    let authority_key_pem = authority_key.serialize_pem();
    let issuer = Issuer::new(authority, authority_key);

    let sign = |name: &str, hosts: &[String], usage| {
        let mut parameters = validity.parameters(name, hosts)?;
        parameters.use_authority_key_identifier_extension = true;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![usage];
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &issuer)?;
        anyhow::Ok((certificate.pem(), key.serialize_pem()))
    };
    let server_name = dev.hosts.first().map_or("localhost", String::as_str);
    let (server, server_key) = sign(server_name, &dev.hosts, ExtendedKeyUsagePurpose::ServerAuth)?;
    let (client, client_key) = sign(&dev.client, &[], ExtendedKeyUsagePurpose::ClientAuth)?;
    Ok(vec![
        ("ca.pem", authority_pem),
        ("ca.key", authority_key_pem),
        ("server.pem", server),
        ("server.key", server_key),
        ("client.pem", client),
        ("client.key", client_key),
    ])
}

/// From the day's beginning, so that a clock that is a little behind does not matter.
struct Validity {
    from: (i32, u8, u8),
    to: (i32, u8, u8),
}

impl Validity {
    fn of(now: Timestamp, days: u16) -> anyhow::Result<Self> {
        let later = now.plus(Duration::from_secs(u64::from(days) * 24 * 3_600));
        let date =
            |at: Timestamp| date(at).context("the clock has no date that a certificate takes");
        Ok(Self { from: date(now)?, to: date(later)? })
    }

    fn parameters(&self, name: &str, hosts: &[String]) -> anyhow::Result<CertificateParams> {
        let mut parameters = CertificateParams::new(hosts.to_vec())?;
        parameters.distinguished_name = DistinguishedName::new();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.distinguished_name.push(DnType::OrganizationName, "hilum pki dev, tests only");
        let ((year, month, day), (to_year, to_month, to_day)) = (self.from, self.to);
        parameters.not_before = rcgen::date_time_ymd(year, month, day);
        parameters.not_after = rcgen::date_time_ymd(to_year, to_month, to_day);
        Ok(parameters)
    }
}

/// Year, month and day, from RFC 3339.
fn date(at: Timestamp) -> Option<(i32, u8, u8)> {
    let text = at.to_string();
    let (year, rest) = text.split_once('-')?;
    let (month, rest) = rest.split_once('-')?;
    let year: i32 = year.parse().ok()?;
    // rcgen takes only years that every reader of certificates can read.
    let is_usual = (1_975..=4_000).contains(&year);
    is_usual.then_some((year, month.parse().ok()?, rest.get(..2)?.parse().ok()?))
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.parse::<IpAddr>().is_ok()
        || (host.len() <= HOST_BYTES_MAX && host.split('.').all(is_label))
}

pub(super) fn write(
    disk: &dyn Disk,
    folder: &Path,
    made: &Made,
    force: bool,
) -> anyhow::Result<()> {
    let fault = |path: &Path, fault: io::Error| {
        failed(Exit::Io, format!("{} cannot be written: {fault}", path.display()))
    };
    disk.create_folder(folder).map_err(|it| fault(folder, it))?;
    let there: Vec<_> = made.iter().filter(|(name, _)| disk.exists(&folder.join(name))).collect();
    if !there.is_empty() && !force {
        let names: Vec<_> = there.iter().map(|(name, _)| *name).collect();
        let text = format!(
            "{} already has {}; nothing was written (--force replaces them)",
            folder.display(),
            names.join(", ")
        );
        return Err(failed(Exit::Failure, text));
    }
    for (name, content) in made {
        let path = folder.join(name);
        // Removed and made again, never opened: what was there may be readable for others.
        if disk.exists(&path) {
            disk.remove(&path).map_err(|it| fault(&path, it))?;
        }
        let write = || {
            let file = disk.open(&path, OpenMode::CreateNew)?;
            file.write_all_at(content.as_bytes(), 0)?;
            file.sync_data()
        };
        write().map_err(|it| fault(&path, it))?;
    }
    disk.sync_folder(folder).map_err(|it| fault(folder, it))
}

fn describe(dev: &Dev, paths: &[PathBuf]) -> String {
    let mut text = String::from(
        "For tests alone: the authority's key lies beside what it signed, and whoever reads it can\n\
         be anybody. Take certificates of your own authority where patients' data go.\n\n",
    );
    for path in paths {
        text.push_str(&format!("{}\n", path.display()));
    }
    let folder = dev.folder.display();
    let (hosts, client) = (dev.hosts.join(", "), &dev.client);
    text.push_str(&format!(
        "\nThe server is {hosts}; the client is CN={client}; all end in {days} days.\n\
         \n\
         # A listener that speaks TLS and knows its clients:\n\
         [listener.NAME.tls]\n\
         certificate = \"{folder}/server.pem\"\n\
         key_file    = \"{folder}/server.key\"\n\
         client_ca   = \"{folder}/ca.pem\"          # without it clients show no certificate\n\
         identities  = [\"CN={client}\"]           # without it: all whom ca.pem vouches for\n\
         \n\
         # A destination that speaks TLS and shows who it is:\n\
         [destination.NAME.tls]\n\
         ca          = \"{folder}/ca.pem\"\n\
         certificate = \"{folder}/client.pem\"\n\
         key_file    = \"{folder}/client.key\"\n\
         \n\
         # A sender at a desk:\n\
         hilum send FILES --to {server}:PORT --ca {folder}/ca.pem \\\n    \
         --certificate {folder}/client.pem --key {folder}/client.key\n",
        days = dev.days,
        server = dev.hosts.first().map_or("localhost", String::as_str),
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilum_env::tls::{ClientAuth, ClientMaterial, ClientTls, ServerMaterial, ServerTls};
    use hilum_env::twin::Twin;
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;

    fn dev(folder: &Path, hosts: &[&str]) -> Dev {
        let hosts = hosts.iter().map(|it| (*it).to_owned()).collect();
        Dev { folder: folder.to_owned(), hosts, client: "lab-1".to_owned(), days: 90, force: false }
    }

    fn now() -> Timestamp {
        let clock = hilum_env::system::SystemClock::new(tokio::runtime::Handle::current());
        Timestamp::from_micros(hilum_env::Clock::now_micros(&clock))
    }

    #[tokio::test]
    async fn both_ends_know_each_other_with_what_was_made() {
        let folder = Path::new("/pki");
        let made = make(&dev(folder, &["lab.example", "192.0.2.7"]), now()).expect("made");
        let file: BTreeMap<_, _> = made.into_iter().collect();
        let bytes = |name: &str| file[name].clone().into_bytes();
        let server = ServerTls::new(&ServerMaterial {
            certificate: bytes("server.pem"),
            key: bytes("server.key"),
            client_ca: Some(bytes("ca.pem")),
            client: ClientAuth::Required,
        });
        let client = ClientTls::new(&ClientMaterial {
            ca: Some(bytes("ca.pem")),
            certificate: Some(bytes("client.pem")),
            key: Some(bytes("client.key")),
        });
        let (server, client) = (server.expect("fits"), client.expect("fits"));
        for host in ["lab.example", "192.0.2.7"] {
            let (near, far) = tokio::io::duplex(1 << 16);
            let (accepted, connected) =
                tokio::join!(server.accept(Box::new(far)), client.connect(host, Box::new(near)));
            connected.expect("the server is known");
            let (_, identity) = accepted.expect("the client is known");
            assert!(identity.expect("somebody").is("CN=lab-1"));
        }
        let days =
            Duration::from_micros(u64::try_from(server.expires() - now().micros()).expect("later"))
                .as_secs()
                / (24 * 3_600);
        assert!((88..=90).contains(&days), "{days}");
    }

    #[test]
    fn what_is_there_is_replaced_only_if_that_is_asked_for() {
        let twin = Twin::with_seed(1);
        let (disk, folder) = (twin.doors().disk, Path::new("/pki"));
        let old: Made = vec![("ca.pem", "old".to_owned()), ("ca.key", "old".to_owned())];
        let new: Made = vec![("ca.pem", "new".to_owned()), ("server.key", "new".to_owned())];
        write(disk.as_ref(), folder, &old, false).expect("written");
        let fault = write(disk.as_ref(), folder, &new, false).expect_err("it is there").to_string();
        assert!(fault.contains("ca.pem") && !fault.contains("server.key"), "{fault}");
        let read = |name: &str| disk.read(&folder.join(name), 9);
        assert_eq!(read("ca.pem").expect("there"), b"old");
        assert!(read("server.key").is_err(), "nothing was written");
        write(disk.as_ref(), folder, &new, true).expect("written");
        assert_eq!(read("ca.pem").expect("there"), b"new");
        assert_eq!(read("server.key").expect("there"), b"new");
    }

    #[tokio::test]
    async fn keys_are_for_this_user_alone_even_where_a_file_was_open_to_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let doors = hilum_env::system::doors(tokio::runtime::Handle::current());
        let path = folder.path().join("server.key");
        doors.disk.replace(&path, b"old").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        let made = make(&dev(folder.path(), &["localhost"]), now()).expect("made");
        write(doors.disk.as_ref(), folder.path(), &made, true).expect("written");
        for (name, content) in &made {
            let about = std::fs::metadata(folder.path().join(name)).expect("there");
            assert_eq!(about.permissions().mode() & 0o777, 0o600, "{name}");
            assert_eq!(about.len(), content.len() as u64);
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        for good in ["localhost", "lab-1.example", "192.0.2.7", "::1", "A.b"] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", "a b", "-a", "a-", "a..b", "*.example", "http://lab", "ä.example"] {
            assert!(!is_host(bad), "{bad}");
            let fault = make(&dev(Path::new("x"), &[bad]), Timestamp::from_micros(0));
            assert_eq!(crate::exit::of(&fault.expect_err("no host")), Exit::Usage);
        }
    }

    #[test]
    fn it_says_that_it_is_for_tests_and_how_it_is_used() {
        let text = describe(&dev(Path::new("tls"), &["lab.example"]), &["tls/ca.pem".into()]);
        for line in
            ["For tests alone", "tls/ca.pem", "key_file    = \"tls/server.key\"", "CN=lab-1"]
        {
            assert!(text.contains(line), "{line}");
        }
    }
}

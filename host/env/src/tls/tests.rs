use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ProtocolVersion;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::twin::Twin;
use crate::{Address, ByteStream};

/// An authority, and what it signed.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: Vec<u8>,
}

/// A certificate and its key, in PEM.
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
    der: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority");
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("signed").pem().into_bytes();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn sign(&self, common_name: &str, names: &[&str]) -> Pair {
        self.sign_with(common_name, names, |_| {})
    }

    fn sign_with(
        &self,
        common_name: &str,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Pair {
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.distinguished_name.push(DnType::CommonName, common_name);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        Pair {
            certificate: certificate.pem().into_bytes(),
            key: key.serialize_pem().into_bytes(),
            der: certificate.der().clone(),
        }
    }
}

fn server(pair: &Pair, client_ca: Option<&Authority>) -> ServerMaterial {
    ServerMaterial {
        certificate: pair.certificate.clone(),
        key: pair.key.clone(),
        client_ca: client_ca.map(|it| it.pem.clone()),
        client: if client_ca.is_some() { ClientAuth::Required } else { ClientAuth::None },
    }
}

fn client(ca: &Authority, pair: Option<&Pair>) -> ClientTls {
    let material = ClientMaterial {
        ca: Some(ca.pem.clone()),
        certificate: pair.map(|it| it.certificate.clone()),
        key: pair.map(|it| it.key.clone()),
    };
    ClientTls::new(&material).expect("fits together")
}

type Ends = (Box<dyn ByteStream>, Box<dyn ByteStream>, Option<Identity>);

/// Shakes hands over a pipe, and sends a word each way: with TLS 1.3 a client learns only from the
/// first answer whether it was taken.
async fn shake(server: &ServerTls, client: &ClientTls, name: &str) -> std::io::Result<Ends> {
    let (near, far) = tokio::io::duplex(64 << 10);
    let serving = async {
        let (mut stream, identity) = server.accept(Box::new(far)).await?;
        assert_eq!(stream.read_u8().await?, b'?');
        stream.write_all(b"!").await?;
        stream.flush().await?;
        Ok::<_, std::io::Error>((stream, identity))
    };
    let dialling = async {
        let mut stream = client.connect(name, Box::new(near)).await?;
        stream.write_all(b"?").await?;
        stream.flush().await?;
        assert_eq!(stream.read_u8().await?, b'!');
        Ok::<_, std::io::Error>(stream)
    };
    let ((server_end, identity), client_end) = tokio::try_join!(serving, dialling)?;
    Ok((server_end, client_end, identity))
}

#[tokio::test]
async fn a_client_knows_the_server_and_the_server_need_not_know_the_client() {
    let ca = Authority::new();
    let tls = ServerTls::new(&server(&ca.sign("s", &["lab.example", "192.0.2.7"]), None));
    let tls = tls.expect("fits together");
    for name in ["lab.example", "192.0.2.7"] {
        let (_, _, identity) = shake(&tls, &client(&ca, None), name).await.expect("known");
        assert_eq!(identity, None);
    }
    assert!(shake(&tls, &client(&ca, None), "ehr.example").await.is_err(), "another name");
    assert!(shake(&tls, &client(&ca, None), "192.0.2.8").await.is_err(), "another address");
    let stranger = Authority::new();
    assert!(shake(&tls, &client(&stranger, None), "lab.example").await.is_err());
    let fault = shake(&tls, &client(&ca, None), "no name").await.err().expect("no name");
    assert_eq!(fault.kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn both_ends_know_each_other_where_that_is_asked_for() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let pair = theirs.sign("lab-1", &["LAB-1.example", "192.0.2.9"]);
    let tls = ServerTls::new(&server(&ours.sign("s", &["hilum"]), Some(&theirs))).expect("fits");
    let known = shake(&tls, &client(&ours, Some(&pair)), "hilum").await.expect("known");
    let identity = known.2.expect("somebody");
    assert!(identity.subject.contains("CN=lab-1"));
    assert_eq!(identity.names, ["LAB-1.example", "192.0.2.9"]);
    for wanted in
        ["CN=lab-1", "lab-1.example", "192.0.2.9", &format!("sha256:{}", identity.fingerprint)]
    {
        assert!(identity.is(wanted), "{wanted}");
    }
    for other in ["lab-1", "CN=lab", "cn=lab-1", "example", "", "sha256:", "CN=lab-1,"] {
        assert!(!identity.is(other), "{other}");
    }
    // Nobody, somebody whom nobody knows, and somebody whom the wrong authority knows.
    assert!(shake(&tls, &client(&ours, None), "hilum").await.is_err());
    let stranger = Authority::new().sign("lab-1", &[]);
    assert!(shake(&tls, &client(&ours, Some(&stranger)), "hilum").await.is_err());
    let from_ours = ours.sign("lab-1", &[]);
    assert!(shake(&tls, &client(&ours, Some(&from_ours)), "hilum").await.is_err());
    let late = theirs.sign_with("lab-1", &[], |it| it.not_after = date_time_ymd(2020, 1, 1));
    assert!(shake(&tls, &client(&ours, Some(&late)), "hilum").await.is_err(), "expired");
}

#[test]
fn a_name_inside_of_another_name_is_nobody() {
    let ca = Authority::new();
    let pair = ca.sign_with("x, CN=lab-1", &[], |it| {
        it.distinguished_name.push(DnType::OrganizationName, "CN=lab-1");
    });
    let identity = Identity::of(&pair.der).expect("readable");
    assert!(!identity.is("CN=lab-1"), "{}", identity.subject);
    assert!(identity.is("CN=x, CN=lab-1") && identity.is("O=CN=lab-1"));
    let uri = ca.sign_with("x", &[], |it| {
        let uri = "spiffe://Hospital/lab".try_into().expect("ASCII");
        it.subject_alt_names.push(rcgen::SanType::URI(uri));
    });
    let identity = Identity::of(&uri.der).expect("readable");
    assert!(identity.is("spiffe://Hospital/lab") && !identity.is("spiffe://hospital/lab"));
    let alike = Identity::of(&ca.sign("x", &["CN=lab-1", "a.b"]).der).expect("readable");
    assert!(!alike.is("CN=lab-1") && alike.is("a.b"), "a name that looks like a subject is none");
    let many: Vec<String> = (0..500).map(|it| format!("host-{it}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(Identity::of(&ca.sign("x", &many).der), None, "names are bounded");
}

#[tokio::test]
async fn other_material_is_for_those_who_come_and_nobody_is_closed() {
    let (old, new) = (Authority::new(), Authority::new());
    let tls = ServerTls::new(&server(&old.sign("s", &["hilum"]), Some(&old))).expect("fits");
    let peer = old.sign("lab-1", &[]);
    let dialling = client(&old, Some(&peer));
    let (mut server_end, mut client_end, _) = shake(&tls, &dialling, "hilum").await.expect("known");

    let broken = ServerMaterial { key: peer.key.clone(), ..server(&peer, Some(&old)) };
    let broken = ServerMaterial { certificate: old.sign("s", &[]).certificate, ..broken };
    assert!(matches!(tls.clone().replace(&broken), Err(TlsError::KeyMismatch)));
    assert!(shake(&tls, &dialling, "hilum").await.is_ok(), "what was there stays");

    tls.clone().replace(&server(&new.sign("s", &["hilum"]), Some(&new))).expect("fits");
    assert!(shake(&tls, &dialling, "hilum").await.is_err(), "neither end knows the other");
    let material = ClientMaterial {
        ca: Some(new.pem.clone()),
        certificate: Some(new.sign("lab-1", &[]).certificate),
        key: Some(peer.key.clone()),
    };
    assert!(dialling.replace(&material).is_err());
    let pair = new.sign("lab-1", &[]);
    let (certificate, key) = (Some(pair.certificate), Some(pair.key));
    dialling.replace(&ClientMaterial { certificate, key, ..material }).expect("fits");
    assert!(shake(&tls, &dialling, "hilum").await.is_ok());

    for _ in 0..3 {
        client_end.write_all(b"still here").await.expect("written");
        client_end.flush().await.expect("flushed");
        let mut bytes = [0; 10];
        server_end.read_exact(&mut bytes).await.expect("read");
        assert_eq!(&bytes, b"still here");
    }
}

#[tokio::test]
async fn versions_1_2_and_1_3_are_spoken() {
    let ca = Authority::new();
    let tls = ServerTls::new(&server(&ca.sign("s", &["hilum"]), None)).expect("fits");
    for (version, wire) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let config = rustls::ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .expect("known")
            .with_root_certificates(authorities(&ca.pem).expect("readable"))
            .with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let (near, far) = tokio::io::duplex(64 << 10);
        let name = ServerName::try_from("hilum").expect("a name");
        let (accepted, connected) =
            tokio::join!(tls.accept(Box::new(far)), connector.connect(name, near));
        assert!(accepted.is_ok());
        assert_eq!(connected.expect("connected").get_ref().1.protocol_version(), Some(wire));
    }
}

#[tokio::test]
async fn older_versions_and_noise_are_refused() {
    let ca = Authority::new();
    let tls = ServerTls::new(&server(&ca.sign("s", &["hilum"]), None)).expect("fits");
    // A ClientHello of TLS 1.1 with one suite of its time.
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
    let mut record = vec![0x16, 3, 1, 0, 45, 1, 0, 0, 41];
    record.extend(hello);
    for bytes in [&record[..], b"GET / HTTP/1.1\r\n\r\n", &[0; 64]] {
        let (mut near, far) = tokio::io::duplex(64 << 10);
        near.write_all(bytes).await.expect("written");
        assert!(tls.accept(Box::new(far)).await.is_err());
    }
    let (near, far) = tokio::io::duplex(64);
    drop(near);
    assert!(tls.accept(Box::new(far)).await.is_err());
}

#[test]
fn the_first_to_expire_is_what_counts() {
    let ca = Authority::new();
    let ending =
        |year| ca.sign_with("s", &["hilum"], |it| it.not_after = date_time_ymd(year, 1, 1));
    let (early, late) = (ending(2030), ending(2040));
    let chain = [late.certificate.clone(), early.certificate].concat();
    let material = ServerMaterial { certificate: chain, ..server(&late, None) };
    assert_eq!(ServerTls::new(&material).expect("fits").expires(), 1_893_456_000_000_000);
    assert_eq!(client(&ca, Some(&late)).expires(), Some(2_208_988_800_000_000));
    assert_eq!(client(&ca, None).expires(), None);
}

#[test]
fn what_does_not_fit_together_says_what_and_shows_nothing() {
    let ca = Authority::new();
    let (pair, other) = (ca.sign("s", &["hilum"]), ca.sign("t", &["hilum"]));
    let good = server(&pair, Some(&ca));
    let no_ca = ServerMaterial { client_ca: None, ..good.clone() };
    let cases = [
        (ServerMaterial { certificate: Vec::new(), ..good.clone() }, "no certificate"),
        (ServerMaterial { certificate: pair.key.clone(), ..good.clone() }, "no certificate"),
        (ServerMaterial { key: pair.certificate.clone(), ..good.clone() }, "no private key"),
        (ServerMaterial { key: Vec::new(), ..good.clone() }, "no private key"),
        (ServerMaterial { key: other.key, ..good.clone() }, "does not belong"),
        (ServerMaterial { client_ca: Some(Vec::new()), ..good.clone() }, "authorities"),
        (no_ca, "no authority"),
    ];
    let secret = String::from_utf8(pair.key.clone()).expect("PEM");
    let secret = secret.lines().nth(1).expect("a line");
    for (material, expected) in cases {
        let fault = ServerTls::new(&material).expect_err("does not fit together");
        assert!(fault.to_string().contains(expected), "{fault}: {expected}");
        assert!(!format!("{fault:?} {material:?}").contains(secret));
    }
    let half = ClientMaterial { key: None, ..material(&ca, &pair) };
    assert!(matches!(ClientTls::new(&half), Err(TlsError::Half)));
    assert!(is_server_name("lab.example") && is_server_name("::1") && !is_server_name("a b"));
}

fn material(ca: &Authority, pair: &Pair) -> ClientMaterial {
    ClientMaterial {
        ca: Some(ca.pem.clone()),
        certificate: Some(pair.certificate.clone()),
        key: Some(pair.key.clone()),
    }
}

#[test]
fn it_goes_over_the_twins_sockets() {
    let ca = Authority::new();
    let tls = ServerTls::new(&server(&ca.sign("s", &["hilum"]), None)).expect("fits");
    let dialling = client(&ca, None);
    let twin = Twin::with_seed(1);
    let doors = twin.doors();
    let (net, tasks) = (Arc::clone(&doors.net), Arc::clone(&doors.tasks));
    let text = twin.block_on(async move {
        let at = Address::Tcp("127.0.0.1:0".to_owned());
        let acceptor = net.listen(&at).await.expect("bound");
        let address = acceptor.address();
        let serving = async move {
            let accepted = acceptor.accept().await.expect("accepted");
            let (mut stream, _) = tls.accept(accepted.stream).await.expect("shaken");
            stream.write_all(b"hello").await.expect("written");
            stream.shutdown().await.expect("ended");
        };
        tasks.spawn("server", Box::pin(serving));
        let stream = net.dial(&address).await.expect("connected").stream;
        let mut stream = dialling.connect("hilum", stream).await.expect("shaken");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("read");
        text
    });
    assert_eq!(text, "hello");
}

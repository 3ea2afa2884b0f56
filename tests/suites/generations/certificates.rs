//! Certificates are read again with each change, and nothing is closed for it.

use hilum_env::ByteStream;
use hilum_env::tls::{ClientMaterial, ClientTls};
use hilum_peers::Authority;
use hilum_tests::{Running, Site, adt, http_get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{SITE, generation};

type Stream = Box<dyn ByteStream>;

/// A TLS connection to a server that this authority vouches for; none if the handshake fails.
async fn connect(address: &str, ca: &Authority) -> Option<Stream> {
    let material = ClientMaterial { ca: Some(ca.pem().into_bytes()), ..ClientMaterial::default() };
    let tls = ClientTls::new(&material).expect("fits together");
    let stream = tokio::net::TcpStream::connect(address).await.expect("connected");
    tls.connect("localhost", Box::new(stream)).await.ok()
}

async fn send(stream: &mut Stream, id: &str) -> String {
    let message = [&[0x0b], adt(id, "4711").as_slice(), &[0x1c, 0x0d]].concat();
    stream.write_all(&message).await.expect("written");
    let mut answer = Vec::new();
    while !answer.ends_with(&[0x1c, 0x0d]) {
        answer.push(stream.read_u8().await.expect("answered"));
    }
    String::from_utf8(answer).expect("text")
}

fn certify(site: &Site, ca: &Authority) {
    let server = ca.issue(&["localhost"]).expect("issued");
    site.write("server.pem", server.certificate).expect("written");
    site.write("server.key", server.key).expect("written");
}

fn expiry(running: &Running<'_>) -> String {
    let page = http_get(&running.admin().expect("an address"), "/metrics").expect("answered");
    let name = "hilum_tls_certificate_expiry_timestamp_seconds{section=\"listener.adt-in\"} ";
    let line = page.lines().find_map(|it| it.strip_prefix(name)).expect("it is there");
    line.to_owned()
}

#[test]
fn a_new_certificate_is_for_new_connections_and_the_old_ones_stay() {
    let site = Site::new(SITE).expect("a site");
    let (old, new) = (Authority::new().expect("an authority"), Authority::new().expect("another"));
    certify(&site, &old);
    site.edit(
        "hilum.toml",
        "[table.",
        "[listener.adt-in.tls]\ncertificate = \"server.pem\"\nkey_file = \"server.key\"\n\n[table.",
    )
    .expect("edited");
    let running = site.serve().expect("serving");
    let before = generation(&running);
    let address = running.listener("adt-in").expect("an address");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    assert!(expiry(&running).parse::<i64>().expect("a number") > 0);
    runtime.block_on(async {
        let mut first = connect(&address, &old).await.expect("the handshake");
        assert!(send(&mut first, "T1").await.contains("|AA|T1"));
        certify(&site, &new);
        assert!(connect(&address, &new).await.is_none(), "nobody has said so yet");

        running.hang_up().expect("signalled");
        let (code, out, err) = site.run(&["apply", "--yes"]).expect("hilum runs");
        // A hang-up may still be at it; then this one has nothing to do, or has to wait.
        assert!(code == 0 || code == 75, "{out}{err}");
        let again = |it: &Running<'_>| Ok(it.json(&["apply", "--yes"]).is_ok());
        running.wait("the change to end", again).expect("it ended");
        let mut second = connect(&address, &new).await.expect("the handshake");
        assert!(send(&mut second, "T2").await.contains("|AA|T2"));
        assert!(connect(&address, &old).await.is_none(), "the old certificate is gone");
        assert!(send(&mut first, "T3").await.contains("|AA|T3"), "the old connection goes on");

        // A key that does not fit leaves the certificate that is there.
        let other = new.issue(&["localhost"]).expect("issued");
        site.write("server.key", other.key).expect("written");
        let (code, _, err) = site.run(&["apply", "--yes"]).expect("hilum runs");
        assert_eq!(code, 78, "{err}");
        assert!(err.contains("listener.adt-in.tls"), "{err}");
        assert!(send(&mut second, "T4").await.contains("|AA|T4"));
        assert!(connect(&address, &new).await.is_some());
    });
    assert_eq!(generation(&running), before, "a certificate is no part of a generation");
    let listed = running.json(&["generation", "list"]).expect("listed");
    assert_eq!(listed["generations"].as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!(running.list("message").expect("listed").as_array().map(Vec::len), Some(4));
}

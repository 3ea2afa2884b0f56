use super::*;
use hilum_words::Problem;
use hilum_words::config::Document;

fn read(text: &str) -> (Option<ListenerConfig>, Vec<String>) {
    let problems = Problems::default();
    let document = Document::parse("hilum.toml", text, &problems);
    let mut section = document.root(&problems);
    let config = ListenerConfig::read(&mut section);
    section.finish();
    (config, problems.into_sorted().iter().map(Problem::to_string).collect())
}

#[test]
fn what_is_not_said_has_a_default() {
    let (config, problems) = read("kind = \"mllp\"\nbind = \"127.0.0.1:0\"");
    assert!(problems.is_empty(), "{problems:?}");
    let config = config.expect("read");
    let plain = ListenerConfig::plain("127.0.0.1:0", KindConfig::Mllp(MllpConfig::default()));
    assert_eq!(config, ListenerConfig { place: config.place.clone(), ..plain });
    assert_eq!((config.connections_max, config.longest()), (1_024, 16 << 20));
    assert_eq!(config.keepalive, Some(Duration::from_secs(60)));
}

#[test]
fn every_key_is_read() {
    let (config, problems) = read(
        "kind = \"mllp\"\nbind = \"[::]:2575\"\nconnections_max = 9\nconnections_per_peer_max = 2\n\
         allow = [\"10.0.0.0/8\", \"::1\"]\nkeepalive = \"0s\"\nidle_timeout = \"1h\"\n\
         read_timeout = \"5s\"\nframe_bytes_max = \"2 MiB\"\nstrict = true\ncommit_bytes = true\n\
         [tls]\ncertificate = \"s.pem\"\nkey_file = \"s.key\"\nclient_ca = \"ca.pem\"\n\
         identities = [\"CN=lab-1\", \"lab.example\"]\nhandshake_timeout = \"3s\"\n",
    );
    assert!(problems.is_empty(), "{problems:?}");
    let config = config.expect("read");
    let kind = MllpConfig { frame_bytes_max: 2 << 20, strict: true, commit_bytes: true };
    assert_eq!(config.kind, KindConfig::Mllp(kind));
    assert_eq!((config.connections_max, config.connections_per_peer_max), (9, Some(2)));
    assert_eq!((config.keepalive, config.idle_timeout), (None, Some(Duration::from_secs(3_600))));
    assert_eq!(config.allow.expect("said").len(), 2);
    let tls = config.tls.expect("said");
    assert_eq!(tls.identities.expect("said"), ["CN=lab-1", "lab.example"]);
    assert_eq!(tls.handshake_timeout, Duration::from_secs(3));
    assert_eq!(tls.key.value, SecretRef::File("s.key".into()));
}

#[test]
fn each_wrong_value_is_a_problem() {
    let (config, problems) = read(
        "kind = \"mllp\"\nbind = \"here\"\nconnections_max = 0\nconnections_per_peer_max = 0\n\
         allow = [\"10.0.0.1/8\"]\nkeepalive = \"1ms\"\nidle_timeout = \"0s\"\n\
         read_timeout = \"0s\"\nframe_bytes_max = \"2 GiB\"\n",
    );
    assert_eq!(config, None);
    assert_eq!(problems.len(), 8, "{problems:#?}");
    let tls = "kind = \"mllp\"\nbind = \"127.0.0.1:0\"\n[tls]\n";
    for (rest, expected) in [
        ("", 2),
        ("certificate = \"s.pem\"\nkey = \"inline\"\n", 1),
        ("certificate = \"s.pem\"\nkey_env = \"K\"\nidentities = [\"CN=a\"]\n", 1),
        ("certificate = \"s.pem\"\nkey_env = \"K\"\nclient_ca = \"c\"\nidentities = []\n", 1),
        (
            "certificate = \"s.pem\"\nkey_env = \"K\"\nclient_ca = \"c\"\nidentities = [\"sha256:0\"]\n",
            1,
        ),
        ("certificate = \"s.pem\"\nkey_env = \"K\"\nhandshake_timeout = \"0s\"\n", 1),
    ] {
        let (config, problems) = read(&format!("{tls}{rest}"));
        assert_eq!(config, None);
        assert!(problems.len() >= expected, "{rest}: {problems:#?}");
        assert!(!problems.concat().contains("inline\""));
    }
}

#[test]
fn an_empty_list_of_networks_is_a_mistake() {
    let (config, problems) = read("kind = \"mllp\"\nbind = \"127.0.0.1:0\"\nallow = []\n");
    assert_eq!((config, problems.len()), (None, 1));
}

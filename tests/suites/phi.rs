//! Marked values never reach a log, metric, audit record or answer of the control socket.

mod canaries;
mod guests;

use std::path::Path;

use hilum_peers::FhirPeer;
use hilum_tests::Site;

/// Values that stand in the message and nowhere else in the world.
const MARKED: &[&str] = &[
    "Zwiebelfisch",
    "Hildegunde",
    "Kaspressknoedel",
    "MRN88172635",
    "19470229",
    "1947-02-28",
    "19470228",
    "Schnurrbartgasse",
    "Oberunterbach",
    "4499887766",
    "VISIT55443322",
    "Geheimnotiz",
];

fn marked() -> Vec<u8> {
    "MSH|^~\\&|ADT|ST-ANNA|HILUM|ST-ANNA|20261124090000+0100||ADT^A01^ADT_A01|CANARY1|P|2.5.1|||||||UNICODE UTF-8\r\
     EVN|A01|20261124090000+0100\r\
     PID|1||MRN88172635^^^ST-ANNA^MR||Zwiebelfisch^Hildegunde^Kaspressknoedel||19470228|F|||Schnurrbartgasse 9^^Oberunterbach^^7777^AUT||4499887766\r\
     NK1|1|Zwiebelfisch^Kaspressknoedel|SPO||4499887766\r\
     PV1|1|I|2W^204^A^ST-ANNA||||||||||||||||VISIT55443322^^^ST-ANNA^VN\r\
     NTE|1||Geheimnotiz ueber Zwiebelfisch\r\
     ZPI|1|Geheimnotiz|Zwiebelfisch\r"
        .as_bytes()
        .to_vec()
}

fn search(what: &str, text: &str) {
    for value in MARKED {
        assert!(!text.to_lowercase().contains(&value.to_lowercase()), "{what} holds {value}");
    }
}

#[test]
fn no_marked_value_is_where_operators_look() {
    let fhir = FhirPeer::start().expect("a FHIR server");
    let site = Site::example(&fhir.base_url()).expect("a site");
    let running = site.serve().expect("serving");
    let mut client = running.client("adt-in").expect("connected");
    search("the answer", &client.send(&marked()).expect("answered"));
    // Refusals of every kind, with the same values in them.
    let text = String::from_utf8(marked()).expect("text");
    for broken in [
        text.replace("ADT^A01^ADT_A01", "ORU^R01^ORU_R01"),
        text.replace("|CANARY1|", "||"),
        text.replace("MSH|", "MSX|"),
        text.clone() + &text,
        text.replace("CANARY1", "CANARY2").replace("MRN88172635^^^ST-ANNA^MR", ""),
        text.replace("CANARY1", "CANARY3").replace("19470228", "19470229"),
    ] {
        search("an answer", &client.send(broken.as_bytes()).expect("answered"));
    }
    running.wait_until_idle().expect("idle");
    assert_eq!(
        fhir.resources("Patient")[0]["name"][0]["family"],
        "Zwiebelfisch",
        "it was delivered"
    );

    let list = running.list("message").expect("listed");
    search("message list", &list.to_string());
    for message in list.as_array().expect("a list") {
        let id = message["id"].as_str().expect("an id");
        search("message show", &running.json(&["message", "show", id]).expect("shown").to_string());
        search(
            "message trace",
            &running.json(&["message", "trace", id]).expect("traced").to_string(),
        );
        let (_, out, _) = site.run(&["message", "show", id]).expect("shown");
        search("message show for people", &out);
        let (_, out, _) = site.run(&["message", "trace", id]).expect("traced");
        search("message trace for people", &out);
    }
    for parked in running.list("parked").expect("listed").as_array().expect("a list") {
        search("parked list", &parked.to_string());
        let id = parked["id"].as_str().expect("an id");
        search("parked show", &running.json(&["parked", "show", id]).expect("shown").to_string());
    }
    search("status", &running.json(&["status"]).expect("status").to_string());
    let admin = running.admin().expect("an address");
    for path in ["/metrics", "/livez", "/readyz?verbose", "/nowhere"] {
        search(path, &hilum_tests::http_get(&admin, path).expect("answered"));
    }

    // Shown open only with a reason, and that is in the trail.
    let id = list[0]["id"].as_str().expect("an id").to_owned();
    let (code, _, _) = site.run(&["message", "show", &id, "--reveal"]).expect("hilum runs");
    assert_ne!(code, 0, "a reason is needed");
    let (code, out, err) = site
        .run(&["message", "show", &id, "--reveal", "--reason", "ticket 4711"])
        .expect("hilum runs");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("Zwiebelfisch"), "the reveal shows the value");
    let trace = running.json(&["message", "trace", &id]).expect("traced").to_string();
    assert!(trace.contains("revealed") && trace.contains("ticket 4711"), "{trace}");
    search("the trail", &trace);

    assert_eq!(running.terminate().expect("stopped"), 0);
    let log = site.log();
    assert!(log.contains("adt-in"), "there is a log to search: {log}");
    search("the log", &log);
    let (_, out, err) = site.run(&["store", "check"]).expect("hilum runs");
    search("store check", &(out + &err));
    search("file names", &names_below(site.path()));
}

fn names_below(folder: &Path) -> String {
    let mut names = String::new();
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let entry = entry.expect("an entry");
        names += &entry.file_name().to_string_lossy();
        names.push('\n');
        if entry.path().is_dir() {
            names += &names_below(&entry.path());
        }
    }
    names
}

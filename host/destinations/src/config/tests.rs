use expect_test::{Expect, expect};
use hilum_words::Problem;
use hilum_words::config::Document;

use super::*;
use crate::{SendFault, Whose};

fn read(text: &str) -> (Vec<DestinationConfig>, String) {
    let problems = Problems::default();
    let document = Document::parse("hilum.toml", text, &problems);
    let mut root = document.root(&problems);
    let mut all = Vec::new();
    for (_, mut section) in root.sections("destination") {
        // Policy's key, as the gateway has it read.
        section.text("clearance");
        all.extend(DestinationConfig::read(&mut section, Path::new("/site")));
        section.finish();
    }
    let data = Path::new("/site/data");
    check_together(&all.iter().collect::<Vec<_>>(), Some(data), &problems);
    let said: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
    (all, said.join("\n"))
}

#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&read(text).1);
}

#[test]
fn the_example_is_read() {
    let (all, problems) = read(
        r#"
        [destination.ehr]
        kind = "fhir"
        url = "http://127.0.0.1:8090/fhir"
        clearance = "treatment"
        retry = { first = "1s", longest = "5m", give_up_after = "72h", attempts = 9 }
        timeout = "20s"
        connections_max = 2
        on_ambiguous = "park"
        on_park = "pass"
        [destination.research]
        kind = "file"
        folder = "out/research"
        append = true
        file_bytes_max = "1 MiB"
        [destination.lab]
        kind = "mllp"
        address = "lab.example:2576"
        timeout = "20s"
        connect_timeout = "3s"
        connections_max = 2
        on_answer = { AE = "retry", 206 = "retry" }
        [destination.ward]
        kind = "mllp"
        address = "[::1]:2576"
        "#,
    );
    assert_eq!(problems, "");
    let KindConfig::Fhir(fhir) = &all[0].kind else { panic!("fhir") };
    assert_eq!(
        (fhir.transport.connections_max, fhir.transport.timeout),
        (2, Duration::from_secs(20))
    );
    assert_eq!((all[0].retry.attempts_max, all[0].on_ambiguous), (Some(9), OnAmbiguous::Park));
    assert_eq!(all[1].retry, Retry::default());
    let KindConfig::File(file) = &all[1].kind else { panic!("file") };
    assert_eq!((file.folder.to_str(), file.file_bytes_max), (Some("/site/out/research"), 1 << 20));
    let KindConfig::Mllp(lab) = &all[2].kind else { panic!("mllp") };
    assert_eq!((lab.address.as_str(), lab.connections_max), ("lab.example:2576", 2));
    let KindConfig::Mllp(ward) = &all[3].kind else { panic!("mllp") };
    assert_eq!((ward.connections_max, ward.timeout), (1, Duration::from_secs(30)));
}

#[test]
fn the_gateways_own_folder_is_no_destination() {
    check(
        r#"
[destination.a]
kind = "file"
folder = "data"
[destination.b]
kind = "file"
folder = "/site/data/seg"
[destination.c]
kind = "file"
folder = "data-of-ours"
"#,
        expect![[r#"
            hilum.toml:2  destination.a.folder  is in [gateway] data, where nothing but the gateway writes
            hilum.toml:5  destination.b.folder  is in [gateway] data, where nothing but the gateway writes"#]],
    );
}

#[test]
fn every_problem_of_a_destination_is_said_at_once() {
    check(
        r#"
[destination.a]
kind = "fihr"
[destination.b]
url = "http://127.0.0.1/fhir"
[destination.c]
kind = "fhir"
url = "https://127.0.0.1/fhir"
timeout = "0s"
connections_max = 0
retry = { first = "10s", longest = "1s", attempts = 0, forever = true }
on_ambiguous = "panic"
on_park = "block"
[destination.d]
kind = "file"
append = "yes"
extension = "../x"
file_bytes_max = "1 MiB"
[destination.e]
kind = "file"
folder = "out"
retry = { first = "0s" }
[destination.f]
kind = "file"
folder = "out"
urll = 1
[destination.g]
kind = "fhir"
retry = { first = "10m" }
[destination.h]
kind = "mllp"
address = "lab.example"
timeout = "0s"
connections_max = 0
on_answer = { AA = "retry", AF = "park", AE = "drop" }
[destination.i]
address = "lab.example:2576"
on_answer = { AE = "retry" }
"#,
        expect![[r#"
            hilum.toml:3  destination.a.kind  must be one of "fhir", "file", "http", "mllp"; did you mean "fhir"?
            hilum.toml:4  destination.b  needs the key "kind"
            hilum.toml:9  destination.c.timeout  must be more than nothing
            hilum.toml:10  destination.c.connections_max  must be from 1 to 256
            hilum.toml:11  destination.c.retry.attempts  must be from 1 to 1000000
            hilum.toml:11  destination.c.retry.forever  unknown key
            hilum.toml:11  destination.c.retry.longest  `longest` must not be shorter than `first`
            hilum.toml:12  destination.c.on_ambiguous  must be one of "retry", "park"
            hilum.toml:14  destination.d  needs the key "folder"
            hilum.toml:16  destination.d.append  must be true or false, not a string
            hilum.toml:17  destination.d.extension  must be at most 16 letters and digits, without a dot
            hilum.toml:18  destination.d.file_bytes_max  belongs to `append = true`
            hilum.toml:22  destination.e.retry.first  must be more than nothing
            hilum.toml:23  destination.f.folder  destination.e has this folder already; each needs one of its own
            hilum.toml:26  destination.f.urll  unknown key
            hilum.toml:27  destination.g  needs the key "url"
            hilum.toml:29  destination.g.retry.first  `longest` must not be shorter than `first`
            hilum.toml:32  destination.h.address  must be host and port, such as "127.0.0.1:2576"
            hilum.toml:33  destination.h.timeout  must be more than nothing
            hilum.toml:34  destination.h.connections_max  must be from 1 to 256
            hilum.toml:35  destination.h.on_answer.AA  always means that the message is delivered
            hilum.toml:35  destination.h.on_answer.AE  must be one of "park", "retry"
            hilum.toml:35  destination.h.on_answer.AF  unknown key
            hilum.toml:36  destination.i  needs the key "kind""#]],
    );
}

#[test]
fn breaker_classify_and_on_park_are_read() {
    let (all, problems) = read(
        r#"
        [destination.ehr]
        kind = "http"
        url = "http://127.0.0.1:8090/in"
        on_park = "block"
        breaker = { failures = 9, pause = "10s", longest = "1m" }
        classify = { 404 = "retry", 5xx = "park", 401 = "setup" }
        [destination.lab]
        kind = "mllp"
        address = "lab.example:2576"
        retry = { longest = "20s" }
        [destination.lab.classify]
        AE = "retry"
        207 = "park"
        [destination.slow]
        kind = "file"
        folder = "out"
        [destination.slow.breaker]
        pause = "10m"
        "#,
    );
    assert_eq!(problems, "");
    assert_eq!((all[0].on_park, all[1].on_park), (OnPark::Block, OnPark::Pass));
    let seconds = |it: &DestinationConfig| {
        let BreakerConfig { failures, pause } = it.breaker;
        (failures, pause.first.as_secs(), pause.longest.as_secs())
    };
    // By itself it leaves nobody alone for longer than the site would wait for the next attempt.
    assert_eq!(
        all.iter().map(seconds).collect::<Vec<_>>(),
        [(9, 10, 60), (5, 20, 20), (5, 600, 600)]
    );
    let refused = |code: &str| SendFault::Refused { code: code.to_owned() };
    assert_eq!(all[0].classify.whose(&refused("404")), Whose::Moment);
    assert_eq!(all[1].classify.whose(&refused("AE (207 at PID-3)")), Whose::Content);
    assert_eq!(all[1].classify.whose(&refused("AE")), Whose::Moment);
}

#[test]
fn breaker_classify_and_on_park_say_what_is_wrong() {
    check(
        r#"
        [destination.ehr]
        kind = "fhir"
        url = "http://127.0.0.1:8090/fhir"
        on_park = "stop"
        breaker = { failures = 0, pause = "0s", opens = 3 }
        [destination.ehr.classify]
        200 = "park"
        AE = "retry"
        6xx = "park"
        404 = "ignore"
        [destination.lab]
        kind = "mllp"
        address = "lab.example:2576"
        breaker = { pause = "5m", longest = "1m" }
        [destination.lab.classify]
        AA = "park"
        404x = "park"
        [destination.out]
        kind = "file"
        folder = "out"
        classify = { AE = "park" }
        "#,
        expect![[r#"
            hilum.toml:5  destination.ehr.on_park  must be one of "pass", "block"
            hilum.toml:6  destination.ehr.breaker.failures  must be from 1 to 1000000
            hilum.toml:6  destination.ehr.breaker.opens  unknown key
            hilum.toml:6  destination.ehr.breaker.pause  must be more than nothing
            hilum.toml:8  destination.ehr.classify.200  always means that it is delivered
            hilum.toml:9  destination.ehr.classify.AE  is no status such as 404, and no class such as 5xx
            hilum.toml:10  destination.ehr.classify.6xx  is no status such as 404, and no class such as 5xx
            hilum.toml:11  destination.ehr.classify.404  must be one of "park", "retry", "setup"
            hilum.toml:15  destination.lab.breaker.longest  must not be shorter than `pause`
            hilum.toml:17  destination.lab.classify.AA  always means that it is delivered
            hilum.toml:18  destination.lab.classify.404x  is none of AE, AR, CE, CR, and no number of table 0357 such as 207
            hilum.toml:22  destination.out.classify  unknown key"#]],
    );
}

#[test]
fn an_ack_listener_is_an_mllp_listener_of_the_site() {
    let problems = Problems::default();
    let text = "kind = \"mllp\"\naddress = \"lab.example:1\"\nack_listener = \"acks\"\n";
    let document = Document::parse("hilum.toml", text, &problems);
    let config = DestinationConfig::read(&mut document.root(&problems), Path::new("/site"));
    let config = config.expect("a destination");
    config.check_ack_listener(&["adt-in", "acks"], &problems);
    assert!(problems.is_empty(), "{problems:?}");
    config.check_ack_listener(&["adt-in", "ackz"], &problems);
    let said: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
    assert_eq!(
        said,
        ["hilum.toml:3  ack_listener  no MLLP listener is named \"acks\"; did you mean \"ackz\"?"]
    );
}

//! The whole of it over real sockets, on a gateway that passes messages through to a folder.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hilum_env::{Address, Connection, Doors};
use hilum_gateway::Gateway;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Admin;

/// The real doors on the test's own runtime.
pub fn doors() -> Doors {
    hilum_env::system::doors(tokio::runtime::Handle::current())
}

/// One destination may have everything, the other one nothing of a patient's.
const SITE: &str = r#"
[gateway]
name = "test"
data = "data"
timezone = "UTC"

[admin]
bind = "127.0.0.1:0"

[listener.in]
kind = "mllp"
bind = "127.0.0.1:0"

[destination.all]
kind = "file"
folder = "all"
clearance = "treatment"

[destination.nothing]
kind = "file"
folder = "nothing"
clearance = { open = ["date"] }

[route.through]
from = "in"
to = ["all", "nothing"]
"#;

const ADT: &str = "MSH|^~\\&|ADT|A|HILUM|B|20261124||ADT^A01|ID1|P|2.5.1\r\
    PID|1||4711^^^A^MR||ZEDLITZ^QUIRINA||19800312|F\r";

/// What must not be seen without a reason.
const PHI: [&str; 4] = ["4711", "ZEDLITZ", "QUIRINA", "19800312"];

struct Running {
    doors: Doors,
    gateway: Arc<Gateway>,
    admin: Admin,
    folder: tempfile::TempDir,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }
}

impl Running {
    async fn start() -> Self {
        Self::start_with(SITE).await
    }

    async fn start_with(site: &str) -> Self {
        let doors = doors();
        let folder = tempfile::tempdir().expect("a folder");
        let configuration = folder.path().join("hilum.toml");
        doors.disk.replace(&configuration, site.as_bytes()).expect("written");
        let checked = match hilum_gateway::check(&configuration, &doors) {
            Ok(checked) => checked,
            Err(problems) => panic!("{problems:?}"),
        };
        let gateway = Gateway::start(checked, doors.clone()).await.expect("it starts");
        let gateway = Arc::new(gateway);
        let admin = Admin::start(Arc::clone(&gateway), &doors).await.expect("it starts");
        Self { doors, gateway, admin, folder }
    }

    async fn stop(self) {
        self.gateway.stop(Duration::from_secs(5)).await;
        self.admin.stop().await;
        assert!(!self.doors.disk.exists(&self.socket()), "the control socket is left behind");
    }

    async fn dial(&self, to: Address) -> Connection {
        self.doors.net.dial(&to).await.expect("it listens")
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("data/control.sock")
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let to = Address::Local(self.socket());
        exchange(self.dial(to).await, &format!("{method} {path}"), "", body).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    async fn probe(&self, path: &str, headers: &str) -> Answer {
        let to = self.admin.health().expect("bound").clone();
        exchange(self.dial(to).await, &format!("GET {path}"), headers, "").await
    }

    /// Sends one message, and waits until nothing is under way.
    async fn send(&self, message: &str) -> String {
        self.send_until(message, |counts| counts["undecided"] == 0 && counts["queued"] == 0).await
    }

    async fn send_until(&self, message: &str, is_done: impl Fn(&Value) -> bool) -> String {
        let status = self.get("/v1/status").await;
        let address = status["listeners"][0]["address"].as_str().expect("an address").to_owned();
        let mut connection = self.dial(Address::Tcp(address)).await;
        let frame = format!("\x0b{message}\x1c\r");
        connection.stream.write_all(frame.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        while !answer.ends_with(b"\x1c\r") {
            let mut more = [0; 1024];
            let count = connection.stream.read(&mut more).await.expect("an answer");
            assert_ne!(count, 0, "the connection ended");
            answer.extend_from_slice(&more[..count]);
        }
        loop {
            if is_done(&self.get("/v1/status").await["counts"]) {
                break;
            }
            self.pause().await;
        }
        let messages = self.get("/v1/messages").await;
        messages["messages"][0]["id"].as_str().expect("an id").to_owned()
    }

    async fn pause(&self) {
        let clock = &self.doors.clock;
        clock.sleep_until(clock.instant().plus(Duration::from_millis(10))).await;
    }

    async fn trail(&self, id: &str) -> Vec<String> {
        let trace = self.get(&format!("/v1/messages/{id}/trace")).await;
        let records = trace["trail"].as_array().expect("a trail");
        records.iter().map(|it| it["what"].as_str().expect("a word").to_owned()).collect()
    }
}

async fn exchange(mut connection: Connection, line: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let request =
        format!("{line} HTTP/1.1\r\nhost: a\r\n{headers}content-length: {length}\r\n\r\n{body}");
    connection.stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    let _ = connection.stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or_default();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

#[track_caller]
fn check_masked(document: &Value) {
    let text = document.to_string();
    for phi in PHI {
        assert!(!text.contains(phi), "{phi} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_shown_masked_and_revealed_for_a_reason_that_is_kept() {
    let running = Running::start().await;
    let id = running.send(ADT).await;
    let list = running.get("/v1/messages?limit=5").await;
    assert_eq!(list["messages"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["messages"][0]["kind"], "ADT^A01");
    check_masked(&list);

    let shown = running.get(&format!("/v1/messages/{id}")).await;
    check_masked(&shown);
    let body = shown["body"].as_str().expect("a body");
    assert!(body.contains("[phi:name]"), "{body}");
    let deliveries = shown["runs"][0]["deliveries"].as_array().expect("deliveries");
    let all = deliveries.iter().find(|it| it["destination"] == "all").expect("all");
    assert!(all["body"].as_str().is_some_and(|it| it.contains("[phi:name]")), "{all}");

    let path = format!("/v1/messages/{id}/reveal");
    for no_reason in ["", "{}", r#"{"reason": ""}"#] {
        let answer = running.ask("POST", &path, no_reason).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    let revealed = running.ask("POST", &path, r#"{"reason": "call 17"}"#).await;
    assert_eq!((revealed.status, revealed.body.as_str()), (200, ADT));

    let trace = running.get(&format!("/v1/messages/{id}/trace")).await;
    check_masked(&trace);
    let records = trace["trail"].as_array().expect("a trail");
    let is_revealed = |it: &&Value| it["what"] == "revealed";
    let revealed: Vec<&Value> = records.iter().filter(is_revealed).collect();
    assert_eq!(revealed.len(), 1, "a reveal without a reason did nothing: {records:?}");
    assert_eq!(revealed[0]["facts"]["reason"], "call 17");
    let uid = rustix::process::geteuid().as_raw();
    assert_eq!(revealed[0]["actor"], format!("uid:{uid}"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_look_at_a_message_is_in_its_trail_and_a_list_is_not() {
    let running = Running::start().await;
    let id = running.send(ADT).await;
    running.get("/v1/messages").await;
    running.get("/v1/parked").await;
    let before = running.trail(&id).await;
    assert_eq!(before.iter().filter(|it| *it == "viewed").count(), 1, "its own look: {before:?}");
    running.get(&format!("/v1/messages/{id}")).await;
    let after = running.trail(&id).await;
    assert_eq!(after.iter().filter(|it| *it == "viewed").count(), 3);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_is_replayed_or_discarded_once() {
    let running = Running::start().await;
    let id = running.send(ADT).await;
    let parked = running.get("/v1/parked").await;
    check_masked(&parked);
    let item = parked["parked"][0].clone();
    assert_eq!((&item["cause"], &item["destination"]), (&json!("denied"), &json!("nothing")));
    let delivery = item["id"].as_str().expect("an id");
    let path = format!("/v1/parked/{delivery}");
    let one = running.get(&path).await;
    check_masked(&one);
    assert_eq!(one["message"], id.as_str());

    let discard = format!("{path}/discard");
    let answer = running.ask("POST", &discard, r#"{"reason": "not wanted"}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = running.ask("POST", &discard, r#"{"reason": "not wanted"}"#).await;
    assert_eq!(answer.status, 404, "{}", answer.body);
    assert_eq!(running.get("/v1/parked").await["parked"], json!([]));
    let trail = running.trail(&id).await;
    assert_eq!(trail.iter().filter(|it| *it == "discarded").count(), 1, "{trail:?}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_because_nothing_may_leave_is_replayed_by_its_run() {
    let running = Running::start().await;
    running.send(ADT).await;
    // Policy let nothing leave: the delivery has no bytes, so its run is made again; so it is when
    // the run is named.
    for member in ["id", "run"] {
        let item = running.get("/v1/parked").await["parked"][0].clone();
        assert_eq!(item["cause"], "denied");
        let id = item[member].as_str().expect("an id");
        let answer = running.ask("POST", &format!("/v1/parked/{id}/replay"), "{}").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let new = answer.json()["new"].clone();
        assert!(new.as_str().is_some_and(|it| it.starts_with("run_")), "{new}");
        for _ in 0..500 {
            if running.get("/v1/parked").await["parked"][0]["run"] == new {
                break;
            }
            running.pause().await;
        }
        let parked = running.get("/v1/parked").await;
        let runs: Vec<&Value> =
            parked["parked"].as_array().expect("a list").iter().map(|it| &it["run"]).collect();
        assert_eq!(runs, [&new], "the old one waits no more, the new one is denied as well");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_problem_document() {
    let running = Running::start().await;
    let id = hilum_words::MessageId::from_bits(1);
    for (method, path, body, status) in [
        ("GET", format!("/v1/messages/{id}"), "", 404),
        ("GET", format!("/v1/messages/{id}/trace"), "", 404),
        ("POST", format!("/v1/messages/{id}/reveal"), r#"{"reason": "x"}"#, 404),
        ("GET", format!("/v1/parked/{}", hilum_words::RunId::from_bits(1)), "", 404),
        ("GET", "/v1/generations/abcdef012345".to_owned(), "", 404),
        ("GET", "/v1/generations/before".to_owned(), "", 404),
        ("GET", "/v1/generations/current/diff/before".to_owned(), "", 404),
        ("POST", "/v1/rollback".to_owned(), "", 404),
        ("POST", "/v1/rollback".to_owned(), r#"{"generation": "abcdef012345"}"#, 404),
        ("POST", "/v1/apply".to_owned(), r#"{"generation": "current"}"#, 400),
        ("POST", "/v1/apply".to_owned(), r#"{"dry_run": "yes"}"#, 400),
        ("POST", "/v1/destinations/none/pause".to_owned(), r#"{"reason": "x"}"#, 404),
        ("POST", "/v1/destinations/all/pause".to_owned(), "{}", 400),
        (
            "POST",
            format!("/v1/held/{}/release", hilum_words::RunId::from_bits(1)),
            r#"{"reason": "x"}"#,
            404,
        ),
        ("POST", format!("/v1/held/{}/refuse", hilum_words::RunId::from_bits(1)), "{}", 400),
        ("DELETE", "/v1/status".to_owned(), "", 405),
        ("GET", "/v2/status".to_owned(), "", 404),
        ("GET", "/v1/messages/msg_7".to_owned(), "", 400),
    ] {
        let answer = running.ask(method, &path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert!(answer.head.contains("application/problem+json"), "{}", answer.head);
        assert_eq!(answer.json()["status"], status);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_shown_then_made_and_a_wrong_one_is_a_list_of_problems() {
    let running = Running::start().await;
    let before = running.get("/v1/status").await["generation"].clone();
    let path = running.folder.path().join("hilum.toml");
    let write = |text: &str| running.doors.disk.replace(&path, text.as_bytes()).expect("written");
    let right = SITE.replace("open = [\"date\"]", "open = [\"date\", \"unknown\"]");
    write(&right);
    let answer = running.ask("POST", "/v1/apply", r#"{"dry_run": true}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let shown = answer.json();
    assert_eq!((&shown["applied"], &shown["is_other"]), (&json!(false), &json!(true)));
    let section = &shown["changes"]["sections"][0];
    assert_eq!(
        (&section["section"], &section["change"]),
        (&json!("destination.nothing"), &json!("changed"))
    );
    assert_eq!(section["keys"][0]["key"], "clearance.open");
    assert_eq!(running.get("/v1/status").await["generation"], before, "shown is not done");

    // Something else than what was shown is not taken.
    write(&format!("{right}\n# more\n"));
    let order = json!({ "expect": shown["generation"] }).to_string();
    assert_eq!(running.ask("POST", "/v1/apply", &order).await.status, 409);
    write(&right.replace("clearance", "clearence"));
    let answer = running.ask("POST", "/v1/apply", "{}").await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    let problems = answer.json()["problems"].clone();
    assert_eq!(problems[0]["file"], "hilum.toml");
    assert!(problems[0]["line"].as_u64().is_some_and(|it| 0 < it), "{problems}");
    assert!(problems.to_string().contains("did you mean"), "{problems}");
    assert_eq!(running.get("/v1/status").await["generation"], before);

    write(&right);
    let order = json!({ "expect": shown["generation"], "reason": "call 17" }).to_string();
    let answer = running.ask("POST", "/v1/apply", &order).await;
    assert_eq!((answer.status, &answer.json()["applied"]), (200, &json!(true)));
    let status = running.get("/v1/status").await;
    assert_eq!(status["generation"], shown["generation"]);
    let listed = running.get("/v1/generations").await;
    let uid = rustix::process::geteuid().as_raw();
    assert_eq!(listed["generations"][0]["actor"], format!("uid:{uid}"));
    assert_eq!(listed["generations"][0]["parent"], before);
    let diff = running.get("/v1/generations/before/diff/current").await;
    assert_eq!(diff["sections"], shown["changes"]["sections"]);
    assert_eq!(running.ask("POST", "/v1/rollback", "").await.status, 200);
    let status = running.get("/v1/status").await;
    assert_eq!((&status["generation"], &status["folder_differs"]), (&before, &json!(true)));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_is_paused_and_resumed_with_a_reason() {
    let running = Running::start().await;
    let of = |listed: &Value| {
        let all = listed["destinations"].as_array().expect("a list");
        all.iter().find(|it| it["name"] == "all").expect("it is listed").clone()
    };
    assert_eq!(of(&running.get("/v1/destinations").await)["paused"], Value::Null);
    let reason = r#"{"reason": "their upgrade"}"#;
    assert_eq!(running.ask("POST", "/v1/destinations/all/pause", reason).await.status, 200);
    let paused = of(&running.get("/v1/destinations").await);
    assert!(
        paused["paused"].as_str().is_some_and(|it| it.ends_with(": their upgrade")),
        "{paused}"
    );
    for done in ["resumed", "was not paused; what waits is tried now"] {
        let answer = running.ask("POST", "/v1/destinations/all/resume", reason).await;
        assert_eq!((answer.status, &answer.json()["done"]), (200, &json!(done)));
    }
    assert_eq!(of(&running.get("/v1/destinations").await)["paused"], Value::Null);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_scrapers_are_answered() {
    let running = Running::start().await;
    running.send(ADT).await;
    assert_eq!(running.probe("/livez", "").await.body, "ok\n");
    assert_eq!(running.probe("/readyz", "").await.body, "ready\n");
    let verbose = running.probe("/readyz?verbose", "").await.body;
    assert!(verbose.contains("[+]journal ok\n"), "{verbose}");
    assert_eq!(running.probe("/v1/status", "").await.status, 404);

    let page = running.probe("/metrics", "accept: application/openmetrics-text\r\n").await;
    assert!(page.head.contains("application/openmetrics-text"), "{}", page.head);
    assert!(page.body.ends_with("# EOF\n"));
    for line in [
        "hilum_build_info{version=",
        "process_resident_memory_bytes ",
        "process_cpu_seconds_total ",
    ] {
        assert!(page.body.contains(line), "no {line} in {}", page.body);
    }
    // How a label's value is spelt is the gateway's business.
    let counted = r#"hilum_messages_total{listener="in",outcome="accepted"} 1"#;
    assert!(page.body.to_lowercase().contains(counted), "{}", page.body);
    for phi in PHI {
        // A number of four digits may be a count by chance; a name may not.
        assert!(phi == "4711" || !page.body.contains(phi), "{phi} in the metrics");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_gateway_is_not_ready() {
    let running = Running::start().await;
    running.gateway.stop(Duration::from_secs(5)).await;
    let answer = running.probe("/readyz", "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("[-]listeners the gateway is stopping"), "{}", answer.body);
    running.admin.stop().await;
}

/// Nothing of a patient's is in it, so that nothing of it is denied.
const PLAIN: &str = "MSH|^~\\&|||||20261124||ADT^A01|ID2|P|2.5.1\r";

/// What a message's trace says of the delivery to this destination, once it is so.
async fn waits(running: &Running, id: &str, destination: &str, wanted: &str) -> String {
    for _ in 0..500 {
        let trace = running.get(&format!("/v1/messages/{id}/trace")).await;
        let deliveries = trace["runs"][0]["deliveries"].as_array().expect("deliveries").clone();
        let one = deliveries.into_iter().find(|it| it["destination"] == destination);
        let waits = one.expect("it is there")["waits"].as_str().unwrap_or_default().to_owned();
        if waits.contains(wanted) {
            return waits;
        }
        running.pause().await;
    }
    panic!("nothing says {wanted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_behind_a_parked_one_is_counted_and_says_so() {
    let blocks = "[destination.nothing]\nkind = \"file\"\non_park = \"block\"";
    let site = SITE.replace("[destination.nothing]\nkind = \"file\"", blocks);
    let running = Running::start_with(&site).await;
    running.send(ADT).await;
    let parked = running.get("/v1/parked").await["parked"][0]["id"].clone();
    let parked = parked.as_str().expect("an id");
    let id = running.send_until(PLAIN, |it| it["undecided"] == 0 && it["queued"] == 1).await;
    let said = waits(&running, &id, "nothing", "parked").await;
    assert_eq!(said, format!("stands behind {parked}, which is parked"));
    for _ in 0..500 {
        let listed = running.get("/v1/destinations").await;
        let all = listed["destinations"].as_array().expect("a list");
        let nothing = all.iter().find(|it| it["name"] == "nothing").expect("it is there");
        if nothing["state"] == "blocked" {
            assert_eq!((&nothing["queued"], &nothing["parked"]), (&json!(1), &json!(1)));
            running.stop().await;
            return;
        }
        running.pause().await;
    }
    panic!("it never says that it is blocked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_paused_destination_says_who_paused_it() {
    let running = Running::start().await;
    let body = r#"{"reason": "their upgrade"}"#;
    let answer = running.ask("POST", "/v1/destinations/all/pause", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = running.send_until(PLAIN, |it| it["undecided"] == 0 && it["queued"] == 1).await;
    let said = waits(&running, &id, "all", "paused since 20").await;
    assert!(said.contains(" by uid:") && said.ends_with(": their upgrade"), "{said}");
    assert_eq!(running.get("/v1/messages").await["messages"][0]["state"], "paused");
    assert_eq!(running.get(&format!("/v1/messages/{id}")).await["state"], "paused");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_another_attempt_and_what_stands_behind_it_say_until_when() {
    // Nobody listens on port 1.
    let away = "[destination.all]\nkind = \"mllp\"\naddress = \"127.0.0.1:1\"\n\
                breaker = { failures = 1, pause = \"40s\" }";
    let file = "[destination.all]\nkind = \"file\"\nfolder = \"all\"";
    let running = Running::start_with(&SITE.replace(file, away)).await;
    let one = |it: &Value| it["undecided"] == 0 && it["queued"] == 1;
    let id = running.send_until(ADT, one).await;
    waits(&running, &id, "all", "the breaker is open until 20").await;
    running.stop().await;

    let away = "[destination.all]\nkind = \"mllp\"\naddress = \"127.0.0.1:1\"\n\
                retry = { first = \"40s\", longest = \"1m\" }";
    let running = Running::start_with(&SITE.replace(file, away)).await;
    let first = running.send_until(PLAIN, one).await;
    waits(&running, &first, "all", "until 20").await;
    let two = |it: &Value| it["undecided"] == 0 && it["queued"] == 2;
    let second = running.send_until(&PLAIN.replace("|ID2|", "|ID3|"), two).await;
    let said = waits(&running, &second, "all", "which is tried again at 20").await;
    assert!(said.starts_with("stands behind dlv_"), "{said}");
    let listed = running.get("/v1/messages").await;
    assert_eq!(listed["messages"][0]["state"], "dispatched", "the second was not tried yet");
    assert_eq!(listed["messages"][1]["state"], "retrying");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_has_what_was_odd_about_its_message() {
    let running = Running::start().await;
    let id = running.send(&ADT.replace("|F\r", "|F\rNTE|1||a\rADD|b\r")).await;
    let trace = running.get(&format!("/v1/messages/{id}/trace")).await;
    assert_eq!(trace["findings"], json!(["segments continued by ADD are read as one"]));
    running.stop().await;
}

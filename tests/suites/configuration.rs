//! Wrong configurations: every problem at once, with file, line, key and what to do.
//!
//! Each `config/bad/NAME.toml` has its printed problems beside it, `NAME.problems`.
//! `UPDATE_EXPECT=1` writes them anew.

use std::path::Path;

use hilum_tests::{Site, repository};

fn check(case: &Path) {
    let site = Site::new(&std::fs::read_to_string(case).expect("the case")).expect("a site");
    site.write("tables/broken.csv", "from,to\n1,a\n1,b\nno comma\n").expect("written");
    site.write("plugins/not-wasm.wasm", "this is no component").expect("written");
    let (code, out, err) = site.run(&["check"]).expect("hilum runs");
    assert_eq!(code, 78, "{}: exit code\n{out}{err}", case.display());
    let folder = site.path().to_string_lossy().into_owned() + "/";
    let printed = err.replace(&folder, "");
    expect_test::expect_file![case.with_extension("problems")].assert_eq(&printed);
}

#[test]
fn each_wrong_configuration_says_what_is_wrong() {
    let folder = repository().join("tests/config/bad");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|it| it.expect("an entry").path())
        .filter(|it| it.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    cases.sort();
    assert!(5 <= cases.len(), "the cases are there");
    for case in cases {
        check(&case);
    }
}

#[test]
fn each_right_configuration_has_no_problem() {
    let authority = hilum_peers::Authority::new().expect("an authority");
    let mut count = 0;
    for case in std::fs::read_dir(repository().join("tests/config/good")).expect("the folder") {
        let case = case.expect("an entry").path();
        let site = Site::new(&std::fs::read_to_string(&case).expect("the case")).expect("a site");
        std::fs::create_dir(site.path().join("tls")).expect("a folder");
        site.write("tls/ca.pem", authority.pem()).expect("written");
        site.write("tls/token", "a token\n").expect("written");
        for name in ["server", "client"] {
            let identity = authority.issue(&["localhost", "127.0.0.1"]).expect("issued");
            site.write(&format!("tls/{name}.pem"), identity.certificate).expect("written");
            site.write(&format!("tls/{name}.key"), identity.key).expect("written");
        }
        let (code, out, err) = site.run(&["check"]).expect("hilum runs");
        assert_eq!(code, 0, "{}: {out}{err}", case.display());
        count += 1;
    }
    assert!(0 < count, "the cases are there");
}

#[test]
fn the_example_site_is_right() {
    let site = Site::example("http://127.0.0.1:1/fhir").expect("a site");
    let (code, out, err) = site.run(&["check"]).expect("hilum runs");
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_wrong_configuration_starts_nothing() {
    let site = Site::example("http://127.0.0.1:1/fhir").expect("a site");
    site.edit("hilum.toml", "to = [\"ehr\"", "to = [\"ehrr\"").expect("edited");
    let (code, _, err) = site.run(&["serve"]).expect("hilum runs");
    assert_eq!(code, 78);
    assert!(err.contains("did you mean \"ehr\"?"), "{err}");
    assert!(!site.path().join("data").exists(), "nothing was started");
}

/// A small site, with the destination in a file of its own.
fn split_site() -> Site {
    let site = Site::new(
        r#"
[gateway]
name = "split"
data = "data"
timezone = "UTC"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[route.adt]
from = "adt-in"
to = ["out"]
"#,
    )
    .expect("a site");
    std::fs::create_dir(site.path().join("conf.d")).expect("a folder");
    let out = "[destination.out]\nkind = \"file\"\nfolder = \"out\"\nclearance = \"treatment\"\n";
    site.write("conf.d/10-out.toml", out).expect("written");
    // Neither is a part of the configuration.
    site.write("conf.d/README", "not TOML").expect("written");
    site
}

#[test]
fn files_in_conf_d_belong_to_the_configuration() {
    let site = split_site();
    let (code, out, err) = site.run(&["check"]).expect("hilum runs");
    assert_eq!(code, 0, "{out}{err}");
    site.write("conf.d/20-more.toml", "\n[destination.out]\nkind = \"file\"\n").expect("written");
    let (code, _, err) = site.run(&["check"]).expect("hilum runs");
    assert_eq!(code, 78);
    let expected = "conf.d/20-more.toml:2  destination.out  stands in conf.d/10-out.toml:1 already";
    assert!(err.contains(expected), "{err}");
}

#[test]
fn the_environment_wins_over_the_files() {
    let site = split_site();
    let check = |name, value| site.run_in(&[(name, value)], &["check"]).expect("hilum runs");
    let (code, out, err) = check("HILUM__LISTENER__ADT_IN__CONNECTIONS_MAX", "7");
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = check("HILUM__LISTENER__ADT_IN__CONNECTIONS_MAX", "0");
    assert_eq!(code, 78);
    let said = "environment variable HILUM__LISTENER__ADT_IN__CONNECTIONS_MAX  \
                listener.adt-in.connections_max  must be";
    assert!(err.contains(said), "{err}");
    let (code, _, err) = check("HILUM__LISTENER__ADT_INN__BIND", "127.0.0.1:0");
    assert_eq!(code, 78);
    assert!(err.contains("fits nothing"), "{err}");
}

#[test]
fn what_the_environment_says_belongs_to_the_generation_that_runs() {
    let site = split_site();
    let folder = site.path().join("elsewhere").to_string_lossy().into_owned();
    let serve = |value: Option<&str>| {
        let overrides: Vec<_> =
            value.map(|it| ("HILUM__DESTINATION__OUT__FOLDER", it)).into_iter().collect();
        let running = site.serve_in(&overrides).expect("serving");
        let mut client = running.client("adt-in").expect("connected");
        let answer = client.send(&hilum_tests::adt("E1", "4711")).expect("answered");
        assert!(answer.contains("\rMSA|AA|E1"), "{answer}");
        running.wait_until_idle().expect("idle");
        running.json(&["status"]).expect("status")["generation"].clone()
    };
    let with = serve(Some(&folder));
    let files = std::fs::read_dir(site.path().join("elsewhere")).expect("the folder").count();
    assert_eq!(files, 1);
    assert_ne!(with, serve(None), "another environment is another generation");
}

#[test]
fn config_show_tells_each_value_with_its_origin_and_no_secret() {
    let site = split_site();
    site.write(
        "conf.d/30-ehr.toml",
        r#"
[destination.ehr]
kind = "fhir"
url = "http://nurse:hunter2@127.0.0.1:1/fhir"
clearance = "treatment"
auth = { kind = "basic", user = "hilum", password_file = "secrets/ehr" }
headers = { Authorization = "Bearer hunter2" }
"#,
    )
    .expect("written");
    let variables = [("HILUM__LISTENER__ADT_IN__BIND", "127.0.0.1:2575")];
    let (code, out, err) =
        site.run_in(&variables, &["config", "show", "--effective"]).expect("hilum runs");
    assert_eq!(code, 0, "{err}");
    assert!(!out.contains("hunter2"), "{out}");
    let has = |line: &str| {
        let found = out.lines().find(|it| it.starts_with(line.split("  #").next().unwrap_or(line)));
        let words = |it: &str| it.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(found.map(words), Some(words(line)), "{out}");
    };
    has("name = \"split\"  # hilum.toml:3");
    has("bind = \"127.0.0.1:2575\"  # environment variable HILUM__LISTENER__ADT_IN__BIND");
    has("folder = \"out\"  # conf.d/10-out.toml:3");
    has("url = \"http://***@127.0.0.1:1/fhir\"  # conf.d/30-ehr.toml:4");
    has("password_file = \"secrets/ehr\"  # conf.d/30-ehr.toml:6");
    has("Authorization = \"***\"  # conf.d/30-ehr.toml:7");
    assert!(out.lines().any(|it| it.ends_with("# default")), "{out}");
    let (_, without, _) = site.run(&["config", "show"]).expect("hilum runs");
    assert!(!without.contains("# default"), "{without}");
}

#[test]
fn secrets_come_from_files_the_environment_and_credentials() {
    let site = Site::new(
        r#"
[gateway]
name = "secrets"
data = "data"
timezone = "UTC"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[listener.adt-in.tls]
certificate = "tls/server.pem"
key_env = "TEST_SERVER_KEY"

[destination.out]
kind = "http"
url = "http://127.0.0.1:1/"
clearance = "treatment"
auth = { kind = "bearer", token_credential = "token" }

[destination.more]
kind = "http"
url = "http://127.0.0.1:1/"
clearance = "treatment"
auth = { kind = "basic", user = "hilum", password_file = "password" }

[route.adt]
from = "adt-in"
to = ["out", "more"]
"#,
    )
    .expect("a site");
    let folder = site.path().to_string_lossy().into_owned();
    let (code, _, err) = site.run(&["pki", "dev", &format!("{folder}/tls")]).expect("hilum runs");
    assert_eq!(code, 0, "{err}");
    let key = site.read("tls/server.key").expect("the key");

    // Every one that is missing is a problem at its key.
    let (code, _, err) = site.run(&["check"]).expect("hilum runs");
    assert_eq!(code, 78, "{err}");
    for problem in [
        "listener.adt-in.tls.key_env  environment variable TEST_SERVER_KEY is not set",
        "destination.out.auth.token_credential  credential token cannot be read: ",
        "destination.more.auth.password_file  file password cannot be read: ",
    ] {
        assert!(err.contains(problem), "{problem} in {err}");
    }

    site.write("password", "hunter2\n").expect("written");
    site.write("token", "sesame\n").expect("written");
    let environment = [("TEST_SERVER_KEY", &*key), ("CREDENTIALS_DIRECTORY", &*folder)];
    let (code, out, err) = site.run_in(&environment, &["check"]).expect("hilum runs");
    assert_eq!(code, 0, "{out}{err}");

    // None of them is a part of what is kept.
    {
        let _running = site.serve_in(&environment).expect("serving");
    }
    let secrets = ["hunter2", "sesame", key.lines().nth(1).expect("the key's second line")];
    let mut folders = vec![site.path().join("data")];
    let mut searched = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                let content = std::fs::read(&path).expect("the file");
                let content = String::from_utf8_lossy(&content);
                let found = secrets.iter().find(|it| content.contains(**it));
                assert!(found.is_none(), "a secret is in {}", path.display());
                searched += 1;
            }
        }
    }
    assert!(0 < searched, "something is kept");
    assert!(!site.log().contains("hunter2") && !site.log().contains("sesame"));
}

//! New configurations that are not taken: the old one goes on, and why is said.

use hilum_tests::{Running, Site, adt, http_get};

use super::{SITE, generation};

/// Applies what is in the folder; it is not taken. What was said about it.
#[track_caller]
fn refused(site: &Site, code: i32) -> String {
    let (ended, out, err) = site.run(&["apply", "--yes"]).expect("hilum runs");
    assert_eq!(ended, code, "{out}{err}");
    err
}

/// A message goes its whole way, and the metric says how the last reading ended.
#[track_caller]
fn works(running: &Running<'_>, id: &str, is_well: bool) {
    let mut client = running.client("adt-in").expect("connected");
    assert!(client.send(&adt(id, "4711")).expect("answered").contains(&format!("|AA|{id}")));
    running.wait_until_idle().expect("idle");
    assert_eq!(running.list("parked").expect("listed").as_array().map(Vec::len), Some(0));
    let metrics = http_get(&running.admin().expect("an address"), "/metrics").expect("answered");
    let line = format!("\nhilum_config_last_reload_successful {}\n", u8::from(is_well));
    assert!(metrics.contains(&line), "{metrics}");
}

#[test]
fn a_wrong_configuration_of_any_kind_leaves_the_old_one_running_and_says_where() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let before = generation(&running);
    works(&running, "W0", true);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let taken = taken.local_addr().expect("an address").to_string();
    let listener = "[listener.adt-in]";
    let bound_twice =
        format!("[listener.more]\nkind = \"mllp\"\nbind = \"{taken}\"\n\n[listener.adt-in]");
    let with_key =
        "[listener.adt-in.tls]\ncertificate = \"no.pem\"\nkey_file = \"no.key\"\n\n[table.";
    // What is edited, into what, the exit code, and what is said.
    let cases = [
        ("[route.adt]", "[route.adt", 78, "hilum.toml:26"),
        ("append = true", "apend = true", 78, "did you mean \"append\"?"),
        ("to = [\"out\"]", "to = [\"aut\"]", 78, "did you mean \"out\"?"),
        ("plugins/adt-to-fhir.wasm", "plugins/broken.wasm", 78, "plugin.adt-to-fhir.file"),
        ("plugins/adt-to-fhir.wasm", "plugins/nothing.wasm", 78, "cannot be read"),
        ("tables/admit-source.csv", "plugins/adt-to-fhir.wasm", 78, "plugins/adt-to-fhir.wasm"),
        ("name = \"swaps\"", "name = \"other\"", 78, "hilum.toml:2  gateway.name  cannot change"),
        ("data = \"data\"", "data = \"data\"\nbytes_in_flight_max = \"64 MiB\"", 78, "restart it"),
        ("[table.", with_key, 78, "listener.adt-in.tls.certificate"),
        (listener, bound_twice.as_str(), 1, taken.as_str()),
    ];
    let whole = site.read("hilum.toml").expect("read");
    site.write("plugins/broken.wasm", b"not a component").expect("written");
    for (number, (from, to, code, said)) in cases.into_iter().enumerate() {
        site.edit("hilum.toml", from, to).expect("edited");
        let err = refused(&site, code);
        assert!(err.contains(said), "{to}: no {said:?} in\n{err}");
        if code == 78 {
            assert!(err.contains("problem"), "{err}");
        }
        assert_eq!(generation(&running), before, "{to}");
        works(&running, &format!("W{}", number + 1), false);
        site.write("hilum.toml", &whole).expect("written");
    }
    running.json(&["apply", "--yes"]).expect("the right one is taken again");
    works(&running, "WX", true);
    assert_eq!(generation(&running), before);
}

#[test]
fn after_a_hang_up_the_log_says_what_is_wrong_and_a_right_one_is_taken() {
    let site = Site::new(SITE).expect("a site");
    let running = site.serve().expect("serving");
    let before = generation(&running);
    site.edit("hilum.toml", "append = true", "apend = true").expect("edited");
    running.hang_up().expect("signalled");
    let told = |_: &Running<'_>| Ok(site.log().contains("SIGHUP: nothing was changed"));
    running.wait("the log to say it", told).expect("told");
    let log = site.log();
    assert!(log.contains("hilum.toml:23") && log.contains("did you mean"), "{log}");
    assert_eq!(generation(&running), before);
    works(&running, "H1", false);
    site.edit("hilum.toml", "apend = true", "append = true\nextension = \"json\"").expect("edited");
    running.hang_up().expect("signalled");
    running.wait("the generation to change", |it| Ok(generation(it) != before)).expect("changed");
    let took_over = |it: &Running<'_>| {
        let page = http_get(&it.admin()?, "/metrics")?;
        Ok(page.contains("\nhilum_config_last_reload_successful 1\n"))
    };
    running.wait("the reload to end", took_over).expect("it ended");
    works(&running, "H2", true);
    let listed = running.json(&["generation", "list"]).expect("listed");
    assert_eq!(listed["generations"][0]["actor"], "system:sighup");
}

#[test]
fn an_unknown_generation_and_the_lack_of_one_are_told_apart() {
    let site = Site::new(SITE).expect("a site");
    let _running = site.serve().expect("serving");
    let (code, _, err) = site.run(&["rollback", "--yes"]).expect("hilum runs");
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("no other generation"), "{err}");
    for (name, expected, why) in [
        ("abcdef0123", 1, "no generation is named abcdef0123"),
        ("abc", 2, "at least 6 digits of the digest are needed"),
        ("nothing", 2, "a generation is \"current\", \"before\", or the first digits"),
    ] {
        let (code, _, err) = site.run(&["rollback", name, "--yes"]).expect("hilum runs");
        assert_eq!(code, expected, "{err}");
        assert!(err.contains(why), "{err}");
    }
    let (code, out, _) = site.run(&["generation", "list"]).expect("hilum runs");
    assert_eq!(code, 0);
    assert!(out.contains("the first one") && out.contains("runs"), "{out}");
}

#[test]
fn another_configuration_over_the_same_data_is_not_taken_for_the_running_one() {
    let site = Site::new(SITE).expect("a site");
    let _running = site.serve().expect("serving");
    let copy = Site::new(SITE).expect("a copy");
    let data = site.path().join("data");
    copy.edit("hilum.toml", "data = \"data\"", &format!("data = {data:?}")).expect("edited");
    let (code, _, err) = copy.run(&["apply", "--yes"]).expect("hilum runs");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("the running gateway reads"), "{err}");
    // By another way it is the same file.
    let link = copy.path().join("link");
    std::os::unix::fs::symlink(site.path(), &link).expect("linked");
    let status = std::process::Command::new(hilum_tests::hilum())
        .args(["apply", "--yes", "-c"])
        .arg(link.join("hilum.toml"))
        .output()
        .expect("hilum runs");
    assert!(status.status.success(), "{status:?}");
}

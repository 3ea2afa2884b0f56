//! `hilum policy`: who sees and gets what, and by which rule.

use hilum_tests::{Site, adt};
use serde_json::Value;

/// The example site, with something to say about places.
fn site() -> Site {
    let site = Site::example("http://127.0.0.1:1/fhir").expect("a site");
    site.edit(
        "hilum.toml",
        "[listener.adt-in]",
        "[phi]\n\"ZPD-1\" = \"name\"\n\"PV1-3.1\" = \"open\"\n\n[listener.adt-in]",
    )
    .expect("edited");
    let message = [adt("P1", "MRN4711").as_slice(), b"ZPD|Zwiebelfisch|Kaspress\r"].concat();
    site.write("message.hl7", message).expect("written");
    site
}

fn json(site: &Site, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--format", "json"]].concat();
    let (code, out, err) = site.run(&arguments).expect("hilum runs");
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).expect("JSON")
}

#[track_caller]
fn check(explained: &Value, place: &str, verdict: &str, seen: Option<&str>, rule: &str) {
    let values = explained["values"].as_array().expect("values");
    let value = values.iter().find(|it| it["place"] == place).expect(place);
    assert_eq!(value["verdict"], verdict, "{value}");
    match seen {
        Some(seen) => assert_eq!(value["seen"], seen, "{value}"),
        None => assert!(value["seen"].as_str().is_some_and(|it| it.starts_with("ZQ")), "{value}"),
    }
    assert!(value["rule"].as_str().is_some_and(|it| it.contains(rule)), "{value}");
}

#[test]
fn a_message_is_explained_as_a_plugin_and_a_destination_see_it() {
    let site = site();
    let message = site.path().join("message.hl7").to_string_lossy().into_owned();
    let seen = json(&site, &["policy", "explain", &message, "--plugin", "adt-to-fhir"]);
    check(&seen, "PID-5.1", "seal", None, "named by the PHI table");
    check(&seen, "PID-8.1", "open", Some("F"), "by its type");
    check(&seen, "PV1-3.1", "open", Some("2W"), "[phi] \"PV1-3.1\" = \"open\"");
    check(&seen, "ZPD-1.1", "seal", None, "[phi] \"ZPD-1\" = \"name\"");
    check(&seen, "ZPD-2.1", "seal", None, "no version of HL7 v2 has ZPD-2");
    let body = seen["body"].as_str().expect("a body");
    assert!(body.contains("MSH|") && !body.contains("Zedlitz") && !body.contains("Zwiebelfisch"));

    let seen = json(&site, &["policy", "explain", &message, "--destination", "research"]);
    check(&seen, "PID-5.1", "withhold", Some(""), "named by the PHI table");
    check(&seen, "EVN-2.1", "open", Some("20261124090000+0100"), "named by the PHI table");
    assert!(!seen.to_string().contains("Zedlitz"), "{seen}");
    let seen = json(&site, &["policy", "explain", &message, "--destination", "archive"]);
    check(&seen, "ZPD-1.1", "open", Some("Zwiebelfisch"), "[phi]");

    // For people: the message, and a line for each value.
    let arguments = ["policy", "explain", &message, "--plugin", "adt-to-fhir"];
    let (code, out, _) = site.run(&arguments).expect("hilum runs");
    assert_eq!(code, 0);
    assert!(out.contains("As plugin adt-to-fhir sees it:\nMSH|^~\\&|ADT"), "{out}");
    assert!(out.contains("PLACE") && !out.contains("Zedlitz"), "{out}");
}

#[test]
fn what_cannot_be_explained_says_why() {
    let site = site();
    let message = site.path().join("message.hl7").to_string_lossy().into_owned();
    let fails = |arguments: &[&str], code: i32, text: &str| {
        let (ended, _, err) = site.run(arguments).expect("hilum runs");
        assert_eq!(ended, code, "{err}");
        assert!(err.contains(text), "{err}");
    };
    fails(&["policy", "explain", &message], 2, "--plugin");
    fails(&["policy", "explain", &message, "--plugin", "a", "--destination", "b"], 2, "cannot");
    let meant = "did you mean \"research\"?";
    fails(&["policy", "explain", &message, "--destination", "reserch"], 1, meant);
    fails(&["policy", "explain", "nowhere.hl7", "--destination", "research"], 74, "nowhere.hl7");
    let toml = site.path().join("hilum.toml").to_string_lossy().into_owned();
    fails(&["policy", "explain", &toml, "--destination", "research"], 1, "not HL7 v2");
    site.edit("hilum.toml", "\"ZPD-1\"", "\"ZPD-1[2]\"").expect("edited");
    fails(&["policy", "matrix"], 78, "write \"ZPD-1\"");
}

#[test]
fn the_matrix_is_the_whole_site() {
    let site = site();
    let matrix = json(&site, &["policy", "matrix"]);
    let plugin = &matrix["plugins"][0];
    assert_eq!((&plugin["name"], &plugin["routes"][0]), (&"adt-to-fhir".into(), &"adt".into()));
    assert_eq!(plugin["sights"]["birth-date"], "seal");
    let research = &matrix["destinations"][2];
    assert_eq!(research["name"], "research");
    assert_eq!(
        (&research["clearance"]["date"], &research["clearance"]["name"]),
        (&"open".into(), &"withhold".into())
    );
    assert_eq!(matrix["phi"][0]["place"], "ZPD-1");
    assert_eq!(matrix["phi"][1]["before"][0], "address");
    // A class that nobody names parks.
    site.edit("hilum.toml", "open = [\"date\"], withhold", "withhold").expect("edited");
    let other = json(&site, &["policy", "matrix"]);
    assert_eq!(other["destinations"][2]["clearance"]["date"], "park");
    assert_eq!(other["policy"], matrix["policy"], "clearances are not what places are");
    let (code, out, _) = site.run(&["policy", "matrix"]).expect("hilum runs");
    assert_eq!(code, 0);
    for word in ["PLUGIN", "DESTINATION", "[PHI]", "birth-date", "withhold", "park"] {
        assert!(out.contains(word), "{word} in {out}");
    }
}

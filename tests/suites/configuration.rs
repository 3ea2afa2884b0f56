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

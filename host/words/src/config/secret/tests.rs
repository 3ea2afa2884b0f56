use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::*;
use crate::config::Document;
use crate::{Problem, Problems};

fn check(text: &str, expected: Expect) -> Option<SecretRef> {
    let problems = Problems::default();
    let document = Document::parse("hilum.toml", text, &problems);
    let mut root = document.root(&problems);
    let secret = root.required_secret("password");
    root.finish();
    let all: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
    expected.assert_eq(&all.join("\n"));
    secret.map(|it| it.value)
}

#[test]
fn a_secret_is_a_reference_of_one_of_three_kinds() {
    let read = |text| check(text, expect![""]);
    assert_eq!(
        read("password_file = \"secrets/ehr\""),
        Some(SecretRef::File("secrets/ehr".into()))
    );
    assert_eq!(read("password_env = \"EHR_PW\""), Some(SecretRef::Env("EHR_PW".into())));
    assert_eq!(read("password_credential = \"ehr\""), Some(SecretRef::Credential("ehr".into())));
}

#[test]
fn an_inline_secret_is_a_problem_that_does_not_repeat_it() {
    let read = check(
        "password = \"hunter2\"",
        expect![[
            r#"hilum.toml:1  password  a secret is never written here; refer to it by "password_file", "password_env", "password_credential""#
        ]],
    );
    assert_eq!(read, None);
}

#[test]
fn a_required_secret_that_is_missing_is_one_problem() {
    check(
        "",
        expect![[
            r#"hilum.toml  needs one of the keys "password_file", "password_env", "password_credential""#
        ]],
    );
}

#[test]
fn two_references_are_a_problem() {
    let read = check(
        "password_file = \"a\"\npassword_env = \"B\"",
        expect![[
            r#"hilum.toml:2  password_env  only one of "password_file", "password_env", "password_credential" can be the secret"#
        ]],
    );
    assert_eq!(read, None);
}

#[test]
fn a_reference_that_names_nothing_is_a_problem() {
    check(
        "password_file = \"\"",
        expect!["hilum.toml:1  password_file  must be the path of a file"],
    );
    check(
        "password_env = \"A B\"",
        expect![[
            r#"hilum.toml:1  password_env  must be the name of an environment variable, such as "HILUM_EHR_TOKEN""#
        ]],
    );
    check(
        "password_credential = \"../shadow\"",
        expect![
            "hilum.toml:1  password_credential  must be the name of a file in $CREDENTIALS_DIRECTORY, without a path"
        ],
    );
}

/// Secrets by name, wherever they are asked for.
struct Table(BTreeMap<&'static str, Vec<u8>>);

impl Table {
    fn at(&self, name: &str) -> io::Result<Vec<u8>> {
        self.0.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl SecretSource for Table {
    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.at(&format!("file:{}", path.display()))
    }

    fn env(&self, name: &str) -> Option<String> {
        let value = self.at(&format!("env:{name}")).ok()?;
        String::from_utf8(value).ok()
    }

    fn credential(&self, name: &str) -> io::Result<Vec<u8>> {
        self.at(&format!("credential:{name}"))
    }
}

#[test]
fn each_kind_is_read_from_its_own_source_and_one_line_break_is_cut() {
    let table = Table(BTreeMap::from([
        ("file:a", b"one\n\n".to_vec()),
        ("env:a", b"two".to_vec()),
        ("credential:a", b"three\r\n".to_vec()),
    ]));
    let open = |it: SecretRef| it.read(&table).expect("there").open_secret().to_owned();
    assert_eq!(open(SecretRef::File("a".into())), "one\n");
    assert_eq!(open(SecretRef::Env("a".into())), "two");
    assert_eq!(open(SecretRef::Credential("a".into())), "three");
}

#[test]
fn what_is_no_secret_says_why_and_never_what() {
    let table = Table(BTreeMap::from([
        ("file:empty", b"\n".to_vec()),
        ("file:long", vec![b'x'; SECRET_BYTES_MAX + 1]),
        ("file:fits", vec![b'x'; SECRET_BYTES_MAX]),
        ("file:binary", vec![0xff, 0xfe]),
    ]));
    let said = |it: SecretRef| it.read(&table).map(|_| ()).map_err(|it| it.to_string());
    let file = |name: &str| said(SecretRef::File(name.into()));
    assert_eq!(file("empty"), Err("is empty".into()));
    assert_eq!(file("long"), Err("is longer than 65536 bytes".into()));
    assert_eq!(file("fits"), Ok(()));
    assert_eq!(file("binary"), Err("is not UTF-8".into()));
    assert_eq!(file("nowhere"), Err("cannot be read".into()));
    assert_eq!(said(SecretRef::Env("NO".into())), Err("is not set".into()));
}

#[test]
fn what_cannot_be_fetched_is_a_problem_at_its_key() {
    let problems = Problems::default();
    let text = "key_file = \"no/where\"\npin_env = \"NO\"\n";
    let document = Document::parse("hilum.toml", text, &problems);
    let mut root = document.root(&problems);
    for key in ["key", "pin"] {
        let secret = root.secret(key).expect("a reference");
        assert!(secret.fetch(&Table(BTreeMap::new()), &problems).is_none());
    }
    let all: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
    expect![[r#"
        hilum.toml:1  key_file  file no/where cannot be read: entity not found
        hilum.toml:2  pin_env  environment variable NO is not set"#]]
    .assert_eq(&all.join("\n"));
}

#[test]
fn a_secret_prints_as_stars_and_a_reference_as_itself() {
    let secret = Secret::from_bytes(b"hunter2".to_vec()).expect("a secret");
    assert_eq!(format!("{secret} {secret:?}"), "*** ***");
    assert_eq!(SecretRef::Env("EHR_PW".into()).to_string(), "environment variable EHR_PW");
}

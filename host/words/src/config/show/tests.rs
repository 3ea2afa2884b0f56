use expect_test::{Expect, expect};

use super::*;
use crate::Problems;

const SITE: &str = r#"
[gateway]
name = "st \"anna\""
[listener.adt-in]
kind = "mllp"
strict = true
allow = ["10.0.0.0/8", "::1"]
[destination."a b"]
url = "https://user:hunter2@ehr.example/fhir?x=a@b"
headers = { X-Api-Key = "k", "Authorization" = "Bearer x", X-Source = "hilum" }
token_url = "https://ehr.example/token"
password = "hunter2"
password_file = "secrets/pw"
at = 1.5
when = 2026-01-01
"#;

fn print(document: &Document, asked: Option<&Asked>) -> String {
    let mut text = String::new();
    for table in document.show(asked) {
        text += &format!("[{}]\n", table.key);
        for value in table.values {
            let origin = match value.origin {
                Origin::Written(place) => place.to_string(),
                Origin::Default => "default".to_owned(),
            };
            text += &format!("{} = {}  # {origin}\n", value.key, value.value);
        }
    }
    text
}

fn check(text: &str, expected: Expect) {
    let problems = Problems::recording();
    let mut document = Document::parse("hilum.toml", text, &problems);
    let override_ = ("HILUM__LISTENER__ADT_IN__BIND".to_owned(), "127.0.0.1:1".to_owned());
    document.overlay(&[override_], &problems);
    for (_, mut listener) in document.root(&problems).sections("listener") {
        listener.boolean_or("strict", false);
        listener.size_or("frame_bytes_max", 16 << 20);
        listener.secret("pin");
        let mut retry = listener.section_or_empty("retry");
        retry.integer_or("attempts", 1..=9, 3);
        retry.finish();
    }
    let printed = print(&document, Some(&problems.take_asked()));
    assert!(!printed.contains("hunter2") && !printed.contains("Bearer"), "{printed}");
    expected.assert_eq(&printed);
}

#[test]
fn every_value_says_where_it_is_from_and_no_secret_is_shown() {
    check(
        SITE,
        expect![[r#"
            [gateway]
            name = "st \"anna\""  # hilum.toml:3
            [listener.adt-in]
            kind = "mllp"  # hilum.toml:5
            strict = true  # hilum.toml:6
            allow = ["10.0.0.0/8", "::1"]  # hilum.toml:7
            bind = "127.0.0.1:1"  # environment variable HILUM__LISTENER__ADT_IN__BIND
            frame_bytes_max = "16 MiB"  # default
            [listener.adt-in.retry]
            attempts = 3  # default
            [destination."a b"]
            url = "https://***@ehr.example/fhir?x=a@b"  # hilum.toml:9
            token_url = "https://ehr.example/token"  # hilum.toml:11
            password = "***"  # hilum.toml:12
            password_file = "secrets/pw"  # hilum.toml:13
            at = 1.5  # hilum.toml:14
            when = 2026-01-01  # hilum.toml:15
            [destination."a b".headers]
            X-Api-Key = "***"  # hilum.toml:10
            Authorization = "***"  # hilum.toml:10
            X-Source = "hilum"  # hilum.toml:10
        "#]],
    );
}

#[test]
fn an_inline_secret_is_known_by_its_reader_whatever_its_name() {
    check(
        "[listener.adt-in]\npin = \"hunter2\"\n",
        expect![[r#"
            [listener.adt-in]
            pin = "***"  # hilum.toml:2
            bind = "127.0.0.1:1"  # environment variable HILUM__LISTENER__ADT_IN__BIND
            frame_bytes_max = "16 MiB"  # default
            strict = false  # default
            [listener.adt-in.retry]
            attempts = 3  # default
        "#]],
    );
}

#[test]
fn what_is_shown_reads_back_the_same() {
    let problems = Problems::default();
    let site = SITE.replace("user:hunter2@", "");
    let parse = |text: &str| Document::parse("x", text, &problems);
    let shown = print(&parse(&site), None);
    let values = |document: &Document| {
        let tables = document.show(None).into_iter();
        let line = |table: ShownTable| {
            let values = table.values.into_iter();
            let values: Vec<_> = values.map(|it| format!("{}={}", it.key, it.value)).collect();
            format!("[{}] {}", table.key, values.join(" "))
        };
        tables.map(line).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(values(&parse(&shown)), values(&parse(&site)));
    assert!(problems.is_empty(), "{problems:?}");
}

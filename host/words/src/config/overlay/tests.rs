use expect_test::{Expect, expect};

use super::*;
use crate::Problem;

const SITE: &str = "\
[gateway]
name = \"a\"
[listener.adt-in]
bind = \"127.0.0.1:1\"
[destination.ehr.grant]
birth-date = \"seal\"
";

/// Overlays the site, reads some keys of every type, and prints them and the problems.
fn check(variables: &[(&str, &str)], expected: Expect) {
    let problems = Problems::default();
    let mut document = Document::parse("hilum.toml", SITE, &problems);
    let variables: Vec<_> =
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    document.overlay(&variables, &problems);
    let mut lines = Vec::new();
    let mut root = document.root(&problems);
    let mut gateway = root.section("gateway").expect("there");
    lines
        .extend(gateway.text("name").map(|it| format!("{} = {} ({})", it.key, it.value, it.place)));
    lines.extend(gateway.size("bytes").map(|it| format!("{} = {}", it.key, it.value)));
    gateway.finish();
    if let Some(mut admin) = root.section("admin") {
        lines.extend(admin.text("bind").map(|it| format!("{} = {}", it.key, it.value)));
        admin.finish();
    }
    for (_, mut listener) in root.sections("listener") {
        lines.extend(listener.text("bind").map(|it| format!("{} = {}", it.key, it.value)));
        lines.extend(
            listener
                .integer("connections_max", 1..=10)
                .map(|it| format!("{} = {}", it.key, it.value)),
        );
        lines.extend(listener.boolean("strict").map(|it| format!("{} = {}", it.key, it.value)));
        for item in listener.texts("allow").into_iter().flatten() {
            lines.push(format!("{} = {}", item.key, item.value));
        }
        if let Some(mut tls) = listener.section("tls") {
            lines.extend(tls.text("certificate").map(|it| format!("{} = {}", it.key, it.value)));
            tls.finish();
        }
        listener.finish();
    }
    for (_, mut destination) in root.sections("destination") {
        let mut grant = destination.section("grant").expect("there");
        lines.extend(grant.text("birth-date").map(|it| format!("{} = {}", it.key, it.value)));
        grant.finish();
        if let Some(mut retry) = destination.section("retry") {
            lines.extend(retry.duration("first").map(|it| format!("{} = {:?}", it.key, it.value)));
            retry.finish();
        }
        destination.finish();
    }
    root.finish();
    lines.extend(problems.into_sorted().iter().map(Problem::to_string));
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_variable_wins_over_the_file_and_says_where_it_is_from() {
    check(
        &[
            ("HILUM__GATEWAY__NAME", "5"),
            ("HILUM__LISTENER__ADT_IN__BIND", "[::1]:2575"),
            ("HILUM__destination__ehr__grant__birth_date", "open"),
        ],
        expect![[r#"
            gateway.name = 5 (environment variable HILUM__GATEWAY__NAME)
            listener.adt-in.bind = [::1]:2575
            destination.ehr.grant.birth-date = open"#]],
    );
}

#[test]
fn a_value_becomes_what_its_reader_asks_for() {
    check(
        &[
            ("HILUM__ADMIN__BIND", "127.0.0.1:9464"),
            ("HILUM__DESTINATION__EHR__RETRY", "{ first = \"2s\" }"),
            ("HILUM__GATEWAY__BYTES", "64 KiB"),
            ("HILUM__LISTENER__ADT_IN__ALLOW", "10.0.0.0/8, ::1"),
            ("HILUM__LISTENER__ADT_IN__CONNECTIONS_MAX", "7"),
            ("HILUM__LISTENER__ADT_IN__STRICT", "true"),
            ("HILUM__LISTENER__ADT_IN__TLS__CERTIFICATE", "a.pem"),
        ],
        expect![[r#"
            gateway.name = a (hilum.toml:2)
            gateway.bytes = 65536
            admin.bind = 127.0.0.1:9464
            listener.adt-in.bind = 127.0.0.1:1
            listener.adt-in.connections_max = 7
            listener.adt-in.strict = true
            listener.adt-in.allow[0] = 10.0.0.0/8
            listener.adt-in.allow[1] = ::1
            listener.adt-in.tls.certificate = a.pem
            destination.ehr.grant.birth-date = seal
            destination.ehr.retry.first = 2s"#]],
    );
}

#[test]
fn what_fits_nothing_is_a_problem_at_the_variable() {
    check(
        &[
            ("HILUM__GATEWAY", "x"),
            ("HILUM__GATEWAY__NAM", "x"),
            ("HILUM__GATEWAY__NAME__FIRST", "x"),
            ("HILUM__LISTENER__ADT_INN__BIND", "x"),
            ("HILUM__LISTENER__ADT_IN", "x"),
            ("HILUM__LISTENER__ADT_IN__CONNECTIONS_MAX", "many"),
            ("HILUM__LISTENER__ADT_IN__ALLOW", "[1]"),
            ("HILUM__QUEUE__X__Y", "x"),
        ],
        expect![[r#"
            gateway.name = a (hilum.toml:2)
            listener.adt-in.bind = 127.0.0.1:1
            destination.ehr.grant.birth-date = seal
            environment variable HILUM__GATEWAY  must be written HILUM__SECTION__KEY
            environment variable HILUM__GATEWAY__NAM  gateway.nam  unknown key; did you mean "name"?
            environment variable HILUM__GATEWAY__NAME__FIRST  fits nothing: what holds "first" is no table
            environment variable HILUM__LISTENER__ADT_IN  fits nothing: it names a table, not a key
            environment variable HILUM__LISTENER__ADT_INN__BIND  fits nothing: no section is named "adt_inn"; did you mean "ADT_IN"?
            environment variable HILUM__LISTENER__ADT_IN__ALLOW  listener.adt-in.allow[0]  must be a string, not an integer
            environment variable HILUM__LISTENER__ADT_IN__CONNECTIONS_MAX  listener.adt-in.connections_max  must be an integer, not a string
            environment variable HILUM__QUEUE__X__Y  fits nothing: no section is named "queue""#]],
    );
}

#[test]
fn what_was_overlaid_prints_and_reads_back() {
    let variables = [
        ("PATH", "/bin"),
        ("HILUM_CONFIG", "x.toml"),
        ("HILUM__B__C", "two\nlines\\"),
        ("HILUM__A__B", "1=2"),
    ];
    let overrides = Overrides::among(variables.map(|(name, it)| (name.to_owned(), it.to_owned())));
    let text = overrides.to_text();
    expect![[r#"
        HILUM__A__B=1=2
        HILUM__B__C=two\nlines\\
    "#]]
    .assert_eq(&text);
    assert_eq!(Overrides::parse(&text), Some(overrides));
    assert_eq!(Overrides::parse("PATH=/bin\n"), None);
    assert_eq!(Overrides::parse("HILUM__A__B=\\x\n"), None);
}

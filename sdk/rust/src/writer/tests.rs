use super::*;

#[track_caller]
fn check(fill: impl FnOnce(&mut Writer), expected: &str) {
    let mut w = Writer::new();
    fill(&mut w);
    assert_eq!(w.into_text(), expected);
}

#[test]
fn what_is_empty_is_taken_back_with_its_key() {
    check(|_| {}, "{}");
    check(
        |w| {
            assert!(!w.text("a", Some("")));
            assert!(!w.text("a", None::<&str>));
            assert!(!w.flag("a", None));
            assert!(!w.number("a", None::<&str>));
            assert!(!w.object("a", |_| {}));
            assert!(!w.array("a", |w| {
                assert!(!w.item(Some("")));
                assert!(!w.element(|w| {
                    w.text("b", None::<&str>);
                }));
            }));
            assert!(w.text("c", Some("d")));
            assert!(!w.object("a", |w| {
                w.array("b", |_| {});
            }));
            assert!(!w.json("a", ""));
        },
        r#"{"c":"d"}"#,
    );
}

#[test]
fn commas_stand_between_what_is_there() {
    check(
        |w| {
            w.flag("a", Some(true));
            w.array("b", |w| {
                w.item(Some("x"));
                w.item(None::<&str>);
                w.item(Some("y"));
                w.element(|_| {});
                w.element(|w| {
                    w.number("c", Some("1.50"));
                    w.flag("d", Some(false));
                });
            });
            w.json("e", "{}");
            w.text("f", Some("{["));
            w.text("g", Some("\"\\"));
        },
        r#"{"a":true,"b":["x","y",{"c":1.50,"d":false}],"e":{},"f":"{[","g":"\"\\"}"#,
    );
}

#[test]
fn what_its_filler_does_not_want_is_taken_back() {
    check(
        |w| {
            assert!(!w.object_if("a", |w| w.text("b", Some("x")) && w.text("c", None::<&str>)));
            assert!(!w.object_if("a", |_| true), "nothing is there to be kept");
            assert!(w.array("d", |w| {
                assert!(!w.element_if(|w| {
                    w.text("system", Some("phone"));
                    w.text("value", None::<&str>)
                }));
                assert!(w.element_if(|w| w.text("value", Some("1"))));
            }));
            assert!(!w.only_if(|w| {
                w.text("e", Some("x"));
                w.text("f", Some("x"));
                false
            }));
            w.text("g", Some("x"));
        },
        r#"{"d":[{"value":"1"}],"g":"x"}"#,
    );
}

#[test]
fn numbers_keep_their_digits_and_tokens_are_strings() {
    check(
        |w| {
            for (key, value) in [("a", "007"), ("b", "1,5"), ("c", ""), ("d", "NaN"), ("e", "+1")] {
                assert!(!w.number(key, Some(value)), "{value}");
            }
            w.number("f", Some("-0.50"));
            w.number("g", Some("ZQ7K3M9XA2WB4T"));
        },
        r#"{"f":-0.50,"g":"ZQ7K3M9XA2WB4T"}"#,
    );
}

#[test]
fn another_object_is_taken_in() {
    let mut other = Writer::new();
    check(|w| w.append(&other), "{}");
    other.text("a", Some("x"));
    check(
        |w| {
            w.append(&other);
            w.text("b", Some("y"));
            w.element(|w| w.append(&other));
        },
        r#"{"a":"x","b":"y",{"a":"x"}}"#,
    );
}

mod properties {
    use super::*;
    use crate::random::Random;

    /// A value, and how the writer is told of it.
    enum Tree {
        Text(String),
        Flag(bool),
        Number(&'static str),
        Object(Vec<(String, Tree)>),
        Array(Vec<Tree>),
        /// A filler that changes its mind.
        Unwanted(Vec<(String, Tree)>),
    }

    fn tree(random: &mut Random, depth: usize) -> Tree {
        let kinds = if depth == 0 { 3 } else { 6 };
        match random.below(kinds) {
            0 => Tree::Text(text(random)),
            1 => Tree::Flag(random.below(2) == 0),
            2 => Tree::Number(random.pick(&["0", "1.50", "-3", "", "x", "1e3"])),
            3 => Tree::Object(members(random, depth - 1)),
            4 => Tree::Array((0..random.below(4)).map(|_| tree(random, depth - 1)).collect()),
            _ => Tree::Unwanted(members(random, depth - 1)),
        }
    }

    fn members(random: &mut Random, depth: usize) -> Vec<(String, Tree)> {
        (0..random.below(4)).map(|at| (format!("k{at}"), tree(random, depth))).collect()
    }

    fn text(random: &mut Random) -> String {
        let parts = ["", "a", "\"", "\\", "{", "[", ",", "\u{0}", "\u{1f}", "\n", "ü", "😀", "]}"];
        (0..random.below(5)).map(|_| random.pick(&parts)).collect()
    }

    fn write(w: &mut Writer, key: &str, tree: &Tree) -> bool {
        match tree {
            Tree::Text(text) => w.text(key, Some(text)),
            Tree::Flag(flag) => w.flag(key, Some(*flag)),
            Tree::Number(number) => w.number(key, Some(number)),
            Tree::Object(members) => w.object(key, |w| fill(w, members)),
            Tree::Array(items) => w.array(key, |w| {
                for item in items {
                    write(w, "", item);
                }
            }),
            Tree::Unwanted(members) => w.object_if(key, |w| {
                fill(w, members);
                false
            }),
        }
    }

    fn fill(w: &mut Writer, members: &[(String, Tree)]) {
        for (key, value) in members {
            write(w, key, value);
        }
    }

    /// The same by hand: a value as JSON, or nothing.
    fn expected(tree: &Tree) -> Option<String> {
        match tree {
            Tree::Text(text) => (!text.is_empty()).then(|| quoted(text)),
            Tree::Flag(flag) => Some(flag.to_string()),
            Tree::Number(number) => (!matches!(*number, "" | "x")).then(|| (*number).to_owned()),
            Tree::Object(members) => {
                let member =
                    |(key, value): &(String, Tree)| Some(format!("\"{key}\":{}", expected(value)?));
                let members: Vec<_> = members.iter().filter_map(member).collect();
                (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
            }
            Tree::Array(items) => {
                let items: Vec<_> = items.iter().filter_map(expected).collect();
                (!items.is_empty()).then(|| format!("[{}]", items.join(",")))
            }
            Tree::Unwanted(_) => None,
        }
    }

    fn quoted(text: &str) -> String {
        let escaped = text.chars().map(|it| match it {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            it if it < ' ' => format!("\\u{:04x}", u32::from(it)),
            it => it.to_string(),
        });
        format!("\"{}\"", escaped.collect::<String>())
    }

    #[test]
    fn whatever_is_told_is_the_json_that_is_left() {
        let mut random = Random::new(4);
        for _ in 0..20_000 {
            let members = members(&mut random, 4);
            let mut w = Writer::new();
            fill(&mut w, &members);
            let whole = expected(&Tree::Object(members)).unwrap_or_else(|| "{}".to_owned());
            assert_eq!(w.into_text(), whole);
        }
    }
}

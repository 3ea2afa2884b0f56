//! What must hold for any message, grant and plugin.

mod charsets;
mod drafts;

use std::sync::Arc;

use bytes::Bytes;
use hilum_message::{At, Conversion, Message, TimeZone};
use hilum_words::Name;
use proptest::prelude::*;

use crate::origin::Classer;
use crate::token::{TOKEN_LEN, tokens_in};
use crate::{
    Class, Clear, Clearance, Grant, Input, Policy, RunSeed, Seals, Sight, Template, View,
    shown_marked,
};

fn policy() -> Policy {
    Policy::new(TimeZone::named("Europe/Vienna").expect("bundled"))
}

fn any_grant() -> impl Strategy<Value = Grant> {
    let sight = proptest::sample::select(Sight::ALL.to_vec());
    let sights = proptest::collection::vec(sight, Class::COUNT);
    (sights, any::<bool>()).prop_map(|(sights, big)| {
        let pairs = Class::ALL.iter().zip(sights);
        pairs
            .fold(Grant::default(), |grant, (class, sight)| grant.with(*class, sight))
            .with_big(big)
    })
}

fn any_clearance() -> impl Strategy<Value = Clearance> {
    let clear = proptest::option::weighted(0.9, proptest::sample::select(Clear::ALL.to_vec()));
    proptest::collection::vec(clear, Class::COUNT).prop_map(|clears| {
        let pairs = Class::ALL.iter().zip(clears);
        let named = pairs.filter_map(|(class, clear)| Some((class, clear?)));
        named.fold(Clearance::none(), |clearance, (class, clear)| clearance.with(*class, clear))
    })
}

/// A piece of a message: `@` becomes a marked value that stands nowhere else.
fn any_piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "@",
        "@",
        "@",
        "|",
        "|",
        "|",
        "^",
        "~",
        "&",
        "\"\"",
        "\\T\\@",
        "@\\.br\\",
        "\\",
        "\\X41\\",
        "é",
        "-",
        "19800312",
        "NM",
        "TX",
        "ED",
        "CX",
        "XPN",
        "ZQ0123456789AB",
        " ",
    ])
}

fn any_hl7() -> impl Strategy<Value = String> {
    let names = vec![
        "EVN", "PID", "PD1", "NK1", "PV1", "OBX", "OBX", "NTE", "IN1", "GT1", "ZPI", "OBR", "pid",
        "P",
    ];
    let segment = (proptest::sample::select(names), proptest::collection::vec(any_piece(), 0..30));
    let end = proptest::sample::select(vec!["\r", "\n", "\r\n"]);
    (proptest::collection::vec(segment, 0..8), end).prop_map(|(segments, end)| {
        let mut text = format!("MSH|^~\\&|LAB|ANNA|||20260912||ADT^A01|7|P|2.5.1{end}");
        for (name, pieces) in segments {
            text.push_str(name);
            text.push('|');
            text.push_str(&pieces.concat());
            text.push_str(end);
        }
        marked(&text)
    })
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(vec![
        "\"@\"",
        "\"@ \\u0041\\n@\"",
        "true",
        "null",
        "1.50",
        "4711",
        "\"\"",
        "\"Patient\"",
        "\"ZQ0123456789AB\"",
    ]);
    let leaf = leaf.prop_map(str::to_owned);
    let tree = leaf.prop_recursive(4, 30, 4, |inner| {
        let array = proptest::collection::vec(inner.clone(), 0..4);
        let names = proptest::sample::subsequence(
            vec![
                "resourceType",
                "type",
                "entry",
                "request",
                "url",
                "ifNoneExist",
                "method",
                "name",
            ],
            0..5,
        );
        let object = (names, proptest::collection::vec(inner, 5));
        prop_oneof![
            array.prop_map(|items| format!("[{}]", items.join(" ,"))),
            object.prop_map(|(names, values)| {
                let members =
                    names.iter().zip(values).map(|(name, value)| format!("\"{name}\" :{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }),
        ]
    });
    tree.prop_map(|text| marked(&text))
}

/// Puts a marked value in the place of each `@`.
fn marked(text: &str) -> String {
    let mut marked = String::new();
    for (number, piece) in text.split('@').enumerate() {
        if 0 < number {
            marked.push_str(&format!("Mark{number:04}ed"));
        }
        marked.push_str(piece);
    }
    marked
}

fn marks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("Mark")
        .filter_map(|(at, _)| text.get(at..at + 10))
        .filter(|it| it.ends_with("ed"))
}

/// Everything that a plugin can get out of a view.
fn handed_out(view: &mut View, message: &Message) -> Vec<String> {
    let mut all = vec![view.format().to_owned(), view.kind()];
    all.extend(view.outline());
    all.push(String::from_utf8_lossy(&view.body()).into_owned());
    all.extend(view.text());
    for found in message.values() {
        let path = match found.at {
            At::Hl7(place) => hilum_message::hl7v2::Path::from(place).to_string(),
            _ => message.place_name(found.at),
        };
        all.extend(view.get(&path).ok().flatten());
        all.extend(view.all(&path).unwrap_or_default().into_iter().flatten());
        let segment_only = path.split('.').next().unwrap_or_default().to_owned();
        all.extend(view.all(&segment_only).unwrap_or_default().into_iter().flatten());
        if let Ok(Some(value)) = view.get(&path) {
            for conversion in Conversion::ALL {
                all.extend(view.convert(*conversion, &value));
            }
            all.extend(view.translate(
                &Name::from("t"),
                false,
                &|code| Some(format!("{code}!")),
                &value,
            ));
        }
    }
    all
}

/// Values that this grant seals or withholds, by the tables and not by what the view says.
fn hidden(message: &Arc<Message>, grant: &Grant) -> Vec<String> {
    let classer = Classer::plain(Arc::clone(message));
    let hidden =
        message.values().filter(|it| grant.sight_of(classer.classes(it.at)) != Sight::Open);
    let texts = hidden.map(|it| String::from_utf8_lossy(&message.bytes()[it.range]).into_owned());
    texts.flat_map(|text| marks(&text).map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn check_hidden(
    format: &str,
    text: &str,
    grant: &Grant,
    next: &Grant,
) -> Result<(), TestCaseError> {
    let Ok(message) = Message::parse(format, Bytes::copy_from_slice(text.as_bytes())) else {
        return Ok(());
    };
    let message = Arc::new(message);
    let input = Input::Message(Arc::clone(&message));
    let mut view = policy().view(input, grant, RunSeed([3; 16]), 0);
    let all = handed_out(&mut view, &message).join("\n").to_lowercase();
    let scrubbed = view.scrub(text);
    for mark in hidden(&message, grant) {
        prop_assert!(!all.contains(&mark.to_lowercase()), "{mark} in {all}");
    }
    let classer = Classer::plain(Arc::clone(&message));
    for found in message.values().filter(|it| !classer.classes(it.at).is_empty()) {
        if let Ok(Some(value)) = message.text_of(&found) {
            prop_assert!(
                value.len() < 4 || !value.starts_with("Mark") || !scrubbed.contains(&value)
            );
        }
    }
    // The next step sees what the first one passed on by its own grant, however open the first was.
    let body = view.body();
    let (seals, _) = view.finish();
    let Ok(template) = policy().output(&seals, format, body) else { return Ok(()) };
    let template = Input::Template(Arc::new(template));
    let mut view = policy().view(template.clone(), next, RunSeed([3; 16]), 1);
    let all = handed_out(&mut view, template.body()).join("\n").to_lowercase();
    for mark in hidden(&message, next) {
        prop_assert!(!all.contains(&mark.to_lowercase()), "{mark} in {all}");
    }
    Ok(())
}

fn view_of(message: &Arc<Message>, grant: &Grant) -> View {
    policy().view(Input::Message(Arc::clone(message)), grant, RunSeed([3; 16]), 0)
}

/// A view that nobody touched, cleared for treatment, is the message.
fn check_round(format: &str, text: &str, grant: &Grant) -> Result<(), TestCaseError> {
    let Ok(message) = Message::parse(format, Bytes::copy_from_slice(text.as_bytes())) else {
        return Ok(());
    };
    let message = Arc::new(message);
    let is_withheld = Class::ALL.iter().any(|class| grant.sight(*class) == Sight::Withhold);
    let mut view = view_of(&message, grant);
    let body = view.body();
    let (seals, _) = view.finish();
    let template = policy().output(&seals, format, body).expect("nothing was touched");
    let input = Input::Template(Arc::new(template));
    let cleared = policy().clear(&input, &message, &Clearance::treatment());
    let cleared = cleared.map_err(|fault| TestCaseError::fail(fault.to_string()))?;
    let body = cleared.assemble(message.bytes()).expect("within the input");
    if !is_withheld {
        prop_assert_eq!(String::from_utf8_lossy(&body), text);
    }
    prop_assert_eq!(body.len(), cleared.len());
    Ok(())
}

/// Whatever a plugin writes: no token and no marked value gets out where it may not.
fn check_output(format: &str, pieces: &[&str], clearance: &Clearance) -> Result<(), TestCaseError> {
    let text = marked(
        "MSH|^~\\&|LAB\rPID|||@||@^@||19800312|||@\rOBX|1|NM|||4711\rOBX|2|ED|||^^^^@\nX|y\r",
    );
    let message = Arc::new(Message::parse("hl7v2", Bytes::from(text.clone())).expect("parses"));
    let mut view = view_of(&message, &Grant::default());
    let paths = ["PID-3", "PID-5.1", "PID-5.2", "PID-7", "PID-10", "OBX[1]-5", "OBX[2]-5.5"];
    let mut values: Vec<String> =
        paths.iter().filter_map(|path| view.get(path).ok().flatten()).collect();
    let born = view.convert(Conversion::FhirDate, &values[3]).expect("a date");
    values.push(born);
    let mut next = values.iter().cycle();
    let body: String = pieces
        .iter()
        .map(|piece| match *piece {
            "@" => next.next().cloned().unwrap_or_default(),
            piece => piece.to_owned(),
        })
        .collect();
    let (seals, _) = view.finish();
    let Ok(template) = policy().output(&seals, format, Bytes::from(body.clone())) else {
        return Ok(());
    };
    let template = Arc::new(template);
    let Ok(cleared) = policy().clear(&Input::Template(Arc::clone(&template)), &message, clearance)
    else {
        return Ok(());
    };
    let out = cleared.assemble(message.bytes()).expect("within the input");
    check_cleared(&template, &seals, &out)?;
    for mark in cleared.marks() {
        prop_assert!(mark.range.end <= out.len());
    }
    if clearance.is_open() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&out);
    let classer = Classer::plain(Arc::clone(&message));
    for found in message.values() {
        let classes = classer.classes(found.at);
        let value = String::from_utf8_lossy(&message.bytes()[found.range]).into_owned();
        if value.starts_with("Mark") && clearance.clear_of(classes) != Ok(Clear::Open) {
            prop_assert!(!text.contains(&value), "{value} of {classes} in {text}");
        }
    }
    let masked = shown_marked(&out, cleared.marks());
    let hidden = hidden(&message, &Grant::default());
    prop_assert!(marks(&masked).all(|mark| !hidden.iter().any(|it| it == mark)), "{masked}");
    Ok(())
}

/// No token is left, and the structure is the template's.
fn check_cleared(template: &Template, seals: &Seals, out: &[u8]) -> Result<(), TestCaseError> {
    let known = |token: &_| seals.get(token).is_some();
    prop_assert!(tokens_in(out, known).is_empty());
    let parsed = Message::parse(template.format(), Bytes::copy_from_slice(out));
    let parsed = parsed.map_err(|fault| TestCaseError::fail(fault.to_string()))?;
    if let (Message::Hl7(before), Message::Hl7(after)) = (&*template.body, &parsed) {
        let names = |it: &hilum_message::hl7v2::Message| {
            // A line without a name may lose all it has, and is a blank line then.
            let named = it.segments().filter(|it| !it.segment_name().is_unnamed());
            named.map(|it| (it.name().to_owned(), it.fields())).collect::<Vec<_>>()
        };
        prop_assert_eq!(names(before), names(after));
        let places: std::collections::BTreeSet<_> = before.leaves().map(|it| it.place).collect();
        let mut named = after.leaves().filter(|it| !it.place.segment.is_unnamed());
        prop_assert!(named.all(|it| places.contains(&it.place)));
    }
    Ok(())
}

fn any_output(head: &'static str) -> impl Strategy<Value = Vec<&'static str>> {
    let piece = proptest::sample::select(vec![
        "@",
        "@",
        "@",
        "|",
        "^",
        "~",
        "&",
        "\\",
        "\r",
        "\n",
        "PID|||",
        "OBX|1|TX|||",
        "x",
        "\"",
        "DR",
        ",",
        "OBX",
    ]);
    proptest::collection::vec(piece, 0..20).prop_map(move |mut pieces| {
        pieces.insert(0, head);
        pieces
    })
}

fn any_json_output() -> impl Strategy<Value = Vec<&'static str>> {
    let piece = proptest::sample::select(vec![
        "\"@\"",
        "\"@ and @\"",
        "\"http://x/@?@\"",
        "1",
        "null",
        "[\"@\",1,\"@\"]",
        "{\"a\":\"@\"}",
        "{\"request\":{\"url\":\"P?@\"}}",
        "{\"@\":1}",
        "[]",
    ]);
    proptest::collection::vec(piece, 1..6).prop_map(|pieces| {
        let mut out = vec!["{\"resourceType\":\"Bundle\",\"entry\":["];
        for (number, piece) in pieces.into_iter().enumerate() {
            if 0 < number {
                out.push(", ");
            }
            // Tokens stand alone, so that they are exchanged.
            let mut rest = piece;
            while let Some((before, after)) = rest.split_once('@') {
                out.extend([before, "@"]);
                rest = after;
            }
            out.push(rest);
        }
        out.push("] }");
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_hidden_is_handed_out_of_hl7(text in any_hl7(), grant in any_grant(), next in any_grant()) {
        check_hidden("hl7v2", &text, &grant, &next)?;
    }

    #[test]
    fn nothing_hidden_is_handed_out_of_json(text in any_json(), grant in any_grant(), next in any_grant()) {
        check_hidden("fhir-json", &text, &grant, &next)?;
    }

    #[test]
    fn an_untouched_view_of_hl7_clears_to_the_message(text in any_hl7(), grant in any_grant()) {
        check_round("hl7v2", &text, &grant)?;
    }

    #[test]
    fn an_untouched_view_of_json_clears_to_the_message(text in any_json(), grant in any_grant()) {
        check_round("fhir-json", &text, &grant)?;
    }

    #[test]
    fn any_output_in_hl7_keeps_its_structure(pieces in any_output("MSH|^~\\&|LAB\r"), clearance in any_clearance()) {
        check_output("hl7v2", &pieces, &clearance)?;
        check_output("hl7v2", &pieces, &Clearance::treatment())?;
    }

    #[test]
    fn any_output_with_other_delimiters_keeps_its_structure(pieces in any_output("MSH!|DRx\n"), clearance in any_clearance()) {
        check_output("hl7v2", &pieces, &clearance)?;
        check_output("hl7v2", &pieces, &Clearance::treatment())?;
    }

    #[test]
    fn any_output_in_json_keeps_its_structure(pieces in any_json_output(), clearance in any_clearance()) {
        check_output("fhir-json", &pieces, &clearance)?;
        check_output("fhir-json", &pieces, &Clearance::treatment())?;
    }

    #[test]
    fn a_message_is_shown_without_phi(text in any_hl7()) {
        let message = Arc::new(Message::parse("hl7v2", Bytes::from(text)).expect("parses"));
        let hidden = hidden(&message, &Grant::sealed_by_default());
        let shown = policy().shown(&message);
        for mark in hidden {
            prop_assert!(!shown.contains(&mark), "{mark} in {shown}");
        }
    }
}

#[test]
fn a_token_has_the_length_that_the_tests_cut_by() {
    assert_eq!(TOKEN_LEN, 14);
}

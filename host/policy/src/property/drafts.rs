//! Whatever a plugin writes into a draft: what is hidden from it does not get in, no token is torn,
//! and clearing has the last word.

use hilum_message::hl7v2::EditLimits;

use super::*;
use crate::Draft;

const LIMITS: EditLimits = EditLimits { bytes_max: 1 << 20, number_max: 20 };

#[derive(Clone, Debug)]
enum Edit {
    /// The value of one place to another.
    SetFrom(&'static str, &'static str),
    SetText(&'static str, &'static str),
    Copy(&'static str, &'static str),
    Remove(&'static str),
}

fn any_path() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "PID-3",
        "PID-3[2]",
        "PID-5.1",
        "PID-5.2.2",
        "PID",
        "PV1-2",
        "OBX-5",
        "OBX[2]-5",
        "OBX[2]",
        "NTE-3",
        "ZPI-1",
        "EVN-2",
        "MSH-3",
        "MSH-9",
        "MSH-18",
        "QQQ-21",
    ])
}

fn any_text() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["", "x", "A|B^C&D~E\\F", "\r\nPID|1", "\"\"", "é", "4711"])
}

fn any_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any_path(), any_path()).prop_map(|(from, to)| Edit::SetFrom(from, to)),
        (any_path(), any_text()).prop_map(|(path, text)| Edit::SetText(path, text)),
        (any_path(), any_path()).prop_map(|(from, to)| Edit::Copy(from, to)),
        any_path().prop_map(Edit::Remove),
    ]
}

fn apply(view: &mut View, draft: &mut Draft, edit: &Edit) {
    // An edit that is refused changes nothing; which ones are is tested elsewhere.
    match edit {
        Edit::SetFrom(from, to) => {
            if let Ok(Some(value)) = view.get(from) {
                let _refused = draft.set(to, &value);
            }
        }
        Edit::SetText(path, text) => drop(draft.set(path, text)),
        Edit::Copy(from, to) => drop(view.copy_into(draft, from, to)),
        Edit::Remove(path) => drop(draft.remove(path)),
    }
}

fn check_draft(
    text: &str,
    grant: &Grant,
    clearance: &Clearance,
    is_blank: bool,
    edits: &[Edit],
) -> Result<(), TestCaseError> {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let message = Arc::new(Message::parse("hl7v2", bytes).expect("parses"));
    let mut view = view_of(&message, grant);
    let draft = match is_blank {
        true => view.blank_draft("hl7v2", "ADT^A08", LIMITS),
        false => view.draft_of_message(LIMITS),
    };
    let mut draft = draft.expect("HL7 v2");
    for edit in edits {
        apply(&mut view, &mut draft, edit);
    }
    let Ok(body) = draft.finish() else { return Ok(()) };
    let written = String::from_utf8_lossy(&body).into_owned();
    for mark in hidden(&message, grant) {
        prop_assert!(!written.contains(&mark), "{mark} in {written}");
    }
    let (seals, _) = view.finish();
    // No edit tears a token.
    let template = policy().output(&seals, "hl7v2", body);
    let template = template.map_err(|fault| TestCaseError::fail(format!("{fault}: {written}")))?;
    let template = Arc::new(template);
    let input = Input::Template(Arc::clone(&template));
    let Ok(cleared) = policy().clear(&input, &message, clearance) else { return Ok(()) };
    let out = cleared.assemble(message.bytes()).expect("within the input");
    check_cleared(&template, &seals, &out)?;
    let out = String::from_utf8_lossy(&out).into_owned();
    let withheld = grant_of_withheld(grant);
    for mark in hidden(&message, &withheld) {
        prop_assert!(!out.contains(&mark), "{mark} was withheld: {out}");
    }
    Ok(())
}

/// A grant that opens all but what another withholds.
fn grant_of_withheld(grant: &Grant) -> Grant {
    let withheld = Class::ALL.iter().filter(|it| grant.sight(**it) == Sight::Withhold);
    withheld.fold(Grant::open_to_all(), |all, class| all.with(*class, Sight::Withhold))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_edits_keep_what_is_hidden_hidden(
        text in any_hl7(),
        grant in any_grant(),
        clearance in any_clearance(),
        is_blank in any::<bool>(),
        edits in proptest::collection::vec(any_edit(), 0..12),
    ) {
        check_draft(&text, &grant, &clearance, is_blank, &edits)?;
        check_draft(&text, &grant, &Clearance::treatment(), is_blank, &edits)?;
    }
}

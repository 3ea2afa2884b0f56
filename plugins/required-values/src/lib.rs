//! Refuses, or holds for a person, a message that lacks values.
//!
//! The route's settings say which, each a list of paths:
//!
//! ```toml
//! [route.adt.settings]
//! refuse_without = "PID-3.1, PV1-2"
//! hold_without = "PID-7"
//! ```
//!
//! A value that the sender deletes (`""`) is missing, and one that the site withholds from this
//! plugin is there: nothing is read, so no grant is needed. What is refused is told at once, one
//! reason for each path; a message is held only if nothing is refused. A route without either
//! setting lets everything through.

use hilum_sdk::{Message, Reason, Refusal, Sight, Verdict, refuse, settings};

hilum_sdk::validator!(check);

fn check(message: &Message) -> Verdict {
    let missing = |setting: &str| -> Vec<String> {
        let paths = settings::list(setting).unwrap_or_default();
        paths.into_iter().filter(|path| is_missing(message, path)).collect()
    };
    let refused = missing("refuse_without");
    if !refused.is_empty() {
        return Verdict::Refuse(refused.into_iter().map(refusal).collect());
    }
    let held = missing("hold_without");
    if held.is_empty() { Verdict::Accept } else { Verdict::Hold(question(&held)) }
}

fn is_missing(message: &Message, path: &str) -> bool {
    matches!(message.sight_of(path), Sight::Absent | Sight::Deleted)
}

fn refusal(path: String) -> Refusal {
    refuse(Reason::RequiredMissing, "a value is required here").at(path)
}

/// What the person is asked.
fn question(paths: &[String]) -> String {
    format!("{} missing; may the message go on without?", paths.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_path_and_no_value() {
        let refusal = refusal("PID-3.1".to_owned());
        assert_eq!(refusal.path.as_deref(), Some("PID-3.1"));
        assert_eq!(refusal.reason, Reason::RequiredMissing);
        let asked = question(&["PID-7".to_owned(), "PV1-2".to_owned()]);
        assert_eq!(asked, "PID-7, PV1-2 missing; may the message go on without?");
    }
}

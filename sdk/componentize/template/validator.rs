//! Refuses a patient without an identifier, and asks a person about one without a date of birth.

use hilum_sdk::{Message, Reason, Sight, Verdict, refuse};

hilum_sdk::validator!(check);

fn check(message: &Message) -> Verdict {
    // Whether something stands there is seen without reading it, so no grant is needed.
    let is_missing =
        |path: &str| matches!(message.sight_of(path), Sight::Absent | Sight::Deleted);
    if is_missing("PID-3.1") {
        let why = refuse(Reason::RequiredMissing, "a patient needs an identifier").at("PID-3.1");
        return Verdict::Refuse(vec![why]);
    }
    if is_missing("PID-7") {
        // The message waits until somebody releases or refuses it: `hilum held list`.
        return Verdict::Hold("no date of birth: is this the right patient?".to_owned());
    }
    Verdict::Accept
}

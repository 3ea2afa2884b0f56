//! Chooses destinations by the facility that sent the message (MSH-4).
//!
//! The route's settings say which, each a list of destinations of the route:
//!
//! ```toml
//! [route.adt.settings]
//! "facility.ST-ANNA" = "ehr, archive"
//! "facility.2.16.840.1.113883.19.4.6" = "ehr"
//! otherwise = "archive"
//! by = "MSH-4.1, MSH-4.2"
//! ```
//!
//! `by` names the places that are looked at, in their order; the first whose value has a setting
//! decides. Without it these are the name and the universal id of the sending facility. Casing counts.
//!
//! A facility without a setting goes to `otherwise`; if that is missing too, the message is
//! refused, since to drop it in silence would hide a facility that somebody forgot. An empty list
//! (`"facility.TEST" = ""`) says that nothing is sent.

use hilum_sdk::{Message, Reason, Refusal, is_token, refuse, settings};

hilum_sdk::router!(choose);

/// The sending facility (HD): its name in the site's table, and its id in the world.
const BY: [&str; 2] = ["MSH-4.1", "MSH-4.2"];

fn choose(message: &Message) -> Result<Vec<String>, Refusal> {
    let by = settings::list("by").unwrap_or_else(|| BY.map(str::to_owned).to_vec());
    let mut sealed = None;
    for path in by.iter().filter(|it| is_place(it)) {
        match message.get(path)? {
            // It names no setting: this plugin has to read what it decides on.
            Some(value) if is_token(&value) => sealed = Some(path),
            Some(value) => {
                if let Some(chosen) = settings::list(&format!("facility.{value}")) {
                    return Ok(chosen);
                }
            }
            None => {}
        }
    }
    if let Some(chosen) = settings::list("otherwise") {
        return Ok(chosen);
    }
    let at = sealed.or(by.first()).filter(|it| is_place(it)).cloned();
    let why = if sealed.is_some() {
        refuse(Reason::Application, "the site seals the facility from this plugin: grant its class")
    } else {
        refuse(Reason::Unsupported, "no setting for this facility")
    };
    Err(at.into_iter().fold(why, Refusal::at))
}

/// Whether a setting can be a path of HL7 v2: a segment, a hyphen, and numbers with dots and brackets. A
/// path that is none would end the plugin, and it is the site's slip.
fn is_place(path: &str) -> bool {
    let Some((segment, rest)) = path.split_once('-') else { return false };
    let name = segment.split('[').next().unwrap_or_default();
    name.len() == 3
        && name.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
        && rest.starts_with(|it: char| it.is_ascii_digit())
        && rest.bytes().all(|it| it.is_ascii_digit() || matches!(it, b'.' | b'[' | b']'))
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use hilum_sdk::native::{self, Desk};
    use hilum_sdk::{Reason, Refusal};

    /// What it chooses for a message with this MSH-4 and PV1-3, by these settings.
    fn chosen(facility: &str, settings: &[(&str, &str)]) -> Result<Vec<String>, Refusal> {
        let message =
            format!("MSH|^~\\&|ADT|{facility}||||||ADT^A01|1|P|2.5.1\rPV1|1|I|2W^204^A^WEST\r");
        let desk = Desk::new(&message);
        let desk = settings.iter().fold(desk, |desk, (key, value)| desk.setting(key, value));
        native::call(Rc::new(desk), super::choose)
    }

    const SETTINGS: &[(&str, &str)] =
        &[("facility.ST-ANNA", "ehr, archive"), ("facility.1.2.3", "lab"), ("facility.TEST", "")];

    #[test]
    fn the_first_place_that_has_a_setting_decides() {
        assert_eq!(chosen("ST-ANNA^1.2.3^ISO", SETTINGS).expect("chosen"), ["ehr", "archive"]);
        assert_eq!(chosen("ANNA^1.2.3^ISO", SETTINGS).expect("chosen"), ["lab"]);
        assert_eq!(chosen("^1.2.3^ISO", SETTINGS).expect("chosen"), ["lab"]);
        assert!(chosen("TEST", SETTINGS).expect("chosen").is_empty());
    }

    #[test]
    fn another_place_can_decide() {
        let settings = [("by", "PV1-3.4"), ("facility.WEST", "west")];
        assert_eq!(chosen("ST-ANNA", &settings).expect("chosen"), ["west"]);
    }

    #[test]
    fn who_has_no_setting_goes_elsewhere_or_is_refused() {
        for facility in ["st-anna", "", "\"\"", "OTHER^9.9^ISO"] {
            let refused = chosen(facility, SETTINGS).expect_err("nobody said where");
            assert_eq!(refused.reason, Reason::Unsupported);
            assert_eq!(refused.path.as_deref(), Some("MSH-4.1"));
            let settings = [SETTINGS, &[("otherwise", "archive")]].concat();
            assert_eq!(chosen(facility, &settings).expect("chosen"), ["archive"]);
        }
    }

    #[test]
    fn a_place_that_is_none_is_passed_over() {
        let by = [("by", "MSH, MSH-x, facility, MSH-4.1"), ("facility.ST-ANNA", "ehr")];
        assert_eq!(chosen("ST-ANNA", &by).expect("chosen"), ["ehr"]);
        let refused = chosen("ST-ANNA", &[("by", "facility")]).expect_err("no place");
        assert_eq!(refused.path, None);
    }
}

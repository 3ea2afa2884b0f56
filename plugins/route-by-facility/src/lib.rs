//! Chooses destinations by the facility that sent the message (MSH-4).
//!
//! The route's settings say which, each a list of destinations of the route:
//!
//! ```toml
//! [route.adt.settings]
//! "facility.ST-ANNA" = "ehr, archive"
//! otherwise = "archive"
//! ```
//!
//! A facility without a setting goes to `otherwise`; if that is missing too, the message is
//! refused, since to drop it in silence would hide a facility that somebody forgot.

use hilum_sdk::{Message, Reason, Refusal, refuse, settings};

hilum_sdk::router!(choose);

fn choose(message: &Message) -> Result<Vec<String>, Refusal> {
    // Ungranted it would be a token, which names no setting: so this is read, not carried.
    let facility = message.get("MSH-4.1")?;
    facility
        .and_then(|it| settings::list(&format!("facility.{it}")))
        .or_else(|| settings::list("otherwise"))
        .ok_or_else(|| refuse(Reason::Unsupported, "no setting for this facility").at("MSH-4.1"))
}

//! Chooses destinations of the route by the class of the visit (PV1-2).

use hilum_sdk::{Message, Reason, Refusal, refuse, settings};

hilum_sdk::router!(choose);

fn choose(message: &Message) -> Result<Vec<String>, Refusal> {
    // A code such as `I` is nobody's secret: it is read without a grant.
    let class = message.get("PV1-2")?.unwrap_or_default();
    // `[route.x.settings]` of the site says where each goes: `"class.I" = "ehr, archive"`.
    settings::list(&format!("class.{class}"))
        .or_else(|| settings::list("otherwise"))
        .ok_or_else(|| refuse(Reason::Unsupported, "no setting for this class").at("PV1-2"))
}

//! The `[gateway]` and `[admin]` sections: what holds for the whole life of a gateway, but the time
//! zone.

use std::path::PathBuf;

use hilum_message::TimeZone;
use hilum_words::config::{Placed, Section, Size};
use hilum_words::{Name, Place, Problem, Problems};

/// The default of `[gateway] bytes_in_flight_max`.
const BYTES_IN_FLIGHT_MAX: u64 = 256 << 20;

/// Both sections, read.
pub(super) struct Basics {
    pub(super) name: Name,
    pub(super) data: PathBuf,
    pub(super) timezone: TimeZone,
    pub(super) bytes_in_flight_max: u64,
    pub(super) admin: Option<String>,
    /// The same once more, for [`that_differ`].
    pub(super) fixed: Vec<Fixed>,
}

/// A key that a running gateway cannot change.
pub(super) struct Fixed {
    key: &'static str,
    value: String,
    place: Place,
}

/// A problem for each of `new` that is not as it is in `old`.
pub(super) fn that_differ(old: &[Fixed], new: &[Fixed]) -> Vec<Problem> {
    let differs = |new: &&Fixed| {
        let old = old.iter().find(|old| old.key == new.key);
        old.is_none_or(|old| old.value != new.value)
    };
    let problem = |it: &Fixed| Problem {
        place: it.place.clone(),
        key: it.key.to_owned(),
        text: "cannot change while the gateway runs; restart it".to_owned(),
    };
    new.iter().filter(differs).map(problem).collect()
}

/// `[admin] bind`, if it is right.
pub(super) fn read_admin(root: &mut Section<'_>) -> Option<Placed<String>> {
    root.section("admin").and_then(|mut admin| {
        let bind = admin.required_text("bind").filter(|it| check_bind(it, admin.problems()));
        admin.finish();
        bind
    })
}

/// `[gateway]`, with `[admin] bind` as it was read.
pub(super) fn read(root: &mut Section<'_>, admin: Option<Placed<String>>) -> Option<Basics> {
    let Some(mut gateway) = root.section("gateway") else {
        root.problem("needs a section [gateway] with name, data and timezone");
        return None;
    };
    let place = gateway.place();
    let name = gateway.required_text("name");
    let data = gateway.required_text("data");
    let timezone = gateway.required_text("timezone").and_then(|text| {
        let zone = TimeZone::named(&text.value);
        if zone.is_none() {
            text.problem(
                gateway.problems(),
                "is no time zone of the IANA database, such as \"Europe/Vienna\" or \"UTC\"",
            );
        }
        zone
    });
    let in_flight = gateway.size("bytes_in_flight_max");
    gateway.default("bytes_in_flight_max", Size(BYTES_IN_FLIGHT_MAX));
    gateway.finish();
    let (name, data) = (name?, data?);
    let bytes_in_flight_max = in_flight.as_ref().map_or(BYTES_IN_FLIGHT_MAX, |it| it.value);
    let fixed = |key, value: String, at: Option<&Place>| {
        let place = at.unwrap_or(&place).clone();
        Fixed { key, value, place }
    };
    let bind = admin.as_ref().map(|it| it.value.clone()).unwrap_or_default();
    let fixed = vec![
        fixed("gateway.name", name.value.clone(), Some(&name.place)),
        fixed("gateway.data", data.value.clone(), Some(&data.place)),
        fixed(
            "gateway.bytes_in_flight_max",
            bytes_in_flight_max.to_string(),
            in_flight.as_ref().map(|it| &it.place),
        ),
        fixed("admin.bind", bind, admin.as_ref().map(|it| &it.place)),
    ];
    Some(Basics {
        name: Name::from(name.value),
        data: PathBuf::from(data.value),
        timezone: timezone?,
        bytes_in_flight_max,
        admin: admin.map(|it| it.value),
        fixed,
    })
}

/// Whether `host:port` has a port, and a host that is an address.
fn check_bind(bind: &Placed<String>, problems: &Problems) -> bool {
    let address = bind.value.parse::<std::net::SocketAddr>();
    match &address {
        Err(_) => {
            bind.problem(problems, "must be an address and a port, such as \"127.0.0.1:9464\"");
        }
        // It has no sign-on and no TLS: a proxy on this machine has both.
        Ok(address) if !address.ip().is_loopback() => {
            bind.problem(problems, "must be a loopback address, such as \"127.0.0.1:9464\"");
        }
        Ok(_) => {}
    }
    address.is_ok()
}

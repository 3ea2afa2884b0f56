//! Senders that do not say in which character set they write: the listener knows, from the condition
//! of a route to what a mapping makes.

use anyhow::{Context, Result};
use hilum_tests::{Site, adt};

const SITE: &str = r#"
[gateway]
name = "charset"
data = "data"
timezone = "UTC"

[listener.old-device]
kind = "mllp"
bind = "127.0.0.1:0"
charset = "windows-1252"

[plugin.adt-to-fhir]
file = "plugins/adt-to-fhir.wasm"
grant = { tables = ["admit-source"] }

[table.admit-source]
file = "tables/admit-source.csv"

[destination.fhir]
kind = "file"
folder = "out/fhir"
clearance = "treatment"

[destination.raw]
kind = "file"
folder = "out/raw"
clearance = "treatment"

[route.mapped]
from = "old-device"
when = "PID-5.1 == 'Müller–Žižka'"
steps = ["adt-to-fhir"]
to = ["fhir"]

[route.raw]
from = "old-device"
to = ["raw"]
"#;

fn only_file(site: &Site, folder: &str) -> Result<Vec<u8>> {
    let mut entries = std::fs::read_dir(site.path().join(folder))?;
    let file = entries.next().context("a file")??.path();
    assert!(entries.next().is_none(), "one alone");
    Ok(std::fs::read(file)?)
}

#[test]
fn the_listeners_character_set_holds_where_msh_18_is_empty() -> Result<()> {
    let site = Site::new(SITE)?;
    let running = site.serve()?;
    // 0x96 and 0x8E are letters of windows-1252 alone.
    let name = b"M\xfcller\x96\x8ei\x9eka";
    let text = adt("C1", "4711");
    let at = text.windows(7).position(|it| it == b"Zedlitz").context("the name")?;
    let message = [&text[..at], name, &text[at + 7..]].concat();
    let answer = running.client("old-device")?.send(&message)?;
    assert!(answer.contains("\rMSA|AA|C1"), "{answer}");
    running.wait_until_idle()?;
    assert_eq!(only_file(&site, "out/raw")?, message, "what nobody edits stays as it came");
    let made = String::from_utf8(only_file(&site, "out/fhir")?)?;
    assert!(made.contains("Müller–Žižka"), "{made}");
    Ok(())
}

//! A running gateway becomes another generation, and back, while messages come and go.

mod certificates;
mod couriers;
mod kills;
mod refused;
mod swaps;

use hilum_tests::{Running, Site, repository};

/// The literal in the plugin that stands beside the table's value in its output.
const MARK: &[u8] = b"http://terminology.hl7.org/CodeSystem/admit-source";

/// Two versions of a plugin and a table. What a message becomes names both: they belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }

    /// What the output holds: the plugin's word and the table's.
    fn pair(self) -> (&'static str, &'static str) {
        match self {
            Self::One => ("admit-source", "gp"),
            Self::Two => ("admit-sourc2", "g2"),
        }
    }

    /// Makes the site's folder this version.
    fn write(self, site: &Site) {
        let (word, code) = self.pair();
        let file = repository().join("examples/st-anna/plugins/adt-to-fhir.wasm");
        let mut plugin = std::fs::read(file).expect("the plugin");
        let at = plugin.windows(MARK.len()).position(|it| it == MARK).expect("its literal");
        let end = at + MARK.len();
        plugin[end - word.len()..end].copy_from_slice(word.as_bytes());
        site.write("plugins/adt-to-fhir.wasm", plugin).expect("written");
        site.write("tables/admit-source.csv", format!("from,to\n1,{code}\n")).expect("written");
    }

    /// The version of an output, if it is one of a piece.
    fn of(output: &str) -> Option<Self> {
        let of = |version: Self| {
            let (word, code) = version.pair();
            let (quoted, coded) = (format!("CodeSystem/{word}\""), format!("\"{code}\""));
            output.contains(&quoted) && output.contains(&coded)
        };
        match (of(Self::One), of(Self::Two)) {
            (true, false) => Some(Self::One),
            (false, true) => Some(Self::Two),
            _ => None,
        }
    }
}

const SITE: &str = r#"[gateway]
name = "swaps"
data = "data"
timezone = "UTC"

[admin]
bind = "127.0.0.1:0"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[table.admit-source]
file = "tables/admit-source.csv"

[plugin.adt-to-fhir]
file = "plugins/adt-to-fhir.wasm"
grant = { tables = ["admit-source"] }

[destination.out]
kind = "file"
folder = "out"
append = true
clearance = "treatment"

[route.adt]
from = "adt-in"
steps = ["adt-to-fhir"]
to = ["out"]
lane = "none"
"#;

fn generation(running: &Running<'_>) -> String {
    let status = running.json(&["status"]).expect("a status");
    status["generation"].as_str().expect("a digest").to_owned()
}

/// Everything that was written below a folder of the site, by line.
fn lines(site: &Site, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(site.path().join(folder)).expect("the folder");
    let text = |it: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(it.expect("an entry").path()).expect("text")
    };
    entries.map(text).flat_map(|it| it.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

//! A FHIR ConceptMap as a table, through a whole gateway: a sealed code is translated inside the host,
//! and the plugin holds neither the code nor what it became.

use anyhow::{Context, Result, ensure};
use hilum_tests::{Site, adt, repository};

const SITE: &str = r#"
[gateway]
name = "tables"
data = "data"
timezone = "UTC"

[listener.adt-in]
kind = "mllp"
bind = "127.0.0.1:0"

[table.codes]
file = "wards.json"

[plugin.site-codes]
file = "plugins/site-codes.wasm"
grant = { tables = ["codes"] }

[destination.out]
kind = "file"
folder = "out"
clearance = "treatment"

[route.adt]
from = "adt-in"
steps = ["site-codes"]
to = ["out"]
[route.adt.settings]
fields = "PV1-3.1, PID-3.1"
unknown = "keep"

[phi]
"PV1-3.1" = "identifier"
"#;

const WARDS: &str = r#"{
  "resourceType": "ConceptMap",
  "status": "active",
  "group": [{
    "element": [
      { "code": "2W", "target": [{ "code": "WARD-2-WEST", "equivalence": "equivalent" }] },
      { "code": "4711", "target": [{ "code": "P-4711", "equivalence": "equal" }] }
    ]
  }]
}"#;

#[test]
fn a_sealed_code_is_translated_by_a_concept_map_and_nobody_reads_it() -> Result<()> {
    let site = Site::new(SITE)?;
    site.write("wards.json", WARDS)?;
    let plugin = repository().join("examples/st-anna/plugins/site-codes.wasm");
    std::fs::copy(plugin, site.path().join("plugins/site-codes.wasm"))?;
    let running = site.serve()?;
    ensure!(running.client("adt-in")?.send(&adt("T1", "4711"))?.contains("|AA|"));
    running.wait_until_idle()?;
    let file = std::fs::read_dir(site.path().join("out"))?.next().context("a file")??.path();
    let arrived = std::fs::read_to_string(file)?;
    ensure!(arrived.contains("|WARD-2-WEST^204^A^ST-ANNA|"), "{arrived}");
    ensure!(arrived.contains("PID|1||P-4711^^^ST-ANNA^MR|"), "{arrived}");

    let message = running.list("message")?[0]["id"].as_str().context("an id")?.to_owned();
    let trace = running.json(&["message", "trace", &message])?.to_string();
    ensure!(!trace.contains("WARD-2-WEST") && !trace.contains("P-4711"), "{trace}");
    Ok(())
}

#[test]
fn a_concept_map_that_is_none_is_a_problem_with_its_line() -> Result<()> {
    let site = Site::new(SITE)?;
    let plugin = repository().join("examples/st-anna/plugins/site-codes.wasm");
    std::fs::copy(plugin, site.path().join("plugins/site-codes.wasm"))?;
    site.write("wards.json", WARDS.replace("\"code\": \"2W\"", "\"code\": 2"))?;
    let (code, out, err) = site.run(&["check"])?;
    ensure!(code == 78, "{code}: {out}{err}");
    ensure!(err.contains("wards.json:6"), "{err}");
    Ok(())
}

//! Editing in place, by a plugin: `site-codes` writes codes and touches nothing else.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use hilum_tests::{hilum, repository};

/// With odd separators, a Z segment, an escape that nobody knows, and no end of the last segment.
const MESSAGE: &[u8] = b"MSH|^~\\&|ADT|A|||20260101||ADT^A01|1|P|2.5.1||||||8859/1\r\n\
    PID|1||4711^^^X~18||EVE\\T\\RY\\Zx\\^\xc4nne^\"\"||||\r\n\
    PV1|1|I|2W\r\nOBX|1|NM|718-7^Hb^LN||14.10|g\r\nOBX|2|CE|718-7||x\r\nZZZ|I|||";

/// Exit code, output and errors of one message through `site-codes`.
fn run(message: &[u8], settings: &[&str]) -> Result<(i32, Vec<u8>, String)> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str, content: &[u8]| -> Result<std::path::PathBuf> {
        let path = folder.path().join(name);
        std::fs::write(&path, content)?;
        Ok(path)
    };
    let message = file("message.hl7", message)?;
    let table =
        file("codes.csv", "from,to\nI,IMP\n718-7,HB\n4711,M|4711\nE,\u{4e00}\n".as_bytes())?;
    let plugin = repository().join("examples/st-anna/plugins/site-codes.wasm");
    let output = Command::new(hilum())
        .args(["plugin", "run", "--output", "--table"])
        .arg(format!("codes={}", table.display()))
        .args(settings.iter().flat_map(|it| ["--setting", it]))
        .args([plugin, message])
        .stdin(Stdio::null())
        .output()
        .context("hilum runs; `make build` makes it")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((output.status.code().unwrap_or(-1), output.stdout, said))
}

fn replaced(message: &[u8], pairs: &[(&str, &str)]) -> Vec<u8> {
    // Latin-1: each byte is its letter.
    let mut text: String = message.iter().copied().map(char::from).collect();
    for (from, to) in pairs {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text.chars().map(|it| u8::try_from(it).expect("Latin-1")).collect()
}

#[test]
fn codes_are_exchanged_and_every_other_byte_stays() -> Result<()> {
    let (code, made, said) = run(MESSAGE, &["fields=PV1-2, OBX-3.1"])?;
    assert_eq!(code, 0, "{said}");
    let pairs = [("PV1|1|I|", "PV1|1|IMP|"), ("|718-7", "|HB")];
    assert_eq!(made, replaced(MESSAGE, &pairs));
    let (code, made, said) = run(MESSAGE, &[])?;
    assert_eq!((code, made.as_slice()), (0, MESSAGE), "{said}");
    Ok(())
}

#[test]
fn a_code_that_nobody_may_read_is_exchanged_all_the_same_and_escaped() -> Result<()> {
    let (code, made, said) = run(MESSAGE, &["fields=PID-3[1].1"])?;
    assert_eq!(code, 0, "{said}");
    assert_eq!(made, replaced(MESSAGE, &[("|4711^", "|M\\F\\4711^")]));
    Ok(())
}

#[test]
fn what_cannot_be_written_refuses_the_message() -> Result<()> {
    let outpatient = replaced(MESSAGE, &[("PV1|1|I|", "PV1|1|O|")]);
    let (code, _, said) = run(&outpatient, &["fields=PV1-2"])?;
    assert_eq!(code, 1);
    assert!(said.contains("PV1[1]-2: unknown-code"), "{said}");
    let (code, made, _) = run(&outpatient, &["fields=PV1-2", "unknown=keep"])?;
    assert_eq!((code, made), (0, outpatient));
    // The message is in Latin-1.
    let emergency = replaced(MESSAGE, &[("PV1|1|I|", "PV1|1|E|")]);
    let (code, _, said) = run(&emergency, &["fields=PV1-2"])?;
    assert_eq!(code, 1);
    assert!(said.contains("value-invalid"), "{said}");
    Ok(())
}

/// With `alternate` the local code, its text and its system move aside, as HL7 v2 has it.
#[test]
fn the_local_code_moves_into_the_alternate_components() -> Result<()> {
    let settings = ["fields=OBX-3.1", "alternate=true", "system=HL", "unknown=keep"];
    let (code, made, said) = run(MESSAGE, &settings)?;
    assert_eq!(code, 0, "{said}");
    let pairs =
        [("|718-7^Hb^LN|", "|HB^^HL^718-7^Hb^LN|"), ("|2|CE|718-7|", "|2|CE|HB^^HL^718-7|")];
    assert_eq!(made, replaced(MESSAGE, &pairs));
    // There is room for one.
    let taken = replaced(MESSAGE, &[("718-7^Hb^LN", "718-7^Hb^LN^X^y^Z")]);
    let (code, _, said) = run(&taken, &settings)?;
    assert_eq!(code, 1);
    assert!(said.contains("OBX[1]-3.4: inconsistent"), "{said}");
    Ok(())
}

#[test]
fn every_repetition_is_exchanged_and_an_unknown_code_may_go() -> Result<()> {
    let several = replaced(MESSAGE, &[("|CE|718-7|", "|CE|718-7~1-2^x~\"\"~718-7|")]);
    let (code, made, said) = run(&several, &["fields=OBX-3.1", "unknown=remove"])?;
    assert_eq!(code, 0, "{said}");
    let pairs = [("|718-7^Hb", "|HB^Hb"), ("|718-7~1-2^x~\"\"~718-7|", "|HB~^x~\"\"~HB|")];
    assert_eq!(made, replaced(&several, &pairs));
    Ok(())
}

#[test]
fn a_setting_that_makes_no_sense_is_told_and_is_no_fault_of_the_plugin() -> Result<()> {
    for (setting, said_of_it) in [
        ("fields=OBX", "the route's setting fields has to be a list of paths as OBX-3.1"),
        ("unknown=keeep", "the route's setting unknown has to be"),
        ("alternate=yes", "the route's setting alternate has to be"),
        ("fields.codes-2=OBX-3.1", "the site does not lend the table \"codes-2\""),
    ] {
        let (code, _, said) = run(MESSAGE, &[setting])?;
        assert_eq!(code, 1, "{setting}");
        assert!(said.contains(said_of_it) && said.contains("application"), "{setting}: {said}");
    }
    Ok(())
}

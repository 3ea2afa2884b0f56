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
    let (code, made, said) = run(MESSAGE, &["fields=PID-3.1"])?;
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

//! `fhir-peer`: the FHIR endpoint of demo and tests as a program.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use hilum_peers::FhirPeer;

const USAGE: &str = "\
A FHIR endpoint that forgets everything at its end.

Usage: fhir-peer [--bind HOST:PORT] [--print-address] [--address-file FILE]

  --bind HOST:PORT      where to listen; port 0 chooses one (default 127.0.0.1:8090)
  --print-address       print HOST:PORT once it listens
  --address-file FILE   write HOST:PORT there once it listens
";

fn main() -> Result<()> {
    let mut bind = String::from("127.0.0.1:8090");
    let mut print_address = false;
    let mut address_file = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bind" => bind = arguments.next().context("--bind needs HOST:PORT")?,
            "--print-address" => print_address = true,
            "--address-file" => {
                let file = arguments.next().context("--address-file needs FILE")?;
                address_file = Some(PathBuf::from(file));
            }
            "-h" | "--help" => {
                std::io::stdout().write_all(USAGE.as_bytes())?;
                return Ok(());
            }
            other => bail!("{other} is not known\n\n{USAGE}"),
        }
    }
    let peer = FhirPeer::start_at(&bind)?;
    let address = peer.address().to_string();
    if let Some(file) = address_file {
        write_whole(&file, &address).with_context(|| format!("writes {}", file.display()))?;
    }
    let mut out = std::io::stdout();
    if print_address {
        writeln!(out, "{address}")?;
    } else {
        writeln!(out, "{} takes FHIR transactions", peer.base_url())?;
    }
    out.flush()?;
    // It serves on a thread of its own until the process is ended.
    loop {
        std::thread::park();
    }
}

/// Writes beside and renames: whoever waits for the file never sees half an address.
fn write_whole(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    std::fs::File::create_new(&beside)?.write_all(text.as_bytes())?;
    std::fs::rename(&beside, file)
}

//! Durable intake through the journal, beside the least that durability costs on this disk.
//!
//! Three ways to make 2 KB values durable, in one run: one value, one `fdatasync`; a bare file with
//! one flusher that writes and syncs for all who wait and wakes each by himself (the limit); and
//! `Store::accept` of a message with one run, which also decides about duplicates and keeps
//! state, evidence and recovery.
//!
//!     cargo run --release -p hilum-benches --bin journal [FOLDER]

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use hilum_benches::bare::{self, Pace, VALUE_BYTES};
use hilum_benches::intake::journal;

const LASTS: Duration = Duration::from_secs(3);

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("target/bench"), Into::into);
    std::fs::create_dir_all(&folder)?;
    let mut out = std::io::stdout();
    let seconds = LASTS.as_secs();
    writeln!(
        out,
        "{VALUE_BYTES} B a value, {seconds} s each; messages a second (p50, p99 in ms; CPU µs each)"
    )?;
    writeln!(
        out,
        "{:>9}  {:>33}  {:>33}  {:>6}",
        "producers", "bare file, group commit", "journal", "ratio"
    )?;
    let alone = bare::alone(&folder, LASTS)?;
    for producers in [1, 8, 64] {
        let bare = bare::grouped(&folder, producers, LASTS, Pace::Closed)?;
        let journal = journal(&folder, producers, LASTS)?;
        let ratio = journal.rate / bare.rate;
        writeln!(out, "{producers:>9}  {:>33}  {:>33}  {ratio:>6.2}", bare.show(), journal.show())?;
    }
    writeln!(out, "append and fdatasync one by one: {}", alone.show())?;
    Ok(())
}

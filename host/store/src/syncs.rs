//! Measures what a sync costs here, since every acknowledgement waits for one.

use std::io;
use std::path::Path;
use std::time::Duration;

use hilum_env::{Doors, OpenMode};
use tracing::info;

use crate::OpenError;
use crate::folder::Folder;

/// What one message is like.
const SAMPLE_BYTES: usize = 2_048;

/// Appends and syncs `count` times and logs the median and the 99th percentile.
pub(crate) fn measure(doors: &Doors, folder: &Path, count: u32) -> Result<(), OpenError> {
    let path = folder.join("sync-test");
    let mut taken =
        sample(doors, &path, count).map_err(Folder::failed("a test of syncing", &path))?;
    taken.sort_unstable();
    let at = |percent: usize| taken.get(taken.len().saturating_sub(1) * percent / 100);
    let micros = |it: Option<&Duration>| it.map_or(0, |it| it.as_micros());
    let (p50, p99) = (micros(at(50)), micros(at(99)));
    info!(syncs = count, p50_micros = %p50, p99_micros = %p99, "syncs measured");
    Ok(())
}

fn sample(doors: &Doors, path: &Path, count: u32) -> io::Result<Vec<Duration>> {
    let file = doors.disk.open(path, OpenMode::Truncate)?;
    let mut taken = Vec::new();
    for place in 0..u64::from(count) {
        let before = doors.clock.instant();
        file.write_all_at(&[0x5a; SAMPLE_BYTES], place * SAMPLE_BYTES as u64)?;
        file.sync_data()?;
        taken.push(doors.clock.instant().since(before));
    }
    drop(file);
    doors.disk.remove(path)?;
    Ok(taken)
}

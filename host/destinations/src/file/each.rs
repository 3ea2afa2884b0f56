//! A file per message, in three steps: names are chosen, all files are written beside and synced
//! (several at a time: one file system commit serves them), then they are renamed in their order
//! and the folder is synced once.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hilum_env::{Disk, OpenMode};

use super::{FileConfig, extension_of, written};
use crate::{Delivered, Delivery, SendFault};

/// Contents that may lie in one folder under one name: several routes to one destination, or a
/// replay with another result.
const NAMESAKES_MAX: u32 = 1_000;

/// A file on its way.
pub(super) type Part = Result<PathBuf, SendFault>;

/// Chooses the name of each delivery.
pub(super) fn names(disk: &dyn Disk, config: &FileConfig, deliveries: &[Delivery]) -> Vec<Part> {
    let mut taken = BTreeSet::new();
    deliveries.iter().map(|delivery| name(disk, config, delivery, &mut taken)).collect()
}

fn name(
    disk: &dyn Disk,
    config: &FileConfig,
    delivery: &Delivery,
    taken: &mut BTreeSet<PathBuf>,
) -> Part {
    for namesake in 1..=NAMESAKES_MAX {
        let path = path_of(config, delivery, namesake);
        if !taken.contains(&path) && is_free(disk, &path, &delivery.body)? {
            taken.insert(path.clone());
            return Ok(path);
        }
    }
    Err(SendFault::Refused { code: format!("{NAMESAKES_MAX} files have this name already") })
}

/// Whether nothing is there, or a repeat of the same bytes. Another content under our name belongs
/// to another run of the message: it was delivered, and must not be lost.
fn is_free(disk: &dyn Disk, path: &Path, body: &[u8]) -> Result<bool, SendFault> {
    if !disk.exists(path) {
        return Ok(true);
    }
    match disk.read(path, body.len() as u64) {
        Ok(there) => Ok(there == body),
        Err(error) if error.kind() == ErrorKind::FileTooLarge => Ok(false),
        Err(error) => Err(SendFault::of_disk(&error, "the file that is there cannot be read")),
    }
}

/// `<time>-<message>-<n>.<ext>`, and for further contents under that name `<n>.2`, `<n>.3`.
fn path_of(config: &FileConfig, delivery: &Delivery, namesake: u32) -> PathBuf {
    let (time, message, ordinal) =
        (delivery.received.compact(), delivery.message, delivery.ordinal);
    let extension = config.extension.as_deref().unwrap_or(extension_of(&delivery.format));
    let again = if namesake == 1 { String::new() } else { format!(".{namesake}") };
    config.folder.join(format!("{time}-{message}-{ordinal}{again}.{extension}"))
}

fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    PathBuf::from(beside)
}

fn fault(error: std::io::Error) -> SendFault {
    SendFault::of_disk(&error, "the file cannot be written")
}

/// Writes a file beside its name and syncs it.
pub(super) fn write(disk: &dyn Disk, part: Part, body: &[u8]) -> Part {
    let path = part?;
    let file = disk.open(&beside(&path), OpenMode::Truncate).map_err(fault)?;
    file.write_all_at(body, 0).map_err(fault)?;
    file.sync_data().map_err(fault)?;
    Ok(path)
}

/// Gives the files their names, in order, and syncs the folder once for all of them. Behind the
/// first fault of the disk nothing is renamed: those behind it in their lane would pass it.
pub(super) fn publish(
    disk: &dyn Disk,
    config: &FileConfig,
    parts: Vec<Part>,
) -> Vec<Result<Delivered, SendFault>> {
    let mut met: Option<SendFault> = None;
    let mut is_renamed = false;
    let mut results: Vec<Result<Delivered, SendFault>> = parts
        .into_iter()
        .map(|part| {
            if let Some(fault) = &met {
                return Err(fault.clone());
            }
            let result = part.and_then(|path| disk.rename(&beside(&path), &path).map_err(fault));
            match &result {
                Ok(()) => is_renamed = true,
                Err(SendFault::Refused { .. }) => {}
                Err(fault) => met = Some(fault.clone()),
            }
            result.map(|()| written())
        })
        .collect();
    if is_renamed && let Err(error) = disk.sync_folder(&config.folder) {
        let fault = SendFault::of_disk(&error, "the folder cannot be synced");
        results.iter_mut().filter(|it| it.is_ok()).for_each(|it| *it = Err(fault.clone()));
    }
    results
}

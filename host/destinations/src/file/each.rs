use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use hilum_env::Disk;

use super::{FileConfig, extension_of, make_folder, written};
use crate::{Delivered, Delivery, SendFault};

/// Outputs of one message with the same number that may lie in one folder: several routes to one
/// destination, or a replay with another result.
const NAMESAKES_MAX: u32 = 1_000;

/// Writes one file per delivery; then the folder is synced once for all of them. After a fault of
/// the disk the rest is not tried: it would meet the same fault.
pub(super) fn write(
    disk: &dyn Disk,
    config: &FileConfig,
    deliveries: &[Delivery],
) -> Vec<Result<Delivered, SendFault>> {
    if let Err(fault) = make_folder(disk, &config.folder) {
        return vec![Err(fault); deliveries.len()];
    }
    let mut fault = None;
    let mut names_written = 0;
    for delivery in deliveries {
        if let Err(met) = write_one(disk, config, delivery) {
            fault = Some(met);
            break;
        }
        names_written += 1;
    }
    if 0 < names_written
        && let Err(error) = disk.sync_folder(&config.folder)
    {
        names_written = 0;
        fault = Some(SendFault::of_disk(&error, "the folder cannot be synced"));
    }
    let result = |index| match &fault {
        Some(fault) if names_written <= index => Err(fault.clone()),
        _ => Ok(written()),
    };
    (0..deliveries.len()).map(result).collect()
}

fn write_one(disk: &dyn Disk, config: &FileConfig, delivery: &Delivery) -> Result<(), SendFault> {
    let fault = |error: std::io::Error| SendFault::of_disk(&error, "the file cannot be written");
    for namesake in 1..=NAMESAKES_MAX {
        let path = path_of(config, delivery, namesake);
        if is_free(disk, &path, &delivery.body).map_err(fault)? {
            return disk.replace(&path, &delivery.body).map_err(fault);
        }
    }
    Err(SendFault::Refused { code: format!("{NAMESAKES_MAX} files have this name already") })
}

/// Whether nothing is there, or a repeat of the same bytes. Another content under our name belongs
/// to another run of the message: it was delivered, and must not be lost.
fn is_free(disk: &dyn Disk, path: &Path, body: &[u8]) -> std::io::Result<bool> {
    if !disk.exists(path) {
        return Ok(true);
    }
    match disk.read(path, body.len() as u64) {
        Ok(there) => Ok(there == body),
        Err(error) if error.kind() == ErrorKind::FileTooLarge => Ok(false),
        Err(error) => Err(error),
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

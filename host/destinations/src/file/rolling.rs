//! A rolling file: all that came together is appended with one write and one sync.
//!
//! ```text
//! <destination>-000001.ndjson    JSON: a document a line
//! <destination>-000001.hl7       HL7 v2: see `batch`
//! ```
//!
//! What a crash left behind the last sync may be torn, lost or filled with zeros. It was never
//! reported as delivered and comes again, so it is cut before the next write: from the first zero
//! byte on (a body that holds one is refused), then back to the end of the last whole line or batch.
//! The scan looks at one file of at most `file_bytes_max`, once after a start or a fault, in steps.
//!
//! Delivery is at least once: after a crash between sync and journal a line stands here twice.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use hilum_env::{Disk, DiskFile, OpenMode};
use hilum_words::Timestamp;
use tracing::warn;

use super::{FileConfig, batch, ndjson, written};
use crate::{Delivered, Delivery, SendFault};

/// How far a scan looks at a time.
const SCAN_BYTES: usize = 64 << 10;

/// What a group was put together in is kept for the next up to so many bytes.
pub(super) const KEPT_BYTES: usize = 1 << 20;

/// How messages stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Lines,
    Batches,
}

impl Form {
    const ALL: [Self; 2] = [Self::Lines, Self::Batches];

    fn of(format: &str) -> Option<Self> {
        match format {
            "fhir-json" | "json" => Some(Self::Lines),
            "hl7v2" => Some(Self::Batches),
            _ => None,
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Lines => "ndjson",
            Self::Batches => "hl7",
        }
    }
}

/// The file that is written to.
struct Open {
    file: Box<dyn DiskFile>,
    name: String,
    index: u32,
    /// How much of it is durable.
    bytes: u64,
    batches: usize,
}

/// The rolling files of one destination, one for each form.
pub(super) struct Rolling {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    stem: String,
    extension: Option<String>,
    file_bytes_max: u64,
    open: [Option<Open>; 2],
    /// Files below this index are left alone: one of them could not be brought into order.
    index_min: [u32; 2],
    /// What groups are put together in; empty between them.
    group: Vec<u8>,
}

impl Rolling {
    pub(super) fn new(disk: Arc<dyn Disk>, config: &FileConfig, stem: String) -> Self {
        Self {
            disk,
            folder: config.folder.clone(),
            stem,
            extension: config.extension.clone(),
            file_bytes_max: config.file_bytes_max,
            open: [None, None],
            index_min: [1, 1],
            group: Vec::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn group_bytes_kept(&self) -> usize {
        self.group.capacity()
    }

    /// Appends deliveries: one write and one sync for each form among them.
    pub(super) fn append(
        &mut self,
        deliveries: &[Delivery],
        now: Timestamp,
    ) -> Vec<Result<Delivered, SendFault>> {
        let mut results = vec![Ok(written()); deliveries.len()];
        let forms: Vec<Option<Form>> = deliveries
            .iter()
            .zip(&mut results)
            .map(|(delivery, result)| match form_of(delivery) {
                Ok(form) => Some(form),
                Err(refused) => {
                    *result = Err(refused);
                    None
                }
            })
            .collect();
        let mut fault = None;
        for form in Form::ALL {
            let these = |it: &Option<Form>| *it == Some(form);
            let chosen = deliveries.iter().zip(&forms).filter(|(_, it)| these(it));
            let chosen: Vec<&Delivery> = chosen.map(|(delivery, _)| delivery).collect();
            if chosen.is_empty() {
                continue;
            }
            // After a fault nothing more is tried: a lane may have deliveries of both forms.
            if fault.is_none() {
                fault = self.write(form, &chosen, now).err();
            }
            if let Some(fault) = &fault {
                let meant = results.iter_mut().zip(&forms).filter(|(_, it)| these(it));
                meant.for_each(|(result, _)| *result = Err(fault.clone()));
            }
        }
        results
    }

    fn write(
        &mut self,
        form: Form,
        deliveries: &[&Delivery],
        now: Timestamp,
    ) -> Result<(), SendFault> {
        let mut group = std::mem::take(&mut self.group);
        put_group(&mut group, form, deliveries, now);
        let outcome = self.write_group(form, &group, now);
        if group.capacity() <= KEPT_BYTES {
            group.clear();
            self.group = group;
        }
        outcome
    }

    fn write_group(&mut self, form: Form, group: &[u8], now: Timestamp) -> Result<(), SendFault> {
        let slot = form as usize;
        let open = match self.open[slot].take() {
            Some(open) => open,
            None => self.find(form).map_err(|error| fault(&error))?,
        };
        let mut open = self.rolled(form, open, group.len()).map_err(|error| fault(&error))?;
        match append_to(&mut open, form, group, now) {
            Ok(()) => {
                self.open[slot] = Some(open);
                Ok(())
            }
            Err(error) => {
                // What a failed sync left is not on disk even if it reads back, so it must go. If
                // it does not, the file is left alone and the next one is begun.
                if open.file.set_len(open.bytes).is_err() {
                    self.index_min[slot] = open.index.saturating_add(1);
                }
                Err(fault(&error))
            }
        }
    }

    /// The newest file of this form, brought into order; a new one if there is none.
    fn find(&self, form: Form) -> io::Result<Open> {
        let names = self.disk.list(&self.folder)?;
        let indices = names.iter().filter_map(|entry| self.index_of(form, &entry.name));
        let newest = indices.max().filter(|index| self.index_min[form as usize] <= *index);
        let Some(index) = newest else {
            return self.create(form, self.index_min[form as usize]);
        };
        let name = self.name(form, index);
        let file = self.disk.open(&self.folder.join(&name), OpenMode::Write)?;
        // Whoever made it may have died, or failed, before its name was durable.
        self.disk.sync_folder(&self.folder)?;
        let found = scan(&*file, form)?;
        if found.is_finished {
            return self.create(form, index.saturating_add(1));
        }
        let bytes = file.len()?;
        if found.whole < bytes {
            warn!(file = name, cut = bytes - found.whole, "a torn end was cut from a rolling file");
            file.set_len(found.whole)?;
        }
        Ok(Open { file, name, index, bytes: found.whole, batches: found.batches })
    }

    /// `open`, or the file after it if a group of this size does not fit any more.
    fn rolled(&self, form: Form, open: Open, group_bytes: usize) -> io::Result<Open> {
        let grown = open.bytes.saturating_add(group_bytes as u64);
        if open.bytes == 0 || grown <= self.file_bytes_max {
            return Ok(open);
        }
        if form == Form::Batches {
            open.file.write_all_at(&batch::file_trailer(open.batches), open.bytes)?;
            open.file.sync_data()?;
        }
        self.create(form, open.index.saturating_add(1))
    }

    fn create(&self, form: Form, index: u32) -> io::Result<Open> {
        let name = self.name(form, index);
        let file = self.disk.open(&self.folder.join(&name), OpenMode::Truncate)?;
        self.disk.sync_folder(&self.folder)?;
        Ok(Open { file, name, index, bytes: 0, batches: 0 })
    }

    fn name(&self, form: Form, index: u32) -> String {
        let extension = self.extension_of(form);
        format!("{}-{index:06}.{extension}", self.stem)
    }

    fn extension_of(&self, form: Form) -> String {
        match &self.extension {
            // With one ending for both forms they would share a file.
            Some(extension) if form == Form::Batches => format!("hl7.{extension}"),
            Some(extension) => extension.clone(),
            None => form.extension().to_owned(),
        }
    }

    fn index_of(&self, form: Form, name: &str) -> Option<u32> {
        let rest = name.strip_prefix(self.stem.as_str())?.strip_prefix('-')?;
        let digits = rest.strip_suffix(self.extension_of(form).as_str())?.strip_suffix('.')?;
        let plain = 6 <= digits.len() && digits.bytes().all(|it| it.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    }
}

fn fault(error: &io::Error) -> SendFault {
    SendFault::of_disk(error, "the rolling file cannot be written")
}

/// How a delivery stands in a rolling file; refused if it cannot.
fn form_of(delivery: &Delivery) -> Result<Form, SendFault> {
    let refused = |why: String| Err(SendFault::Refused { code: why });
    let Some(form) = Form::of(&delivery.format) else {
        return refused(format!("format {} cannot be appended to a file", delivery.format));
    };
    if delivery.body.contains(&0) {
        return refused("a zero byte cannot be appended to a file".into());
    }
    if form == Form::Batches {
        match batch::check(&delivery.body) {
            Ok(()) => {}
            Err(batch::Unfit::NoMsh) => return refused("does not begin with MSH".into()),
            Err(batch::Unfit::IsBatch) => {
                return refused("a batch cannot stand inside a batch".into());
            }
        }
    }
    Ok(form)
}

/// The bytes of one write, without what stands at the beginning of a file.
fn put_group(group: &mut Vec<u8>, form: Form, deliveries: &[&Delivery], now: Timestamp) {
    let bytes = deliveries.iter().map(|it| it.body.len() + 1).sum::<usize>();
    group.reserve(bytes + 128);
    match form {
        Form::Lines => {
            for delivery in deliveries {
                group.extend_from_slice(&ndjson::line(&delivery.body));
                group.push(b'\n');
            }
        }
        Form::Batches => {
            let first = deliveries.first().map(|it| it.id.to_string()).unwrap_or_default();
            group.extend_from_slice(&batch::header(now, &first));
            deliveries.iter().for_each(|it| batch::push(group, &it.body));
            group.extend_from_slice(&batch::trailer(deliveries.len()));
        }
    }
}

fn append_to(open: &mut Open, form: Form, group: &[u8], now: Timestamp) -> io::Result<()> {
    let mut grown = open.bytes.saturating_add(group.len() as u64);
    if open.bytes == 0 && form == Form::Batches {
        let mut first = batch::file_header(now, &open.name);
        first.extend_from_slice(group);
        grown = first.len() as u64;
        open.file.write_all_at(&first, 0)?;
    } else {
        open.file.write_all_at(group, open.bytes)?;
    }
    open.file.sync_data()?;
    open.bytes = grown;
    open.batches += 1;
    Ok(())
}

/// What a scan found.
struct Found {
    /// Up to here all lines or batches are whole.
    whole: u64,
    batches: usize,
    /// Whether FTS stands at the end: nothing may be added.
    is_finished: bool,
}

fn scan(file: &dyn DiskFile, form: Form) -> io::Result<Found> {
    let mut found = Found { whole: 0, batches: 0, is_finished: false };
    let (mut offset, mut chunk) = (0u64, vec![0; SCAN_BYTES]);
    // The beginning of the segment or line that is being read, as far as a trailer is long.
    let mut begun: Vec<u8> = Vec::new();
    loop {
        let read = file.read_at(&mut chunk, offset)?;
        let Some(bytes) = chunk.get(..read).filter(|it| !it.is_empty()) else {
            return Ok(found);
        };
        for &byte in bytes {
            offset += 1;
            match byte {
                0 => return Ok(found),
                b'\n' if form == Form::Lines => found.whole = offset,
                b'\r' | b'\n' if form == Form::Batches => {
                    if is_trailer(&begun, b"BTS|") {
                        found.whole = offset;
                        found.batches += 1;
                    }
                    found.is_finished = is_trailer(&begun, b"FTS|");
                    begun.clear();
                }
                _ if begun.len() < 16 => begun.push(byte),
                _ => {}
            }
        }
    }
}

fn is_trailer(segment: &[u8], name: &[u8]) -> bool {
    segment
        .strip_prefix(name)
        .is_some_and(|count| !count.is_empty() && count.iter().all(u8::is_ascii_digit))
}

//! Files: one per message, or one that is appended to.
//!
//! With a file per message the name is `<time>-<message>-<n>.<ext>`: when the message was received,
//! its id, which output it is. Each is written beside as `.part`, synced and renamed, and the
//! folder is synced once for all that came together. A repeat overwrites its own file.
//!
//! With `append = true` there is one rolling file per format, `<destination>-<index>.<ext>`; all
//! that came together is one write and one sync. See `rolling`.
//!
//! Promises: a delivery is reported after the sync; a name holds no patient data; other programs
//! never see half a file under its name.
//! Not here: folders that are watched (a listener's), removing old files (the site's).

mod batch;
mod each;
mod ndjson;
mod rolling;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hilum_env::{BoxFuture, Clock, Disk, Doors, Tasks};
use hilum_words::config::{Section, Size};
use hilum_words::{Name, Timestamp};

use crate::{Delivered, Delivery, Destination, SendFault};
use rolling::Rolling;

/// Deliveries that one sync serves.
const TOGETHER_MAX: usize = 256;
/// Files that are written at once.
const WRITERS_MAX: usize = 8;

/// A `file` destination's own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileConfig {
    /// Where files go; a relative path starts at the site's folder.
    pub folder: PathBuf,
    /// One rolling file instead of one per message.
    pub append: bool,
    /// The ending of a file's name, instead of the format's own.
    pub extension: Option<String>,
    /// A rolling file that would grow past this is followed by the next.
    pub file_bytes_max: u64,
}

/// The default of `file_bytes_max`.
const FILE_BYTES_MAX: u64 = 64 << 20;

impl FileConfig {
    /// Reads the kind's own keys. `site` is the folder of the configuration.
    pub(crate) fn read(section: &mut Section<'_>, site: &std::path::Path) -> Option<Self> {
        let folder = section.required_text("folder");
        let append = section.boolean_or("append", false);
        let extension = section.text("extension");
        let file_bytes_max = section.size("file_bytes_max");
        if append {
            section.default("file_bytes_max", Size(FILE_BYTES_MAX));
        }
        if let Some(extension) = &extension {
            let letters = extension.value.bytes().all(|it| it.is_ascii_alphanumeric());
            if !letters || extension.value.is_empty() || 16 < extension.value.len() {
                let text = "must be at most 16 letters and digits, without a dot";
                extension.problem(section.problems(), text);
            }
        }
        if !append && let Some(size) = &file_bytes_max {
            size.problem(section.problems(), "belongs to `append = true`");
        }
        let folder = folder?;
        if folder.value.is_empty() {
            folder.problem(section.problems(), "must not be empty");
        }
        Some(Self {
            folder: site.join(folder.value),
            append,
            extension: extension.map(|it| it.value),
            file_bytes_max: file_bytes_max.map_or(FILE_BYTES_MAX, |it| it.value),
        })
    }
}

/// A folder that deliveries go to.
pub struct FileDestination {
    work: Arc<Work>,
    tasks: Arc<dyn Tasks>,
}

/// What runs on a thread that may block.
struct Work {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    config: FileConfig,
    /// `None` with a file per message. Locked for the time of one write: the courier sends one
    /// group at a time.
    rolling: Option<Mutex<Rolling>>,
    /// Whether the folder's name is known to be durable.
    is_folder_sure: AtomicBool,
}

impl FileDestination {
    /// The destination called `name`. Its folder is made with the first delivery.
    pub fn new(name: &Name, config: &FileConfig, doors: &Doors) -> Self {
        let disk = Arc::clone(&doors.disk);
        let rolling = config.append.then(|| {
            let stem = stem_of(name);
            Mutex::new(Rolling::new(Arc::clone(&disk), config, stem))
        });
        let clock = Arc::clone(&doors.clock);
        let work = Work {
            disk,
            clock,
            config: config.clone(),
            rolling,
            is_folder_sure: AtomicBool::new(false),
        };
        Self { work: Arc::new(work), tasks: Arc::clone(&doors.tasks) }
    }
}

/// A destination's name as the beginning of a file's.
fn stem_of(name: &str) -> String {
    let safe = |it: char| {
        if it.is_ascii_alphanumeric() || "._-".contains(it) { it } else { '_' }
    };
    name.chars().map(safe).collect()
}

impl Work {
    /// Makes the folder if it is not there. Once after each start its name and those above it are
    /// made durable: whoever made them may have died before.
    fn make_folder(&self) -> Result<(), SendFault> {
        let (disk, folder) = (&self.disk, &self.config.folder);
        let fault = |error: io::Error| SendFault::of_disk(&error, "the folder cannot be made");
        let is_there = disk.exists(folder);
        if is_there && self.is_folder_sure.load(Ordering::Acquire) {
            return Ok(());
        }
        if !is_there {
            disk.create_folder(folder).map_err(fault)?;
        }
        let above = folder.ancestors().skip(1).filter(|it| !it.as_os_str().is_empty());
        for above in above.collect::<Vec<_>>().into_iter().rev() {
            match disk.sync_folder(above) {
                // Where we may not even look we have made nothing, and some file systems that
                // lie above cannot sync a folder.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::PermissionDenied
                            | io::ErrorKind::InvalidInput
                            | io::ErrorKind::Unsupported
                    ) => {}
                synced => synced.map_err(fault)?,
            }
        }
        self.is_folder_sure.store(true, Ordering::Release);
        Ok(())
    }

    fn append(&self, deliveries: &[Delivery]) -> Vec<Result<Delivered, SendFault>> {
        let Some(rolling) = &self.rolling else { return Vec::new() };
        if let Err(fault) = self.make_folder() {
            return vec![Err(fault); deliveries.len()];
        }
        let now = Timestamp::from_micros(self.clock.now_micros());
        rolling.lock().unwrap_or_else(PoisonError::into_inner).append(deliveries, now)
    }
}

impl FileDestination {
    /// Runs work that blocks, and gives what it made.
    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Work) -> T + Send + 'static,
    ) -> BoxFuture<'static, Option<T>> {
        let (made, filled) = slot();
        let shared = Arc::clone(&self.work);
        let work = move || {
            *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(work(&shared));
        };
        let done = self.tasks.blocking("file-destination", Box::new(work));
        Box::pin(async move {
            done.await;
            // Nothing is there only if the work ended with a bug.
            made.lock().unwrap_or_else(PoisonError::into_inner).take()
        })
    }

    async fn write_each(&self, deliveries: Vec<Delivery>) -> Vec<Result<Delivered, SendFault>> {
        let whole = Arc::new(deliveries);
        let these = Arc::clone(&whole);
        let names = self
            .blocking(move |work| {
                work.make_folder()?;
                Ok(each::names(&*work.disk, &work.config, &these))
            })
            .await
            .unwrap_or_else(|| Err(bug()));
        let names = match names {
            Ok(names) => names,
            Err(fault) => return vec![Err(fault); whole.len()],
        };
        let share = names.len().div_ceil(WRITERS_MAX).max(1);
        let mut writing = Vec::new();
        let mut names = names.into_iter().enumerate().peekable();
        while names.peek().is_some() {
            let (these, names): (_, Vec<_>) =
                (Arc::clone(&whole), names.by_ref().take(share).collect());
            let count = names.len();
            let write = self.blocking(move |work| -> Vec<each::Part> {
                let one = |(index, name): (usize, each::Part)| match these.get(index) {
                    Some(delivery) => each::write(&*work.disk, name, &delivery.body),
                    None => Err(bug()),
                };
                names.into_iter().map(one).collect()
            });
            writing.push((write, count));
        }
        let mut parts = Vec::with_capacity(whole.len());
        for (write, count) in writing {
            parts.extend(write.await.unwrap_or_else(|| vec![Err(bug()); count]));
        }
        let publish = move |work: &Work| each::publish(&*work.disk, &work.config, parts);
        self.blocking(publish).await.unwrap_or_default()
    }
}

type Slot<T> = Arc<Mutex<Option<T>>>;

fn slot<T>() -> (Slot<T>, Slot<T>) {
    let slot = Arc::new(Mutex::new(None));
    (Arc::clone(&slot), slot)
}

fn bug() -> SendFault {
    SendFault::Ambiguous("writing ended with a bug".into())
}

impl Destination for FileDestination {
    fn kind(&self) -> &'static str {
        "file"
    }

    fn together_max(&self) -> usize {
        TOGETHER_MAX
    }

    fn send_many<'a>(
        &'a self,
        deliveries: &'a [Delivery],
    ) -> BoxFuture<'a, Vec<Result<Delivered, SendFault>>> {
        Box::pin(async move {
            // Bodies are shared, not copied.
            let deliveries = deliveries.to_vec();
            if self.work.rolling.is_none() {
                return self.write_each(deliveries).await;
            }
            let append = move |work: &Work| work.append(&deliveries);
            self.blocking(append).await.unwrap_or_default()
        })
    }
}

/// The word for what a file destination answers.
const WRITTEN: &str = "written";

fn written() -> Delivered {
    Delivered { code: WRITTEN.to_owned(), answer: None }
}

/// The ending of a file's name by the format of its content.
fn extension_of(format: &str) -> &'static str {
    match format {
        "hl7v2" => "hl7",
        "fhir-json" | "json" | "application/json" => "json",
        "text/csv" => "csv",
        "text/plain" => "txt",
        "text/xml" | "application/xml" => "xml",
        "application/pdf" => "pdf",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests;

mod crash;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use hilum_env::system::SystemDisk;
use hilum_env::{DiskFile, Entry, OpenMode, Space};
use hilum_words::{DeliveryId, MessageId, RunId};
use proptest::prelude::*;

use super::*;

/// The system's disk, which counts syncs and fails one when it is told to.
struct CountingDisk {
    below: SystemDisk,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    file_syncs: AtomicU32,
    folder_syncs: AtomicU32,
    /// The next so many syncs of files fail.
    failing: AtomicU32,
}

struct CountingFile(Box<dyn DiskFile>, Arc<Counts>);

impl DiskFile for CountingFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(bytes, offset)
    }
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.1.file_syncs.fetch_add(1, Ordering::SeqCst);
        let fails = |left: u32| left.checked_sub(1);
        match self.1.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails) {
            Ok(_) => Err(io::ErrorKind::StorageFull.into()),
            Err(_) => self.0.sync_data(),
        }
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }
}

impl Disk for CountingDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.below.create_folder(path)
    }
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let file = self.below.open(path, mode)?;
        Ok(Box::new(CountingFile(file, Arc::clone(&self.counts))))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.below.list(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.below.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.below.remove(path)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.counts.folder_syncs.fetch_add(1, Ordering::SeqCst);
        self.below.sync_folder(path)
    }
    fn space(&self, path: &Path) -> io::Result<Space> {
        self.below.space(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.below.lock(path)
    }
    fn exists(&self, path: &Path) -> bool {
        self.below.exists(path)
    }
}

/// A clock that stands.
struct Stopped;

impl Clock for Stopped {
    fn now_micros(&self) -> i64 {
        RECEIVED.micros()
    }
    fn instant(&self) -> hilum_env::Instant {
        hilum_env::Instant(std::time::Duration::ZERO)
    }
    fn sleep_until(&self, _: hilum_env::Instant) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// A destination in a temporary folder.
struct Site {
    folder: tempfile::TempDir,
    counts: Arc<Counts>,
    work: Arc<Work>,
    runtime: tokio::runtime::Runtime,
    destination: FileDestination,
}

const RECEIVED: Timestamp = Timestamp::from_micros(1_795_511_008_123_456);

impl Site {
    fn new(append: bool) -> Self {
        Self::at(tempfile::tempdir().expect("a folder"), append, 64 << 20)
    }

    fn at(folder: tempfile::TempDir, append: bool, file_bytes_max: u64) -> Self {
        let counts = Arc::new(Counts::default());
        let disk = CountingDisk { below: SystemDisk, counts: Arc::clone(&counts) };
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let out = folder.path().join("out");
        let config = FileConfig { folder: out, append, extension: None, file_bytes_max };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("tokio");
        let doors = hilum_env::system::doors(runtime.handle().clone());
        let doors = Doors { disk, clock: Arc::new(Stopped), ..doors };
        let destination = FileDestination::new(&Name::from("arch/ive"), &config, &doors);
        let work = Arc::clone(&destination.work);
        Self { folder, counts, work, runtime, destination }
    }

    /// A restart: what is in memory is gone, the files stay.
    fn restart(self) -> Self {
        let (append, max) = (self.work.config.append, self.work.config.file_bytes_max);
        Self::at(self.folder, append, max)
    }

    fn write(&self, deliveries: &[Delivery]) -> String {
        let results = self.runtime.block_on(self.destination.send_many(deliveries));
        assert_eq!(results.len(), deliveries.len());
        let said: Vec<_> = results
            .iter()
            .map(|it| match it {
                Ok(delivered) => delivered.code.clone(),
                Err(fault) => fault.to_string(),
            })
            .collect();
        said.join("; ")
    }

    fn names(&self) -> Vec<String> {
        let entries = self.work.disk.list(&self.work.config.folder).expect("the folder");
        entries.into_iter().map(|it| it.name).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.work.config.folder.join(name)
    }

    fn text(&self, name: &str) -> String {
        let bytes = self.work.disk.read(&self.path(name), 1 << 30).expect("the file");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What a crash may leave at the end of a file.
    fn tear(&self, name: &str, more: &[u8]) {
        let file = self.work.disk.open(&self.path(name), OpenMode::Write).expect("the file");
        file.write_all_at(more, file.len().expect("its length")).expect("written");
    }

    fn syncs(&self) -> (u32, u32) {
        let take = |it: &AtomicU32| it.swap(0, Ordering::SeqCst);
        (take(&self.counts.file_syncs), take(&self.counts.folder_syncs))
    }
}

fn delivery(number: u128, format: &str, body: &str) -> Delivery {
    Delivery {
        id: DeliveryId::from_bits(number),
        message: MessageId::from_bits(number),
        run: RunId::from_bits(number),
        ordinal: 1,
        received: RECEIVED,
        attempt: 1,
        format: format.into(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn json(number: u128) -> Delivery {
    delivery(number, "fhir-json", &format!("{{\"n\":{number}}}"))
}

fn hl7(number: u128) -> Delivery {
    delivery(number, "hl7v2", &format!("MSH|^~\\&|A|||||||{number}\rPID|1"))
}

const FIRST: &str = "20261124T090328.123456Z-msg_00000000000000000000000001-1.json";

#[test]
fn each_message_is_a_file_and_the_folder_is_synced_once() {
    let site = Site::new(false);
    assert_eq!(site.write(&[json(1), hl7(2), json(3)]), "written; written; written");
    site.syncs();
    assert_eq!(site.write(&[json(4), hl7(5), json(6)]), "written; written; written");
    assert_eq!(site.syncs(), (3, 1));
    let site = Site::new(false);
    site.write(&[json(1), hl7(2), json(3)]);
    assert_eq!(
        site.names(),
        [
            FIRST.to_owned(),
            FIRST.replace("1-1.json", "2-1.hl7"),
            FIRST.replace("1-1.json", "3-1.json"),
        ]
    );
    assert_eq!(site.text(FIRST), "{\"n\":1}");
}

#[test]
fn a_repeat_overwrites_its_own_file_and_nobody_elses() {
    let site = Site::new(false);
    site.write(&[json(1)]);
    let site = site.restart();
    site.write(&[json(1)]);
    assert_eq!(site.names(), [FIRST]);
    // Another run of the same message made something else.
    let other = Delivery { run: RunId::from_bits(9), ..delivery(1, "fhir-json", "{\"n\":10}") };
    site.write(std::slice::from_ref(&other));
    site.write(&[other, json(1)]);
    assert_eq!(site.names(), [FIRST.replace("-1.json", "-1.2.json"), FIRST.to_owned()]);
    assert_eq!(site.text(FIRST), "{\"n\":1}");
}

#[test]
fn behind_a_fault_of_the_disk_nothing_gets_its_name() {
    let site = Site::new(false);
    let group: Vec<_> = (0..40).map(json).collect();
    // Files are synced several at a time, so the fault may meet any of them.
    site.counts.failing.store(1, Ordering::SeqCst);
    let said = site.write(&group);
    let fault = "not reached: the file cannot be written: no storage space";
    let words: Vec<_> = said.split("; ").collect();
    let whole = words.iter().take_while(|it| **it == "written").count();
    assert!(whole < 40 && words[whole..].iter().all(|it| *it == fault), "{said}");
    let named = site.names().into_iter().filter(|it| it.ends_with(".json")).count();
    assert_eq!(named, whole);
    assert!(site.write(&group).split("; ").all(|it| it == "written"));
    assert_eq!(site.names().len(), 40, "nothing is left beside");
}

#[test]
fn two_contents_under_one_name_in_one_group_are_two_files() {
    let site = Site::new(false);
    let other = Delivery { run: RunId::from_bits(9), ..delivery(1, "fhir-json", "{}") };
    assert_eq!(site.write(&[json(1), other]), "written; written");
    assert_eq!(site.names().len(), 2);
}

#[test]
fn json_is_appended_a_document_a_line_with_one_sync() {
    let site = Site::new(true);
    let pretty = delivery(2, "fhir-json", "{\n  \"n\": 2.50\n}\n");
    assert_eq!(site.write(&[json(1), pretty, json(3)]), "written; written; written");
    assert_eq!(site.syncs().0, 1);
    assert_eq!(site.names(), ["arch_ive-000001.ndjson"]);
    assert_eq!(site.text("arch_ive-000001.ndjson"), "{\"n\":1}\n{\"n\":2.50}\n{\"n\":3}\n");
    let site = site.restart();
    site.write(&[json(4)]);
    assert!(site.text("arch_ive-000001.ndjson").ends_with("{\"n\":3}\n{\"n\":4}\n"));
}

#[test]
fn hl7_is_appended_as_batches_that_can_be_counted() {
    let site = Site::new(true);
    assert_eq!(site.write(&[hl7(1), hl7(2)]), "written; written");
    site.write(&[hl7(3)]);
    let text = site.text("arch_ive-000001.hl7");
    let names: Vec<_> = text.split('\r').map(|it| it.get(..5).unwrap_or(it)).collect();
    assert_eq!(
        names,
        [
            "FHS|^", "BHS|^", "MSH|^", "PID|1", "MSH|^", "PID|1", "BTS|2", "BHS|^", "MSH|^",
            "PID|1", "BTS|1", ""
        ]
    );
    assert!(text.contains("||arch_ive-000001.hl7\r"), "FHS-9 is the file's name: {text}");

    // The next one does not fit: the file ends as the standard says.
    let site = Site::at(site.folder, true, text.len() as u64 + 10);
    site.write(&[hl7(4)]);
    assert!(site.text("arch_ive-000001.hl7").ends_with("BTS|1\rFTS|2\r"));
    assert!(site.text("arch_ive-000002.hl7").starts_with("FHS|^~\\&|"));
    let site = site.restart();
    site.write(&[hl7(5)]);
    assert_eq!(site.names(), ["arch_ive-000001.hl7", "arch_ive-000002.hl7"]);
}

#[test]
fn a_rolling_file_is_followed_by_the_next() {
    let site = Site::at(tempfile::tempdir().expect("a folder"), true, 20);
    for number in 1..=5 {
        site.write(&[json(number)]);
    }
    assert_eq!(
        site.names(),
        ["arch_ive-000001.ndjson", "arch_ive-000002.ndjson", "arch_ive-000003.ndjson"]
    );
    assert_eq!(site.text("arch_ive-000002.ndjson"), "{\"n\":3}\n{\"n\":4}\n");
}

#[test]
fn what_a_group_was_put_together_in_is_kept_up_to_a_bound() {
    let site = Site::new(true);
    let rolling = site.work.rolling.as_ref().expect("one rolling file");
    let kept = || rolling.lock().expect("nobody panicked").group_bytes_kept();
    site.write(&[json(1)]);
    assert!((1..=rolling::KEPT_BYTES).contains(&kept()));
    let long = "x".repeat(rolling::KEPT_BYTES);
    assert_eq!(site.write(&[delivery(2, "json", &format!("\"{long}\""))]), "written");
    assert_eq!(kept(), 0);
    site.write(&[json(3)]);
    assert!(site.text("arch_ive-000001.ndjson").ends_with("x\"\n{\"n\":3}\n"));
}

#[test]
fn what_cannot_stand_in_a_rolling_file_is_refused_alone() {
    let site = Site::new(true);
    let results = site.write(&[
        json(1),
        delivery(2, "pdf", "%PDF"),
        delivery(3, "hl7v2", "FHS|^~\\&\rMSH|^~\\&\r"),
        delivery(4, "hl7v2", "MSH|^~\\&\rPID|1\rMSH|^~\\&\r"),
        delivery(5, "fhir-json", "{\"a\":\"\0\"}"),
        hl7(6),
    ]);
    assert_eq!(
        results,
        "written; rejected: format pdf cannot be appended to a file; \
         rejected: does not begin with MSH; rejected: a batch cannot stand inside a batch; \
         rejected: a zero byte cannot be appended to a file; written"
    );
}

#[test]
fn a_torn_end_is_cut_before_the_next_write() {
    for torn in [b"{\"n\":2".as_slice(), b"\0\0\0\0", b"{\"n\":2}\n\0\0\n{\"n\":3}\n", b"\n"] {
        let site = Site::new(true);
        site.write(&[json(1)]);
        site.tear("arch_ive-000001.ndjson", torn);
        let site = site.restart();
        site.write(&[json(4)]);
        let lines = site.text("arch_ive-000001.ndjson");
        // What was whole may stay; what was durable must.
        assert!(lines.starts_with("{\"n\":1}\n") && lines.ends_with("\n{\"n\":4}\n"), "{lines}");
        assert!(!lines.contains('\0'), "{lines}");
    }
    for torn in [
        b"BHS|^~\\&\rMSH|^~\\&\rPID|1\rBTS|".as_slice(),
        b"BHS|^~\\&\rMSH\0\0\0\rBTS|1\r",
        b"BTS|1x\r",
        b"\0",
        b"FT",
    ] {
        let site = Site::new(true);
        site.write(&[hl7(1)]);
        let whole = site.text("arch_ive-000001.hl7");
        site.tear("arch_ive-000001.hl7", torn);
        let site = site.restart();
        site.write(&[hl7(4)]);
        let text = site.text("arch_ive-000001.hl7");
        let rest = text.strip_prefix(&whole).expect("what was durable stays");
        assert!(rest.starts_with("BHS|^~\\&|||||2") && rest.ends_with("BTS|1\r"), "{rest}");
    }
}

#[test]
fn after_a_failed_sync_the_unsynced_bytes_are_cut() {
    let site = Site::new(true);
    site.write(&[json(1)]);
    site.counts.failing.store(1, Ordering::SeqCst);
    let fault = "not reached: the rolling file cannot be written: no storage space";
    assert_eq!(site.write(&[json(2), hl7(3)]), format!("{fault}; {fault}"));
    assert_eq!(site.text("arch_ive-000001.ndjson"), "{\"n\":1}\n");
    assert_eq!(site.write(&[json(2), hl7(3)]), "written; written");
    assert_eq!(site.text("arch_ive-000001.ndjson"), "{\"n\":1}\n{\"n\":2}\n");
}

#[test]
fn a_folder_that_cannot_be_made_is_the_set_ups_fault() {
    for append in [false, true] {
        let site = Site::new(append);
        std::os::unix::fs::symlink("/dev/null", site.folder.path().join("out")).expect("a link");
        let said = site.write(&[json(1)]);
        assert!(said.starts_with("the set-up is at fault: "), "{said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Wherever a crash cuts a group that was not synced, and whatever of its pages is lost, the
    /// durable beginning stays and the repeat stands whole behind it.
    #[test]
    fn any_crash_leaves_what_was_durable(
        is_hl7: bool, cut in 0.0..1.0f64, zeroed in 0.0..1.0f64, loses: bool,
    ) {
        let make = if is_hl7 { hl7 } else { json };
        let name = if is_hl7 { "arch_ive-000001.hl7" } else { "arch_ive-000001.ndjson" };
        let site = Site::new(true);
        site.write(&[make(1), make(2)]);
        let durable = site.text(name);
        site.write(&[make(3), make(4), make(5)]);
        let whole = site.text(name);
        let torn = |part: f64| durable.len() + ((whole.len() - durable.len()) as f64 * part) as usize;
        let mut bytes = whole.as_bytes()[..torn(cut)].to_vec();
        if loses {
            let from = torn(zeroed).min(bytes.len());
            bytes[from..].iter_mut().take(8).for_each(|byte| *byte = 0);
        }
        let file = site.work.disk.open(&site.path(name), OpenMode::Truncate).expect("the file");
        file.write_all_at(&bytes, 0).expect("written");
        let site = site.restart();
        prop_assert_eq!(site.write(&[make(3), make(4), make(5)]), "written; written; written");
        let text = site.text(name);
        prop_assert!(text.starts_with(&durable));
        prop_assert!(!text.contains('\0'));
        let unstamped = |text: &str| -> Vec<String> {
            let lines = text.split(['\r', '\n']);
            lines.filter(|it| !it.starts_with("BHS")).map(str::to_owned).collect()
        };
        let (group, text) = (unstamped(&whole[durable.len()..]), unstamped(&text));
        prop_assert!(text.ends_with(&group), "{text:?}");
    }
}

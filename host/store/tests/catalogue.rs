//! The catalogue on a real disk: deleted, damaged, or panicking when it is opened, the journal makes it
//! again and nobody notices.

#![expect(clippy::expect_used, reason = "a panic is how a test fails")]
#![expect(clippy::disallowed_methods, reason = "files are damaged behind the back of the door")]

use std::path::PathBuf;

use hilum_audit::{NonEmpty, Record, What};
use hilum_env::Doors;
use hilum_store::{
    Entry, GenerationRecord, MarkKey, OpenTable, Options, Store, Table, Tree, open_with,
};
use hilum_words::{Actor, Digest, Timestamp};
use tokio::runtime::Runtime;

const AT: Timestamp = Timestamp::from_micros(1_795_510_800_000_000);
const GENERATIONS: u64 = 40;

struct Site {
    _runtime: Runtime,
    doors: Doors,
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let doors = hilum_env::system::doors(runtime.handle().clone());
        Self { _runtime: runtime, doors, folder: tempfile::tempdir().expect("a folder") }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn catalogue(&self) -> PathBuf {
        self.data().join("catalogue")
    }

    fn open(&self) -> Store {
        self.open_with(&|path| Ok(Box::new(Tree::open(path)?)))
    }

    fn open_with(&self, tree: &OpenTable<'_>) -> Store {
        let options = Options { syncs_measured: 0, ..Options::new(self.data()) };
        // The thread of a journal that was closed gives its half of it back when it has ended.
        for _ in 0..2_000 {
            match open_with(&self.doors, options.clone(), tree, Box::new(|_| {})) {
                Ok((store, committer)) => {
                    store.attach(self.doors.tasks.drive("committer", Box::new(committer)));
                    return store;
                }
                Err(hilum_store::OpenError::InUse { .. }) => {
                    std::thread::park_timeout(std::time::Duration::from_millis(5));
                }
                Err(other) => panic!("{other}"),
            }
        }
        panic!("somebody keeps the journal");
    }

    fn close(&self, store: Store) {
        store.stop().wait().expect("it stops");
        drop(store);
    }

    /// A journal with a history, closed.
    fn with_history() -> Self {
        let site = Self::new();
        let store = site.open();
        for number in 1..=GENERATIONS {
            apply(&store, number);
        }
        set(&store, "destination.ehr.paused", Some("ticket 4711"));
        set(&store, "destination.lab.paused", Some("yes"));
        set(&store, "destination.ehr.paused", None);
        site.close(store);
        site
    }

    /// Catalogues that were moved away.
    fn set_aside(&self) -> usize {
        let entries = self.doors.disk.list(&self.data()).expect("it is listed");
        entries.iter().filter(|it| it.name.starts_with("catalogue.bad-")).count()
    }

    /// What the tree holds, read by itself while nobody works with it.
    fn entries(&self) -> Vec<Entry> {
        self.tree().entries().expect("it reads")
    }

    fn tree(&self) -> Tree {
        for _ in 0..2_000 {
            if let Ok(tree) = Tree::open(&self.catalogue()) {
                return tree;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
        panic!("the tree does not open");
    }
}

fn generation(number: u64) -> GenerationRecord {
    let digest = |number: u64| Digest::of(&number.to_le_bytes());
    GenerationRecord {
        digest: digest(number),
        at: AT,
        actor: Actor::LocalUser(1_000),
        summary: format!("change {number}: {}", "x".repeat(500)),
        parent: number.checked_sub(1).map(digest),
        reason: None,
        is_rollback: false,
    }
}

fn apply(store: &Store, number: u64) {
    let generation = generation(number);
    let record = Record::new(AT, What::Applied, Actor::LocalUser(1_000));
    let records = NonEmpty::of(record.generation(generation.digest));
    store.apply_generation(generation, records).wait().expect("stored");
}

fn set(store: &Store, name: &str, value: Option<&str>) {
    let records = NonEmpty::of(Record::new(AT, What::Marked, Actor::LocalUser(1_000)));
    let key = MarkKey::new(name).expect("a key");
    store.mark(key, value.map(str::to_owned), records).wait().expect("stored");
}

/// The journal says what it said, and goes on.
#[track_caller]
fn check(site: &Site) {
    let store = site.open();
    let all = store.generations(usize::MAX);
    let expected: Vec<_> = (1..=GENERATIONS).rev().map(generation).collect();
    assert_eq!(all, expected);
    let marks: Vec<_> = store.marks().into_iter().collect();
    assert_eq!(marks, [("destination.lab.paused".to_owned(), "yes".to_owned())]);
    site.close(store);
    // Every generation, one mark, the position.
    let entries = site.entries();
    assert_eq!(entries.len(), usize::try_from(GENERATIONS).expect("small") + 2);
    assert!(entries.iter().all(|(_, value)| value.len() < 4_096));
}

#[test]
fn a_catalogue_is_there_at_the_next_start() {
    let site = Site::with_history();
    assert!(site.doors.disk.exists(&site.catalogue().join("db")), "it lies where it is said to");
    check(&site);
    check(&site);
    assert_eq!(site.set_aside(), 0);
}

#[test]
fn a_deleted_catalogue_is_made_again() {
    let site = Site::with_history();
    std::fs::remove_dir_all(site.catalogue()).expect("deleted");
    check(&site);
    assert_eq!(site.set_aside(), 0);
}

/// Changes a file of the catalogue.
fn damage(site: &Site, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let path = site.catalogue().join(name);
    let mut content = std::fs::read(&path).expect("it is there");
    change(&mut content);
    std::fs::write(&path, content).expect("written");
}

#[test]
fn whatever_is_damaged_nobody_notices() {
    let site = Site::with_history();
    let length = std::fs::metadata(site.catalogue().join("db")).expect("there").len();
    let length = usize::try_from(length).expect("small");
    // sled finds most of it and goes back to what was before it, in silence; the journal knows more.
    for place in 0..16 {
        let at = (length - 1) * place / 15;
        damage(&site, "db", |content| content[at] ^= 0xff);
        check(&site);
        damage(&site, "db", |content| content.truncate(at));
        check(&site);
        damage(&site, "db", |content| {
            let end = (at + 4_096).min(content.len());
            content[at..end].fill(0);
        });
        check(&site);
    }
}

#[test]
fn a_catalogue_that_does_not_open_is_moved_away_and_made_again() {
    let site = Site::with_history();
    let damages: [&dyn Fn(); 4] = [
        &|| damage(&site, "conf", |content| content[10] ^= 1),
        &|| std::fs::write(site.catalogue().join("snap.zzz"), "x").expect("written"),
        &|| {
            std::fs::remove_dir_all(site.catalogue()).expect("deleted");
            std::fs::write(site.catalogue(), "no folder").expect("written");
        },
        &|| damage(&site, "conf", |content| content[12] ^= 1),
    ];
    for (kept, damage) in (1..).zip(damages) {
        damage();
        check(&site);
        assert_eq!(site.set_aside(), kept);
    }
}

#[test]
fn a_catalogue_that_panics_when_it_is_opened_is_moved_away_and_made_again() {
    let site = Site::with_history();
    let opened = std::cell::Cell::new(0);
    let store = site.open_with(&|path| {
        opened.set(opened.get() + 1);
        assert_ne!(opened.get(), 1, "sled stumbles");
        Ok(Box::new(Tree::open(path)?))
    });
    assert_eq!((opened.get(), site.set_aside()), (2, 1));
    site.close(store);
    check(&site);
}

#[test]
fn a_catalogue_with_an_entry_too_many_or_too_few_is_made_again() {
    let site = Site::with_history();
    for key in [&b"g\0\0\0\0\0\0\0\x02"[..], b"mdestination.lab.paused", b"p", b"other"] {
        let mut tree = site.tree();
        let is_there = tree.entries().expect("it reads").iter().any(|it| it.0 == key);
        assert_eq!(is_there, key != b"other");
        let value = (!is_there).then(|| b"what is this?".to_vec());
        tree.write(vec![(key.to_vec(), value)]).expect("written");
        tree.close();
        drop(tree);
        let before = site.set_aside();
        check(&site);
        assert_eq!(site.set_aside(), before + 1);
    }
}

#[test]
fn a_tree_takes_no_large_value() {
    let site = Site::with_history();
    let mut tree = site.tree();
    let put = |bytes: usize| vec![(b"key".to_vec(), Some(vec![0; bytes]))];
    assert!(tree.write(put(4_096)).is_err());
    assert!(tree.write(put(4_095)).is_ok());
}

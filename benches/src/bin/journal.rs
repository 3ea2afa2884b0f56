//! Durable intake through the journal, beside the least that durability costs on this disk.
//!
//! Three ways to make 2 KB values durable, in one run: one value, one `fdatasync`; a bare file with
//! one flusher that writes and syncs for all who wait and wakes each by himself (the limit); and
//! [`Store::accept`] of a message with one run, which also decides about duplicates and keeps
//! state, evidence and recovery.
//!
//!     cargo run --release -p hilum-benches --bin journal [FOLDER]

#![expect(clippy::disallowed_methods, reason = "a measurement outside of the gateway")]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use hilum_audit::{NonEmpty, Record, What};
use hilum_env::Doors;
use hilum_policy::RunSeed;
use hilum_store::{Arrival, DuplicateKey, OnReused, Options, RunStart, Store};
use hilum_words::{Actor, Digest, Envelope, MessageId, Name, Origin, RunId, Timestamp};

const VALUE_BYTES: usize = 2_048;
const SECONDS: u64 = 3;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("target/bench"), Into::into);
    std::fs::create_dir_all(&folder)?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{VALUE_BYTES} B a value, {SECONDS} s each; messages a second (p50, p99 in ms; CPU µs each)"
    )?;
    writeln!(
        out,
        "{:>9}  {:>33}  {:>33}  {:>6}",
        "producers", "bare file, group commit", "journal", "ratio"
    )?;
    let alone = append_alone(&folder)?;
    for producers in [1, 8, 64] {
        let bare = bare_file(&folder, producers)?;
        let journal = journal(&folder, producers)?;
        let ratio = journal.rate / bare.rate;
        writeln!(out, "{producers:>9}  {:>33}  {:>33}  {ratio:>6.2}", bare.show(), journal.show())?;
    }
    writeln!(out, "append and fdatasync one by one: {}", alone.show())?;
    Ok(())
}

struct Measured {
    rate: f64,
    p50: Duration,
    p99: Duration,
    /// CPU time of the whole process.
    cpu: Duration,
}

impl Measured {
    fn of(mut latencies: Vec<Duration>, took: Duration, cpu: Duration) -> Self {
        latencies.sort_unstable();
        let at = |share: usize| {
            latencies.get(latencies.len() * share / 100).copied().unwrap_or_default()
        };
        let count = u32::try_from(latencies.len()).unwrap_or(u32::MAX).max(1);
        let rate = f64::from(count) / took.as_secs_f64();
        Self { rate, p50: at(50), p99: at(99), cpu: cpu / count }
    }

    fn show(&self) -> String {
        let millis = |it: Duration| it.as_secs_f64() * 1e3;
        let cpu = self.cpu.as_secs_f64() * 1e6;
        format!("{:.0} ({:.2}, {:.2}; {cpu:.0})", self.rate, millis(self.p50), millis(self.p99))
    }
}

/// Runs `work` on so many threads for the same time; `work` makes one value durable.
fn produce(producers: usize, work: impl Fn(usize, u64) -> Result<()> + Sync) -> Result<Measured> {
    let cpu = cpu_of_process();
    let start = Instant::now();
    let end = start + Duration::from_secs(SECONDS);
    let latencies = std::thread::scope(|scope| -> Result<Vec<Duration>> {
        let work = &work;
        let threads: Vec<_> = (0..producers)
            .map(|producer| {
                scope.spawn(move || -> Result<Vec<Duration>> {
                    let mut latencies = Vec::new();
                    let mut number = 0;
                    while Instant::now() < end {
                        let begun = Instant::now();
                        work(producer, number)?;
                        latencies.push(begun.elapsed());
                        number += 1;
                    }
                    Ok(latencies)
                })
            })
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow!("a producer panicked"))??);
        }
        Ok(all)
    })?;
    let cpu = cpu_of_process().saturating_sub(cpu);
    Ok(Measured::of(latencies, start.elapsed(), cpu))
}

fn append_alone(folder: &Path) -> Result<Measured> {
    let file = File::create(folder.join("alone"))?;
    let value = vec![b'x'; VALUE_BYTES];
    produce(1, |_, _| {
        (&file).write_all(&value)?;
        Ok(file.sync_data()?)
    })
}

/// One who waits for the flusher.
type Slot = (Mutex<bool>, Condvar);

/// What waits for the flusher.
#[derive(Default)]
struct Group {
    bytes: Vec<u8>,
    slots: Vec<Arc<Slot>>,
    is_over: bool,
}

fn bare_file(folder: &Path, producers: usize) -> Result<Measured> {
    let file = File::create(folder.join("bare"))?;
    let value = vec![b'x'; VALUE_BYTES];
    let shared = (Mutex::new(Group::default()), Condvar::new());
    let (group, filled) = &shared;
    std::thread::scope(|scope| {
        let flusher = scope.spawn(move || -> Result<()> {
            loop {
                let mut now = lock(group);
                while now.slots.is_empty() && !now.is_over {
                    now = filled.wait(now).unwrap_or_else(PoisonError::into_inner);
                }
                if now.slots.is_empty() {
                    return Ok(());
                }
                let (bytes, slots) =
                    (std::mem::take(&mut now.bytes), std::mem::take(&mut now.slots));
                drop(now);
                (&file).write_all(&bytes)?;
                file.sync_data()?;
                for slot in slots {
                    *lock(&slot.0) = true;
                    slot.1.notify_one();
                }
            }
        });
        let measured = produce(producers, |_, _| {
            let slot = Arc::new(Slot::default());
            let mut now = lock(group);
            now.bytes.extend_from_slice(&value);
            now.slots.push(Arc::clone(&slot));
            let is_first = now.slots.len() == 1;
            drop(now);
            if is_first {
                filled.notify_one();
            }
            let mut is_durable = lock(&slot.0);
            while !*is_durable {
                is_durable = slot.1.wait(is_durable).unwrap_or_else(PoisonError::into_inner);
            }
            Ok(())
        });
        lock(group).is_over = true;
        filled.notify_one();
        flusher.join().map_err(|_| anyhow!("the flusher panicked"))??;
        measured
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// CPU time of this process, user and system, in ticks of 10 ms.
fn cpu_of_process() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15; the third is the first behind the name, which stands in parentheses.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn journal(folder: &Path, producers: usize) -> Result<Measured> {
    let data = folder.join("journal");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let doors = hilum_env::system::doors(runtime.handle().clone());
    let mut options = Options::new(&data);
    options.syncs_measured = 0;
    let (store, committer) = hilum_store::open(&doors, options, Box::new(|_| {}))?;
    store.attach(doors.tasks.drive("committer", Box::new(committer)));
    let body = Bytes::from(vec![b'x'; VALUE_BYTES]);
    let measured =
        produce(producers, |producer, number| accept(&store, &doors, &body, producer, number))?;
    store.stop().wait().context("the journal closes")?;
    Ok(measured)
}

fn accept(store: &Store, doors: &Doors, body: &Bytes, producer: usize, number: u64) -> Result<()> {
    let at = Timestamp::from_micros(doors.clock.now_micros());
    let id = MessageId::new(at, doors.entropy.bytes());
    let actor = Actor::system("bench");
    let record = Record::new(at, What::Accepted, actor.clone()).message(id);
    let arrival = Arrival {
        envelope: Envelope {
            message: id,
            received: at,
            listener: Name::from("bench"),
            peer: "local".into(),
            origin: Origin::Listener,
            parent: None,
            correlation: None,
            actor,
            trace: None,
        },
        kind: "ADT^A01".into(),
        key: Some(DuplicateKey::of(&[&producer.to_le_bytes(), &number.to_le_bytes()])),
        on_reused: OnReused::Accept,
        body: body.clone(),
        format: Name::from("hl7v2"),
        generation: Digest::of(b"bench"),
        runs: vec![RunStart {
            run: RunId::new(at, doors.entropy.bytes()),
            route: Name::from("bench"),
            seed: RunSeed(doors.entropy.bytes()),
            lanes: vec![number.to_le_bytes().to_vec()],
        }],
        findings: Vec::new(),
        records: NonEmpty::of(record),
    };
    store.accept(arrival).wait()?;
    Ok(())
}

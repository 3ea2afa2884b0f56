//! The limit: values appended to a file, one `fdatasync` for all that wait, and nothing else.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::figures::{Figures, cpu_of};

/// Bytes of a value.
pub const VALUE_BYTES: usize = 2_048;

/// How values come.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// Each producer makes the next one as soon as the last one is durable.
    Closed,
    /// So many a second by all producers together, each at its own times.
    PerSecond(f64),
}

/// Runs `work` on so many threads for the same time; `work` makes one value durable.
pub fn produce(
    producers: usize,
    lasts: Duration,
    pace: Pace,
    work: impl Fn(usize, u64) -> Result<()> + Sync,
) -> Result<Figures> {
    let cpu = cpu_of(std::process::id());
    let start = Instant::now();
    let end = start + lasts;
    let latencies = std::thread::scope(|scope| -> Result<Vec<Duration>> {
        let work = &work;
        let threads: Vec<_> = (0..producers)
            .map(|producer| {
                scope.spawn(move || -> Result<Vec<Duration>> {
                    let mut latencies = Vec::new();
                    let mut times = Times::new(start, pace, producer, producers);
                    let mut number = 0;
                    while let Some(due) = times.next(end) {
                        work(producer, number)?;
                        latencies.push(due.elapsed());
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
    let cpu = cpu_of(std::process::id()).saturating_sub(cpu);
    Ok(Figures::of(latencies, start.elapsed(), cpu))
}

/// When one producer is to make its values.
pub struct Times {
    next: Instant,
    every: Option<Duration>,
}

impl Times {
    /// The times of the producer of this number.
    pub fn new(start: Instant, pace: Pace, producer: usize, producers: usize) -> Self {
        match pace {
            Pace::Closed => Self { next: start, every: None },
            Pace::PerSecond(rate) => {
                let every = Duration::from_secs_f64(producers as f64 / rate);
                let first = every.mul_f64(producer as f64 / producers as f64);
                Self { next: start + first, every: Some(every) }
            }
        }
    }

    /// Sleeps until the next value is due. Answers when it is made: where it was due long ago, that
    /// is still the time from which its latency counts.
    pub fn next(&mut self, end: Instant) -> Option<Instant> {
        let Some(every) = self.every else {
            return Some(Instant::now()).filter(|now| *now < end);
        };
        let due = self.next;
        self.next += every;
        let now = Instant::now();
        if now < due {
            std::thread::sleep(due - now);
            // The timer's own delay is not what is measured.
            return Some(Instant::now()).filter(|now| *now < end);
        }
        Some(due).filter(|due| *due < end)
    }
}

/// One value, one sync, one after another.
pub fn alone(folder: &Path, lasts: Duration) -> Result<Figures> {
    let file = File::create(folder.join("alone"))?;
    let value = vec![b'x'; VALUE_BYTES];
    produce(1, lasts, Pace::Closed, |_, _| {
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

/// One flusher writes and syncs for all who wait, and wakes each by himself.
pub fn grouped(folder: &Path, producers: usize, lasts: Duration, pace: Pace) -> Result<Figures> {
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
        let measured = produce(producers, lasts, pace, |_, _| {
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

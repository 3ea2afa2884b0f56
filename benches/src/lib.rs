//! Measurements, side by side with the limit.
//!
//! Each program in `src/bin` prints one table: what we do, and beside it the least that anybody
//! could do on this machine in the same minute. Compare ratios; absolute figures move.
//!
//! `clock` is the one that starts a whole gateway and loads it over sockets.

#![expect(clippy::disallowed_methods, reason = "measurements outside of the gateway")]

pub mod bare;
pub mod figures;
pub mod gateway;
pub mod guests;
pub mod intake;
pub mod load;
pub mod messages;
pub mod native;
pub mod stages;

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long one call of `work` takes: the fastest of many rounds, because what disturbs a
/// measurement only ever adds to it.
pub fn fastest<T>(mut work: impl FnMut() -> T) -> Duration {
    let mut time = |calls: u32| {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(work());
        }
        start.elapsed()
    };
    // A round of a few milliseconds: long against the clock, short against other processes.
    let mut calls = 1u32;
    while time(calls) < Duration::from_millis(2) && calls < 1 << 30 {
        calls *= 2;
    }
    let rounds = (0..200).map(|_| time(calls));
    rounds.min().unwrap_or_default() / calls
}

/// An ADT^A01 as hospitals send them: 2.4 KB, 17 segments, 319 fields.
pub fn adt_a01() -> Vec<u8> {
    include_bytes!("../samples/adt-a01.hl7").to_vec()
}

//! Reading HL7 v2: the index of segments and fields, beside a bare search for the delimiters.

#![expect(clippy::print_stdout, reason = "this program's output is its result")]

use std::hint::black_box;

use anyhow::Context;
use bytes::Bytes;
use hilum_benches::{adt_a01, fastest};
use hilum_hl7::{Message, Path};
use memchr::{memchr_iter, memchr3_iter};

/// What a mapping of an admission reads.
const READS: [&str; 25] = [
    "MSH-3.1",
    "MSH-4.1",
    "MSH-7",
    "MSH-9.2",
    "MSH-10",
    "EVN-2",
    "PID-3.1",
    "PID-3[2].1",
    "PID-3.5",
    "PID-5.1",
    "PID-5.2",
    "PID-7",
    "PID-8",
    "PID-11.1",
    "PID-11.3",
    "PID-11.5",
    "PID-13[2].4",
    "PID-16",
    "PV1-2",
    "PV1-3.1",
    "PV1-7.1",
    "PV1-19.1",
    "PV1-44",
    "NK1[2]-2.1",
    "IN1-4",
];

fn main() -> anyhow::Result<()> {
    let bytes = Bytes::from(adt_a01());
    let message = Message::parse(bytes.clone())?;
    let paths: Vec<Path> =
        READS.iter().map(|path| path.parse()).collect::<Result<_, _>>().context("a path")?;
    let fields: usize = message.segments().map(|segment| segment.fields()).sum();
    println!(
        "ADT^A01, {} bytes, {} segments, {fields} fields",
        bytes.len(),
        message.segments().count()
    );

    let segments = fastest(|| memchr_iter(b'\r', &bytes).map(black_box).count());
    let scan = fastest(|| memchr3_iter(b'|', b'\r', b'\n', &bytes).map(black_box).count());
    let table = [
        ("the limit: find every segment end", segments),
        ("the limit: find every field separator and segment end", scan),
        (
            "Message::parse: index, findings, character set",
            fastest(|| Message::parse(bytes.clone())),
        ),
        (
            "25 reads on the index, paths parsed before",
            fastest(|| paths.iter().filter_map(|path| message.find(path)).map(black_box).count()),
        ),
        ("every leaf with its place", fastest(|| message.leaves().map(black_box).count())),
        (
            "every leaf as text",
            fastest(|| {
                message
                    .leaves()
                    .filter_map(|leaf| message.text(leaf.range).ok())
                    .map(black_box)
                    .count()
            }),
        ),
    ];
    println!("{:>10}  {:>8}  {:>6}", "µs", "MB/s", "limit×");
    for (what, time) in table {
        let megabytes = bytes.len() as f64 / time.as_secs_f64() / 1e6;
        let ratio = time.as_secs_f64() / scan.as_secs_f64();
        println!("{:>10.3}  {megabytes:>8.0}  {ratio:>6.2}  {what}", time.as_secs_f64() * 1e6);
    }
    Ok(())
}

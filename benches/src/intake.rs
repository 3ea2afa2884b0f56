//! The journal alone: messages accepted by many producers, nothing behind it.

use std::path::Path;

use anyhow::{Context, Result};
use bytes::Bytes;
use hilum_audit::{NonEmpty, Record, What};
use hilum_env::Doors;
use hilum_policy::RunSeed;
use hilum_store::{Arrival, DuplicateKey, OnReused, Options, RunStart, Store};
use hilum_words::{Actor, Digest, Envelope, MessageId, Name, Origin, RunId, Timestamp};

use crate::bare::{Pace, VALUE_BYTES, produce};
use crate::figures::Figures;

/// Has [`Store::accept`] make messages of 2 KB durable, each with one run.
pub fn journal(folder: &Path, producers: usize, lasts: std::time::Duration) -> Result<Figures> {
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
    let measured = produce(producers, lasts, Pace::Closed, |producer, number| {
        accept(&store, &doors, &body, producer, number)
    })?;
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

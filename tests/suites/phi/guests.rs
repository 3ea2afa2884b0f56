//! All fixtures and canary samples through the first-party transformers, which then show their whole linear
//! memory: no value that was sealed is in it.
//!
//! Left out is what proves nothing: values below [`super::canaries::is_telling`]'s lengths, those that the message says
//! openly elsewhere, and those that the plugin's own component holds. A router and a validator have no output to
//! show their memory by; what crosses to them is the same view.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use hilum_message::{Message, TimeZone};
use hilum_policy::{Grant, Input, Policy, RunSeed};
use hilum_sandbox::{Answered, Budget, Call, Facts, Package, Sandbox};
use hilum_tests::repository;
use hilum_words::{MessageId, Timestamp};

use super::canaries::samples;

const RECEIVED: Timestamp = Timestamp::from_micros(0);

/// Values by their first two bytes, to look at each byte of a memory once.
struct Wanted<'a> {
    by_start: HashMap<[u8; 2], Vec<&'a str>>,
    is_start: Vec<bool>,
}

impl<'a> Wanted<'a> {
    fn new(values: impl Iterator<Item = &'a String>) -> Self {
        let mut by_start: HashMap<[u8; 2], Vec<&str>> = HashMap::new();
        let mut is_start = vec![false; 1 << 16];
        for value in values {
            let start = [value.as_bytes()[0], value.as_bytes()[1]];
            is_start[usize::from(u16::from_be_bytes(start))] = true;
            by_start.entry(start).or_default().push(value);
        }
        Self { by_start, is_start }
    }

    fn first_in(&self, memory: &[u8]) -> Option<&'a str> {
        let pieces = memory.split(|it| *it == 0).filter(|it| 2 < it.len());
        pieces.filter_map(|it| self.first_in_piece(it)).next()
    }

    fn first_in_piece(&self, memory: &[u8]) -> Option<&'a str> {
        memory.windows(2).enumerate().find_map(|(at, pair)| {
            let start = [pair[0], pair[1]];
            if !self.is_start[usize::from(u16::from_be_bytes(start))] {
                return None;
            }
            let values = self.by_start.get(&start)?;
            values.iter().copied().find(|it| memory[at..].starts_with(it.as_bytes()))
        })
    }
}

/// A memory without the pages that were never written to, in small letters.
fn written(memory: &[u8]) -> Vec<u8> {
    const NOTHING: [u8; 1024] = [0; 1024];
    let mut kept = Vec::new();
    for page in memory.chunks(NOTHING.len()) {
        if page == NOTHING {
            kept.push(0);
        } else {
            kept.extend_from_slice(page);
        }
    }
    kept.make_ascii_lowercase();
    kept
}

#[test]
fn no_sealed_value_of_any_fixture_is_in_the_memory_of_a_transformer() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let sandbox =
        Sandbox::new(&hilum_env::system::doors(runtime.handle().clone())).expect("a sandbox");
    let budget = Budget { output_bytes: 64 << 20, ..Budget::GATEWAY_MAX };
    let policy = Policy::new(TimeZone::UTC);
    let samples = samples();
    let searched = AtomicUsize::new(0);
    let search = &|plugin: &str| {
        let file = repository().join(format!("examples/st-anna/plugins/{plugin}.wasm"));
        let bytes = std::fs::read(file).expect("`make plugins` builds it");
        let own = String::from_utf8_lossy(&bytes).to_lowercase();
        let package = Package::read(bytes.into(), sandbox.limits().component_bytes_max);
        let witness = crate::memory::shown(&sandbox, &package.expect("a package"));
        let all: BTreeSet<&String> = samples.iter().flat_map(|it| &it.values).collect();
        let brought: BTreeSet<_> = all.into_iter().filter(|it| own.contains(it.as_str())).collect();
        for sample in &samples {
            let format = if sample.is_fhir { "fhir-json" } else { "hl7v2" };
            let Ok(message) = Message::parse(format, sample.bytes.clone().into()) else { continue };
            let message = Input::Message(Arc::new(message));
            let memory = |grant: &Grant| {
                let call = Call {
                    view: policy.view(message.clone(), grant, RunSeed([3; 16]), 0),
                    facts: Facts { id: MessageId::from_bits(7), received: RECEIVED },
                    settings: Arc::default(),
                    tables: Arc::new(BTreeMap::new()),
                    tables_known: Arc::default(),
                };
                match witness.call(call, &budget).result {
                    Ok(Answered::Mapped(made)) => written(&made[0].body),
                    other => panic!("{plugin}, {}: no memory but {other:?}", sample.file),
                }
            };
            let values = sample.values.iter();
            let values = values.filter(|it| !sample.open.contains(it.as_str()));
            let values: Vec<_> = values.filter(|it| !brought.contains(it)).collect();
            searched.fetch_add(values.len(), Relaxed);
            let wanted = Wanted::new(values.into_iter());
            let found = wanted.first_in(&memory(&Grant::sealed_by_default()));
            assert_eq!(found, None, "{plugin} has a value of {} in its memory", sample.file);
            // The same search finds what is granted.
            if sample.file == "s-v2-000-ADT_A01.hl7" && plugin == "adt-to-fhir" {
                assert!(wanted.first_in(&memory(&Grant::open_to_all())).is_some());
            }
        }
    };
    std::thread::scope(|scope| {
        for plugin in ["adt-to-fhir", "oru-to-fhir", "site-codes"] {
            scope.spawn(move || search(plugin));
        }
    });
    let searched = searched.into_inner();
    assert!(5_000 < searched, "{searched}");
}

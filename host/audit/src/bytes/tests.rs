use proptest::prelude::*;

use super::*;

fn full() -> Record {
    Record::new(
        Timestamp::from_micros(1_795_511_008_123_456),
        What::Transformed,
        Actor::system("worker"),
    )
    .message(MessageId::from_bits(1))
    .run(RunId::from_bits(2))
    .delivery(DeliveryId::from_bits(3))
    .generation(Digest::of(b"generation"))
    .text(fact::STEP, "adt-to-fhir")
    .digest(fact::PLUGIN, Digest::of(b"plugin"))
    .number(FactKey::of(fact::SEALED, "name"), 4)
    .paths(["PID-5.1", "PID-5.2"])
}

#[test]
fn a_record_reads_back() {
    let record = full();
    assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
}

#[test]
fn every_actor_and_word_reads_back() {
    let actors =
        [Actor::system("x"), Actor::Plugin("p".into(), Digest::of(b"")), Actor::LocalUser(1000)];
    for what in What::ALL {
        for actor in &actors {
            let record = Record::new(Timestamp::from_micros(-1), *what, actor.clone());
            assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
        }
    }
}

#[test]
fn the_bytes_never_change() {
    let record =
        Record::new(Timestamp::from_micros(5), What::Held, Actor::LocalUser(7)).number("fuel", 9);
    let hex: String = record.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    expect_test::expect![["010108000000050000000000000002040000\
         0068656c64030500000003070000000\
         80e000000046675656c020900000000000000"]]
    .assert_eq(&hex);
}

#[test]
fn a_record_cut_anywhere_is_malformed() {
    let bytes = full().to_bytes();
    let mut whole = 0;
    for end in 0..bytes.len() {
        // A cut between two facts leaves a shorter record that is one; every other cut does not.
        whole += usize::from(Record::from_bytes(&bytes[..end]).is_ok());
    }
    assert_eq!(whole, 9, "after the actor, four ids and digests, and four of the five facts");
}

#[test]
fn fields_twice_or_out_of_order_are_malformed() {
    let one = Record::new(Timestamp::from_micros(5), What::Held, Actor::LocalUser(7));
    let mut twice = one.clone().run(RunId::from_bits(1)).to_bytes();
    let field = twice[twice.len() - 21..].to_vec();
    twice.extend_from_slice(&field);
    assert_eq!(Record::from_bytes(&twice), Err(RecordError::Malformed));
    let mut order = one.run(RunId::from_bits(1)).to_bytes();
    order.extend_from_slice(&[MESSAGE, 16, 0, 0, 0]);
    order.extend_from_slice(&[0; 16]);
    assert_eq!(Record::from_bytes(&order), Err(RecordError::Malformed));
}

#[test]
fn a_newer_record_says_so() {
    let mut bytes = full().to_bytes();
    bytes[0] = 2;
    assert_eq!(Record::from_bytes(&bytes), Err(RecordError::UnknownVersion));
    let mut bytes = full().to_bytes();
    bytes[19] = b'X';
    assert_eq!(Record::from_bytes(&bytes), Err(RecordError::UnknownWord));
}

#[test]
fn bounds_bite() {
    let record = full().text("detail", "ü".repeat(5_000)).paths(vec!["PID-3"; 300]);
    let Some(FactValue::Text(text)) = record.find("detail") else { panic!("it is there") };
    assert_eq!(text.len(), fact::TEXT_BYTES_MAX);
    let paths = record.facts.iter().filter(|(key, _)| key.as_str() == fact::PATH).count();
    assert_eq!(paths, 2 + fact::PATHS_MAX);
    let crowded = (0..2_000).fold(full(), |record, n| record.number("n", n));
    assert_eq!(crowded.facts.len(), fact::FACTS_MAX);
    assert_eq!(Record::from_bytes(&crowded.to_bytes()), Ok(crowded));
}

proptest! {
    #[test]
    fn any_bytes_return(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Record::from_bytes(&bytes);
    }

    #[test]
    fn what_reads_is_written_the_same(flip in 0usize..400, bit in 0u8..8) {
        let mut bytes = full().to_bytes();
        let at = flip % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(record) = Record::from_bytes(&bytes) {
            prop_assert_eq!(record.to_bytes(), bytes);
        }
    }
}

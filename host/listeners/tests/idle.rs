//! A thousand peers that say nothing: what each of them costs, counted at the allocator.
//!
//! One test, alone in its process: whatever ran beside it would be counted.

#![expect(clippy::expect_used, reason = "a panic is how a test fails")]

mod world;

use std::alloc::System;

use hilum_env::tls::ClientTls;
use hilum_env::{Address, ByteStream};
use hilum_listeners::Materials;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use world::{World, address, tls};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PEERS: usize = 1_000;
/// What an idle connection may cost, with the peer's end of it, which lives in this process, too.
const PLAIN_BYTES_MAX: usize = 16 << 10;
const TLS_BYTES_MAX: usize = 32 << 10;

/// Bytes a connection, once each has sent something of this length and was answered.
async fn measure(
    world: &World,
    client: Option<&ClientTls>,
    materials: &Materials,
    sent: usize,
) -> usize {
    let listener = world.listen(1_024, materials).await;
    let at = Address::Tcp(address(&listener).to_string());
    // No message, so that the journal keeps nothing of it: it is refused.
    let frame = [&b"\x0b"[..], &vec![b'x'; sent], b"\x1c\r"].concat();
    let connect = async || {
        let mut stream: Box<dyn ByteStream> =
            world.doors.net.dial(&at).await.expect("connected").stream;
        if let Some(client) = client {
            stream = client.connect("hilum.example", stream).await.expect("shaken");
        }
        stream.write_all(&frame).await.expect("written");
        stream.flush().await.expect("flushed");
        let mut last = [0; 2];
        while last != *b"\x1c\r" {
            last = [last[1], stream.read_u8().await.expect("answered")];
        }
        stream
    };
    // What is made once, such as a metric's first label.
    let warm = connect().await;
    let mut streams = Vec::with_capacity(PEERS);
    let region = Region::new(ALLOCATOR);
    for _ in 0..PEERS {
        streams.push(connect().await);
    }
    assert_eq!(listener.connections(), PEERS + 1);
    // The last ones may not yet be back at their reading.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let change = region.change();
    drop((warm, streams));
    change.bytes_allocated.saturating_sub(change.bytes_deallocated) / PEERS
}

#[tokio::test]
async fn an_idle_connection_costs_some_kilobytes_however_long_its_last_message_was() {
    let world = World::open();
    let (materials, client) = tls();
    let plain = Materials::default();
    let mut costs = Vec::new();
    for sent in [100, 200 << 10] {
        let cost = measure(&world, None, &plain, sent).await;
        assert!(cost < PLAIN_BYTES_MAX, "{cost} bytes a connection after {sent} bytes");
        costs.push(cost);
        let cost = measure(&world, Some(&client), &materials, sent).await;
        assert!(cost < TLS_BYTES_MAX, "{cost} bytes a TLS connection after {sent} bytes");
        costs.push(cost);
    }
    assert!(1_000 < costs[0], "{costs:?}: so little would mean that nothing was counted");
}

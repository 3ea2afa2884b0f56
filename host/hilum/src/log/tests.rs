use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use hilum_env::{BoxFuture, Instant, WallClock};
use tracing::{info, info_span};
use tracing_subscriber::fmt::MakeWriter;

use super::*;

struct Noon;

impl Clock for Noon {
    fn now_micros(&self) -> WallClock {
        1_795_521_600_000_000
    }

    fn instant(&self) -> Instant {
        Instant(std::time::Duration::ZERO)
    }

    fn sleep_until(&self, _at: Instant) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Paper {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn an_event_is_one_line_of_json_with_its_spans() {
    let paper = Paper::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(paper.clone())
        .fmt_fields(JsonFields::new())
        .event_format(JsonLine(Arc::new(Noon)))
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let _span = info_span!("run", message = "msg_1").entered();
        let phi = hilum_words::Phi::new("EVERYWOMAN");
        info!(attempt = 2, micros = 3_u128, ?phi, "delivery\ndeferred");
    });
    let written = paper.0.lock().expect("not poisoned").clone();
    let written = String::from_utf8(written).expect("UTF-8");
    assert_eq!(written.matches('\n').count(), 1, "{written}");
    let line: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(
        line,
        serde_json::json!({
            "timestamp": "2026-11-24T12:00:00.000Z",
            "level": "INFO",
            "target": "hilum::log::tests",
            "message": "delivery\ndeferred",
            "fields": { "attempt": 2, "micros": 3, "phi": "[phi]" },
            "spans": [{ "message": "msg_1", "name": "run" }],
        })
    );
}

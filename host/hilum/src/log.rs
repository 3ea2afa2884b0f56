//! Logs: JSON lines on standard error, text where that is a terminal.
//!
//! A line has `timestamp`, `level`, `target`, `message`, `fields` and, inside spans, `spans` from
//! the outermost to the innermost, each with its fields. `HILUM_LOG`, then `RUST_LOG`, filter;
//! else `-v` and `-q` do.
//!
//! Promises: one event is one line. Not here: what may be logged; a `Phi` prints as `[phi]`.

use std::fmt;
use std::io::IsTerminal;
use std::sync::Arc;

use hilum_env::Clock;
use hilum_words::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::arguments::Common;

/// Sends what is logged to standard error from here on.
pub fn start(common: &Common, clock: Arc<dyn Clock>, usual: &'static str) {
    let usual = match (common.quiet, common.verbose) {
        (true, _) => "error",
        (false, 0) => usual,
        (false, 1) => "debug",
        (false, _) => "trace",
    };
    let filter = ["HILUM_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()))
        .map_or_else(|| EnvFilter::new(usual), EnvFilter::new);
    let to_terminal = std::io::stderr().is_terminal();
    let ansi = to_terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(ansi);
    // A second call (in tests) finds the first one's subscriber, which is as good.
    let _ = if to_terminal {
        builder.with_timer(Moment(clock)).try_init()
    } else {
        builder.fmt_fields(JsonFields::new()).event_format(JsonLine(clock)).try_init()
    };
}

struct Moment(Arc<dyn Clock>);

impl FormatTime for Moment {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        write!(out, "{}", Timestamp::from_micros(self.0.now_micros()))
    }
}

struct JsonLine(Arc<dyn Clock>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, JsonFields> for JsonLine {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let mut line = Map::new();
        let at = Timestamp::from_micros(self.0.now_micros());
        line.insert("timestamp".to_owned(), at.to_string().into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("target".to_owned(), metadata.target().into());
        line.insert("message".to_owned(), fields.message.into());
        line.insert("fields".to_owned(), fields.others.into());
        let mut spans = Vec::new();
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let recorded = extensions.get::<FormattedFields<JsonFields>>();
            let mut members = recorded
                .and_then(|it| serde_json::from_str::<Map<String, Value>>(&it.fields).ok())
                .unwrap_or_default();
            members.insert("name".to_owned(), span.name().into());
            spans.push(Value::Object(members));
        }
        if !spans.is_empty() {
            line.insert("spans".to_owned(), spans.into());
        }
        writeln!(out, "{}", Value::Object(line))
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn note(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => drop(self.others.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.note(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.note(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.note(field, value.into());
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        // Beyond 64 bits JSON has no number that every reader keeps.
        let value = u64::try_from(value).map_or_else(|_| value.to_string().into(), Value::from);
        self.note(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        let value = i64::try_from(value).map_or_else(|_| value.to_string().into(), Value::from);
        self.note(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.note(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.note(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut sentence = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            sentence.push_str(": ");
            sentence.push_str(&cause.to_string());
            source = cause.source();
        }
        self.note(field, sentence.into());
    }
}

#[cfg(test)]
mod tests;

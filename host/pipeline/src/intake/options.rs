use std::time::Duration;

use hilum_message::hl7v2::{Charset, Options};
use hilum_store::OnReused;
use hilum_words::config::Section;

/// When the sender is told that its message is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckPoint {
    /// When it is on disk. A plugin's refusal can no longer reach the sender, so it is parked.
    Stored,
    /// When every run is decided. A plugin's refusal is `AE` to the sender, and final.
    Processed,
}

/// What happens to a message that no route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrouted {
    /// It is refused: `AR` with 200 of table 0357.
    Refuse,
    /// It is stored and acknowledged, and nothing is done with it.
    Accept,
}

/// How the messages of a batch are answered: HL7 v2 chapter 2, 2.10.3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchAnswer {
    /// One batch that holds an acknowledgement of each message.
    All,
    /// One batch that holds the acknowledgements that say no; it may be empty.
    Errors,
    /// Each acknowledgement by itself, as if each message had come by itself.
    Singly,
}

/// What happens to a batch whose BTS-1, or a file whose FTS-1, states another number than came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBatchCount {
    /// Its messages are taken, each with a finding.
    Accept,
    /// None of its messages is taken.
    Refuse,
}

/// What a listener does with messages: the keys of its section that are about answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntakeOptions {
    /// When the sender is told that its message is accepted.
    pub ack: AckPoint,
    /// How long a sender waits for a decision until it is told "busy".
    pub processed_timeout: Duration,
    /// What happens to a message that no route takes.
    pub unrouted: Unrouted,
    /// What happens to another message under a known control id.
    pub on_reused: OnReused,
    /// The character set of messages that name none.
    pub charset: Option<Charset>,
    /// How a batch is answered.
    pub batch_answer: BatchAnswer,
    /// What happens to a batch that states a wrong count.
    pub on_batch_count: OnBatchCount,
}

impl Default for IntakeOptions {
    fn default() -> Self {
        Self {
            ack: AckPoint::Stored,
            processed_timeout: Duration::from_secs(30),
            unrouted: Unrouted::Refuse,
            on_reused: OnReused::Accept,
            charset: None,
            batch_answer: BatchAnswer::All,
            on_batch_count: OnBatchCount::Accept,
        }
    }
}

/// A sender that waits for longer has hung up.
const PROCESSED_TIMEOUT_MAX: Duration = Duration::from_secs(60 * 60);

impl IntakeOptions {
    /// Reads `ack` (stored), `processed_timeout` (30 s), `unrouted` (refuse), `on_reused_id`
    /// (accept), `charset` (none: UTF-8), `batch_answer` (all) and `on_batch_count` (accept). What
    /// is wrong is a problem, and has its default.
    pub fn read(section: &mut Section<'_>) -> Self {
        let usual = Self::default();
        let ack = read_ack(section);
        let timeout = section.duration("processed_timeout");
        if let Some(timeout) = &timeout {
            if timeout.value.is_zero() || PROCESSED_TIMEOUT_MAX < timeout.value {
                timeout.problem(section.problems(), "must be more than nothing and at most 1h");
            } else if ack == AckPoint::Stored {
                timeout.problem(section.problems(), "has a meaning only with ack = \"processed\"");
            }
        }
        let unrouted = section.word("unrouted", &["refuse", "accept"]);
        let on_reused = section.word("on_reused_id", &["accept", "refuse"]);
        let batch_answer = section.word("batch_answer", &["all", "errors", "singly"]);
        let on_count = section.word("on_batch_count", &["accept", "refuse"]);
        section.default("ack", "stored");
        if ack == AckPoint::Processed {
            section.default("processed_timeout", usual.processed_timeout);
        }
        section.default("unrouted", "refuse");
        section.default("on_reused_id", "accept");
        section.default("batch_answer", "all");
        section.default("on_batch_count", "accept");
        Self {
            ack,
            processed_timeout: timeout.map_or(usual.processed_timeout, |it| it.value),
            unrouted: match unrouted.map(|it| it.value) {
                Some(1) => Unrouted::Accept,
                _ => Unrouted::Refuse,
            },
            on_reused: match on_reused.map(|it| it.value) {
                Some(1) => OnReused::Refuse,
                _ => OnReused::Accept,
            },
            charset: read_charset(section),
            batch_answer: match batch_answer.map(|it| it.value) {
                Some(1) => BatchAnswer::Errors,
                Some(2) => BatchAnswer::Singly,
                _ => BatchAnswer::All,
            },
            on_batch_count: match on_count.map(|it| it.value) {
                Some(1) => OnBatchCount::Refuse,
                _ => OnBatchCount::Accept,
            },
        }
    }

    /// In which character set messages are read that name none.
    pub fn reading(&self) -> Options {
        Options { default_charset: self.charset.unwrap_or_default() }
    }
}

fn read_ack(section: &mut Section<'_>) -> AckPoint {
    const KEY: &str = "ack";
    if let Some(ack) = section.text(KEY).filter(|it| it.value == "delivered") {
        let text = "is not built yet; this version has \"stored\" and \"processed\"";
        ack.problem(section.problems(), text);
        return AckPoint::Stored;
    }
    match section.word(KEY, &["stored", "processed"]).map(|it| it.value) {
        Some(1) => AckPoint::Processed,
        _ => AckPoint::Stored,
    }
}

fn read_charset(section: &mut Section<'_>) -> Option<Charset> {
    let name = section.text("charset")?;
    let charset = Charset::from_any_name(name.value.as_bytes());
    if charset.is_none() {
        let spelling = name.value.to_ascii_uppercase();
        let text = match ["UTF-16", "UTF-32", "UTF16", "UTF32", "UCS"] {
            wide if wide.iter().any(|it| spelling.contains(it)) => {
                "has bytes that cannot be told from delimiters and frames; let the sender use \
                 UTF-8"
            }
            _ => {
                "is no character set that is read here, such as \"windows-1252\", \"8859/1\" or \
                 \"UNICODE UTF-8\""
            }
        };
        name.problem(section.problems(), text);
    }
    charset
}

#[cfg(test)]
mod tests {
    use hilum_words::config::Document;
    use hilum_words::{Problem, Problems};

    use super::*;

    fn read(text: &str) -> (IntakeOptions, Vec<String>) {
        let problems = Problems::default();
        let document = Document::parse("hilum.toml", text, &problems);
        let mut section = document.root(&problems);
        let options = IntakeOptions::read(&mut section);
        section.finish();
        (options, problems.into_sorted().iter().map(Problem::to_string).collect())
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        assert_eq!(read(""), (IntakeOptions::default(), Vec::new()));
    }

    #[test]
    fn each_key_is_read() {
        let (options, problems) = read(
            "ack = \"processed\"\nprocessed_timeout = \"5s\"\nunrouted = \"accept\"\n\
             on_reused_id = \"refuse\"\ncharset = \"windows-1252\"\nbatch_answer = \"errors\"\n\
             on_batch_count = \"refuse\"\n",
        );
        assert!(problems.is_empty(), "{problems:?}");
        let expected = IntakeOptions {
            ack: AckPoint::Processed,
            processed_timeout: Duration::from_secs(5),
            unrouted: Unrouted::Accept,
            on_reused: OnReused::Refuse,
            charset: Some(Charset::Windows1252),
            batch_answer: BatchAnswer::Errors,
            on_batch_count: OnBatchCount::Refuse,
        };
        assert_eq!(options, expected);
        assert_eq!(read("charset = \"8859/1\"").0.charset, Some(Charset::Latin1));
    }

    #[test]
    fn each_wrong_value_is_a_problem() {
        for wrong in [
            "ack = \"delivered\"",
            "ack = \"never\"",
            "processed_timeout = \"5s\"",
            "ack = \"processed\"\nprocessed_timeout = \"0s\"",
            "ack = \"processed\"\nprocessed_timeout = \"2h\"",
            "unrouted = \"x\"",
            "on_reused_id = \"x\"",
            "charset = \"UTF-16\"",
            "charset = \"klingon\"",
            "batch_answer = \"some\"",
            "on_batch_count = \"x\"",
        ] {
            assert_eq!(read(wrong).1.len(), 1, "{wrong}");
        }
        assert!(read("charset = \"UNICODE UTF-16\"").1[0].contains("UTF-8"));
    }
}

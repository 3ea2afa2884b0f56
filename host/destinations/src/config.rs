//! What an operator writes about a destination.

use std::path::Path;
use std::time::Duration;

use hilum_words::config::{Placed, Section};
use hilum_words::{Name, Place, Problems, did_you_mean};

use crate::Backoff;
use crate::fhir::FhirConfig;
use crate::file::FileConfig;
use crate::http::HttpConfig;
use crate::mllp::MllpConfig;

mod breaker;
mod classify;

pub use breaker::BreakerConfig;
pub use classify::Classify;
use classify::Codes;

/// How often and how long a delivery is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The waits between attempts.
    pub backoff: Backoff,
    /// After this time the next fault parks the delivery.
    pub give_up_after: Duration,
    /// After so many attempts the next fault parks the delivery; `None` for no such bound.
    pub attempts_max: Option<u32>,
}

impl Default for Retry {
    fn default() -> Self {
        let backoff =
            Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5 * 60) };
        Self { backoff, give_up_after: Duration::from_secs(72 * 3600), attempts_max: None }
    }
}

impl Retry {
    fn read(section: &mut Section<'_>) -> Self {
        let standard = Self::default();
        let mut retry = section.section_or_empty("retry");
        let first = retry.duration_or("first", standard.backoff.first);
        let is_longest_written = retry.has("longest");
        let longest = retry.duration_or("longest", standard.backoff.longest);
        let give_up_after = retry.duration_or("give_up_after", standard.give_up_after);
        let attempts = retry.integer("attempts", 1..=1_000_000);
        if first.is_zero() {
            retry.problem_at("first", "must be more than nothing");
        }
        let backoff = Backoff { first, longest };
        if backoff.longest < backoff.first {
            let at = if is_longest_written { "longest" } else { "first" };
            retry.problem_at(at, "`longest` must not be shorter than `first`");
        }
        retry.finish();
        Self {
            backoff,
            give_up_after,
            attempts_max: attempts.and_then(|it| u32::try_from(it.value).ok()),
        }
    }
}

/// What becomes of a delivery whose outcome is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnAmbiguous {
    /// It is tried again: the destination knows a repeat by its id.
    #[default]
    Retry,
    /// It is parked: a person looks first.
    Park,
}

/// What becomes of what is behind a parked delivery in one of its lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnPark {
    /// It goes on.
    #[default]
    Pass,
    /// It waits until a person has the parked one sent again, made again or discarded.
    Block,
}

/// A kind of destination, with its own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindConfig {
    /// A FHIR endpoint.
    Fhir(FhirConfig),
    /// Any HTTP service.
    Http(HttpConfig),
    /// A folder.
    File(FileConfig),
    /// An HL7 v2 receiver.
    Mllp(MllpConfig),
}

/// A destination, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationConfig {
    /// Where it is written.
    pub place: Place,
    /// Its key: `destination.ehr`.
    pub key: String,
    /// The kind's own keys.
    pub kind: KindConfig,
    /// How often and how long a delivery is tried.
    pub retry: Retry,
    /// What becomes of a delivery whose outcome is unknown.
    pub on_ambiguous: OnAmbiguous,
    /// What becomes of what is behind a parked delivery.
    pub on_park: OnPark,
    /// When it is left alone for a while.
    pub breaker: BreakerConfig,
    /// What its answers mean, where that is not what they mean by themselves.
    pub classify: Classify,
}

impl DestinationConfig {
    /// Reads a `[destination.x]` section but its `clearance`, which policy reads, and the end
    /// ([`Section::finish`]), which is the caller's. `site` is the folder of the configuration.
    /// What is wrong is in the section's problems; the answer is `None` if too little is right.
    pub fn read(section: &mut Section<'_>, site: &Path) -> Option<Self> {
        const KINDS: &[&str] = &["fhir", "file", "http", "mllp"];
        if !section.has("kind") {
            section.required_text("kind");
        }
        let kind = section.word("kind", KINDS);
        let retry = Retry::read(section);
        let on_ambiguous = match section.word_or("on_ambiguous", &["retry", "park"], 0) {
            1 => OnAmbiguous::Park,
            _ => OnAmbiguous::Retry,
        };
        let on_park = match section.word_or("on_park", &["pass", "block"], 0) {
            1 => OnPark::Block,
            _ => OnPark::Pass,
        };
        let breaker = BreakerConfig::read(section, &retry);
        let (place, key) = (section.place(), section.key().to_owned());
        let Some(kind) = kind else {
            pass_over(section);
            return None;
        };
        let classify = match KINDS.get(kind.value) {
            Some(&"mllp") => Classify::read(section, Codes::Hl7),
            Some(&"file") | None => Classify::default(),
            Some(_) => Classify::read(section, Codes::Http),
        };
        let kind = match kind.value {
            0 => KindConfig::Fhir(FhirConfig::read(section)?),
            1 => KindConfig::File(FileConfig::read(section, site)?),
            2 => KindConfig::Http(HttpConfig::read(section)?),
            _ => KindConfig::Mllp(MllpConfig::read(section)?),
        };
        Some(Self { place, key, kind, retry, on_ambiguous, on_park, breaker, classify })
    }

    /// Notes if the listener that application acknowledgements come to is none of these.
    pub fn check_ack_listener(&self, mllp_listeners: &[&str], problems: &Problems) {
        let Some(named) = self.ack_listener() else { return };
        if !mllp_listeners.contains(&named.value.as_str()) {
            let meant = did_you_mean(&named.value, mllp_listeners.iter().copied());
            let meant = meant.map(|it| format!("; did you mean \"{it}\"?")).unwrap_or_default();
            let text = format!("no MLLP listener is named \"{}\"{meant}", named.value);
            named.problem(problems, text);
        }
    }

    /// The listener that application acknowledgements of an `mllp` destination come to.
    pub fn ack_listener(&self) -> Option<&Placed<Name>> {
        match &self.kind {
            KindConfig::Mllp(mllp) => mllp.ack_listener.as_ref(),
            _ => None,
        }
    }
}

/// Reads the keys of every kind, where the kind is not known: they are not unknown, and a value of
/// the wrong type is a problem all the same.
fn pass_over(section: &mut Section<'_>) {
    for key in ["url", "folder", "extension", "address", "method", "content_type", "ack_listener"] {
        section.text(key);
    }
    section.duration("timeout");
    section.duration("connect_timeout");
    section.integer("connections_max", 1..=256);
    section.size("answer_bytes_max");
    section.boolean("append");
    section.size("file_bytes_max");
    section.section("on_answer");
    section.section("classify");
    section.section("headers");
    section.section("tls");
    section.section("auth");
    section.duration("application_timeout");
    section.duration("idle_timeout");
    section.duration("keepalive");
    section.boolean("enhanced");
}

/// Notes what is wrong with destinations beside each other and beside the gateway's `data` folder:
/// two that write into one folder would overwrite each other's files, and nothing but the journal
/// writes into its own.
pub fn check_together(all: &[&DestinationConfig], data: Option<&Path>, problems: &Problems) {
    for (index, this) in all.iter().enumerate() {
        let KindConfig::File(file) = &this.kind else {
            continue;
        };
        let same = |other: &&&DestinationConfig| matches!(&other.kind, KindConfig::File(it) if it.folder == file.folder);
        if let Some(other) = all.iter().take(index).find(same) {
            let text = format!("{} has this folder already; each needs one of its own", other.key);
            problems.push(&this.place, format!("{}.folder", this.key), text);
        }
        if data.is_some_and(|it| file.folder.starts_with(it)) {
            let text = "is in [gateway] data, where nothing but the gateway writes";
            problems.push(&this.place, format!("{}.folder", this.key), text);
        }
    }
}

#[cfg(test)]
mod tests;

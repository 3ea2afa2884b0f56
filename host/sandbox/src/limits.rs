//! Every limit of the sandbox, in one place.
//!
//! A [`Budget`] bounds one call. What a plugin gets is the smaller of what its manifest asks and
//! what the site allows, and never more than [`Budget::GATEWAY_MAX`]. [`EngineLimits`] bounds the
//! process.

use std::time::Duration;

use hilum_words::config::{Placed, Section};

/// What one call of a plugin may use. There is no `Default`: whoever calls has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Instructions, roughly; the same in every repetition.
    pub fuel: u64,
    /// All linear memories together.
    pub memory_bytes: u64,
    /// Time by the wall. It depends on the machine, so it only watches.
    pub wall: Duration,
    /// All that the call hands back, and all that one host call hands over.
    pub output_bytes: u64,
    /// Calls of the host; one that moves much counts as several ([`HOST_CALL_BYTES`]).
    pub host_calls: u64,
    /// Live handles of resources.
    pub handles: u64,
    /// Log text; what is more is cut.
    pub log_bytes: u64,
}

/// A host call counts as one, and one more for each so many bytes that it moves: copying is work of
/// the host, which fuel does not see.
pub const HOST_CALL_BYTES: u64 = 4096;

/// Outputs that one call may hand back.
pub const OUTPUTS_MAX: usize = 1_000;

/// Destinations that one output, or a router's answer, may name.
pub const DESTINATIONS_MAX: usize = 256;

/// Refusals that a validator may give.
pub const REFUSALS_MAX: usize = 100;

/// Characters of one text that a plugin writes for a person: a refusal, a question, a log line.
pub const TEXT_CHARACTERS_MAX: usize = 4_096;

/// Log lines that one call may write.
pub const LOG_LINES_MAX: usize = 1_000;

impl Budget {
    /// What a plugin gets where neither its manifest nor the site says anything.
    pub const DEFAULT: Self = Self {
        fuel: 50_000_000,
        memory_bytes: 32 << 20,
        wall: Duration::from_millis(500),
        output_bytes: 16 << 20,
        host_calls: 100_000,
        handles: 256,
        log_bytes: 64 << 10,
    };

    /// What no configuration can go beyond.
    pub const GATEWAY_MAX: Self = Self {
        fuel: 20_000_000_000,
        memory_bytes: 64 << 20,
        wall: Duration::from_secs(30),
        output_bytes: 64 << 20,
        host_calls: 10_000_000,
        handles: 4_096,
        log_bytes: 1 << 20,
    };

    /// The smaller of what the plugin asks and what the site allows, and never more than `max`. A
    /// site that says nothing allows [`Budget::DEFAULT`]; a plugin that says nothing asks for what
    /// the site allows.
    pub fn smaller(ask: &BudgetAsk, site: &BudgetAsk, max: &Self) -> Self {
        fn least<T: Copy + Ord>(ask: Option<T>, site: Option<T>, default: T, max: T) -> T {
            let allowed = site.unwrap_or(default);
            ask.unwrap_or(allowed).min(allowed).min(max)
        }
        let default = Self::DEFAULT;
        Self {
            fuel: least(ask.fuel, site.fuel, default.fuel, max.fuel),
            memory_bytes: least(
                ask.memory_bytes,
                site.memory_bytes,
                default.memory_bytes,
                max.memory_bytes,
            ),
            wall: least(ask.wall, site.wall, default.wall, max.wall),
            output_bytes: least(
                ask.output_bytes,
                site.output_bytes,
                default.output_bytes,
                max.output_bytes,
            ),
            host_calls: least(ask.host_calls, site.host_calls, default.host_calls, max.host_calls),
            handles: least(ask.handles, site.handles, default.handles, max.handles),
            log_bytes: least(ask.log_bytes, site.log_bytes, default.log_bytes, max.log_bytes),
        }
    }
}

/// What somebody says about a budget: `[budget]` of a manifest, `budget = { .. }` of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BudgetAsk {
    /// `fuel`
    pub fuel: Option<u64>,
    /// `memory`
    pub memory_bytes: Option<u64>,
    /// `wall`
    pub wall: Option<Duration>,
    /// `output`
    pub output_bytes: Option<u64>,
    /// `host_calls`
    pub host_calls: Option<u64>,
    /// `handles`
    pub handles: Option<u64>,
    /// `log`
    pub log_bytes: Option<u64>,
}

impl BudgetAsk {
    /// Reads `budget = { fuel = 20_000_000, memory = "16 MiB", wall = "200ms", output = "1 MiB",
    /// host_calls = 1000, handles = 16, log = "4 KiB" }`. More than the gateway's maximum is a
    /// problem.
    pub fn read(mut section: Section<'_>) -> Self {
        let max = Budget::GATEWAY_MAX;
        let size = |section: &mut Section<'_>, key: &str, max: u64| {
            let placed = section.size(key)?;
            within(section, key, placed, 1, max, |bytes| format!("{bytes} bytes"))
        };
        let ask = Self {
            fuel: section.integer("fuel", 1..=max.fuel).map(|it| it.value),
            memory_bytes: size(&mut section, "memory", max.memory_bytes),
            wall: section.duration("wall").and_then(|placed| {
                let least = Duration::from_millis(1);
                within(&section, "wall", placed, least, max.wall, |it| format!("{it:?}"))
            }),
            output_bytes: size(&mut section, "output", max.output_bytes),
            host_calls: section.integer("host_calls", 1..=max.host_calls).map(|it| it.value),
            handles: section.integer("handles", 1..=max.handles).map(|it| it.value),
            log_bytes: size(&mut section, "log", max.log_bytes),
        };
        section.finish();
        ask
    }
}

fn within<T: Copy + Ord>(
    section: &Section<'_>,
    key: &str,
    placed: Placed<T>,
    least: T,
    most: T,
    print: impl Fn(T) -> String,
) -> Option<T> {
    if least <= placed.value && placed.value <= most {
        return Some(placed.value);
    }
    section.problem_at(key, format!("must be from {} to {}", print(least), print(most)));
    None
}

/// Bounds of the engine, for the whole process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineLimits {
    /// Plugin calls at the same time; a further one waits.
    pub calls_max: u32,
    /// Bytes of a component: compiling takes time and memory in proportion.
    pub component_bytes_max: u64,
    /// How long a beat of the watch is; a wall limit is kept to about one beat.
    pub beat: Duration,
    /// What compiling one plugin may take.
    pub compile: CompileLimits,
}

/// What compiling one plugin may take, in the child that tries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Address space of the whole child.
    pub memory_bytes: u64,
    /// Time of the processor.
    pub processor_seconds: u64,
    /// Time by the wall: a machine that is busy is no fault of the plugin.
    pub wall: Duration,
}

impl CompileLimits {
    /// What every gateway gives. Compiling 18 MB of Python takes sixteen seconds.
    pub const DEFAULT: Self =
        Self { memory_bytes: 1 << 30, processor_seconds: 60, wall: Duration::from_secs(180) };
}

impl EngineLimits {
    /// For a gateway on so many cores, with two workers each: one call each, and two more for
    /// rehearsals.
    pub fn for_cores(cores: usize) -> Self {
        Self {
            calls_max: u32::try_from(2 * cores).unwrap_or(u32::MAX).clamp(1, 254) + 2,
            component_bytes_max: 32 << 20,
            beat: Duration::from_millis(5),
            compile: CompileLimits::DEFAULT,
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use hilum_words::Problems;
    use hilum_words::config::Document;

    use super::*;

    #[test]
    fn the_smaller_of_ask_and_site_counts_and_the_gateway_has_the_last_word() {
        let ask = BudgetAsk { fuel: Some(9), memory_bytes: Some(7 << 30), ..BudgetAsk::default() };
        let site = BudgetAsk {
            fuel: Some(10),
            memory_bytes: Some(8 << 30),
            wall: Some(Duration::from_millis(200)),
            ..BudgetAsk::default()
        };
        let budget = Budget::smaller(&ask, &site, &Budget::GATEWAY_MAX);
        assert_eq!(budget.fuel, 9);
        assert_eq!(budget.memory_bytes, Budget::GATEWAY_MAX.memory_bytes);
        assert_eq!(budget.wall, Duration::from_millis(200));
        assert_eq!(budget.host_calls, Budget::DEFAULT.host_calls);
    }

    #[test]
    fn a_plugin_cannot_ask_for_more_than_a_silent_site_allows() {
        let ask = BudgetAsk { fuel: Some(u64::MAX), ..BudgetAsk::default() };
        let budget = Budget::smaller(&ask, &BudgetAsk::default(), &Budget::GATEWAY_MAX);
        assert_eq!(budget.fuel, Budget::DEFAULT.fuel);
    }

    #[test]
    fn what_no_gateway_allows_is_a_problem() {
        let problems = Problems::default();
        let text = "[budget]\nfuel = 0\nmemory = \"1 GiB\"\nwall = \"5m\"\nfule = 3\n";
        let document = Document::parse("hilum.toml", text, &problems);
        let mut root = document.root(&problems);
        BudgetAsk::read(root.section("budget").expect("there"));
        let all: Vec<_> = problems.into_sorted().iter().map(ToString::to_string).collect();
        expect![[r#"
            hilum.toml:2  budget.fuel  must be from 1 to 20000000000
            hilum.toml:3  budget.memory  must be from 1 bytes to 67108864 bytes
            hilum.toml:4  budget.wall  must be from 1ms to 30s
            hilum.toml:5  budget.fule  unknown key; did you mean "fuel"?"#]]
        .assert_eq(&all.join("\n"));
    }
}

//! What can be typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// Letters of a reason, as the gateway counts them.
const REASON_CHARACTERS_MAX: usize = 1_000;

/// How many digits of a generation's digest name it.
const DIGITS_MIN: usize = 6;

/// A gateway between the systems of a hospital: messages in over MLLP, made durable, mapped by
/// sandboxed plugins that do not see the patient, and delivered.
#[derive(Debug, Parser)]
#[command(name = "hilum", version, about, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// What applies to every command.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What applies to every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The site's configuration; commands that ask a running gateway find it by this, too
    #[arg(
        short,
        long,
        global = true,
        env = "HILUM_CONFIG",
        value_name = "FILE",
        default_value = "/etc/hilum/hilum.toml"
    )]
    pub config: PathBuf,
    /// Tables for people or JSON for programs
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// When to use colour (`NO_COLOR` and `CLICOLOR_FORCE` are respected)
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Log more: -v for debug, -vv for trace
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Print results only
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// When colour is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway until SIGTERM or SIGINT
    Serve,
    /// Read and check the configuration, plugins and tables; start nothing
    Check,
    /// What the configuration says, and what it may say
    #[command(subcommand)]
    Config(Config),
    /// What the running gateway is doing
    Status {
        /// One value alone, for scripts: `counts.queued`, `listeners.adt-in.address`.
        #[arg(long, value_name = "PATH")]
        value: Option<String>,
    },
    /// Make what is in the site's folder the running configuration: shows what would change first
    Apply(Change),
    /// Make a generation that ran before the running configuration: shows what would change first
    Rollback {
        /// Which: six or more of the first digits of its digest; without it, the one before the
        /// running one
        #[arg(value_parser = parse_generation)]
        generation: Option<String>,
        /// How.
        #[command(flatten)]
        change: Change,
    },
    /// The generations that ran: configuration, plugins and tables under one digest
    #[command(subcommand)]
    Generation(Generation),
    /// Send HL7 messages over MLLP, and measure
    Send(Send),
    /// The messages that the gateway took
    #[command(subcommand)]
    Message(Message),
    /// What waits for a person
    #[command(subcommand)]
    Parked(Parked),
    /// Messages that a validator holds until a person decides
    #[command(subcommand)]
    Held(Held),
    /// Where results go
    #[command(subcommand)]
    Destination(Destination),
    /// The data folder of a gateway that is not running
    #[command(subcommand)]
    Store(Store),
    /// Write, build, inspect and try plugins
    #[command(subcommand)]
    Plugin(Plugin),
    /// Who sees and gets what, and why: read from the site's folder
    #[command(subcommand)]
    Policy(Policy),
    /// Certificates to try TLS with
    #[command(subcommand)]
    Pki(crate::command::pki::Pki),
    /// Compile a plugin within bounds: what the gateway starts before it does so itself
    #[command(hide = true)]
    CompileTrial(CompileTrial),
}

/// `hilum compile-trial`.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompileTrial {
    /// Address space.
    pub memory_bytes: u64,
    /// Time of the processor.
    pub processor_seconds: u64,
}

/// `hilum config …`.
#[derive(Clone, Debug, Subcommand)]
pub enum Config {
    /// Print the configuration, `conf.d` and the environment as one, each value with its origin
    Show {
        /// With the defaults of what nobody wrote
        #[arg(long)]
        effective: bool,
    },
    /// Print the JSON Schema of the configuration, for editors
    Schema,
}

/// `hilum policy …`.
#[derive(Clone, Debug, Subcommand)]
pub enum Policy {
    /// Print a message as a plugin or a destination would see it, with the rule behind each value
    Explain(PolicyExplain),
    /// Who sees what of each class, and which destination gets it: the whole site
    Matrix,
}

/// `hilum policy explain`.
#[derive(Clone, Debug, Args)]
pub struct PolicyExplain {
    /// The message: a file with HL7 v2, or FHIR in JSON
    pub message: PathBuf,
    /// As the first step of a route, by its name in the configuration
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "destination",
        conflicts_with = "destination"
    )]
    pub plugin: Option<String>,
    /// As a destination gets it if no plugin has touched it, by its name in the configuration
    #[arg(long, value_name = "NAME", required_unless_present = "plugin")]
    pub destination: Option<String>,
}

/// `hilum apply`, `hilum rollback`.
#[derive(Clone, Debug, Args)]
pub struct Change {
    /// Only show what would change
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Why; kept in the audit trail
    #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
    pub reason: Option<String>,
}

/// `hilum generation …`.
#[derive(Debug, Subcommand)]
pub enum Generation {
    /// Those that took over, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// One of them: its configuration, plugins and files
    Show {
        /// `current`, `before`, or six or more of the first digits of its digest
        #[arg(default_value = "current", value_parser = parse_generation)]
        generation: String,
    },
    /// What is different between two of them
    Diff {
        /// The older one: `current`, `before`, or six or more of the first digits of its digest
        #[arg(value_parser = parse_generation)]
        old: String,
        /// The newer one
        #[arg(default_value = "current", value_parser = parse_generation)]
        new: String,
    },
}

/// `hilum held …`.
#[derive(Debug, Subcommand)]
pub enum Held {
    /// Everything that is held
    List,
    /// Let them go on behind the validator that holds them
    Release {
        /// The ids of runs (`run_…`)
        #[arg(required = true)]
        ids: Vec<String>,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
        reason: String,
    },
    /// End these runs: nothing of them is sent
    ///
    /// The same message sent again begins anew where every run of it ended refused or parked; else it is
    /// known, and a listener with `ack = "processed"` answers AE, "refused by a person". The reason
    /// stays in the audit trail.
    Refuse {
        /// The ids of runs (`run_…`)
        #[arg(required = true)]
        ids: Vec<String>,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
        reason: String,
    },
}

/// `hilum destination …`.
#[derive(Debug, Subcommand)]
pub enum Destination {
    /// All of them, and what waits for them
    List,
    /// Let nothing go there until it is resumed; it stays so over a restart
    Pause {
        /// Its name in the configuration
        name: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
        reason: String,
    },
    /// Let it go on, and try now what waits for another attempt, paused or not
    Resume {
        /// Its name in the configuration
        name: String,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
        reason: String,
    },
}

/// `hilum send`.
#[derive(Clone, Debug, Args)]
pub struct Send {
    /// Files with one message each, or folders (their .hl7 files, sorted by name)
    #[arg(required = true, value_name = "FILE-OR-FOLDER")]
    pub paths: Vec<PathBuf>,
    /// Where to
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    pub to: String,
    /// How many connections at once; with one, messages arrive in order
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub connections: u16,
    /// Send everything N times, each message with a fresh control id (MSH-10)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: Option<u32>,
    /// How long to wait for a connection, and for each answer
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Duration,
    /// Whether and how TLS is spoken.
    #[command(flatten)]
    pub tls: Tls,
}

/// How a client speaks TLS. Any of these switches it on.
#[derive(Clone, Debug, Default, Args)]
pub struct Tls {
    /// Speak TLS with a receiver that the system's authorities vouch for
    #[arg(long)]
    pub tls: bool,
    /// Speak TLS with a receiver that these authorities vouch for (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The certificate to show (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// The name in the receiver's certificate, if it is not the host of --to
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
}

/// `hilum message …`.
#[derive(Debug, Subcommand)]
pub enum Message {
    /// The newest messages
    List {
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only those accepted before this one
        #[arg(long, value_name = "MESSAGE")]
        before: Option<String>,
    },
    /// One message: its body with patient data masked, its runs and its deliveries
    Show {
        /// The message's id (`msg_…`)
        id: String,
        /// Print the body as it came, patient data and all; audited before it prints
        #[arg(long, requires = "reason")]
        reveal: bool,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
        reason: Option<String>,
    },
    /// One message's whole way through the gateway
    Trace {
        /// The message's id (`msg_…`)
        id: String,
    },
}

/// `hilum parked …`.
#[derive(Debug, Subcommand)]
pub enum Parked {
    /// Everything that waits
    List,
    /// One of them, with its cause and its message's way
    Show {
        /// The id of the run or delivery (`run_…`, `dlv_…`)
        id: String,
    },
    /// Try again: a run with the current configuration; a delivery with the stored bytes, or, if nothing
    /// of it may leave, by its run, which goes to all its destinations again
    Replay {
        /// The ids of runs or deliveries (`run_…`, `dlv_…`)
        #[arg(required_unless_present = "all")]
        ids: Vec<String>,
        /// The oldest thousand of what is parked now
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
    /// Give up: it stays in the trail, and is not sent
    Discard {
        /// The ids of runs or deliveries (`run_…`, `dlv_…`)
        #[arg(required = true)]
        ids: Vec<String>,
        /// Why; kept in the audit trail
        #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
        reason: String,
    },
}

/// `hilum store …`.
#[derive(Debug, Subcommand)]
pub enum Store {
    /// Read every frame, and compare the trail with the state
    Check {
        /// The data folder; without it, the one of the configuration
        folder: Option<PathBuf>,
    },
}

/// What a plugin is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum World {
    /// It turns a message into others.
    Transformer,
    /// It chooses destinations.
    Router,
    /// It accepts, refuses or holds a message.
    Validator,
}

/// `hilum plugin …`.
#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// Make a Rust project that builds at once
    New {
        /// The folder to make; its name becomes the plugin's
        folder: PathBuf,
        /// What it is for
        #[arg(long, value_enum, default_value_t = World::Transformer)]
        world: World,
    },
    /// Build a plugin's folder into one component with its manifest
    Build {
        /// The folder with plugin.toml
        folder: PathBuf,
        /// Where the component goes; without it, into the folder
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// What a plugin can do, asks for, and is
    Inspect {
        /// The component
        file: PathBuf,
    },
    /// Run one message through the real sandbox and show everything that happened
    Run(PluginRun),
}

/// `hilum plugin run`.
#[derive(Clone, Debug, Args)]
pub struct PluginRun {
    /// The component
    pub file: PathBuf,
    /// The message; with --coverage also a folder of messages
    pub message: PathBuf,
    /// A table that the plugin asks for: a CSV file with the header `from,to`
    #[arg(long = "table", value_name = "NAME=FILE", value_parser = parse_pair)]
    pub tables: Vec<(String, String)>,
    /// A setting of the route
    #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub settings: Vec<(String, String)>,
    /// Take grants, budget, tables and settings from this site instead of the manifest's wishes
    #[arg(long, value_name = "FILE")]
    pub site: Option<PathBuf>,
    /// The names of the route's destinations, for a plugin that chooses among them
    #[arg(long, value_name = "NAME")]
    pub to: Vec<String>,
    /// What the destinations are cleared for: `treatment`, or a table as in hilum.toml:
    /// `{ open = ["date"], withhold = ["name"] }`; without it `treatment`, or what the site says
    #[arg(long, value_name = "CLEARANCE")]
    pub clearance: Option<String>,
    /// Print the cleared output alone
    #[arg(long)]
    pub output: bool,
    /// Print which rows of the mapping guide were used, and which values of the message, or of each
    /// message of a folder, went nowhere
    #[arg(long, conflicts_with = "output")]
    pub coverage: bool,
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    hilum_words::config::parse_duration(text)
        .filter(|it| !it.is_zero())
        .ok_or_else(|| "a span of time is written \"200ms\", \"30s\" or \"5m\"".to_owned())
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("is written NAME=VALUE".to_owned()),
    }
}

/// A reason, as the gateway takes it.
fn parse_reason(text: &str) -> Result<String, String> {
    let reason = text.trim();
    if reason.is_empty() {
        return Err("say why, in a line for the audit trail".to_owned());
    }
    if reason.chars().any(char::is_control) {
        return Err("must be one line".to_owned());
    }
    if REASON_CHARACTERS_MAX < reason.chars().count() {
        return Err(format!("must have at most {REASON_CHARACTERS_MAX} letters"));
    }
    Ok(reason.to_owned())
}

/// A generation's name, as the gateway takes it. It goes into a path: nothing else may.
fn parse_generation(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let is_digest = digits.bytes().all(|it| it.is_ascii_hexdigit());
    match text {
        "current" | "before" => Ok(text.to_owned()),
        _ if is_digest && DIGITS_MIN <= digits.len() => Ok(text.to_owned()),
        _ if is_digest => Err(format!("at least {DIGITS_MIN} digits of the digest are needed")),
        _ => Err(format!(
            "a generation is \"current\", \"before\", or the first digits of its digest, at least \
             {DIGITS_MIN}"
        )),
    }
}

/// `HOST:PORT`, so that a missing port is an error of usage and not of the network.
fn host_and_port(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    match port.map(|(_, port)| port.parse::<u16>()) {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err("must be a host and a port, such as 127.0.0.1:2575".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn revealing_needs_a_reason() {
        let typed = ["hilum", "message", "show", "msg_1", "--reveal"];
        assert!(Arguments::try_parse_from(typed).is_err());
        let typed = ["hilum", "message", "show", "msg_1", "--reveal", "--reason", "call 17"];
        assert!(Arguments::try_parse_from(typed).is_ok());
    }

    #[test]
    fn a_reason_says_something() {
        let refuse = |reason: &str| {
            let typed = ["hilum", "held", "refuse", "run_1", "--reason", reason];
            Arguments::try_parse_from(typed).map_err(|fault| fault.to_string())
        };
        assert!(refuse("wrong patient").is_ok());
        for reason in ["", "  ", "two\nlines", &"x".repeat(REASON_CHARACTERS_MAX + 1)] {
            let fault = refuse(reason).expect_err(reason);
            assert!(fault.contains("--reason <TEXT>"), "{fault}");
        }
        assert!(refuse("").expect_err("empty").contains("say why"));
    }

    #[test]
    fn a_generation_has_six_digits() {
        let roll_back = |name: &str| {
            let parsed = Arguments::try_parse_from(["hilum", "rollback", name]);
            parsed.map_err(|fault| fault.to_string())
        };
        for name in ["abc123", "sha256:abc123", "ABC1234", "before"] {
            assert!(roll_back(name).is_ok(), "{name}");
        }
        let fault = roll_back("abc").expect_err("too short");
        assert!(fault.contains("at least 6 digits"), "{fault}");
        for name in ["nothing", "", "../abcdef", "sha256:"] {
            assert!(roll_back(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_configuration_may_come_last() {
        let typed = ["hilum", "message", "list", "--format", "json", "-c", "x.toml"];
        let arguments = Arguments::try_parse_from(typed).expect("parses");
        assert_eq!(arguments.common.config, PathBuf::from("x.toml"));
        assert_eq!(arguments.common.format, Format::Json);
    }
}

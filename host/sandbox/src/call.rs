//! One call of a plugin, from a view to an answer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hilum_contract::outputs::{Body, Output};
use hilum_contract::types::{self, Refusal};
use hilum_contract::validator::exports::hilum::plugin::check::Verdict;
use hilum_policy::{Seals, Sights, View};
use hilum_words::{MessageId, Name, Reason, Rejection, Timestamp};
use wasmtime::{Store, Trap};

use crate::capability::log::{Level, LogLine, plain};
use crate::capability::{drafts, log, message, settings, tables};
use crate::engine::Entry;
use crate::guest::{Guest, Memory, Meter, Stop};
use crate::limits::{DESTINATIONS_MAX, OUTPUTS_MAX, REFUSALS_MAX, TEXT_CHARACTERS_MAX};
use crate::{Budget, Limit, Plugin, PluginFault, Rule, Table};

/// Bytes of a destination's name.
const NAME_BYTES_MAX: usize = 128;

/// Bytes that the engine may move for one answer beside the output itself.
const ANSWER_BYTES: u64 = 64 << 10;

/// What one call is about, and what is lent to it.
pub struct Call {
    /// The message, as policy lets the plugin see it.
    pub view: View,
    /// What is known about it beside its content.
    pub facts: Facts,
    /// The settings of the route.
    pub settings: Arc<BTreeMap<String, String>>,
    /// The tables that the plugin asks for and the site grants.
    pub tables: Arc<BTreeMap<Name, Arc<Table>>>,
    /// All tables of the site, so that "unknown" and "ungranted" are told apart.
    pub tables_known: Arc<Vec<Name>>,
}

/// What is known about a message beside its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its id.
    pub id: MessageId,
    /// When the gateway accepted it: the only clock that a plugin has.
    pub received: Timestamp,
}

/// What came of a call.
pub struct Called {
    /// The plugin's answer, or how it broke the rules.
    pub result: Result<Answered, PluginFault>,
    /// What its tokens stand for.
    pub seals: Arc<Seals>,
    /// What it did.
    pub report: Report,
}

/// What a plugin answers.
#[derive(Clone)]
pub enum Answered {
    /// A transformer's outputs; none at all means that there is nothing to send.
    Mapped(Vec<Made>),
    /// A router's destinations; none at all means that there is nothing to send.
    Routed(Vec<String>),
    /// A validator has nothing against it.
    Accepted,
    /// Any plugin refuses the message: at least one reason, searched for PHI.
    Refused(Vec<Rejection>),
    /// A validator wants a person to decide this, searched for PHI.
    Held(String),
}

impl Answered {
    /// The word that is printed and counted.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Mapped(_) => "mapped",
            Self::Routed(_) => "routed",
            Self::Accepted => "accepted",
            Self::Refused(_) => "refused",
            Self::Held(_) => "held",
        }
    }
}

impl fmt::Debug for Answered {
    // Bodies and names of destinations come from a guest that may have seen open values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mapped(made) => f.debug_tuple("Mapped").field(made).finish(),
            Self::Routed(names) => write!(f, "Routed({} destinations)", names.len()),
            Self::Accepted => f.write_str("Accepted"),
            Self::Refused(why) => f.debug_tuple("Refused").field(why).finish(),
            Self::Held(why) => f.debug_tuple("Held").field(why).finish(),
        }
    }
}

/// One output of a transformer, with tokens in the places of sealed values.
#[derive(Clone)]
pub struct Made {
    /// Its format; none means the format of the message.
    pub format: Option<String>,
    /// Destinations of the route by name; an empty list means all of them. They come from the
    /// plugin: compare them, never print them.
    pub destinations: Vec<String>,
    /// The bytes.
    pub body: Bytes,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made")
            .field("format", &self.format)
            .field("destinations", &self.destinations.len())
            .field("bytes", &self.body.len())
            .finish()
    }
}

/// What a call did, for the trail.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Fuel burnt. After a trap the whole budget: the engine no longer knows how much it was.
    pub fuel: u64,
    /// Time by the wall.
    pub wall: Duration,
    /// The most that its memories had together.
    pub memory_bytes: u64,
    /// What it saw: opened, sealed, withheld, by class.
    pub sights: Sights,
    /// Calls of the host.
    pub host_calls: u64,
    /// Requests that policy denied, by capability.
    pub denials: BTreeMap<&'static str, u64>,
    /// What it logged, searched for PHI.
    pub log: Vec<LogLine>,
    /// Bytes of log that were cut off.
    pub log_cut_bytes: u64,
    /// The last `error` line before a fault: what the plugin says about it.
    pub said: Option<String>,
}

impl Plugin {
    /// Calls the plugin once. Blocks until it has answered or a limit has stopped it, so do it off
    /// the async threads.
    pub fn call(&self, call: Call, budget: &Budget) -> Called {
        if let Some(native) = &self.native {
            return native.call(call);
        }
        let sandbox = &*self.sandbox;
        let _seat = sandbox.seats.take();
        let started = sandbox.clock.instant();
        let _watched = sandbox.watch.start();
        let beats = sandbox.watch.beats_of(budget.wall);
        let guest = Guest {
            view: call.view,
            meter: Meter::new(budget, Arc::clone(&sandbox.watch), beats),
            memory: Memory::new(budget),
            denials: BTreeMap::new(),
            message: message::lend(&call.facts),
            drafts: drafts::lend(budget),
            log: log::lend(budget.log_bytes),
            tables: tables::lend(call.tables, call.tables_known),
            settings: settings::lend(call.settings),
        };
        let mut store = Store::new(&sandbox.engine, guest);
        let raw = self.run(&mut store, budget, beats);
        let fuel_left = store.get_fuel().unwrap_or(0);
        // The instance and its memory go here, before anything is made of the answer.
        let mut guest = store.into_data();
        let result = match raw {
            Ok(raw) => raw.checked(&guest.view, &mut guest.drafts, budget, &self.manifest().gives),
            Err(error) => Err(fault(&error)),
        };
        let is_trapped =
            matches!(&result, Err(fault) if !matches!(fault, PluginFault::Misbehaved(_)));
        let fuel = if is_trapped { budget.fuel } else { budget.fuel.saturating_sub(fuel_left) };
        let log_cut_bytes = guest.log.cut_bytes;
        let log = guest.log.finish(|text| guest.view.scrub(text));
        let last_error = log.iter().rev().find(|it| it.level == Level::Error);
        let said = last_error.filter(|_| result.is_err()).map(|it| it.text.clone());
        let (seals, sights) = guest.view.finish();
        let report = Report {
            fuel,
            wall: sandbox.clock.instant().since(started),
            memory_bytes: guest.memory.bytes,
            sights,
            host_calls: guest.meter.host_calls,
            denials: guest.denials,
            log,
            log_cut_bytes,
            said,
        };
        Called { result, seals, report }
    }

    fn run(&self, store: &mut Store<Guest>, budget: &Budget, beats: u64) -> wasmtime::Result<Raw> {
        // In this order: the counts of a limiter are read when it is set.
        store.limiter(|guest| &mut guest.memory);
        store.set_fuel(budget.fuel)?;
        store.set_epoch_deadline(beats);
        let moved = budget.output_bytes.saturating_mul(2).saturating_add(ANSWER_BYTES);
        store.set_hostcall_fuel(usize::try_from(moved).unwrap_or(usize::MAX));
        store.set_max_component_handles(usize::try_from(budget.handles).unwrap_or(usize::MAX));
        Ok(match &self.entry {
            Entry::Transformer(entry) => {
                let plugin = entry.instantiate(&mut *store)?;
                Raw::Transformer(plugin.hilum_plugin_transform().call_run(store)?)
            }
            Entry::Router(entry) => {
                let plugin = entry.instantiate(&mut *store)?;
                Raw::Router(plugin.hilum_plugin_route().call_run(store)?)
            }
            Entry::Validator(entry) => {
                let plugin = entry.instantiate(&mut *store)?;
                Raw::Validator(plugin.hilum_plugin_check().call_run(store)?)
            }
        })
    }
}

/// Whose fault it is that a call ended. Reads the engine's own types and, for two limits that it
/// has no type for, its sentence; nothing of what the guest wrote gets out here.
fn fault(error: &wasmtime::Error) -> PluginFault {
    if let Some(Stop(fault)) = error.downcast_ref::<Stop>() {
        return *fault;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return PluginFault::OutOfFuel,
        Some(Trap::Interrupt) => return PluginFault::TimedOut,
        Some(trap) => return PluginFault::Trapped(kind(*trap)),
        None => {}
    }
    let reason = error.root_cause().to_string();
    if reason.contains("store handle limit exceeded") {
        return PluginFault::OverLimit(Limit::Handles);
    }
    if reason.contains("fuel allocated for hostcalls has been exhausted") {
        return PluginFault::OverLimit(Limit::OutputBytes);
    }
    PluginFault::Trapped("it broke a rule of the component model")
}

/// The engine's word for a kind of trap.
const fn kind(trap: Trap) -> &'static str {
    match trap {
        Trap::StackOverflow => "its call stack is exhausted",
        Trap::MemoryOutOfBounds => "it reached outside its memory",
        Trap::TableOutOfBounds => "it reached outside a table",
        Trap::IndirectCallToNull | Trap::BadSignature => "it called a function that is not there",
        Trap::IntegerOverflow => "an integer overflowed",
        Trap::IntegerDivisionByZero => "it divided by zero",
        Trap::BadConversionToInteger => "a number does not fit an integer",
        Trap::UnreachableCodeReached => "it gave up (a panic, in most languages)",
        _ => "it broke a rule of the component model",
    }
}

/// What came out of the guest, unchecked.
enum Raw {
    Transformer(Result<Vec<Output>, Refusal>),
    Router(Result<Vec<String>, Refusal>),
    Validator(Verdict),
}

impl Raw {
    /// Turns it into an answer, within the rules of the contract.
    fn checked(
        self,
        view: &View,
        drafts: &mut drafts::Loan,
        budget: &Budget,
        gives: &[String],
    ) -> Result<Answered, PluginFault> {
        match self {
            Self::Transformer(Ok(outputs)) => mapped(outputs, view, drafts, budget, gives),
            Self::Router(Ok(names)) => {
                check_names(&names)?;
                check_bytes(names.iter().map(String::len), budget)?;
                Ok(Answered::Routed(names))
            }
            Self::Transformer(Err(refusal)) | Self::Router(Err(refusal)) => {
                Ok(Answered::Refused(vec![rejection(refusal, view)]))
            }
            Self::Validator(Verdict::Accept) => Ok(Answered::Accepted),
            Self::Validator(Verdict::Refuse(refusals)) if refusals.is_empty() => {
                Err(PluginFault::Misbehaved(Rule::RefusalWithoutReason))
            }
            Self::Validator(Verdict::Refuse(refusals)) => {
                if REFUSALS_MAX < refusals.len() {
                    return Err(PluginFault::OverLimit(Limit::Outputs));
                }
                let rejections = refusals.into_iter().map(|it| rejection(it, view));
                Ok(Answered::Refused(rejections.collect()))
            }
            Self::Validator(Verdict::Hold(text)) => Ok(Answered::Held(told(&text, view))),
        }
    }
}

fn mapped(
    outputs: Vec<Output>,
    view: &View,
    drafts: &mut drafts::Loan,
    budget: &Budget,
    gives: &[String],
) -> Result<Answered, PluginFault> {
    if OUTPUTS_MAX < outputs.len() {
        return Err(PluginFault::OverLimit(Limit::Outputs));
    }
    let mut made = Vec::new();
    for output in outputs {
        if output.format.as_deref().is_some_and(|it| !crate::is_format(it)) {
            return Err(PluginFault::Misbehaved(Rule::FormatWord));
        }
        // The name goes into URLs, headers and the trail, where nobody searches it: a plugin that
        // could choose it freely could put a value of the message there.
        if !output.format.as_deref().is_none_or(|it| may_give(it, view.format(), gives)) {
            return Err(PluginFault::Misbehaved(Rule::FormatNotGiven));
        }
        check_names(&output.destinations)?;
        let mut format = output.format;
        let body = match output.body {
            Body::Bytes(bytes) => Bytes::from(bytes),
            Body::Text(text) => {
                let encoded = view.encoded(format.as_deref().unwrap_or(view.format()), text);
                encoded.ok_or(PluginFault::Misbehaved(Rule::Letters))?
            }
            Body::Draft(draft) => {
                let draft = drafts.take(&draft);
                let draft = draft.ok_or(PluginFault::Misbehaved(Rule::UnknownDraft))?;
                format.get_or_insert_with(|| draft.format().to_owned());
                draft.finish().map_err(|_| PluginFault::Misbehaved(Rule::UnreadableDraft))?
            }
        };
        made.push(Made { format, destinations: output.destinations, body });
    }
    let lengths = made
        .iter()
        .map(|it| it.body.len() + it.destinations.iter().map(String::len).sum::<usize>());
    check_bytes(lengths, budget)?;
    Ok(Answered::Mapped(made))
}

/// Whether a plugin may make an output of this format: its manifest says that it gives it, or the
/// message has it, or the gateway reads it itself.
fn may_give(format: &str, current: &str, gives: &[String]) -> bool {
    let named = |it: &String| it.split(':').next() == Some(format);
    format == current || hilum_message::is_structured(format) || gives.iter().any(named)
}

fn check_bytes(lengths: impl Iterator<Item = usize>, budget: &Budget) -> Result<(), PluginFault> {
    let total = lengths.fold(0u64, |sum, it| sum.saturating_add(it as u64));
    if budget.output_bytes < total {
        return Err(PluginFault::OverLimit(Limit::OutputBytes));
    }
    Ok(())
}

fn check_names(names: &[String]) -> Result<(), PluginFault> {
    if DESTINATIONS_MAX < names.len() {
        return Err(PluginFault::OverLimit(Limit::Outputs));
    }
    let is_name = |it: &String| it.len() <= NAME_BYTES_MAX && !it.chars().any(char::is_control);
    if !names.iter().all(is_name) {
        return Err(PluginFault::Misbehaved(Rule::DestinationName));
    }
    Ok(())
}

fn rejection(refusal: Refusal, view: &View) -> Rejection {
    let reason = match refusal.reason {
        types::Reason::RequiredMissing => Reason::RequiredMissing,
        types::Reason::ValueInvalid => Reason::ValueInvalid,
        types::Reason::Unsupported => Reason::Unsupported,
        types::Reason::UnknownCode => Reason::UnknownCode,
        types::Reason::Inconsistent => Reason::Inconsistent,
        types::Reason::Application => Reason::Application,
    };
    // A path that does not parse is no place, and digits of a path could be a birth date.
    let at = refusal.path.filter(|path| view.is_path(path) && view.scrub(path) == *path);
    Rejection { reason, at, text: told(&refusal.text, view) }
}

/// A text for a person: searched for PHI, cut, on one line.
fn told(text: &str, view: &View) -> String {
    // More than is kept is searched: half a value at the cut is not recognised as one.
    let searched = text.floor_char_boundary(2 * TEXT_CHARACTERS_MAX);
    let scrubbed = view.scrub(text.get(..searched).unwrap_or_default());
    plain(scrubbed.get(..scrubbed.floor_char_boundary(TEXT_CHARACTERS_MAX)).unwrap_or_default())
}

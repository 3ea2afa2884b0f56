//! Engine, packages, budgets: one plugin call and nothing left behind.
//!
//! A [`Package`] is a plugin as a file, read and checked. [`Sandbox::load`] compiles and links it
//! into a [`Plugin`], after a child of the gateway has tried to compile it. [`Plugin::call`] runs it once on one [`View`](hilum_policy::View): a fresh
//! instance, a [`Budget`], an answer or a [`PluginFault`], and a [`Report`] of what it did.
//!
//! Promises: every call ends; a plugin gets the contract's interfaces and nothing else; an instance
//! serves one call; what a plugin writes for a person has been searched for PHI before it is here;
//! same view, budget and plugin give the same answer and the same fuel.
//! Not here: what a plugin may see (`hilum_policy`), what becomes of its answer (`hilum_pipeline`).

mod call;
mod capability;
mod engine;
mod fault;
mod grants;
mod guest;
mod limits;
mod native;
mod package;
mod table;
mod trial;
mod watch;

pub use hilum_contract::World;

pub use call::{Answered, Call, Called, Facts, Made, Report};
pub use capability::log::{Level, LogLine};
pub use engine::{LoadProblem, Plugin, Sandbox, SandboxError};
pub use fault::{Limit, PluginFault, Rule};
pub use grants::{Allowed, Grants};
pub use limits::{
    Budget, BudgetAsk, CompileLimits, DESTINATIONS_MAX, EngineLimits, HOST_CALL_BYTES,
    LOG_LINES_MAX, OUTPUTS_MAX, REFUSALS_MAX, TEXT_CHARACTERS_MAX,
};
pub use native::Native;
pub use package::{
    Asks, Extern, MANIFEST_SECTION, Manifest, Misfit, Package, PackageProblem, PhiAsk,
};
pub use table::{TABLE_BYTES_MAX, Table};
pub use trial::{Excess, NOT_TAKEN, TRIAL, TRIAL_STACK_BYTES, compile_trial};

/// The version of the engine. Fuel is the same in every repetition but moves between versions, so
/// it stands beside every figure.
pub const ENGINE: &str = "wasmtime 48.0.8";

/// Whether a text can be the name of a format: `hl7v2`, `fhir-json`.
pub(crate) fn is_format(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
}

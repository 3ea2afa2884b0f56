//! One file per command.

mod apply;
mod check;
pub mod compile_trial;
mod config;
mod destination;
mod generation;
mod held;
mod message;
mod parked;
pub mod pki;
mod plugin;
mod policy;
mod send;
mod serve;
mod status;
mod store;
mod trail;

use std::sync::Arc;

use anyhow::Context as _;
use hilum_env::Doors;
use hilum_env::system::SystemChildren;

use crate::arguments::{Arguments, Command, Common};
use crate::client::Client;
use crate::exit::Exit;
use crate::output::Output;

/// What every command is given.
pub struct Context {
    /// What applies to every command.
    pub common: Common,
    /// The real doors.
    pub doors: Doors,
    /// Where results go.
    pub output: Output,
}

impl Context {
    /// The running gateway of the configuration.
    fn client(&self) -> anyhow::Result<Client<'_>> {
        Client::new(&self.doors, &self.common.config)
    }
}

/// Runs one command to its end.
pub fn run(arguments: Arguments) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("threads cannot be started")?;
    let doors = Doors {
        children: Arc::new(SystemChildren::of_this_program()),
        ..hilum_env::system::doors(runtime.handle().clone())
    };
    // Plugins, the journal and couriers log as they do under `serve`; at a desk only what matters.
    let usual = if matches!(arguments.command, Command::Serve) { "info" } else { "warn" };
    crate::log::start(&arguments.common, Arc::clone(&doors.clock), usual);
    let output = Output::new(&arguments.common);
    let context = Context { common: arguments.common, doors, output };
    let ended = runtime.block_on(dispatch(&context, arguments.command));
    // Blocking calls that are still under way have nobody left who waits for them.
    runtime.shutdown_background();
    ended
}

async fn dispatch(context: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Serve => serve::run(context).await,
        Command::Check => check::run(context),
        Command::Config(command) => config::run(context, &command),
        Command::Status { value } => status::run(context, value.as_deref()).await,
        Command::Apply(change) => apply::run(context, &change).await,
        Command::Rollback { generation, change } => {
            apply::roll_back(context, generation.as_deref(), &change).await
        }
        Command::Generation(command) => generation::run(context, command).await,
        Command::Send(arguments) => send::run(context, arguments).await,
        Command::Message(command) => message::run(context, command).await,
        Command::Parked(command) => parked::run(context, command).await,
        Command::Held(command) => held::run(context, command).await,
        Command::Destination(command) => destination::run(context, command).await,
        Command::Store(command) => store::run(context, command),
        Command::Plugin(command) => plugin::run(context, command),
        Command::Policy(command) => policy::run(context, &command),
        Command::Pki(command) => pki::run(context, &command),
        Command::CompileTrial(_) => anyhow::bail!("a trial runs without a runtime"),
    }
}

//! The parts of one message's way through a worker, each on its own, on one thread.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use hilum_gateway::Checked;
use hilum_message::Message;
use hilum_pipeline::{Fate, Route, Run, process};
use hilum_policy::{Input, RunSeed, Template, View};
use hilum_sandbox::{Answered, Budget, Call, Called, Facts, Native, Package, Sandbox};
use hilum_words::{MessageId, RunId, Timestamp};

use crate::messages::Messages;
use crate::native::AdtToFhir;
use crate::{fastest, guests};

/// A message and the route that it takes.
pub struct Stages {
    checked: Checked,
    bytes: Bytes,
    message: Arc<Message>,
    route: Arc<Route>,
    run: Run,
    sandbox: Sandbox,
    _runtime: tokio::runtime::Runtime,
}

/// How long one part takes.
pub struct Stage {
    /// What is done.
    pub name: &'static str,
    /// The fastest of many.
    pub took: Duration,
}

impl Stages {
    /// On the route `adt` of this site.
    pub fn new(site: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Runtime::new()?;
        let doors = hilum_env::system::doors(runtime.handle().clone());
        let checked = hilum_gateway::check(&site.join("hilum.toml"), &doors)
            .map_err(|problems| anyhow!("{problems:?}"))?;
        let bytes = Bytes::from(Messages::new("S").message(1));
        let message = Arc::new(Message::parse("hl7v2", bytes.clone())?);
        let route = checked.generation.routes.named("adt").context("no route adt")?;
        let route = Arc::clone(route);
        let at = Timestamp::from_micros(1_795_510_800_000_000);
        let run = Run {
            id: RunId::new(at, [1; 10]),
            message: MessageId::new(at, [2; 10]),
            received: at,
            seed: RunSeed([7; 16]),
            route: Arc::clone(&route),
            from_step: 0,
        };
        let sandbox = Sandbox::new(&doors)?;
        Ok(Self { checked, bytes, message, route, run, sandbox, _runtime: runtime })
    }

    fn view(&self) -> Result<View> {
        let step = self.route.steps.first().context("no step")?;
        let input = Input::Message(self.message.joined());
        Ok(self.checked.generation.policy.view(input, &step.grant, self.run.seed, 0))
    }

    /// What a call gets.
    fn asked(&self) -> Result<Call> {
        let step = self.route.steps.first().context("no step")?;
        Ok(Call {
            view: self.view()?,
            facts: Facts { id: self.run.message, received: self.run.received },
            settings: Arc::clone(&self.route.settings),
            tables: Arc::clone(&step.tables),
            tables_known: Arc::clone(&step.tables_known),
        })
    }

    /// Calls the plugin.
    pub fn call(&self) -> Result<Called> {
        let step = self.route.steps.first().context("no step")?;
        Ok(step.plugin.call(self.asked()?, &step.budget))
    }

    /// What a call costs that does nothing, and what one field read and one copy of the body do.
    pub fn calls(&self) -> Result<Vec<Stage>> {
        let took = |component: Vec<u8>| -> Result<Duration> {
            let bytes_max = self.sandbox.limits().component_bytes_max;
            let package = Package::read(Bytes::from(component), bytes_max)?;
            let plugin = self.sandbox.load(&package)?;
            let one = || self.asked().map(|call| plugin.call(call, &Budget::DEFAULT).result);
            match one()? {
                Ok(Answered::Accepted) => Ok(fastest(one)),
                other => bail!("the guest does not accept: {other:?}"),
            }
        };
        let empty = took(guests::empty()?)?;
        // The view is made once for all copies of the body.
        let view = fastest(|| self.view().map(|mut it| it.body()));
        let copies = took(guests::copies()?)?.saturating_sub(empty + view) / guests::TIMES;
        let reads = took(guests::reads()?)?.saturating_sub(empty) / guests::TIMES;
        let one = |name, took| Stage { name, took };
        Ok(vec![
            one("a call that does nothing", empty),
            one("one field read (sealed)", reads),
            one("one copy of the body", copies),
        ])
    }

    fn output(&self, called: &Called) -> Result<Template> {
        let made = match &called.result {
            Ok(Answered::Mapped(made)) => made.first().context("no output")?,
            Ok(other) => bail!("the plugin answered {other:?}"),
            Err(fault) => bail!("{fault}"),
        };
        let format = made.format.as_deref().unwrap_or("hl7v2");
        let policy = &self.checked.generation.policy;
        Ok(policy.output(&called.seals, format, made.body.clone())?)
    }

    /// The whole of a worker's decision.
    pub fn whole(&self) -> Result<()> {
        let message = Arc::new(Message::parse("hl7v2", self.bytes.clone())?);
        let mut reports = Vec::new();
        match process(&self.checked.generation.policy, &self.run, &message, &mut reports) {
            Fate::Dispatched(parcels) if parcels.iter().all(|it| it.content.is_ok()) => Ok(()),
            _ => bail!("the run was not dispatched"),
        }
    }

    /// Each part, and the whole at the end.
    pub fn measure(&self) -> Result<Vec<Stage>> {
        let policy = &self.checked.generation.policy;
        let called = self.call()?;
        let template = Input::Template(Arc::new(self.output(&called)?));
        let to = self.route.to.first().context("no destination")?;
        self.whole()?;
        let view = || self.view().map(|mut it| it.text());
        let one = |name, took| Stage { name, took };
        Ok(vec![
            one("parse", fastest(|| Message::parse("hl7v2", self.bytes.clone()))),
            one("sealed view as text", fastest(view)),
            one("plugin call", fastest(|| self.call())),
            one("  as a native function", fastest(|| self.asked().map(|it| AdtToFhir.call(it)))),
            one("output read", fastest(|| self.output(&called))),
            one("cleared", fastest(|| policy.clear(&template, &self.message, &to.clearance))),
            one("whole decision", fastest(|| self.whole())),
        ])
    }

    /// What a call uses and makes: fuel, host calls, bytes of outputs.
    pub fn uses(&self) -> Result<String> {
        let called = self.call()?;
        let Ok(Answered::Mapped(made)) = &called.result else { bail!("it does not map") };
        let bytes: usize = made.iter().map(|it| it.body.len()).sum();
        let (fuel, calls) = (called.report.fuel, called.report.host_calls);
        Ok(format!("{fuel} fuel, {calls} host calls, {bytes} bytes of output"))
    }

    /// Does one part for a while, for a profiler.
    pub fn repeat(&self, name: &str, lasts: Duration) -> Result<()> {
        let policy = &self.checked.generation.policy;
        let called = self.call()?;
        let template = Input::Template(Arc::new(self.output(&called)?));
        let to = self.route.to.first().context("no destination")?;
        let start = std::time::Instant::now();
        while start.elapsed() < lasts {
            match name {
                "view" => drop(self.view()?.text()),
                "call" => drop(self.call()?),
                "output" => drop(self.output(&called)?),
                "clear" => drop(policy.clear(&template, &self.message, &to.clearance)),
                "whole" => self.whole()?,
                other => bail!("no part is called {other}"),
            }
        }
        Ok(())
    }
}

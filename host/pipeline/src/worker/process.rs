use std::sync::Arc;

use bytes::Bytes;
use hilum_message::Message;
use hilum_policy::{ClearFault, Input, Policy, RunSeed, Template};
use hilum_sandbox::{Answered, Call, Called, Facts, Made, PluginFault, World};
use hilum_words::{Cause, CauseWord, Digest, MessageId, Name, RunId, Timestamp};

use crate::{Fate, Parcel, Reports, Route, StepPlan, StepReport};

/// One message on one route, in memory.
pub struct Run {
    /// The run.
    pub id: RunId,
    /// The message.
    pub message: MessageId,
    /// When it was accepted: the only clock that a plugin has.
    pub received: Timestamp,
    /// The seed of its tokens.
    pub seed: RunSeed,
    /// Its route, in the generation it is pinned to.
    pub route: Arc<Route>,
    /// The step that it begins with, counted from 0: the one after the validator that held it, once a
    /// person has released it.
    pub from_step: usize,
}

impl Run {
    /// Whether a step is behind the run: a validator is not asked again. What another kind of step
    /// made is made again, since it is not kept; it comes out the same.
    fn is_behind(&self, index: usize, step: &StepPlan) -> bool {
        index < self.from_step && step.plugin.world() == World::Validator
    }
}

/// Decides what becomes of one run. Every decision is on this page; nothing here waits, writes or
/// sends: the caller commits the fate.
pub fn process(policy: &Policy, run: &Run, message: &Arc<Message>, reports: &mut Reports) -> Fate {
    let steps = &run.route.steps;
    let mut outputs = Outputs::of(message.joined(), run.route.to.len());
    for (index, step) in steps.iter().enumerate().filter(|(it, step)| !run.is_behind(*it, step)) {
        let is_last = index + 1 == steps.len();
        let Some(input) = outputs.only() else {
            return Fate::Parked(Cause::new(CauseWord::SeveralOutputs, step.name.as_str()));
        };
        let format = input.format().to_owned();
        let view = policy.view(input.clone(), &step.grant, run.seed, index);
        let view = view.with_constants(constants(run, step));
        let called = step.plugin.call(call_of(run, step, view), &step.budget);
        let mut report = report_of(step, input, called.report);
        report.answered = called.result.as_ref().ok().map(Answered::word);
        let decided = match called.result {
            Ok(Answered::Accepted) => None,
            Ok(Answered::Routed(names)) => {
                outputs.narrow(&run.route, &names).err().map(Fate::Parked)
            }
            Ok(Answered::Mapped(made)) if is_last || is_plain(&made) => {
                match outputs.replaced(policy, &run.route, made, &called.seals, &format) {
                    Ok(()) => None,
                    Err(cause) => Some(Fate::Parked(cause)),
                }
            }
            Ok(Answered::Mapped(_)) => {
                let detail = format!("{} is not the route's last step", step.name);
                Some(Fate::Parked(Cause::new(CauseWord::SeveralOutputs, detail)))
            }
            Ok(Answered::Refused(why)) => Some(Fate::Refused(why)),
            Ok(Answered::Held(why)) => Some(Fate::Held { why, step: index }),
            // The wall limit depends on the machine; fuel does not, so it never retries.
            Err(PluginFault::TimedOut) => {
                report.fault = Some(PluginFault::TimedOut.to_string());
                Some(Fate::Again)
            }
            Err(fault) => {
                report.fault = Some(fault.to_string());
                let detail = format!("{}: {fault}", step.name);
                Some(Fate::Parked(Cause::new(CauseWord::PluginFault, detail)))
            }
        };
        // A step that was the end of the run made nothing: what it was given is no output of it.
        if decided.is_none() {
            report.outputs = outputs.digests();
        }
        reports.push(report);
        if let Some(fate) = decided {
            return fate;
        }
        if outputs.all.is_empty() {
            break;
        }
    }
    outputs.cleared(policy, &run.route, message)
}

/// Calls the route's first step, for those who ask what it makes before it is cleared.
pub(crate) fn call_first(policy: &Policy, run: &Run, message: &Arc<Message>) -> Option<Called> {
    let step = run.route.steps.first()?;
    let view = policy.view(Input::Message(message.joined()), &step.grant, run.seed, 0);
    let view = view.with_constants(constants(run, step));
    Some(step.plugin.call(call_of(run, step, view), &step.budget))
}

fn call_of(run: &Run, step: &StepPlan, view: hilum_policy::View) -> Call {
    Call {
        view,
        facts: Facts { id: run.message, received: run.received },
        settings: Arc::clone(&run.route.settings),
        tables: Arc::clone(&step.tables),
        tables_known: Arc::clone(&step.tables_known),
    }
}

/// What a step may write of itself: what its component holds, and the route's settings.
fn constants(run: &Run, step: &StepPlan) -> Vec<Bytes> {
    let settings = run.route.settings.values().map(|it| Bytes::copy_from_slice(it.as_bytes()));
    std::iter::once(step.plugin.component().clone()).chain(settings).collect()
}

fn report_of(step: &StepPlan, input: &Input, report: hilum_sandbox::Report) -> StepReport {
    StepReport {
        step: step.name.clone(),
        plugin: step.plugin.name().clone(),
        digest: step.plugin.digest(),
        input: input.digest(),
        outputs: Vec::new(),
        answered: None,
        report,
        fault: None,
        world: step.plugin.world(),
    }
}

/// Whether a step that is not the last one may answer so: one output, for everybody, or none.
fn is_plain(made: &[Made]) -> bool {
    made.len() <= 1 && made.iter().all(|it| it.destinations.is_empty())
}

/// What a run carries from step to step: bodies, and for each the destinations it goes to.
struct Outputs {
    all: Vec<(Input, Vec<usize>)>,
    /// What routers have left of the route's destinations.
    allowed: Vec<usize>,
}

impl Outputs {
    fn of(message: Arc<Message>, destinations: usize) -> Self {
        let allowed: Vec<usize> = (0..destinations).collect();
        Self { all: vec![(Input::Message(message), allowed.clone())], allowed }
    }

    fn only(&self) -> Option<&Input> {
        match self.all.as_slice() {
            [(input, _)] => Some(input),
            _ => None,
        }
    }

    fn digests(&self) -> Vec<Digest> {
        self.all.iter().map(|(input, _)| input.digest()).collect()
    }

    /// Keeps the destinations that a router named. No name at all: nothing is sent.
    fn narrow(&mut self, route: &Route, names: &[String]) -> Result<(), Cause> {
        let named = indices(route, names)?;
        self.allowed.retain(|index| named.contains(index));
        let allowed = self.allowed.clone();
        for (_, to) in &mut self.all {
            to.retain(|index| allowed.contains(index));
        }
        self.all.retain(|(_, to)| !to.is_empty());
        Ok(())
    }

    /// Puts what a transformer made in the place of what it was given.
    fn replaced(
        &mut self,
        policy: &Policy,
        route: &Route,
        made: Vec<Made>,
        seals: &Arc<hilum_policy::Seals>,
        current_format: &str,
    ) -> Result<(), Cause> {
        let mut all = Vec::new();
        for output in made {
            let format = output.format.as_deref().unwrap_or(current_format);
            let to = if output.destinations.is_empty() {
                self.allowed.clone()
            } else {
                indices(route, &output.destinations)?
            };
            if let Some(outside) = to.iter().find(|index| !self.allowed.contains(index)) {
                let name = route.to.get(*outside).map(|it| it.name.clone());
                let name = name.unwrap_or_else(|| Name::from("?"));
                let detail = format!("an output for {name}, which a router had left out");
                return Err(Cause::new(CauseWord::PluginFault, detail));
            }
            let template: Template = policy
                .output(seals, format, output.body)
                .map_err(|fault| Cause::new(CauseWord::PluginFault, fault.to_string()))?;
            all.push((Input::Template(Arc::new(template)), to));
        }
        self.all = all;
        Ok(())
    }

    /// Clears each output for each of its destinations. A denial parks that destination alone; a
    /// leak parks the run.
    fn cleared(self, policy: &Policy, route: &Route, message: &Arc<Message>) -> Fate {
        let mut parcels = Vec::new();
        // What no step has written goes as it came, byte for byte.
        let as_it_came = Input::Message(Arc::clone(message));
        for (number, (input, to)) in self.all.iter().enumerate() {
            let input = match input {
                Input::Message(_) => &as_it_came,
                made => made,
            };
            for destination in to.iter().filter_map(|index| route.to.get(*index)) {
                let content = match policy.clear(input, message, &destination.clearance) {
                    Ok(cleared) => Ok(cleared),
                    Err(ClearFault::Leak(leak)) => {
                        return Fate::Parked(Cause::new(CauseWord::Leak, leak.to_string()));
                    }
                    Err(fault) => Err(Cause::from(fault)),
                };
                let ordinal = u32::try_from(number + 1).unwrap_or(u32::MAX);
                parcels.push(Parcel { destination: destination.name.clone(), ordinal, content });
            }
        }
        Fate::Dispatched(parcels)
    }
}

/// The places of these names in the route's list. A plugin that names what the route does not have
/// is at fault.
fn indices(route: &Route, names: &[String]) -> Result<Vec<usize>, Cause> {
    let place = |name: &String| route.to.iter().position(|it| it.name.as_str() == name);
    let unknown = || {
        Cause::new(
            CauseWord::PluginFault,
            "an output for a destination that the route does not have",
        )
    };
    names.iter().map(|name| place(name).ok_or_else(unknown)).collect()
}

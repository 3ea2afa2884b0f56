//! What a rehearsal showed: the view, the outputs, what was seen and denied, the fuel.

use std::sync::Arc;

use bytes::Bytes;
use hilum_message::Message;
use hilum_pipeline::{Fate, Parcel, Rehearsal, Run, StepReport};
use hilum_policy::{Classes, Tally};
use serde_json::{Map, Value, json};

use crate::arguments::PluginRun;
use crate::command::Context;
use crate::exit::{Exit, failed};
use crate::output::{Output, lines, readable, size, thousands};

/// Prints it.
pub fn show(
    context: &Context,
    arguments: &PluginRun,
    run: &Run,
    message: &Arc<Message>,
    rehearsal: &Rehearsal,
) -> anyhow::Result<Exit> {
    let parcels: &[Parcel] = match &rehearsal.fate {
        Fate::Dispatched(parcels) => parcels,
        _ => &[],
    };
    let all_cleared = parcels.iter().all(|it| it.content.is_ok());
    let is_dispatched = matches!(rehearsal.fate, Fate::Dispatched(_));
    let exit = if is_dispatched && all_cleared { Exit::Success } else { Exit::Failure };
    let input = message.bytes();
    if arguments.output {
        for parcel in parcels {
            if let Some(body) = body(parcel, input) {
                context.output.bytes(&body)?;
            }
        }
        return match reason(rehearsal) {
            Some(why) => Err(failed(Exit::Failure, why)),
            None => Ok(exit),
        };
    }
    if context.output.is_json() {
        context.output.json(&document(run, rehearsal, parcels, input))?;
    } else {
        context.output.text(&describe(&context.output, run, message, rehearsal, parcels))?;
    }
    Ok(exit)
}

/// A parcel's body, if it may leave.
pub fn body(parcel: &Parcel, input: &Bytes) -> Option<Bytes> {
    parcel.content.as_ref().ok().and_then(|cleared| cleared.assemble(input))
}

/// Why nothing, or not everything, would be delivered.
pub fn reason(rehearsal: &Rehearsal) -> Option<String> {
    match &rehearsal.fate {
        Fate::Dispatched(parcels) => {
            let causes: Vec<String> = parcels
                .iter()
                .filter_map(|it| {
                    Some(format!("{}: {}", it.destination, it.content.as_ref().err()?))
                })
                .collect();
            (!causes.is_empty()).then(|| causes.join("; "))
        }
        Fate::Refused(why) => {
            Some(why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
        Fate::Held { why, .. } => Some(why.clone()),
        Fate::Parked(cause) => Some(cause.to_string()),
        Fate::Again => Some("the plugin ran out of time".to_owned()),
    }
}

/// Everything that happened, for programs.
pub fn document(run: &Run, rehearsal: &Rehearsal, parcels: &[Parcel], input: &Bytes) -> Value {
    let outputs: Vec<Value> = parcels
        .iter()
        .map(|parcel| {
            let body = body(parcel, input);
            json!({
                "destination": parcel.destination.as_str(),
                "ordinal": parcel.ordinal,
                "format": parcel.content.as_ref().ok().map(|it| it.format().as_str()),
                "body": body.as_deref().map(String::from_utf8_lossy),
                "parked": parcel.content.as_ref().err().map(|cause| json!({
                    "cause": cause.word.word(),
                    "detail": cause.detail,
                })),
            })
        })
        .collect();
    let steps = rehearsal.reports.iter().zip(&run.route.steps);
    json!({
        "view": String::from_utf8_lossy(&rehearsal.view),
        "fate": rehearsal.fate.word(),
        "why": reason(rehearsal),
        "outputs": outputs,
        "steps": steps.map(|(report, plan)| step(report, plan.budget.fuel)).collect::<Vec<_>>(),
    })
}

fn step(step: &StepReport, fuel_max: u64) -> Value {
    let report = &step.report;
    let tally = |tally: &Tally| -> Map<String, Value> {
        tally.iter().map(|(class, count)| (class.word().to_owned(), count.into())).collect()
    };
    json!({
        "plugin": step.plugin.as_str(),
        "digest": step.digest.to_string(),
        "fault": step.fault,
        "said": report.said,
        "fuel": report.fuel,
        "fuel_max": fuel_max,
        "wall_ms": u64::try_from(report.wall.as_millis()).unwrap_or(u64::MAX),
        "memory_bytes": report.memory_bytes,
        "host_calls": report.host_calls,
        "opened": tally(&report.sights.opened),
        "sealed": tally(&report.sights.sealed),
        "withheld": tally(&report.sights.withheld),
        "denied": report.denials,
        "paths": report.sights.paths.iter()
            .map(|(path, classes)| (path.clone(), classes.to_string().into()))
            .collect::<Map<String, Value>>(),
        "log": report.log.iter()
            .map(|line| json!({ "level": line.level.word(), "text": line.text }))
            .collect::<Vec<_>>(),
    })
}

fn describe(
    output: &Output,
    run: &Run,
    message: &Message,
    rehearsal: &Rehearsal,
    parcels: &[Parcel],
) -> String {
    let mut out = String::new();
    let heading = |out: &mut String, text: &str| {
        let blank = if out.is_empty() { "" } else { "\n" };
        out.push_str(&format!("{blank}{}\n", output.bold(text)));
    };
    heading(&mut out, &format!("view: what the plugin was given of {}", message.kind()));
    out.push_str(&lines(&String::from_utf8_lossy(&rehearsal.view)));

    for parcel in parcels {
        let label = format!("output {} → {}", parcel.ordinal, parcel.destination);
        match (&parcel.content, body(parcel, message.bytes())) {
            (Ok(cleared), Some(body)) => {
                let length = size(body.len() as u64);
                heading(&mut out, &format!("{label}: {}, {length}", cleared.format()));
                out.push_str(&readable(cleared.format(), &String::from_utf8_lossy(&body)));
            }
            (Ok(_), None) => {
                heading(&mut out, &format!("{label}: refers to bytes outside of its message"))
            }
            (Err(cause), _) => heading(&mut out, &format!("{label}: parked, {cause}")),
        }
    }
    match (&rehearsal.fate, reason(rehearsal)) {
        (Fate::Dispatched(_), _) if parcels.is_empty() => {
            heading(&mut out, "no output: there is nothing to send");
        }
        (Fate::Dispatched(_), _) | (_, None) => {}
        (fate, Some(why)) => heading(&mut out, &format!("{}: {why}", fate.word())),
    }
    for (report, plan) in rehearsal.reports.iter().zip(&run.route.steps) {
        heading(&mut out, &format!("{} {}", report.plugin, plan.plugin.manifest().version));
        out.push_str(&describe_step(report, plan.budget.fuel));
    }
    out
}

fn describe_step(step: &StepReport, fuel_max: u64) -> String {
    let report = &step.report;
    let mut out = String::new();
    let mut line = |label: &str, text: String| out.push_str(&format!("{label:<11}{text}\n"));
    let tally = |tally: &Tally| match tally.is_empty() {
        true => "nothing".to_owned(),
        false => tally
            .iter()
            .map(|(class, count)| format!("{class} {count}"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    // The places are those of opened values, and of values that were asked for and not handed over.
    let opened = &report.sights.opened;
    let (open, asked): (Vec<_>, Vec<_>) = report
        .sights
        .paths
        .iter()
        .partition(|(_, classes)| classes.iter().all(|class| 0 < opened.count(class)));
    let place = |(path, classes): (&String, &Classes)| format!("{path} ({classes})");
    line("opened", tally(opened));
    open.into_iter().for_each(|it| line("", place(it)));
    line("sealed", tally(&report.sights.sealed));
    line("withheld", tally(&report.sights.withheld));
    asked.into_iter().for_each(|it| line("", place(it)));
    let denied: Vec<String> =
        report.denials.iter().map(|(capability, count)| format!("{capability} {count}")).collect();
    line("denied", if denied.is_empty() { "nothing".to_owned() } else { denied.join(", ") });
    let percent = report.fuel.saturating_mul(100) / fuel_max.max(1);
    line("fuel", format!("{} of {} ({percent} %)", thousands(report.fuel), thousands(fuel_max)));
    line("memory", size(report.memory_bytes));
    line("time", format!("{:.1} ms", report.wall.as_secs_f64() * 1e3));
    line("host calls", thousands(report.host_calls));
    if let Some(fault) = &step.fault {
        line("fault", fault.clone());
    }
    if let Some(said) = &report.said {
        line("said", said.clone());
    }
    for logged in &report.log {
        line("log", format!("{}: {}", logged.level.word(), logged.text));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilum_policy::Class;
    use hilum_words::{Digest, Name};

    #[test]
    fn places_stand_under_what_became_of_them_and_not_under_denied() {
        let mut report = hilum_sandbox::Report::default();
        report.sights.paths.insert("PID-5".to_owned(), Classes::of(Class::Name));
        let step = StepReport {
            step: Name::from("a"),
            plugin: Name::from("a"),
            digest: Digest::of(b""),
            input: Digest::of(b""),
            outputs: Vec::new(),
            answered: None,
            report,
            fault: None,
            world: hilum_sandbox::World::Transformer,
        };
        let said = describe_step(&step, 1);
        let place = "withheld   nothing\n           PID-5 (name)\ndenied     nothing\n";
        assert!(said.contains(place), "{said}");
    }
}

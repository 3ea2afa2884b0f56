//! The records of a run's decision: one for each step, one for the decision.

use hilum_audit::{FactKey, NonEmpty, Record, What, fact};
use hilum_store::{Outgoing, RunRecord};
use hilum_words::{Actor, Cause, Digest, Rejection, Timestamp};

use crate::{Reports, StepReport};

/// What the records of one decision have in common.
pub(crate) struct Evidence<'a> {
    pub(crate) at: Timestamp,
    pub(crate) record: &'a RunRecord,
    pub(crate) reports: &'a Reports,
    /// The version of the policy that decided; none if the generation could not be loaded.
    pub(crate) policy: Option<Digest>,
}

impl Evidence<'_> {
    /// The run's outputs are queued; some may be parked.
    pub(crate) fn dispatched(
        &self,
        deliveries: &[Outgoing],
        parked: &[(Outgoing, Cause)],
    ) -> NonEmpty<Record> {
        let mut record = self.decision(What::Dispatched);
        for outgoing in deliveries {
            record = record.text(fact::DESTINATION, outgoing.destination.as_str());
        }
        let mut records = self.records(record);
        for (outgoing, cause) in parked {
            records.push(
                with_cause(self.decision(What::DeliveryParked), cause)
                    .delivery(outgoing.delivery)
                    .text(fact::DESTINATION, outgoing.destination.as_str()),
            );
        }
        records
    }

    /// The run waits for a person because something went wrong.
    pub(crate) fn parked(&self, cause: &Cause) -> NonEmpty<Record> {
        self.records(with_cause(self.decision(What::Parked), cause))
    }

    /// The sender is told no: by which code, and each reason with its place.
    pub(crate) fn refused(&self, rejections: &[Rejection], told: &str) -> NonEmpty<Record> {
        let refused = self.decision(What::Refused).text("told", told);
        self.records(
            rejections.iter().fold(refused, |record, rejection| {
                record.text(fact::DETAIL, rejection.to_string())
            }),
        )
    }

    /// The run waits for a person because a validator asked.
    pub(crate) fn held(&self, why: &str) -> NonEmpty<Record> {
        self.records(self.decision(What::Held).text(fact::DETAIL, why))
    }

    /// The steps' records, then the decision.
    fn records(&self, decision: Record) -> NonEmpty<Record> {
        let mut steps = self.reports.iter().map(|report| self.step(report));
        match steps.next() {
            None => NonEmpty::of(decision),
            Some(first) => {
                let mut records = NonEmpty::of(first);
                steps.for_each(|step| records.push(step));
                records.push(decision);
                records
            }
        }
    }

    fn decision(&self, what: What) -> Record {
        let record = Record::new(self.at, what, Actor::system("worker"))
            .message(self.record.message)
            .run(self.record.run)
            .generation(self.record.generation)
            .text(fact::ROUTE, self.record.route.as_str());
        match self.policy {
            Some(policy) => record.digest(fact::POLICY, policy),
            None => record,
        }
    }

    /// One record per step, not per host call: what went in and out, what was opened, sealed,
    /// withheld and denied, and what it cost.
    fn step(&self, step: &StepReport) -> Record {
        let actor = Actor::Plugin(step.plugin.clone(), step.digest);
        let mut record = Record::new(self.at, step.what(), actor)
            .message(self.record.message)
            .run(self.record.run)
            .generation(self.record.generation)
            .text(fact::STEP, step.step.as_str())
            .digest(fact::PLUGIN, step.digest)
            .digest(fact::INPUT, step.input)
            .number(fact::FUEL, step.report.fuel)
            .number("host-calls", step.report.host_calls);
        if let Some(answered) = step.answered {
            record = record.text("answered", answered);
        }
        for output in &step.outputs {
            record = record.digest(fact::OUTPUT, *output);
        }
        let sights = &step.report.sights;
        for (counted, counts) in [
            (fact::OPENED, &sights.opened),
            (fact::SEALED, &sights.sealed),
            (fact::WITHHELD, &sights.withheld),
        ] {
            for (class, count) in counts.iter() {
                record = record.number(FactKey::of(counted, class.word()), count);
            }
        }
        for (capability, count) in &step.report.denials {
            record = record.number(FactKey::of(fact::DENIED, capability), *count);
        }
        for line in &step.report.log {
            record = record.text(FactKey::of("log", line.level.word()), &line.text);
        }
        if step.report.log_cut_bytes != 0 {
            record = record.number("log-cut-bytes", step.report.log_cut_bytes);
        }
        if let Some(fault) = &step.fault {
            record = record.text("fault", fault);
        }
        if let Some(said) = &step.report.said {
            record = record.text("said", said);
        }
        record.paths(sights.paths.keys())
    }
}

fn with_cause(record: Record, cause: &Cause) -> Record {
    record.text(fact::CAUSE, cause.word.word()).text(fact::DETAIL, &cause.detail)
}

use std::collections::BTreeMap;

use hilum_contract::drafts::{self, Draft};
use hilum_contract::types::AccessError;
use hilum_message::hl7v2::EditLimits;
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::guest::{Guest, Stop};
use crate::{Budget, PluginFault, Rule};

/// The highest field, repetition, component or subcomponent that an edit makes.
const NUMBER_MAX: u32 = 1_000;

/// Memory of the host that a part of a draft takes, beside its bytes.
const PART_BYTES: usize = 64;

/// Memory of the host that a draft takes, beside its parts.
const DRAFT_BYTES: usize = 1_024;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    drafts::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

/// The drafts of one call. They lie in the host's memory, and count as the guest's.
pub(crate) struct Loan {
    drafts: BTreeMap<u32, hilum_policy::Draft>,
    next: u32,
    limits: EditLimits,
}

/// Every transformer may write: a draft shows nothing that the message does not.
pub(crate) fn lend(budget: &Budget) -> Loan {
    let bytes_max = usize::try_from(budget.output_bytes).unwrap_or(usize::MAX);
    let limits = EditLimits { bytes_max, number_max: NUMBER_MAX };
    Loan { drafts: BTreeMap::new(), next: 0, limits }
}

impl Loan {
    /// Takes a draft that comes back with the answer.
    pub(crate) fn take(&mut self, draft: &Resource<Draft>) -> Option<hilum_policy::Draft> {
        self.drafts.remove(&draft.rep())
    }

    fn add(&mut self, draft: hilum_policy::Draft) -> Resource<Draft> {
        let number = self.next;
        self.next += 1;
        self.drafts.insert(number, draft);
        Resource::new_own(number)
    }
}

impl Guest {
    /// Pays for a new draft of so many bytes and parts.
    fn pay_draft(&mut self, bytes: usize, parts: usize) -> wasmtime::Result<()> {
        self.meter.moved(bytes)?;
        self.memory.hold(DRAFT_BYTES + bytes + PART_BYTES * parts)
    }

    /// Pays for an edit: what it writes, and the empty parts that it makes up to a place.
    fn pay_edit(&mut self, path: &str, bytes: usize) -> wasmtime::Result<()> {
        // Which segment it is makes no parts.
        let (_, below) = path.split_once('-').unwrap_or_default();
        let numbers = below.split(|it: char| !it.is_ascii_digit());
        let parts: usize = numbers
            .filter_map(|it| it.parse::<usize>().ok())
            .map(|it| it.min(NUMBER_MAX as usize))
            .sum();
        self.meter.moved(PART_BYTES * parts)?;
        self.memory.hold(bytes + PART_BYTES * (parts + 4))
    }

    /// An edit of one draft.
    fn edit<T>(
        &mut self,
        draft: &Resource<Draft>,
        edit: impl FnOnce(&mut Self, &mut hilum_policy::Draft) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        // Out of the table for so long, so that the guest's other parts can be lent beside it.
        let Some(mut taken) = self.drafts.take(draft) else {
            return Err(Stop(PluginFault::Misbehaved(Rule::UnknownDraft)).into());
        };
        let edited = edit(self, &mut taken);
        self.drafts.drafts.insert(draft.rep(), taken);
        edited
    }
}

impl drafts::Host for Guest {}

impl drafts::HostDraft for Guest {
    fn copy_of_message(&mut self) -> wasmtime::Result<Result<Resource<Draft>, AccessError>> {
        self.meter.call(0)?;
        let (bytes, parts) = (self.view.body().len(), self.view.outline().len());
        self.pay_draft(bytes, parts)?;
        let made = self.view.draft_of_message(self.drafts.limits);
        Ok(made.map(|it| self.drafts.add(it)).map_err(|access| self.told(access)))
    }

    fn blank(
        &mut self,
        format: String,
        kind: String,
    ) -> wasmtime::Result<Result<Resource<Draft>, AccessError>> {
        self.meter.call(format.len() + kind.len())?;
        self.pay_draft(0, 1)?;
        let made = self.view.blank_draft(&format, &kind, self.drafts.limits);
        Ok(made.map(|it| self.drafts.add(it)).map_err(|access| self.told(access)))
    }

    fn set(
        &mut self,
        draft: Resource<Draft>,
        path: String,
        value: String,
    ) -> wasmtime::Result<Result<(), AccessError>> {
        self.meter.call(path.len() + value.len())?;
        self.pay_edit(&path, value.len())?;
        let edited = self.edit(&draft, |_, draft| Ok(draft.set(&path, &value)))?;
        Ok(edited.map_err(|access| self.told(access)))
    }

    fn copy(
        &mut self,
        draft: Resource<Draft>,
        origin: String,
        target: String,
    ) -> wasmtime::Result<Result<bool, AccessError>> {
        self.meter.call(origin.len() + target.len())?;
        self.pay_edit(&target, 0)?;
        let edited = self.edit(&draft, |guest, draft| {
            let copied = guest.view.copy_into(draft, &origin, &target);
            if let Ok(Some(bytes)) = &copied {
                guest.meter.moved(*bytes)?;
                guest.memory.hold(*bytes)?;
            }
            Ok(copied.map(|it| it.is_some()))
        })?;
        Ok(edited.map_err(|access| self.told(access)))
    }

    fn remove(
        &mut self,
        draft: Resource<Draft>,
        path: String,
    ) -> wasmtime::Result<Result<u32, AccessError>> {
        self.meter.call(path.len())?;
        let removed = self.edit(&draft, |_, draft| Ok(draft.remove(&path)))?;
        let count = removed.map(|it| u32::try_from(it).unwrap_or(u32::MAX));
        Ok(count.map_err(|access| self.told(access)))
    }

    fn drop(&mut self, draft: Resource<Draft>) -> wasmtime::Result<()> {
        self.drafts.take(&draft);
        Ok(())
    }
}

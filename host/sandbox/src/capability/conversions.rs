use hilum_contract::conversions;
use hilum_message::Conversion;
use hilum_policy::View;
use wasmtime::component::{HasSelf, Linker};

use crate::guest::Guest;

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    conversions::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

impl Guest {
    fn convert(&mut self, how: Conversion, value: &str) -> wasmtime::Result<Option<String>> {
        self.meter.call(value.len())?;
        self.change(value, |view| view.convert(how, value))
    }

    /// Has the view make something of a value. A token is short, and what it stands for may be long:
    /// reading that is paid, and what is made of it lies in the host until the call ends.
    pub(crate) fn change(
        &mut self,
        value: &str,
        change: impl FnOnce(&mut View) -> Option<String>,
    ) -> wasmtime::Result<Option<String>> {
        self.meter.moved(self.view.weight_of(value))?;
        let before = self.view.made_bytes();
        let changed = change(&mut self.view);
        self.memory.hold(self.view.made_bytes() - before)?;
        self.meter.moved(changed.as_ref().map_or(0, String::len))?;
        Ok(changed)
    }

    /// A conversion that always has an answer.
    fn rewrite(&mut self, how: Conversion, value: &str) -> wasmtime::Result<String> {
        Ok(self.convert(how, value)?.unwrap_or_default())
    }
}

impl conversions::Host for Guest {
    fn fhir_date(&mut self, value: String) -> wasmtime::Result<Option<String>> {
        self.convert(Conversion::FhirDate, &value)
    }

    fn fhir_date_time(&mut self, value: String) -> wasmtime::Result<Option<String>> {
        self.convert(Conversion::FhirDateTime, &value)
    }

    fn hl7_date(&mut self, value: String) -> wasmtime::Result<Option<String>> {
        self.convert(Conversion::Hl7Date, &value)
    }

    fn upper_case(&mut self, value: String) -> wasmtime::Result<String> {
        self.rewrite(Conversion::UpperCase, &value)
    }

    fn lower_case(&mut self, value: String) -> wasmtime::Result<String> {
        self.rewrite(Conversion::LowerCase, &value)
    }

    fn trim(&mut self, value: String) -> wasmtime::Result<String> {
        self.rewrite(Conversion::Trim, &value)
    }

    fn digits(&mut self, value: String) -> wasmtime::Result<String> {
        self.rewrite(Conversion::Digits, &value)
    }

    fn first_letter(&mut self, value: String) -> wasmtime::Result<String> {
        self.rewrite(Conversion::FirstLetter, &value)
    }
}

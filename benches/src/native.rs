//! `adt-to-fhir` as a function of this process: the same crate, the same view, no sandbox.
//!
//! What the sandbox costs is what lies between the two: instance, fuel and epoch, copies in and out
//! of the guest's memory, the guest's slower code. Policy is the same on both sides.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use hilum_message::Conversion as Change;
use hilum_policy::{Access, Seen, View};
use hilum_sandbox::{Answered, Call, Called, Made, Native, Report};
use hilum_sdk::native::{AccessError, Body, Conversion, Host, Level, TableError};
use hilum_sdk::{Facts, Sight};
use hilum_words::{Reason, Rejection};

/// The mapping of `adt-to-fhir`.
pub struct AdtToFhir;

impl Native for AdtToFhir {
    fn call(&self, call: Call) -> Called {
        let desk = Rc::new(Desk { call: RefCell::new(call) });
        let mapped = hilum_sdk::native::call(Rc::clone(&desk) as Rc<dyn Host>, adt_to_fhir::map);
        let Ok(desk) = Rc::try_unwrap(desk) else {
            unreachable!("the call has given its host back");
        };
        let view = desk.call.into_inner().view;
        let made = |output: hilum_sdk::Output| {
            let format = output.format;
            let body = match output.body {
                Body::Text(text) => {
                    let of = format.as_deref().unwrap_or(view.format());
                    view.encoded(of, text).unwrap_or_default()
                }
                Body::Bytes(bytes) => Bytes::from(bytes),
                Body::Draft(_) => Bytes::new(),
            };
            Made { format, destinations: output.destinations, body }
        };
        let result = match mapped {
            Ok(outputs) => Answered::Mapped(outputs.into_iter().map(made).collect()),
            Err(refusal) => Answered::Refused(vec![Rejection {
                reason: Reason::Unsupported,
                at: refusal.path,
                text: refusal.text,
            }]),
        };
        let (seals, sights) = view.finish();
        Called { result: Ok(result), seals, report: Report { sights, ..Report::default() } }
    }
}

struct Desk {
    call: RefCell<Call>,
}

impl Desk {
    fn view<T>(&self, look: impl FnOnce(&mut View) -> Result<T, Access>) -> Result<T, AccessError> {
        look(&mut self.call.borrow_mut().view).map_err(|access| match access {
            Access::Withheld => AccessError::Withheld,
            Access::MalformedPath(text) => AccessError::MalformedPath(text),
            Access::Unstructured => AccessError::Unstructured,
            Access::Unfit(text) => AccessError::Unfit(text),
            Access::Other(text) => AccessError::Other(text),
        })
    }
}

impl Host for Desk {
    fn about(&self) -> Facts {
        let call = self.call.borrow();
        Facts {
            id: call.facts.id.hyphenated(),
            format: call.view.format().to_owned(),
            kind: call.view.kind(),
            received: call.facts.received.to_string(),
        }
    }

    fn get(&self, path: &str) -> Result<Option<String>, AccessError> {
        self.view(|view| view.get(path))
    }

    fn all(&self, path: &str) -> Result<Vec<Option<String>>, AccessError> {
        self.view(|view| view.all(path))
    }

    fn count(&self, path: &str) -> Result<u32, AccessError> {
        self.view(|view| view.count(path))
    }

    fn outline(&self) -> Vec<String> {
        self.call.borrow().view.outline()
    }

    fn sight_of(&self, path: &str) -> Result<Sight, AccessError> {
        let seen = self.view(|view| view.sight_of(path))?;
        Ok(match seen {
            Seen::Open => Sight::Open,
            Seen::Sealed => Sight::Sealed,
            Seen::Withheld => Sight::Withheld,
            Seen::Absent => Sight::Absent,
            Seen::Deleted => Sight::Deleted,
        })
    }

    fn body(&self) -> Vec<u8> {
        self.call.borrow_mut().view.body().to_vec()
    }

    fn text(&self) -> Result<String, AccessError> {
        self.view(View::text)
    }

    fn convert(&self, conversion: Conversion, value: &str) -> Option<String> {
        let change = match conversion {
            Conversion::FhirDate => Change::FhirDate,
            Conversion::FhirDateTime => Change::FhirDateTime,
            Conversion::Hl7Date => Change::Hl7Date,
            Conversion::UpperCase => Change::UpperCase,
            Conversion::LowerCase => Change::LowerCase,
            Conversion::Trim => Change::Trim,
            Conversion::Digits => Change::Digits,
            Conversion::FirstLetter => Change::FirstLetter,
            _ => return None,
        };
        self.call.borrow_mut().view.convert(change, value)
    }

    fn translate(&self, table: &str, code: &str) -> Result<Option<String>, TableError> {
        let call = &mut *self.call.borrow_mut();
        let Some((name, found)) = call.tables.get_key_value(table) else {
            let is_known = call.tables_known.iter().any(|it| it.as_str() == table);
            return Err(if is_known { TableError::Ungranted } else { TableError::UnknownTable });
        };
        let lookup = |code: &str| found.translate(code).map(str::to_owned);
        Ok(call.view.translate(name, found.opens, &lookup, code))
    }

    fn setting(&self, key: &str) -> Option<String> {
        self.call.borrow().settings.get(key).cloned()
    }

    fn log(&self, _level: Level, _text: &str) {}
}

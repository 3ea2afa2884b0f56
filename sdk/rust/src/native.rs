//! A mapping as a plain function: on the desk, in tests, in a program that is no component.
//!
//! ```
//! # #[cfg(not(target_arch = "wasm32"))] {
//! use std::rc::Rc;
//! use hilum_sdk::native::{self, Desk};
//! # use hilum_sdk::{Message, Output, Refusal};
//! # fn map(message: &Message) -> Result<Vec<Output>, Refusal> {
//! #     assert_eq!(message.value("PID-3").as_deref(), Some("7"));
//! #     Ok(Vec::new())
//! # }
//! let host = Desk::new("MSH|^~\\&|||||||ADT^A01\rPID|||7").setting("transaction", "ehr");
//! let outputs = native::call(Rc::new(host), map);
//! # outputs.unwrap();
//! # }
//! ```
//!
//! Promises: each call starts with nothing of the one before.
//! Not here: what a site grants (a [`Host`] decides), drafts (they are the gateway's alone).

mod convert;
mod desk;

use std::cell::RefCell;
use std::rc::Rc;

pub use crate::bindings::hilum::plugin::log::Level;
pub use crate::bindings::hilum::plugin::outputs::Body;
pub use crate::bindings::hilum::plugin::tables::TableError;
pub use crate::bindings::hilum::plugin::types::AccessError;
pub use convert::Conversion;
pub use desk::Desk;

use crate::{Facts, Message, Sight, entry};

/// What a gateway lends to a plugin. The functions are the contract's.
pub trait Host {
    /// `message.about`
    fn about(&self) -> Facts;
    /// `message.get`
    fn get(&self, path: &str) -> Result<Option<String>, AccessError>;
    /// `message.all`
    fn all(&self, path: &str) -> Result<Vec<Option<String>>, AccessError>;
    /// `message.count`
    fn count(&self, path: &str) -> Result<u32, AccessError>;
    /// `message.outline`
    fn outline(&self) -> Vec<String>;
    /// `message.sight-of`
    fn sight_of(&self, path: &str) -> Result<Sight, AccessError>;
    /// `message.body`
    fn body(&self) -> Vec<u8>;
    /// `message.text`
    fn text(&self) -> Result<String, AccessError>;
    /// `conversions.…`
    fn convert(&self, conversion: Conversion, value: &str) -> Option<String>;
    /// `tables.translate`
    fn translate(&self, table: &str, code: &str) -> Result<Option<String>, TableError>;
    /// `settings.get`
    fn setting(&self, key: &str) -> Option<String>;
    /// `log.write`
    fn log(&self, level: Level, text: &str);
}

thread_local! {
    static HOST: RefCell<Option<Rc<dyn Host>>> = const { RefCell::new(None) };
}

/// Takes the host away when the call ends, also by a panic.
struct Lent(Option<Rc<dyn Host>>);

impl Drop for Lent {
    fn drop(&mut self) {
        HOST.replace(self.0.take());
    }
}

/// Runs something with a host for this thread.
pub fn with<T>(host: Rc<dyn Host>, run: impl FnOnce() -> T) -> T {
    let _lent = Lent(HOST.replace(Some(host)));
    run()
}

/// Runs a plugin's function as the gateway would: from a fresh start, with its coverage told.
pub fn call<T>(host: Rc<dyn Host>, run: impl FnOnce(&Message) -> T) -> T {
    with(host, || entry::run(run))
}

/// The host of this thread. Without one there is no message: the caller forgot [`with`].
fn host() -> Rc<dyn Host> {
    match HOST.with_borrow(Clone::clone) {
        Some(host) => host,
        None => panic!("a mapping runs inside of hilum_sdk::native::call, or in a gateway"),
    }
}

#[doc(hidden)]
pub mod message {
    use super::{AccessError, host};
    pub use crate::bindings::hilum::plugin::message::{Facts, Sight};

    pub fn about() -> Facts {
        host().about()
    }

    pub fn get(path: &str) -> Result<Option<String>, AccessError> {
        host().get(path)
    }

    pub fn get_many(paths: &[String]) -> Vec<Result<Option<String>, AccessError>> {
        let host = host();
        paths.iter().map(|path| host.get(path)).collect()
    }

    pub fn all(path: &str) -> Result<Vec<Option<String>>, AccessError> {
        host().all(path)
    }

    pub fn count(path: &str) -> Result<u32, AccessError> {
        host().count(path)
    }

    pub fn outline() -> Vec<String> {
        host().outline()
    }

    pub fn sight_of(path: &str) -> Result<Sight, AccessError> {
        host().sight_of(path)
    }

    pub fn body() -> Vec<u8> {
        host().body()
    }

    pub fn text() -> Result<String, AccessError> {
        host().text()
    }
}

/// Re-writes a value inside of the host; see the contract.
pub mod conversions {
    use super::{Conversion, host};

    /// `19800312` to `1980-03-12`. None if the value is no date.
    pub fn fhir_date(value: &str) -> Option<String> {
        host().convert(Conversion::FhirDate, value)
    }

    /// `20260912101500+0200` to `2026-09-12T10:15:00+02:00`. None if the value is no date.
    pub fn fhir_date_time(value: &str) -> Option<String> {
        host().convert(Conversion::FhirDateTime, value)
    }

    /// `1980-03-12` to `19800312`. None if the value is no date.
    pub fn hl7_date(value: &str) -> Option<String> {
        host().convert(Conversion::Hl7Date, value)
    }

    /// All letters as capitals.
    pub fn upper_case(value: &str) -> String {
        host().convert(Conversion::UpperCase, value).unwrap_or_default()
    }

    /// All letters small.
    pub fn lower_case(value: &str) -> String {
        host().convert(Conversion::LowerCase, value).unwrap_or_default()
    }

    /// Without blanks before and after.
    pub fn trim(value: &str) -> String {
        host().convert(Conversion::Trim, value).unwrap_or_default()
    }

    /// The digits 0 to 9 alone.
    pub fn digits(value: &str) -> String {
        host().convert(Conversion::Digits, value).unwrap_or_default()
    }

    /// The first letter alone.
    pub fn first_letter(value: &str) -> String {
        host().convert(Conversion::FirstLetter, value).unwrap_or_default()
    }
}

#[doc(hidden)]
pub mod log {
    pub use super::Level;

    pub fn write(level: Level, text: &str) {
        super::host().log(level, text);
    }
}

#[doc(hidden)]
pub mod settings {
    pub fn get(key: &str) -> Option<String> {
        super::host().setting(key)
    }
}

#[doc(hidden)]
pub mod tables {
    pub use super::TableError;

    pub fn translate(table: &str, code: &str) -> Result<Option<String>, TableError> {
        super::host().translate(table, code)
    }
}

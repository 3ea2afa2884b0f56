//! What all maps of one message share.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use crate::hl7::Hl7;
use crate::name_based::Space;
use crate::{Facts, Message, log, settings, tables};

/// The message, and what was asked about it already.
#[derive(Debug)]
pub struct Context<'m> {
    /// The message of this call.
    pub message: &'m Message,
    /// The same, as it was read.
    pub hl7: &'m Hl7,
    facts: OnceCell<Facts>,
    space: OnceCell<Space>,
    settings: RefCell<Vec<(String, Option<Rc<str>>)>>,
}

impl<'m> Context<'m> {
    /// For one message.
    pub fn new(message: &'m Message, hl7: &'m Hl7) -> Self {
        Self {
            message,
            hl7,
            facts: OnceCell::new(),
            space: OnceCell::new(),
            settings: RefCell::default(),
        }
    }

    /// Id, kind and time of the message.
    pub fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| self.message.about())
    }

    /// A URN that this message always has for this name.
    pub fn urn(&self, name: &str) -> Rc<str> {
        self.space.get_or_init(|| Space::new(&self.facts().id)).urn(name)
    }

    /// A setting of the route, asked for once.
    pub fn setting(&self, key: &str) -> Option<Rc<str>> {
        self.setting_of("", key)
    }

    /// What the site says a namespace or a local code system is: the setting `system.<name>`.
    pub fn site_system(&self, name: &str) -> Option<Rc<str>> {
        self.setting_of("system.", name)
    }

    /// What a table of the site has for a code; none also where the site lends no such table, which
    /// the log says.
    pub fn translate(&self, table: &str, code: &str) -> Option<String> {
        match tables::translate(table, code) {
            Ok(translated) => translated,
            Err(_) => {
                log::warn(
                    &["the site lends no table ", table, "; the code stays as it came"].concat(),
                );
                None
            }
        }
    }

    #[inline(never)]
    fn setting_of(&self, before: &str, key: &str) -> Option<Rc<str>> {
        let mut known = self.settings.borrow_mut();
        let is_it = |it: &&(String, _)| it.0.strip_prefix(before) == Some(key);
        if let Some((_, value)) = known.iter().find(is_it) {
            return value.clone();
        }
        let key = [before, key].concat();
        let value = settings::get(&key).map(Rc::from);
        known.push((key, value.clone()));
        value
    }
}

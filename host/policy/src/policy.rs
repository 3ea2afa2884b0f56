use std::fmt;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use hilum_message::{Message, TimeZone};
use hilum_words::Digest;

use crate::overrides::Rules;
use crate::{
    ClearFault, Clearance, Cleared, Grant, Input, Misbehaved, Overrides, RunSeed, Seals, Template,
    View,
};

/// The rules of a site.
#[derive(Clone)]
pub struct Policy {
    zone: TimeZone,
    rules: Arc<Rules>,
    version: Digest,
}

impl Policy {
    /// Rules for a site in this time zone.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, rules: Arc::default(), version: version_of(&Overrides::default()) }
    }

    /// The same rules, where the site says otherwise about some places.
    #[must_use]
    pub fn with_overrides(self, overrides: Overrides) -> Self {
        let version = version_of(&overrides);
        Self { rules: Arc::new(Rules::new(overrides)), version, ..self }
    }

    pub(crate) fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// What the site says otherwise.
    pub fn overrides(&self) -> &Overrides {
        &self.rules.overrides
    }

    /// What all classes follow from: the tables, and what the site says otherwise. The same version,
    /// the same class of each place.
    pub fn version(&self) -> Digest {
        self.version
    }

    /// A message for people who may not see PHI: `[phi:name]` stands in the place of each value, and
    /// each name of a member, that has a class. Segments stand on lines of their own.
    pub fn shown(&self, message: &Message) -> String {
        crate::shown::shown(message, &self.rules)
    }

    /// What a plugin sees of `input` under `grant`. `step` is the plugin's place on the route; with
    /// the run's seed it decides the tokens.
    pub fn view(&self, input: Input, grant: &Grant, seed: RunSeed, step: usize) -> View {
        View::new(input, grant.clone(), seed, step, self.zone.clone(), &self.rules)
    }

    /// Takes what a plugin made from a view that ended with `seals`.
    pub fn output(
        &self,
        seals: &Arc<Seals>,
        format: &str,
        body: Bytes,
    ) -> Result<Template, Misbehaved> {
        Template::read(seals, format, body)
    }

    /// Clears a body for one destination. `original` is the message as it was accepted.
    pub fn clear(
        &self,
        input: &Input,
        original: &Arc<Message>,
        clearance: &Clearance,
    ) -> Result<Cleared, ClearFault> {
        crate::clear::clear(input, original, clearance, &self.rules)
    }
}

fn version_of(overrides: &Overrides) -> Digest {
    static TABLES: LazyLock<Digest> =
        LazyLock::new(|| Digest::of(crate::TABLES.concat().as_bytes()));
    let said = overrides.iter().map(|it| format!("{it}\n")).collect::<String>();
    Digest::of(&[TABLES.bytes().as_slice(), said.as_bytes()].concat())
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({:?})", self.zone)
    }
}

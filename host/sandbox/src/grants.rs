use std::collections::BTreeSet;

use hilum_policy::Grant;
use hilum_words::config::{Placed, Section};
use hilum_words::{Name, Place, Problems};

use crate::Asks;
use crate::capability::{message, tables};

/// What a site allows a plugin: `grant = { phi.birth-date = "open", tables = ["admit-source"] }`.
#[derive(Clone, Debug)]
pub struct Allowed {
    /// How it may see the message; classes that are not named stay sealed.
    pub message: Grant,
    /// Which tables it may use.
    pub tables: Vec<Placed<Name>>,
    /// Where this stands, and its key.
    pub place: Placed<()>,
}

impl Allowed {
    /// Reads the key `grant` of a plugin's section.
    pub fn read(mut section: Section<'_>) -> Self {
        let place = Placed { value: (), place: section.place(), key: section.key().to_owned() };
        let message = Grant::read(&mut section);
        let tables = section.texts("tables").unwrap_or_default();
        section.finish();
        Self { message, tables: tables.into_iter().map(|it| it.map(Name::from)).collect(), place }
    }

    /// A site that allows nothing. `place` and `key` say where it could.
    pub fn nothing(place: Place, key: impl Into<String>) -> Self {
        let place = Placed { value: (), place, key: key.into() };
        Self { message: Grant::sealed_by_default(), tables: Vec::new(), place }
    }
}

/// What a plugin gets: what its manifest asks *and* the site allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    /// How it sees the message.
    pub message: Grant,
    /// The tables it may use.
    pub tables: BTreeSet<Name>,
}

impl Grants {
    /// Intersects, capability by capability. Allowing what the plugin does not ask for is a
    /// problem: it is a slip, or left over from another version.
    pub fn resolve(asks: &Asks, allowed: &Allowed, problems: &Problems) -> Self {
        Self {
            message: message::grant(asks, allowed, problems),
            tables: tables::grant(asks, allowed, problems),
        }
    }

    /// Everything that a plugin asks, for `hilum plugin run` on a developer's desk.
    pub fn as_asked(asks: &Asks) -> Self {
        let sealed = Grant::sealed_by_default().with_big(asks.big);
        let message =
            asks.phi.iter().fold(sealed, |grant, (class, ask)| grant.with(*class, ask.sight));
        Self { message, tables: asks.tables.iter().cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use hilum_policy::{Class, Sight};
    use hilum_words::config::Document;

    use super::*;
    use crate::PhiAsk;

    fn asks() -> Asks {
        let open = || PhiAsk { sight: Sight::Open, why: "a reason".to_owned() };
        Asks {
            phi: [(Class::BirthDate, open()), (Class::Text, open())].into(),
            big: false,
            tables: vec![Name::from("admit-source"), Name::from("wards")],
        }
    }

    #[track_caller]
    fn check(grant: &str, expected: Expect) -> Grants {
        let problems = Problems::default();
        let document = Document::parse("hilum.toml", grant, &problems);
        let mut root = document.root(&problems);
        let allowed = Allowed::read(root.section("grant").expect("there"));
        let grants = Grants::resolve(&asks(), &allowed, &problems);
        let all: Vec<_> = problems.into_sorted().iter().map(ToString::to_string).collect();
        expected.assert_eq(&all.join("\n"));
        grants
    }

    #[test]
    fn a_plugin_gets_what_it_asks_and_the_site_allows() {
        let text =
            "grant = { phi.birth-date = \"open\", phi.name = \"withhold\", tables = [\"wards\"] }";
        let grants = check(text, expect![""]);
        assert_eq!(grants.message.sight(Class::BirthDate), Sight::Open);
        assert_eq!(grants.message.sight(Class::Text), Sight::Seal);
        assert_eq!(grants.message.sight(Class::Name), Sight::Withhold);
        assert_eq!(grants.tables, [Name::from("wards")].into());
    }

    #[test]
    fn allowing_what_nobody_asks_for_is_a_problem_and_gives_nothing() {
        let text = "grant = { phi.name = \"open\", big = true, tables = [\"ward\"] }";
        let grants = check(
            text,
            expect![[r#"
                hilum.toml:1  grant.big  the plugin does not ask for big values
                hilum.toml:1  grant.phi.name  the plugin does not ask to see name; take this out
                hilum.toml:1  grant.tables[0]  the plugin does not ask for the table "ward"; did you mean "wards"?"#]],
        );
        assert_eq!(grants.message, Grant::sealed_by_default());
        assert!(grants.tables.is_empty());
    }

    #[test]
    fn a_desk_grants_what_is_asked() {
        let grants = Grants::as_asked(&asks());
        assert_eq!(grants.message.sight(Class::Text), Sight::Open);
        assert_eq!(grants.message.sight(Class::Name), Sight::Seal);
        assert_eq!(grants.tables.len(), 2);
    }
}

use std::collections::BTreeMap;

use hilum_words::config::Section;

use crate::{Class, Classes};

/// How a plugin sees the values of a class. Ordered: what comes later shows less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Sight {
    /// It reads the value.
    Open,
    /// It reads a token that stands for the value.
    #[default]
    Seal,
    /// It is told that there is something it may not have.
    Withhold,
}

impl Sight {
    /// Every sight, from the one that shows most.
    pub const ALL: &[Self] = &[Self::Open, Self::Seal, Self::Withhold];

    /// The word as it is configured and printed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Seal => "seal",
            Self::Withhold => "withhold",
        }
    }

    /// The sight with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.word() == word)
    }
}

/// What one step of a route sees. Everything is sealed unless the plugin asked for more *and* the
/// site allowed it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Grant {
    sights: [Sight; Class::COUNT],
    big: bool,
}

impl Grant {
    /// Every class sealed, big values as tokens.
    pub fn sealed_by_default() -> Self {
        Self::default()
    }

    /// Every class open: what a test of a view needs, and nobody else.
    pub fn open_to_all() -> Self {
        Self { sights: [Sight::Open; Class::COUNT], big: true }
    }

    /// The same grant with another sight of one class.
    #[must_use]
    pub fn with(mut self, class: Class, sight: Sight) -> Self {
        self.sights[class.index()] = sight;
        self
    }

    /// The same grant, with big values handed over as they are where they are open, or not.
    #[must_use]
    pub fn with_big(mut self, big: bool) -> Self {
        self.big = big;
        self
    }

    /// How one class is seen.
    pub fn sight(&self, class: Class) -> Sight {
        self.sights[class.index()]
    }

    /// How a value of these classes is seen: as its most hidden class. Without a class it is open.
    pub fn sight_of(&self, classes: Classes) -> Sight {
        classes.iter().map(|class| self.sight(class)).max().unwrap_or(Sight::Open)
    }

    /// Whether open values above 64 KiB are handed over as they are.
    pub fn big(&self) -> bool {
        self.big
    }

    /// What this site's grant leaves of what a plugin's manifest asks for. A class that is not
    /// asked for is sealed at best, whatever the site allows.
    #[must_use]
    pub fn limited_to(&self, asks: &BTreeMap<Class, Sight>) -> Self {
        let mut effective = self.clone();
        for class in Class::ALL {
            let asked = asks.get(class).copied().unwrap_or_default();
            let sight = &mut effective.sights[class.index()];
            *sight = asked.max(*sight);
        }
        effective
    }

    /// Reads `phi.<class> = "open" | "seal" | "withhold"` and `big = true` of a grant's section. The
    /// caller reads the section's other keys and finishes it.
    pub fn read(section: &mut Section<'_>) -> Self {
        let mut grant = Self::default();
        if let Some(big) = section.boolean("big") {
            grant.big = big.value;
        }
        let Some(mut phi) = section.section("phi") else { return grant };
        let words = Sight::ALL.iter().map(|it| it.word()).collect::<Vec<_>>();
        for class in Class::ALL {
            let chosen = phi.word(class.word(), &words);
            if let Some(sight) = chosen.and_then(|it| Sight::ALL.get(it.value).copied()) {
                grant = grant.with(*class, sight);
            }
        }
        phi.finish();
        grant
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use hilum_words::config::Document;
    use hilum_words::{Problem, Problems};

    use super::*;

    fn check(text: &str, expected: Expect) -> Grant {
        let problems = Problems::default();
        let document = Document::parse("hilum.toml", text, &problems);
        let mut section = document.root(&problems);
        let grant = Grant::read(&mut section);
        section.finish();
        let all: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
        expected.assert_eq(&all.join("\n"));
        grant
    }

    #[test]
    fn a_grant_is_read_and_everything_else_is_sealed() {
        let grant =
            check("phi.birth-date = \"open\"\nphi.text = \"withhold\"\nbig = true\n", expect![""]);
        assert_eq!(grant.sight(Class::BirthDate), Sight::Open);
        assert_eq!(grant.sight(Class::Text), Sight::Withhold);
        assert_eq!(grant.sight(Class::Name), Sight::Seal);
        assert!(grant.big());
    }

    #[test]
    fn a_wrong_class_or_sight_is_a_problem() {
        check(
            "phi.birthdate = \"open\"\nphi.name = \"sealed\"\n",
            expect![[r#"
                hilum.toml:1  phi.birthdate  unknown key; did you mean "birth-date"?
                hilum.toml:2  phi.name  must be one of "open", "seal", "withhold"; did you mean "seal"?"#]],
        );
    }

    #[test]
    fn what_is_not_asked_for_stays_sealed() {
        let site = Grant::open_to_all().with(Class::Text, Sight::Withhold);
        let asks = BTreeMap::from([(Class::BirthDate, Sight::Open), (Class::Text, Sight::Open)]);
        let grant = site.limited_to(&asks);
        assert_eq!(grant.sight(Class::BirthDate), Sight::Open);
        assert_eq!(grant.sight(Class::Name), Sight::Seal);
        assert_eq!(grant.sight(Class::Text), Sight::Withhold);
    }

    #[test]
    fn a_value_of_several_classes_is_as_hidden_as_the_most_hidden() {
        let grant = Grant::open_to_all().with(Class::Name, Sight::Seal);
        let both = [Class::Name, Class::Date].into_iter().collect();
        assert_eq!(grant.sight_of(both), Sight::Seal);
        assert_eq!(grant.sight_of(Classes::NONE), Sight::Open);
    }
}

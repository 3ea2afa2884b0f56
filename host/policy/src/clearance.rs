use hilum_words::config::{Placed, Section};
use hilum_words::meant;

use crate::{Class, Classes};

/// What happens to a value of a class on its way to a destination. Ordered: what comes later lets
/// less out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Clear {
    /// The value goes.
    Open,
    /// `***` goes in its place; a number or boolean goes away.
    Mask,
    /// Its place stays empty.
    Withhold,
}

impl Clear {
    /// Every one, from the one that lets most out.
    pub const ALL: &[Self] = &[Self::Open, Self::Mask, Self::Withhold];

    /// The word as it is configured.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Mask => "mask",
            Self::Withhold => "withhold",
        }
    }
}

/// What a destination may receive, class by class. What is not named parks.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Clearance {
    clears: [Option<Clear>; Class::COUNT],
}

impl Clearance {
    /// Nothing is cleared: every output that carries PHI parks.
    pub fn none() -> Self {
        Self::default()
    }

    /// The preset `treatment`: everything goes as it is.
    pub fn treatment() -> Self {
        Self { clears: [Some(Clear::Open); Class::COUNT] }
    }

    /// The same clearance with another answer for one class.
    #[must_use]
    pub fn with(mut self, class: Class, clear: Clear) -> Self {
        self.clears[class.index()] = Some(clear);
        self
    }

    /// What happens to one class; none if it is not named.
    pub fn clear(&self, class: Class) -> Option<Clear> {
        self.clears[class.index()]
    }

    /// Whether everything goes as it is.
    pub fn is_open(&self) -> bool {
        self.clears.iter().all(|it| *it == Some(Clear::Open))
    }

    /// What happens to a value of these classes: what lets least out. `Err` has the classes that
    /// are not named.
    pub fn clear_of(&self, classes: Classes) -> Result<Clear, Classes> {
        let mut strictest = Clear::Open;
        let mut unnamed = Classes::NONE;
        for class in classes.iter() {
            match self.clear(class) {
                Some(clear) => strictest = strictest.max(clear),
                None => unnamed = unnamed.and(class.into()),
            }
        }
        if unnamed.is_empty() { Ok(strictest) } else { Err(unnamed) }
    }

    /// Reads the key `clearance`: the word of a preset, or a table of lists of classes. A
    /// destination without it is a problem. None if there was any.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        const KEY: &str = "clearance";
        if !section.has(KEY) {
            // Asking for it is what notes the problem.
            section.required_text(KEY);
            return None;
        }
        section.takes_words(KEY, ["treatment"]);
        if section.is_text(KEY) {
            return section.text(KEY).and_then(|word| Self::preset(section, &word));
        }
        let before = section.problems().len();
        let clearance = Self::read_lists(section.section(KEY)?);
        (section.problems().len() == before).then_some(clearance)
    }

    fn preset(section: &Section<'_>, word: &Placed<String>) -> Option<Self> {
        match word.value.as_str() {
            "treatment" => return Some(Self::treatment()),
            "deidentified" => word.problem(
                section.problems(),
                "the preset \"deidentified\" is not built yet; name the classes: \
                 { open = [..], mask = [..], withhold = [..] }",
            ),
            other => {
                let meant = meant(other, ["treatment"]);
                let text = format!(
                    "must be \"treatment\", or a table {{ open = [..], mask = [..], \
                     withhold = [..] }}{meant}"
                );
                word.problem(section.problems(), text);
            }
        }
        None
    }

    fn read_lists(mut lists: Section<'_>) -> Self {
        let mut clearance = Self::none();
        if lists.texts("pseudonym").is_some() {
            lists.problem_at("pseudonym", "is not built yet; use \"mask\" or \"withhold\"");
        }
        for clear in Clear::ALL {
            lists.takes_words(clear.word(), Class::ALL.iter().map(|it| it.word()));
            for word in lists.texts(clear.word()).unwrap_or_default() {
                let Some(class) = Class::from_word(&word.value) else {
                    let meant = meant(&word.value, Class::ALL.iter().map(|it| it.word()));
                    word.problem(lists.problems(), format!("no class has this name{meant}"));
                    continue;
                };
                if clearance.clear(class).is_some_and(|before| before != *clear) {
                    word.problem(lists.problems(), format!("\"{class}\" is in another list too"));
                }
                clearance = clearance.with(class, *clear);
            }
        }
        lists.finish();
        clearance
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use hilum_words::config::Document;
    use hilum_words::{Problem, Problems};

    use super::*;

    fn check(text: &str, expected: Expect) -> Option<Clearance> {
        let problems = Problems::default();
        let document = Document::parse("hilum.toml", text, &problems);
        let mut section = document.root(&problems);
        let clearance = Clearance::read(&mut section);
        section.finish();
        let all: Vec<_> = problems.into_sorted().iter().map(Problem::to_string).collect();
        expected.assert_eq(&all.join("\n"));
        clearance
    }

    #[test]
    fn treatment_is_open_for_all() {
        let clearance = check("clearance = \"treatment\"\n", expect![""]);
        assert!(clearance.is_some_and(|it| it.is_open()));
    }

    #[test]
    fn lists_name_classes_and_what_is_not_named_parks() {
        let text = "clearance = { open = [\"date\"], mask = [\"name\"], withhold = [\"text\"] }\n";
        let clearance = check(text, expect![""]).expect("no problem");
        assert_eq!(clearance.clear_of(Class::Date.into()), Ok(Clear::Open));
        let both = [Class::Date, Class::Name].into_iter().collect();
        assert_eq!(clearance.clear_of(both), Ok(Clear::Mask));
        let more = [Class::Date, Class::Image].into_iter().collect();
        assert_eq!(clearance.clear_of(more), Err(Class::Image.into()));
        assert_eq!(clearance.clear_of(Classes::NONE), Ok(Clear::Open));
    }

    #[test]
    fn what_is_wrong_is_a_problem_and_clears_nothing() {
        assert_eq!(check("", expect![[r#"hilum.toml  needs the key "clearance""#]]), None);
        check(
            "clearance = \"everything\"\n",
            expect![[
                r#"hilum.toml:1  clearance  must be "treatment", or a table { open = [..], mask = [..], withhold = [..] }"#
            ]],
        );
        check(
            "clearance = { open = [\"dates\"], mask = [\"name\"], withhold = [\"name\"], pseudonym = [\"text\"] }\n",
            expect![[r#"
                hilum.toml:1  clearance.open[0]  no class has this name; did you mean "date"?
                hilum.toml:1  clearance.pseudonym  is not built yet; use "mask" or "withhold"
                hilum.toml:1  clearance.withhold[0]  "name" is in another list too"#]],
        );
    }
}

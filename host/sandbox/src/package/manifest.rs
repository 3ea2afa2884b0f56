use std::collections::BTreeMap;

use hilum_contract::World;
use hilum_policy::{Class, Sight};
use hilum_words::config::{Document, Placed, Section};
use hilum_words::{Name, Problems, did_you_mean};

use crate::BudgetAsk;

/// Letters of a text of the manifest.
const TEXT_CHARACTERS_MAX: usize = 500;

/// Entries of a list of the manifest.
const LIST_MAX: usize = 200;

/// What a plugin says about itself: its `plugin.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its name, such as `st-anna/adt-to-fhir`.
    pub name: Name,
    /// Its own version.
    pub version: String,
    /// The contract as it is written: `hilum:plugin/transformer@0.1.0`.
    pub contract: String,
    /// The world of that contract.
    pub world: World,
    /// What it does, in one line; empty if it does not say.
    pub summary: String,
    /// Who answers for it; empty if it does not say.
    pub owner: String,
    /// What it takes, such as `hl7v2:ADT^A01`.
    pub takes: Vec<String>,
    /// What it gives, such as `fhir-json:Bundle`.
    pub gives: Vec<String>,
    /// What it wants to see and use.
    pub asks: Asks,
    /// What it needs for one call.
    pub budget: BudgetAsk,
}

/// What a plugin wants; a site grants it or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// Classes of patient data.
    pub phi: BTreeMap<Class, PhiAsk>,
    /// Whether it wants open values of more than 64 KiB as they are.
    pub big: bool,
    /// Code tables by name.
    pub tables: Vec<Name>,
}

/// How a plugin wants to see a class, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhiAsk {
    /// How.
    pub sight: Sight,
    /// What for, for the person who grants it.
    pub why: String,
}

impl Manifest {
    /// Reads a manifest. It counts only if `problems` stays empty.
    pub fn read(file: &str, text: &str, problems: &Problems) -> Option<Self> {
        let document = Document::parse(file, text, problems);
        let mut root = document.root(problems);
        let Some(mut plugin) = root.section("plugin") else {
            root.problem("needs the section [plugin]");
            return None;
        };
        let _ = plugin.word("kind", &["plugin"]);
        let name = required(&mut plugin, "name");
        let version = required(&mut plugin, "version");
        let contract = required(&mut plugin, "contract");
        let summary = optional(&mut plugin, "summary");
        let owner = optional(&mut plugin, "owner");
        let takes = kinds(&mut plugin, "takes");
        let gives = kinds(&mut plugin, "gives");
        plugin.finish();
        let asks = root.section("asks").map(|it| Asks::read(it, problems)).unwrap_or_default();
        let budget = root.section("budget").map(BudgetAsk::read).unwrap_or_default();
        root.finish();

        let name = name.filter(|it| check_name(it, problems));
        let version = version.filter(|it| check_version(it, problems));
        let world = contract.as_ref().and_then(|it| read_contract(it, problems));
        Some(Self {
            name: Name::from(name?.value),
            version: version?.value,
            contract: contract?.value,
            world: world?,
            summary,
            owner,
            takes,
            gives,
            asks,
            budget,
        })
    }
}

impl Asks {
    fn read(mut section: Section<'_>, problems: &Problems) -> Self {
        let mut asks = Self::default();
        for (name, mut ask) in section.sections("phi") {
            let words: Vec<_> = Sight::ALL.iter().map(|it| it.word()).collect();
            let sight = ask.word("sight", &words);
            let why = required(&mut ask, "why");
            if !ask.has("sight") {
                ask.problem("needs the key \"sight\"");
            }
            ask.finish();
            let Some(class) = read_class(&name, problems) else { continue };
            let sight = sight.and_then(|it| Sight::ALL.get(it.value).copied());
            let (Some(sight), Some(why)) = (sight, why) else { continue };
            asks.phi.insert(class, PhiAsk { sight, why: why.value });
        }
        asks.big = section.boolean("big").is_some_and(|it| it.value);
        for table in texts(&mut section, "tables") {
            if table.value.is_empty() {
                table.problem(problems, "is empty");
            }
            asks.tables.push(Name::from(table.value));
        }
        section.finish();
        asks
    }
}

/// The class with this name; a problem with what was probably meant if there is none.
fn read_class(name: &Placed<String>, problems: &Problems) -> Option<Class> {
    let class = Class::from_word(&name.value);
    if class.is_none() {
        let words = || Class::ALL.iter().map(|it| it.word());
        let hint = match did_you_mean(&name.value, words()) {
            Some(word) => format!("did you mean \"{word}\"?"),
            None => format!("classes are {}", words().collect::<Vec<_>>().join(", ")),
        };
        name.problem(problems, format!("there is no such class of patient data; {hint}"));
    }
    class
}

fn required(section: &mut Section<'_>, key: &str) -> Option<Placed<String>> {
    let text = section.required_text(key)?;
    if text.value.trim().is_empty() {
        text.problem(section.problems(), "is empty");
        return None;
    }
    check_text(&text, section.problems()).then_some(text)
}

/// A text that sites look for and that no plugin must have.
fn optional(section: &mut Section<'_>, key: &str) -> String {
    let text = section.text(key).filter(|it| check_text(it, section.problems()));
    text.map(|it| it.value).unwrap_or_default()
}

fn texts(section: &mut Section<'_>, key: &str) -> Vec<Placed<String>> {
    let all = section.texts(key).unwrap_or_default();
    if LIST_MAX < all.len() {
        section.problem_at(key, format!("has more than {LIST_MAX} entries"));
        return Vec::new();
    }
    all.into_iter().filter(|it| check_text(it, section.problems())).collect()
}

fn check_text(text: &Placed<String>, problems: &Problems) -> bool {
    if text.value.chars().any(char::is_control) {
        text.problem(problems, "must not have control characters");
        return false;
    }
    if TEXT_CHARACTERS_MAX < text.value.chars().count() {
        text.problem(problems, format!("has more than {TEXT_CHARACTERS_MAX} characters"));
        return false;
    }
    true
}

/// `takes` and `gives`: a format, or a format and a kind.
fn kinds(section: &mut Section<'_>, key: &str) -> Vec<String> {
    let mut kinds = Vec::new();
    for text in texts(section, key) {
        let format = text.value.split(':').next().unwrap_or_default();
        if crate::is_format(format) && !text.value.ends_with(':') {
            kinds.push(text.value);
        } else {
            let hint = "must be a format, or a format and a kind, such as \"hl7v2:ADT^A01\"";
            text.problem(section.problems(), hint);
        }
    }
    kinds
}

fn check_name(name: &Placed<String>, problems: &Problems) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
    };
    let is_name = name.value.split('/').count() <= 2 && name.value.split('/').all(is_part);
    if !is_name {
        let hint = "must be lower-case letters, digits and hyphens, with a publisher before a \
                    slash if you like: \"st-anna/adt-to-fhir\"";
        name.problem(problems, hint);
    }
    is_name
}

fn check_version(version: &Placed<String>, problems: &Problems) -> bool {
    let core = version.value.split(['-', '+']).next().unwrap_or_default();
    let is_number =
        |it: &str| !it.is_empty() && it.len() < 10 && it.bytes().all(|b| b.is_ascii_digit());
    let letters = |it: u8| it.is_ascii_alphanumeric() || b".-+".contains(&it);
    let is_version = core.split('.').count() == 3
        && core.split('.').all(is_number)
        && version.value.bytes().all(letters);
    if !is_version {
        version.problem(problems, "must be three numbers, such as \"1.4.0\"");
    }
    is_version
}

/// Takes `hilum:plugin/transformer@0.1.0` apart.
fn read_contract(contract: &Placed<String>, problems: &Problems) -> Option<World> {
    let known = || World::ALL.iter().map(|it| format!("\"{}\"", it.id())).collect::<Vec<_>>();
    let parts = contract.value.strip_prefix(hilum_contract::PACKAGE).and_then(|it| {
        let (world, version) = it.strip_prefix('/')?.split_once('@')?;
        Some((world, version))
    });
    let Some((world, version)) = parts else {
        contract.problem(problems, format!("must be one of {}", known().join(", ")));
        return None;
    };
    if !hilum_contract::is_compatible(version) {
        let ours = hilum_contract::VERSION;
        let text = format!(
            "this gateway speaks version {ours} of the contract, not {version}: build the plugin \
             against {ours}, or use a gateway that speaks {version}"
        );
        contract.problem(problems, text);
        return None;
    }
    let found = World::from_word(world);
    if found.is_none() {
        let words = World::ALL.iter().map(|it| it.word());
        let hint = match did_you_mean(world, words) {
            Some(word) => format!("did you mean \"{word}\"?"),
            None => format!("it must be one of {}", known().join(", ")),
        };
        contract.problem(problems, format!("the contract has no world \"{world}\"; {hint}"));
    }
    found
}

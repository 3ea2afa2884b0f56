//! `plugin.toml`, as far as building needs it. The gateway reads all of it.

use anyhow::{Context, Result, bail, ensure};
use toml::de::{DeTable, DeValue};

/// What building needs of a manifest.
pub(crate) struct Manifest {
    /// The last part of the name: `adt-to-fhir` of `st-anna/adt-to-fhir`.
    pub(crate) short_name: String,
    pub(crate) world: World,
    pub(crate) warnings: Vec<String>,
}

/// The worlds of the contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum World {
    Transformer,
    Router,
    Validator,
}

impl World {
    const ALL: [Self; 3] = [Self::Transformer, Self::Router, Self::Validator];

    /// The world's name in the contract, and of the macro that exports it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Transformer => "transformer",
            Self::Router => "router",
            Self::Validator => "validator",
        }
    }

    /// The interface that a plugin of this world exports.
    pub(crate) fn exported(self) -> &'static str {
        match self {
            Self::Transformer => "hilum:plugin/transform@0.1.0",
            Self::Router => "hilum:plugin/route@0.1.0",
            Self::Validator => "hilum:plugin/check@0.1.0",
        }
    }

    /// The world of an exported interface.
    pub(crate) fn of_export(export: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|world| world.exported() == export)
    }

    /// `hilum:plugin/transformer@0.1.0`.
    pub(crate) fn contract(self) -> String {
        format!("hilum:plugin/{}@0.1.0", self.word())
    }
}

impl Manifest {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).context("plugin.toml is not UTF-8")?;
        let root = match DeTable::parse(text) {
            Ok(root) => root.into_inner(),
            Err(error) => {
                let start = error.span().map_or(0, |it| it.start);
                let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
                bail!("plugin.toml:{line}: {}", error.message());
            }
        };
        let plugin = root
            .get("plugin")
            .and_then(|it| it.get_ref().as_table())
            .context("plugin.toml has no table [plugin]")?;
        let text_of = |key: &str| match plugin.get(key).map(|it| it.get_ref()) {
            Some(DeValue::String(text)) if !text.trim().is_empty() => Some(text.to_string()),
            _ => None,
        };
        let needed = |key: &str| {
            text_of(key).with_context(|| format!("plugin.toml: plugin.{key} must be a text"))
        };

        let name = needed("name")?;
        let short_name = name.rsplit('/').next().unwrap_or_default().to_owned();
        ensure!(is_name(&short_name), "plugin.toml: plugin.name: {NAME_RULE}");
        let contract = needed("contract")?;
        let world = World::ALL
            .into_iter()
            .find(|world| world.contract() == contract)
            .with_context(|| {
                let known = World::ALL.map(|world| format!("{:?}", world.contract())).join(", ");
                format!("plugin.toml: plugin.contract is {contract:?}; this tool knows {known}")
            })?;
        let mut warnings = Vec::new();
        for key in ["summary", "owner"] {
            if text_of(key).is_none() {
                warnings.push(format!("plugin.toml: plugin.{key} is missing; sites look for it"));
            }
        }
        needed("version")?;
        Ok(Self { short_name, world, warnings })
    }
}

pub(crate) const NAME_RULE: &str =
    "a name has small letters, digits and '-', and begins with a letter";

/// Whether a text can name a plugin and a crate.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.len() <= 64
        && text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[plugin]\nname = \"st-anna/x\"\nversion = \"1.0.0\"\n\
        contract = \"hilum:plugin/router@0.1.0\"\nsummary = \"s\"\nowner = \"o\"\n";

    #[track_caller]
    fn check(manifest: &str, expected: &str) {
        let error = Manifest::read(manifest.as_bytes()).err().expect("a problem");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_good_manifest_is_read() {
        let manifest = Manifest::read(GOOD.as_bytes()).expect("good");
        assert_eq!((manifest.short_name.as_str(), manifest.world), ("x", World::Router));
        assert!(manifest.warnings.is_empty());
    }

    #[test]
    fn what_sites_look_for_is_only_a_warning() {
        let manifest = Manifest::read(GOOD.replace("owner = \"o\"", "").as_bytes()).expect("good");
        assert_eq!(manifest.warnings, ["plugin.toml: plugin.owner is missing; sites look for it"]);
    }

    #[test]
    fn problems_have_a_place() {
        check("", "plugin.toml has no table [plugin]");
        check(
            "[plugin]\nname = \"x\"\nversion =\n",
            "plugin.toml:3: string values must be quoted, expected literal string",
        );
        check("[plugin]\n", "plugin.toml: plugin.name must be a text");
        check(&GOOD.replace("\"1.0.0\"", "1"), "plugin.toml: plugin.version must be a text");
        check(
            &GOOD.replace("st-anna/x", "st-anna/X y"),
            &format!("plugin.toml: plugin.name: {NAME_RULE}"),
        );
        check(
            &GOOD.replace("router@0.1.0", "router@9.0.0"),
            "plugin.toml: plugin.contract is \"hilum:plugin/router@9.0.0\"; this tool knows \
             \"hilum:plugin/transformer@0.1.0\", \"hilum:plugin/router@0.1.0\", \
             \"hilum:plugin/validator@0.1.0\"",
        );
    }
}

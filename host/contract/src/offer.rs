/// The package that a plugin is built against.
pub const PACKAGE: &str = "hilum:plugin";

/// The version of it that this gateway speaks.
pub const VERSION: &str = "0.1.0";

/// One interface that the gateway offers: its name, and its functions as the component spells them.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    /// The name without package and version, such as `message`.
    pub name: &'static str,
    /// Its functions, such as `get-many` and `[method]draft.set`, in the order of the WIT.
    pub functions: &'static [&'static str],
    /// Its types, without those that it takes from another interface.
    pub types: &'static [&'static str],
}

/// Every interface that a plugin may import. All of them are always linked.
pub const INTERFACES: &[Interface] = &[
    Interface {
        name: "types",
        functions: &[],
        types: &["format", "access-error", "reason", "refusal"],
    },
    Interface {
        name: "message",
        functions: &[
            "about", "get", "get-many", "all", "count", "outline", "sight-of", "body", "text",
        ],
        types: &["sight", "facts"],
    },
    Interface {
        name: "conversions",
        functions: &[
            "fhir-date",
            "fhir-date-time",
            "hl7-date",
            "upper-case",
            "lower-case",
            "trim",
            "digits",
            "first-letter",
        ],
        types: &[],
    },
    Interface {
        name: "drafts",
        functions: &[
            "[static]draft.copy-of-message",
            "[static]draft.blank",
            "[method]draft.set",
            "[method]draft.copy",
            "[method]draft.remove",
        ],
        types: &["draft"],
    },
    Interface { name: "outputs", functions: &[], types: &["body", "output"] },
    Interface { name: "log", functions: &["write"], types: &["level"] },
    Interface { name: "tables", functions: &["translate"], types: &["table-error"] },
    Interface { name: "settings", functions: &["get"], types: &[] },
];

/// What a plugin is: which function the gateway calls, and what it does with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum World {
    /// Turns a message into any number of others.
    Transformer,
    /// Chooses destinations.
    Router,
    /// Accepts, refuses or holds.
    Validator,
}

impl World {
    /// Every world.
    pub const ALL: &[Self] = &[Self::Transformer, Self::Router, Self::Validator];

    /// The name in the WIT.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Transformer => "transformer",
            Self::Router => "router",
            Self::Validator => "validator",
        }
    }

    /// The world with this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.word() == word)
    }

    /// The interface that a plugin of this world exports.
    pub const fn export(self) -> &'static str {
        match self {
            Self::Transformer => "transform",
            Self::Router => "route",
            Self::Validator => "check",
        }
    }

    /// The whole name with package and version, as `plugin.toml` has it:
    /// `hilum:plugin/router@0.1.0`.
    pub fn id(self) -> String {
        id_of(self.word())
    }
}

/// The interface with this name.
pub fn interface(name: &str) -> Option<&'static Interface> {
    INTERFACES.iter().find(|it| it.name == name)
}

/// Whether a plugin built against this version can be spoken to: what is not 1.0 yet keeps its
/// promises within a minor version. Whether it needs a function that came later shows when its
/// imports are compared.
pub fn is_compatible(version: &str) -> bool {
    let minor = VERSION.rsplit_once('.').map_or(VERSION, |(minor, _)| minor);
    version
        .strip_prefix(minor)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|patch| patch.parse::<u32>().is_ok())
}

/// The whole name of something in the package: `message` is `hilum:plugin/message@0.1.0`.
pub fn id_of(name: &str) -> String {
    format!("{PACKAGE}/{name}@{VERSION}")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// `interface name { .. }` and `world name { .. }` of the WIT, with what their lines declare. It
    /// knows just enough of the language for the files it reads, and fails on what it does not know.
    fn declared() -> BTreeMap<String, (Vec<String>, BTreeSet<String>)> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/hilum-plugin@next");
        let mut all = BTreeMap::new();
        let mut files: Vec<_> = std::fs::read_dir(folder).expect("wit/").flatten().collect();
        files.sort_by_key(std::fs::DirEntry::path);
        for file in files {
            #[expect(clippy::disallowed_methods, reason = "a test reads the WIT")]
            let text = std::fs::read(file.path()).expect("a WIT file");
            let (mut inside, mut resource, mut depth) = (None::<String>, None::<String>, 0);
            for line in String::from_utf8(text).expect("UTF-8").lines().map(str::trim) {
                if line.starts_with("//") {
                    continue;
                }
                if let Some(name) = line.strip_prefix("interface ") {
                    let name = name.trim_end_matches(" {").to_owned();
                    all.insert(name.clone(), (Vec::new(), BTreeSet::new()));
                    inside = Some(name);
                } else if let Some(name) = &inside {
                    let (functions, types) = all.entry(name.clone()).or_default();
                    for kind in ["record ", "variant ", "enum ", "type ", "resource "] {
                        if let Some(rest) = line.strip_prefix(kind) {
                            let end = rest.find([' ', '=']).unwrap_or(rest.len());
                            types.insert(rest[..end].to_owned());
                        }
                    }
                    if let Some(rest) = line.strip_prefix("resource ") {
                        resource = Some(rest.trim_end_matches(" {").to_owned());
                    }
                    if let Some((function, signature)) = line.split_once(": ") {
                        match (&resource, signature.starts_with("static func(")) {
                            (Some(of), true) => functions.push(format!("[static]{of}.{function}")),
                            (Some(of), false) if signature.starts_with("func(") => {
                                functions.push(format!("[method]{of}.{function}"));
                            }
                            (None, _) if signature.starts_with("func(") => {
                                functions.push(function.to_owned());
                            }
                            _ => {}
                        }
                    }
                }
                depth += line.matches('{').count();
                depth -= line.matches('}').count();
                if depth < 2 {
                    resource = None;
                }
                if depth == 0 {
                    inside = None;
                }
            }
        }
        all
    }

    #[test]
    fn the_tables_in_words_agree_with_the_wit() {
        let mut declared = declared();
        for world in World::ALL {
            let (functions, _) = declared.remove(world.export()).expect("the export is in the WIT");
            assert_eq!(functions, ["run"]);
        }
        for interface in INTERFACES {
            let (functions, types) = declared.remove(interface.name).expect("it is in the WIT");
            assert_eq!(functions, interface.functions, "functions of {}", interface.name);
            let ours: BTreeSet<String> =
                interface.types.iter().map(|it| (*it).to_owned()).collect();
            assert_eq!(types, ours, "types of {}", interface.name);
        }
        assert!(declared.is_empty(), "not in the table: {:?}", declared.keys());
    }

    #[test]
    fn a_world_prints_and_parses_back() {
        for world in World::ALL {
            assert_eq!(World::from_word(world.word()), Some(*world));
        }
        assert_eq!(World::Router.id(), "hilum:plugin/router@0.1.0");
    }
}

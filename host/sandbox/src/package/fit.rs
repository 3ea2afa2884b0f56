//! Whether a plugin fits the contract, before anything is compiled or linked.
//!
//! The engine itself says only "function implementation is missing"; here each thing that does not
//! fit gets the sentence that the plugin's developer needs.

use std::fmt;

use hilum_contract::{INTERFACES, PACKAGE, VERSION, World, id_of, interface, is_compatible};
use hilum_words::did_you_mean;

use super::{Extern, Package};

/// One thing about a plugin that does not fit the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// It imports something that is not of the contract's package.
    Foreign {
        /// The import's name.
        import: String,
    },
    /// It imports the contract in a version that this gateway does not speak.
    Version {
        /// The import's name.
        import: String,
        /// Its version.
        version: String,
    },
    /// It imports an interface that the contract does not have.
    NoInterface {
        /// The import's name.
        import: String,
        /// What was probably meant.
        meant: Option<&'static str>,
    },
    /// It imports a function that the interface does not have.
    NoFunction {
        /// The interface's name, as it is imported.
        import: String,
        /// The function.
        function: String,
        /// What was probably meant.
        meant: Option<&'static str>,
    },
    /// It does not export what its world asks for.
    NoExport {
        /// The world that the manifest names.
        world: World,
        /// The world whose export it has.
        has: Option<World>,
        /// All that it exports.
        exports: Vec<String>,
    },
    /// Its export has no function `run`.
    NoRun {
        /// The world that the manifest names.
        world: World,
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign { import } if import.starts_with("wasi:") => write!(
                f,
                "it imports {import}, and a plugin gets nothing of WASI: no file, socket, clock, \
                 random number or environment. Build it for wasm32-unknown-unknown, or have your \
                 toolchain leave WASI out"
            ),
            Self::Foreign { import } => write!(
                f,
                "it imports {import}, which no contract offers; a plugin may import {PACKAGE}@{VERSION} \
                 and nothing else"
            ),
            Self::Version { import, version } => write!(
                f,
                "it imports {import}, and this gateway speaks version {VERSION} of the contract: \
                 build it against {VERSION}, or use a gateway that speaks {version}"
            ),
            Self::NoInterface { import, meant } => {
                write!(f, "it imports {import}, and the contract has no such interface; ")?;
                match meant {
                    Some(name) => write!(f, "did you mean \"{}\"?", id_of(name)),
                    None => {
                        let names: Vec<_> = INTERFACES.iter().map(|it| it.name).collect();
                        write!(f, "it has {}", names.join(", "))
                    }
                }
            }
            Self::NoFunction { import, function, meant } => {
                write!(f, "it imports the function \"{function}\" of {import}, which ")?;
                match meant {
                    Some(name) => write!(
                        f,
                        "version {VERSION} of the contract does not have; did you mean \"{name}\"?"
                    ),
                    None => write!(
                        f,
                        "version {VERSION} of the contract does not have: build the plugin against \
                         {VERSION}, or use a gateway that has it"
                    ),
                }
            }
            Self::NoExport { world, has: Some(has), .. } => write!(
                f,
                "its manifest says {}, but it exports {}, which a {} does: write contract = \"{}\"",
                world.id(),
                id_of(has.export()),
                has.word(),
                has.id()
            ),
            Self::NoExport { world, has: None, exports } => {
                let what = match exports.as_slice() {
                    [] => "nothing".to_owned(),
                    all => all.join(", "),
                };
                write!(
                    f,
                    "a {} has to export {}, and it exports {what}",
                    world.word(),
                    id_of(world.export())
                )
            }
            Self::NoRun { world } => {
                write!(f, "its export {} has no function \"run\"", id_of(world.export()))
            }
        }
    }
}

impl Package {
    /// Everything about the plugin that does not fit the contract. What it exports beyond its world
    /// is no misfit: nobody calls it.
    pub fn misfits(&self) -> Vec<Misfit> {
        let mut misfits: Vec<Misfit> = self.imports.iter().flat_map(import).collect();
        misfits.extend(export(self.manifest.world, &self.exports));
        misfits
    }
}

/// `hilum:plugin/message@0.1.0` as `message` and `0.1.0`.
fn of_contract(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    Some(rest.split_once('@').unwrap_or((rest, "")))
}

fn import(import: &Extern) -> Vec<Misfit> {
    let name = || import.name.clone();
    let Some((short, version)) = of_contract(&import.name).filter(|_| import.is_interface) else {
        return vec![Misfit::Foreign { import: name() }];
    };
    if !is_compatible(version) {
        let version = if version.is_empty() { "none" } else { version };
        return vec![Misfit::Version { import: name(), version: version.to_owned() }];
    }
    let Some(ours) = interface(short) else {
        let meant = did_you_mean(short, INTERFACES.iter().map(|it| it.name));
        return vec![Misfit::NoInterface { import: name(), meant }];
    };
    let unknown = import.functions.iter().filter(|it| !ours.functions.contains(&it.as_str()));
    unknown
        .map(|function| Misfit::NoFunction {
            import: name(),
            function: function.clone(),
            meant: did_you_mean(function, ours.functions.iter().copied()),
        })
        .collect()
}

fn export(world: World, exports: &[Extern]) -> Option<Misfit> {
    let of = |world: World| {
        exports.iter().find(|it| {
            of_contract(&it.name)
                .is_some_and(|(name, version)| name == world.export() && is_compatible(version))
        })
    };
    match of(world) {
        Some(export) if export.functions.iter().any(|it| it == "run") => None,
        Some(_) => Some(Misfit::NoRun { world }),
        None => Some(Misfit::NoExport {
            world,
            has: World::ALL.iter().copied().find(|it| of(*it).is_some()),
            exports: exports.iter().map(|it| it.name.clone()).collect(),
        }),
    }
}

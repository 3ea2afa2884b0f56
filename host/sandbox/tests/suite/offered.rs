//! What the contract offers, read from the WIT itself: a new function, world or version shows up here
//! without anybody noting it down.

use std::path::Path;

use wit_parser::{Resolve, Type, TypeDefKind, WorldItem};

/// One function of the host, as one world of one version of the contract imports it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offered {
    pub version: String,
    pub world: String,
    pub interface: String,
    /// As a component spells it: `[method]draft.set`.
    pub function: String,
    /// Parameters that a guest can make as long as it likes.
    pub long: Vec<String>,
}

/// Every function of every world of every version in `wit/`.
pub fn functions() -> Vec<Offered> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(|it| {
        let wit = it.join("wit");
        wit.is_dir().then_some(wit)
    });
    let versions = std::fs::read_dir(wit.expect("wit/ is in the repository")).expect("wit/");
    let folders = versions.flatten().map(|it| it.path()).filter(|it| it.is_dir());
    let mut all: Vec<Offered> = folders.flat_map(|it| of_version(&it)).collect();
    all.sort();
    assert!(!all.is_empty(), "the contract offers something");
    all
}

fn of_version(folder: &Path) -> Vec<Offered> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder).expect("WIT");
    let package = &resolve.packages[package];
    let version = package.name.version.as_ref().expect("a version").to_string();
    let mut all = Vec::new();
    for world in package.worlds.values().map(|it| &resolve.worlds[*it]) {
        // `lent` is what the others have in common; nothing is built against it.
        if world.exports.is_empty() {
            continue;
        }
        for item in world.imports.values() {
            let WorldItem::Interface { id, .. } = item else {
                panic!("{} imports something beside interfaces", world.name)
            };
            let interface = &resolve.interfaces[*id];
            for function in interface.functions.values() {
                let long = function.params.iter().filter(|it| is_long(&resolve, it.ty));
                all.push(Offered {
                    version: version.clone(),
                    world: world.name.clone(),
                    interface: interface.name.clone().expect("a name"),
                    function: function.name.clone(),
                    long: long.map(|it| it.name.clone()).collect(),
                });
            }
        }
    }
    all
}

/// Whether a value of this type can be as long as its maker likes.
fn is_long(resolve: &Resolve, ty: Type) -> bool {
    match ty {
        Type::String => true,
        Type::Id(id) => match &resolve.types[id].kind {
            TypeDefKind::List(_) => true,
            TypeDefKind::Type(ty) => is_long(resolve, *ty),
            TypeDefKind::Enum(_) | TypeDefKind::Handle(_) => false,
            other => panic!("say whether a {} is long", other.as_str()),
        },
        _ => false,
    }
}

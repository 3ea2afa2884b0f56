//! Bindings of the plugin contract, `wit/`.
//!
//! One module per world has what `wasmtime` generates from the WIT; the interfaces that the worlds
//! share are generated once, with `transformer`, and named by the others. Imports may trap, or a
//! limit on host calls could not stop a guest. [`World`] and [`INTERFACES`] say what the contract
//! offers in words that a plugin's developer can be told.
//!
//! A new version of the contract gets a module of its own here, which turns its types into the
//! newest ones; `wit/README.md` says how. There is one version today, so there is no adapter yet.
//!
//! Promises: nothing here decides anything; the tables in words agree with the WIT (a test).
//! Not here: what the host answers (`hilum_sandbox::capability`).

mod offer;

pub use offer::{INTERFACES, Interface, PACKAGE, VERSION, World, id_of, interface, is_compatible};

/// The world of mappings, and every interface that the worlds share.
#[expect(missing_docs, reason = "generated; the WIT has the documentation")]
pub mod transformer {
    wasmtime::component::bindgen!({
        world: "transformer",
        path: "../../wit/hilum-plugin@next",
        imports: { default: trappable },
        include_component_type: true,
    });
}

/// The world of routers.
#[expect(missing_docs, reason = "generated; the WIT has the documentation")]
pub mod router {
    wasmtime::component::bindgen!({
        world: "router",
        path: "../../wit/hilum-plugin@next",
        imports: { default: trappable },
        include_component_type: true,
        with: {
            "hilum:plugin/types@0.1.0": crate::types,
            "hilum:plugin/message@0.1.0": crate::message,
            "hilum:plugin/conversions@0.1.0": crate::conversions,
            "hilum:plugin/log@0.1.0": crate::log,
            "hilum:plugin/tables@0.1.0": crate::tables,
            "hilum:plugin/settings@0.1.0": crate::settings,
        },
    });
}

/// The world of validators.
#[expect(missing_docs, reason = "generated; the WIT has the documentation")]
pub mod validator {
    wasmtime::component::bindgen!({
        world: "validator",
        path: "../../wit/hilum-plugin@next",
        imports: { default: trappable },
        include_component_type: true,
        with: {
            "hilum:plugin/types@0.1.0": crate::types,
            "hilum:plugin/message@0.1.0": crate::message,
            "hilum:plugin/conversions@0.1.0": crate::conversions,
            "hilum:plugin/log@0.1.0": crate::log,
            "hilum:plugin/tables@0.1.0": crate::tables,
            "hilum:plugin/settings@0.1.0": crate::settings,
        },
    });
}

impl World {
    /// The world as tools embed it into a core module (the custom section `component-type`).
    pub const fn component_type(self) -> &'static [u8] {
        match self {
            Self::Transformer => transformer::COMPONENT_TYPE,
            Self::Router => router::COMPONENT_TYPE,
            Self::Validator => validator::COMPONENT_TYPE,
        }
    }
}

pub use transformer::hilum::plugin::{
    conversions, drafts, log, message, outputs, settings, tables, types,
};

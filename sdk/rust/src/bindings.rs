//! What `wit-bindgen` makes of the contract. Nobody names it but this crate and its macros.

#![allow(missing_docs, unsafe_code, clippy::all, reason = "generated code")]

wit_bindgen::generate!({
    path: "wit",
    world: "transformer",
    pub_export_macro: true,
    export_macro_name: "export_transformer",
    generate_all,
    generate_unused_types: true,
});

/// The router's export; all else is the transformer's.
pub mod router {
    wit_bindgen::generate!({
        path: "wit",
        world: "router",
        pub_export_macro: true,
        export_macro_name: "export_router",
        with: {
            "hilum:plugin/types@0.1.0": super::hilum::plugin::types,
            "hilum:plugin/message@0.1.0": super::hilum::plugin::message,
            "hilum:plugin/conversions@0.1.0": super::hilum::plugin::conversions,
            "hilum:plugin/log@0.1.0": super::hilum::plugin::log,
            "hilum:plugin/tables@0.1.0": super::hilum::plugin::tables,
            "hilum:plugin/settings@0.1.0": super::hilum::plugin::settings,
        },
    });
}

/// The validator's export; all else is the transformer's.
pub mod validator {
    wit_bindgen::generate!({
        path: "wit",
        world: "validator",
        pub_export_macro: true,
        export_macro_name: "export_validator",
        with: {
            "hilum:plugin/types@0.1.0": super::hilum::plugin::types,
            "hilum:plugin/message@0.1.0": super::hilum::plugin::message,
            "hilum:plugin/conversions@0.1.0": super::hilum::plugin::conversions,
            "hilum:plugin/log@0.1.0": super::hilum::plugin::log,
            "hilum:plugin/tables@0.1.0": super::hilum::plugin::tables,
            "hilum:plugin/settings@0.1.0": super::hilum::plugin::settings,
        },
    });
}

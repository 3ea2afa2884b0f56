//! How the host's call reaches the plugin's function.

use crate::{Message, log};

/// Runs the plugin's function. A panic inside is logged with its place before it traps: a trap
/// itself has no text.
pub fn call<T>(run: impl FnOnce(&Message) -> T) -> T {
    std::panic::set_hook(Box::new(|panic| {
        let what = panic.payload_as_str().unwrap_or("panic");
        match panic.location() {
            Some(place) => log::error(&format!("{place}: {what}")),
            None => log::error(what),
        }
    }));
    run(&Message::current())
}

/// Exports `fn(&Message) -> Result<Vec<Output>, Refusal>` as a transformer.
#[macro_export]
macro_rules! transformer {
    ($run:path) => {
        const _: () = {
            struct Plugin;
            impl $crate::bindings::exports::hilum::plugin::transform::Guest for Plugin {
                fn run() -> ::std::result::Result<::std::vec::Vec<$crate::Output>, $crate::Refusal>
                {
                    $crate::entry::call($run)
                }
            }
    $crate::bindings::export_transformer!(Plugin with_types_in $crate::bindings);
        };
    };
}

/// Exports `fn(&Message) -> Result<Vec<String>, Refusal>` as a router.
#[macro_export]
macro_rules! router {
    ($run:path) => {
        const _: () = {
            struct Plugin;
            impl $crate::bindings::router::exports::hilum::plugin::route::Guest for Plugin {
                fn run()
                -> ::std::result::Result<::std::vec::Vec<::std::string::String>, $crate::Refusal>
                {
                    $crate::entry::call($run)
                }
            }
            $crate::bindings::router::export_router!(
                Plugin with_types_in $crate::bindings::router
            );
        };
    };
}

/// Exports `fn(&Message) -> Verdict` as a validator.
#[macro_export]
macro_rules! validator {
    ($run:path) => {
        const _: () = {
            struct Plugin;
            impl $crate::bindings::validator::exports::hilum::plugin::check::Guest for Plugin {
                fn run() -> $crate::Verdict {
                    $crate::entry::call($run)
                }
            }
            $crate::bindings::validator::export_validator!(
                Plugin with_types_in $crate::bindings::validator
            );
        };
    };
}

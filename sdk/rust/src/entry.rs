//! How the host's call reaches the plugin's function.
//!
//! Only a component exports it: on any other target the function is a function, and several plugins
//! can stand in one program (`crate::native`).

use crate::{Message, coverage, log};

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
    self::run(run)
}

/// Runs the plugin's function from a fresh start, and tells what it used if somebody asked.
pub fn run<T>(run: impl FnOnce(&Message) -> T) -> T {
    coverage::begin();
    let result = run(&Message::current());
    coverage::report();
    result
}

/// Exports `fn(&Message) -> Result<Vec<Output>, Refusal>` as a transformer.
#[macro_export]
macro_rules! transformer {
    ($run:path) => {
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn(
            &$crate::Message,
        ) -> ::std::result::Result<::std::vec::Vec<$crate::Output>, $crate::Refusal> = $run;
        #[cfg(target_arch = "wasm32")]
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
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn(
            &$crate::Message,
        ) -> ::std::result::Result<
            ::std::vec::Vec<::std::string::String>,
            $crate::Refusal,
        > = $run;
        #[cfg(target_arch = "wasm32")]
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
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn(&$crate::Message) -> $crate::Verdict = $run;
        #[cfg(target_arch = "wasm32")]
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

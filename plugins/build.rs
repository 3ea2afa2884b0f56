//! How a guest's memory is laid out: low, so that all of it stays in the part that the gateway writes
//! back between two calls instead of giving it back to the kernel.

fn main() {
    println!("cargo::rerun-if-changed=../build.rs");
    let is = |key: &str, wanted: fn(&str) -> bool| std::env::var(key).is_ok_and(|it| wanted(&it));
    if !is("CARGO_CFG_TARGET_ARCH", |it| it == "wasm32") {
        return;
    }
    // Nothing here calls itself but the parts of a location, as often as a location has levels.
    println!("cargo::rustc-link-arg-cdylib=-zstack-size=65536");
    if is("CARGO_PKG_NAME", |it| it.ends_with("-to-fhir")) {
        // What a bundle needs, at once: growing costs two calls of the kernel.
        println!("cargo::rustc-link-arg-cdylib=--initial-memory=524288");
    }
}

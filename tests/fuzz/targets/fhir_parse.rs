//! Any bytes are JSON or an error, and what is written is read as the same tree.

#![no_main]

use hilum_fhir::{entries, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match parse(bytes) {
        Ok(value) => {
            let written = value.to_bytes();
            assert!(parse(&written).is_ok_and(|read| read == value));
            assert!(parse(value.to_pretty().as_bytes()).is_ok_and(|read| read == value));
            let _ = (value.resource_type(), entries(&value).len());
        }
        Err(error) => assert!(error.offset <= bytes.len()),
    }
});

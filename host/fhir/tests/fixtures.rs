//! Every resource of the fixtures is read, and written back with its digits and in its order.

#![expect(clippy::disallowed_methods, reason = "a test may read its data")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};

fn resources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            resources(&path, found);
        } else if path.ends_with("fhir-r4/elements.json") {
            // A table of FHIR's elements, and no resource.
        } else if path.extension().is_some_and(|ending| ending == "json") {
            found.push(path);
        }
    }
}

/// The document without the blanks between its parts.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut in_text, mut escaped) = (false, false);
    let mut out = Vec::new();
    for &byte in json {
        if in_text || !byte.is_ascii_whitespace() {
            out.push(byte);
        }
        in_text ^= byte == b'"' && !escaped;
        escaped = in_text && byte == b'\\' && !escaped;
    }
    out
}

#[test]
fn every_resource_is_written_as_it_was_but_for_blanks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/fhir-r4");
    let mut paths = Vec::new();
    resources(&folder, &mut paths);
    assert!(200 < paths.len(), "{} resources", paths.len());
    let mut respelt = 0;
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let value = hilum_fhir::parse(bytes).unwrap_or_else(|fault| panic!("{path:?}: {fault}"));
        assert!(value.resource_type().is_some(), "{path:?}");
        let (written, wanted) = (value.to_bytes(), compact(bytes));
        if written != wanted {
            // Only an escape that need not be one (`\/`, `\u00e4`) may be spelt another way.
            assert!(wanted.windows(2).any(|it| it == b"\\u" || it == b"\\/"), "{path:?}");
            assert_eq!(hilum_fhir::parse(&written), Ok(value), "{path:?}");
            respelt += 1;
        }
    }
    assert!(respelt < 20, "{respelt} resources are spelt another way");
}

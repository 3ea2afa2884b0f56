//! The evidence: typed records and their canonical bytes.

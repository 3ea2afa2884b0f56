//! Data types of results: quantities, ranges, timings, documents.

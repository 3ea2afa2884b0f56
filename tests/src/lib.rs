//! System tests: one file per promise.

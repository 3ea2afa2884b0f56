//! The journal: what was accepted and all that happened to it.

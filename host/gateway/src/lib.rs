//! A whole gateway: configuration checked, wired, started, stopped.

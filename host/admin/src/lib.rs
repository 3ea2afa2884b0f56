//! The operator's API, health and metrics.

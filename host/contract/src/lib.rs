//! Bindings of the plugin contract.

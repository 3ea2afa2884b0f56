//! Who may see and receive what: views, seals, clearance.

//! All doors in memory, on one seed, with faults.

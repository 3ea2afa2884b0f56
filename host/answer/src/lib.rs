//! What a sender is told.

//! Measurements, side by side with the limit.

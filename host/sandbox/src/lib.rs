//! Engine, packages, budgets: one plugin call and nothing left behind.

//! The story of one message: intake, routes, worker.

//! PID: `segments/PID[…]` of the guide.

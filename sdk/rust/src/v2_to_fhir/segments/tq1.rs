//! TQ1: `segments/TQ1[…]` of the guide.

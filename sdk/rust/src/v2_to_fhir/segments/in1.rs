//! IN1: `segments/IN1[…]` of the guide.

//! PR1: `segments/PR1[…]` of the guide.

//! PD1: `segments/PD1[…]` of the guide.

//! AL1: `segments/AL1[…]` of the guide.

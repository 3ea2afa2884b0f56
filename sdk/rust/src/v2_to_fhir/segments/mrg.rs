//! MRG: `segments/MRG[…]` of the guide.

//! PRT: `segments/PRT[…]` of the guide.

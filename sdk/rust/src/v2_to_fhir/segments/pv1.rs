//! PV1: `segments/PV1[…]` of the guide.

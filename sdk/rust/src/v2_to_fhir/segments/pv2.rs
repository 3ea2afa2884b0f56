//! PV2: `segments/PV2[…]` of the guide.

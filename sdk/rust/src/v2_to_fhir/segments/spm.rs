//! SPM: `segments/SPM[…]` of the guide.

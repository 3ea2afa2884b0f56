//! DG1: `segments/DG1[…]` of the guide.

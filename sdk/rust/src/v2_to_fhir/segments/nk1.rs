//! NK1: `segments/NK1[…]` of the guide.

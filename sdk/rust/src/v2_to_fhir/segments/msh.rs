//! MSH: `segments/MSH[…]` of the guide.

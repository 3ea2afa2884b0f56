//! EVN: `segments/EVN[…]` of the guide.

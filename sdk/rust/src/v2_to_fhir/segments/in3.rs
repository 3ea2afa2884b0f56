//! IN3: `segments/IN3[…]` of the guide.

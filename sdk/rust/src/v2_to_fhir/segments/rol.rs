//! ROL: `segments/ROL[…]` of the guide.

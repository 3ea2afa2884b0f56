//! OBR: `segments/OBR[…]` of the guide.

//! OBX: `segments/OBX[…]` of the guide.

//! ORC: `segments/ORC[…]` of the guide.

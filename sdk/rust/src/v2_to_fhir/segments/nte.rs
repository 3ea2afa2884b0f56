//! NTE: `segments/NTE[…]` of the guide.

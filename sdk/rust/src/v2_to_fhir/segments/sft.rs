//! SFT: `segments/SFT[…]` of the guide.

//! IAM: `segments/IAM[…]` of the guide.

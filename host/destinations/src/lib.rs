//! Where results go: kinds of destination and the courier.

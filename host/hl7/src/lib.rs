//! HL7 v2: read without losing a byte.

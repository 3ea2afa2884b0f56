//! FHIR JSON as a lossless tree.

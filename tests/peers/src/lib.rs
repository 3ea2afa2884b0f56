//! The other side: a FHIR endpoint and an MLLP receiver with fault switches.

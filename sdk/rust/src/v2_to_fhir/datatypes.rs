//! Data types of HL7 v2 as data types of FHIR: `datatypes/…` of the guide.

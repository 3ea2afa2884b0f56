//! Data types that name persons, organizations and places: Practitioner, Organization, Location.

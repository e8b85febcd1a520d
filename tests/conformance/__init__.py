"""The published HL7 v2 and FHIR samples through the front doors."""

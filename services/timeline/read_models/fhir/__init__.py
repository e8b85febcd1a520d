"""FHIR R4 resources out of events, a topic a file: pure functions of what was held and what happened."""

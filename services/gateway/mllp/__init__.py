"""MLLP, the framing HL7 v2 travels in over TCP (HL7 Transport Specification: MLLP, release 1)."""

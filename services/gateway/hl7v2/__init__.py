"""HL7 version 2 text: reading it, answering it, and what its messages mean to us."""

"""The contract: what can have happened to a participant, one file a topic."""

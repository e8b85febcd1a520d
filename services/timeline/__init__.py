"""The projector and its read models: care state, timeline, worklist."""

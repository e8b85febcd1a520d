"""The projector's engine: batches, checkpoint, rebuild and parking."""

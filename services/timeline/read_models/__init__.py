"""The read models, each a projection with its table beside it."""

"""Coverage-guided fuzzing: what Hypothesis does not think of."""

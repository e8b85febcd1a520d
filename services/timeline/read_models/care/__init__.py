"""A participant's current care state, a topic a file: each takes the state and what happened."""

"""The event log: append facts, load an entity, run a decider, policies and timers."""

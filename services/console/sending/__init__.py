"""Sending files of messages: what is in them, how they go, and what is told of each."""

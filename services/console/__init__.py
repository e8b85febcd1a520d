"""The throughcare command."""

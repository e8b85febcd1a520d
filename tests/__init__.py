"""The tests of Throughcare."""

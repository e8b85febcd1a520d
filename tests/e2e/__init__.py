"""Whole journeys and faults, with the processes as deployed."""

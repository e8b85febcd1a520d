"""The tasks that events open and close for coordinators, a topic a file."""

"""What services can be asked to do, one file a service."""

"""The decisions of aftercare, one entity a module, without I/O or a clock."""

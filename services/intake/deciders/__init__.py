"""The decisions of intake, one entity a module, without I/O or a clock."""

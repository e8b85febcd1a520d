"""The decisions of care_plan, one entity a module, without I/O or a clock."""
